/* See command_text.h. */
#include "command_text.h"

#include <string.h>

/* More functions than a command line has: each is looked for in its text. */
enum { MOST_FUNCTIONS = 1000 };

/* The value of -c among an interpreter's arguments, alone or at the end of a word of options, or
 * the rest of its word; NULL: there is none. */
static const char *text_of_arguments(const struct vbt_model *model) {
    bool is_first = true, is_next = false, is_value = false;
    for (size_t i = 0; i < model->process_count; i++) {
        const char *argument = model->process[i].value;
        if (strcmp(model->process[i].key, "arg") != 0)
            continue;
        if (is_next)
            return argument;
        if (is_first || is_value) {
            is_first = is_value = false;
            continue;
        }
        if (argument[0] != '-' || argument[1] == '-' || argument[1] == '\0')
            return NULL; /* a script */
        const char *at = argument + 1 + strcspn(argument + 1, "cmWX");
        if (*at == 'm')
            return NULL;
        if (*at == 'c' && at[1] != '\0')
            return at + 1;
        is_next = *at == 'c';
        is_value = (*at == 'W' || *at == 'X') && at[1] == '\0';
    }
    return NULL;
}

/* Where a line of a text begins, counted from 1; NULL: there is no such line. */
static const char *line_of(const char *text, int64_t line) {
    while (--line > 0 && text != NULL) {
        text = strchr(text, '\n');
        text = text != NULL ? text + 1 : NULL;
    }
    return text;
}

/* Can a function be of the text? Its first line then has its name, or that of a decorator. */
static bool may_be_of(const char *text, const char *name, int64_t first_line) {
    const char *start = line_of(text, first_line), *last = strrchr(name, '.');
    if (start == NULL)
        return false;
    name = last != NULL ? last + 1 : name;
    size_t size = strcspn(start, "\n");
    start += strspn(start, " \t");
    return name[0] == '<' || start[0] == '@' || memmem(start, size, name, strlen(name)) != NULL;
}

const char *vbt_command_text(const struct vbt_model *model) {
    const char *text = vbt_model_process(model, "python") != NULL ? text_of_arguments(model) : NULL;
    size_t modules = 0, functions = 0;
    for (size_t i = 1; i <= model->code_count && text != NULL; i++) {
        const struct vbt_model_code *code = &model->codes[i];
        if (!vbt_model_code_is_users(code) || strcmp(vbt_model_string(model, code->file), VBT_TEXT_FILE) != 0)
            continue;
        const char *name = vbt_model_string(model, code->name);
        bool is_module = strcmp(name, "<module>") == 0;
        modules += is_module;
        functions += !is_module;
        if (modules > 1 || functions > MOST_FUNCTIONS || (!is_module && !may_be_of(text, name, code->first_line)))
            text = NULL;
    }
    return text;
}
