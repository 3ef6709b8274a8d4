/* Allocation that either succeeds or ends the program: without memory the analyzer cannot go on. */
#ifndef VBT_ALLOCATE_H
#define VBT_ALLOCATE_H

#include <stdarg.h>
#include <stddef.h>

/* Prints a message and ends the program. */
_Noreturn void vbt_out_of_memory(void);

/* Allocates `count` objects of `size` bytes, all zero; never NULL. */
void *vbt_new(size_t count, size_t size);

/* Makes room for `needed` objects in an array of *capacity; when the array grows, it at least
 * doubles. The new part is not cleared. */
void *vbt_grow(void *array, size_t *capacity, size_t needed, size_t size);

/* A copy of `size` bytes with a terminating zero, for the caller to free. */
char *vbt_copy(const char *bytes, size_t size);

/* What printf would print, as a new string for the caller to free. */
char *vbt_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *vbt_text_of(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

#endif
