/* See model.h. */
#include "process_shares.h"

#include "changes.h"
#include "counters.h"

#include <stdlib.h>
#include <string.h>

void vbt_model_forget_paths(struct vbt_model *model) {
    for (size_t i = 0; i < model->sizes_count; i++)
        free(model->sizes[i].rows);
    free(model->nodes);
    vbt_packed_free(&model->counters);
    vbt_counters_forget_base(model);
    free(model->counter_chunks);
    free(model->sizes);
    vbt_process_shares_free(model);
    model->nodes = NULL;
    model->counter_chunks = NULL;
    model->sizes = NULL;
    model->node_count = model->node_capacity = model->counted_nodes = 0;
    model->counter_chunk_count = model->counter_chunk_capacity = model->sizes_count = model->sizes_capacity = 0;
}

void vbt_model_free(struct vbt_model *model) {
    vbt_model_forget_paths(model);
    for (size_t i = 0; i < model->module_count; i++)
        free(model->modules[i].path);
    free(model->process);
    free(model->process_text);
    free(model->string_at);
    free(model->text);
    free(model->codes);
    free(model->sites);
    free(model->modules);
    free(model->module_by_id);
    free(model->named_sites);
    free(model->named_frames);
    free(model->source_rows);
    free(model->source_text);
    vbt_model_threads_free(model->threads, model->thread_count);
    free(model->node_parts);
    free(model->parts);
    free(model->line_counts);
    free(model->line_of_site);
    free(model->ticks.rows);
    free(model->thinned.rows);
    free(model->intervals);
    free(model->interval_sites);
    vbt_sections_free(&model->sections);
    for (size_t i = 0; i < model->process_rows; i++)
        vbt_model_free(&model->processes[i]);
    free(model->processes);
    free(model->end_reason);
    free(model->damage);
    free(model->states);
    vbt_changes_free(model->changes);
    memset(model, 0, sizeof *model);
}

const char *vbt_model_process(const struct vbt_model *model, const char *key) {
    for (size_t i = 0; i < model->process_count; i++)
        if (strcmp(model->process[i].key, key) == 0)
            return model->process[i].value;
    return NULL;
}

int64_t vbt_model_process_number(const struct vbt_model *model, const char *key) {
    const char *value = vbt_model_process(model, key);
    return value != NULL ? (int64_t)strtoll(value, NULL, 10) : 0;
}

uint64_t vbt_model_duration(const struct vbt_model *model) {
    uint64_t last = (uint64_t)model->state[VBT_STATE_TIME];
    last = model->window.last > last ? model->window.last : last;
    return model->end_reason != NULL && model->end_time > last ? model->end_time : last;
}

void vbt_model_threads_free(struct vbt_model_thread *threads, size_t count) {
    for (size_t i = 1; i <= count; i++)
        free(threads[i].name);
    free(threads);
}

static int by_id(const void *left, const void *right) {
    const struct vbt_model_interval *a = left, *b = right;
    return a->id < b->id ? -1 : a->id > b->id;
}

const struct vbt_model_interval *vbt_model_interval_of(const struct vbt_model *m, uint64_t id) {
    const struct vbt_model_interval key = {.id = id};
    return m->interval_count > 0 ? bsearch(&key, m->intervals, m->interval_count, sizeof key, by_id) : NULL;
}
