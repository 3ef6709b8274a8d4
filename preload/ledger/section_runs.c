/* See section_runs.h. */
#include "section_runs.h"

#include "ledger.h"
#include "preload/base/memory.h"
#include "preload/base/table.h"

static struct {
    struct vbt_arena arena;
    struct vbt_table names; /* by label */
    struct vbt_section_runs *rows[1 + VBT_SECTION_NAMES];
    uint32_t count;
    uint64_t unnamed;
    uint64_t fork_epoch;
} sections;

/* 0: there is no room. */
static uint32_t name_of(uint32_t label) {
    uint32_t name = vbt_table_get(&sections.names, (uint64_t)label + 2, 0);
    if (name != 0 || sections.count == VBT_SECTION_NAMES)
        return name;
    struct vbt_section_runs *row = vbt_arena_alloc(&sections.arena, sizeof *row);
    if (row == NULL || !vbt_table_put(&sections.names, (uint64_t)label + 2, 0, sections.count + 1))
        return 0;
    row->label = label;
    sections.rows[++sections.count] = row;
    return sections.count;
}

/* In a forked child, what the parent counted there is forgotten at the first change. */
static void open_row(struct vbt_section_runs *row) {
    if (row->epoch < sections.fork_epoch)
        row->count = 0;
    row->epoch = atomic_load_explicit(&vbt_epoch, memory_order_relaxed);
}

static uint64_t latest_place(uint64_t number) { return (number - VBT_FIRST_RUNS - 1) % VBT_LATEST_RUNS; }

static struct vbt_kept_run *place_of(struct vbt_section_runs *row, uint64_t number) {
    return number <= VBT_FIRST_RUNS ? &row->first[number - 1] : &row->latest[latest_place(number)];
}

struct vbt_section_ref vbt_section_run_begins(uint32_t label, int64_t time) {
    uint32_t name = name_of(label);
    if (name == 0) {
        sections.unnamed++;
        return (struct vbt_section_ref){0, 0};
    }
    struct vbt_section_runs *row = sections.rows[name];
    open_row(row);
    row->count++;
    *place_of(row, row->count) = (struct vbt_kept_run){time, time - 1};
    return (struct vbt_section_ref){name, row->count};
}

static bool is_kept(const struct vbt_section_runs *row, uint64_t number) {
    return number > 0 && number <= row->count && (number <= VBT_FIRST_RUNS || row->count - number < VBT_LATEST_RUNS);
}

void vbt_section_run_ends(struct vbt_section_ref ref, int64_t time) {
    struct vbt_section_runs *row = sections.rows[ref.name];
    if (ref.name == 0 || row->epoch < sections.fork_epoch || !is_kept(row, ref.number))
        return;
    open_row(row);
    place_of(row, ref.number)->ended = time;
}

uint32_t vbt_section_names(void) { return sections.count; }

const struct vbt_section_runs *vbt_section_runs_of(uint32_t name) {
    const struct vbt_section_runs *row = sections.rows[name];
    return row->count > 0 && row->epoch >= sections.fork_epoch ? row : NULL;
}

const struct vbt_kept_run *vbt_section_run_at(const struct vbt_section_runs *times, uint64_t number) {
    if (!is_kept(times, number))
        return NULL;
    return number <= VBT_FIRST_RUNS ? &times->first[number - 1] : &times->latest[latest_place(number)];
}

uint64_t vbt_section_runs_unnamed(void) { return sections.unnamed; }

void vbt_section_runs_after_fork(uint64_t epoch) {
    sections.fork_epoch = epoch;
    sections.unnamed = 0;
}
