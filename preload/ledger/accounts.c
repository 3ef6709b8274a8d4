/* See accounts.h. */
#include "accounts.h"

struct vbt_vector vbt_slip_nodes, vbt_account_slips;

enum { SHARE = 4 }; /* of the numbers, one in so many is an account's */

uint32_t vbt_most_accounts = VBT_MAX_ACCOUNTS;
uint32_t vbt_first_slip_account = VBT_MAX_ACCOUNTS / SHARE;

void vbt_accounts_limit(uint32_t most) {
    vbt_most_accounts = most;
    vbt_first_slip_account = most / SHARE;
}

/* Of these, there is room for one of each domain's at any time. */
static bool is_special(const struct vbt_node *at, uint32_t node) {
    return node == vbt_tree.lost_nodes[at->domain] || (at->flags & VBT_SITE_OWN) != 0;
}

/* The next number, for an item that says `what`; 0 where there is no memory. 0 is unused. */
static uint32_t add(struct vbt_vector *vector, uint32_t what) {
    if (vector->count == 0)
        vbt_vector_add(vector, sizeof(uint32_t));
    uint32_t number = vbt_vector_add(vector, sizeof(uint32_t));
    if (number != 0)
        atomic_store(VBT_VECTOR_ITEM(vector, _Atomic uint32_t, number), what);
    return number;
}

static uint32_t add_account(struct vbt_node *at, uint32_t node, uint32_t slip) {
    if (!is_special(at, node) && vbt_account_slips.count >= vbt_first_slip_account - VBT_DOMAINS)
        return 0;
    uint32_t account = add(&vbt_account_slips, slip);
    if (account != 0) {
        atomic_store(&at->account, account);
        vbt_tree.accounts = account;
    }
    return account;
}

static uint32_t add_slip(struct vbt_node *at, uint32_t slip) {
    atomic_store(&at->account, vbt_first_slip_account + slip);
    return vbt_first_slip_account + slip;
}

/* Is a node counted at an account from the beginning? What is special is counted there often, and a
 * mapping does not fit a slip. */
static bool has_account(const struct vbt_node *at, uint32_t node) { return is_special(at, node) || at->domain == VBT_DOMAIN_MAP; }

/* Are there no more slips, or, if that is needed too, no more accounts? */
static bool is_used_up(bool account_too) {
    return vbt_slip_nodes.count >= vbt_most_accounts - vbt_first_slip_account - VBT_DOMAINS ||
           (account_too && vbt_account_slips.count >= vbt_first_slip_account - VBT_DOMAINS);
}

uint32_t vbt_account_open(uint32_t node) {
    struct vbt_node *at = vbt_node_at(node);
    uint32_t lost_node = vbt_tree.lost_nodes[at->domain];
    vbt_vector_prepare(&vbt_slip_nodes, sizeof(uint32_t));
    vbt_lock(&vbt_tree_lock);
    uint32_t account = atomic_load(&at->account);
    if (account == 0) {
        if (!is_special(at, node) && (is_used_up(has_account(at, node)) || vbt_tree_is_full())) {
            vbt_unlock(&vbt_tree_lock);
            return vbt_account_of(lost_node);
        }
        uint32_t slip = add(&vbt_slip_nodes, node);
        if (slip != 0) {
            vbt_tree.slips = slip;
            account = has_account(at, node) ? add_account(at, node, slip) : add_slip(at, slip);
        }
    }
    vbt_unlock(&vbt_tree_lock);
    return account;
}

uint32_t vbt_account_make(uint32_t node, bool in_any_case) {
    struct vbt_node *at = vbt_node_at(node);
    vbt_lock(&vbt_tree_lock);
    uint32_t account = atomic_load(&at->account);
    if (vbt_account_is_slip(account))
        account = in_any_case || !vbt_tree_is_overfull() ? add_account(at, node, vbt_account_slip(account)) : 0;
    vbt_unlock(&vbt_tree_lock);
    return account;
}
