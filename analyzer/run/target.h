/* The program that a command line starts: found as execvp finds it, and followed to the executable
 * whose code runs in the end. */
#ifndef VBT_TARGET_H
#define VBT_TARGET_H

struct vbt_target {
    char *path;    /* the file to start */
    char *program; /* the executable that runs in the end: a script's interpreter, what a shim runs, or path itself */
};

/* Finds the program of a command line, by its name or path: of "ld.so --argv0 name PROGRAM",
 * PROGRAM. Returns NULL, or why it cannot be traced, as a sentence that begins with the file, for
 * the caller to free. If the program is a shim, runs "pyenv which" or the like. */
char *vbt_target_find(struct vbt_target *target, const char *const *command);
void vbt_target_free(struct vbt_target *target);

#endif
