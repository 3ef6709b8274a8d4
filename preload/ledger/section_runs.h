/* When sections ran, so that a part of the run can be named by them: of each name the first runs
 * and the latest, however many there are. Under the lock of intervals. */
#ifndef VBT_SECTION_RUNS_H
#define VBT_SECTION_RUNS_H

#include <stdint.h>

/* Runs of a name that are kept; names. */
enum { VBT_FIRST_RUNS = 64, VBT_LATEST_RUNS = 64, VBT_SECTION_NAMES = 1024 };

struct vbt_kept_run {
    int64_t begun, ended; /* ns since the start; ended less than begun: it has not */
};

struct vbt_section_runs {
    uint32_t label;
    uint64_t count; /* runs that began */
    uint64_t epoch; /* vbt_epoch at the last change */
    struct vbt_kept_run first[VBT_FIRST_RUNS];
    struct vbt_kept_run latest[VBT_LATEST_RUNS]; /* those after the first, over and over */
};

/* Which run it is: 0, 0 if it is not kept. */
struct vbt_section_ref {
    uint32_t name;
    uint64_t number; /* of its runs, from 1 */
};

/* A run begins, or ends; of one that is no longer kept, its end is not. */
struct vbt_section_ref vbt_section_run_begins(uint32_t label, int64_t time);
void vbt_section_run_ends(struct vbt_section_ref ref, int64_t time);

/* How many names there are: 1 to this. */
uint32_t vbt_section_names(void);

/* NULL: nothing ran there, in the child of a fork since then. */
const struct vbt_section_runs *vbt_section_runs_of(uint32_t name);

/* A run of a name, NULL if it is not kept. number: from 1. */
const struct vbt_kept_run *vbt_section_run_at(const struct vbt_section_runs *times, uint64_t number);

/* Runs with names for which there was no room. */
uint64_t vbt_section_runs_unnamed(void);

/* In the child of a fork: epoch is the first of its own. */
void vbt_section_runs_after_fork(uint64_t epoch);

#endif
