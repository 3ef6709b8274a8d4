/* See line_books.h. */
#include "line_books.h"

#include "preload/thread/thread.h"
#include "preload/tree/tree.h"
#include "line_silent.h"
#include "line_totals.h"
#include "line_fast.h"
#include "line_resident.h"

#include <string.h>

bool vbt_line_fast_enabled;
int64_t vbt_line_event_cost;
int64_t vbt_line_call_cost;
enum vbt_objects vbt_line_objects;

void vbt_line_books_init(void) {
    vbt_line_clock_init();
    vbt_line_fast_enabled = vbt_line_clock_is_tsc;
}

/* For the ledger, see watcher.h. */
static int64_t crest(struct vbt_watcher *watcher) {
    struct vbt_line_thread *lines = vbt_line_thread_of(watcher);
    int64_t elsewhere = vbt_line_live_elsewhere(lines);
    int64_t live = lines->ledger->live + elsewhere;
    struct vbt_line_frame *top = lines->top;
    for (struct vbt_line_frame *frame = top; frame > lines->frames; frame--) {
        if (frame->line != NULL && live > frame->line->high)
            frame->line->high = live;
        if (frame->floor >= live)
            break; /* all lines that wait below have been as high */
        frame->floor = live;
    }
    if (top->line != NULL)
        return vbt_line_crest_in(lines->ledger, top, top->line, elsewhere);
    int64_t others = lines->ledger->crest_of_others;
    return top->floor != INT64_MAX && top->floor - elsewhere < others ? top->floor - elsewhere : others;
}

/* The same. */
static void handed_on(struct vbt_watcher *watcher) {
    struct vbt_line_thread *lines = vbt_line_thread_of(watcher);
    vbt_line_reset(lines);
    lines->roots = 0;
    lines->root_state = NULL;
    lines->switches = lines->withdrawn = false;
}

struct vbt_line_thread *vbt_line_thread(struct vbt_thread *thread) {
    if (VBT_LIKELY(thread->lines != NULL))
        return thread->lines;
    struct vbt_line_thread *lines = vbt_map(sizeof *lines);
    if (lines == NULL)
        return NULL;
    lines->blocks = vbt_map(VBT_LINE_CODES * sizeof(struct vbt_line_block *));
    lines->frames = vbt_map(VBT_LINE_FRAMES * sizeof *lines->frames);
    lines->measuring = vbt_place_with_account(&thread->ledger, vbt_tree.line_node).counters;
    if (lines->blocks == NULL || lines->frames == NULL || lines->measuring == NULL) {
        thread->ledger.lost[VBT_LOST_MEMORY]++;
        return NULL;
    }
    lines->ledger = &thread->ledger;
    lines->top = lines->frames;
    lines->frames[0].floor = INT64_MAX;
    atomic_thread_fence(memory_order_release); /* the stream's thread follows this pointer */
    thread->lines = lines;
    lines->watcher =
        (struct vbt_watcher){.crest = crest, .alloc = vbt_line_note_alloc, .free = vbt_line_note_free, .handed_on = handed_on};
    thread->ledger.watcher = &lines->watcher;
    thread->ledger.crest = INT64_MIN;
    if (vbt_line_frame_now != NULL)
        vbt_ledger_watch(&thread->ledger);
    return lines;
}

struct vbt_line_sums vbt_line_now(const struct vbt_line_thread *lines) {
    return vbt_line_sums_at(lines, vbt_line_time(lines));
}

void vbt_line_forget_since(struct vbt_line_thread *lines, const struct vbt_line_sums *before) {
    struct vbt_line_sums now = vbt_line_now(lines);
    struct vbt_line_sums ours = vbt_line_sums_difference(&now, before);
    ours.events = 0;
    for (struct vbt_line_frame *frame = lines->top; frame > lines->frames; frame--) {
        vbt_line_sums_add(&frame->mark, &ours);
        vbt_line_sums_add(&frame->entry, &ours);
        vbt_line_sums_add(&frame->leaving, &ours);
    }
}

/* Notes a height of the process's live bytes at a line. */
VBT_INLINE void see_live(struct vbt_line *line, int64_t live) {
    if (VBT_UNLIKELY(live > line->high))
        line->high = live;
}

/* A part of an execution of the frame's line ends, which changed the heap by so much, calls
 * included; it was the last part unless goes_on. elsewhere: vbt_line_live_elsewhere. */
VBT_INLINE void see_change(const struct vbt_line_thread *lines, struct vbt_line_frame *frame, struct vbt_line *line, int64_t change,
                           int64_t elsewhere, bool goes_on) {
    see_live(line, lines->ledger->live + elsewhere);
    change += frame->carried;
    frame->carried = goes_on ? change : 0;
    if (goes_on)
        return;
    if (VBT_UNLIKELY(change < line->least))
        line->least = change;
    if (VBT_UNLIKELY(change > line->most))
        line->most = change;
}

/* What was called since the frame's mark is not its line's own. Returns how much the calls changed
 * the heap. */
VBT_INLINE int64_t leave_out_calls(struct vbt_line_frame *frame) {
    int64_t change = frame->called.allocated - frame->called.freed;
    vbt_line_sums_add(&frame->mark, &frame->called);
    frame->called = (struct vbt_line_sums){0};
    frame->has_called = false;
    return change;
}

/* Ends an execution of the frame's line, or a part of it, that is not inside another execution of
 * the same line; all but vbt_line_see_resident. */
VBT_INLINE void settle_outermost(struct vbt_line_thread *lines, struct vbt_line_frame *frame, struct vbt_line *line, int64_t time,
                                 int64_t elsewhere, bool goes_on) {
    int64_t change = 0;
    if (frame->has_called) {
        vbt_line_sums_add(&line->called, &frame->called);
        change = leave_out_calls(frame);
    }
    change += vbt_line_add_since(lines, &line->own, &frame->mark, time);
    see_change(lines, frame, line, change, elsewhere, goes_on);
}

/* The same in every case. */
static __attribute__((noinline)) void settle(struct vbt_line_thread *lines, struct vbt_line_frame *frame, int64_t time,
                                             bool goes_on) {
    if (vbt_line_frame_now != NULL) {
        struct vbt_line_sums silent = vbt_line_sums_difference(&lines->silent, &frame->silent[1]);
        vbt_line_sums_add(&frame->called, &silent);
        frame->has_called = true;
        frame->silent[1] = lines->silent;
    }
    struct vbt_line *line = frame->line;
    int64_t elsewhere = vbt_line_live_elsewhere(lines), took = time - frame->mark.time;
    if (line != NULL && line->active == 0) {
        settle_outermost(lines, frame, line, time, elsewhere, goes_on);
        vbt_line_see_resident(lines, line, took);
        return;
    }
    struct vbt_line_sums own = {0};
    int64_t change = leave_out_calls(frame);
    change += vbt_line_add_since(lines, &own, &frame->mark, time);
    if (line != NULL) {
        vbt_line_sums_add(&line->own, &own);
        vbt_line_sums_subtract(&line->called, &own); /* it is part of what the outer execution's call did */
        see_change(lines, frame, line, change, elsewhere, goes_on);
        vbt_line_see_resident(lines, line, took);
    }
}

/* The same at a line event: mostly the line did nothing but compute. */
VBT_INLINE void end_line(struct vbt_line_thread *lines, struct vbt_line_frame *frame, bool goes_on) {
    int64_t time = vbt_line_time(lines);
    struct vbt_line *line = frame->line;
    if (line == NULL || vbt_line_count(lines) != frame->count) {
        settle(lines, frame, time, goes_on);
        return;
    }
    int64_t took = time - frame->mark.time;
    line->own.time += took;
    line->own.events++;
    line->quiet |= !goes_on;
    frame->mark.time = time;
    frame->mark.events = lines->events;
    vbt_line_see_resident(lines, line, took);
}

/* Sets the count with which the frame's line begins: one that never occurs, where the fast path may
 * not end it. */
VBT_INLINE void start_count(struct vbt_line_thread *lines, struct vbt_line_frame *frame) {
    bool usual = frame->line != NULL && frame->line->active == 0 && !frame->has_called && frame->carried == 0 && !frame->entering;
    frame->count = usual ? vbt_line_count(lines) : VBT_LINE_NO_COUNT;
}

/* The line's first execution on this thread: interns its site. */
static __attribute__((noinline)) void first_time(struct vbt_line_thread *lines, struct vbt_line_block *block,
                                                 struct vbt_line *line) {
    vbt_lock(&vbt_tree_lock);
    line->least = INT64_MAX;
    line->most = INT64_MIN;
    line->site = vbt_intern_python_site(vbt_line_code_at(block->index)->code, block->first + (int32_t)(line - block->lines));
    vbt_unlock(&vbt_tree_lock);
    if (line->site == 0)
        lines->ledger->lost[VBT_LOST_MEMORY]++;
}

/* The line begins in the frame: has the ledger report when live bytes are about to fall from a
 * height that is new to the line. The lines that wait for it have been updated before. */
VBT_INLINE void watch_height(struct vbt_line_thread *lines, struct vbt_line_frame *frame, struct vbt_line *line,
                             int64_t elsewhere) {
    struct vbt_ledger *ledger = lines->ledger;
    see_live(line, ledger->live + elsewhere);
    ledger->crest = vbt_line_crest_in(ledger, frame, line, elsewhere);
}

/* NULL for a line outside the block. */
VBT_INLINE struct vbt_line *line_at(struct vbt_line_block *block, int32_t number) {
    uint32_t offset = (uint32_t)(number - block->first);
    return VBT_LIKELY(offset < block->count) ? &block->lines[offset] : NULL;
}

/* The line with this number begins in the frame. */
VBT_INLINE void begin_line(struct vbt_line_thread *lines, struct vbt_line_frame *frame, int32_t number) {
    struct vbt_line *line = frame->line = line_at(frame->block, number);
    if (VBT_LIKELY(line != NULL)) {
        if (VBT_UNLIKELY(line->site == 0))
            first_time(lines, frame->block, line);
        watch_height(lines, frame, line, vbt_line_live_elsewhere(lines));
    }
    start_count(lines, frame);
}

static void call_begins(struct vbt_line_frame *caller) {
    if (caller->line != NULL)
        caller->line->active++;
}

/* What was done since `then`, until this time, was done by a call of the frame's line. */
static void call_ends(const struct vbt_line_thread *lines, struct vbt_line_frame *caller, struct vbt_line_sums *then,
                      int64_t time) {
    vbt_line_add_since(lines, &caller->called, then, time);
    caller->has_called = true;
    caller->count = VBT_LINE_NO_COUNT;
    if (caller->line != NULL)
        caller->line->active--;
}

VBT_INLINE void run(struct vbt_line_thread *lines, const void *frame) {
    lines->running = frame;
    lines->fast_frame = vbt_line_fast_enabled ? frame : NULL;
}

void vbt_line_enter(struct vbt_line_thread *lines, const void *frame, struct vbt_line_block *block, int32_t line) {
    struct vbt_line_frame *top = lines->top;
    lines->events++;
    if (block == NULL) {
        if (lines->outside++ == 0 && top > lines->frames) {
            top->leaving = vbt_line_sums_at(lines, vbt_line_time(lines));
            call_begins(top);
        }
        run(lines, NULL);
        return;
    }
    if (top == lines->frames + VBT_LINE_FRAMES - 1) { /* counts for the deepest call that is followed */
        lines->ledger->lost[VBT_LOST_LINES]++;
        vbt_line_enter(lines, frame, NULL, 0);
        return;
    }
    struct vbt_line_frame *fresh = top + 1;
    fresh->frame = frame;
    fresh->block = block;
    fresh->entry = fresh->mark = vbt_line_sums_at(lines, vbt_line_time(lines));
    fresh->called = (struct vbt_line_sums){0};
    fresh->carried = 0;
    fresh->entering = block->entry != VBT_LINE_ENTRY_APART;
    fresh->has_called = false;
    fresh->silent[0] = fresh->silent[1] = lines->silent;
    fresh->outside = lines->outside;
    fresh->floor = top->line != NULL && top->line->high < top->floor ? top->line->high : top->floor;
    if (lines->outside == 0 && top > lines->frames)
        call_begins(top);
    lines->outside = 0;
    lines->top = fresh;
    run(lines, frame);
    begin_line(lines, fresh, line);
    if (VBT_LIKELY(fresh->line != NULL))
        fresh->line->entries++;
}

/* Where the frame's line was its entry: is that part of the execution that begins now? */
VBT_INLINE bool is_entry_of(struct vbt_line_frame *frame, const struct vbt_line *begins) {
    if (VBT_LIKELY(!frame->entering))
        return false;
    bool same = frame->line == begins && begins != NULL;
    frame->entering = false;
    frame->block->entry = same ? VBT_LINE_ENTRY_SAME : VBT_LINE_ENTRY_APART;
    return same;
}

void vbt_line_begin_slow(struct vbt_line_thread *lines, const void *frame, int32_t line) {
    lines->events++;
    struct vbt_line_frame *top = lines->top;
    if (VBT_UNLIKELY(top->frame != frame))
        return;
    end_line(lines, top, is_entry_of(top, line_at(top->block, line)));
    begin_line(lines, top, line);
    if (VBT_LIKELY(top->line != NULL))
        top->line->hits++;
}

void vbt_line_begin_changed(struct vbt_line_thread *lines, const void *frame, int32_t number, struct vbt_line *next,
                            uint64_t count) {
    struct vbt_line_frame *top = lines->top;
    struct vbt_line *line = top->line;
    bool inner = top->count == VBT_LINE_NO_COUNT && (line == NULL || line->active > 0);
    if (VBT_UNLIKELY(inner) || VBT_UNLIKELY(vbt_line_frame_now != NULL)) {
        vbt_line_begin_slow(lines, frame, number);
        return;
    }
    int64_t time = vbt_line_time_tsc(lines);
    int64_t elsewhere = vbt_line_live_elsewhere(lines), took = time - top->mark.time;
    lines->events++;
    settle_outermost(lines, top, line, time, elsewhere, is_entry_of(top, next));
    top->line = next;
    top->count = top->carried == 0 ? count : VBT_LINE_NO_COUNT;
    next->hits++;
    watch_height(lines, top, next, elsewhere);
    vbt_line_see_resident(lines, line, took);
}

/* took: by the line so far. Where the machine has become faster since the cost was measured, a line
 * still takes no less than nothing. */
VBT_INLINE void hold_call_cost(struct vbt_line_thread *lines, int64_t took) {
    lines->held += took < vbt_line_call_cost ? took : vbt_line_call_cost;
}

static void pop(struct vbt_line_thread *lines, bool yields) {
    struct vbt_line_frame *top = lines->top;
    end_line(lines, top, yields);
    struct vbt_line_frame *caller = top - 1;
    lines->top = caller;
    lines->outside = top->outside;
    run(lines, lines->outside == 0 ? caller->frame : NULL);
    top->frame = NULL;
    if (lines->outside == 0 && caller > lines->frames) {
        call_ends(lines, caller, &top->entry, top->mark.time);
        struct vbt_line_sums silent = vbt_line_sums_difference(&lines->silent, &top->silent[0]); /* is part of what was called */
        vbt_line_sums_add(&caller->silent[1], &silent);
        hold_call_cost(lines, top->mark.time - caller->mark.time);
    }
}

void vbt_line_leave(struct vbt_line_thread *lines, const void *frame) {
    lines->events++;
    if (lines->outside > 0) {
        if (--lines->outside == 0 && lines->top > lines->frames) {
            call_ends(lines, lines->top, &lines->top->leaving, vbt_line_time(lines));
            run(lines, lines->top->frame);
        }
        return;
    }
    struct vbt_line_frame *found = lines->top;
    while (found > lines->frames && found->frame != frame)
        found--;
    if (found == lines->frames)
        return;                   /* one that began before there were events */
    while (lines->top >= found) { /* those above it ended without an event */
        lines->outside = 0;
        pop(lines, false);
    }
}

static struct vbt_line_yielded *yielded_at(struct vbt_line_thread *lines, const void *frame) {
    return &lines->yielded[(uint32_t)((uintptr_t)frame >> 4) % VBT_LINE_RESUMED];
}

void vbt_line_yield(struct vbt_line_thread *lines, const void *frame) {
    if (!vbt_line_is_top(lines, frame)) {
        vbt_line_leave(lines, frame);
        return;
    }
    lines->events++;
    struct vbt_line_frame *top = lines->top;
    struct vbt_line_yielded *yielded = yielded_at(lines, frame);
    yielded->frame = frame;
    yielded->block = top->block;
    yielded->line = top->line;
    pop(lines, true);
    yielded->carried = top->carried;
}

bool vbt_line_has_yielded(const struct vbt_line_thread *lines, const void *frame, const struct vbt_line_block *block) {
    const struct vbt_line_yielded *yielded = yielded_at((struct vbt_line_thread *)lines, frame);
    return yielded->frame == frame && yielded->block == block && yielded->line != NULL;
}

void vbt_line_resume(struct vbt_line_thread *lines, const void *frame, struct vbt_line_block *block, int32_t line) {
    struct vbt_line_yielded *yielded = yielded_at(lines, frame);
    bool known = vbt_line_has_yielded(lines, frame, block);
    vbt_line_enter(lines, frame, block, known ? block->first + (int32_t)(yielded->line - block->lines) : line);
    struct vbt_line_frame *top = lines->top;
    if (top->frame != frame)
        return;
    top->entering = false;
    top->carried = known ? yielded->carried : 0;
    start_count(lines, top);
    yielded->frame = NULL;
}

void vbt_line_finish(struct vbt_line_thread *lines) {
    while (lines->top > lines->frames) {
        if (lines->outside > 0) {
            lines->outside = 1;
            vbt_line_leave(lines, NULL);
        }
        vbt_line_leave(lines, lines->top->frame);
    }
}

void vbt_line_reset(struct vbt_line_thread *lines) {
    for (struct vbt_line_frame *frame = lines->top; frame > lines->frames; frame--) {
        if (frame < lines->top && frame->line != NULL && frame->line->active > 0)
            frame->line->active--;
        frame->frame = NULL;
    }
    if (lines->outside > 0 && lines->top > lines->frames && lines->top->line != NULL && lines->top->line->active > 0)
        lines->top->line->active--;
    lines->top = lines->frames;
    run(lines, NULL);
    lines->outside = 0;
    memset(lines->yielded, 0, sizeof lines->yielded);
    memset(lines->cache, 0, sizeof lines->cache); /* may be half written, see vbt_thread_begin */
}

void vbt_line_books_after_fork(void) {
    atomic_store(&vbt_latest_rss, VBT_RSS_OLD);
    for (struct vbt_thread *thread = atomic_load(&vbt_threads); thread != NULL; thread = thread->next) {
        struct vbt_line_thread *lines = thread->lines;
        if (lines == NULL)
            continue;
        vbt_line_blocks_clear(lines->blocks);
        for (unsigned i = 0; i < VBT_LINE_RESUMED; i++)
            lines->yielded[i].carried = 0;
        struct vbt_line_sums now = vbt_line_now(lines);
        for (struct vbt_line_frame *frame = lines->top; frame > lines->frames; frame--) {
            frame->mark = frame->entry = frame->leaving = now;
            frame->called = (struct vbt_line_sums){0};
            frame->silent[0] = frame->silent[1] = lines->silent;
            frame->carried = 0;
            start_count(lines, frame);
        }
        lines->ledger->crest = INT64_MIN;
    }
    vbt_line_codes_clear();
}
