/* The helper's surroundings: its root directory and its namespaces, which are the program's.
 *
 * The helper begins where the program is. When the program changes its root or enters a namespace,
 * the helper goes there, too: it keeps no file system in use that the program has left, and reaches
 * no file, network or process that the program does not. (A process never leaves its own PID
 * namespace, only its children's, and the kernel refuses a time namespace to those that share
 * memory.) */
#ifndef VBT_SURROUNDINGS_H
#define VBT_SURROUNDINGS_H

#include <stdbool.h>

/* In the helper, before it follows for the first time, and when it ends. */
void vbt_surroundings_begin(void);
void vbt_surroundings_end(void);

enum vbt_surroundings {
    VBT_SURROUNDINGS_EQUAL,   /* the helper is where the program is, as far as it can see */
    VBT_SURROUNDINGS_ENTERED, /* so it is now */
    VBT_SURROUNDINGS_CLOSED,  /* it cannot follow, and has to end */
};

/* In the program, which may just have moved: notes its root, for the helper. */
void vbt_surroundings_left(void);

/* In the helper: the program is about to move in a way that may take /proc away from both. */
void vbt_surroundings_keep(void);

/* In the helper: goes where the program is now. moves: called before, if that is somewhere else.
 * asked: the program has just moved. */
enum vbt_surroundings vbt_surroundings_follow(bool asked, void (*moves)(void));

/* Is the user namespace known to be the program's? */
bool vbt_surroundings_share_users(void);

#endif
