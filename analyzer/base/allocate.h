/* Memory that is there or the program ends: the analyzer has nothing better to do without it. */
#ifndef VBT_ALLOCATE_H
#define VBT_ALLOCATE_H

#include <stdarg.h>
#include <stddef.h>

/* Says so, and ends the program. */
_Noreturn void vbt_out_of_memory(void);

/* count objects of size bytes, all zero; never NULL. */
void *vbt_new(size_t count, size_t size);

/* Makes room for needed objects in an array of *capacity, at least doubling it when it grows. The new part is not cleared. */
void *vbt_grow(void *array, size_t *capacity, size_t needed, size_t size);

/* A copy of size bytes with a zero behind them. */
char *vbt_copy(const char *bytes, size_t size);

/* What printf would print, in memory of its own. */
char *vbt_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *vbt_text_of(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

#endif
