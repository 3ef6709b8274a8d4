/* What every function allocates itself, and with everything it calls. */
#ifndef VBT_FUNCTIONS_H
#define VBT_FUNCTIONS_H

#include "attribute.h"
#include "places.h"

struct vbt_function {
    const struct vbt_place *place;
    uint64_t self_allocs, self_bytes;             /* of its own lines */
    uint64_t cumulative_allocs, cumulative_bytes; /* of all call paths it is on, each counted once however often it recurs */
};

struct vbt_functions {
    struct vbt_function *rows;
    size_t count;
};

/* Self counts of all functions add up to the totals. Native functions count where no Python calls them: below that, what they
 * allocate belongs to the Python line. Takes time in proportion to the nodes, however deep they nest. */
void vbt_functions_build(struct vbt_functions *functions, const struct vbt_model *model, const struct vbt_attribution *attribution,
                         struct vbt_places *places);
void vbt_functions_free(struct vbt_functions *functions);

void vbt_functions_sort(struct vbt_functions *functions, const char *key);
extern const char *const vbt_function_keys[];

/* Leaves the rows whose file or name contains a text. */
void vbt_functions_filter(struct vbt_functions *functions, const char *text);

#endif
