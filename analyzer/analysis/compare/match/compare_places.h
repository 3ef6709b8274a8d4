/* The code that the traces of one side name, without the traces: files, functions in them, lines in
 * these, each once. A comparison outlives the traces that it was made of, which may be large.
 *
 * Ids begin at 1; 0 stands for none. */
#ifndef VBT_COMPARE_PLACES_H
#define VBT_COMPARE_PLACES_H

#include "analyzer/base/arrays/id_table.h"
#include "analyzer/symbols/places.h"

struct vbt_compared_file {
    char *path;
};

struct vbt_compared_function {
    uint32_t file;
    char *name;
    char *head;         /* its first line, if that holds limits (see budgets.h); else NULL */
    int64_t first_line; /* 0: unknown */
    enum vbt_place_kind kind;
    bool user;
};

struct vbt_compared_place {
    uint32_t function;
    int64_t line;
    char *text; /* the source line without blanks at its ends; NULL: not to be had, or not that which ran */
};

struct vbt_compared_places {
    struct vbt_compared_file *files; /* rows 1 to count */
    struct vbt_compared_function *functions;
    struct vbt_compared_place *rows;
    size_t file_count, file_capacity, function_count, function_capacity, count, capacity;
    struct vbt_id_table file_table, function_table, table;
    char *program; /* path of what ran; NULL: unknown */
};

/* The ids of what is there once, or is added. Texts are copied. */
uint32_t vbt_compared_file_id(struct vbt_compared_places *places, const char *path);
uint32_t vbt_compared_function_id(struct vbt_compared_places *places, const struct vbt_compared_function *function);

/* source: of `size` bytes; NULL: not to be had. */
uint32_t vbt_compared_place_id(struct vbt_compared_places *places, uint32_t function, int64_t line, const char *source,
                               size_t size);

void vbt_compared_places_free(struct vbt_compared_places *places);

#endif
