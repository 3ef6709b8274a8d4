/* A fake interpreter of 3.8 to 3.11 at work: it evaluates frames, by the function that is set for
 * that (PEP 523), and calls the thread's trace function as the real one does. Python functions are
 * written in C here: a code object and a body, which says where its lines begin.
 *
 * Beside fake_python and fake_api; a test that uses it is linked with ENABLE_EXPORTS. */
#ifndef FAKE_CALLS_H
#define FAKE_CALLS_H

#include <stdbool.h>
#include <stdint.h>

struct vbt_thread;

/* What a function does. Whatever it returns is its value; NULL: it is left by an exception. */
typedef const void *(*fake_body)(void);

/* Some value to return. */
extern const char fake_value[];

/* After fake_python_begin and fake_api_begin; booker: whose ledger the interpreter's allocations go
 * to. Ends before them. */
void fake_calls_begin(struct vbt_thread *booker);
void fake_calls_end(void);

/* Calls a function. */
void fake_call(char *code, fake_body body);

/* In a body: a line of it begins. */
void fake_line(int line);

/* A generator: its frame, which runs a body each time that it is resumed. It yields what the body
 * returns, or with `ends` returns it. */
char *fake_generator(char *code);
void fake_resume(char *frame, fake_body body, bool ends);

/* In a body: an exception passes through the running frame. All three are objects of
 * fake_exception's. The tuple that the trace function is given with them is allocated the first
 * time; from then on it comes from a free list. */
void fake_raise(void *type, void *value, void *traceback);
const void *fake_tuple(void);

/* An object that the garbage collector knows, in a block that is booked; its type, a value that it
 * keeps at an offset (0: none). */
char *fake_exception(void *type, int offset, void *value);

/* The block of such an object. */
uintptr_t fake_block_of(const void *object);

/* In a body: is the function traced, by whichever trace function? */
bool fake_is_traced(void);

/* The thread's trace function, set and read as sys.settrace does. NULL: none. */
typedef int (*fake_trace_function)(void *object, void *frame, int what, void *argument);
void fake_trace_set(fake_trace_function function);
fake_trace_function fake_trace(void);

/* sys.settrace begins, or what does the same in C: reports it to the audit hook. */
void fake_audit(const char *event);

/* Runs what was given to Py_AddPendingCall. */
void fake_run_pending(void);

/* The first frame of another stack runs, as where greenlets are switched: no frame is its
 * caller. */
void fake_call_on_other_stack(char *code, fake_body body);

/* The running frame, as line mode's books know it. */
const void *fake_running(void);

#endif
