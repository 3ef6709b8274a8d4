/* The strings of a page: each once, by number. */
#ifndef VBT_PAGE_NAMES_H
#define VBT_PAGE_NAMES_H

#include "analyzer/base/json.h"

#include <stdint.h>

struct vbt_page_names;

/* String 0 is empty. */
struct vbt_page_names *vbt_page_names_new(void);
void vbt_page_names_free(struct vbt_page_names *names);

/* The number of a text, which must live as long; NULL is as "". */
uint32_t vbt_page_name(struct vbt_page_names *names, const char *text);

/* The member "strings". */
void vbt_page_names_write(const struct vbt_page_names *names, struct vbt_json *json);

#endif
