/* See chunk_kinds.h. */
#include "chunk_kinds.h"

#include <stddef.h>

static const char *const chunk_names[VBT_CHUNK_KINDS] = {
    [VBT_CHUNK_PROCESS] = "PROCESS",
    [VBT_CHUNK_STRINGS] = "STRINGS",
    [VBT_CHUNK_CODES] = "CODES",
    [VBT_CHUNK_SITES] = "SITES",
    [VBT_CHUNK_NODES] = "NODES",
    [VBT_CHUNK_MODULES] = "MODULES",
    [VBT_CHUNK_STATE] = "STATE",
    [VBT_CHUNK_COUNTERS] = "COUNTERS",
    [VBT_CHUNK_INTERVALS] = "INTERVALS",
    [VBT_CHUNK_INTERVAL_SITES] = "INTERVAL_SITES",
    [VBT_CHUNK_TIMELINE] = "TIMELINE",
    [VBT_CHUNK_END] = "END",
    [VBT_CHUNK_FRAMES] = "FRAMES",
    [VBT_CHUNK_SOURCES] = "SOURCES",
    [VBT_CHUNK_LINES] = "LINES",
    [VBT_CHUNK_MAPS] = "MAPS",
    [VBT_CHUNK_PROCESSES] = "PROCESSES",
    [VBT_CHUNK_PROCESS_TICKS] = "PROCESS_TICKS",
    [VBT_CHUNK_PROCESS_COUNTERS] = "PROCESS_COUNTERS",
    [VBT_CHUNK_SECTION_TIMES] = "SECTION_TIMES",
    [VBT_CHUNK_THREADS] = "THREADS",
    [VBT_CHUNK_THREAD_COUNTERS] = "THREAD_COUNTERS",
};

bool vbt_chunk_is_known(int kind) { return kind > 0 && kind < VBT_CHUNK_KINDS && chunk_names[kind] != NULL; }

const char *vbt_chunk_name(int kind) { return vbt_chunk_is_known(kind) ? chunk_names[kind] : "unknown"; }
