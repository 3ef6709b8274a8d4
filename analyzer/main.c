/* vbtrace: finds the command and runs it. */
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "analyzer/commands/options/command_help.h"
#include "analyzer/commands/command_table.h"
#include "analyzer/commands/options/query_parse.h"

#include <fcntl.h>
#include <jansson.h>
#include <locale.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int unknown_command(const char *name) { return vbt_fail("%s: no such command; see vbtrace help", name); }

static int print_version(void) {
    struct vbt_output output;
    vbt_output_begin(&output, NULL);
    fputs("vbtrace " VBT_VERSION "\n", output.stream);
    return vbt_output_finish(&output);
}

static int help(int count, char **arguments) {
    if (count < 2)
        return vbt_help();
    if (count > 2)
        return vbt_fail("help: expected one command, found also %s", arguments[2]);
    if (strcmp(arguments[1], "--list") == 0)
        return vbt_help_list();
    const struct vbt_command *command = vbt_command_find(arguments[1]);
    return command != NULL ? vbt_command_help(command) : unknown_command(arguments[1]);
}

/* A closed standard descriptor would be reused by the next file that is opened. Opens one in its
 * place that fails like a closed one; a program that `vbtrace run` starts finds it closed. */
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
        return count == 2 ? print_version() : vbt_fail("--version: expected nothing after it, found %s", arguments[2]);
    const struct vbt_command *command = vbt_command_find(name);
    if (command == NULL)
        return name[0] == '-' ? vbt_fail("unknown option %s; see vbtrace help", name) : unknown_command(name);
    if (command->run_arguments != NULL)
        return command->run_arguments(count - 1, arguments + 1);
    struct vbt_query query;
    int status = vbt_query_parse(command, count - 1, arguments + 1, &query);
    return status >= 0 ? status : command->run(&query);
}
