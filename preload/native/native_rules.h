/* What is known of return addresses: their unwinding rules and sites, found once and read without a
 * lock. */
#ifndef VBT_NATIVE_RULES_H
#define VBT_NATIVE_RULES_H

#include "preload/base/lock.h"
#include "native_cfi.h"

/* Held over a fork by lifecycle.c. */
extern struct vbt_lock vbt_native_rules_lock;

/* The rule for walking on from a return address, and its site (0: no memory). */
struct vbt_rule vbt_native_rule(uintptr_t pc, uint32_t *site);

#endif
