/* See options.h. */
#include "options.h"

#include "message.h"
#include "output.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = 'f', OUTPUT = 'o', HELP = 'h', SORT = 's', LIMIT = 'l', FILTER = 'F', BY = 'b', PER = 'p', SITES = 'S' };

static const struct option all_options[] = {
    {"format", required_argument, NULL, FORMAT}, {"output", required_argument, NULL, OUTPUT},
    {"help", no_argument, NULL, HELP},           {"sort", required_argument, NULL, SORT},
    {"limit", required_argument, NULL, LIMIT},   {"filter", required_argument, NULL, FILTER},
    {"by", required_argument, NULL, BY},         {"per", required_argument, NULL, PER},
    {"sites", no_argument, NULL, SITES},         {NULL, 0, NULL, 0},
};

static bool takes(const struct vbt_command *command, int option) {
    switch (option) {
    case SORT:
        return command->sort_keys != NULL;
    case LIMIT:
        return (command->takes & VBT_TAKES_LIMIT) != 0;
    case FILTER:
        return (command->takes & VBT_TAKES_FILTER) != 0;
    case BY:
        return (command->takes & VBT_TAKES_BY) != 0;
    case PER:
        return (command->takes & VBT_TAKES_PER) != 0;
    case SITES:
        return (command->takes & VBT_TAKES_SITES) != 0;
    default:
        return true;
    }
}

static void print_keys(FILE *out, const char *const *keys) {
    for (int i = 0; keys[i] != NULL; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", keys[i]);
}

int vbt_options_help(const struct vbt_command *command) {
    struct vbt_output output;
    vbt_output_begin(&output, NULL);
    FILE *out = output.stream;
    fprintf(out, "Usage: vbtrace %s [options] TRACE\n\n%s\n\nOptions:\n", command->name, command->help);
    fputs("  --format FORMAT   text (default), json or csv\n", out);
    if (takes(command, SORT)) {
        fputs("  --sort KEY        ", out);
        print_keys(out, command->sort_keys);
        fprintf(out, "; default: %s\n", command->sort_keys[0]);
    }
    if (takes(command, LIMIT))
        fprintf(out, "  --limit N         at most N rows, 0 for all; default: %u in text, all in json and csv\n",
                command->text_limit);
    if (takes(command, FILTER))
        fputs("  --filter TEXT     only rows whose file, function or label contains TEXT\n", out);
    if (takes(command, BY))
        fputs("  --by user|leaf    attribute to the nearest line of the user's own files (default), or to the line itself\n", out);
    if (takes(command, PER))
        fputs("  --per N           an interval between two clock readings holds N iterations\n", out);
    if (takes(command, SITES))
        fputs("  --sites           under each interval the lines that allocate in it\n", out);
    fputs("  -o, --output FILE write to FILE instead of standard output\n"
          "  -h, --help        this text\n",
          out);
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

static int get_format(const char *name, enum vbt_output_format *format) {
    static const char *const names[] = {[VBT_TEXT] = "text", [VBT_JSON] = "json", [VBT_CSV] = "csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) {
            *format = (enum vbt_output_format)i;
            return -1;
        }
    return vbt_fail("--format %s: expected text, json or csv", name);
}

static int get_key(const char *const *keys, const char *name, const char **key) {
    for (int i = 0; keys[i] != NULL; i++)
        if (strcmp(keys[i], name) == 0) {
            *key = keys[i];
            return -1;
        }
    char list[256] = "";
    for (int i = 0; keys[i] != NULL; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i == 0 ? "" : ", ", keys[i]);
    return vbt_fail("--sort %s: expected one of %s", name, list);
}

static int set_option(const struct vbt_command *command, int option, const char *value, struct vbt_options *options) {
    switch (option) {
    case FORMAT:
        return get_format(value, &options->format);
    case SORT:
        return get_key(command->sort_keys, value, &options->sort);
    case OUTPUT:
        options->output = value;
        return -1;
    case FILTER:
        options->filter = value;
        return -1;
    case LIMIT:
        if (!get_number(value, &options->limit))
            return vbt_fail("--limit %s: expected a number of rows, 0 for all", value);
        if (options->limit == 0)
            options->limit = UINT64_MAX;
        return -1;
    case PER:
        if (!get_number(value, &options->per) || options->per == 0)
            return vbt_fail("--per %s: expected a number of iterations, 1 or more", value);
        return -1;
    case BY:
        options->by_leaf = strcmp(value, "leaf") == 0;
        if (!options->by_leaf && strcmp(value, "user") != 0)
            return vbt_fail("--by %s: expected user or leaf", value);
        return -1;
    case SITES:
        options->sites = true;
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

int vbt_options_parse(const struct vbt_command *command, int count, char *const *arguments, struct vbt_options *options) {
    *options = (struct vbt_options){.sort = command->sort_keys != NULL ? command->sort_keys[0] : NULL};
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
        int status = set_option(command, option, optarg, options);
        if (status >= 0)
            return status;
    }
    if (optind == count)
        return vbt_fail("%s: expected a trace file, as in: vbtrace %s NAME.PID.vbt", command->name, command->name);
    if (optind + 1 < count)
        return vbt_fail("%s: expected one trace file, found also %s", command->name, arguments[optind + 1]);
    options->trace = arguments[optind];
    if (options->limit == 0)
        options->limit = options->format == VBT_TEXT ? command->text_limit : UINT64_MAX;
    return -1;
}
