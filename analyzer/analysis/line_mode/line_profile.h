/* What line mode counted, function by function: the lines that ran, with what each execution
 * cost. */
#ifndef VBT_LINE_PROFILE_H
#define VBT_LINE_PROFILE_H

#include "analyzer/analysis/filter.h"
#include "analyzer/symbols/places.h"
#include "analyzer/symbols/source.h"

/* Times are without the cost of measuring, as far as that is known, and never below 0. */
struct vbt_profile_sums {
    int64_t time, overhead; /* ns; overhead is already subtracted */
    int64_t allocs, frees, allocated, freed, temporary, objects;
};

struct vbt_profile_line {
    int64_t line;
    uint64_t hits, entries;           /* entries: calls of the function that began or resumed at this line */
    struct vbt_profile_sums all, own; /* with what it called, and without */
    int64_t least, most;              /* of the heap's change in one execution */
    int64_t high;                     /* highest live bytes of the process */
    bool ran_before;                  /* of a part of a run: least, most and high are not known */
    uint64_t rss;                     /* 0: not known */
};

struct vbt_profile_function {
    const struct vbt_source_place *place; /* its first line */
    bool decorated;                       /* carries @profile */
    bool is_module;
    struct vbt_profile_line *lines; /* sorted */
    size_t count, capacity;
    int64_t time; /* of all lines, with what they called, ns */
};

struct vbt_line_profile {
    struct vbt_profile_function *functions; /* in order of file and first line */
    size_t count;
    int64_t event_cost; /* of reporting one event, ps */
    int64_t overhead;   /* of all, ns */
    enum vbt_objects objects;
    bool is_qualified; /* function names say what they are defined in; before Python 3.11 they do not */
};

/* Collects the functions that pass the filter; see line_fold.h for nested ones. */
void vbt_line_profile_build(struct vbt_line_profile *profile, const struct vbt_model *model, struct vbt_places *places,
                            struct vbt_filter *filter);
void vbt_line_profile_free(struct vbt_line_profile *profile);

/* Adds the sums, or subtracts them if sign is -1. */
void vbt_profile_sums_add(struct vbt_profile_sums *to, const struct vbt_profile_sums *more, int sign);

/* Sorts the lines, merges equal ones, and adds up the function's time. */
void vbt_profile_merge_lines(struct vbt_profile_function *function);

/* The last line of a function's text, or the last line that ran, if that comes later (the file was
 * changed). */
int64_t vbt_profile_last_line(const struct vbt_profile_function *function, struct vbt_sources *sources);

/* The line to show after this one: the next that has a text or ran, INT64_MAX if there is none. A
 * trace may hold any line number, and all between have neither. */
int64_t vbt_profile_next_line(const struct vbt_profile_function *function, struct vbt_sources *sources, int64_t line);

/* Does any function carry @profile? */
bool vbt_profile_any_decorated(const struct vbt_line_profile *profile);

/* The entry of a line, or NULL. *at is where the last search ended, 0 at first. */
const struct vbt_profile_line *vbt_profile_find(const struct vbt_profile_function *function, int64_t line, size_t *at);

#endif
