/* The rights of the helper: those that the program has, and never more.
 *
 * The kernel keeps rights for each task. The helper shares the program's memory, so an attacker who
 * takes over a program that has given up rights could get them back through a helper that kept
 * them. */
#ifndef VBT_RIGHTS_H
#define VBT_RIGHTS_H

#include <stdbool.h>

/* In the helper, before it follows for the first time, and when it has entered a namespace: reads
 * what rights it has. */
void vbt_rights_begin(void);

enum vbt_rights {
    VBT_RIGHTS_EQUAL,   /* the helper has what the program has, or less */
    VBT_RIGHTS_SANDBOX, /* the program has entered one, by a direct system call */
    VBT_RIGHTS_UNKNOWN, /* it cannot be found out or done */
};

/* In the helper: gives up what the program has given up: user and group ids, groups, capabilities,
 * no_new_privs. If they are not equal then, the helper has to end. same_users: both are in the same
 * user namespace; else the program's capabilities apply in the other one. before: called before
 * rights to files are given up. */
enum vbt_rights vbt_rights_follow(bool same_users, void (*before)(void));

#endif
