/* Further interpreters of the process (subinterpreters): which one a thread runs, and their lines.
 *
 * Up to Python 3.11, one variable holds the state of whichever thread runs, and what the
 * interpreter names as a thread's own is the state in which it ran first. So the evaluation of
 * frames (PEP 523) is replaced in a further interpreter: the thread's stack is then that of the
 * state in which a frame is evaluated. A new interpreter is noticed by the semaphore that guards
 * the list of interpreters: it is taken again after the new one was added, before that runs.
 *
 * From 3.12 on a thread knows its state, and something is to be done for lines alone: they must be
 * asked for in each interpreter, by code that runs there. A new interpreter is noticed by code that
 * was not seen before; its evaluation of frames is replaced until the first frame. */
#ifndef VBT_SUBINTERPRETERS_H
#define VBT_SUBINTERPRETERS_H

/* An interpreter has been initialized, the only one in the process so far: notices those that come
 * after it. */
void vbt_subinterpreters_watch(void);

/* Call them around the start of line mode, with the GIL. The calling thread runs the interpreter in
 * which that happens: mostly the first one, but a program may run a further one before it runs
 * anything in the first. */
void vbt_subinterpreters_begin(void);
void vbt_subinterpreters_began(void);

#endif
