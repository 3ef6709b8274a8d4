/* What functions did on both sides, from the joined call tree. */
#include "compare_join.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>

/* The function pair that what was counted at each path belongs to. Without whole native stacks,
 * what native code asks for below a line of Python is the line's own. */
static uint32_t *find_owners(const struct vbt_comparison *c) {
    bool full = c->old.any_full || c->new.any_full;
    uint32_t *owners = vbt_new(c->path_count, sizeof *owners), *python = vbt_new(c->path_count, sizeof *python);
    for (size_t i = 1; i < c->path_count; i++) {
        uint32_t function = vbt_pair_function_of(c, c->paths[i].place);
        bool native = vbt_pair_function(c, function)->kind == VBT_PLACE_NATIVE;
        python[i] = native && !full ? python[c->paths[i].parent] : full ? 0 : function;
        owners[i] = native && python[i] != 0 ? python[i] : function;
    }
    free(python);
    return owners;
}

/* Paths whose function is not above them: what is below them counts once for it. */
static bool *find_outermost(const struct vbt_comparison *c, const uint32_t *owners) {
    uint32_t *child = vbt_new(c->path_count, sizeof *child), *sibling = vbt_new(c->path_count, sizeof *sibling);
    uint32_t *on_path = vbt_new(c->matching.functions.count + 1, sizeof *on_path);
    bool *outermost = vbt_new(c->path_count, sizeof *outermost);
    for (size_t i = c->path_count - 1; i > 0; i--) {
        sibling[i] = child[c->paths[i].parent];
        child[c->paths[i].parent] = (uint32_t)i;
    }
    for (uint32_t at = child[0]; at != 0;) {
        outermost[at] = on_path[owners[at]]++ == 0;
        if (child[at] != 0) {
            at = child[at];
            continue;
        }
        for (; at != 0; at = c->paths[at].parent) {
            on_path[owners[at]]--;
            if (sibling[at] != 0)
                break;
        }
        at = sibling[at];
    }
    free(child);
    free(sibling);
    free(on_path);
    return outermost;
}

void vbt_join_functions(struct vbt_comparison *c) {
    uint32_t *owners = find_owners(c);
    bool *outermost = find_outermost(c, owners);
    struct vbt_values sums;
    vbt_compared_sums(&sums, c);
    vbt_values_at(&c->functions, c->matching.functions.count, 0);
    vbt_values_at(&c->with_called, c->matching.functions.count, 0);
    for (size_t i = 0; i < c->path_count; i++)
        for (size_t run = 0; run < sums.runs; run++) {
            vbt_counts_add(vbt_values_at(&c->functions, owners[i], run), vbt_values_of(&c->path_values, i, run));
            if (outermost[i])
                vbt_counts_add(vbt_values_at(&c->with_called, owners[i], run), vbt_values_of(&sums, i, run));
        }
    vbt_values_free(&sums);
    free(outermost);
    free(owners);
}
