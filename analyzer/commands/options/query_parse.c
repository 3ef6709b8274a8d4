/* See query_parse.h. */
#include "query_parse.h"

#include "command_help.h"
#include "compare_options.h"
#include "option_table.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/export/exporter.h"
#include "format/count.h"
#include "format/format.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first of the first `count` rows with this name; `count` if there is none. */
static size_t first_row(const char *name, size_t count) {
    size_t row = 0;
    while (row < count && strcmp(vbt_view_options[row].name, name) != 0)
        row++;
    return row;
}

/* The options of all commands, each name once, so that another command's option can be told from an
 * unknown one. getopt_long returns FIRST plus the number of the name's first row. The caller frees
 * the list. */
enum { FIRST = 256 };

static struct option *getopt_options(void) {
    struct option *list = vbt_new(vbt_view_option_count + 1, sizeof *list);
    size_t count = 0;
    for (size_t row = 0; row < vbt_view_option_count; row++) {
        const struct vbt_view_option *option = &vbt_view_options[row];
        if (first_row(option->name, row) == row)
            list[count++] =
                (struct option){option->name, option->value != NULL ? required_argument : no_argument, NULL, FIRST + (int)row};
    }
    return list;
}

/* The row that getopt_long found, or the row of the same name that belongs to the command. NULL
 * after a message. */
static const struct vbt_view_option *find_option(const struct vbt_command *command, int found) {
    size_t row = found >= FIRST ? (size_t)found - FIRST : 0;
    while (found < FIRST && vbt_view_options[row].letter != found)
        row++;
    const char *name = vbt_view_options[row].name;
    for (; row < vbt_view_option_count; row++)
        if (strcmp(vbt_view_options[row].name, name) == 0 && vbt_view_option_is_of(&vbt_view_options[row], command))
            return &vbt_view_options[row];
    vbt_fail("%s does not take --%s; see vbtrace %s --help", command->name, name, command->name);
    return NULL;
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

/* *stacks is set to the option's name if the option is for call stacks. */
static int set_option(const struct vbt_command *command, int found, struct vbt_query *query, const char **stacks) {
    const struct vbt_view_option *option = find_option(command, found);
    if (option == NULL)
        return 2;
    if (option->set == NULL)
        return vbt_command_help(command);
    if (option->of_stacks)
        *stacks = option->name;
    char *wrong = vbt_view_option_set(option, command, optarg, query);
    int status = wrong != NULL ? vbt_fail("--%s %s: %s", option->name, optarg, wrong) : -1;
    free(wrong);
    return status;
}

static bool is_same_file(const struct stat *file, const char *path) {
    struct stat other;
    return path != NULL && stat(path, &other) == 0 && other.st_dev == file->st_dev && other.st_ino == file->st_ino;
}

static bool is_trace(const char *path) {
    char magic[sizeof VBT_FILE_MAGIC - 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is = fd >= 0 && read(fd, magic, sizeof magic) == (ssize_t)sizeof magic && memcmp(magic, VBT_FILE_MAGIC, sizeof magic) == 0;
    if (fd >= 0)
        close(fd);
    return is;
}

/* A report that replaces a trace, or what else it is made from, is a slip: most often the report's
 * own file was forgotten. Returns -1, or 2 after a message. */
static int check_output(const struct vbt_command *command, const struct vbt_query *query) {
    struct stat file;
    if (query->output == NULL || stat(query->output, &file) != 0 || !S_ISREG(file.st_mode))
        return -1;
    if (is_same_file(&file, query->suppress))
        return vbt_fail("%s: is what --suppress reads; choose another name for --output", query->output);
    if (is_same_file(&file, query->against))
        return vbt_fail("%s: is what --against reads; choose another name for --output", query->output);
    if (command->output != NULL) /* it writes traces */
        return -1;
    for (size_t i = 0; i < query->trace_count; i++)
        if (is_same_file(&file, query->traces[i]))
            return vbt_fail("%s: is the trace itself; choose another name for --output", query->output);
    return is_trace(query->output) ? vbt_fail("%s: is a trace; choose another name for --output, or remove it", query->output) : -1;
}

/* Options that would have no effect together. Returns -1, or 2 after a message. */
static int check_effects(const struct vbt_command *command, const struct vbt_query *query) {
    bool lists = query->sorted || query->by_leaf, data = query->format == VBT_JSON || query->format == VBT_CSV;
    bool like = query->like != VBT_LIKE_OURS, json = query->format == VBT_JSON, user = query->user != NULL;
    bool by_thread = query->by == VBT_BY_THREAD, picture = query->format == VBT_SVG, differs = query->diff != NULL;
    const struct {
        bool given;
        const char *option, *with;
    } vain[] = {
        {query->at && query->from != NULL, "--from", "--at"},
        {query->before_exit && query->to != NULL, "--before-exit", query->at ? "--at" : "--to"},
        {query->grown && query->measured, "--grown", "--measure"},
        {query->grown && query->sorted && strcmp(query->sort, "grown") != 0, "--grown", "--sort"},
        {like && data, "--like", json ? "--format json" : "--format csv"},
        {like && lists, "--like", query->sorted ? "--sort" : "--by leaf"},
        {like && query->limited, "--limit", "--like"},
        {query->own && data, "--own", json ? "--format json, which has both" : "--format csv, which has both"},
        {query->own && lists, "--own", query->sorted ? "--sort" : "--by leaf"},
        {query->own && like, "--own", "--like"},
        {user && like, "--user", "--like"},
        {user && query->own, "--user", "--own"},
        {user && query->by_leaf && !json, "--user", "--by leaf"},
        {user && query->ungroup, "--user", "--ungroup"},
        {user && query->by != VBT_BY_NOTHING && strcmp(command->name, "functions") == 0, "--user",
         by_thread ? "--by thread" : "--by module"},
        {differs && query->measure == VBT_MEASURE_GROWN, "--diff", query->grown ? "--grown" : "--measure grown"},
        {differs && query->lines_given, "--frames line", "--diff, which compares functions"},
        {differs && !picture, "--diff", "--format collapsed"},
        {query->imports && !picture, "--imports", "--format collapsed"},
        {query->root_at_bottom && !picture, "--root", "--format collapsed"},
        {query->sites && data, "--sites", json ? "--format json, which has them" : "--format csv"},
        {query->per > 0 && query->format == VBT_CSV && strcmp(command->name, "report") == 0, "--per", "--format csv"},
        {query->table != VBT_DIFF_ALL && json, "--table", "--format json, which has all"},
        {query->by_leaf && json && strcmp(command->name, "report") == 0, "--by", "--format json, which has both"},
    };
    for (size_t i = 0; i < VBT_COUNT(vain); i++)
        if (vain[i].given)
            return vbt_fail("%s: %s has no effect with %s", command->name, vain[i].option, vain[i].with);
    return -1;
}

static void name_traces(struct vbt_query *query, int count, char *const *arguments) {
    static char several[32];
    snprintf(several, sizeof several, "%d traces", count);
    query->traces = (const char *const *)arguments;
    query->trace_count = (size_t)count;
    query->trace = count == 1 ? arguments[0] : several;
}

/* Does the format hold what is asked of it? stacks: an option of call stacks that was given, or
 * NULL. Returns a status if not, else -1. */
static int check_exporter(const struct vbt_command *command, const struct vbt_query *query, const char *stacks) {
    const struct vbt_exporter *exporter = vbt_exporter_find(query->exporter);
    const char *option = NULL, *why = NULL;
    if (stacks != NULL && !exporter->of_stacks) {
        option = stacks;
        why = "it holds no call stacks";
    } else if (query->reverse && exporter->forward) {
        option = "reverse";
        why = "its readers turn stacks round themselves";
    } else if (exporter->everything && (query->by != VBT_BY_NOTHING || query->by_function)) {
        option = query->by_function ? "frames" : "by";
        why = "it holds lines, in no groups";
    } else if (query->measure != VBT_MEASURE_BYTES && exporter->holds != NULL) {
        option = "measure";
        why = exporter->holds;
    } else if ((query->grown || query->measure == VBT_MEASURE_GROWN) && exporter->forward) {
        option = query->grown ? "grown" : "measure grown";
        why = exporter->holds != NULL ? exporter->holds : "it holds all measures but this";
    }
    return why == NULL ? -1 : vbt_fail("%s --format %s does not take --%s: %s", command->name, exporter->name, option, why);
}

/* How many arguments follow the first "--"; SIZE_MAX: there is none. Before getopt_long moves
 * them. */
static size_t count_after_dashes(int count, char *const *arguments) {
    for (int i = 1; i < count; i++)
        if (strcmp(arguments[i], "--") == 0)
            return (size_t)(count - i) - 1;
    return SIZE_MAX;
}

int vbt_query_parse(const struct vbt_command *command, int count, char *const *arguments, struct vbt_query *query) {
    vbt_query_begin(query, command);
    struct option *known = getopt_options();
    const char *stacks = NULL;
    int status = -1;
    size_t after_dashes = count_after_dashes(count, arguments);
    optind = 0; /* forget an earlier command line */
    opterr = 0;
    for (int found; status < 0 && (found = getopt_long(count, arguments, ":o:h", known, NULL)) != -1;)
        status = found == '?' || found == ':' ? bad_option(command, found, arguments) : set_option(command, found, query, &stacks);
    free(known);
    if (status >= 0)
        return status;
    if (optind == count)
        return vbt_fail("%s: expected a trace file, as in: vbtrace %s NAME.PID.vbt", command->name, command->name);
    if (optind + 1 < count && !command->several)
        return vbt_fail("%s: expected one trace file, found also %s", command->name, arguments[optind + 1]);
    status = query->exporter != NULL ? check_exporter(command, query, stacks) : -1;
    if (status >= 0)
        return status;
    name_traces(query, count - optind, arguments + optind);
    status = command->sides ? vbt_divide_sides(command, query, after_dashes) : -1;
    if (status >= 0)
        return status;
    vbt_query_finish(query, command);
    status = check_effects(command, query);
    return status >= 0 ? status : check_output(command, query);
}
