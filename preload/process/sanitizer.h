/* Programs built with a sanitizer: they are not traced. */
#ifndef VBT_SANITIZER_H
#define VBT_SANITIZER_H

#include <stdbool.h>

/* Does the program, whose malloc is not this library's, contain a sanitizer? */
bool vbt_sanitizer_in_program(void);

#endif
