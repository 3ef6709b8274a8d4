/* See compare_places.h. */
#include "analyzer/base/hash.h"

#include "compare_places.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash_of(const char *text, uint64_t more) { return (uint32_t)XXH64(text, strlen(text), vbt_hash_key() ^ more); }

/* Adds row count + 1 to an array whose row 0 is empty. */
static void *add_row(void *rows, size_t *capacity, size_t *count, size_t size) {
    bool first = rows == NULL;
    rows = vbt_grow(rows, capacity, *count + 2, size);
    if (first)
        memset(rows, 0, size);
    ++*count;
    return rows;
}

struct file_wish {
    const struct vbt_compared_places *places;
    const char *path;
};

static bool is_file(const void *context, uint32_t id) {
    const struct file_wish *wish = context;
    return strcmp(wish->places->files[id].path, wish->path) == 0;
}

uint32_t vbt_compared_file_id(struct vbt_compared_places *p, const char *path) {
    const struct file_wish wish = {p, path};
    struct vbt_id_slot *slot = vbt_id_table_find(&p->file_table, hash_of(path, 0), is_file, &wish);
    if (slot->id != 0)
        return slot->id;
    p->files = add_row(p->files, &p->file_capacity, &p->file_count, sizeof *p->files);
    p->files[p->file_count] = (struct vbt_compared_file){vbt_copy(path, strlen(path))};
    vbt_id_table_take(&p->file_table, slot, (uint32_t)p->file_count);
    return slot->id;
}

struct function_wish {
    const struct vbt_compared_places *places;
    const struct vbt_compared_function *function;
};

static bool is_function(const void *context, uint32_t id) {
    const struct function_wish *wish = context;
    const struct vbt_compared_function *a = &wish->places->functions[id], *b = wish->function;
    return a->file == b->file && a->first_line == b->first_line && a->kind == b->kind && strcmp(a->name, b->name) == 0;
}

uint32_t vbt_compared_function_id(struct vbt_compared_places *p, const struct vbt_compared_function *function) {
    const struct function_wish wish = {p, function};
    uint64_t more = (uint64_t)function->file << 32 ^ (uint64_t)function->first_line;
    struct vbt_id_slot *slot = vbt_id_table_find(&p->function_table, hash_of(function->name, more), is_function, &wish);
    if (slot->id != 0)
        return slot->id;
    p->functions = add_row(p->functions, &p->function_capacity, &p->function_count, sizeof *p->functions);
    p->functions[p->function_count] = *function;
    p->functions[p->function_count].name = vbt_copy(function->name, strlen(function->name));
    p->functions[p->function_count].head = function->head != NULL ? vbt_copy(function->head, strlen(function->head)) : NULL;
    vbt_id_table_take(&p->function_table, slot, (uint32_t)p->function_count);
    return slot->id;
}

struct place_wish {
    const struct vbt_compared_places *places;
    uint32_t function;
    int64_t line;
};

static bool is_place(const void *context, uint32_t id) {
    const struct place_wish *wish = context;
    const struct vbt_compared_place *row = &wish->places->rows[id];
    return row->function == wish->function && row->line == wish->line;
}

/* The text without what says nothing: indentation, blanks at its end. */
static char *trimmed(const char *source, size_t size) {
    static const char blanks[] = " \t\f\v\r";
    while (size > 0 && memchr(blanks, source[0], sizeof blanks - 1) != NULL) {
        source++;
        size--;
    }
    while (size > 0 && memchr(blanks, source[size - 1], sizeof blanks - 1) != NULL)
        size--;
    return vbt_copy(source, size);
}

uint32_t vbt_compared_place_id(struct vbt_compared_places *p, uint32_t function, int64_t line, const char *source, size_t size) {
    const struct place_wish wish = {p, function, line};
    uint32_t hash = hash_of("", (uint64_t)function << 32 ^ (uint64_t)line);
    struct vbt_id_slot *slot = vbt_id_table_find(&p->table, hash, is_place, &wish);
    if (slot->id != 0)
        return slot->id;
    p->rows = add_row(p->rows, &p->capacity, &p->count, sizeof *p->rows);
    p->rows[p->count] = (struct vbt_compared_place){function, line, source != NULL ? trimmed(source, size) : NULL};
    vbt_id_table_take(&p->table, slot, (uint32_t)p->count);
    return slot->id;
}

void vbt_compared_places_free(struct vbt_compared_places *p) {
    for (size_t i = 1; i <= p->file_count; i++)
        free(p->files[i].path);
    for (size_t i = 1; i <= p->function_count; i++) {
        free(p->functions[i].name);
        free(p->functions[i].head);
    }
    for (size_t i = 1; i <= p->count; i++)
        free(p->rows[i].text);
    free(p->program);
    free(p->files);
    free(p->functions);
    free(p->rows);
    vbt_id_table_free(&p->file_table);
    vbt_id_table_free(&p->function_table);
    vbt_id_table_free(&p->table);
    *p = (struct vbt_compared_places){0};
}
