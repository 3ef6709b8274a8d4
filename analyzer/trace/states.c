/* See states.h. */
#include "states.h"

#include "trace_file.h"
#include "analyzer/base/allocate.h"
#include "format/format.h"
#include "format/varint.h"

#include <stdlib.h>
#include <string.h>

static void read_process(struct vbt_states *states, struct vbt_reader *r) {
    static const char started[] = "started";
    for (uint64_t i = vbt_get_varint(r); i > 0 && !r->bad; i--) {
        size_t size, value_size;
        const char *key = vbt_get_string(r, &size), *value = vbt_get_string(r, &value_size);
        if (r->bad || size != sizeof started - 1 || memcmp(key, started, size) != 0)
            continue;
        char *text = vbt_copy(value, value_size);
        states->started = strtoll(text, NULL, 10);
        free(text);
    }
}

static void read_state(struct vbt_states *states, struct vbt_reader *r, uint64_t chunk) {
    struct vbt_state_mark mark = {.chunk = chunk};
    while (r->at < r->end && !r->bad) {
        uint64_t key = vbt_get_varint(r);
        int64_t value = vbt_get_zigzag(r);
        if (key == VBT_STATE_TIME)
            mark.time = (uint64_t)value;
        if (key == VBT_STATE_SHUTDOWN_TIME)
            states->shutdown = (uint64_t)value;
        if (key == VBT_STATE_PEAK_TIME)
            states->peak = (uint64_t)value;
    }
    if (r->bad || (states->count > 0 && mark.time < states->marks[states->count - 1].time))
        return; /* damaged; or of a time that runs backwards, which vbtrace never writes */
    states->marks = vbt_grow(states->marks, &states->capacity, states->count + 1, sizeof *states->marks);
    states->marks[states->count++] = mark;
    states->duration = mark.time > states->duration ? mark.time : states->duration;
}

static void read_chunk(struct vbt_states *states, const struct vbt_chunk *chunk) {
    struct vbt_reader r = {.at = chunk->raw, .end = chunk->raw + chunk->header.raw_size, .bad = false};
    if (chunk->header.kind == VBT_CHUNK_PROCESS) {
        read_process(states, &r);
    } else if (chunk->header.kind == VBT_CHUNK_STATE) {
        read_state(states, &r, chunk->header.sequence);
    } else if (chunk->header.kind == VBT_CHUNK_SECTION_TIMES) {
        free(vbt_sections_read(&states->sections, &r)); /* loading says what is wrong with it */
    } else {                                            /* END */
        uint64_t time = vbt_get_varint(&r);
        states->duration = time > states->duration ? time : states->duration;
    }
}

void vbt_states_read(struct vbt_states *states, const char *path) {
    struct vbt_trace_file file;
    *states = (struct vbt_states){0};
    char *problem = vbt_trace_open(&file, path);
    file.kinds = UINT64_C(1) << VBT_CHUNK_PROCESS | UINT64_C(1) << VBT_CHUNK_STATE | UINT64_C(1) << VBT_CHUNK_END |
                 UINT64_C(1) << VBT_CHUNK_SECTION_TIMES;
    struct vbt_chunk chunk;
    while (problem == NULL && vbt_trace_next(&file, &chunk))
        if (chunk.raw != NULL)
            read_chunk(states, &chunk);
    free(problem);
    vbt_trace_close(&file);
}

void vbt_states_free(struct vbt_states *states) {
    free(states->marks);
    vbt_sections_free(&states->sections);
    *states = (struct vbt_states){0};
}
