/* See compare_noise.h. A reason is seen where a call path goes through code that only it makes run
 * otherwise; what has no code of its own, where numbers vary and nothing else explains it. */
#include "compare_noise.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

enum reason { COMPILED, LISTED, REASONS };

/* Code of Python's import machinery. */
static const struct {
    const char *function;
    enum reason reason;
} signs[] = {{"source_to_code", COMPILED}, {"_cache_bytecode", COMPILED}, {"set_data", COMPILED},
             {"_write_atomic", COMPILED},  {"_fill_cache", LISTED},       {"_relax_case", LISTED}};

static const char *const sentences[REASONS] = {
    [COMPILED] = "Some of the difference is modules that are compiled: Python does that at their first import only, and keeps what "
                 "comes of it in __pycache__. Run the program once before, or set PYTHONDONTWRITEBYTECODE=1.",
    [LISTED] = "Some of the difference is a folder that imports look into: files were added to it or removed, traces perhaps."};

/* The reason that a function is a sign of; REASONS: of none. */
static uint8_t reason_of(const struct vbt_comparison *c, uint32_t function) {
    const char *name = vbt_pair_function(c, function)->name, *dot = strrchr(name, '.');
    name = dot != NULL ? dot + 1 : name;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (strcmp(signs[i].function, name) == 0 && strstr(vbt_pair_file(c, function), "importlib") != NULL)
            return (uint8_t)signs[i].reason;
    return REASONS;
}

/* Which reasons are seen; the last: numbers vary without one of these. */
static void find_reasons(const struct vbt_findings *f, bool seen[REASONS + 1]) {
    const struct vbt_comparison *c = f->comparison;
    uint8_t *of_function = vbt_new(c->matching.functions.count + 1, sizeof *of_function), *of = vbt_new(c->path_count, sizeof *of);
    for (uint32_t i = 1; i <= c->matching.functions.count; i++)
        of_function[i] = reason_of(c, i);
    of[0] = REASONS;
    for (uint32_t i = 1; i < c->path_count; i++) {
        uint8_t own = of_function[vbt_pair_function_of(c, c->paths[i].place)];
        bool varies = f->paths.judgement.noisy[i] != 0, differs = f->paths.judgement.counts[i] != 0;
        of[i] = own != REASONS ? own : of[c->paths[i].parent];
        if (varies || (differs && of[i] != REASONS))
            seen[of[i]] = true;
    }
    free(of_function);
    free(of);
}

static bool any_python(const struct vbt_side *side) {
    for (size_t i = 0; i < side->run_count; i++)
        if (side->runs[i].python != NULL)
            return true;
    return false;
}

static bool any_threads(const struct vbt_side *side) {
    for (size_t i = 0; i < side->run_count; i++)
        if (side->runs[i].threads > 1)
            return true;
    return false;
}

void vbt_noise_notes(struct vbt_findings *f) {
    const struct vbt_comparison *c = f->comparison;
    bool seen[REASONS + 1] = {false};
    find_reasons(f, seen);
    for (int i = 0; i < REASONS; i++)
        if (seen[i])
            vbt_findings_note(f, vbt_text("%s", sentences[i]));
    if (seen[REASONS] && any_python(&c->new))
        vbt_findings_note(
            f, vbt_text("Numbers vary from run to run on call paths in Python: its hashes of texts are random, and with them "
                        "the sizes and orders of sets and dictionaries. PYTHONHASHSEED=0 makes them the same."));
    if (seen[REASONS] && (any_threads(&c->old) || any_threads(&c->new)))
        vbt_findings_note(
            f, vbt_text("Numbers vary from run to run, and there are several threads: how they are scheduled decides what "
                        "each finds done already, and what is live at the peak."));
}
