/* What has to be known to read a comparison right: what differs around the program, what could not
 * be paired or told, what is missing. */
#include "compare_noise.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/units.h"

#include <stddef.h>
#include <string.h>

static const char *text_of(const struct vbt_compared_run *run, size_t offset) {
    return *(char *const *)(const void *)((const char *)run + offset);
}

static bool same(const char *a, const char *b) { return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0); }

/* Versions of what programs run on: other ones explain other counts. */
static void note_environment(struct vbt_findings *f) {
    static const struct {
        size_t offset;
        const char *what;
    } facts[] = {{offsetof(struct vbt_compared_run, python), "Python"},
                 {offsetof(struct vbt_compared_run, libc), "C library"},
                 {offsetof(struct vbt_compared_run, vbtrace), "vbtrace"},
                 {offsetof(struct vbt_compared_run, native), "--native"}};
    const struct vbt_comparison *c = f->comparison;
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        const char *old = text_of(&c->old.runs[0], facts[i].offset), *new = text_of(&c->new.runs[0], facts[i].offset);
        if (!same(old, new))
            vbt_findings_note(f, vbt_text("Another %s: %s before, %s now. That alone can change what is allocated, and where.",
                                          facts[i].what, old != NULL ? old : "none", new != NULL ? new : "none"));
    }
    for (size_t run = 1; run < c->old.run_count + c->new.run_count; run++) {
        const struct vbt_compared_run *first = run < c->old.run_count ? &c->old.runs[0] : &c->new.runs[0];
        const struct vbt_compared_run *other = vbt_compared_run(c, run);
        if (!same(first->program, other->program))
            vbt_findings_note(f, vbt_text("The runs of the %s side are not of one program: %s is of %s, %s is of %s.",
                                          run < c->old.run_count ? "old" : "new", first->name, first->program, other->name,
                                          other->program));
    }
}

static void note_missing(struct vbt_findings *f) {
    const struct vbt_comparison *c = f->comparison;
    for (size_t run = 0; run < c->old.run_count + c->new.run_count; run++) {
        const struct vbt_compared_run *r = vbt_compared_run(c, run);
        if (!r->complete)
            vbt_findings_note(
                f, vbt_text("%s is not complete: cut off, damaged or still being written. What is missing there shows as "
                            "a difference.",
                            r->name));
        if (r->lost > 0)
            vbt_findings_note(f,
                              vbt_text("%s lost %s, which no row counts.", r->name, vbt_counted((int64_t)r->lost, "event").text));
    }
}

static void note_source(struct vbt_findings *f) {
    size_t old = f->comparison->old.without_source, new = f->comparison->new.without_source;
    if (old + new > 0)
        vbt_findings_note(
            f,
            vbt_text("The source of %s of your own of the old side and %s of the new side was not to be had, or was changed after "
                     "the trace began. These are paired by how far they are into their function, and among them no "
                     "renamed function is looked for.",
                     vbt_counted((int64_t)old, "line").text, vbt_count((int64_t) new).text));
}

static bool any_noise(const struct vbt_findings *f) {
    return f->totals.tests + f->lines.judgement.tests + f->paths.judgement.tests + f->functions.judgement.tests > 0;
}

static void note_runs(struct vbt_findings *f) {
    size_t old = f->comparison->old.run_count, new = f->comparison->new.run_count;
    if (old == 1 && new == 1)
        vbt_findings_note(f,
                          vbt_text("One run a side: what varies from run to run by itself is not known. Two or more runs of each "
                                   "tell: vbtrace diff OLD1 OLD2 -- NEW1 NEW2."));
    else if (any_noise(f) && (old < VBT_RUNS_TO_TELL || new < VBT_RUNS_TO_TELL))
        vbt_findings_note(f,
                          vbt_text("Of numbers that vary from run to run, %zu and %zu runs cannot tell a difference from chance; "
                                   "%d and %d can.",
                                   old, new, VBT_RUNS_TO_TELL, VBT_RUNS_TO_TELL));
}

void vbt_findings_notes(struct vbt_findings *f) {
    note_environment(f);
    note_missing(f);
    note_runs(f);
    vbt_noise_notes(f);
    note_source(f);
    if (f->difference != NULL)
        vbt_findings_note(f, vbt_text("The rows do not add up to the totals: %s.", f->difference));
}
