/* What is known of return addresses: their unwinding rules and sites, found once and read without a lock. */
#ifndef VBT_NATIVE_RULES_H
#define VBT_NATIVE_RULES_H

#include "../lock.h"
#include "native_cfi.h"

/* Held over a fork by lifecycle.c. */
extern struct vbt_lock vbt_native_rules_lock;

/* Looks up what of the loader is used. Call where dlsym may be called; until then, and with an older libc, the loader's list of
 * modules is walked for each address that is new. */
void vbt_native_rules_init(void);

/* The rule by which to go on from a return address, and its site (0: no memory). */
struct vbt_rule vbt_native_rule(uintptr_t pc, uint32_t *site);

#endif
