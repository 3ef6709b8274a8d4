/* See section_chunk.h. */
#include "section_chunk.h"

#include "preload/base/sys.h"
#include "preload/ledger/interval.h"
#include "preload/tree/tree.h"

#include <string.h>

static VBT_CHANGED_BY_FORK struct {
    uint64_t epoch; /* changes before it are in the file */
    int64_t time;   /* when it was written */
} written;

static void put_run(struct vbt_writer *w, const struct vbt_kept_run *run, int64_t before) {
    vbt_put_zigzag(w, run->begun - before);
    vbt_put_varint(w, run->ended < run->begun ? 0 : (uint64_t)(run->ended - run->begun) + 1);
}

static void put_name(struct vbt_writer *w, const struct vbt_section_runs *times) {
    const struct vbt_string *label = vbt_string_at(times->label);
    uint64_t kept = times->count < VBT_FIRST_RUNS + VBT_LATEST_RUNS ? times->count : VBT_FIRST_RUNS + VBT_LATEST_RUNS;
    uint64_t first = kept < VBT_FIRST_RUNS ? kept : VBT_FIRST_RUNS;
    int64_t before = 0;
    vbt_put_string(w, times->label != 0 ? label->bytes : "", times->label != 0 ? label->size : 0);
    vbt_put_varint(w, times->count);
    vbt_put_varint(w, first);
    vbt_put_varint(w, kept - first);
    for (uint64_t i = 0; i < kept; i++) {
        uint64_t number = i < first ? i + 1 : times->count - kept + i + 1;
        const struct vbt_kept_run *run = vbt_section_run_at(times, number);
        put_run(w, run, before);
        before = run->begun;
    }
}

/* Names from `name` on, as many as fit; the next one is returned. */
static uint32_t write_chunk(struct vbt_chunk_writer *writer, uint32_t name, uint64_t since) {
    enum { MOST = 128 }; /* a name takes some 4 KiB at most */
    const struct vbt_section_runs *times;
    uint64_t count = 0;
    for (; name <= vbt_section_names() && ((times = vbt_section_runs_of(name)) == NULL || times->epoch < since); name++) {
    }
    if (name > vbt_section_names())
        return name;
    struct vbt_writer *w = vbt_chunk_begin(writer);
    uint8_t *start = vbt_chunk_counted_begin(writer);
    for (; name <= vbt_section_names() && count < MOST; name++) {
        times = vbt_section_runs_of(name);
        if (times == NULL || times->epoch < since)
            continue;
        put_name(w, times);
        count++;
    }
    vbt_chunk_counted_end(writer, start, count);
    vbt_put_varint(w, vbt_section_runs_unnamed());
    vbt_chunk_end(writer, VBT_CHUNK_SECTION_TIMES);
    return name;
}

void vbt_write_section_times(struct vbt_chunk_writer *writer, int64_t time, bool all, uint64_t epoch) {
    enum { PAUSE = 1000 * 1000 * 1000 };
    if (vbt_section_names() == 0 || (!all && time - written.time < PAUSE))
        return;
    bool locked = vbt_lock_patiently(&vbt_interval_lock);
    for (uint32_t name = 1; name <= vbt_section_names();)
        name = write_chunk(writer, name, all ? 0 : written.epoch);
    if (locked)
        vbt_unlock(&vbt_interval_lock);
    written.epoch = epoch;
    written.time = time;
}

void vbt_write_section_times_again(void) { written.epoch = 0; }

void vbt_section_chunk_after_fork(void) { memset(&written, 0, sizeof written); }
