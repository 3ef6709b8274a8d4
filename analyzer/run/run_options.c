/* See run_options.h. */
#include "run_options.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "preload/shared/options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* getopt's numbers: the library's options from FIRST on, in their order. */
enum { HELP = 'h', OUTPUT = 'o', NO_SYMBOLIZE = 's', MEMIT = 'm', SETUP = 'S', PYTHON = 'p', FIRST = 256 };

/* MAX_TRACE is --max-trace on a command line. */
static char *long_name(const struct vbt_option *option) {
    char *name = vbt_copy(option->name, strlen(option->name));
    for (char *at = name; *at != '\0'; at++)
        *at = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
    return name;
}

static int help(void) {
    struct vbt_output output;
    vbt_output_begin(&output, NULL);
    FILE *out = output.stream;
    fputs("Usage: vbtrace run [options] [--] PROGRAM [ARGUMENTS]\n"
          "       vbtrace run [options] --memit STATEMENT\n\n"
          "Runs a program, and what it starts, with vbtrace preloaded; then looks up the names of native code and shows a summary "
          "on\n"
          "standard error. The exit status is the program's; if a signal kills it, the same signal ends vbtrace.\n"
          "The trace is vbtrace.PROGRAM.PID.vbt; if several processes leave one, they are in a folder vbtrace.PROGRAM.PID.\n\n"
          "Options, each also a variable of the environment (VBTRACE_TICK for --tick):\n",
          out);
    for (size_t i = 0; i < vbt_option_count; i++) {
        const struct vbt_option *option = &vbt_option_list[i];
        char *name = long_name(option);
        char *left = vbt_text("--%s %s", name, option->value != NULL ? option->value : "");
        fprintf(out, "  %-17s%s %s\n", left, strlen(left) > 17 ? "\n                   " : "", option->help);
        free(left);
        free(name);
    }
    fputs("  --no-symbolize    leave out the names of native code; they are looked up when the trace is read\n"
          "  --memit STATEMENT run a Python statement instead, and print how much memory it took; once more: its next line\n"
          "  --setup CODE      what is to run before the statement, as for timeit; not measured\n"
          "  --python PROGRAM  the interpreter for it; default: python3\n"
          "  -o PATH           as --output; a folder, or a path that ends with a slash: the traces go there\n"
          "  -h, --help        this text\n",
          out);
    return vbt_output_finish(&output);
}

/* given: NULL for an option that has no value. */
static int set_library_option(const struct vbt_option *option, const char *given) {
    const char *value = given != NULL ? given : "1", *expected = option->set(value);
    char *name = long_name(option);
    char *variable = vbt_text("VBTRACE_%s", option->name);
    int status = -1;
    if (expected != NULL)
        status = vbt_fail("run: --%s %s: expected %s", name, value, expected);
    else
        setenv(variable, value, 1);
    free(name);
    free(variable);
    return status;
}

static const struct vbt_option *library_option(const char *name) {
    for (size_t i = 0; i < vbt_option_count; i++)
        if (strcmp(vbt_option_list[i].name, name) == 0)
            return &vbt_option_list[i];
    return NULL;
}

/* The program is run traced or not at all: what the library would refuse is an error here. */
static int check_environment(void) {
    for (size_t i = 0; i < vbt_option_count; i++) {
        char *variable = vbt_text("VBTRACE_%s", vbt_option_list[i].name);
        const char *value = getenv(variable), *expected = value != NULL ? vbt_option_list[i].set(value) : NULL;
        int status = expected != NULL ? vbt_fail("run: %s=%s: expected %s", variable, value, expected) : -1;
        free(variable);
        if (status >= 0)
            return status;
    }
    const char *contradiction = vbt_options_contradiction();
    return contradiction != NULL ? vbt_fail("run: %s", contradiction) : -1;
}

static struct option *getopt_options(void) {
    struct option *list = vbt_new(vbt_option_count + 6, sizeof *list);
    for (size_t i = 0; i < vbt_option_count; i++)
        list[i] = (struct option){long_name(&vbt_option_list[i]),
                                  vbt_option_list[i].value != NULL ? required_argument : no_argument, NULL, FIRST + (int)i};
    list[vbt_option_count] = (struct option){"no-symbolize", no_argument, NULL, NO_SYMBOLIZE};
    list[vbt_option_count + 1] = (struct option){"help", no_argument, NULL, HELP};
    list[vbt_option_count + 2] = (struct option){"memit", required_argument, NULL, MEMIT};
    list[vbt_option_count + 3] = (struct option){"setup", required_argument, NULL, SETUP};
    list[vbt_option_count + 4] = (struct option){"python", required_argument, NULL, PYTHON};
    return list;
}

static int bad_option(int found, char **arguments) {
    const char *word = arguments[optind - 1];
    if (found == ':')
        return vbt_fail("run: %s: expected a value behind it; see vbtrace run --help", word);
    return vbt_fail("run: unknown option %s; see vbtrace run --help", word);
}

static int read_options(struct vbt_run_options *options, int count, char **arguments, const struct option *known) {
    optind = 0;
    opterr = 0;
    for (int found; (found = getopt_long(count, arguments, "+:o:h", known, NULL)) != -1;) {
        int status = -1;
        if (found == HELP)
            status = help();
        else if (found == NO_SYMBOLIZE)
            options->symbolize = false;
        else if (found == MEMIT)
            vbt_memit_add(&options->memit.statement, optarg);
        else if (found == SETUP)
            vbt_memit_add(&options->memit.setup, optarg);
        else if (found == PYTHON)
            options->memit.python = optarg;
        else if (found == OUTPUT)
            status = set_library_option(library_option("OUTPUT"), optarg);
        else if (found >= FIRST)
            status = set_library_option(&vbt_option_list[found - FIRST], optarg);
        else
            status = bad_option(found, arguments);
        if (status >= 0)
            return status;
    }
    return -1;
}

int vbt_run_options_parse(struct vbt_run_options *options, int count, char **arguments) {
    *options = (struct vbt_run_options){.symbolize = true, .memit.fd = -1};
    struct option *known = getopt_options();
    int status = read_options(options, count, arguments, known);
    for (size_t i = 0; i < vbt_option_count; i++)
        free((char *)known[i].name);
    free(known);
    if (status < 0)
        status = check_environment();
    if (status >= 0)
        return status;
    const struct vbt_memit *memit = &options->memit;
    if (memit->statement == NULL && (memit->setup != NULL || memit->python != NULL))
        return vbt_fail("run: --%s belongs to --memit", memit->setup != NULL ? "setup" : "python");
    if (memit->statement != NULL && optind < count)
        return vbt_fail("run: %s: expected no program beside --memit; --python says what runs the statement", arguments[optind]);
    if (memit->statement == NULL && optind == count)
        return vbt_fail("run: expected a program, as in: vbtrace run python3 program.py");
    options->program = arguments + optind;
    options->output = getenv("VBTRACE_OUTPUT");
    options->quiet = vbt_options.quiet;
    return -1;
}
