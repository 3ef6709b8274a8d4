/* The strings of a trace by their text, and strings that are to be added to it. */
#ifndef VBT_STRING_TABLE_H
#define VBT_STRING_TABLE_H

#include "model.h"

struct vbt_string_table;

/* Starts with the strings of the model, which must live longer. */
struct vbt_string_table *vbt_string_table_new(const struct vbt_model *model);
void vbt_string_table_free(struct vbt_string_table *table);

/* The id of a text, which is added if it is new; 0 for an empty text. The text must live as long as
 * the table. */
uint32_t vbt_string_table_id(struct vbt_string_table *table, const char *text);

/* The strings that were added, in order of their ids, which follow those of the model. */
size_t vbt_string_table_added(const struct vbt_string_table *table);
const char *vbt_string_table_text(const struct vbt_string_table *table, size_t index);

#endif
