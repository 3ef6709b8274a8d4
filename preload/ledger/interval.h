/* Intervals: what a thread allocated and freed between two clock readings by the user's code, or in
 * a marked section.
 *
 * The start keeps the thread's totals, the end takes the difference. To attribute the cost to call
 * sites, the first change of an account between two boundaries notes its counters as they were
 * (vbt_intervals_note); a boundary turns the notes into differences, which every open interval
 * takes when it ends. Repetitions of the same interval are summed in a group, which the stream
 * writes. */
#ifndef VBT_INTERVAL_H
#define VBT_INTERVAL_H

#include "counters.h"
#include "section_runs.h"
#include "preload/base/lock.h"
#include "preload/base/memory.h"

struct vbt_flow {
    uint64_t allocs, frees, allocated, freed;
};

struct vbt_open_interval {
    uint32_t from;       /* site */
    uint32_t group;      /* sections: known from the start; 0: not recorded */
    uint32_t found_from; /* index into the thread's notes of the first difference since the start */
    uint32_t label;      /* sections: string id */
    uint64_t iterations; /* sections */
    struct vbt_section_ref run;
    int64_t time;          /* ns at the start */
    struct vbt_flow start; /* the thread's totals then */
    struct vbt_flow own;   /* vbtrace's own events since */
    int64_t live;          /* the program's live bytes at the start */
    int64_t high;          /* the highest since */
};

struct vbt_note {
    uint32_t account;
    struct vbt_flow flow; /* the counters before the change, or what has changed since */
};

enum { VBT_SECTIONS = 32, VBT_NOTES = 1 << 18, VBT_LABEL_MAX = 1024 }; /* the last: bytes that distinguish labels */

/* Of one thread. A reading is pending until something else happens on the thread: if the thread
 * waits for a lock instead, the reading was for that wait's deadline, and not the user's. */
struct vbt_intervals {
    uint32_t breaks;       /* vbt_interval_breaks as last seen */
    uint32_t pending_site; /* 0: no reading is pending */
    int64_t pending_time;
    bool clock_open;
    struct vbt_open_interval clock;
    uint32_t depth; /* of open sections; those beyond VBT_SECTIONS are counted as lost */
    struct vbt_open_interval sections[VBT_SECTIONS];
    /* First the differences that earlier boundaries found, which intervals that are still open take
     * when they end; then the notes since the last boundary. Mapped when first needed. */
    struct vbt_note *notes;
    uint32_t found_count, note_count;
};

struct vbt_quantity_stats {
    int64_t min, max, total;
};

struct vbt_interval_group {
    uint8_t kind; /* enum vbt_interval_kind */
    uint32_t from, to, label;
    uint64_t count, iterations;
    uint64_t begun;  /* sections: those that have ended, and those that have not */
    double mean, m2; /* of the time: Welford's running mean and sum of squared differences */
    struct vbt_quantity_stats stats[VBT_QUANTITIES];
    uint64_t epoch; /* vbt_epoch at the last change */
};

struct vbt_interval_site {
    uint32_t group, node;
    struct vbt_flow flow;
    uint64_t epoch;
};

/* All groups of the process; ids start at 1. In the child of a fork, what has not changed since is
 * the parent's, and is read as if nothing had been counted. */
struct vbt_interval_groups {
    struct vbt_vector groups, sites;
    uint64_t fork_epoch; /* vbt_epoch then */
};

extern struct vbt_interval_groups vbt_interval_groups VBT_HIDDEN;

/* NULL: nothing has been counted there. */
static inline const struct vbt_interval_group *vbt_interval_group_at(uint32_t id) {
    const struct vbt_interval_group *group = VBT_VECTOR_ITEM(&vbt_interval_groups.groups, const struct vbt_interval_group, id);
    return group->epoch >= vbt_interval_groups.fork_epoch ? group : NULL;
}
static inline const struct vbt_interval_site *vbt_interval_site_at(uint32_t id) {
    const struct vbt_interval_site *site = VBT_VECTOR_ITEM(&vbt_interval_groups.sites, const struct vbt_interval_site, id);
    return site->epoch >= vbt_interval_groups.fork_epoch ? site : NULL;
}
extern struct vbt_lock vbt_interval_lock VBT_HIDDEN;

/* Incremented when recording stops: intervals that are open then are dropped. */
extern _Atomic uint32_t vbt_interval_breaks VBT_HIDDEN;

/* Is there nothing open that a change could be noted for, and no reading that it would confirm? */
static inline bool vbt_intervals_are_idle(const struct vbt_ledger *ledger) {
    const struct vbt_intervals *all = ledger->intervals;
    return all->pending_site == 0 && !all->clock_open && all->depth == 0;
}

/* The user's code read the clock at site, at time (ns): ends the open clock interval and starts the
 * next. */
void vbt_intervals_reading(struct vbt_ledger *ledger, uint32_t site, int64_t time);

/* The pending reading counts from now on; nothing has been booked on the thread since it was made.
 * Does nothing if there is none. */
void vbt_intervals_confirm(struct vbt_ledger *ledger);

/* The pending reading was not the user's. */
void vbt_intervals_withdraw(struct vbt_ledger *ledger);

void vbt_intervals_section_begin(struct vbt_ledger *ledger, uint32_t site, uint32_t label, uint64_t iterations, int64_t time);

/* Ends the innermost open section with this label and those inside it; does nothing if there is
 * none. */
void vbt_intervals_section_end(struct vbt_ledger *ledger, uint32_t site, uint32_t label, int64_t time);

/* What a section took, as its group has it. */
struct vbt_section_counts {
    struct vbt_flow flow;
    int64_t high; /* above the live bytes at the beginning */
};

/* The same, and *counts is what the section took. False, and *counts unchanged, if there is none,
 * or if it was not recorded. */
bool vbt_intervals_section_end_counted(struct vbt_ledger *ledger, uint32_t site, uint32_t label, int64_t time,
                                       struct vbt_section_counts *counts);

/* For the ledger: an account is about to change for the first time since the last boundary. */
void vbt_intervals_note(struct vbt_ledger *ledger, uint32_t account, const struct vbt_counters *counters);

/* For the ledger: live is about to fall. Returns the live bytes above which to call again. */
int64_t vbt_intervals_crest(struct vbt_ledger *ledger);

/* A thread's state starts over, in the child of a fork or for another thread: nothing is open. */
void vbt_intervals_reset(struct vbt_ledger *ledger);

/* In the child of a fork: no interval has ended yet. Ids stay. */
void vbt_interval_groups_forget(void);

#endif
