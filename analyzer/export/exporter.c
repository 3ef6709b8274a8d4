/* See exporter.h. */
#include "exporter.h"

#include "valgrind/callgrind.h"
#include "chrome.h"
#include "collapsed.h"
#include "valgrind/dhat.h"
#include "heaptrack.h"
#include "valgrind/massif.h"
#include "mprof.h"
#include "proto/perfetto.h"
#include "proto/pprof.h"
#include "speedscope.h"
#include "sqlite.h"
#include "stacks_csv.h"
#include "format/count.h"

#include <string.h>

static const struct vbt_exporter exporters[] = {
    {.name = "mprof",
     .extension = ".dat",
     .help = "the resident set over time, for mprof plot and mprof peak of memory_profiler",
     .write = vbt_export_mprof},
    {.name = "collapsed",
     .extension = ".folded",
     .help = "one line per stack, outermost;...;innermost N, for flamegraph.pl, speedscope and others",
     .of_stacks = true,
     .write = vbt_export_collapsed},
    {.name = "pprof",
     .extension = ".pb.gz",
     .help = "a profile with all measures, for go tool pprof, Pyroscope, speedscope and others",
     .of_stacks = true,
     .forward = true,
     .processes = true,
     .write = vbt_export_pprof},
    {.name = "callgrind",
     .extension = ".callgrind",
     .help = "the call graph with all measures by line, for KCachegrind and callgrind_annotate",
     .of_stacks = true,
     .forward = true,
     .write = vbt_export_callgrind},
    {.name = "speedscope",
     .extension = ".speedscope.json",
     .help = "call stacks with all measures, a profile each, for speedscope",
     .of_stacks = true,
     .forward = true,
     .write = vbt_export_speedscope},
    {.name = "massif",
     .extension = ".massif",
     .help = "live memory over time, with the call stacks of the peak and of the end, for ms_print and massif-visualizer",
     .of_stacks = true,
     .forward = true,
     .history = true,
     .holds = "it holds what is live, at the peak and at the end",
     .write = vbt_export_massif},
    {.name = "heaptrack",
     .extension = ".heaptrack",
     .help = "what was live at the peak and at the end, by call stack, for heaptrack_print and heaptrack_gui",
     .of_stacks = true,
     .forward = true,
     .history = true,
     .holds = "it holds what is live, at the peak and at the end",
     .write = vbt_export_heaptrack},
    {.name = "dhat",
     .extension = ".dhat.json",
     .help = "allocations and their bytes by call stack, for dh_view.html",
     .of_stacks = true,
     .forward = true,
     .holds = "it holds allocations and their bytes",
     .write = vbt_export_dhat},
    {.name = "sqlite",
     .extension = ".sql",
     .help = "call stacks and times as tables, in SQL: sqlite3 trace.db < trace.sql",
     .of_stacks = true,
     .forward = true,
     .history = true,
     .holds = "it holds all measures but what grew",
     .write = vbt_export_sqlite},
    {.name = "csv",
     .extension = ".csv",
     .help = "one line per call stack with all measures, as comma-separated values",
     .of_stacks = true,
     .forward = true,
     .holds = "it holds all measures but what grew",
     .write = vbt_export_csv},
    {.name = "perfetto",
     .extension = ".pftrace",
     .help = "allocations and frees of each call stack over time, for Perfetto's UI",
     .of_stacks = true,
     .forward = true,
     .history = true,
     .everything = true,
     .holds = "it holds allocations and frees over time",
     .write = vbt_export_perfetto},
    {.name = "chrome",
     .extension = ".trace.json",
     .help = "memory over time as counters, for Perfetto's UI and chrome://tracing",
     .write = vbt_export_chrome},
};

enum { EXPORTERS = VBT_COUNT(exporters) };

const char *const *vbt_exporter_names(void) {
    static const char *names[EXPORTERS + 1];
    for (size_t i = 0; i < EXPORTERS; i++)
        names[i] = exporters[i].name;
    return names;
}

const struct vbt_exporter *vbt_exporter_find(const char *name) {
    for (size_t i = 0; i < EXPORTERS; i++)
        if (strcmp(exporters[i].name, name) == 0)
            return &exporters[i];
    return NULL;
}
