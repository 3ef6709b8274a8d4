/* The program that a command line starts: found as execvp finds it, and followed to the file whose code will run. */
#ifndef VBT_TARGET_H
#define VBT_TARGET_H

struct vbt_target {
    char *path;    /* the file to start */
    char *program; /* the executable that runs in the end: the interpreter of a script, what a shim stands for; or path */
};

/* Looks for a program by its name or path. NULL, or why nothing can be traced there as a sentence that begins with the file; the
 * caller frees it. Runs "pyenv which" or its like where the program is a shim of such a tool. */
char *vbt_target_find(struct vbt_target *target, const char *name);
void vbt_target_free(struct vbt_target *target);

#endif
