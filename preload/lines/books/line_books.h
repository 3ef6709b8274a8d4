/* Line mode: what each execution of a chosen line cost.
 *
 * Whoever hears of line events (line_trace.c, line_monitoring.c) tells of functions that begin and end and of lines that begin. A line's
 * execution lasts from its event to the next one in the same function call. What a function that it calls does
 * meanwhile counts as `called`, everything else as its `own`; so own + called is the whole. Where a line waits for
 * a call that executes the same line again (recursion), the inner execution is part of the outer one's whole and is
 * not added to it a second time. A line that yields goes on in the next part of the same execution; a function's entry belongs to its
 * first line where both are the same.
 *
 * Records belong to one thread each and have a single writer; the stream's thread reads them. The costs are differences
 * of the ledger's totals, less what the measuring itself makes the interpreter allocate (vbt_tree.line_node). */
#ifndef VBT_LINE_BOOKS_H
#define VBT_LINE_BOOKS_H

#include "preload/base/memory.h"
#include "preload/ledger/counters.h"
#include "preload/ledger/watcher.h"
#include "line_clock.h"
#include "line_records.h"
#include "line_sums.h"

struct vbt_thread;

/* A call of chosen code that is under way. */
struct vbt_line_frame {
    const void *frame; /* what the interpreter knows it by */
    struct vbt_line_block *block;
    struct vbt_line *line;     /* that is executed now; NULL: outside the known ones */
    uint64_t count;            /* events of the ledger when the line began; VBT_LINE_NO_COUNT: its end is to be settled with care */
    struct vbt_line_sums mark; /* when the line began */
    struct vbt_line_sums entry;     /* when the call began */
    struct vbt_line_sums leaving;   /* when it called code that is not chosen, while that runs */
    struct vbt_line_sums called;    /* by calls since the line began */
    struct vbt_line_sums silent[2]; /* as the thread's was when the call, and when the line began */
    int64_t floor;                  /* the lowest `high` of the lines that wait below */
    int64_t carried;                /* by how much the heap changed in earlier parts of the line's execution */
    bool entering;                  /* no line has begun yet, and the first may be that of the entry */
    bool has_called;
    uint32_t outside; /* of the thread, when the call began */
};

#define VBT_LINE_NO_COUNT UINT64_MAX

enum { VBT_LINE_FRAMES = 1 << 16, VBT_LINE_CACHE = 2048, VBT_LINE_RESUMED = 1024 };

/* Of one thread; made at its first line event. */
struct vbt_line_thread {
    const void *fast_frame;     /* as running, where vbt_line_begin_fast may do; else NULL */
    const void *running;        /* the frame of top; NULL: it waits for code that is not chosen */
    struct vbt_line_frame *top; /* frames[0], whose frame is NULL, where no chosen code runs */
    uint32_t outside;           /* calls of code that is not chosen, above top */
    int64_t events;
    int64_t held;                /* ticks that are in no line's time */
    int64_t objects;             /* created, see vbt_line_objects */
    int64_t rss_live;            /* live bytes when the resident set was last read */
    struct vbt_line_sums silent; /* what functions did that nobody hears of, called by running ones; no times */
    const void *noted;           /* the latest block in there */
    int64_t noted_size;
    const void *recent[4]; /* the latest blocks, where vbt_line_note_alloc hears of each */
    struct {
        const void *block;
        uint64_t allocs;
    } last; /* up to Python 3.11: the latest block, and how many there had been, when a frame of chosen code began or any ended */
    struct {
        const void *frame, *exception, *traceback;
        int64_t events;
    } closed; /* up to Python 3.11: the generator that was told to end, and how many events there had been */
    const struct vbt_counters *measuring; /* of vbt_tree.line_node */
    struct vbt_ledger *ledger;
    struct {
        uintptr_t code;
        uint32_t generation;
        struct vbt_line_block *block; /* NULL: not chosen */
    } cache[VBT_LINE_CACHE];          /* of code objects */
    struct vbt_line_yielded {
        const void *frame;
        struct vbt_line_block *block;
        struct vbt_line *line;
        int64_t carried;
    } yielded[VBT_LINE_RESUMED];    /* the line that a generator's frame stopped in */
    uint32_t roots;                 /* evaluations of frames under way that nobody called; more than one: stacks are switched */
    bool switches;                  /* they were, in this thread */
    bool withdrawn;                 /* somebody set or took away a trace function, which may be gone by now */
    struct vbt_line_block **blocks; /* by index of the code */
    struct vbt_line_frame *frames;  /* VBT_LINE_FRAMES */
    struct vbt_watcher watcher;     /* of the ledger */
};

static inline struct vbt_line_thread *vbt_line_thread_of(struct vbt_watcher *watcher) {
    return (struct vbt_line_thread *)((char *)watcher - offsetof(struct vbt_line_thread, watcher));
}

/* The clock is that of the processor, and nobody else wants to know of each event: vbt_line_begin_fast may do. Does not change once there
 * were events. */
extern bool vbt_line_fast_enabled;

/* Once. */
void vbt_line_books_init(void);

/* What objects are counted. */
extern enum vbt_objects vbt_line_objects;

/* What telling of one event costs a line, in picoseconds; 0: not measured. */
extern int64_t vbt_line_event_cost;

/* What a call of chosen code costs besides its events, in ticks: is in no line's time. */
extern int64_t vbt_line_call_cost;

/* The calling thread's state, made where it is missing; NULL when there is no memory. */
struct vbt_line_thread *vbt_line_thread(struct vbt_thread *thread);

/* The thread's records of a chosen code, made where they are missing; NULL if there is no memory. */
static inline struct vbt_line_block *vbt_line_block(struct vbt_line_thread *lines, uint32_t index) {
    return vbt_line_block_make(lines->blocks, index, lines->ledger);
}

/* Chosen code begins in a frame, in this line. block NULL: code that is not chosen. */
void vbt_line_enter(struct vbt_line_thread *lines, const void *frame, struct vbt_line_block *block, int32_t line);

/* The same where it goes on, in the line where vbt_line_yield was last; if that is not known any more, in this one. */
void vbt_line_resume(struct vbt_line_thread *lines, const void *frame, struct vbt_line_block *block, int32_t line);

/* Is it known where a call of the block's code in this frame yielded? */
bool vbt_line_has_yielded(const struct vbt_line_thread *lines, const void *frame, const struct vbt_line_block *block);

/* A line begins in the frame, which is the innermost that was entered (see vbt_line_is_top), and vbt_line_begin_fast did not do. */
void vbt_line_begin_slow(struct vbt_line_thread *lines, const void *frame, int32_t line);

/* The same after VBT_LINE_CHANGED of vbt_line_begin_fast, with what that found. */
void vbt_line_begin_changed(struct vbt_line_thread *lines, const void *frame, int32_t line, struct vbt_line *next, uint64_t count);

/* The frame is left: it returned, or was left by an exception. */
void vbt_line_leave(struct vbt_line_thread *lines, const void *frame);

/* The same where it yields, amid the execution of a line. */
void vbt_line_yield(struct vbt_line_thread *lines, const void *frame);

/* The innermost call of chosen code is this frame's, and it runs. */
static inline bool vbt_line_is_top(const struct vbt_line_thread *lines, const void *frame) { return lines->running == frame; }

/* What happened on the thread since `before` (of vbt_line_now) was none of the program's doing. */
struct vbt_line_sums vbt_line_now(const struct vbt_line_thread *lines);
void vbt_line_forget_since(struct vbt_line_thread *lines, const struct vbt_line_sums *before);

/* The process ends: the calls that are under way end now. */
void vbt_line_finish(struct vbt_line_thread *lines);

/* No call is under way: another thread goes on with this state, or line events have come to a stop for a while. */
void vbt_line_reset(struct vbt_line_thread *lines);

/* In the child of a fork: all records start at 0, the calls of the calling thread go on. */
void vbt_line_books_after_fork(void);

#endif
