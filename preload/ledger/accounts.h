/* The nodes of the call tree that anything was booked at: the ledgers keep counters for those only.
 * Of deep call paths, most nodes only lead to others and never get any.
 *
 * Each has a slip, numbered from 1 on, which is where little is counted (slips.h). Once a thread
 * has more to count there, the node gets an account, also numbered from 1 on, with counters
 * (counters.h). The shadow and intervals name either in one number: those from
 * vbt_first_slip_account on stand for slips. */
#ifndef VBT_ACCOUNTS_H
#define VBT_ACCOUNTS_H

#include "preload/tree/tree.h"

/* The nodes, by slip; the slips, by account. */
extern struct vbt_vector vbt_slip_nodes VBT_HIDDEN;
extern struct vbt_vector vbt_account_slips VBT_HIDDEN;

/* How many numbers there can be: VBT_MAX_ACCOUNTS, or fewer where address space is scarce, since
 * each thread's tables take 8 bytes of it for every 32 numbers. A quarter of them is for accounts.
 * Both are fixed before the first thread begins. */
extern uint32_t vbt_most_accounts VBT_HIDDEN;
extern uint32_t vbt_first_slip_account VBT_HIDDEN;
enum { VBT_FEW_ACCOUNTS = 1 << 23 };

/* Sets both. */
void vbt_accounts_limit(uint32_t most);

static inline bool vbt_account_is_slip(uint32_t account) { return account >= vbt_first_slip_account; }

/* Takes the tree's lock. What a node is counted at, made if there is nothing yet: its account, or
 * the number of its slip. That of the domain's lost node once there are no more, or
 * VBTRACE_MAX_MEMORY is reached; 0 where there is no memory. */
uint32_t vbt_account_open(uint32_t node);

/* The same, quickly if it is there. */
static inline uint32_t vbt_account_of(uint32_t node) {
    uint32_t account = atomic_load_explicit(&vbt_node_at(node)->account, memory_order_acquire);
    return VBT_LIKELY(account != 0) ? account : vbt_account_open(node);
}

/* Takes the tree's lock. The account of a node that has a slip, made if there is none; 0 where
 * there are no more, or no memory, or VBTRACE_MAX_MEMORY is passed. in_any_case: but for the
 * latter. */
uint32_t vbt_account_make(uint32_t node, bool in_any_case);

/* Of a number that the functions above have returned. */
static inline uint32_t vbt_account_slip(uint32_t account) {
    if (vbt_account_is_slip(account))
        return account - vbt_first_slip_account;
    return atomic_load_explicit(VBT_VECTOR_ITEM(&vbt_account_slips, _Atomic uint32_t, account), memory_order_relaxed);
}

static inline uint32_t vbt_slip_node(uint32_t slip) {
    return atomic_load_explicit(VBT_VECTOR_ITEM(&vbt_slip_nodes, _Atomic uint32_t, slip), memory_order_relaxed);
}

static inline uint32_t vbt_account_node(uint32_t account) { return vbt_slip_node(vbt_account_slip(account)); }

/* A node's account; 0 if it has none. */
static inline uint32_t vbt_account_if_made(uint32_t node) {
    uint32_t account = atomic_load_explicit(&vbt_node_at(node)->account, memory_order_acquire);
    return vbt_account_is_slip(account) ? 0 : account;
}

#endif
