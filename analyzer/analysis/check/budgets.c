/* See budgets.h. */
#include "budgets.h"

#include "analyzer/base/allocate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A comment that begins with the mark, and nothing else of the line. */
const char *vbt_budget_in(const char *source, size_t size) {
    static const char mark[] = "vbtrace:";
    const char *at = source;
    while (at != NULL && (at = memmem(at, size - (size_t)(at - source), mark, sizeof mark - 1)) != NULL) {
        const char *before = at;
        while (before > source && (before[-1] == ' ' || before[-1] == '\t'))
            before--;
        bool comment = before > source && (before[-1] == '#' || (before - source > 1 && before[-1] == '/' && before[-2] == '/'));
        at += sizeof mark - 1;
        if (comment)
            return at;
    }
    return NULL;
}

/* Adds one limit. Takes ownership of its scope. */
static char *add(struct vbt_budgets *b, char *scope, const char *text, size_t length, const char *file, int64_t line) {
    char *whole = vbt_text("%s: %.*s", scope, (int)length, text);
    b->rows = vbt_grow(b->rows, &b->capacity, b->count + 1, sizeof *b->rows);
    char *wrong = vbt_limit_parse(&b->rows[b->count], whole);
    char *problem =
        wrong != NULL ? vbt_text("%s:%" PRId64 ": the budget \"%.*s\": %s", file, line, (int)length, text, wrong) : NULL;
    if (wrong == NULL) {
        b->rows[b->count].file = file;
        b->rows[b->count++].at = line;
    }
    free(wrong);
    free(whole);
    free(scope);
    return problem;
}

/* The limits of a comment, separated by commas. */
static char *add_all(struct vbt_budgets *b, const char *text, const char *function, const char *file, int64_t line) {
    char *problem = NULL;
    while (problem == NULL && text != NULL && *text != '\0') {
        text += strspn(text, " \t");
        size_t length = strcspn(text, ",");
        char *scope = function != NULL ? vbt_text("function %s", function) : vbt_text("%s:%" PRId64, file, line);
        problem = add(b, scope, text, length, file, line);
        text += length + (text[length] == ',');
    }
    return problem;
}

/* Is a line the first one of a function that has a name of its own, which lambdas and
 * comprehensions have not? Then its limits are the function's. */
static bool is_head(const struct vbt_compared_function *function, int64_t line) {
    const char *dot = strrchr(function->name, '.'), *name = dot != NULL ? dot + 1 : function->name;
    return line == function->first_line && name[0] != '<';
}

/* A line that has several pieces of code is limited once. */
static bool is_known(const struct vbt_budgets *b, const char *file, int64_t line) {
    for (size_t i = 0; i < b->count; i++)
        if (b->rows[i].at == line && strcmp(b->rows[i].file, file) == 0)
            return true;
    return false;
}

char *vbt_budgets_find(struct vbt_budgets *b, const struct vbt_side *side) {
    const struct vbt_compared_places *places = &side->places;
    char *problem = NULL;
    *b = (struct vbt_budgets){0};
    for (size_t i = 1; i <= places->function_count && problem == NULL; i++) {
        const struct vbt_compared_function *function = &places->functions[i];
        if (function->head != NULL && is_head(function, function->first_line))
            problem = add_all(b, vbt_budget_in(function->head, strlen(function->head)), function->name,
                              places->files[function->file].path, function->first_line);
    }
    for (size_t i = 1; i <= places->count && problem == NULL; i++) {
        const struct vbt_compared_place *place = &places->rows[i];
        const struct vbt_compared_function *function = &places->functions[place->function];
        const char *text = place->text != NULL ? vbt_budget_in(place->text, strlen(place->text)) : NULL;
        const char *file = places->files[function->file].path;
        if (text != NULL && !is_known(b, file, place->line))
            problem = add_all(b, text, NULL, file, place->line);
    }
    return problem;
}

void vbt_budgets_free(struct vbt_budgets *b) {
    for (size_t i = 0; i < b->count; i++)
        vbt_limit_free(&b->rows[i]);
    free(b->rows);
}
