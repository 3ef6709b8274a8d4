/* Has the program ended, as seen from the helper? For ends that no hook saw: killed, ended by a
 * direct system call, replaced by a direct exec. */
#ifndef VBT_PROGRAM_END_H
#define VBT_PROGRAM_END_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* In the program, in its first thread: finds the word in which the kernel notes the end of that
 * thread. */
void vbt_program_end_init(void);

/* In the helper, when it starts and when it ends: opens and closes the descriptor that refers to
 * the program. */
void vbt_program_end_open(void);
void vbt_program_end_close(void);

/* In the helper: sleeps until the word has changed, the time has passed or the program's first
 * thread has ended, whichever comes first. (Before Linux 5.16, the end does not wake it.) */
void vbt_program_end_sleep(_Atomic uint32_t *word, uint32_t was, int64_t nanoseconds);

/* In the helper: NULL while the program runs; else how it ended: "exec", "exit_group", "signal 9",
 * or "unseen" if the kernel no longer says how. */
const char *vbt_program_end(void);

#endif
