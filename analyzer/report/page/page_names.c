/* See page_names.h. */
#include "page_names.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/hash.h"

#include <stdlib.h>
#include <string.h>

struct name {
    const char *text;
    uint32_t number;
    UT_hash_handle hh; /* in order of number */
};

struct vbt_page_names {
    struct name *table;
};

struct vbt_page_names *vbt_page_names_new(void) {
    struct vbt_page_names *names = vbt_new(1, sizeof *names);
    vbt_page_name(names, "");
    return names;
}

void vbt_page_names_free(struct vbt_page_names *names) {
    struct name *name, *next;
    HASH_ITER(hh, names->table, name, next) {
        HASH_DEL(names->table, name);
        free(name);
    }
    free(names);
}

uint32_t vbt_page_name(struct vbt_page_names *names, const char *text) {
    struct name *found;
    text = text != NULL ? text : "";
    size_t length = strlen(text);
    HASH_FIND(hh, names->table, text, length, found);
    if (found == NULL) {
        found = vbt_new(1, sizeof *found);
        found->text = text;
        found->number = HASH_COUNT(names->table);
        HASH_ADD_KEYPTR(hh, names->table, found->text, length, found);
    }
    return found->number;
}

void vbt_page_names_write(const struct vbt_page_names *names, struct vbt_json *json) {
    struct name *name, *next;
    vbt_json_array_begin(json, "strings");
    HASH_ITER(hh, names->table, name, next) { vbt_json_item(json, vbt_json_text(name->text)); }
    vbt_json_array_end(json);
}
