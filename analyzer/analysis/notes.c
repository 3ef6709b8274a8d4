/* See notes.h. */
#include "notes.h"

#include "analyzer/analysis/line_mode/uncounted_lines.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/units.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    const char *sentence; /* with %s for how many */
} lost[VBT_LOST_KINDS] = {
    [VBT_LOST_SIGNAL] = {"signal",
                         "%s events of signal handlers that interrupted vbtrace are missing: allocations, clock readings."},
    [VBT_LOST_NODES] = {"nodes", "%s events are counted at [lost call path]: there was no room for more call paths."},
    [VBT_LOST_ADDRESS] = {"address", "%s blocks lay at addresses that cannot be followed; they are missing."},
    [VBT_LOST_MEMORY] = {"memory", "%s events are missing because vbtrace got no memory for its own tables."},
    [VBT_LOST_WRITE] = {"write", "%s bytes of trace could not be written."},
    [VBT_LOST_INTERVALS] = {"intervals", "%s intervals or sections were not recorded: too many, or too deeply nested."},
    [VBT_LOST_INTERVAL_SITES] = {"interval_sites", "%s events are missing in the call sites of intervals (their sums are right)."},
    [VBT_LOST_BUSY] = {"busy", "%s threads were inside an allocation when the trace ended; their last event may be missing."},
    [VBT_LOST_LINES] = {"lines", "Line mode could not follow %s calls: too deeply nested. What they did is their callers'."},
    [VBT_LOST_MAPS] =
        {"maps", "%s mappings of the parent are not known here: it forked, without the C library's fork, amid a thread's mmap."},
};

const char *vbt_lost_name(enum vbt_lost reason) { return lost[reason].name; }

uint64_t vbt_lost_total(const struct vbt_model *model) {
    uint64_t total = 0;
    for (int i = 0; i < VBT_LOST_KINDS; i++)
        total += (uint64_t)model->state[VBT_STATE_LOST + i];
    return total;
}

static void add(struct vbt_notes *notes, char *text) {
    notes->text = vbt_grow(notes->text, &notes->capacity, notes->count + 1, sizeof *notes->text);
    notes->text[notes->count++] = text;
}

static void note_end(struct vbt_notes *notes, const struct vbt_model *model) {
    char *damage = vbt_trace_damage(model);
    if (damage != NULL) {
        add(notes, vbt_text("The trace is %s.", damage));
        free(damage);
    } else if (!model->ended) {
        add(notes, vbt_text("The trace was cut off: it holds the state at %s. Call paths were written a moment before or after "
                            "the totals, so that sums can differ slightly.",
                            vbt_time((double)vbt_model_duration(model)).text));
    } else if (strcmp(model->end_reason, "seccomp") == 0) {
        add(notes,
            vbt_text("The program went into a sandbox (seccomp), where vbtrace might do harm: what came after was not recorded."));
    }
    if (!model->has_state)
        add(notes, vbt_text("The trace holds no totals: the program ended before the first one was written."));
}

static void note_lost(struct vbt_notes *notes, const struct vbt_model *model) {
    for (int i = 0; i < VBT_LOST_KINDS; i++) {
        int64_t count = model->state[VBT_STATE_LOST + i];
        const char *sentence = lost[i].sentence, *number = strstr(sentence, "%s");
        if (count != 0)
            add(notes, vbt_text("%.*s%s%s", (int)(number - sentence), sentence, vbt_count(count).text, number + 2));
    }
    int64_t truncated = model->state[VBT_STATE_STACKS_TRUNCATED];
    if (truncated != 0)
        add(notes, vbt_text("%s of %s call stacks were cut off at their outer end.", vbt_count(truncated).text,
                            vbt_count(model->state[VBT_STATE_STACKS_CAPTURED]).text));
}

static void note_verified(struct vbt_notes *notes, const struct vbt_model *model) {
    int64_t compared = model->state[VBT_STATE_VERIFY_COMPARED], different = model->state[VBT_STATE_VERIFY_DIFFERENT];
    if (different != 0)
        add(notes, vbt_text("%s of %s native call stacks that were compared with libunwind's differ: please report this as a bug.",
                            vbt_count(different).text, vbt_count(compared).text));
    else if (compared != 0)
        add(notes, vbt_text("%s native call stacks were compared with libunwind's: none differs.", vbt_count(compared).text));
}

static void note_pauses(struct vbt_notes *notes, const struct vbt_model *model) {
    int64_t pauses = model->state[VBT_STATE_PAUSES];
    if (pauses == 0)
        return;
    struct vbt_unit time = vbt_time((double)model->state[VBT_STATE_PAUSED_TIME]);
    char *times = pauses == 1 ? vbt_text("once") : vbt_text("%s times", vbt_count(pauses).text);
    add(notes,
        vbt_text("Recording was stopped %s, for %s in all. What was allocated then is missing; that blocks ended then which had "
                 "been recorded is not.",
                 times, time.text));
    free(times);
}

static void note_attribution(struct vbt_notes *notes, const struct vbt_model *model) {
    const char *status = vbt_model_process(model, "python_status"), *native = vbt_model_process(model, "native");
    if (vbt_model_process(model, "python") == NULL) {
        if (native != NULL && strcmp(native, "leaf") == 0)
            add(notes, vbt_text("Of native call stacks only the innermost call was kept: what a library allocates for the program "
                                "(C++ new, strdup, printf) stands at the library."));
    } else if (status != NULL && strcmp(status, "ok") != 0) {
        add(notes, vbt_text("Python lines are not attributed: %s", status));
    } else {
        add(notes,
            vbt_text("CPython keeps freed floats, tuples, lists, dicts and frames in free lists. An object that is served from "
                     "there makes no request to an allocator, and is not counted."));
    }
}

static void note_uncounted(struct vbt_notes *notes, const struct vbt_model *model) {
    char *uncounted = vbt_uncounted_lines(model);
    if (uncounted != NULL)
        add(notes, vbt_text("Line mode: %s.", uncounted));
    free(uncounted);
}

static void note_changes(struct vbt_notes *notes, const struct vbt_trace *trace) {
    char *trouble;
    for (size_t i = 0; (trouble = vbt_sources_trouble(trace->sources, i)) != NULL; i++)
        add(notes, trouble);
    for (size_t i = 0; (trouble = vbt_places_trouble(trace->places, i)) != NULL; i++)
        add(notes, trouble);
    char *nameless = vbt_places_nameless(trace->places);
    if (nameless != NULL)
        add(notes, vbt_text("Functions without a name (name+0x...) are in %s: debug packages have their names, and so have servers "
                            "that DEBUGINFOD_URLS can list.",
                            nameless));
    free(nameless);
}

void vbt_notes_collect(struct vbt_notes *notes, const struct vbt_trace *trace, const struct vbt_conservation *conservation) {
    const struct vbt_model *model = &trace->model;
    *notes = (struct vbt_notes){0};
    note_end(notes, model);
    if (!conservation->holds)
        add(notes, vbt_text("The sums over call paths differ from the totals (%s): please report this as a bug.",
                            conservation->difference));
    note_lost(notes, model);
    note_verified(notes, model);
    note_pauses(notes, model);
    if (model->state[VBT_STATE_LIMITED_TIME] != 0)
        add(notes,
            vbt_text("VBTRACE_MAX_TRACE or VBTRACE_MAX_MEMORY was reached before %s: from then on all call paths that were new are "
                     "counted together. Totals, peak and live bytes are exact all the same.",
                     vbt_time((double)model->state[VBT_STATE_LIMITED_TIME]).text));
    note_attribution(notes, model);
    note_uncounted(notes, model);
    for (size_t i = 0; i < model->process_count; i++)
        if (strcmp(model->process[i].key, "note") == 0)
            add(notes, vbt_text("%s", model->process[i].value));
    note_changes(notes, trace);
}

void vbt_notes_free(struct vbt_notes *notes) {
    for (size_t i = 0; i < notes->count; i++)
        free(notes->text[i]);
    free(notes->text);
    *notes = (struct vbt_notes){0};
}
