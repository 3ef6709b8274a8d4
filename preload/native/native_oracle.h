/* libunwind: walks where our rules cannot, and verifies them.
 *
 * It is opened, not linked: linked into our library it would take over C++ exceptions from the
 * unwinder that the program uses. */
#ifndef VBT_NATIVE_ORACLE_H
#define VBT_NATIVE_ORACLE_H

#include "native_machine.h"

#include <stdbool.h>

/* Opens it. Call where the loader may be called, and where its allocations are not recorded. NULL:
 * it is open; else why not. */
const char *vbt_oracle_open(void);

struct vbt_oracle_frame {
    uintptr_t pc, sp; /* as in struct vbt_registers */
};

/* Walks the calling thread's stack outwards from `from`, the caller of some function that is
 * running. Returns how many frames, that one included, it put into `out`; 0 where libunwind is not
 * open or does not find `from`. Keeps errno. */
uint32_t vbt_oracle_walk(const struct vbt_registers *from, struct vbt_oracle_frame *out, uint32_t size);

/* Does libunwind find a description of the code of frame `number`, counted from 1 for `from`? (It
 * also walks on by guesses where there is none.) The rest as for vbt_oracle_walk, which found that
 * frame. */
bool vbt_oracle_describes(const struct vbt_registers *from, struct vbt_oracle_frame *out, uint32_t number);

/* Is the calling thread walking, with signals blocked? What is allocated meanwhile is libunwind's:
 * no data of the program's is lost with it. */
extern __thread volatile bool vbt_oracle_walks __attribute__((tls_model("initial-exec")));

/* Around a fork: libunwind has locks, and the child must not find one locked by a thread that it
 * does not have. Waits until no thread walks, for two seconds at most, and keeps threads from
 * starting to until the fork is over. */
void vbt_oracle_before_fork(void);
void vbt_oracle_after_fork(void);

/* In the child, however it was forked. If the parent had other threads, libunwind is not used
 * again, and vbt_oracle_walk returns 0: libunwind asks the loader, one of whose locks may be held
 * for ever by a thread that was in dlopen. (The C library resets the others.) */
void vbt_oracle_after_fork_in_child(void);

#endif
