/* The source text of code that is in no file. Python's linecache has it: of a notebook's cells, of
 * what is typed in, of what a template or a class decorator generates; or doctest has; or it is
 * what the interpreter was given on standard input. */
#ifndef VBT_LINE_SOURCES_H
#define VBT_LINE_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

struct vbt_thread;

/* The interpreter that the calling thread runs is the one whose linecache is read. */
void vbt_line_sources_begin(void);

/* Does the name of a file (a string's id) say that it is none? "<string>" does not count: it is
 * every text's. */
bool vbt_line_sources_may_have(uint32_t file);

/* Keeps the text of such a file, if it can be had. Needs the GIL. Runs no Python code, and leaves
 * the thread's latest blocks as they were. */
void vbt_line_sources_keep(struct vbt_thread *thread, uint32_t file);

/* For the stream: the name of the number-th such file, from 0 on, a line end, and its text; NULL
 * after the last. */
const char *vbt_line_source_at(uint32_t number);

#endif
