/* See python_command.h. */
#include "python_command.h"

#include "program_files.h"
#include "analyzer/base/allocate.h"
#include "analyzer/merge/process_list.h"
#include "format/count.h"
#include "preload/shared/base_name.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The value of a variable, which is then removed, for the caller to free; NULL if it names no
 * program. */
static char *take_variable(const char *name) {
    const char *value = getenv(name);
    char *path = value != NULL && vbt_is_program(value) ? vbt_text("%s", value) : NULL;
    unsetenv(name);
    return path;
}

static char *python_of_environment(void) {
    const char *environment = getenv("VIRTUAL_ENV");
    if (environment == NULL || environment[0] == '\0')
        return NULL;
    char *path = vbt_text("%s/bin/python3", environment);
    if (vbt_is_program(path))
        return path;
    free(path);
    return NULL;
}

/* What started the tool is `python -m vbtrace`: *caller, else NULL. */
static char *find(char **caller) {
    *caller = take_variable(VBT_PYTHON_VARIABLE);
    char *beside = take_variable(VBT_PYTHON_BESIDE_VARIABLE), *found = python_of_environment();
    if (found == NULL)
        found = beside != NULL ? beside : vbt_text("python3");
    if (found != beside)
        free(beside);
    return found;
}

char *vbt_python_find(void) {
    char *caller, *found = find(&caller);
    if (caller == NULL)
        return found;
    free(found);
    return caller;
}

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text), of_end = strlen(end);
    return size > of_end && strcmp(text + size - of_end, end) == 0;
}

static bool is_python(const char *interpreter) {
    const char *name = vbt_base_name(interpreter);
    return strncmp(name, "python", 6) == 0 || strncmp(name, "pypy", 4) == 0;
}

/* The interpreter that a file's "#!" line names, if it is a Python; NULL: none. *its_options: what
 * follows it there, or NULL. The caller frees both. */
static char *python_of_file(const char *path, char **its_options) {
    char line[VBT_FIRST_LINE], *name, *argument, *found = NULL;
    const char *options = "";
    *its_options = NULL;
    vbt_read_start(path, line, sizeof line);
    line[strcspn(line, "\r\n")] = '\0';
    if (!vbt_read_first_line(line, &name, &argument))
        return NULL;
    if (argument != NULL && strcmp(vbt_base_name(name), "env") == 0)
        found = vbt_program_of_env(argument, &options);
    else
        options = argument != NULL ? argument : "";
    if (found == NULL)
        found = vbt_text("%s", name);
    if (!is_python(found)) {
        free(found);
        return NULL;
    }
    *its_options = options[0] != '\0' ? vbt_text("%s", options) : NULL;
    return found;
}

static bool has_ending(const char *path) {
    static const char *const endings[] = {".py", ".pyw", ".pyz", ".pyc"};
    for (size_t i = 0; i < VBT_COUNT(endings); i++)
        if (ends_with(path, endings[i]))
            return true;
    return false;
}

/* Is it for an interpreter to run? chosen: the caller says which one, so that a "#!" line does not
 * count. */
static bool is_script(const char *path, bool chosen) {
    struct stat status;
    if (stat(path, &status) != 0)
        return false;
    if (S_ISDIR(status.st_mode)) {
        char *start = vbt_text("%s/__main__.py", path);
        bool found = stat(start, &status) == 0;
        free(start);
        return found;
    }
    char first[3], *options;
    vbt_read_start(path, first, sizeof first);
    if (!chosen && vbt_is_program(path) && strchr(path, '/') != NULL && strcmp(first, "#!") == 0)
        return false; /* the kernel runs it */
    if (has_ending(path))
        return true;
    char *python = chosen || !vbt_is_program(path) ? python_of_file(path, &options) : NULL;
    bool found = python != NULL;
    if (found)
        free(options);
    free(python);
    return found;
}

/* What is wrong with a program that is no script, as far as it is known here. */
static char *wrong_with(const struct vbt_python_wish *wish, bool in_path) {
    const char *name = wish->rest[0];
    if (!in_path && strchr(name, '/') == NULL && has_ending(name) && access(name, F_OK) != 0)
        return vbt_text("%s: no such file, and no such program in PATH", name);
    return wish->python != NULL ? vbt_text("--python: expected a script, -m, -c or --memit, too") : NULL;
}

static void choose_interpreter(struct vbt_python_command *command, const struct vbt_python_wish *wish, const char *script) {
    char *caller, *found = find(&caller), *own = script != NULL ? python_of_file(script, &command->options) : NULL;
    if (wish->python != NULL || caller != NULL) {
        free(command->options);
        command->options = NULL;
    }
    const char *chosen = wish->python != NULL ? wish->python : caller != NULL ? caller : own != NULL ? own : found;
    command->interpreter = vbt_text("%s", chosen);
    free(own);
    free(found);
    free(caller);
}

char *vbt_python_command_make(struct vbt_python_command *command, const struct vbt_python_wish *wish) {
    *command = (struct vbt_python_command){0};
    const char *what = wish->module != NULL ? wish->module : wish->code;
    if (what == NULL) {
        char *program = strchr(wish->rest[0], '/') == NULL ? vbt_search_path(wish->rest[0]) : NULL;
        bool in_path = program != NULL;
        free(program);
        if (in_path || !is_script(wish->rest[0], wish->python != NULL || getenv(VBT_PYTHON_VARIABLE) != NULL))
            return wrong_with(wish, in_path);
    }
    choose_interpreter(command, wish, what == NULL ? wish->rest[0] : NULL);
    if (wish->code == NULL)
        command->name = vbt_script_name(wish->module != NULL ? wish->module : wish->rest[0]);
    size_t count = 0;
    while (wish->rest[count] != NULL)
        count++;
    size_t room = count + 4; /* interpreter, -m, the module, the terminating NULL */
    for (const char *at = command->options; at != NULL && *at != '\0'; at++)
        room++;
    char **program = command->program = vbt_new(room, sizeof *program);
    *program++ = command->interpreter;
    for (char *rest = command->options, *word; (word = strsep(&rest, " \t")) != NULL;)
        if (word[0] != '\0')
            *program++ = word;
    if (what != NULL) {
        *program++ = (char *)(wish->module != NULL ? "-m" : "-c");
        *program++ = (char *)what;
    }
    memcpy(program, wish->rest, count * sizeof *program);
    return NULL;
}

void vbt_python_command_free(struct vbt_python_command *command) {
    free(command->program);
    free(command->name);
    free(command->interpreter);
    free(command->options);
}
