/* See load.h. */
#include "load.h"

#include "changes.h"
#include "trace_file.h"
#include "analyzer/base/allocate.h"
#include "analyzer/trace/decode/decode.h"
#include "format/chunk_kinds.h"

#include <string.h>

static void count_chunk(struct vbt_model *model, const struct vbt_chunk *chunk) {
    int kind = (int)chunk->header.kind;
    struct vbt_model_chunk_sums *sums = &model->chunks[vbt_chunk_is_known(kind) ? kind : 0];
    sums->count++;
    sums->stored += VBT_CHUNK_HEADER_SIZE + chunk->header.stored_size;
    sums->raw += chunk->header.raw_size;
}

static char *decode(struct vbt_model *model, const struct vbt_chunk *chunk, const struct vbt_window *window) {
    char *wrong = vbt_window_is_whole(window) ? vbt_decode(model, chunk) : vbt_window_decode(model, chunk, window);
    if (model->changes != NULL && chunk->header.kind == VBT_CHUNK_STATE)
        vbt_changes_settle(model->changes, (uint64_t)model->state[VBT_STATE_TIME]);
    return wrong;
}

/* kinds: see struct vbt_trace_file. */
static char *load(struct vbt_model *model, const char *path, bool with_sizes, uint64_t kinds, const struct vbt_window *window) {
    memset(model, 0, sizeof *model);
    model->path = path;
    model->with_sizes = with_sizes;
    vbt_decode_begin(model);
    model->changes = window->steps != NULL ? vbt_changes_new(window->steps, window->offset) : NULL;

    struct vbt_trace_file file;
    char *problem = vbt_trace_open(&file, path);
    file.kinds = kinds;
    if (problem == NULL) {
        bool usable = false;
        struct vbt_chunk chunk;
        while (model->damage == NULL && vbt_trace_next(&file, &chunk)) {
            model->ended = false;
            if (chunk.raw != NULL) {
                model->damage = decode(model, &chunk, window);
                model->damage_offset = chunk.offset;
            }
            if (model->damage == NULL) {
                usable = usable || vbt_chunk_is_known((int)chunk.header.kind);
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
    if (model->changes != NULL)
        vbt_changes_settle(model->changes, (uint64_t)model->state[VBT_STATE_TIME]);
    vbt_window_finish(model, window);
    vbt_trace_close(&file);
    return problem;
}

char *vbt_model_load(struct vbt_model *model, const char *path, bool with_sizes) {
    return load(model, path, with_sizes, 0, &VBT_WHOLE_RUN);
}

char *vbt_model_load_part(struct vbt_model *model, const char *path, bool with_sizes, const struct vbt_window *window) {
    return load(model, path, with_sizes, 0, window);
}

char *vbt_model_load_brief(struct vbt_model *model, const char *path) {
    static const uint64_t kinds = UINT64_C(1) << VBT_CHUNK_PROCESS | UINT64_C(1) << VBT_CHUNK_STATE |
                                  UINT64_C(1) << VBT_CHUNK_TIMELINE | UINT64_C(1) << VBT_CHUNK_END |
                                  UINT64_C(1) << VBT_CHUNK_PROCESSES | UINT64_C(1) << VBT_CHUNK_SECTION_TIMES;
    return load(model, path, false, kinds, &VBT_WHOLE_RUN);
}
