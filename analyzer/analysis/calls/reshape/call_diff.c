/* See call_diff.h. */
#include "call_diff.h"

#include "analyzer/analysis/calls/call_children.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/arrays/text_buffer.h"
#include "analyzer/base/hash.h"

#include <stdlib.h>
#include <string.h>

/* A file of one run, or of both. */
struct diff_file {
    const char *path;       /* the key */
    struct diff_file *like; /* the new run's file that this one of the old run is */
    bool in_old, in_new;
    UT_hash_handle hh;
};

/* The files of either run alone whose paths end in the same folders and name. */
struct diff_ending {
    const char *text; /* the key */
    struct diff_file *old_file, *new_file;
    bool many;
    UT_hash_handle hh;
};

/* A place, by what makes two of them one. */
struct diff_place {
    char *key;
    uint32_t number;
    UT_hash_handle hh;
};

struct diffing {
    struct vbt_call_tree *diff;
    struct diff_file *files;
    struct diff_place *places;
    struct vbt_call_children children;
};

static struct diff_file *file_of(struct diffing *d, const char *path) {
    struct diff_file *file;
    HASH_FIND_STR(d->files, path, file);
    if (file == NULL) {
        file = vbt_new(1, sizeof *file);
        file->path = path;
        HASH_ADD_KEYPTR(hh, d->files, file->path, strlen(file->path), file);
    }
    return file;
}

static void list_files(struct diffing *d, const struct vbt_call_tree *tree, bool is_new) {
    for (size_t i = 1; i < tree->place_count; i++) {
        struct diff_file *file = file_of(d, tree->places[i]->file);
        *(is_new ? &file->in_new : &file->in_old) = true;
    }
}

static bool is_alone(const struct diff_file *file) { return file->in_old != file->in_new && file->like == NULL; }

/* The last parts of a path, or NULL if it has fewer. */
static const char *ending_of(const char *path, unsigned parts) {
    const char *at = path + strlen(path);
    while (parts > 0 && at > path)
        parts -= *--at == '/';
    return parts == 0 ? at : NULL;
}

static void note_ending(struct diff_ending **endings, struct diff_file *file, const char *text) {
    struct diff_ending *ending;
    HASH_FIND_STR(*endings, text, ending);
    if (ending == NULL) {
        ending = vbt_new(1, sizeof *ending);
        ending->text = text;
        HASH_ADD_KEYPTR(hh, *endings, ending->text, strlen(ending->text), ending);
    }
    struct diff_file **whose = file->in_old ? &ending->old_file : &ending->new_file;
    ending->many = ending->many || *whose != NULL;
    *whose = file;
}

/* Finds what a moved file is now, by the longest endings first. */
static void pair_files(struct diffing *d) {
    enum { MOST_PARTS = 6 };
    for (unsigned parts = MOST_PARTS; parts > 0; parts--) {
        struct diff_ending *endings = NULL, *ending, *next;
        for (struct diff_file *file = d->files; file != NULL; file = file->hh.next) {
            const char *text = is_alone(file) ? ending_of(file->path, parts) : NULL;
            if (text != NULL)
                note_ending(&endings, file, text);
        }
        HASH_ITER(hh, endings, ending, next) {
            if (!ending->many && ending->old_file != NULL && ending->new_file != NULL) {
                ending->old_file->like = ending->new_file;
                ending->new_file->like = ending->new_file;
            }
            HASH_DEL(endings, ending);
            free(ending);
        }
    }
}

/* The number of a place in the new tree. */
static uint32_t number_of(struct diffing *d, const struct vbt_source_place *place) {
    const struct diff_file *file = file_of(d, place->file);
    char *key = vbt_text("%d\n%s\n%s", place->kind, place->function, file->like != NULL ? file->like->path : file->path);
    struct diff_place *known;
    HASH_FIND_STR(d->places, key, known);
    if (known != NULL) {
        free(key);
        return known->number;
    }
    struct vbt_call_tree *diff = d->diff;
    known = vbt_new(1, sizeof *known);
    known->key = key;
    known->number = (uint32_t)diff->place_count;
    HASH_ADD_KEYPTR(hh, d->places, known->key, strlen(known->key), known);
    diff->places = vbt_grow(diff->places, &diff->place_capacity, diff->place_count + 1, sizeof(void *));
    diff->places[diff->place_count++] = place;
    return known->number;
}

/* Counts the calls of a run. */
static void add_tree(struct diffing *d, const struct vbt_call_tree *tree, enum vbt_measure measure, enum vbt_measure whose) {
    struct vbt_call_tree *diff = d->diff;
    uint32_t *calls = vbt_new(tree->count, sizeof *calls), *places = vbt_new(tree->place_count, sizeof *places);
    for (size_t i = 1; i < tree->place_count; i++)
        places[i] = number_of(d, tree->places[i]);
    for (uint32_t i = 0; i < tree->count; i++) {
        struct vbt_call call = tree->calls[i];
        call.parent = calls[call.parent];
        call.place = places[call.place];
        calls[i] = i > 0 ? vbt_call_children_put(&d->children, diff, call) : 0;
        uint32_t *row = &diff->calls[calls[i]].counts;
        struct vbt_measures counts = vbt_measures_of(&diff->counts, *row);
        counts.of[whose] = (int64_t)((uint64_t)counts.of[whose] + (uint64_t)vbt_call_self_of(tree, i, measure));
        if (counts.of[whose] != 0)
            *row = vbt_measures_put(&diff->counts, *row, &counts);
    }
    free(calls);
    free(places);
}

/* Stores the larger of both at each call, and the totals. */
static void count_larger(struct vbt_call_tree *diff, enum vbt_measure measure) {
    for (size_t i = 0; i < diff->count; i++) {
        uint32_t *row = &diff->calls[i].counts;
        struct vbt_measures counts = vbt_measures_of(&diff->counts, *row);
        int64_t before = counts.of[VBT_DIFF_BEFORE], after = counts.of[VBT_DIFF_AFTER];
        counts.of[measure] = before > after ? before : after;
        if (*row != 0)
            *row = vbt_measures_put(&diff->counts, *row, &counts);
        diff->counted += *row != 0;
        for (int of = 0; of < VBT_MEASURES; of++)
            if (__builtin_add_overflow(diff->totals[of], counts.of[of], &diff->totals[of]))
                diff->totals[of] = INT64_MAX;
    }
}

static void free_tables(struct diffing *d) {
    struct diff_file *file, *next_file;
    struct diff_place *place, *next_place;
    HASH_ITER(hh, d->files, file, next_file) {
        HASH_DEL(d->files, file);
        free(file);
    }
    HASH_ITER(hh, d->places, place, next_place) {
        HASH_DEL(d->places, place);
        free(place->key);
        free(place);
    }
}

void vbt_call_tree_diff(struct vbt_call_tree *diff, const struct vbt_call_tree *old_tree, const struct vbt_call_tree *new_tree,
                        enum vbt_measure measure) {
    struct diffing d = {.diff = diff};
    *diff = (struct vbt_call_tree){.place_count = 1, .count = 1};
    diff->calls = vbt_grow(NULL, &diff->capacity, 1, sizeof *diff->calls);
    diff->calls[0] = (struct vbt_call){0};
    diff->places = vbt_grow(NULL, &diff->place_capacity, 1, sizeof(void *));
    diff->places[0] = NULL;
    vbt_packed_begin(&diff->counts);
    vbt_call_children_begin(&d.children, diff, new_tree->count);
    list_files(&d, old_tree, false);
    list_files(&d, new_tree, true);
    pair_files(&d);
    add_tree(&d, new_tree, measure, VBT_DIFF_AFTER);
    add_tree(&d, old_tree, measure, VBT_DIFF_BEFORE);
    count_larger(diff, measure);
    vbt_call_children_free(&d.children);
    free_tables(&d);
}
