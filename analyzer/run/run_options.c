/* See run_options.h. */
#include "run_options.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/help_text.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "format/count.h"
#include "preload/shared/options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* Values of getopt_long: the library's options in their order, and those of this file in theirs. */
enum { LIBRARY = 256, OWN = 512 };

/* The option of VBTRACE_MAX_TRACE is --max-trace. */
static char *long_name(const struct vbt_option *option) {
    char *name = vbt_copy(option->name, strlen(option->name));
    for (char *at = name; *at != '\0'; at++)
        *at = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
    return name;
}

/* given: NULL for an option without a value. */
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

/* A program is run traced or not at all: values at which the library would run untraced are errors
 * here. */
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

static int set_no_symbolize(struct vbt_run_options *options, const char *value) {
    (void)value;
    options->symbolize = false;
    return -1;
}

static int add_statement(struct vbt_run_options *options, const char *value) {
    vbt_memit_add(&options->memit.statement, value);
    return -1;
}

static int add_setup(struct vbt_run_options *options, const char *value) {
    vbt_memit_add(&options->memit.setup, value);
    return -1;
}

static int set_python(struct vbt_run_options *options, const char *value) {
    options->wish.python = value;
    return -1;
}

static int set_module(struct vbt_run_options *options, const char *value) {
    options->wish.module = value;
    return -1;
}

static int set_code(struct vbt_run_options *options, const char *value) {
    options->wish.code = value;
    return -1;
}

static int set_output(struct vbt_run_options *options, const char *value) {
    (void)options;
    return set_library_option(library_option("OUTPUT"), value);
}

/* The options that are not the library's. */
static const struct own_option {
    char letter;       /* '\0': none */
    const char *name;  /* NULL: it only has a letter */
    const char *value; /* stands for the value in the help; NULL: it takes none */
    const char *help;
    int (*set)(struct vbt_run_options *options, const char *value); /* returns -1 or an exit status; NULL: prints the help */
} own_options[] = {
    {'\0', "no-symbolize", NULL, "do not look up the names of native code; that is done when the trace is read", set_no_symbolize},
    {'\0', "memit", "STATEMENT", "run a Python statement instead, and print how much memory it took; if repeated, its next line",
     add_statement},
    {'\0', "setup", "CODE", "what to run before the statement, as for timeit; not measured", add_setup},
    {'m', NULL, "MODULE", "run a Python module, as python -m does; what follows are its arguments", set_module},
    {'c', NULL, "CODE", "run Python code, as python -c does; what follows are its arguments", set_code},
    {'\0', "python", "PROGRAM",
     "the interpreter for a script, -m, -c and --memit; default: the script's \"#!\", the active virtual environment's, python3",
     set_python},
    {'o', NULL, "PATH", "as --output; into a folder, or a path that ends with a slash, all traces go", set_output},
    {'h', "help", NULL, "this text", NULL},
};

enum { OWN_OPTIONS = VBT_COUNT(own_options) };

static int print_help(void) {
    struct vbt_output output;
    vbt_output_begin(&output, NULL);
    FILE *out = output.stream;
    fputs("Usage: vbtrace run [options] [--] PROGRAM|SCRIPT.py [ARGUMENTS]\n"
          "       vbtrace run [options] -m MODULE|-c CODE [ARGUMENTS]\n"
          "       vbtrace run [options] --memit STATEMENT\n\n",
          out);
    vbt_help_print_text(out,
                        "Runs a program, and what it starts, with vbtrace preloaded; then looks up the names of native code, and "
                        "shows a summary on standard error. The exit status is the program's; if a signal kills it, the same "
                        "signal ends vbtrace. A Python script needs no interpreter before it.\n"
                        "The trace is vbtrace.PROGRAM.PID.vbt; if several processes leave one, they are in a folder "
                        "vbtrace.PROGRAM.PID. Of a script or module, PROGRAM is its name.");
    fputs("\nOptions, each also an environment variable (VBTRACE_TICK for --tick):\n", out);
    for (size_t i = 0; i < vbt_option_count; i++) {
        const struct vbt_option *option = &vbt_option_list[i];
        char *name = long_name(option);
        vbt_help_print_option(out, '\0', name, option->value, option->help);
        free(name);
    }
    for (size_t i = 0; i < OWN_OPTIONS; i++)
        vbt_help_print_option(out, own_options[i].letter, own_options[i].name, own_options[i].value, own_options[i].help);
    return vbt_output_finish(&output);
}

void vbt_run_options_list(FILE *out) {
    for (size_t i = 0; i < vbt_option_count; i++) {
        char *name = long_name(&vbt_option_list[i]);
        vbt_help_list_option(out, "run", '\0', name, vbt_option_list[i].value);
        free(name);
    }
    for (size_t i = 0; i < OWN_OPTIONS; i++)
        vbt_help_list_option(out, "run", own_options[i].letter, own_options[i].name, own_options[i].value);
}

/* The library's options come first; their names must be freed. */
static struct option *getopt_options(void) {
    struct option *list = vbt_new(vbt_option_count + OWN_OPTIONS + 1, sizeof *list);
    for (size_t i = 0; i < vbt_option_count; i++)
        list[i] = (struct option){long_name(&vbt_option_list[i]),
                                  vbt_option_list[i].value != NULL ? required_argument : no_argument, NULL, LIBRARY + (int)i};
    size_t count = vbt_option_count;
    for (size_t i = 0; i < OWN_OPTIONS; i++)
        if (own_options[i].name != NULL)
            list[count++] = (struct option){own_options[i].name, own_options[i].value != NULL ? required_argument : no_argument,
                                            NULL, OWN + (int)i};
    return list;
}

static int bad_option(int found, char **arguments) {
    const char *word = arguments[optind - 1];
    if (found == ':')
        return vbt_fail("run: %s: expected a value after it; see vbtrace run --help", word);
    return vbt_fail("run: unknown option %s; see vbtrace run --help", word);
}

static int set_option(struct vbt_run_options *options, int found) {
    if (found >= LIBRARY && found < OWN)
        return set_library_option(&vbt_option_list[found - LIBRARY], optarg);
    size_t row = found >= OWN ? (size_t)found - OWN : 0;
    while (found < OWN && own_options[row].letter != found)
        row++;
    return own_options[row].set != NULL ? own_options[row].set(options, optarg) : print_help();
}

static int read_options(struct vbt_run_options *options, int count, char **arguments, const struct option *known) {
    int status = -1;
    optind = 0;
    opterr = 0;
    for (int found; status < 0 && options->wish.module == NULL && options->wish.code == NULL &&
                    (found = getopt_long(count, arguments, "+:o:m:c:h", known, NULL)) != -1;)
        status = found == '?' || found == ':' ? bad_option(found, arguments) : set_option(options, found);
    return status;
}

/* What to run: a program, or what an interpreter runs. Returns -1 or an exit status. */
static int set_program(struct vbt_run_options *options, char **rest) {
    struct vbt_memit *memit = &options->memit;
    const struct vbt_python_wish *wish = &options->wish;
    bool is_python = wish->module != NULL || wish->code != NULL;
    if (memit->statement == NULL && memit->setup != NULL)
        return vbt_fail("run: --setup: expected --memit, too");
    if (memit->statement != NULL && is_python)
        return vbt_fail("run: -%c: expected no program with --memit", wish->module != NULL ? 'm' : 'c');
    if (memit->statement != NULL && rest[0] != NULL)
        return vbt_fail("run: %s: expected no program with --memit; --python says what runs the statement", rest[0]);
    memit->python = wish->python;
    if (memit->statement != NULL)
        return -1;
    if (rest[0] == NULL && !is_python)
        return vbt_fail("run: expected a program, as in: vbtrace run program.py");
    options->wish.rest = rest;
    char *problem = vbt_python_command_make(&options->python, wish);
    int status = problem != NULL ? vbt_fail("run: %s", problem) : -1;
    free(problem);
    options->program = options->python.program != NULL ? options->python.program : rest;
    return status;
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
    if (status < 0)
        status = set_program(options, arguments + optind);
    if (status >= 0)
        return status;
    const struct vbt_memit *memit = &options->memit;
    options->output = getenv("VBTRACE_OUTPUT");
    if (memit->statement != NULL && options->output == NULL && (!options->symbolize || vbt_options.lines > VBT_LINES_NONE))
        return vbt_fail("run: %s: expected -o with --memit, which keeps no trace otherwise",
                        !options->symbolize ? "--no-symbolize" : "counted lines");
    options->quiet = vbt_options.quiet;
    return -1;
}

void vbt_run_options_free(struct vbt_run_options *options) {
    vbt_memit_free(&options->memit);
    vbt_python_command_free(&options->python);
}
