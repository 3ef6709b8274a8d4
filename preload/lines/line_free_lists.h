/* The interpreter's free lists, from 3.10 to 3.12 in its state: what comes from them reaches no allocator. */
#ifndef VBT_LINE_FREE_LISTS_H
#define VBT_LINE_FREE_LISTS_H

#include <stdbool.h>

/* Finds those of floats, tuples, lists and dicts. Once, with the GIL. */
bool vbt_line_free_lists_find(void);

/* If they were found, with the GIL: those of floats and tuples stay off, the others are empty until something is freed. */
void vbt_line_free_lists_empty(void);

#endif
