/* See notes.h. */
#include "notes.h"

#include "analyzer/analysis/line_mode/uncounted_lines.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/units.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the library: preload/ledger/interval.c. */
#define INTERVAL_LIMITS                                                                                                            \
    "there is room for 16,384 different ones, and for 32 sections inside one another. Labels that are used again make fewer."
#define SITE_LIMITS                                                                                                                \
    "there is room for 1,048,576 call paths in all intervals together, and for 262,144 in one. The intervals' sums are right."

static const struct {
    const char *name;
    const char *one, *many; /* sentences; %s in many stands for how many */
} lost[VBT_LOST_KINDS] = {
    [VBT_LOST_SIGNAL] = {"signal",
                         "1 event is missing: an allocation or clock reading in a signal handler that interrupted vbtrace.",
                         "%s events are missing: allocations or clock readings in signal handlers that interrupted vbtrace."},
    [VBT_LOST_NODES] = {"nodes", "1 event is counted at [lost call path]: there was no room for more call paths.",
                        "%s events are counted at [lost call path]: there was no room for more call paths."},
    [VBT_LOST_ADDRESS] = {"address", "1 block is missing: it lay at an address that vbtrace cannot track.",
                          "%s blocks are missing: they lay at addresses that vbtrace cannot track."},
    [VBT_LOST_MEMORY] = {"memory", "1 event is missing because vbtrace could not get memory for its own tables.",
                         "%s events are missing because vbtrace could not get memory for its own tables."},
    [VBT_LOST_WRITE] = {"write", "1 byte of trace could not be written.", "%s bytes of trace could not be written."},
    [VBT_LOST_INTERVALS] = {"intervals", "1 interval or section was not recorded: " INTERVAL_LIMITS,
                            "%s intervals or sections were not recorded: " INTERVAL_LIMITS},
    [VBT_LOST_INTERVAL_SITES] = {"interval_sites", "1 event is missing from the call sites of intervals: " SITE_LIMITS,
                                 "%s events are missing from the call sites of intervals: " SITE_LIMITS},
    [VBT_LOST_BUSY] = {"busy", "1 thread was inside an allocation when the trace ended; its last event may be missing.",
                       "%s threads were inside an allocation when the trace ended; their last event may be missing."},
    [VBT_LOST_LINES] =
        {"lines",
         "Line mode could not follow 1 call, which was nested more than 65,536 deep; what it did is counted for its caller.",
         "Line mode could not follow %s calls, which were nested more than 65,536 deep; what they did is counted for their "
         "callers."},
    [VBT_LOST_MAPS] = {"maps",
                       "1 mapping of the parent is unknown in this process, because the parent forked during a thread's mmap, "
                       "without the C library's fork.",
                       "%s mappings of the parent are unknown in this process, because the parent forked during a thread's mmap, "
                       "without the C library's fork."},
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
    char *incomplete = vbt_trace_incomplete(model);
    if (incomplete != NULL) {
        add(notes, incomplete);
    } else if (vbt_model_complete(model) && strcmp(model->end_reason, "seccomp") == 0) {
        add(notes,
            vbt_text("The program entered a sandbox (seccomp), in which vbtrace could do harm: what came after was not recorded."));
    }
    if (!model->has_state)
        add(notes, vbt_text("The trace holds no totals: the program ended before the first were written."));
}

char *vbt_lost_note(const struct vbt_model *model, enum vbt_lost reason) {
    int64_t count = model->state[VBT_STATE_LOST + (int)reason];
    const char *many = lost[reason].many, *number = strstr(many, "%s");
    if (count == 0)
        return NULL;
    return count == 1 ? vbt_text("%s", lost[reason].one)
                      : vbt_text("%.*s%s%s", (int)(number - many), many, vbt_count(count).text, number + 2);
}

static void note_lost(struct vbt_notes *notes, const struct vbt_model *model) {
    for (int i = 0; i < VBT_LOST_KINDS; i++) {
        char *note = vbt_lost_note(model, (enum vbt_lost)i);
        if (note != NULL)
            add(notes, note);
    }
    int64_t heap = model->state[VBT_STATE_UNKNOWN_FREES], python = model->state[VBT_STATE_UNKNOWN_FREES + VBT_DOMAIN_PYTHON];
    int64_t unknown = (int64_t)((uint64_t)heap + (uint64_t)python);
    if (unknown > 0)
        add(notes, vbt_text("%s of blocks from before the trace %s not counted.", vbt_counted(unknown, "free").text,
                            unknown == 1 ? "is" : "are"));
    int64_t truncated = model->state[VBT_STATE_STACKS_TRUNCATED];
    if (truncated != 0)
        add(notes,
            vbt_text("%s of %s %s cut off at the outer end.", vbt_count(truncated).text,
                     vbt_counted(model->state[VBT_STATE_STACKS_CAPTURED], "call stack").text, truncated == 1 ? "was" : "were"));
}

/* Every how many stacks of a thread are compared; 0: none. */
static long verify_every(const struct vbt_model *model) {
    static const char name[] = "VBTRACE_VERIFY=";
    for (size_t i = 0; i < model->process_count; i++)
        if (strcmp(model->process[i].key, "option") == 0 && strncmp(model->process[i].value, name, sizeof name - 1) == 0)
            return strtol(model->process[i].value + sizeof name - 1, NULL, 10);
    return 0;
}

static void note_unverified(struct vbt_notes *notes, const struct vbt_model *model) {
    static const char none[] = "VBTRACE_VERIFY: no native call stack was compared with libunwind's; ";
    const char *native = vbt_model_process(model, "native");
    int64_t captured = model->state[VBT_STATE_STACKS_CAPTURED], threads = model->state[VBT_STATE_THREADS];
    long every = verify_every(model);
    if (every == 0)
        return;
    if (native == NULL || strcmp(native, "leaf") == 0)
        add(notes, vbt_text("%sonly whole ones are, which VBTRACE_NATIVE=full keeps.", none));
    else if (captured / every < (threads > 0 ? threads : 1))
        add(notes, vbt_text("%sone in %s of each thread's is, and there were %s.", none, vbt_count(every).text,
                            captured > 0 ? vbt_count(captured).text : "none"));
    else
        add(notes, vbt_text("%sthat is not installed, or cannot be called: not in the child of a process with threads.", none));
}

static void note_verified(struct vbt_notes *notes, const struct vbt_model *model) {
    int64_t compared = model->state[VBT_STATE_VERIFY_COMPARED], different = model->state[VBT_STATE_VERIFY_DIFFERENT];
    if (different != 0)
        add(notes, vbt_text("%s of %s compared with libunwind's %s: please report this as a bug.", vbt_count(different).text,
                            vbt_counted(compared, "native call stack").text, different == 1 ? "differs" : "differ"));
    else if (compared != 0)
        add(notes, vbt_text("%s compared with libunwind's: no difference.", vbt_counted(compared, "native call stack").text));
    else
        note_unverified(notes, model);
}

static void note_part(struct vbt_notes *notes, const struct vbt_model *model) {
    if (model->window.is_part && model->window.details == 0)
        add(notes,
            vbt_text(
                "This trace is of a version that did not keep it: of a part of the run, it is not known what each thread, "
                "interval and counted line did, how mapped memory divides into kinds, and what the resident set consisted of."));
}

static void note_pauses(struct vbt_notes *notes, const struct vbt_model *model) {
    int64_t pauses = model->state[VBT_STATE_PAUSES];
    if (pauses == 0)
        return;
    struct vbt_unit time = vbt_time((double)model->state[VBT_STATE_PAUSED_TIME]);
    char *times = pauses == 1 ? vbt_text("once") : vbt_text("%s", vbt_counted(pauses, "time").text);
    add(notes,
        vbt_text("Recording was stopped %s, for %s in all. Allocations in that time are missing; frees of blocks that had been "
                 "recorded are not.",
                 times, time.text));
    free(times);
}

static void note_attribution(struct vbt_notes *notes, const struct vbt_model *model) {
    const char *status = vbt_model_process(model, "python_status"), *native = vbt_model_process(model, "native");
    if (vbt_model_process(model, "python") == NULL) {
        if (native != NULL && strcmp(native, "leaf") == 0)
            add(notes,
                vbt_text("Only the innermost call of native call stacks was recorded: what a library allocates for the program "
                         "(C++ new, strdup, printf) is counted at the library."));
    } else if (status != NULL && strcmp(status, "ok") != 0) {
        add(notes, vbt_text("Python lines are not attributed: %s", status));
    } else {
        add(notes,
            vbt_text("CPython keeps freed floats, tuples, lists, dicts and frames in free lists. An object that is taken from a "
                     "free list requests nothing from an allocator, and is not counted."));
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
        add(notes, vbt_text("Some functions in %s have no name (shown as name+0x...). Debug packages have the names, and so have "
                            "the debuginfod servers that DEBUGINFOD_URLS can list.",
                            nameless));
    free(nameless);
}

/* Why there was no room for call paths, and what would help. */
static void note_limits(struct vbt_notes *notes, const struct vbt_model *model) {
    if (model->state[VBT_STATE_LIMITED_TIME] != 0)
        add(notes, vbt_text("VBTRACE_MAX_TRACE or VBTRACE_MAX_MEMORY was reached before %s: call paths that there was no room for "
                            "from then on are counted together. Totals, peak and live bytes are still exact.",
                            vbt_time((double)model->state[VBT_STATE_LIMITED_TIME]).text));
    else if (model->state[VBT_STATE_LOST + VBT_LOST_NODES] != 0)
        add(notes,
            vbt_text("There is room for 67,108,863 call paths, if memory and its limits (ulimit -v) allow. --native leaf makes "
                     "fewer, and so does recording a part of the run (--delay, --duration)."));
}

void vbt_notes_collect(struct vbt_notes *notes, const struct vbt_trace *trace, const struct vbt_conservation *conservation,
                       const struct vbt_interval_list *intervals) {
    const struct vbt_model *model = &trace->model;
    *notes = (struct vbt_notes){0};
    note_end(notes, model);
    if (!conservation->holds)
        add(notes, vbt_text("The sums over call paths differ from the totals (%s): please report this as a bug.",
                            conservation->difference));
    note_part(notes, model);
    note_lost(notes, model);
    note_verified(notes, model);
    note_pauses(notes, model);
    note_limits(notes, model);
    note_attribution(notes, model);
    note_uncounted(notes, model);
    char *unended = vbt_unended_note(intervals);
    if (unended != NULL)
        add(notes, unended);
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
