/* See stream.h. Everything here runs in the helper, or, if there can be none, in the thread that
 * ends the process.
 *
 * Between rewrites, the file is appended to: each tick's new definitions, its state, the counters
 * that changed. Since all values are absolute, most of it is soon out of date. So when the file has
 * doubled, it is rewritten, under another name that then takes its place: definitions, the thinned
 * timeline, the thinned history (history.h), the latest values. Thus a file's size is bounded by
 * the number of call sites, the timeline's points and what history may take, not by the length of
 * the run. */
#include "stream.h"

#include "line_snapshot.h"
#include "process_chunks.h"
#include "runner.h"
#include "snapshot.h"
#include "thread_times.h"
#include "trace_path.h"
#include "trace_room.h"
#include "write_times.h"
#include "preload/base/clock.h"
#include "preload/base/proc.h"
#include "preload/base/sys.h"
#include "preload/ledger/ledger.h"
#include "preload/lines/books/line_books.h"
#include "preload/process/ancestors.h"
#include "preload/process/process.h"
#include "preload/shared/destination.h"
#include "preload/shared/options.h"
#include "preload/shared/run_names.h"
#include "preload/shared/say.h"
#include "preload/stream/helper/helper.h"
#include "preload/stream/helper/trace_place.h"
#include "preload/stream/history/history.h"
#include "preload/stream/history/section_chunk.h"
#include "preload/stream/resident/resident_times.h"
#include "preload/thread/epochs.h"
#include "preload/thread/thread.h"
#include "preload/tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

enum { TICK_LEVEL = 1, LAST_LEVEL = 3 };

/* What the stream knows, grouped by what writes it. While the helper runs, other threads read only
 * file.has_file. */

/* Written by rewrite, and at the beginning and end of a run. */
static VBT_CHANGED_BY_FORK struct {
    struct vbt_chunk_writer writer;
    struct vbt_dictionary written;
    uint64_t rewritten_size; /* of the file after the last rewrite */
    uint32_t rewritten_nodes;
    bool has_file;
    bool complete;
    bool registered;
    bool open;           /* what writing needs is there */
    bool forked;         /* the process is the child of one that is traced */
    const char *failure; /* see vbt_summary */
    char path[VBT_PATH_MAX + 512];
} file;

/* By measure; the two flags also by take_resident, and by write_values, which clears them. */
static VBT_CHANGED_BY_FORK struct {
    struct vbt_books books;
    struct vbt_tick tick;
    struct vbt_epochs epochs;
    int64_t changed;        /* the latest tick at which something had changed, ns */
    bool moved, maps_moved; /* since it was last written */
} seen;

static struct vbt_timeline timeline; /* by measure */

/* By write_values, write_changes and rewrite. */
static VBT_CHANGED_BY_FORK struct {
    uint64_t epoch;     /* changes of counters before it are in the file */
    uint32_t strangers; /* vbt_tree.strangers when the mappings were last written */
} values;

/* By rest: the next event shall wake the helper. */
static VBT_CHANGED_BY_FORK bool dozing;

void vbt_stream_reserve(void) {
    vbt_helper_reserve();
    vbt_chunk_writer_init(&file.writer);
    vbt_resident_reserve();
    vbt_proc_text("/proc/self/stat", NULL);
    vbt_snapshot_reserve();
    vbt_snapshot_threads_reserve();
}

bool vbt_stream_has_file(void) { return file.has_file; }

static int64_t live_bytes(const struct vbt_books *books, int domain) {
    return (int64_t)(books->inherited_bytes[domain] + books->totals[domain].allocated - books->totals[domain].freed);
}

/* Breaks the resident set down if it is time for it. */
static void take_resident(bool at_end) {
    int64_t live[VBT_DOMAIN_MAP];
    for (int domain = 0; domain < VBT_DOMAIN_MAP; domain++)
        live[domain] = live_bytes(&seen.books, domain);
    if (vbt_resident_take(seen.tick.time, seen.tick.rss, live, at_end))
        seen.moved = seen.maps_moved = true;
}

/* Measures the process: what the ticks and the end have in common. */
static void measure(void) {
    struct vbt_books *books = &seen.books;
    struct vbt_totals heap = books->totals[VBT_DOMAIN_HEAP];
    struct vbt_totals python = books->totals[VBT_DOMAIN_PYTHON];
    struct vbt_totals mapped = books->totals[VBT_DOMAIN_MAP];
    int64_t rss = seen.tick.rss;
    int64_t peak = books->peak;
    seen.tick.maps_held = -1;
    vbt_epochs_tick(&seen.epochs);
    vbt_books_read(books);
    int64_t now = vbt_clock_read(CLOCK_MONOTONIC);
    seen.tick.time = now - vbt_clock_start;
    seen.tick.pauses = vbt_pauses_until(now);
    if (seen.tick.limited == 0 && atomic_load(&vbt_tree.limited))
        seen.tick.limited = seen.tick.time;
    seen.tick.rss = vbt_rss_now();
    atomic_store_explicit(&vbt_latest_rss, VBT_RSS_OLD, memory_order_relaxed);
    if (seen.tick.rss > seen.tick.max_rss)
        seen.tick.max_rss = seen.tick.rss;
    if (books->peak != peak)
        seen.tick.peak_time = seen.tick.time;
    struct vbt_timeline_point point = {.time = seen.tick.time, .rss = seen.tick.rss};
    point.heap = live_bytes(books, VBT_DOMAIN_HEAP);
    point.python = live_bytes(books, VBT_DOMAIN_PYTHON);
    vbt_timeline_add(&timeline, point);
    bool maps_moved = memcmp(&mapped, &books->totals[VBT_DOMAIN_MAP], sizeof mapped) != 0;
    seen.maps_moved |= maps_moved;
    if (rss != seen.tick.rss || maps_moved || memcmp(&heap, &books->totals[VBT_DOMAIN_HEAP], sizeof heap) != 0 ||
        memcmp(&python, &books->totals[VBT_DOMAIN_PYTHON], sizeof python) != 0) {
        seen.moved = true;
        seen.changed = seen.tick.time;
    }
}

/* Can the history of the old file be carried over into the new one? Where the file's size is
 * limited, all room is for what is defined. */
static bool has_history(const struct vbt_chunk_writer *old) {
    return old != NULL && old->fd >= 0 && old->error == 0 && old->lost == 0 && file.has_file && vbt_options.max_trace == 0;
}

/* Writes the counters that changed. old: the file that is written again, or NULL. */
static void write_counters(struct vbt_history_mark *mark, const struct vbt_dictionary *now, uint64_t since,
                           const struct vbt_chunk_writer *old, bool at_end) {
    const struct vbt_history_order order = {.from = old,
                                            .to = &file.writer,
                                            .nodes = now->nodes,
                                            .sites = now->sites,
                                            .counted = vbt_tree.slips + vbt_tree.accounts,
                                            .now = seen.tick.time,
                                            .at_end = at_end};
    if (has_history(old) && vbt_history_carry(&order))
        since = values.epoch;
    mark->counters = file.writer.file_size;
    mark->rows = vbt_snapshot_counters(&file.writer, &seen.books, &seen.tick, now, since);
    mark->counters_size = (uint32_t)(file.writer.file_size - mark->counters);
}

/* Writes definitions and values; since 0: everything, again if there is an old file. */
static void write_values(uint64_t since, const struct vbt_chunk_writer *old, bool at_end) {
    struct vbt_chunk_writer *writer = &file.writer;
    struct vbt_history_mark mark = {
        .time = seen.tick.time, .peak_time = seen.tick.peak_time, .stays = seen.tick.shutdown == seen.tick.time};
    /* First, so that all values refer to what is defined: ids that are interned meanwhile wait for
     * the next tick. */
    struct vbt_dictionary now = vbt_dictionary_now();
    uint32_t strangers = atomic_load(&vbt_tree.strangers);
    if (strangers > values.strangers || since == 0) {
        vbt_write_mappings(writer, &file.written.mappings);
        values.strangers = strangers;
    }
    vbt_dictionary_write(writer, &file.written, now);
    write_counters(&mark, &now, since, old, at_end);
    vbt_write_threads(writer, &seen.books, &seen.tick, &now, since == 0, seen.epochs.settled);
    vbt_snapshot_intervals(writer, &now, since);
    vbt_write_section_times(writer, seen.tick.time, since == 0, seen.epochs.settled);
    vbt_snapshot_lines(writer, &now, since == 0);
    if (seen.maps_moved || since == 0)
        vbt_snapshot_maps(writer, &seen.books, &seen.tick);
    seen.moved = seen.maps_moved = false;
    seen.books.lost[VBT_LOST_WRITE] = writer->lost;
    seen.books.lost[VBT_LOST_NODES] = vbt_snapshot_lost_paths(&seen.books);
    mark.state = writer->file_size;
    vbt_snapshot_state(writer, &seen.books, &seen.tick);
    mark.state_size = (uint32_t)(writer->file_size - mark.state);
    vbt_history_add(&mark);
}

/* Writes what changed since the last time. */
static void write_changes(void) {
    write_values(values.epoch, NULL, false);
    values.epoch = seen.epochs.settled;
}

/* A child that ends soon has its parent's resident set and call paths, and would spend most of its
 * time on breaking the one down and compressing the other. */
static bool is_young_child(void) {
    enum { YOUNG = 50 * 1000 * 1000 };
    return file.forked && seen.tick.time < YOUNG;
}

/* Writes the file from the beginning, next to the old one, and puts it in its place. reason: NULL,
 * or why the process ends. If that fails (a full disk), the old file stays, and what is new is
 * appended to it as far as possible. */
static void rewrite(const char *reason) {
    struct vbt_chunk_writer old = file.writer;
    struct vbt_dictionary old_written = file.written;
    static char path[sizeof file.path + 512];
    vbt_format(path, sizeof path, "%s.%s.%d.part", file.path, vbt_host_name(), vbt_pid);
    file.writer.lost = 0;
    file.writer.level = reason != NULL && !is_young_child() ? LAST_LEVEL : TICK_LEVEL;
    file.written = (struct vbt_dictionary){0};
    vbt_trace_place_open(&file.writer, path, file.path);
    vbt_write_process(&file.writer);
    vbt_snapshot_timeline(&file.writer, &timeline);
    vbt_history_begin();
    write_values(0, &old, reason != NULL);
    if (reason != NULL)
        vbt_snapshot_end(&file.writer, &seen.tick, reason);
    file.writer.level = TICK_LEVEL;
    if (file.writer.error == 0 && !vbt_trace_place_in_reach(file.path)) {
        vbt_trace_place_fill(&file.writer, &old);
    } else if (file.writer.error == 0 && file.has_file) {
        file.writer.error = vbt_destination_replace(path, file.path);
    } else if (file.writer.error == 0) {
        file.writer.error = vbt_trace_path_take(path, file.path, sizeof file.path);
    }
    vbt_history_end(file.writer.error == 0);
    if (file.writer.error == 0) {
        vbt_chunk_writer_close(&old);
        file.writer.lost = old.lost;
        file.rewritten_size = file.writer.file_size;
        file.rewritten_nodes = file.written.nodes;
        file.has_file = true;
        values.epoch = seen.epochs.settled;
        return;
    }
    int error = file.writer.error;
    vbt_chunk_writer_close(&file.writer);
    vbt_sys(SYS_unlinkat, AT_FDCWD, path, 0);
    file.writer = old;
    file.written = old_written;
    file.rewritten_size = file.writer.file_size; /* try again when it has doubled */
    file.rewritten_nodes = file.written.nodes;
    if (!file.has_file || file.writer.fd < 0) { /* there is none, or it is out of reach */
        file.writer.error = error;
        return;
    }
    vbt_write_threads_again();
    vbt_write_section_times_again();
    write_changes();
    if (reason != NULL)
        vbt_snapshot_end(&file.writer, &seen.tick, reason);
    if (!vbt_trace_place_find(file.writer.fd, file.path, sizeof file.path)) {
        file.writer.error = error;
        file.has_file = false;
    }
}

/* To the `vbtrace run` that started them all, every process reports it, however it ended. */
static void report_failure(void) {
    static char line[sizeof file.path + 512]; /* not on the stack, which may be small */
    vbt_format(line, sizeof line, "%s: %s: %s", file.path, file.has_file ? "incomplete" : "not written",
               vbt_destination_error(file.writer.error));
    file.failure = vbt_runner_send(line) ? NULL : line;
}

/* The size at which the file is rewritten. */
static uint64_t file_limit(void) {
    uint64_t limit = vbt_history_file_limit(file.rewritten_size);
    return vbt_options.max_trace != 0 && vbt_options.max_trace < limit ? vbt_options.max_trace : limit;
}

/* Has the file outgrown what it was when it was last written from scratch, so that it has to be
 * again? Where its size is limited, also to find out how much room there is: see trace_room.h. */
static bool has_outgrown(void) {
    bool unknown = vbt_options.max_trace != 0 && file.writer.file_size > vbt_options.max_trace / 2 &&
                   file.written.nodes / 2 > file.rewritten_nodes;
    return unknown || vbt_history_is_full() || file.writer.file_size > file_limit();
}

/* The processor time that writing may take, ns: as it did last, or by what there is to define. */
static int64_t expected_cost(void) {
    enum { FILE = 300 * 1000, NODE = 1000 };
    return file.has_file ? vbt_write_latest_cost() : FILE + (int64_t)vbt_tree.nodes.count * NODE;
}

static void make_room(void) {
    struct vbt_trace_size now = {file.writer.file_size, file.written.nodes};
    struct vbt_trace_size rewritten = {file.rewritten_size, file.rewritten_nodes};
    if (vbt_options.max_trace != 0)
        vbt_tree_limit(vbt_trace_room(vbt_options.max_trace, now, rewritten));
}

/* The interpreter begins to shut down, and the program waits: writes the state, if that takes
 * little of the time that the process has run. */
static void write_shutdown(void) {
    enum { SHARE = 20 };
    if (file.writer.error == 0 && seen.tick.time / SHARE >= expected_cost() && vbt_options.max_trace == 0) {
        seen.tick.shutdown = seen.tick.time;
        file.has_file &&file.writer.fd >= 0 ? write_changes() : rewrite(NULL);
    }
    vbt_helper_has_kept();
}

static void tick(void) {
    bool shuts_down = vbt_helper_keeps();
    measure();
    take_resident(false);
    if (shuts_down)
        write_shutdown();
    if (file.writer.error != 0 || shuts_down)
        return; /* what is missing will be written at the end, if possible */
    bool has_to = file.has_file && (file.writer.fd < 0 || has_outgrown());
    bool wants_to = !file.has_file || seen.moved;
    if (!has_to && (!wants_to || !vbt_write_is_due(seen.tick.time, seen.changed, expected_cost())))
        return;
    int64_t start = vbt_clock_read(CLOCK_THREAD_CPUTIME_ID);
    has_to || !file.has_file ? rewrite(NULL) : write_changes();
    make_room();
    vbt_write_book(seen.tick.time, vbt_clock_read(CLOCK_THREAD_CPUTIME_ID) - start);
}

static void last_tick(bool finish, const char *reason) {
    measure();
    take_resident(finish && !is_young_child());
    if (finish)
        seen.tick.maps_held = (int64_t)vbt_maps_held();
    int64_t highest = vbt_rss_highest();
    if (highest > seen.tick.max_rss)
        seen.tick.max_rss = highest;
    if (finish)
        rewrite(reason);
    else if (!file.has_file && file.writer.error == 0)
        rewrite(NULL);
    else if (file.writer.fd >= 0 && file.writer.error == 0 && seen.moved)
        write_changes();
    file.complete = finish && file.writer.error == 0;
}

/* Recording may have to start or stop before the next tick. */
static int64_t until_next(int64_t tick) {
    int64_t now = vbt_clock_read(CLOCK_MONOTONIC);
    int64_t change = vbt_pause_tick(now) - now;
    return change < tick ? change : tick;
}

/* Makes hooks poll events: the next one wakes the helper. */
static void listen(void) {
    uint32_t recording = VBT_RECORDING;
    vbt_helper_doze();
    atomic_compare_exchange_strong(&vbt_recording, &recording, VBT_RECORDING_POLLED);
}

/* A process in which nothing has changed for a while is checked a tenth as often, until its next
 * event. (An event that just missed this is found by the next tick, which is not delayed.) With
 * line mode, there are always events that are not polled. True: asked to stop. */
static bool rest(const char **reason, bool *finish) {
    enum { REST = 100 * 1000 * 1000 };
    bool listened = dozing;
    dozing = seen.tick.time - seen.changed >= REST && vbt_line_codes.count == 0;
    if (dozing && !listened)
        listen();
    int64_t tick = dozing && listened && vbt_options.tick < REST ? REST : vbt_options.tick;
    bool stopped = vbt_helper_sleep(until_next(tick), reason, finish);
    if (dozing && !vbt_helper_dozes()) {
        dozing = false;
        seen.changed = vbt_clock_read(CLOCK_MONOTONIC) - vbt_clock_start;
    }
    return stopped;
}

/* Tells `vbtrace run` that there is this process, which may outlive the one that it started. */
static void register_process(void) {
    char line[64];
    int parent;
    int64_t started;
    if (!file.registered && vbt_ancestor(vbt_pid, &parent, &started)) {
        vbt_format(line, sizeof line, VBT_RUNNER_RUNS "%d %ld", vbt_pid, (long)started);
        vbt_runner_send(line);
    }
    file.registered = true;
}

/* Opens what writing needs, unless that has been done. False: there is no memory. */
static bool open_file(void) {
    if (file.open)
        return true;
    if (file.path[0] == '\0')
        vbt_trace_path(file.path, sizeof file.path, file.forked);
    if (!vbt_chunk_writer_init(&file.writer)) {
        file.writer.error = ENOMEM;
        return false;
    }
    if (file.has_file && vbt_trace_place_in_reach(file.path))
        vbt_chunk_writer_reopen(&file.writer, file.path);
    vbt_rss_open();
    file.open = true;
    return true;
}

void vbt_stream_run(int64_t first_tick) {
    const char *reason = NULL;
    bool finish = false;
    if (file.forked && first_tick > 0)
        register_process();
    bool stopped = vbt_helper_sleep(first_tick, &reason, &finish);
    if (!stopped)
        register_process();
    bool leaves = stopped && strcmp(reason, VBT_STREAM_LEAVES) == 0;
    if (stopped && !finish && !leaves && !file.has_file)
        return; /* the process is so young that it has no trace yet */
    if (!open_file()) {
        if (finish)
            report_failure();
        return;
    }
    dozing = false;
    while (!stopped) {
        tick();
        stopped = rest(&reason, &finish);
    }
    last_tick(finish, reason);
    if (finish && !file.complete)
        report_failure();
    vbt_rss_close();
    vbt_chunk_writer_close(&file.writer);
    file.open = false;
}

/* False: it cannot be opened. */
static bool write_first(void) {
    register_process();
    if (!open_file())
        return false;
    if (!file.has_file) {
        measure();
        rewrite(NULL);
    }
    return true;
}

void vbt_stream_before_losing_rights(void) { write_first(); }

void vbt_stream_before_moving(void) {
    if (!write_first())
        return;
    vbt_trace_place_moves(file.path);
    vbt_mappings_keep();
}

void vbt_stream_withdraw(void) {
    if (file.has_file && vbt_trace_place_in_reach(file.path))
        vbt_sys(SYS_unlinkat, AT_FDCWD, file.path, 0);
    file.has_file = false;
}

void vbt_stream_summary(struct vbt_summary *out) {
    const struct vbt_books *books = &seen.books;
    *out = (struct vbt_summary){.peak = books->peak,
                                .file_bytes = file.writer.file_size,
                                .written = file.complete,
                                .path = file.path,
                                .failure = file.failure};
    for (int domain = 0; domain < VBT_DOMAIN_MAP; domain++) {
        out->allocs += books->totals[domain].allocs;
        out->allocated += books->totals[domain].allocated;
    }
    for (int reason = 0; reason < VBT_LOST_KINDS; reason++)
        out->lost += reason == VBT_LOST_WRITE ? 0 : books->lost[reason];
}

void vbt_stream_after_fork(void) {
    /* Of what is large, only what counts: a child copies each page that it writes to. */
    memset(&file, 0, offsetof(typeof(file), path) + 1);
    memset(&seen, 0, sizeof seen);
    timeline.count = timeline.ticks_a_point = timeline.ticks_in_last = 0;
    vbt_resident_after_fork();
    vbt_resident_times_after_fork();
    vbt_thread_times_after_fork();
    vbt_history_after_fork();
    vbt_section_chunk_after_fork();
    memset(&values, 0, sizeof values);
    vbt_write_times_after_fork();
    dozing = false;
    file.forked = true;
    file.writer = (struct vbt_chunk_writer){.fd = -1, .level = TICK_LEVEL};
    vbt_trace_place_after_fork();
    vbt_snapshot_after_fork();
}
