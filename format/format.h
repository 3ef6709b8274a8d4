/* The numbers of the trace file. FORMAT.md says what they mean; this file only names them. */
#ifndef VBT_FORMAT_H
#define VBT_FORMAT_H

#include <stdint.h>

#define VBT_FILE_MAGIC "\x93VBT\r\n\x1a\n"
#define VBT_FILE_VERSION 1
#define VBT_FILE_HEADER_SIZE 16
#define VBT_CHUNK_MAGIC "VBTC"
#define VBT_CHUNK_HEADER_SIZE 32
#define VBT_CHUNK_RAW_MAX (1u << 20)
/* The most that zstd can make of VBT_CHUNK_RAW_MAX bytes, rounded up. */
#define VBT_CHUNK_STORED_MAX (VBT_CHUNK_RAW_MAX + (VBT_CHUNK_RAW_MAX >> 7) + 1024)

/* How much all chunks of a file together may unpack to: so many bytes, plus so many times what is
 * stored. Most traces unpack to less than ten times their size. A deep recursion is a long chain of
 * nodes that are all alike: hundreds of times. A file that unpacks to ten thousand times its size
 * was made to exhaust its reader. */
#define VBT_UNPACKED_MIN (8u << 20)
#define VBT_UNPACKED_RATIO 1000u

/* The reader cuts longer names and paths: no path is longer, and no person reads more. */
#define VBT_NAME_MAX (16u << 10)

/* The reader cuts longer build ids; the library takes none. In bytes. */
#define VBT_BUILD_ID_MAX 32

/* The most frames of a native site: a function and those inlined into it. */
#define VBT_FRAMES_MAX 256

/* The most that a file may hold in all its chunks. More is damage: it was made to exhaust its
 * reader. The library keeps to it, and counts as lost what would go beyond. The ledger keeps a
 * node's id in 26 bits. */
#define VBT_MAX_STRINGS (1u << 24)
#define VBT_MAX_TEXT (1u << 29)
#define VBT_MAX_CODES (1u << 24)
#define VBT_MAX_SITES (1u << 24)
#define VBT_MAX_NODES (1u << 26)
#define VBT_MAX_MODULES (1u << 20)
#define VBT_MAX_INTERVALS (1u << 20)
#define VBT_MAX_INTERVAL_SITES (1u << 24)
#define VBT_MAX_TICKS (1u << 24)
#define VBT_MAX_FRAMES (1u << 24)
#define VBT_MAX_SOURCES (1u << 24)
#define VBT_MAX_MAP_ROWS (1u << 10)
#define VBT_MAX_THREADS (1u << 12)
#define VBT_MAX_PARTS (1u << 26)
#define VBT_MAX_PROCESSES (1u << 14)
#define VBT_MAX_SECTIONS (1u << 16)
#define VBT_MAX_SECTION_RUNS (1u << 20)

enum vbt_chunk_kind {
    VBT_CHUNK_PROCESS = 1,
    VBT_CHUNK_STRINGS,
    VBT_CHUNK_CODES,
    VBT_CHUNK_SITES,
    VBT_CHUNK_NODES,
    VBT_CHUNK_MODULES,
    VBT_CHUNK_STATE,
    VBT_CHUNK_COUNTERS,
    VBT_CHUNK_INTERVALS,
    VBT_CHUNK_INTERVAL_SITES,
    VBT_CHUNK_TIMELINE,
    VBT_CHUNK_END,
    VBT_CHUNK_FRAMES,
    VBT_CHUNK_SOURCES,
    VBT_CHUNK_LINES,
    VBT_CHUNK_MAPS,
    VBT_CHUNK_THREADS = 17,
    VBT_CHUNK_THREAD_COUNTERS = 19,
    VBT_CHUNK_PROCESSES,
    VBT_CHUNK_PROCESS_TICKS,
    VBT_CHUNK_PROCESS_COUNTERS,
    VBT_CHUNK_SECTION_TIMES,
    VBT_CHUNK_KINDS /* above every kind of this version */
};

enum vbt_code_flag { VBT_CODE_USER = 1, VBT_CODE_OWN = 2 };

enum vbt_site_kind { VBT_SITE_PYTHON, VBT_SITE_NATIVE, VBT_SITE_SPECIAL };

/* What has become of the file that native code was loaded from. */
enum vbt_binary_state { VBT_BINARY_SAME, VBT_BINARY_NEWER, VBT_BINARY_GONE, VBT_BINARY_REPLACED, VBT_BINARY_STATES };

enum vbt_domain { VBT_DOMAIN_HEAP, VBT_DOMAIN_PYTHON, VBT_DOMAIN_MAP, VBT_DOMAINS };

/* The purpose of a mapping in the map domain. */
enum vbt_map_kind {
    VBT_MAP_ANONYMOUS, /* the program's own memory */
    VBT_MAP_FILE,
    VBT_MAP_ARENA, /* mapped by an allocator or interpreter, which serves blocks from it */
    VBT_MAP_KINDS,
};

/* What the pages of a resident set are used for. */
enum vbt_resident_class {
    VBT_RESIDENT_HEAP,      /* where allocators keep their blocks */
    VBT_RESIDENT_ANONYMOUS, /* mappings of the program */
    VBT_RESIDENT_FILE,      /* files that the program mapped */
    VBT_RESIDENT_STACK,
    VBT_RESIDENT_PROGRAM, /* code and data of the program and its libraries; other files mapped by libc */
    VBT_RESIDENT_OURS,    /* vbtrace */
    VBT_RESIDENT_UNKNOWN,
    VBT_RESIDENT_CLASSES,
};

/* When a resident set was broken down. */
enum vbt_resident_time { VBT_RESIDENT_LATEST, VBT_RESIDENT_HIGHEST, VBT_RESIDENT_TIMES };

enum vbt_domain_field {
    VBT_FIELD_ALLOCS,
    VBT_FIELD_FREES,
    VBT_FIELD_ALLOCATED,
    VBT_FIELD_FREED,
    VBT_FIELD_TEMPORARY,
    VBT_FIELD_INHERITED_BLOCKS,
    VBT_FIELD_INHERITED_BYTES,
    VBT_FIELDS,
};

enum vbt_state {
    VBT_STATE_TIME = 1,
    VBT_STATE_RSS,
    VBT_STATE_MAX_RSS,
    VBT_STATE_THREADS,
    VBT_STATE_PEAK,
    VBT_STATE_PEAK_ERROR,
    VBT_STATE_PEAK_TIME,
    VBT_STATE_DOMAIN = 16,        /* + 16 * domain + field */
    VBT_STATE_LOST = 64,          /* + enum vbt_lost */
    VBT_STATE_UNKNOWN_FREES = 80, /* + domain */
    VBT_STATE_STACKS_CAPTURED = 90,
    VBT_STATE_STACKS_TRUNCATED = 91,
    VBT_STATE_VERIFY_COMPARED = 92,
    VBT_STATE_VERIFY_DIFFERENT = 93,
    VBT_STATE_MAPS_PEAK = 100,
    VBT_STATE_MAPS_HELD = 101,
    VBT_STATE_LINE_EVENT_COST = 110, /* picoseconds */
    VBT_STATE_OBJECTS = 111,         /* enum vbt_objects */
    VBT_STATE_PAUSES = 116,
    VBT_STATE_PAUSED_TIME = 117,
    VBT_STATE_LIMITED_TIME = 118,
    VBT_STATE_SHUTDOWN_TIME = 119,
    VBT_STATE_DETAILS = 120, /* bits of enum vbt_detail */
    VBT_STATE_KEYS = 128     /* above every key of this version */
};

/* Why an event did not reach the ledger, or a detail did not reach the file. */
enum vbt_lost {
    VBT_LOST_SIGNAL,         /* allocation or clock reading in a signal handler that interrupted vbtrace's bookkeeping */
    VBT_LOST_NODES,          /* no room for a call path: counted at [lost call path] */
    VBT_LOST_ADDRESS,        /* block at an address or alignment the shadow cannot hold */
    VBT_LOST_MEMORY,         /* no memory for vbtrace's own tables */
    VBT_LOST_WRITE,          /* bytes of trace that could not be written */
    VBT_LOST_INTERVALS,      /* intervals or sections not recorded: too many groups, or nested too deeply */
    VBT_LOST_INTERVAL_SITES, /* call sites missing from the breakdown of an interval */
    VBT_LOST_BUSY,           /* threads that were inside an allocation when the trace ended */
    VBT_LOST_LINES,          /* calls of chosen functions that line mode could not follow: nested too deeply */
    VBT_LOST_MAPS,           /* mappings unknown to a child that was forked during another thread's mmap or munmap */
    VBT_LOST_KINDS,
};

/* Which objects are counted separately from allocations: all that are created, or those that
 * Python's object allocator serves. */
enum vbt_objects { VBT_OBJECTS_NONE, VBT_OBJECTS_ALL, VBT_OBJECTS_SERVED };

/* What was written before each state as far as it had changed, not for the newest alone: bits. */
enum vbt_detail { VBT_DETAIL_THREADS, VBT_DETAIL_INTERVALS, VBT_DETAIL_LINES, VBT_DETAIL_MAPS, VBT_DETAIL_KINDS };
enum { VBT_ALL_DETAILS = (1 << VBT_DETAIL_KINDS) - 1 };

/* What the trace of a process in PROCESSES had: bits of its flags. */
enum vbt_process_flag { VBT_PROCESS_STATE, VBT_PROCESS_MAPS, VBT_PROCESS_ENDED, VBT_PROCESS_DAMAGED };

enum vbt_interval_kind { VBT_INTERVAL_CLOCK, VBT_INTERVAL_SECTION };

enum vbt_quantity {
    VBT_Q_TIME,
    VBT_Q_ALLOCS,
    VBT_Q_FREES,
    VBT_Q_ALLOCATED,
    VBT_Q_FREED,
    VBT_Q_NET,
    VBT_Q_HIGH,
    VBT_QUANTITIES,
};

/* Histogram buckets: 0 for size 0, else the number of significant bits of the size. */
#define VBT_SIZE_BUCKETS 48

static inline unsigned vbt_size_bucket(uint64_t size) {
    return size >> (VBT_SIZE_BUCKETS - 1) != 0 ? VBT_SIZE_BUCKETS - 1 : 63u ^ (unsigned)__builtin_clzll(2 * size + 1);
}

#endif
