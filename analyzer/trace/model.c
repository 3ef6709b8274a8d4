/* See model.h. */
#include "model.h"

#include "trace_file.h"
#include "analyzer/base/allocate.h"
#include "analyzer/trace/decode/decode.h"

#include <stdlib.h>
#include <string.h>

static void count_chunk(struct vbt_model *model, const struct vbt_chunk *chunk) {
    struct vbt_chunk_sums *sums = &model->chunks[chunk->raw != NULL ? (int)chunk->header.kind : 0];
    sums->count++;
    sums->stored += VBT_CHUNK_HEADER_SIZE + chunk->header.stored_size;
    sums->raw += chunk->header.raw_size;
}

char *vbt_model_load(struct vbt_model *model, const char *path, bool with_sizes) {
    memset(model, 0, sizeof *model);
    model->path = path;
    model->with_sizes = with_sizes;
    vbt_decode_begin(model);

    struct vbt_trace_file file;
    char *problem = vbt_trace_open(&file, path);
    if (problem == NULL) {
        bool usable = false;
        struct vbt_chunk chunk;
        while (model->damage == NULL && vbt_trace_next(&file, &chunk)) {
            model->ended = false;
            if (chunk.raw != NULL) {
                model->damage = vbt_decode(model, &chunk);
                model->damage_offset = chunk.offset;
            }
            if (model->damage == NULL) {
                usable = usable || chunk.raw != NULL;
                count_chunk(model, &chunk);
                model->file_bytes = file.offset;
            }
        }
        if (model->damage == NULL && file.damage != NULL) {
            model->damage = file.damage;
            model->damage_offset = file.damage_offset;
            file.damage = NULL;
        }
        if (!usable)
            problem = model->damage == NULL ? vbt_text("has no chunk that can be used")
                                            : vbt_text("byte %llu: %s; nothing comes before it",
                                                       (unsigned long long)model->damage_offset, model->damage);
    }
    vbt_decode_finish(model);
    vbt_trace_close(&file);
    return problem;
}

void vbt_model_free(struct vbt_model *model) {
    for (size_t i = 0; i < model->module_count; i++)
        free(model->modules[i].path);
    for (size_t i = 0; i < model->counters_count; i++)
        free(model->counters[i].sizes);
    free(model->process);
    free(model->process_text);
    free(model->string_at);
    free(model->text);
    free(model->codes);
    free(model->sites);
    free(model->nodes);
    free(model->modules);
    free(model->module_by_id);
    free(model->named_sites);
    free(model->named_frames);
    free(model->source_rows);
    free(model->source_text);
    free(model->counters);
    free(model->scratch);
    vbt_threads_free(model->threads, model->thread_count);
    free(model->node_parts);
    free(model->parts);
    free(model->line_counts);
    free(model->line_of_site);
    free(model->ticks.rows);
    free(model->thinned.rows);
    free(model->intervals);
    free(model->interval_sites);
    free(model->end_reason);
    free(model->damage);
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
    return model->end_reason != NULL && model->end_time > last ? model->end_time : last;
}

void vbt_threads_free(struct vbt_thread *threads, size_t count) {
    for (size_t i = 1; i <= count; i++)
        free(threads[i].name);
    free(threads);
}

static const char *const chunk_names[VBT_CHUNK_KINDS] = {
    [VBT_CHUNK_PROCESS] = "PROCESS",     [VBT_CHUNK_STRINGS] = "STRINGS",
    [VBT_CHUNK_CODES] = "CODES",         [VBT_CHUNK_SITES] = "SITES",
    [VBT_CHUNK_NODES] = "NODES",         [VBT_CHUNK_MODULES] = "MODULES",
    [VBT_CHUNK_STATE] = "STATE",         [VBT_CHUNK_COUNTERS] = "COUNTERS",
    [VBT_CHUNK_INTERVALS] = "INTERVALS", [VBT_CHUNK_INTERVAL_SITES] = "INTERVAL_SITES",
    [VBT_CHUNK_TIMELINE] = "TIMELINE",   [VBT_CHUNK_END] = "END",
    [VBT_CHUNK_FRAMES] = "FRAMES",       [VBT_CHUNK_SOURCES] = "SOURCES",
    [VBT_CHUNK_LINES] = "LINES",         [VBT_CHUNK_MAPS] = "MAPS",
    [VBT_CHUNK_THREADS] = "THREADS",     [VBT_CHUNK_THREAD_COUNTERS] = "THREAD_COUNTERS",
};

bool vbt_chunk_is_known(int kind) { return kind > 0 && kind < VBT_CHUNK_KINDS && chunk_names[kind] != NULL; }

const char *vbt_chunk_name(int kind) { return vbt_chunk_is_known(kind) ? chunk_names[kind] : "unknown"; }
