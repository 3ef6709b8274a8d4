/* See option_table.h. */
#include "option_table.h"

#include "amount_options.h"
#include "compare_options.h"
#include "picture_options.h"
#include "window_options.h"

#include "analyzer/analysis/filter.h"
#include "analyzer/base/allocate.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

/* Commands with rows that a text can filter, commands that list stacks, commands that show the call
 * tree, and all that report on a trace. */
#define ROWS "report lines functions intervals"
#define STACKS "peak leaks temporary"
#define TREES "tree flamegraph export " STACKS
#define OF_PARTS "report lines functions intervals timeline html " TREES
#define REPORTS_OF_PROCESSES ROWS " " TREES " timeline info"
#define REPORTS REPORTS_OF_PROCESSES " list"

/* A phrase as setters return it. */
static char *expected(const char *phrase) { return vbt_text("expected %s", phrase); }

static const char *const *formats_of(const struct vbt_command *command) { return command->formats(); }

/* A format that is not one of vbtrace's own reports is an exporter's. */
static char *set_format(const struct vbt_setting *s) {
    static const char *const reports[] = {
        [VBT_TEXT] = "text",         [VBT_JSON] = "json",   [VBT_CSV] = "csv",     [VBT_SVG] = "svg",
        [VBT_MARKDOWN] = "markdown", [VBT_JUNIT] = "junit", [VBT_SARIF] = "sarif", [VBT_GITHUB] = "github"};
    const char *name = s->command->formats()[s->index];
    unsigned format = strcmp(s->command->name, "export") == 0 ? VBT_EXPORT : VBT_TEXT; /* both have a csv */
    while (format < VBT_EXPORT && strcmp(reports[format], name) != 0)
        format++;
    s->query->format = (enum vbt_output_format)format;
    s->query->exporter = format == VBT_EXPORT ? name : NULL;
    return NULL;
}

static char *set_measure(const struct vbt_setting *s) {
    s->query->measure = (enum vbt_measure)s->index;
    s->query->measured = true;
    return NULL;
}

static const char *const *sort_keys_of(const struct vbt_command *command) { return command->sort_keys; }

static char *set_sort(const struct vbt_setting *s) {
    s->query->sort = s->command->sort_keys[s->index];
    s->query->sorted = true;
    return NULL;
}

static char *add_filter(const struct vbt_setting *s) {
    char *wrong = vbt_filter_wrong(s->value);
    if (wrong == NULL && s->query->filter_count == VBT_MAX_FILTERS)
        wrong = vbt_text("expected at most %d filters", VBT_MAX_FILTERS);
    if (wrong == NULL)
        s->query->filters[s->query->filter_count++] = s->value;
    return wrong;
}

static char *add_row_filter(const struct vbt_setting *s) {
    s->query->filters_rows = true;
    return add_filter(s);
}

static const char *const attributions[] = {"user", "leaf", NULL};

static char *set_attribution(const struct vbt_setting *s) {
    s->query->by_leaf = s->index == 1;
    return NULL;
}

static char *set_user(const struct vbt_setting *s) {
    s->query->user = s->value;
    return s->value[0] != '\0' ? NULL : expected("patterns of libraries and source files, separated by commas");
}

static const char *const groups_of_stacks[] = {"module", "thread", "domain", "process", "program", "rank", "host", NULL};

static const char *const groups_of_functions[] = {"module", "thread", "process", "program", "rank", "host", NULL};

static char *set_group(const struct vbt_setting *s) {
    for (int by = VBT_BY_MODULE; by < VBT_GROUPS; by++)
        if (strcmp(vbt_group_nouns[by], s->value) == 0)
            s->query->by = (enum vbt_group)by;
    return NULL;
}

static const char *const frame_units[] = {"line", "function", NULL};

static char *set_frames(const struct vbt_setting *s) {
    s->query->by_function = s->index == 1;
    s->query->lines_given = s->index == 0;
    return NULL;
}

static const char *const roots[] = {"top", "bottom", NULL};

static char *set_reverse(const struct vbt_setting *s) {
    s->query->reverse = true;
    return NULL;
}

static char *set_suppress(const struct vbt_setting *s) {
    s->query->suppress = s->value;
    return NULL;
}

static char *set_ungroup(const struct vbt_setting *s) {
    s->query->ungroup = true;
    return NULL;
}

static const char *const profilers[] = {"memory_profiler", "line_profiler", NULL};

static char *set_like(const struct vbt_setting *s) {
    s->query->like = (enum vbt_like)(VBT_LIKE_MEMORY_PROFILER + s->index);
    return NULL;
}

static char *set_own(const struct vbt_setting *s) {
    s->query->own = true;
    return NULL;
}

static char *set_sites(const struct vbt_setting *s) {
    s->query->sites = true;
    return NULL;
}

static char *set_output(const struct vbt_setting *s) {
    bool is_standard = strcmp(s->value, "-") == 0;
    s->query->output = is_standard ? NULL : s->value;
    return is_standard && s->command->output != NULL ? expected("a file; a trace is not written to standard output") : NULL;
}

static char *output_of(const struct vbt_command *command) {
    return vbt_text("%s", command->output != NULL ? command->output : "standard output");
}

#define FILTER_HELP                                                                                                                \
    "count only call stacks with a frame whose function, file or module matches REGEX, or whose domain (heap, python, map) does; " \
    "FIELD!=REGEX: all other stacks; if it is repeated, all filters must hold"

const struct vbt_view_option vbt_view_options[] = {
    {.name = "format",
     .value = "FORMAT",
     .commands = REPORTS " diff check",
     .help = "{names}; default: {default}",
     .names_of = formats_of,
     .set = set_format},
    {.name = "measure",
     .value = "NAME",
     .commands = "tree flamegraph export",
     .of_stacks = true,
     .help = "{names}; default: {default}",
     .names = vbt_measure_names,
     .set = set_measure},
    {.name = "sort",
     .value = "KEY",
     .commands = ROWS " list diff",
     .help = "{names}; default: {default}",
     .names_of = sort_keys_of,
     .set = set_sort},
    {.name = "min",
     .value = "SHARE|SIZE",
     .commands = "tree",
     .help = "omit calls with less than this, such as 0.5% or 64KiB; default: {default} in text, 0 in json and csv",
     .fallback = vbt_min_of,
     .set = vbt_set_min},
    {.name = "min",
     .value = "SHARE|SIZE",
     .commands = "flamegraph",
     .help = "omit calls with less than this, such as 0.5% or 64KiB; default: {default}",
     .fallback = vbt_min_of,
     .set = vbt_set_min},
    {.name = "limit",
     .value = "N",
     .commands = ROWS " tree list " STACKS,
     .help = "at most N rows, 0 for all; default: {default} in text, all in json and csv",
     .fallback = vbt_limit_of,
     .set = vbt_set_limit},
    {.name = "limit",
     .value = "N",
     .commands = "diff",
     .help = "at most N rows of each table, 0 for all; default: {default} in text and markdown, all in json and csv",
     .fallback = vbt_limit_of,
     .set = vbt_set_limit},
    {.name = "limit",
     .value = "EXPR",
     .commands = "check",
     .help = "what should hold: [SCOPE:] [+]QUANTITY[/iter] OP VALUE [± AMOUNT [and ± AMOUNT]]; may be repeated",
     .set = vbt_add_limit},
    {.name = "against",
     .value = "BASELINE",
     .commands = "check",
     .help = "compare with this trace, folder, or text file that --approve wrote",
     .set = vbt_set_against},
    {.name = "approve",
     .commands = "check",
     .help = "write the runs to the text file of --against as the new baseline",
     .set = vbt_set_approve},
    {.name = "allow",
     .value = "FACTS",
     .commands = "check",
     .help = "these facts may differ from the baseline's: program, python, libc, vbtrace, native, allocator, libraries",
     .set = vbt_set_allow},
    {.name = "budgets",
     .commands = "check",
     .help = "check the limits in comments of the source, too: # vbtrace: allocs <= 2",
     .set = vbt_set_budgets},
    {.name = "self-test",
     .commands = "check",
     .help = "plant a regression: all that is limited becomes twice as much and more. Ends with 1 if a limit would not notice",
     .set = vbt_set_self_test},
    {.name = "table",
     .value = "NAME",
     .commands = "diff",
     .help = "only this table: totals, lines, functions, tree, sections, modules or timeline; default: all, in csv lines",
     .names = vbt_diff_tables,
     .set = vbt_set_diff_table},
    {.name = "runs",
     .value = "auto|one|each",
     .commands = "diff check",
     .help = "what the traces of a folder are: one run of several processes, or a run each; by default a run for each time that "
             "the same command line began",
     .names = vbt_runs_choices,
     .set = vbt_set_runs},
    {.name = "depth",
     .value = "N",
     .commands = STACKS,
     .help = "at most N frames of a stack, 0 for all; default: {default} in text",
     .fallback = vbt_depth_of,
     .set = vbt_set_depth},
    {.name = "filter", .value = "FIELD=REGEX", .commands = ROWS, .help = FILTER_HELP, .set = add_row_filter},
    {.name = "filter",
     .value = "TEXT",
     .commands = ROWS,
     .help = "only rows whose file, function or label contains TEXT",
     .set = add_row_filter},
    {.name = "filter",
     .value = "FIELD=REGEX",
     .commands = TREES " html diff check",
     .of_stacks = true,
     .help = FILTER_HELP,
     .set = add_filter},
    {.name = "filter",
     .value = "TEXT",
     .commands = TREES " html diff check",
     .of_stacks = true,
     .help = "only call stacks with a frame that contains TEXT",
     .set = add_filter},
    {.name = "from",
     .value = "TIME",
     .commands = OF_PARTS,
     .help = "only what happened after TIME: " VBT_MOMENT_HELP,
     .set = vbt_set_from},
    {.name = "to",
     .value = "TIME",
     .commands = OF_PARTS,
     .help = "only what happened until TIME; what is live is what was live then",
     .set = vbt_set_to},
    {.name = "at", .value = "TIME", .commands = OF_PARTS, .help = "the same as --to: what was live at TIME", .set = vbt_set_at},
    {.name = "process",
     .value = "PID",
     .commands = REPORTS_OF_PROCESSES " html",
     .help = "of the traces of several processes, only that of this one",
     .set = vbt_set_process},
    {.name = "before-exit",
     .commands = "leaks",
     .help = "what was live just before the interpreter began to shut down, and to free what it keeps",
     .set = vbt_set_before_exit},
    {.name = "grown",
     .commands = "report lines functions tree flamegraph export leaks",
     .of_stacks = true,
     .help = "by what is live at the end less what was live at the beginning, of the whole run or of a part of it",
     .set = vbt_set_grown},
    {.name = "by",
     .value = "user|leaf",
     .commands = "report lines diff check",
     .help = "attribute to the nearest line of the user's own files (default), or to the allocating line itself",
     .names = attributions,
     .set = set_attribution},
    {.name = "user",
     .value = "PATTERNS",
     .commands = "report lines functions leaks html diff check",
     .help = "these libraries and source files are the user's own, too, after ! they are not; such as 'libacme*,!*/vendor/*'",
     .set = set_user},
    {.name = "by",
     .value = "module|thread|domain|process|program|rank|host",
     .commands = TREES,
     .of_stacks = true,
     .help = "group by the library or Python package that allocated, by the thread, by the allocator that served, or by the "
             "process, its program, rank or host",
     .names = groups_of_stacks,
     .set = set_group},
    {.name = "by",
     .value = "module|thread|process|program|rank|host",
     .commands = "functions",
     .help = "one row per library or Python package, per thread, or per process, program, rank or host, instead of per function",
     .names = groups_of_functions,
     .set = set_group},
    {.name = "frames",
     .value = "line|function",
     .commands = TREES,
     .of_stacks = true,
     .help = "merge frames of the same line (default), or of the same function",
     .names = frame_units,
     .set = set_frames},
    {.name = "reverse",
     .commands = "tree flamegraph export",
     .of_stacks = true,
     .help = "start from the innermost frame",
     .set = set_reverse},
    {.name = "diff",
     .value = "OLD",
     .commands = "flamegraph",
     .help = "compare with this trace or folder: what grew is red, what shrank blue; frames are the same if function and file are",
     .set = vbt_set_diff},
    {.name = "root",
     .value = "top|bottom",
     .commands = "flamegraph",
     .help = "where the outermost frame is; default: top",
     .names = roots,
     .set = vbt_set_root},
    {.name = "imports",
     .commands = "flamegraph",
     .help = "show each frame of Python's import machinery, which otherwise is one frame",
     .set = vbt_set_imports},
    {.name = "suppress",
     .value = "FILE",
     .commands = "leaks",
     .help = "omit the call stacks that FILE names, one per line: leak:PATTERN, as for LeakSanitizer",
     .set = set_suppress},
    {.name = "ungroup",
     .commands = "leaks",
     .help = "list the stacks that only the runtime can reach one by one",
     .set = set_ungroup},
    {.name = "per",
     .value = "N",
     .commands = "report intervals html",
     .help = "an interval between two clock readings holds N iterations",
     .set = vbt_set_per},
    {.name = "like",
     .value = "memory_profiler|line_profiler",
     .commands = "lines",
     .help = "show counted lines (see VBTRACE_LINES) in the layout of that tool",
     .names = profilers,
     .set = set_like},
    {.name = "own", .commands = "lines", .help = "show counted lines without what they called", .set = set_own},
    {.name = "sites", .commands = "intervals", .help = "list the lines that allocate under each interval", .set = set_sites},
    {.name = "against",
     .value = "OLD",
     .commands = "html",
     .help = "compare with OLD, the trace or folder of an older run; the other options hold for both",
     .set = vbt_set_against},
    {.name = "no-source", .commands = "html", .help = "leave out the text of sources", .set = vbt_set_no_source},
    {.name = "output",
     .letter = 'o',
     .value = "FILE",
     .commands = "merge",
     .help = "write the merged trace to FILE",
     .set = set_output},
    {.name = "output",
     .letter = 'o',
     .value = "FILE",
     .commands = REPORTS " html diff check symbolize",
     .help = "write to FILE instead of {default}",
     .fallback = output_of,
     .set = set_output},
    {.name = "help", .letter = 'h', .commands = REPORTS " html diff check merge symbolize", .help = "this text"},
};

const size_t vbt_view_option_count = VBT_COUNT(vbt_view_options);

bool vbt_view_option_is_of(const struct vbt_view_option *option, const struct vbt_command *command) {
    size_t length = strlen(command->name);
    for (const char *at = option->commands; *at != '\0'; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == length && strncmp(at, command->name, length) == 0)
            return true;
        at += word;
    }
    return false;
}

static const char *const *names_for(const struct vbt_view_option *option, const struct vbt_command *command) {
    return option->names_of != NULL ? option->names_of(command) : option->names;
}

static size_t count_of(const char *const *names) {
    size_t count = 0;
    while (names[count] != NULL)
        count++;
    return count;
}

/* "a, b or c", for the caller to free. */
static char *join(const char *const *names) {
    char *list = vbt_text("%s", names[0]);
    for (size_t i = 1, count = count_of(names); i < count; i++) {
        char *longer = vbt_text("%s%s%s", list, i + 1 < count ? ", " : " or ", names[i]);
        free(list);
        list = longer;
    }
    return list;
}

char *vbt_view_option_set(const struct vbt_view_option *option, const struct vbt_command *command, const char *value,
                          struct vbt_query *query) {
    struct vbt_setting setting = {.command = command, .value = value, .query = query};
    const char *const *names = names_for(option, command);
    if (names == NULL)
        return option->set(&setting);
    for (; names[setting.index] != NULL; setting.index++)
        if (strcmp(names[setting.index], value) == 0)
            return option->set(&setting);
    char *list = join(names), *wrong = vbt_text("expected %s%s", count_of(names) > 3 ? "one of " : "", list);
    free(list);
    return wrong;
}

/* The text with its first `mark` replaced. Takes ownership of text and by. */
static char *replace(char *text, const char *mark, char *by) {
    char *at = strstr(text, mark), *out = text;
    if (at != NULL) {
        out = vbt_text("%.*s%s%s", (int)(at - text), text, by, at + strlen(mark));
        free(text);
    }
    free(by);
    return out;
}

char *vbt_view_option_help(const struct vbt_view_option *option, const struct vbt_command *command) {
    char *help = vbt_text("%s", option->help);
    if (option->fallback != NULL)
        return replace(help, "{default}", option->fallback(command));
    const char *const *names = names_for(option, command);
    if (names == NULL)
        return help;
    return replace(replace(help, "{names}", join(names)), "{default}", vbt_text("%s", names[0]));
}

void vbt_query_begin(struct vbt_query *query, const struct vbt_command *command) {
    *query = (struct vbt_query){.sort = command->sort_keys != NULL ? command->sort_keys[0] : NULL, .min_share = -1};
    if (command->formats != NULL)
        set_format(&(struct vbt_setting){.command = command, .query = query});
}

void vbt_query_finish(struct vbt_query *query, const struct vbt_command *command) {
    if (query->grown && command->sort_keys != NULL && !query->sorted) {
        query->sort = "grown";
        query->sorted = true;
    } else if (query->grown && command->sort_keys == NULL) {
        query->measure = VBT_MEASURE_GROWN;
    }
    bool everything = query->format == VBT_JSON || query->format == VBT_CSV || query->format == VBT_EXPORT;
    if (query->limit == 0)
        query->limit = query->format == VBT_TEXT || query->format == VBT_MARKDOWN ? command->text_limit : UINT64_MAX;
    if (query->depth == 0 && query->format == VBT_TEXT)
        query->depth = VBT_DEFAULT_DEPTH;
    if (query->min_share < 0)
        vbt_set_min(&(struct vbt_setting){.value = command->min == NULL || everything ? "0" : command->min, .query = query});
}
