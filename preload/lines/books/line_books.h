/* Line mode: what each execution of a chosen line cost.
 *
 * The sources of line events (line_trace.c, line_monitoring.c) report functions that begin and end,
 * and lines that begin. A line's execution lasts from its event to the next one in the same
 * function call. What a function does that it calls meanwhile counts as `called`, everything else
 * as its `own`; so own + called is the whole. Where a line waits for a call that executes the same
 * line again (recursion), the inner execution is part of the outer one's whole and is not added a
 * second time. A line that yields resumes with the next part of the same execution. A function's
 * entry belongs to its first line where both are the same.
 *
 * Each record belongs to one thread, its single writer; the stream's thread reads it. The costs are
 * differences of the ledger's totals, without what measuring makes the interpreter allocate
 * (vbt_tree.line_node). */
#ifndef VBT_LINE_BOOKS_H
#define VBT_LINE_BOOKS_H

#include "preload/base/memory.h"
#include "preload/ledger/counters.h"
#include "preload/ledger/watcher.h"
#include "line_clock.h"
#include "line_records.h"
#include "line_sums.h"

struct vbt_thread;

/* A call of chosen code that is in progress. */
struct vbt_line_frame {
    const void *frame; /* by which the interpreter knows it */
    struct vbt_line_block *block;
    struct vbt_line *line;          /* that is being executed; NULL: one outside the block */
    uint64_t count;                 /* events of the ledger when the line began; VBT_LINE_NO_COUNT: the fast path may not end it */
    struct vbt_line_sums mark;      /* when the line began */
    struct vbt_line_sums entry;     /* when the call began */
    struct vbt_line_sums leaving;   /* when it called code that is not chosen, while that runs */
    struct vbt_line_sums called;    /* by calls since the line began */
    struct vbt_line_sums silent[2]; /* the thread's when the call began, and when the line began */
    int64_t floor;                  /* the lowest `high` of the lines that wait below */
    int64_t carried;                /* how much the heap changed in earlier parts of the line's execution */
    bool entering;                  /* no line has begun yet, and the first one may be that of the entry */
    bool has_called;
    uint32_t outside; /* the thread's when the call began */
};

#define VBT_LINE_NO_COUNT UINT64_MAX

enum { VBT_LINE_FRAMES = 1 << 16, VBT_LINE_CACHE = 2048, VBT_LINE_RESUMED = 1024 };

/* One thread's state; made at its first line event. */
struct vbt_line_thread {
    const void *fast_frame;     /* the same as running, where vbt_line_begin_fast may be used; else NULL */
    const void *running;        /* the frame of top; NULL: it waits for code that is not chosen */
    struct vbt_line_frame *top; /* frames[0], whose frame is NULL, where no chosen code runs */
    uint32_t outside;           /* calls in progress of code that is not chosen, above top */
    int64_t events;
    int64_t held;                /* ticks that belong to no line */
    int64_t objects;             /* created, see vbt_line_objects */
    int64_t rss_live;            /* live bytes when the resident set was last read */
    struct vbt_line_sums silent; /* what silent functions did, called by running lines; no times */
    const void *noted;           /* the latest block that one of them allocated */
    int64_t noted_size;
    const void *recent[4]; /* the latest blocks, where vbt_line_note_alloc is called for each */
    /* Up to Python 3.11: the latest block, and the number of allocations, when a frame of chosen
     * code began or any frame ended. */
    struct {
        const void *block;
        uint64_t allocs;
    } last;
    /* Up to Python 3.11: the generator that was closed, and the number of events then. */
    struct {
        const void *frame, *exception, *traceback;
        int64_t events;
    } closed;
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
    } yielded[VBT_LINE_RESUMED];    /* the line in which a generator's frame stopped */
    uint32_t roots;                 /* root frames in progress (no caller); more than one: stacks are switched */
    const void *root_state;         /* the PyThreadState of those: each interpreter that a thread runs has one */
    bool switches;                  /* stacks have been switched in this thread */
    bool withdrawn;                 /* the program set or removed a trace function, which may be gone by now */
    bool unchanged;                 /* it removes one where it has set none */
    struct vbt_line_block **blocks; /* by index of the code */
    struct vbt_line_frame *frames;  /* VBT_LINE_FRAMES */
    struct vbt_watcher watcher;     /* of the ledger */
};

static inline struct vbt_line_thread *vbt_line_thread_of(struct vbt_watcher *watcher) {
    return (struct vbt_line_thread *)((char *)watcher - offsetof(struct vbt_line_thread, watcher));
}

/* The clock is the processor's, and nothing else has to see each event: vbt_line_begin_fast may be
 * used. Does not change once there were events. */
extern bool vbt_line_fast_enabled;

/* Call it once. */
void vbt_line_books_init(void);

/* Which objects are counted. */
extern enum vbt_objects vbt_line_objects;

/* What reporting one event costs a line, in picoseconds; 0: not measured. */
extern int64_t vbt_line_event_cost;

/* What a call of chosen code costs besides its events, in ticks: it belongs to no line. */
extern int64_t vbt_line_call_cost;

/* The calling thread's state, made where it is missing; NULL when there is no memory. */
struct vbt_line_thread *vbt_line_thread(struct vbt_thread *thread);

/* The thread's records of a chosen code, made where they are missing; NULL if there is no
 * memory. */
static inline struct vbt_line_block *vbt_line_block(struct vbt_line_thread *lines, uint32_t index) {
    return vbt_line_block_make(lines->blocks, index, lines->ledger);
}

/* A call of chosen code begins in a frame, in this line. block NULL: of code that is not chosen. */
void vbt_line_enter(struct vbt_line_thread *lines, const void *frame, struct vbt_line_block *block, int32_t line);

/* The same where it resumes: in the line of its last vbt_line_yield, or if that is not known any
 * more, in this one. */
void vbt_line_resume(struct vbt_line_thread *lines, const void *frame, struct vbt_line_block *block, int32_t line);

/* Is it known where a call of the block's code in this frame yielded? */
bool vbt_line_has_yielded(const struct vbt_line_thread *lines, const void *frame, const struct vbt_line_block *block);

/* A line begins in the frame, which is the innermost entered one (see vbt_line_is_top), and
 * vbt_line_begin_fast was not possible. */
void vbt_line_begin_slow(struct vbt_line_thread *lines, const void *frame, int32_t line);

/* The same after VBT_LINE_CHANGED of vbt_line_begin_fast, with what that found. */
void vbt_line_begin_changed(struct vbt_line_thread *lines, const void *frame, int32_t line, struct vbt_line *next, uint64_t count);

/* The frame returned, or an exception left it. */
void vbt_line_leave(struct vbt_line_thread *lines, const void *frame);

/* The same where it yields in the middle of a line. */
void vbt_line_yield(struct vbt_line_thread *lines, const void *frame);

/* Is this frame's call the innermost one of chosen code, and running? */
static inline bool vbt_line_is_top(const struct vbt_line_thread *lines, const void *frame) { return lines->running == frame; }

/* What happened on the thread since `before` (from vbt_line_now) was not the program's doing. */
struct vbt_line_sums vbt_line_now(const struct vbt_line_thread *lines);
void vbt_line_forget_since(struct vbt_line_thread *lines, const struct vbt_line_sums *before);

/* The process ends, and with it the calls in progress. */
void vbt_line_finish(struct vbt_line_thread *lines);

/* No call is in progress: another thread takes over the state, or there are no line events for a
 * while. */
void vbt_line_reset(struct vbt_line_thread *lines);

/* In the child of a fork: all records start at 0; the calls of the calling thread continue. */
void vbt_line_books_after_fork(void);

#endif
