/* The processes of a merged trace, and what they have in common. See merging.h. */
#include "merging.h"

#include "process_list.h"
#include "timelines.h"
#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

static uint32_t add_row(struct vbt_model *sum, struct vbt_model *row) {
    size_t capacity = sum->process_capacity;
    sum->processes = vbt_grow(sum->processes, &capacity, sum->process_rows + 1, sizeof *sum->processes);
    sum->process_capacity = capacity;
    sum->processes[sum->process_rows] = *row;
    return (uint32_t)sum->process_rows++;
}

/* Moves what a row of the table has out of a trace. */
static struct vbt_model take_row(struct vbt_model *from) {
    struct vbt_model row = {
        .path = from->path,
        .process = from->process,
        .process_text = from->process_text,
        .process_count = from->process_count,
        .has_state = from->has_state,
        .has_maps = from->has_maps,
        .taken = from->taken,
        .ticks = from->ticks,
        .ended = from->ended,
        .end_reason = from->end_reason,
        .end_time = from->end_time,
        .damage = from->damage,
        .damage_offset = from->damage_offset,
    };
    memcpy(row.state, from->state, sizeof row.state);
    memcpy(row.maps, from->maps, sizeof row.maps);
    from->process = NULL;
    from->process_text = NULL;
    from->process_count = 0;
    from->ticks = (struct vbt_model_ticks){0};
    from->end_reason = NULL;
    from->damage = NULL;
    return row;
}

void vbt_merging_add_processes(struct vbt_merging *g, struct vbt_translation *t, struct vbt_model *from, const bool *keep) {
    if (from->process_rows == 0) {
        struct vbt_model row = take_row(from);
        t->processes[0] = add_row(&g->sum, &row);
        return;
    }
    for (size_t i = 0; i < from->process_rows; i++)
        if (keep == NULL || keep[i]) {
            struct vbt_model row = take_row(&from->processes[i]);
            row.path = from->path;
            t->processes[i] = add_row(&g->sum, &row);
        }
}

/* Adds up the totals of a process. */
static void add_totals(struct vbt_model *sum, const struct vbt_model *row) {
    static const int largest[] = {VBT_STATE_OBJECTS, VBT_STATE_LIMITED_TIME};
    int64_t *to = sum->state, kept[VBT_STATE_KEYS];
    memcpy(kept, to, sizeof kept);
    for (int key = 0; key < VBT_STATE_KEYS; key++)
        to[key] = plus(to[key], row->state[key]);
    for (size_t i = 0; i < sizeof largest / sizeof *largest; i++)
        to[largest[i]] = row->state[largest[i]] > kept[largest[i]] ? row->state[largest[i]] : kept[largest[i]];
    to[VBT_STATE_LINE_EVENT_COST] = 0; /* it is off the times */
    to[VBT_STATE_DETAILS] = 0;         /* a sum has one state */
    to[VBT_STATE_PEAK] = plus(kept[VBT_STATE_PEAK], vbt_process_peak(row));
    for (int i = 0; i < VBT_DOMAINS; i++) {
        int64_t *fields = &to[VBT_STATE_DOMAIN + 16 * i];
        fields[VBT_FIELD_INHERITED_BLOCKS] = plus(fields[VBT_FIELD_INHERITED_BLOCKS], (int64_t)-row->taken.blocks[i]);
        fields[VBT_FIELD_INHERITED_BYTES] = plus(fields[VBT_FIELD_INHERITED_BYTES], (int64_t)-row->taken.bytes[i]);
    }
    for (int kind = 0; kind < VBT_MAP_KINDS; kind++)
        for (int field = 0; field < VBT_FIELDS; field++)
            sum->maps[kind][field] += row->maps[kind][field];
    sum->has_state = sum->has_state || row->has_state;
    sum->has_maps = sum->has_maps || row->has_maps;
}

/* Keys of one process alone, or that are put together in another way. */
static bool is_own(const char *key) {
    static const char *const own[] = {"pid", "ppid", "rank", "started", "note", "source"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(own[i], key) == 0)
            return true;
    return false;
}

/* Do two processes have the same values of a key, in the same order? */
static bool agree(const struct vbt_model *a, const struct vbt_model *b, const char *key) {
    size_t i = 0, j = 0;
    for (;; i++, j++) {
        while (i < a->process_count && strcmp(a->process[i].key, key) != 0)
            i++;
        while (j < b->process_count && strcmp(b->process[j].key, key) != 0)
            j++;
        if (i >= a->process_count || j >= b->process_count)
            return i >= a->process_count && j >= b->process_count;
        if (strcmp(a->process[i].value, b->process[j].value) != 0)
            return false;
    }
}

static bool all_agree(const struct vbt_model *sum, const char *key) {
    for (size_t i = 1; i < sum->process_rows; i++)
        if (!agree(&sum->processes[0], &sum->processes[i], key))
            return false;
    return true;
}

/* The pairs of the sum, while they are collected: strings in one block, one after another. */
struct pair_list {
    char *text;
    size_t size, capacity, count;
};

static void put(struct pair_list *list, const char *text) {
    size_t size = strlen(text) + 1;
    list->text = vbt_grow(list->text, &list->capacity, list->size + size, 1);
    memcpy(list->text + list->size, text, size);
    list->size += size;
}

static void put_pair(struct pair_list *list, const char *key, const char *value) {
    put(list, key);
    put(list, value);
    list->count++;
}

static int by_text(const void *left, const void *right) { return strcmp(*(const char *const *)left, *(const char *const *)right); }

/* All values of a key that any process has, each once. */
static void put_all(struct pair_list *list, const struct vbt_model *sum, const char *key) {
    const char **values = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < sum->process_rows; i++)
        for (size_t k = 0; k < sum->processes[i].process_count; k++)
            if (strcmp(sum->processes[i].process[k].key, key) == 0) {
                values = vbt_grow(values, &capacity, count + 1, sizeof *values);
                values[count++] = sum->processes[i].process[k].value;
            }
    if (count > 0)
        qsort(values, count, sizeof *values, by_text);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(values[i], values[i - 1]) != 0)
            put_pair(list, key, values[i]);
    free(values);
}

static void set_pairs(struct vbt_model *sum, struct pair_list *list) {
    sum->process_text = list->text;
    sum->process = vbt_new(list->count, sizeof *sum->process);
    sum->process_count = list->count;
    char *at = list->text;
    for (size_t i = 0; i < list->count; i++) {
        sum->process[i].key = at;
        at += strlen(at) + 1;
        sum->process[i].value = at;
        at += strlen(at) + 1;
    }
}

/* The end of all: complete only if each is. */
static void set_end(struct vbt_model *sum, uint64_t duration) {
    const struct vbt_model *first = &sum->processes[0];
    bool complete = true, alike = true;
    for (size_t i = 0; i < sum->process_rows; i++) {
        const struct vbt_model *row = &sum->processes[i];
        complete = complete && vbt_model_complete(row);
        alike = alike && row->end_reason != NULL && first->end_reason != NULL && strcmp(row->end_reason, first->end_reason) == 0;
    }
    sum->ended = complete;
    sum->end_time = duration;
    const char *reason = alike ? first->end_reason : "several";
    sum->end_reason = complete ? vbt_copy(reason, strlen(reason)) : NULL;
}

void vbt_merging_describe(struct vbt_merging *g) {
    struct vbt_model *sum = &g->sum;
    struct pair_list list = {0};
    const struct vbt_model *first = &sum->processes[0];
    const char *last = "";
    for (size_t i = 0; i < sum->process_rows; i++)
        add_totals(sum, &sum->processes[i]);
    struct vbt_timelines timelines;
    vbt_timelines_lay(&timelines, sum);
    char *started = vbt_text("%lld", (long long)timelines.started);
    if (timelines.started != 0)
        put_pair(&list, "started", started);
    free(started);
    for (size_t i = 0; i < first->process_count; i++) {
        const char *key = first->process[i].key;
        if (is_own(key))
            continue;
        bool again = strcmp(key, last) == 0; /* values of a key that repeats stand together, and were compared */
        if (again || all_agree(sum, key))
            put_pair(&list, key, first->process[i].value);
        if (!again && !all_agree(sum, key))
            continue;
        last = key;
    }
    put_all(&list, sum, "note");
    put_all(&list, sum, "source");
    set_pairs(sum, &list);
    set_end(sum, timelines.duration);
    sum->state[VBT_STATE_TIME] = (int64_t)timelines.duration;
    sum->state[VBT_STATE_PEAK_TIME] = (int64_t)timelines.together.time;
    sum->together = timelines.together;
    sum->ticks = timelines.sum;
}
