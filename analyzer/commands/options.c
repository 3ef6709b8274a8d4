/* See options.h. */
#include "options.h"

#include "analyzer/analysis/calls/call_tree.h"
#include "analyzer/analysis/filter.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FORMAT = 'f',
    OUTPUT = 'o',
    HELP = 'h',
    SORT = 's',
    LIMIT = 'l',
    FILTER = 'F',
    BY = 'b',
    PER = 'p',
    SITES = 'S',
    MEASURE = 'm',
    MIN = 'M',
    FRAMES = 'L',
    REVERSE = 'r',
    UNGROUP = 'u',
    DEPTH = 'd',
    LIKE = 'k',
    SUPPRESS = 'x',
    OWN = 'w',
};

static const struct option all_options[] = {
    {"format", required_argument, NULL, FORMAT},
    {"output", required_argument, NULL, OUTPUT},
    {"help", no_argument, NULL, HELP},
    {"sort", required_argument, NULL, SORT},
    {"limit", required_argument, NULL, LIMIT},
    {"filter", required_argument, NULL, FILTER},
    {"by", required_argument, NULL, BY},
    {"per", required_argument, NULL, PER},
    {"sites", no_argument, NULL, SITES},
    {"measure", required_argument, NULL, MEASURE},
    {"min", required_argument, NULL, MIN},
    {"frames", required_argument, NULL, FRAMES},
    {"reverse", no_argument, NULL, REVERSE},
    {"ungroup", no_argument, NULL, UNGROUP},
    {"depth", required_argument, NULL, DEPTH},
    {"like", required_argument, NULL, LIKE},
    {"suppress", required_argument, NULL, SUPPRESS},
    {"own", no_argument, NULL, OWN},
    {NULL, 0, NULL, 0},
};

static bool takes(const struct vbt_command *command, int option) {
    static const struct {
        int option;
        unsigned takes;
    } needed[] = {
        {LIMIT, VBT_TAKES_LIMIT},
        {FILTER, VBT_TAKES_FILTER | VBT_TAKES_STACK_FILTER},
        {BY, VBT_TAKES_BY | VBT_TAKES_GROUP | VBT_TAKES_MODULE},
        {PER, VBT_TAKES_PER},
        {SITES, VBT_TAKES_SITES},
        {MEASURE, VBT_TAKES_MEASURE},
        {MIN, VBT_TAKES_MIN},
        {FRAMES, VBT_TAKES_FRAMES},
        {REVERSE, VBT_TAKES_REVERSE},
        {UNGROUP, VBT_TAKES_UNGROUP},
        {DEPTH, VBT_TAKES_DEPTH},
        {LIKE, VBT_TAKES_LIKE},
        {SUPPRESS, VBT_TAKES_SUPPRESS},
        {OWN, VBT_TAKES_LIKE},
    };
    if (option == SORT)
        return command->sort_keys != NULL;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (needed[i].option == option)
            return (command->takes & needed[i].takes) != 0;
    return true;
}

static const char *const format_names[VBT_FORMATS] = {[VBT_TEXT] = "text", [VBT_JSON] = "json",           [VBT_CSV] = "csv",
                                                      [VBT_SVG] = "svg",   [VBT_COLLAPSED] = "collapsed", [VBT_MPROF] = "mprof"};

/* Writes names as "a, b or c". */
static void join(char *list, size_t size, const char *const *names, size_t count) {
    list[0] = '\0';
    for (size_t i = 0; i < count; i++)
        snprintf(list + strlen(list), size - strlen(list), "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", names[i]);
}

/* The formats of a command, the default first; how many. */
static size_t formats_of(const struct vbt_command *command, const char *names[VBT_FORMATS]) {
    unsigned formats = command->formats != 0 ? command->formats : 1 << VBT_TEXT | 1 << VBT_JSON | 1 << VBT_CSV;
    size_t count = 0;
    for (int i = 0; i < VBT_FORMATS; i++)
        if ((formats >> i & 1) != 0)
            names[count++] = format_names[i];
    return count;
}

static size_t count_of(const char *const *names) {
    size_t count = 0;
    while (names[count] != NULL)
        count++;
    return count;
}

int vbt_options_help(const struct vbt_command *command) {
    struct vbt_output output;
    vbt_output_begin(&output, NULL);
    FILE *out = output.stream;
    char list[256];
    const char *formats[VBT_FORMATS];
    join(list, sizeof list, formats, formats_of(command, formats));
    fprintf(out, "Usage: vbtrace %s [options] TRACE\n\n%s\n\nOptions:\n", command->name, command->help);
    if (formats_of(command, formats) > 1)
        fprintf(out, "  --format FORMAT   %s; default: %s\n", list, formats[0]);
    if (takes(command, MEASURE)) {
        join(list, sizeof list, vbt_measure_names, count_of(vbt_measure_names));
        fprintf(out, "  --measure NAME    %s; default: bytes\n", list);
    }
    if (takes(command, SORT)) {
        join(list, sizeof list, command->sort_keys, count_of(command->sort_keys));
        fprintf(out, "  --sort KEY        %s; default: %s\n", list, command->sort_keys[0]);
    }
    if (takes(command, MIN))
        fprintf(out, "  --min SHARE|SIZE  leave out calls with less than that, such as 0.5%% or 64KiB; default: %s%s\n",
                command->min, command->formats == 0 ? " in text, 0 in json and csv" : "");
    if (takes(command, LIMIT))
        fprintf(out, "  --limit N         at most N rows, 0 for all; default: %u in text, all in json and csv\n",
                command->text_limit);
    if (takes(command, DEPTH))
        fputs("  --depth N         at most N frames of a stack, 0 for all; default: 16 in text\n", out);
    if (takes(command, FILTER))
        fprintf(
            out,
            "  --filter FIELD=REGEX\n"
            "                    count only call stacks with a frame whose function, file or module matches REGEX, or that the\n"
            "                    domain (heap, python, map) served; FIELD!=REGEX: all but those; may be repeated: all must hold\n"
            "  --filter TEXT     only %s\n",
            (command->takes & VBT_TAKES_FILTER) != 0 ? "rows whose file, function or label contains TEXT"
                                                     : "call stacks with a frame that contains TEXT");
    if ((command->takes & VBT_TAKES_BY) != 0)
        fputs("  --by user|leaf    attribute to the nearest line of the user's own files (default), or to the line itself\n", out);
    if ((command->takes & VBT_TAKES_GROUP) != 0)
        fputs("  --by module|thread|domain\n"
              "                    group by the library or Python package that asked, by the thread that did, or by the allocator\n"
              "                    that served\n",
              out);
    if ((command->takes & VBT_TAKES_MODULE) != 0)
        fputs("  --by module|thread\n"
              "                    a row for each library or Python package, or for each thread, instead of each function\n",
              out);
    if (takes(command, FRAMES))
        fputs("  --frames line|function\n"
              "                    what makes two frames one: the same line (default), or the same function\n",
              out);
    if (takes(command, REVERSE))
        fputs("  --reverse         from the innermost frame outwards, drawn downwards (an icicle)\n", out);
    if (takes(command, SUPPRESS))
        fputs("  --suppress FILE   leave out the call stacks that FILE names, a line each: leak:PATTERN, as for LeakSanitizer\n",
              out);
    if (takes(command, UNGROUP))
        fputs("  --ungroup         list the stacks that only the runtime can reach like all others\n", out);
    if (takes(command, PER))
        fputs("  --per N           an interval between two clock readings holds N iterations\n", out);
    if (takes(command, LIKE))
        fputs("  --like memory_profiler|line_profiler\n"
              "                    counted lines (see VBTRACE_LINES) in the layout of that tool\n"
              "  --own             counted lines without what they called\n",
              out);
    if (takes(command, SITES))
        fputs("  --sites           under each interval the lines that allocate in it\n", out);
    fprintf(out, "  -o, --output FILE write to FILE instead of %s\n",
            command->output != NULL ? command->output : "standard output");
    fputs("  -h, --help        this text\n", out);
    return vbt_output_finish(&output);
}

/* A decimal number without sign; false if the text is anything else. */
static bool get_number(const char *text, uint64_t *number) {
    char *end;
    errno = 0;
    if (text[0] < '0' || text[0] > '9')
        return false;
    *number = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* The same, with 0 for no limit. */
static bool get_limit(const char *text, uint64_t *limit) {
    if (!get_number(text, limit))
        return false;
    if (*limit == 0)
        *limit = UINT64_MAX;
    return true;
}

/* "0.5%", "64KiB", "1000". */
static bool get_min(const char *text, struct vbt_query *query) {
    static const struct {
        const char *name;
        double size;
    } units[] = {{"", 1}, {"B", 1}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"K", 0x1p10}, {"M", 0x1p20}, {"G", 0x1p30}};
    char *end;
    double number = strtod(text, &end);
    if (text[0] < '0' || text[0] > '9' || text[1] == 'x' || !(number < 0x1p62))
        return false;
    query->min_share = 0;
    query->min_value = 0;
    if (strcmp(end, "%") == 0) {
        query->min_share = number / 100;
        return number <= 100;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].name) == 0) {
            query->min_value = number * units[i].size < 0x1p62 ? (uint64_t)ceil(number * units[i].size) : UINT64_C(1) << 62;
            return true;
        }
    return false;
}

/* Which of the names it is; -1 after a message with all of them. */
static int get_name(const char *option, const char *const *names, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    char list[256];
    join(list, sizeof list, names, count);
    vbt_fail("--%s %s: expected %s%s", option, name, count > 3 ? "one of " : "", list);
    return -1;
}

static int get_format(const struct vbt_command *command, const char *name, enum vbt_output_format *format) {
    const char *names[VBT_FORMATS];
    int found = get_name("format", names, formats_of(command, names), name);
    for (int i = 0; i < VBT_FORMATS && found >= 0; i++)
        if (format_names[i] == names[found])
            *format = (enum vbt_output_format)i;
    return found >= 0 ? -1 : 2;
}

static int get_by(const struct vbt_command *command, const char *name, struct vbt_query *query) {
    static const char *const attributions[] = {"user", "leaf"}, *const groups[] = {"module", "thread", "domain"};
    bool attribution = (command->takes & VBT_TAKES_BY) != 0;
    size_t count = attribution || (command->takes & VBT_TAKES_MODULE) != 0 ? 2 : 3;
    int found = get_name("by", attribution ? attributions : groups, count, name);
    if (attribution)
        query->by_leaf = found == 1;
    else
        query->by = (enum vbt_group)(VBT_BY_MODULE + found);
    return found >= 0 ? -1 : 2;
}

static int add_filter(const char *text, struct vbt_query *query) {
    char *wrong = vbt_filter_wrong(text);
    if (wrong != NULL) {
        vbt_fail("--filter %s: %s", text, wrong);
        free(wrong);
        return 2;
    }
    if (query->filter_count == VBT_MAX_FILTERS)
        return vbt_fail("--filter %s: expected at most %d filters", text, VBT_MAX_FILTERS);
    query->filters[query->filter_count++] = text;
    return -1;
}

static int set_option(const struct vbt_command *command, int option, const char *value, struct vbt_query *query) {
    static const char *const units[] = {"line", "function"}, *const profilers[] = {"memory_profiler", "line_profiler"};
    int found;
    switch (option) {
    case FORMAT:
        return get_format(command, value, &query->format);
    case SORT:
        found = get_name("sort", command->sort_keys, count_of(command->sort_keys), value);
        query->sort = found >= 0 ? command->sort_keys[found] : NULL;
        query->sorted = true;
        return found >= 0 ? -1 : 2;
    case MEASURE:
        found = get_name("measure", vbt_measure_names, count_of(vbt_measure_names), value);
        query->measure = (enum vbt_measure)found;
        return found >= 0 ? -1 : 2;
    case FRAMES:
        found = get_name("frames", units, 2, value);
        query->by_function = found == 1;
        return found >= 0 ? -1 : 2;
    case OUTPUT:
        if (strcmp(value, "-") == 0 && command->output != NULL)
            return vbt_fail("%s: -o -: expected a file; a trace is not written to standard output", command->name);
        query->output = strcmp(value, "-") != 0 ? value : NULL;
        return -1;
    case FILTER:
        return add_filter(value, query);
    case LIMIT:
        return get_limit(value, &query->limit) ? -1 : vbt_fail("--limit %s: expected a number of rows, 0 for all", value);
    case DEPTH:
        return get_limit(value, &query->depth) ? -1 : vbt_fail("--depth %s: expected a number of frames, 0 for all", value);
    case MIN:
        return get_min(value, query) ? -1 : vbt_fail("--min %s: expected a share such as 0.5%%, or a size such as 64KiB", value);
    case PER:
        if (!get_number(value, &query->per) || query->per == 0)
            return vbt_fail("--per %s: expected a number of iterations, 1 or more", value);
        return -1;
    case BY:
        return get_by(command, value, query);
    case SUPPRESS:
        query->suppress = value;
        return -1;
    case LIKE:
        found = get_name("like", profilers, 2, value);
        query->like = (enum vbt_like)(found + VBT_LIKE_MEMORY_PROFILER);
        return found >= 0 ? -1 : 2;
    case OWN:
        query->own = true;
        return -1;
    case SITES:
        query->sites = true;
        return -1;
    case REVERSE:
        query->reverse = true;
        return -1;
    case UNGROUP:
        query->ungroup = true;
        return -1;
    default:
        return vbt_options_help(command);
    }
}

/* getopt_long found something wrong with the argument before optind. */
static int bad_option(const struct vbt_command *command, int kind, char *const *arguments) {
    const char *text = arguments[optind - 1];
    if (kind == ':')
        return vbt_fail("%s: option %s needs a value", command->name, text);
    if (optopt != 0 && strncmp(text, "--", 2) != 0)
        return vbt_fail("%s: unknown option -%c; see vbtrace %s --help", command->name, optopt, command->name);
    return vbt_fail("%s: unknown option %s; see vbtrace %s --help", command->name, text, command->name);
}

/* What was not said on the command line. */
static void set_defaults(const struct vbt_command *command, struct vbt_query *query) {
    if (query->limit == 0)
        query->limit = query->format == VBT_TEXT ? command->text_limit : UINT64_MAX;
    if (query->depth == 0 && query->format == VBT_TEXT)
        query->depth = 16;
    bool everything = query->format == VBT_JSON || query->format == VBT_CSV || query->format == VBT_COLLAPSED;
    if (query->min_share < 0)
        get_min(command->min == NULL || everything ? "0" : command->min, query);
}

int vbt_options_parse(const struct vbt_command *command, int count, char *const *arguments, struct vbt_query *query) {
    const char *formats[VBT_FORMATS];
    formats_of(command, formats);
    *query = (struct vbt_query){.sort = command->sort_keys != NULL ? command->sort_keys[0] : NULL,
                                .filters_rows = (command->takes & VBT_TAKES_STACK_FILTER) == 0,
                                .min_share = -1};
    get_format(command, formats[0], &query->format);
    optind = 0; /* forget an earlier command line */
    opterr = 0;
    for (int option; (option = getopt_long(count, arguments, ":o:h", all_options, NULL)) != -1;) {
        if (option == '?' || option == ':')
            return bad_option(command, option, arguments);
        if (!takes(command, option)) {
            const struct option *known = all_options;
            while (known->val != option)
                known++;
            return vbt_fail("%s does not take --%s; see vbtrace %s --help", command->name, known->name, command->name);
        }
        int status = set_option(command, option, optarg, query);
        if (status >= 0)
            return status;
    }
    if (optind == count)
        return vbt_fail("%s: expected a trace file, as in: vbtrace %s NAME.PID.vbt", command->name, command->name);
    if (optind + 1 < count)
        return vbt_fail("%s: expected one trace file, found also %s", command->name, arguments[optind + 1]);
    query->trace = arguments[optind];
    set_defaults(command, query);
    return -1;
}
