/* See command_table.h. */
#include "command_table.h"

#include "commands.h"
#include "analyzer/analysis/calls/functions.h"
#include "analyzer/analysis/calls/runtime_groups.h"
#include "analyzer/analysis/compare/compare_order.h"
#include "analyzer/analysis/intervals.h"
#include "analyzer/analysis/lines.h"
#include "analyzer/export/exporter.h"
#include "analyzer/report/process_table.h"
#include "analyzer/run/run_options.h"
#include "format/count.h"

#include <string.h>

#define VIEW "[options] TRACE|FOLDER ..."

static const char *const *tables(void) {
    static const char *const formats[] = {"text", "json", "csv", NULL};
    return formats;
}

static const char *const *verdicts(void) {
    static const char *const formats[] = {"text", "json", "markdown", "junit", "sarif", "github", NULL};
    return formats;
}

static const char *const *comparisons(void) {
    static const char *const formats[] = {"text", "json", "csv", "markdown", NULL};
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
     .several = true,
     .summary = "what ran, what it cost, the hottest lines, the timed intervals",
     .help = "Shows what ran, its totals, the hottest lines with their source, and the cost of timed intervals "
             "and marked sections. With --format json everything is there, with all lines by both "
             "attributions; csv has the lines.",
     .sort_keys = vbt_line_keys,
     .text_limit = 20,
     .formats = tables,
     .run = vbt_cmd_report},
    {.name = "lines",
     .usage = VIEW,
     .several = true,
     .summary = "every line with its exact counts",
     .help = "Lists lines with their allocations, bytes, what is live at the end and at the peak, and "
             "temporary allocations (freed before their thread allocated again). json has the histogram of "
             "sizes as well.\n"
             "If lines were counted (VBTRACE_LINES), shows those instead, function by function: hits, time and "
             "memory in one table. With --sort or --by leaf the list is shown all the same.",
     .sort_keys = vbt_line_keys,
     .text_limit = 40,
     .formats = tables,
     .run = vbt_cmd_lines},
    {.name = "functions",
     .usage = VIEW,
     .several = true,
     .summary = "what each function allocates itself, and with all it calls",
     .help = "Lists functions in the layout of pstats: allocations and bytes of each function itself, and "
             "together with everything it calls. A recursive function is counted once per call stack. What "
             "native code allocates for a Python line belongs to the line; with full native stacks "
             "(VBTRACE_NATIVE=full) native functions have rows of their own.",
     .sort_keys = vbt_function_keys,
     .text_limit = 40,
     .formats = tables,
     .run = vbt_cmd_functions},
    {.name = "tree",
     .usage = VIEW,
     .several = true,
     .summary = "the call tree, each call with its own cost and that of all it called",
     .help = "Shows call stacks as a tree, from the outermost call down: what was counted at a call and "
             "everything below it (cumulative), its share of the whole, and what was counted at the call "
             "itself. A call with a single child is shown directly above it. json and csv have one row per "
             "call with all measures, parents before children.",
     .text_limit = 60,
     .min = "1%",
     .formats = tables,
     .run = vbt_cmd_tree},
    {.name = "peak",
     .usage = VIEW,
     .several = true,
     .summary = "what was live when the heap was largest, by call stack",
     .help = "Lists the call stacks whose blocks were live when the heap was at its highest, the largest share first.",
     .text_limit = 10,
     .formats = tables,
     .run = vbt_cmd_peak},
    {.name = "leaks",
     .usage = VIEW,
     .several = true,
     .summary = "what was never freed, by call stack",
     .help = "Lists the call stacks whose blocks were live at the end, the largest first.\n" VBT_RUNTIME_GROUPS_HELP,
     .text_limit = 10,
     .formats = tables,
     .run = vbt_cmd_leaks},
    {.name = "temporary",
     .usage = VIEW,
     .several = true,
     .summary = "allocations freed before their thread allocated again, by call stack",
     .help = "Lists the call stacks with the most temporary allocations, which were freed before their thread "
             "allocated again. Most of them can be avoided.",
     .text_limit = 10,
     .formats = tables,
     .run = vbt_cmd_temporary},
    {.name = "flamegraph",
     .usage = VIEW,
     .several = true,
     .summary = "the call tree as a flame graph, one SVG file with search and zoom",
     .help = "Draws call stacks as a flame graph: the wider a frame, the more was counted at it and everything "
             "it called. The file needs nothing but a browser: click or Enter zooms, / searches, Esc goes "
             "back, arrows move, and a tooltip shows the numbers.",
     .min = "0.01%",
     .formats = pictures,
     .run = vbt_cmd_flamegraph},
    {.name = "html",
     .usage = "[options] -o FILE TRACE|FOLDER ...",
     .several = true,
     .summary = "everything as one page for a browser, with the run's history",
     .help = "Writes one HTML file that needs nothing but a browser: what ran, memory over time (drag a window, and the page "
             "follows it), flame graph, lines, functions, modules, threads, sources, sections and intervals.",
     .run = vbt_cmd_html},
    {.name = "intervals",
     .usage = VIEW,
     .several = true,
     .summary = "time and memory between clock readings, and of marked sections",
     .help = "Lists what happened between two consecutive clock readings of the program, by the lines that "
             "read the clock, and in the sections that it marked. Sections know their iterations; for other "
             "intervals, --per N says how many they hold.",
     .sort_keys = vbt_interval_keys,
     .text_limit = 100,
     .formats = tables,
     .run = vbt_cmd_intervals},
    {.name = "timeline",
     .usage = VIEW,
     .several = true,
     .summary = "resident set and live heap over time",
     .help = "Draws the resident set and the live heap, including Python's objects, over time. csv and json "
             "have every tick.",
     .formats = tables,
     .run = vbt_cmd_timeline},
    {.name = "export",
     .usage = VIEW,
     .several = true,
     .summary = "the trace in the file format of another tool",
     .help = "Writes the trace in the file format of another tool.",
     .formats = vbt_exporter_names,
     .run = vbt_cmd_export},
    {.name = "list",
     .usage = "[options] TRACE|FOLDER ...",
     .summary = "which processes left traces, for how long they ran, and what they cost",
     .help = "Lists what ran: allocations, the highest point of the heap, when each process began, how long it ran and how it "
             "ended. A folder stands for the files in it whose names end in .vbt. The arrow marks the process that is most "
             "likely meant: the root, of which the others are children; if it ran several programs one after another, the "
             "last of them; of several roots the one that allocated most.",
     .sort_keys = vbt_process_keys,
     .text_limit = 40,
     .formats = tables,
     .several = true,
     .run = vbt_cmd_list},
    {.name = "merge",
     .usage = "-o FILE TRACE|FOLDER ...",
     .summary = "several traces as one file",
     .help = "Writes the sum of several traces to a file, which every command reads like any other trace: with what each process "
             "did, its totals and its course of memory. The bytes are the same in whichever order the traces are named; merged "
             "traces can be merged again.",
     .several = true,
     .output = "",
     .run = vbt_cmd_merge},
    {.name = "diff",
     .usage = "[options] OLD NEW | OLD ... -- NEW ...",
     .several = true,
     .sides = true,
     .summary = "what two runs have different, line by line, what changed most first",
     .help = "Compares two runs, or several runs of each side: totals, lines, functions, call paths, sections per iteration, "
             "modules, the timeline. Lines are matched by their function and what they say, so that lines that only moved are "
             "no change; renamed functions and moved files are found by what is in them. The differences of all rows add up to "
             "the difference of the totals. With several runs a side, numbers that vary from run to run by themselves are told "
             "from those that do not.",
     .sort_keys = vbt_change_keys,
     .text_limit = 12,
     .formats = comparisons,
     .run = vbt_cmd_diff},
    {.name = "check",
     .usage = VIEW,
     .several = true,
     .summary = "a gate: fail with status 1 if a limit or a baseline does not hold",
     .help = "Checks runs against limits, such as 'peak <= 40MiB', 'parse: allocs/iter <= 5', 'orders.py:42: bytes == 0', "
             "'function load_*: left <= 1MiB' or, against a baseline, '+allocs <= 0 ±1% and ±8'; and against limits in comments "
             "of the source. Ends with 0 if all hold, with 1 if one does not, and says which lines and which call path made the "
             "difference. A baseline is a trace, a folder, or a small text file that --approve writes and that is committed; "
             "one that is missing, or was made with another Python, allocator or library, fails.",
     .formats = verdicts,
     .run = vbt_cmd_check},
    {.name = "info",
     .usage = VIEW,
     .several = true,
     .summary = "what is in a trace file, and whether it is intact",
     .help = "Shows whether a trace is complete, cut off or damaged (and at which byte), the size of its "
             "chunks, how much it defines, and everything it says about the traced process.",
     .formats = tables,
     .run = vbt_cmd_info},
    {.name = "symbolize",
     .usage = "[options] TRACE",
     .summary = "put names and source lines into a trace, for another machine",
     .help = "Stores the functions of native code, and the source lines that reports show, in the trace, so "
             "that it reads the same where binaries and sources differ or are missing. Run it where the "
             "program ran. Without --output the trace itself is replaced, in one step. Names that the trace "
             "already has are kept, except for code whose file was missing then.",
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
