/* The source text of counted code that is in no file: Python's linecache has it, as for the cells
 * of a notebook, and for what a template or a class decorator generates. */
#ifndef VBT_LINE_SOURCES_H
#define VBT_LINE_SOURCES_H

#include <stdint.h>

struct vbt_thread;

/* An interpreter begins, and ends: the one whose linecache is read. sys: its module. */
void vbt_line_sources_begin(void *sys);
void vbt_line_sources_end(void);

/* Code of this file (a string's id) is counted from now on: keeps the text, if the file's name says
 * that it is none and linecache knows it. Needs the GIL. Runs no Python code, and leaves the
 * thread's latest blocks as they were. */
void vbt_line_sources_keep(struct vbt_thread *thread, uint32_t file);

/* For the stream: the name of the number-th such file, from 0 on, a line end, and its text; NULL
 * after the last. */
const char *vbt_line_source_at(uint32_t number);

#endif
