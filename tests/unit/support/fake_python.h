/* A fake interpreter: thread states, frames, code objects and strings laid out in memory by the
 * offsets of a version, and the few functions of the interpreter that the library calls.
 *
 * Each object is a block, exactly as large as the parts that the library reads, so that
 * AddressSanitizer sees every read beyond. Instruction i of every code object is 2 * i bytes from
 * its start and on line first_line + i. */
#ifndef FAKE_PYTHON_H
#define FAKE_PYTHON_H

#include "preload/thread/thread.h"
#include "preload/python/python.h"

#include <stddef.h>
#include <stdint.h>

enum { FAKE_INSTRUCTIONS = 32 };

/* The kinds of str objects. */
enum fake_string_kind { FAKE_ASCII, FAKE_LATIN1, FAKE_UCS2, FAKE_UCS4, FAKE_NOT_COMPACT };

/* Starts an interpreter 3.minor, whose only thread runs nothing yet; its allocations are booked for
 * `thread`. */
void fake_python_begin(int minor, struct vbt_thread *thread);

/* The same with the offsets of this version's free-threaded build, which are not in the table. */
enum { FAKE_FREE_THREADED = 14 };
void fake_python_begin_free_threaded(struct vbt_thread *thread);

/* Frees everything made since the start; no frame is read any more. */
void fake_python_end(void);

/* A str of `length` characters; each takes 1, 1, 2 or 4 bytes of `characters`, by its kind. */
char *fake_string(enum fake_string_kind kind, const void *characters, size_t length);

char *fake_code(const char *file, const char *name, int first_line);

/* The same of str objects. */
char *fake_code_of(char *file, char *name, int first_line);

/* Code within code: the second is a constant of the first. Once for each, all at a time. */
void fake_code_contains(char *code, char *const *inner, size_t count);

/* The code object is freed, and another one gets its block. */
void fake_code_reborn(char *code, const char *file, const char *name, int first_line);

/* Memory for a frame; what it holds is set by fake_frame_set. */
char *fake_frame(void);

/* A frame that executes an instruction of a code object. caller: the frame before it, or NULL. */
void fake_frame_set(char *frame, const char *caller, const char *code, int instruction);
void fake_frame_step(char *frame, const char *code, int instruction);

/* A frame of the evaluation loop itself; from 3.12 on. */
void fake_frame_set_entry(char *frame, const char *caller);

/* The thread now runs this frame, or nothing (NULL). */
void fake_python_run(const char *frame);

/* The thread's state is freed, and it gets another one, somewhere else. */
void fake_state_replace(void);

#endif
