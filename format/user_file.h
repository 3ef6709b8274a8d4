/* Which Python files are the user's own. */
#ifndef VBT_USER_FILE_H
#define VBT_USER_FILE_H

#include <stdbool.h>

/* True for a code object's file name that is neither the standard library (".../lib/python3.N/..."), nor an installed
 * package ("site-packages", "dist-packages"), nor part of the interpreter ("<frozen ...>"). "<string>", "<stdin>" and
 * "<timeit-src>" are the user's words and count as theirs. */
bool vbt_is_user_file(const char *path);

#endif
