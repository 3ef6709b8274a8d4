/* What a run ran on: counts of another Python, allocator or library are not those of this one. */
#ifndef VBT_ENVIRONMENT_H
#define VBT_ENVIRONMENT_H

#include "analyzer/analysis/compare/compare_side.h"

/* A fact that is not the same on both sides. */
struct vbt_unlike {
    const char *fact;     /* as --allow names it */
    char *baseline, *now; /* "none" where there is none */
    bool allowed;
};

struct vbt_unlikes {
    struct vbt_unlike *rows;
    size_t count, capacity;
};

/* The names that --allow takes, NULL-terminated. */
extern const char *const vbt_environment_facts[];

/* Compares the first run of each side. allow: names, separated by commas; NULL: none. */
void vbt_environment_compare(struct vbt_unlikes *unlikes, const struct vbt_side *old, const struct vbt_side *new,
                             const char *allow);
void vbt_unlikes_free(struct vbt_unlikes *unlikes);

/* NULL, or what is wrong with a list of names as a phrase, for the caller to free. */
char *vbt_allow_wrong(const char *allow);

/* The fact of a run; NULL: unknown. Of libraries: lines of "name build-id". */
const char *vbt_environment_fact(const struct vbt_compared_run *run, size_t fact);

#endif
