/* See target.h. */
#include "target.h"

#include "program_files.h"
#include "traceable.h"
#include "analyzer/base/allocate.h"
#include "format/count.h"
#include "preload/shared/base_name.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The kernel follows no longer chain of "#!" lines. */
enum { LONGEST_CHAIN = 5, SCRIPT_TEXT = 4096 };

/* The first line that a command prints, or NULL if it fails; the caller frees it. */
static char *ask(const char *const arguments[]) {
    extern char **environ;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    pid_t child;
    int error = posix_spawnp(&child, arguments[0], &actions, NULL, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length = error == 0 && out != NULL ? getline(&line, &capacity, out) : -1;
    int status = 0;
    if (out != NULL)
        fclose(out);
    while (error == 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (length > 0 && line[length - 1] == '\n')
        line[--length] = '\0';
    if (length > 0 && status == 0)
        return line;
    free(line);
    return NULL;
}

/* The program that a shim runs, or NULL: a script that ends in  exec "/somewhere/pyenv" exec
 * "$program" "$@"  runs what "pyenv which" prints. */
static char *program_of_shim(const char *path) {
    char text[SCRIPT_TEXT];
    vbt_read_start(path, text, sizeof text);
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        line += strspn(line, " \t");
        if (strncmp(line, "exec ", 5) != 0)
            continue;
        char *tool = line + 5;
        bool quoted = tool[0] == '"';
        char *end = strpbrk(tool + quoted, quoted ? "\"" : " ");
        if (end == NULL || strncmp(end + quoted, " exec ", 6) != 0)
            continue;
        *end = '\0';
        return ask((const char *const[]){tool + quoted, "which", vbt_base_name(path), NULL});
    }
    return NULL;
}

/* What runs a file, one step further; NULL: the file is not a script. */
static char *interpreter_of(const char *path) {
    char line[VBT_FIRST_LINE], *name, *arguments;
    const char *options;
    vbt_read_start(path, line, sizeof line);
    if (strncmp(line, "\177ELF", 4) == 0 || line[0] == '\0')
        return NULL;
    if (strncmp(line, "#!", 2) != 0)
        return vbt_text("/bin/sh"); /* as execvp does */
    char *next = program_of_shim(path);
    if (next != NULL || !vbt_read_first_line(line, &name, &arguments))
        return next;
    if (arguments != NULL && strcmp(vbt_base_name(name), "env") == 0 && (next = vbt_program_of_env(arguments, &options)) != NULL)
        return next;
    return vbt_text("%s", name);
}

/* The program that the loader runs with these arguments, the first of which is its own name; NULL:
 * none. */
static const char *program_of_loader(const char *const *arguments) {
    static const char *const with_value[] = {"--library-path",         "--inhibit-rpath",    "--audit", "--preload", "--argv0",
                                             "--glibc-hwcaps-prepend", "--glibc-hwcaps-mask"};
    while (*++arguments != NULL && strncmp(*arguments, "--", 2) == 0)
        for (size_t i = 0; i < VBT_COUNT(with_value); i++)
            if (strcmp(*arguments, with_value[i]) == 0 && arguments[1] != NULL) {
                arguments++;
                break;
            }
    return *arguments;
}

char *vbt_target_find(struct vbt_target *target, const char *const *command) {
    const char *name = command[0];
    *target = (struct vbt_target){0};
    target->path = strchr(name, '/') != NULL ? vbt_text("%s", name) : vbt_search_path(name);
    if (target->path == NULL)
        return vbt_text("%s: no such program in PATH", name);
    struct stat status;
    if (stat(target->path, &status) != 0)
        return vbt_text("%s: %s", target->path, strerror(errno));
    if (!vbt_is_program(target->path))
        return vbt_text("%s: expected a program, found %s", target->path,
                        S_ISDIR(status.st_mode) ? "a directory" : "a file that is not executable");
    target->program = vbt_text("%s", target->path);
    for (int length = 0;; length++) {
        char *next = interpreter_of(target->program);
        if (next == NULL)
            break;
        if (length == LONGEST_CHAIN || !vbt_is_program(next)) {
            char *problem = length == LONGEST_CHAIN
                                ? vbt_text("%s: its \"#!\" lines form a circle, or too long a chain", target->path)
                                : vbt_text("%s: its interpreter %s is not a program", target->program, next);
            free(next);
            return problem;
        }
        free(target->program);
        target->program = next;
    }
    if (vbt_is_loader(target->program) && strcmp(target->program, target->path) == 0) {
        const char *program = program_of_loader(command);
        if (program != NULL && vbt_is_program(program)) { /* else it prints what is wrong itself */
            free(target->program);
            target->program = vbt_text("%s", program);
        }
    }
    return vbt_untraceable(target->program);
}

void vbt_target_free(struct vbt_target *target) {
    free(target->path);
    free(target->program);
}
