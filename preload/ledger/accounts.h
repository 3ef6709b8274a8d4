/* The nodes of the call tree that anything was booked at, numbered from 1: the ledgers keep
 * counters for those only. Of deep call paths, most nodes only lead to others and never get any. */
#ifndef VBT_ACCOUNTS_H
#define VBT_ACCOUNTS_H

#include "preload/tree/tree.h"

/* The nodes, by account. */
extern struct vbt_vector vbt_accounts VBT_HIDDEN;

/* How many accounts there can be: VBT_MAX_ACCOUNTS, or fewer where address space is scarce, since
 * each thread's tables take 16 bytes of it for every 32 accounts. Fixed before the first thread
 * begins. */
extern uint32_t vbt_most_accounts VBT_HIDDEN;
enum { VBT_FEW_ACCOUNTS = 1 << 23 };

/* Takes the tree's lock. The account of the domain's lost node once there are vbt_most_accounts, or
 * VBTRACE_MAX_MEMORY is reached; 0 where there is no memory. */
uint32_t vbt_account_open(uint32_t node);

/* The account of a node, opened if there is none. */
static inline uint32_t vbt_account_of(uint32_t node) {
    uint32_t account = atomic_load_explicit(&vbt_node_at(node)->account, memory_order_acquire);
    return VBT_LIKELY(account != 0) ? account : vbt_account_open(node);
}

/* Of an account that vbt_account_of has returned. */
static inline uint32_t vbt_account_node(uint32_t account) {
    return atomic_load_explicit(VBT_VECTOR_ITEM(&vbt_accounts, _Atomic uint32_t, account), memory_order_relaxed);
}

#endif
