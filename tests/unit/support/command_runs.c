#include "command_runs.h"

#include "analyzer/commands/options/query_parse.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

const char *const commands[COMMANDS] = {
    "report", "lines", "functions", "intervals", "timeline", "info", "tree", "peak", "leaks", "temporary",
};

static char output_path[64];
char message[4096];

int run_arguments(const char *name, const char *const *given) {
    const struct vbt_command *command = vbt_command_find(name);
    char *arguments[ARGUMENTS + 1] = {(char *)(uintptr_t)name};
    int count = 1;
    for (; count < ARGUMENTS && given[count - 1] != NULL; count++)
        arguments[count] = (char *)(uintptr_t)given[count - 1];

    fflush(stderr);
    int saved = dup(STDERR_FILENO), file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    dup2(file, STDERR_FILENO);
    struct vbt_query query;
    int status = vbt_query_parse(command, count, arguments, &query);
    if (status < 0) {
        if (query.output == NULL)
            query.output = output_path;
        status = command->run(&query);
    }
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    ssize_t size = pread(file, message, sizeof message - 1, 0);
    message[size > 0 ? size : 0] = '\0';
    close(saved);
    close(file);
    return status;
}

json_t *run_json(const char *command, const char *trace, const char *option) {
    assert_int_equal(run_command(command, "--format", "json", trace, option, NULL), 0);
    json_error_t error;
    json_t *root = json_load_file(output_path, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        fail_msg("%s: line %d: %s", command, error.line, error.text);
    return root;
}

const char *output_text(void) {
    static char *text;
    free(text);
    FILE *file = fopen(output_path, "r");
    enum { ROOM = 6 << 20 };
    text = calloc(1, ROOM);
    size_t size = fread(text, 1, ROOM - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

void has(const char *text, const char *part) {
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is missing in:\n%s", part, text);
}

json_int_t at(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        fail_msg("\"%s\" is no integer", key);
    return json_integer_value(value);
}

int make_output(void **state) {
    (void)state;
    strcpy(output_path, "/tmp/vbtrace-output-XXXXXX");
    int fd = mkstemp(output_path);
    return fd < 0 ? -1 : close(fd);
}

int remove_output(void **state) {
    (void)state;
    return unlink(output_path);
}
