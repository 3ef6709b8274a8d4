/* See interval.h. */
#include "interval.h"

#include "ledger.h"
#include "preload/base/table.h"
#include "preload/tree/tree.h"

#include <string.h>

enum { MAX_GROUPS = 1 << 14, MAX_SITES = 1 << 20 };

struct vbt_interval_groups vbt_interval_groups;
struct vbt_lock vbt_interval_lock VBT_CHANGED_BY_FORK;

_Atomic uint32_t vbt_interval_breaks;

/* Protected by the groups' lock. */
static struct vbt_table group_ids, site_ids;

static struct vbt_flow flow_of(const struct vbt_ledger *ledger) {
    struct vbt_flow flow = {0, 0, 0, 0};
    for (int domain = 0; domain < VBT_DOMAIN_MAP; domain++) {
        flow.allocs += ledger->totals[domain].allocs;
        flow.frees += ledger->totals[domain].frees;
        flow.allocated += ledger->totals[domain].allocated;
        flow.freed += ledger->totals[domain].freed;
    }
    return flow;
}

static void flow_add(struct vbt_flow *sum, const struct vbt_flow *more) {
    sum->allocs += more->allocs;
    sum->frees += more->frees;
    sum->allocated += more->allocated;
    sum->freed += more->freed;
}

static struct vbt_flow flow_minus(const struct vbt_flow *a, const struct vbt_flow *b) {
    return (struct vbt_flow){a->allocs - b->allocs, a->frees - b->frees, a->allocated - b->allocated, a->freed - b->freed};
}

/* Needs the groups' lock; 0 when there is no room. */
static uint32_t group_of(enum vbt_interval_kind kind, uint32_t from, uint32_t to, uint32_t label) {
    uint64_t key = ((uint64_t)from << 32 | to) + 2;
    uint32_t key2 = label << 1 | (kind == VBT_INTERVAL_SECTION);
    uint32_t id = vbt_table_get(&group_ids, key, key2);
    if (id != 0)
        return id;
    struct vbt_vector *groups = &vbt_interval_groups.groups;
    if (groups->count == 0)
        vbt_vector_add(groups, sizeof(struct vbt_interval_group)); /* id 0 is unused */
    if (groups->count > MAX_GROUPS || (id = vbt_vector_add(groups, sizeof(struct vbt_interval_group))) == 0)
        return 0;
    *(struct vbt_interval_group *)vbt_vector_at(groups, id) =
        (struct vbt_interval_group){.kind = (uint8_t)kind, .from = from, .to = to, .label = label};
    return vbt_table_put(&group_ids, key, key2, id) ? id : 0;
}

/* A group that is about to change: in a forked child, what the parent counted there is forgotten at
 * the first change. Needs the groups' lock. */
static struct vbt_interval_group *open_group(uint32_t id) {
    struct vbt_interval_group *group = vbt_vector_at(&vbt_interval_groups.groups, id);
    if (group->epoch < vbt_interval_groups.fork_epoch)
        *group = (struct vbt_interval_group){.kind = group->kind, .from = group->from, .to = group->to, .label = group->label};
    group->epoch = atomic_load_explicit(&vbt_epoch, memory_order_relaxed);
    return group;
}

/* Needs the groups' lock. */
static void add_site(struct vbt_ledger *ledger, uint32_t group, uint32_t node, const struct vbt_flow *flow) {
    struct vbt_vector *sites = &vbt_interval_groups.sites;
    uint64_t key = ((uint64_t)group << 32 | node) + 2;
    uint32_t id = vbt_table_get(&site_ids, key, 0);
    if (id == 0) {
        if (sites->count == 0)
            vbt_vector_add(sites, sizeof(struct vbt_interval_site));
        if (sites->count > MAX_SITES || (id = vbt_vector_add(sites, sizeof(struct vbt_interval_site))) == 0 ||
            !vbt_table_put(&site_ids, key, 0, id)) {
            ledger->lost[VBT_LOST_INTERVAL_SITES]++;
            return;
        }
        *(struct vbt_interval_site *)vbt_vector_at(sites, id) = (struct vbt_interval_site){.group = group, .node = node};
    }
    struct vbt_interval_site *site = vbt_vector_at(sites, id);
    if (site->epoch < vbt_interval_groups.fork_epoch)
        site->flow = (struct vbt_flow){0};
    flow_add(&site->flow, flow);
    site->epoch = atomic_load_explicit(&vbt_epoch, memory_order_relaxed);
}

/* Makes each account's next change take the slow path, which calls vbt_intervals_confirm. */
static void next_interval(struct vbt_ledger *ledger) {
    ledger->interval++;
    ledger->interval_epoch_before = ledger->interval_epoch;
    ledger->interval_epoch = atomic_fetch_add(&vbt_epoch, 1) + 1;
}

static uint32_t open_sections(const struct vbt_intervals *all) { return all->depth < VBT_SECTIONS ? all->depth : VBT_SECTIONS; }

static bool anything_open(const struct vbt_intervals *all) { return all->clock_open || all->depth > 0; }

void vbt_intervals_note(struct vbt_ledger *ledger, uint32_t account, const struct vbt_counters *counters) {
    struct vbt_intervals *all = ledger->intervals;
    if (!anything_open(all))
        return;
    if (all->notes == NULL && (all->notes = vbt_map(2 * VBT_NOTES * sizeof *all->notes)) == NULL) {
        ledger->lost[VBT_LOST_MEMORY]++;
        return;
    }
    if (all->note_count == VBT_NOTES) {
        ledger->lost[VBT_LOST_INTERVAL_SITES]++;
        return;
    }
    struct vbt_flow before = {counters->allocs, counters->frees, counters->allocated, counters->freed};
    all->notes[all->found_count + all->note_count++] = (struct vbt_note){account, before};
}

int64_t vbt_intervals_crest(struct vbt_ledger *ledger) {
    struct vbt_intervals *all = ledger->intervals;
    int64_t live = ledger->live - ledger->own;
    int64_t lowest = INT64_MAX;
    uint32_t depth = open_sections(all);
    for (uint32_t i = 0; i < depth + all->clock_open; i++) {
        struct vbt_open_interval *open = i < depth ? &all->sections[i] : &all->clock;
        if (live > open->high)
            open->high = live;
        if (open->high < lowest)
            lowest = open->high;
    }
    return lowest == INT64_MAX ? INT64_MAX : lowest + ledger->own;
}

/* Books in its group what was found for an interval. Needs the groups' lock. */
static void book_found(struct vbt_ledger *ledger, struct vbt_open_interval *open, uint32_t group) {
    struct vbt_intervals *all = ledger->intervals;
    for (uint32_t i = open->found_from; group != 0 && i < all->found_count; i++)
        add_site(ledger, group, vbt_account_node(all->notes[i].account), &all->notes[i].flow);
    open->found_from = all->found_count;
}

/* There is no more room: sections take what they have so far, so that their call sites are known
 * even if they never end. A clock interval, whose group is not known yet, loses it. */
static void make_room(struct vbt_ledger *ledger) {
    struct vbt_intervals *all = ledger->intervals;
    for (uint32_t s = 0; s < open_sections(all); s++) {
        book_found(ledger, &all->sections[s], all->sections[s].group);
        all->sections[s].found_from = 0;
    }
    if (all->clock_open)
        ledger->lost[VBT_LOST_INTERVAL_SITES] += all->found_count - all->clock.found_from;
    all->clock.found_from = 0;
    all->found_count = 0;
}

/* Turns the notes since the last boundary into differences. clock_group: that of the open clock
 * interval, which ends now, or 0; if no section needs the differences too, they are booked there at
 * once. Needs the groups' lock. */
static void settle_notes(struct vbt_ledger *ledger, uint32_t clock_group) {
    struct vbt_intervals *all = ledger->intervals;
    uint32_t end = all->found_count + all->note_count;
    for (uint32_t i = all->found_count; i < end; i++) {
        uint32_t account = all->notes[i].account, node = vbt_account_node(account);
        struct vbt_counted now;
        const struct vbt_counters *counters = vbt_counted_now(ledger, account, &now);
        struct vbt_flow after = {counters->allocs, counters->frees, counters->allocated, counters->freed};
        struct vbt_flow flow = flow_minus(&after, &all->notes[i].flow);
        if (counters->epoch & VBT_EPOCH_OWN || node == vbt_tree.line_node) {
            flow_add(&all->clock.own, &flow);
            for (uint32_t s = 0; s < open_sections(all); s++)
                flow_add(&all->sections[s].own, &flow);
            continue;
        }
        if (clock_group != 0 && all->depth == 0) {
            add_site(ledger, clock_group, node, &flow);
            continue;
        }
        if (all->found_count == VBT_NOTES)
            make_room(ledger);
        all->notes[all->found_count++] = (struct vbt_note){account, flow}; /* where this note was, or one before it */
    }
    all->note_count = 0;
    next_interval(ledger);
}

/* What was found is no longer needed once no open interval began before it. */
static void forget_found(struct vbt_intervals *all) {
    if (all->depth > 0)
        return;
    all->found_count = 0;
    all->clock.found_from = 0;
}

static void stat_add(struct vbt_interval_group *group, enum vbt_quantity quantity, int64_t value) {
    struct vbt_quantity_stats *stats = &group->stats[quantity];
    if (group->count == 0 || value < stats->min)
        stats->min = value;
    if (group->count == 0 || value > stats->max)
        stats->max = value;
    stats->total += value;
}

/* What an open interval took so far, whose notes are settled. */
static struct vbt_section_counts counts_of(const struct vbt_ledger *ledger, const struct vbt_open_interval *open) {
    struct vbt_flow now = flow_of(ledger), flow = flow_minus(&now, &open->start);
    int64_t high = ledger->live - ledger->own;
    return (struct vbt_section_counts){flow_minus(&flow, &open->own), (open->high > high ? open->high : high) - open->live};
}

/* Books one repetition in its group. Needs the groups' lock. */
static void settle_interval(struct vbt_ledger *ledger, const struct vbt_open_interval *open, uint32_t id, int64_t time) {
    struct vbt_interval_group *group = open_group(id);
    struct vbt_section_counts counts = counts_of(ledger, open);
    struct vbt_flow flow = counts.flow;
    stat_add(group, VBT_Q_TIME, time - open->time);
    stat_add(group, VBT_Q_ALLOCS, (int64_t)flow.allocs);
    stat_add(group, VBT_Q_FREES, (int64_t)flow.frees);
    stat_add(group, VBT_Q_ALLOCATED, (int64_t)flow.allocated);
    stat_add(group, VBT_Q_FREED, (int64_t)flow.freed);
    stat_add(group, VBT_Q_NET, (int64_t)(flow.allocated - flow.freed));
    stat_add(group, VBT_Q_HIGH, counts.high);
    group->count++;
    group->iterations += open->iterations;
    double difference = (double)(time - open->time) - group->mean;
    group->mean += difference / (double)group->count;
    group->m2 += difference * ((double)(time - open->time) - group->mean);
}

static struct vbt_open_interval open_interval(const struct vbt_ledger *ledger, uint32_t from, int64_t time) {
    int64_t live = ledger->live - ledger->own;
    return (struct vbt_open_interval){.from = from,
                                      .found_from = ledger->intervals->found_count,
                                      .time = time,
                                      .start = flow_of(ledger),
                                      .live = live,
                                      .high = live};
}

void vbt_intervals_reading(struct vbt_ledger *ledger, uint32_t site, int64_t time) {
    struct vbt_intervals *all = ledger->intervals;
    vbt_intervals_confirm(ledger);
    all->pending_site = site;
    all->pending_time = time;
    next_interval(ledger);
}

void vbt_intervals_withdraw(struct vbt_ledger *ledger) {
    if (ledger->intervals->pending_site == 0)
        return;
    ledger->intervals->pending_site = 0;
    ledger->interval--; /* nothing has changed under this number */
    ledger->interval_epoch = ledger->interval_epoch_before;
}

void vbt_intervals_confirm(struct vbt_ledger *ledger) {
    struct vbt_intervals *all = ledger->intervals;
    uint32_t breaks = atomic_load_explicit(&vbt_interval_breaks, memory_order_relaxed);
    if (VBT_UNLIKELY(all->breaks != breaks)) {
        all->breaks = breaks;
        vbt_intervals_reset(ledger);
    }
    uint32_t site = all->pending_site;
    int64_t time = all->pending_time;
    if (site == 0)
        return;
    all->pending_site = 0;
    vbt_lock(&vbt_interval_lock);
    uint32_t group = all->clock_open ? group_of(VBT_INTERVAL_CLOCK, all->clock.from, site, 0) : 0;
    settle_notes(ledger, group);
    if (group != 0)
        settle_interval(ledger, &all->clock, group, time);
    else
        ledger->lost[VBT_LOST_INTERVALS] += all->clock_open;
    if (all->clock_open)
        book_found(ledger, &all->clock, group);
    vbt_unlock(&vbt_interval_lock);
    forget_found(all);
    all->clock_open = true;
    all->clock = open_interval(ledger, site, time);
    vbt_ledger_forget_crest(ledger);
}

void vbt_intervals_section_begin(struct vbt_ledger *ledger, uint32_t site, uint32_t label, uint64_t iterations, int64_t time) {
    struct vbt_intervals *all = ledger->intervals;
    vbt_intervals_confirm(ledger);
    vbt_lock(&vbt_interval_lock);
    settle_notes(ledger, 0);
    uint32_t group = group_of(VBT_INTERVAL_SECTION, site, 0, label);
    struct vbt_section_ref run = {0, 0};
    if (all->depth >= VBT_SECTIONS || group == 0) {
        ledger->lost[VBT_LOST_INTERVALS]++;
    } else {
        open_group(group)->begun++; /* one that never ends is reported */
        run = vbt_section_run_begins(label, time);
    }
    vbt_unlock(&vbt_interval_lock);
    if (all->depth < VBT_SECTIONS) {
        struct vbt_open_interval *section = &all->sections[all->depth];
        *section = open_interval(ledger, site, time);
        section->group = group;
        section->label = label;
        section->iterations = iterations;
        section->run = run;
    }
    all->depth++;
    vbt_ledger_forget_crest(ledger);
}

void vbt_intervals_section_end(struct vbt_ledger *ledger, uint32_t site, uint32_t label, int64_t time) {
    struct vbt_section_counts unused;
    vbt_intervals_section_end_counted(ledger, site, label, time, &unused);
}

bool vbt_intervals_section_end_counted(struct vbt_ledger *ledger, uint32_t site, uint32_t label, int64_t time,
                                       struct vbt_section_counts *counts) {
    struct vbt_intervals *all = ledger->intervals;
    vbt_intervals_confirm(ledger);
    if (all->depth > VBT_SECTIONS) { /* one that was not recorded */
        all->depth--;
        return false;
    }
    uint32_t found = all->depth;
    while (found > 0 && all->sections[found - 1].label != label)
        found--;
    if (found == 0)
        return false;
    vbt_lock(&vbt_interval_lock);
    settle_notes(ledger, 0);
    bool recorded = all->sections[found - 1].group != 0;
    if (recorded)
        *counts = counts_of(ledger, &all->sections[found - 1]);
    while (all->depth >= found) {
        struct vbt_open_interval *section = &all->sections[--all->depth];
        if (section->group == 0)
            continue;
        settle_interval(ledger, section, section->group, time);
        book_found(ledger, section, section->group);
        vbt_section_run_ends(section->run, time);
        open_group(section->group)->to = site;
    }
    vbt_unlock(&vbt_interval_lock);
    if (!all->clock_open)
        forget_found(all);
    return recorded;
}

void vbt_intervals_reset(struct vbt_ledger *ledger) {
    struct vbt_intervals *all = ledger->intervals;
    all->pending_site = 0;
    all->clock_open = false;
    all->depth = 0;
    all->note_count = 0;
    all->found_count = 0;
    next_interval(ledger);
}

void vbt_interval_groups_forget(void) {
    vbt_interval_groups.fork_epoch = atomic_fetch_add(&vbt_epoch, 1) + 1;
    vbt_section_runs_after_fork(vbt_interval_groups.fork_epoch);
}
