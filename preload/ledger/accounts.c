/* See accounts.h. */
#include "accounts.h"

struct vbt_vector vbt_accounts;

uint32_t vbt_most_accounts = VBT_MAX_ACCOUNTS;

uint32_t vbt_account_open(uint32_t node) {
    struct vbt_node *at = vbt_node_at(node);
    uint32_t lost_node = vbt_tree.lost_nodes[at->domain];
    vbt_lock(&vbt_tree_lock);
    uint32_t account = atomic_load(&at->account);
    if (account == 0) {
        if (vbt_accounts.count == 0)
            vbt_vector_add(&vbt_accounts, sizeof(uint32_t)); /* 0 is unused */
        bool is_special = node == lost_node || (at->flags & VBT_SITE_OWN) != 0;
        if (!is_special && (vbt_accounts.count >= vbt_most_accounts - VBT_DOMAINS || vbt_tree_is_full())) {
            vbt_unlock(&vbt_tree_lock);
            return vbt_account_of(lost_node);
        }
        account = vbt_vector_add(&vbt_accounts, sizeof(uint32_t));
        if (account != 0) {
            atomic_store(VBT_VECTOR_ITEM(&vbt_accounts, _Atomic uint32_t, account), node);
            atomic_store(&at->account, account);
            vbt_tree.accounts = account;
        }
    }
    vbt_unlock(&vbt_tree_lock);
    return account;
}
