/* vbtrace: finds the subcommand and runs it. */
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "analyzer/commands/options.h"

#include <fcntl.h>
#include <jansson.h>
#include <locale.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct vbt_command *const commands[] = {
    &vbt_command_run,      &vbt_command_report, &vbt_command_lines,     &vbt_command_functions,  &vbt_command_tree,
    &vbt_command_peak,     &vbt_command_leaks,  &vbt_command_temporary, &vbt_command_flamegraph, &vbt_command_intervals,
    &vbt_command_timeline, &vbt_command_export, &vbt_command_info,      &vbt_command_symbolize,
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct vbt_command *find_command(const char *name) {
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int unknown_command(const char *name) { return vbt_fail("%s: no such command; see vbtrace help", name); }

static int print_help(void) {
    struct vbt_output output;
    vbt_output_begin(&output, NULL);
    fputs("vbtrace shows what every line, function and timed interval of a traced program costs in memory.\n\n"
          "Make a trace:  vbtrace run PROGRAM ...\n"
          "Read it:       vbtrace COMMAND [options] TRACE\n\n"
          "Commands:\n",
          output.stream);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(output.stream, "  %-11s %s\n", commands[i]->name, commands[i]->summary);
    fputs("  help        this text, or that of a command: vbtrace help COMMAND\n\n"
          "Exit status: 0 fine, 2 bad usage or input.\n",
          output.stream);
    return vbt_output_finish(&output);
}

static int print_version(void) {
    struct vbt_output output;
    vbt_output_begin(&output, NULL);
    fputs("vbtrace " VBT_VERSION "\n", output.stream);
    return vbt_output_finish(&output);
}

static int help(int count, char **arguments) {
    if (count < 2)
        return print_help();
    if (count > 2)
        return vbt_fail("help: expected one command, found also %s", arguments[2]);
    const struct vbt_command *command = find_command(arguments[1]);
    if (command == NULL)
        return unknown_command(arguments[1]);
    return command->own != NULL ? command->own(2, (char *[]){arguments[1], "--help", NULL}) : vbt_options_help(command);
}

/* What a closed descriptor would do to the next file that is opened. Put into its place is one that fails as it would; a program that
 * `vbtrace run` starts finds it closed. */
static void fill_standard_descriptors(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
}

static void *allocate_json(size_t size) { return vbt_new(1, size); }

int main(int count, char **arguments) {
    fill_standard_descriptors();
    json_set_alloc_funcs(allocate_json, free);
    setlocale(LC_CTYPE, "C.UTF-8"); /* for the width of characters; all output is UTF-8 */
    if (count < 2)
        return vbt_fail("expected a command, as in: vbtrace report TRACE; see vbtrace help");
    const char *name = arguments[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(count - 1, arguments + 1);
    if (strcmp(name, "--version") == 0)
        return count == 2 ? print_version() : vbt_fail("--version: expected nothing behind it, found %s", arguments[2]);
    const struct vbt_command *command = find_command(name);
    if (command == NULL)
        return name[0] == '-' ? vbt_fail("unknown option %s; see vbtrace help", name) : unknown_command(name);
    if (command->own != NULL)
        return command->own(count - 1, arguments + 1);
    struct vbt_query query;
    int status = vbt_options_parse(command, count - 1, arguments + 1, &query);
    return status >= 0 ? status : command->run(&query);
}
