/* The interpreter's free lists, which from 3.10 to 3.12 are in its state: no allocator is called
 * for what comes from them. */
#ifndef VBT_LINE_FREE_LISTS_H
#define VBT_LINE_FREE_LISTS_H

#include <stdbool.h>

/* Finds those of floats, tuples, lists and dicts. Call it once, with the GIL. */
bool vbt_line_free_lists_find(void);

/* If they were found, with the GIL: switches off those of floats and tuples for good, and empties
 * the others. */
void vbt_line_free_lists_empty(void);

#endif
