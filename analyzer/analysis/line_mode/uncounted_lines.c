/* See uncounted_lines.h. */
#include "uncounted_lines.h"

#include "analyzer/base/allocate.h"
#include "preload/shared/patterns.h"

#include <stdlib.h>
#include <string.h>

/* The value that VBTRACE_NAME had when the program ran, or NULL. */
static const char *option(const struct vbt_model *model, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < model->process_count; i++) {
        const char *value = model->process[i].value;
        if (strcmp(model->process[i].key, "option") == 0 && strncmp(value, name, length) == 0 && value[length] == '=')
            return value + length + 1;
    }
    return NULL;
}

static bool is(const char *value, const char *wanted) { return value != NULL && strcmp(value, wanted) == 0; }

/* Does the name (or file) of any code whose lines were counted match the pattern? */
static bool is_counted(const struct vbt_model *model, const char *pattern, bool of_file) {
    uint32_t before = 0;
    for (size_t i = 0; i < model->line_counts_count; i++) {
        uint32_t code = (uint32_t)model->sites[model->line_counts[i].site].a;
        if (code == before)
            continue;
        before = code;
        const char *name = vbt_model_string(model, of_file ? model->codes[code].file : model->codes[code].name);
        if (vbt_patterns_match(pattern, name, strlen(name), of_file ? '/' : '.'))
            return true;
    }
    return false;
}

/* The patterns of a list that match nothing, quoted, as "'a', 'b' or 'c'", for the caller to free;
 * NULL if there are none. */
static char *unmatched(const struct vbt_model *model, const char *list, bool of_file) {
    char *found = NULL, *last = NULL;
    for (const char *at = list; at != NULL && *at != '\0';) {
        size_t size = strcspn(at, ",");
        char *pattern = vbt_copy(at, size);
        if (!is_counted(model, pattern, of_file)) {
            char *longer = found == NULL ? last : vbt_text("%s, %s", found, last);
            if (longer != last)
                free(last);
            free(found);
            found = longer;
            last = vbt_text("'%s'", pattern);
        }
        free(pattern);
        at += size + (at[size] == ',');
    }
    char *all = found != NULL ? vbt_text("%s or %s", found, last) : last;
    if (found != NULL)
        free(last);
    free(found);
    return all;
}

/* A hint why a function's pattern may have matched nothing; "" if there is none. */
static const char *hint(const struct vbt_model *model, const char *patterns) {
    enum { QUALIFIED_SINCE = 11 };
    const char *version = vbt_model_process(model, "python");
    bool plain = version != NULL && strncmp(version, "3.", 2) == 0 && atoi(version + 2) < QUALIFIED_SINCE;
    return plain && strchr(patterns, '.') != NULL ? "; before Python 3.11 a method has its plain name: put, not Table.put" : "";
}

/* Why nothing at all was counted, for the caller to free. */
static char *nothing(const struct vbt_model *model, const char *lines, const char *functions, const char *files) {
    const char *status = vbt_model_process(model, "python_status");
    if (vbt_model_process(model, "python") == NULL)
        return vbt_text("no line was counted: lines are counted in Python programs only");
    if (status != NULL && strcmp(status, "ok") != 0)
        return vbt_text("no line was counted: Python lines are not attributed: %s", status);
    if (is(lines, "profile"))
        return vbt_text("no line was counted: no function that ran carries @profile (VBTRACE_LINES=profile)");
    if (functions == NULL && files == NULL)
        return vbt_text("no line was counted: no file of your own ran; code from -c or standard input is counted with "
                        "VBTRACE_FILES='<string>' or '<stdin>'");
    char *names = unmatched(model, functions, false), *paths = unmatched(model, files, true), *text;
    if (names != NULL && paths != NULL)
        text = vbt_text("no line was counted: no function that is called %s (VBTRACE_FUNCTIONS) ran in a file that is called %s "
                        "(VBTRACE_FILES)%s",
                        names, paths, hint(model, functions));
    else if (names != NULL)
        text =
            vbt_text("no line was counted: no function that ran is called %s (VBTRACE_FUNCTIONS)%s", names, hint(model, functions));
    else
        text = vbt_text("no line was counted: no file that ran is called %s (VBTRACE_FILES)", paths != NULL ? paths : "''");
    free(names);
    free(paths);
    return text;
}

char *vbt_uncounted_lines(const struct vbt_model *model) {
    const char *lines = option(model, "VBTRACE_LINES"), *functions = option(model, "VBTRACE_FUNCTIONS"),
               *files = option(model, "VBTRACE_FILES");
    bool asked = lines != NULL || functions != NULL || files != NULL || is(option(model, "VBTRACE_OBJECTS"), "1");
    if (!asked || is(lines, "0") || model->damage != NULL)
        return NULL;
    if (model->window.is_part) /* what ran at other times is not known */
        return model->line_counts_count == 0 ? vbt_text("no line was counted in this part of the run") : NULL;
    if (model->line_counts_count == 0)
        return nothing(model, lines, functions, files);
    if (is(lines, "profile"))
        return NULL;
    char *names = unmatched(model, functions, false), *paths = unmatched(model, files, true), *text = NULL;
    if (names != NULL)
        text = vbt_text("no function that ran is called %s (VBTRACE_FUNCTIONS)%s", names, hint(model, names));
    else if (paths != NULL)
        text = vbt_text("no file whose lines were counted is called %s (VBTRACE_FILES)", paths);
    free(names);
    free(paths);
    return text;
}

const char *vbt_uncounted_since(const struct vbt_model *model, size_t number) {
    for (size_t i = 0; i < model->process_count; i++) {
        const char *note = model->process[i].value;
        bool says_so = strstr(note, "lines were not counted") != NULL || strstr(note, "no lines were counted") != NULL;
        if (strcmp(model->process[i].key, "note") == 0 && says_so && number-- == 0)
            return note;
    }
    return NULL;
}
