/* See string_table.h. */
#include "analyzer/base/hash.h"

#include "string_table.h"

#include "analyzer/base/allocate.h"

#include <string.h>

struct string {
    const char *text;
    uint32_t id;
    UT_hash_handle hh;
};

struct vbt_string_table {
    size_t defined; /* in the model */
    struct string *by_text;
    const char **added;
    size_t added_count, added_capacity;
};

static uint32_t find(const struct vbt_string_table *t, const char *text) {
    struct string *found;
    HASH_FIND_STR(t->by_text, text, found);
    return found != NULL ? found->id : 0;
}

static void add(struct vbt_string_table *t, const char *text, uint32_t id) {
    struct string *string = vbt_new(1, sizeof *string);
    *string = (struct string){.text = text, .id = id};
    HASH_ADD_KEYPTR(hh, t->by_text, text, strlen(text), string);
}

struct vbt_string_table *vbt_string_table_new(const struct vbt_model *model) {
    struct vbt_string_table *t = vbt_new(1, sizeof *t);
    t->defined = model->string_count;
    for (uint32_t id = 1; id <= model->string_count; id++)
        if (find(t, vbt_model_string(model, id)) == 0)
            add(t, vbt_model_string(model, id), id);
    return t;
}

void vbt_string_table_free(struct vbt_string_table *t) {
    struct string *string, *next;
    HASH_ITER(hh, t->by_text, string, next) {
        HASH_DEL(t->by_text, string);
        free(string);
    }
    free(t->added);
    free(t);
}

uint32_t vbt_string_table_id(struct vbt_string_table *t, const char *text) {
    uint32_t id = text[0] == '\0' ? 0 : find(t, text);
    if (id != 0 || text[0] == '\0')
        return id;
    id = (uint32_t)(t->defined + t->added_count + 1);
    t->added = vbt_grow(t->added, &t->added_capacity, t->added_count + 1, sizeof *t->added);
    t->added[t->added_count++] = text;
    add(t, text, id);
    return id;
}

size_t vbt_string_table_added(const struct vbt_string_table *t) { return t->added_count; }

const char *vbt_string_table_text(const struct vbt_string_table *t, size_t index) { return t->added[index]; }
