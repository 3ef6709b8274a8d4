/* See command_line.h. */
#include "command_line.h"

#include "analyzer/base/allocate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_word(FILE *out, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        fputs(word, out);
        return;
    }
    putc('\'', out);
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            fputs("'\\'", out);
        putc(*word, out);
    }
    putc('\'', out);
}

static FILE *begin(char **text, size_t *size) {
    FILE *out = open_memstream(text, size);
    if (out == NULL)
        vbt_out_of_memory();
    return out;
}

/* Closes a memory stream and returns what was written to it. */
static char *finish(FILE *out, char **text) {
    if (fclose(out) != 0 || *text == NULL)
        vbt_out_of_memory();
    return *text;
}

char *vbt_shell_word(const char *word) {
    char *text = NULL;
    size_t size;
    FILE *out = begin(&text, &size);
    put_word(out, word);
    return finish(out, &text);
}

char *vbt_command_line(const struct vbt_model *model) {
    char *text = NULL;
    size_t size;
    FILE *out = begin(&text, &size);
    bool any = false;
    for (size_t i = 0; i < model->process_count; i++)
        if (strcmp(model->process[i].key, "arg") == 0) {
            if (any)
                putc(' ', out);
            put_word(out, model->process[i].value);
            any = true;
        }
    const char *exe = vbt_model_process(model, "exe");
    if (!any && exe != NULL)
        put_word(out, exe);
    return finish(out, &text);
}

size_t vbt_command_folder(const char *command) {
    size_t length = 0;
    for (size_t i = 0; command[i] != '\0' && command[i] != ' ' && command[0] != '\''; i++)
        length = command[i] == '/' ? i + 1 : length;
    return length;
}
