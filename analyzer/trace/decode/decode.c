/* See decode.h. */
#include "decode.h"

#include "decode_counters.h"
#include "decode_definitions.h"
#include "decode_intervals.h"
#include "decode_lines.h"
#include "decode_maps.h"
#include "decode_names.h"
#include "decode_process.h"
#include "decode_processes.h"
#include "decode_threads.h"
#include "decode_ticks.h"
#include "analyzer/trace/counters.h"
#include "format/chunk_kinds.h"

char *vbt_decode(struct vbt_model *model, const struct vbt_chunk *chunk) {
    static char *(*const decoders[VBT_CHUNK_KINDS])(struct vbt_payload *) = {
        [VBT_CHUNK_PROCESS] = vbt_decode_process,
        [VBT_CHUNK_STRINGS] = vbt_decode_strings,
        [VBT_CHUNK_CODES] = vbt_decode_codes,
        [VBT_CHUNK_SITES] = vbt_decode_sites,
        [VBT_CHUNK_NODES] = vbt_decode_nodes,
        [VBT_CHUNK_MODULES] = vbt_decode_modules,
        [VBT_CHUNK_STATE] = vbt_decode_state,
        [VBT_CHUNK_COUNTERS] = vbt_decode_counters,
        [VBT_CHUNK_INTERVALS] = vbt_decode_intervals,
        [VBT_CHUNK_INTERVAL_SITES] = vbt_decode_interval_sites,
        [VBT_CHUNK_TIMELINE] = vbt_decode_timeline,
        [VBT_CHUNK_END] = vbt_decode_end,
        [VBT_CHUNK_FRAMES] = vbt_decode_frames,
        [VBT_CHUNK_SOURCES] = vbt_decode_sources,
        [VBT_CHUNK_THREADS] = vbt_decode_threads,
        [VBT_CHUNK_THREAD_COUNTERS] = vbt_decode_thread_counters,
        [VBT_CHUNK_PROCESSES] = vbt_decode_processes,
        [VBT_CHUNK_PROCESS_TICKS] = vbt_decode_process_ticks,
        [VBT_CHUNK_PROCESS_COUNTERS] = vbt_decode_process_counters,
        [VBT_CHUNK_LINES] = vbt_decode_lines,
        [VBT_CHUNK_MAPS] = vbt_decode_maps,
        [VBT_CHUNK_SECTION_TIMES] = vbt_decode_section_times,
    };
    struct vbt_payload payload = {
        .model = model,
        .r = {.at = chunk->raw, .end = chunk->raw + chunk->header.raw_size, .bad = false},
        .chunk = vbt_chunk_name((int)chunk->header.kind),
    };
    return decoders[chunk->header.kind](&payload);
}

void vbt_decode_begin(struct vbt_model *m) {
    vbt_decode_definitions_begin(m);
    vbt_counters_begin(m);
}

void vbt_decode_finish(struct vbt_model *m) {
    vbt_decode_threads_finish(m);
    vbt_decode_ticks_finish(m);
    vbt_decode_intervals_finish(m);
    vbt_decode_processes_finish(m);
}
