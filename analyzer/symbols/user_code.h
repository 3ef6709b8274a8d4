/* Whose code it is: the user's own, or a library's.
 *
 * The user's own are the program, and the libraries that lie below its folder or below the working
 * directory; of these, not what library headers and package managers brought into them. Patterns
 * (VBTRACE_USER, --user) add to that, or after "!" take away: they name libraries and, within the
 * user's own, source files. */
#ifndef VBT_USER_CODE_H
#define VBT_USER_CODE_H

#include "analyzer/trace/model.h"

struct vbt_user_code {
    const char *patterns;   /* as in VBTRACE_USER, see preload/shared/patterns.h; NULL: none */
    const char *folders[2]; /* with the user's own libraries; NULL: none */
    size_t lengths[2];
};

/* From what the trace says of the program. */
void vbt_user_code_init(struct vbt_user_code *user, const struct vbt_model *model);

/* Is the main program the user's own? The interpreter that runs a Python script is not; a program
 * that embeds Python is. In a merged trace, what is marked as the main program is. */
bool vbt_user_code_is_program(const struct vbt_model *model);

/* May a loaded file have code of the user's own? */
bool vbt_user_code_has_module(const struct vbt_user_code *user, const char *path, bool is_program);

/* Is a function that begins in a source file (NULL: unknown) the user's own, in a loaded file that
 * may have such? */
bool vbt_user_code_has_source(const struct vbt_user_code *user, const char *file);

/* Is a native function, by its name and its source file, what Cython made of code in a .pyx file?
 * Only where the module was compiled with Cython's line directives; else the file is a .c file. */
bool vbt_user_code_is_cython(const char *function, const char *file);

/* Is it a helper of Cython's own, to which the debug information gives wrong lines? */
bool vbt_user_code_is_cython_helper(const char *function, const char *file);

/* Is a file of Python code the user's own? otherwise: what holds where no pattern decides. */
bool vbt_user_code_has_python(const struct vbt_user_code *user, const char *file, bool otherwise);

#endif
