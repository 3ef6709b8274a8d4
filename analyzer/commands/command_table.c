/* See command_table.h. */
#include "command_table.h"

#include "commands.h"
#include "analyzer/analysis/calls/functions.h"
#include "analyzer/analysis/calls/runtime_groups.h"
#include "analyzer/analysis/intervals.h"
#include "analyzer/analysis/lines.h"
#include "analyzer/export/exporter.h"
#include "analyzer/run/run_options.h"
#include "format/count.h"

#include <string.h>

#define VIEW "[options] TRACE"

static const char *const *tables(void) {
    static const char *const formats[] = {"text", "json", "csv", NULL};
    return formats;
}

static const char *const *pictures(void) {
    static const char *const formats[] = {"svg", "collapsed", NULL};
    return formats;
}

const struct vbt_command vbt_commands[] = {
    {.name = "run",
     .summary = "run a program and trace it: vbtrace run PROGRAM ...",
     .run_arguments = vbt_cmd_run,
     .list_options = vbt_run_options_list},
    {.name = "report",
     .usage = VIEW,
     .summary = "what ran, what it cost, the hottest lines, the timed intervals",
     .help = "Shows what ran, its totals, the hottest lines with their source, and the cost of the timed intervals and marked "
             "sections.\n"
             "With --format json everything is there, all lines by both attributions included; csv holds the lines.",
     .sort_keys = vbt_line_keys,
     .text_limit = 20,
     .formats = tables,
     .run = vbt_cmd_report},
    {.name = "lines",
     .usage = VIEW,
     .summary = "every line with its exact counts",
     .help =
         "Lists lines with allocations, bytes, what of it is live at the end and at the peak, and temporary allocations (freed\n"
         "before their thread allocated again). json has the histogram of sizes too.\n"
         "If lines were counted (VBTRACE_LINES), shows them instead, function by function: hits, time and memory in one table.\n"
         "With --sort or --by leaf the list comes all the same.",
     .sort_keys = vbt_line_keys,
     .text_limit = 40,
     .formats = tables,
     .run = vbt_cmd_lines},
    {.name = "functions",
     .usage = VIEW,
     .summary = "what each function allocates itself and with all it calls",
     .help =
         "Lists functions in the manner of pstats: allocations and bytes of the function itself, and of everything it calls.\n"
         "A function that recurs is counted once a call stack. What native code allocates for a Python line belongs to the line;\n"
         "with full native stacks (VBTRACE_NATIVE=full) native functions stand for themselves.",
     .sort_keys = vbt_function_keys,
     .text_limit = 40,
     .formats = tables,
     .run = vbt_cmd_functions},
    {.name = "tree",
     .usage = VIEW,
     .summary = "the call tree, with what each call cost itself and in all",
     .help = "Shows call stacks as a tree, from the outermost call down: what was counted at a call and all below it (cumulative), "
             "its\n"
             "share of the whole, and what was counted at the call itself. A call with a single child stands directly above it.\n"
             "With --format json or csv there is one row a call, with all measures, parents before children.",
     .text_limit = 60,
     .min = "1%",
     .formats = tables,
     .run = vbt_cmd_tree},
    {.name = "peak",
     .usage = VIEW,
     .summary = "what was live when the heap was largest, by call stack",
     .help = "Lists the call stacks whose blocks were live when the heap was at its highest, the largest share first.",
     .text_limit = 10,
     .formats = tables,
     .run = vbt_cmd_peak},
    {.name = "leaks",
     .usage = VIEW,
     .summary = "what was never freed, by call stack",
     .help = "Lists the call stacks whose blocks were live at the end, the largest first.\n" VBT_RUNTIME_GROUPS_HELP,
     .text_limit = 10,
     .formats = tables,
     .run = vbt_cmd_leaks},
    {.name = "temporary",
     .usage = VIEW,
     .summary = "allocations freed before their thread allocated again, by call stack",
     .help =
         "Lists the call stacks with the most temporary allocations: those that were freed before their thread allocated again.\n"
         "Most of them can be avoided.",
     .text_limit = 10,
     .formats = tables,
     .run = vbt_cmd_temporary},
    {.name = "flamegraph",
     .usage = VIEW,
     .summary = "the call tree as a flame graph, one SVG file with search and zoom",
     .help = "Draws call stacks as a flame graph: the wider a frame, the more was counted at it and all that it called. The file "
             "needs\n"
             "nothing but a browser: click or Enter zooms, / searches, Esc goes back, arrows move, and a tooltip has the numbers.\n"
             "collapsed prints a line a stack, outermost;...;innermost N, for flamegraph.pl, speedscope and others.",
     .min = "0.01%",
     .formats = pictures,
     .run = vbt_cmd_flamegraph},
    {.name = "intervals",
     .usage = VIEW,
     .summary = "time and memory between clock readings, and of marked sections",
     .help =
         "Lists what happened between two consecutive clock readings of the program, by the lines that read the clock, and in the\n"
         "sections that it marked. Sections know their iterations; for the others --per N says how many there are in an interval.",
     .sort_keys = vbt_interval_keys,
     .text_limit = 100,
     .formats = tables,
     .run = vbt_cmd_intervals},
    {.name = "timeline",
     .usage = VIEW,
     .summary = "resident set and live heap over time",
     .help = "Draws the resident set and the live heap (Python's objects included) over time. csv and json have every tick.",
     .formats = tables,
     .run = vbt_cmd_timeline},
    {.name = "export",
     .usage = VIEW,
     .summary = "the trace in the file format of another tool",
     .help = "Writes the trace in the file format of another tool.",
     .formats = vbt_exporter_names,
     .run = vbt_cmd_export},
    {.name = "info",
     .usage = VIEW,
     .summary = "what is in a trace file, and whether it is sound",
     .help = "Shows whether a trace is complete, cut off or damaged (and at which byte), what its chunks take, how much it "
             "defines, and\n"
             "everything it says about the traced process.",
     .formats = tables,
     .run = vbt_cmd_info},
    {.name = "symbolize",
     .usage = VIEW,
     .summary = "put names and source lines into a trace, for another machine",
     .help =
         "Writes the trace anew, with the functions of its native code and the source lines that reports show: then it reads the "
         "same\n"
         "where binaries and sources are others or none. Run it where they are those that ran. Without --output the trace itself "
         "is\n"
         "replaced, in one step. A trace that was symbolized before is left as it is, but for code whose file was missing then.",
     .output = "replacing TRACE",
     .run = vbt_cmd_symbolize},
};

const size_t vbt_command_count = VBT_COUNT(vbt_commands);

const struct vbt_command *vbt_command_find(const char *name) {
    for (size_t i = 0; i < vbt_command_count; i++)
        if (strcmp(vbt_commands[i].name, name) == 0)
            return &vbt_commands[i];
    return NULL;
}
