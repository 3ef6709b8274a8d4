/* See line_fold.h. */
#include "line_fold.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/arrays/binary_search.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

/* "<listcomp>" of "f.<locals>.<listcomp>". */
static const char *last_part(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

static bool is_generator(const struct vbt_profile_function *function) {
    return strcmp(last_part(function->place->function), "<genexpr>") == 0;
}

/* Does it run from beginning to end while the line in which it begins waits? */
static bool is_comprehension(const struct vbt_profile_function *function) {
    static const char *const names[] = {"<listcomp>", "<setcomp>", "<dictcomp>"};
    for (size_t i = 0; i < VBT_COUNT(names); i++)
        if (strcmp(last_part(function->place->function), names[i]) == 0)
            return true;
    return false;
}

/* Does the qualified name of the inner function name the outer one as what it is defined in: "f"
 * for "f.<locals>.<listcomp>", "A" for "A.<listcomp>"? */
static bool is_named_holder(const struct vbt_profile_function *outer, const struct vbt_profile_function *inner) {
    static const char locals[] = ".<locals>";
    enum { LOCALS = sizeof locals - 1 };
    const char *name = inner->place->function, *last = last_part(name);
    size_t size = last > name ? (size_t)(last - name) - 1 : 0;
    if (size > LOCALS && strncmp(name + size - LOCALS, locals, LOCALS) == 0)
        size -= LOCALS;
    return size > 0 && strncmp(outer->place->function, name, size) == 0 && outer->place->function[size] == '\0';
}

/* A line that a function executed. */
struct execution {
    const struct vbt_profile_function *function;
    int64_t line;
};

struct executions {
    struct execution *rows; /* in order of file and line; of those with one line, the last to begin comes first */
    size_t count;
};

static int by_file_and_line(const void *left, const void *right) {
    const struct execution *a = left, *b = right;
    int order = strcmp(a->function->place->file, b->function->place->file);
    if (order == 0)
        order = a->line < b->line ? -1 : a->line > b->line;
    return order;
}

static int in_order(const void *left, const void *right) {
    const struct execution *a = left, *b = right;
    int order = by_file_and_line(left, right);
    if (order == 0)
        order = a->function->is_module - b->function->is_module;
    if (order == 0)
        order = a->function->place->line > b->function->place->line ? -1 : a->function->place->line < b->function->place->line;
    return order != 0 ? order : a->function < b->function ? -1 : a->function > b->function;
}

static struct executions executions_of(const struct vbt_line_profile *profile) {
    size_t count = 0;
    for (size_t i = 0; i < profile->count; i++)
        count += profile->functions[i].count;
    struct executions all = {.rows = vbt_new(count, sizeof *all.rows)};
    for (size_t i = 0; i < profile->count; i++)
        for (size_t k = 0; k < profile->functions[i].count; k++)
            if (profile->functions[i].lines[k].hits > 0)
                all.rows[all.count++] = (struct execution){&profile->functions[i], profile->functions[i].lines[k].line};
    if (all.count > 0)
        qsort(all.rows, all.count, sizeof *all.rows, in_order);
    return all;
}

static bool may_hold(const struct vbt_profile_function *outer, const struct vbt_profile_function *inner, bool comprehensions) {
    if (is_generator(outer) || is_comprehension(outer))
        return comprehensions && (is_named_holder(outer, inner) || outer->place->line < inner->place->line);
    return outer->is_module || outer->place->line <= inner->place->line;
}

static bool is_before(const void *row, const void *wanted) { return by_file_and_line(row, wanted) < 0; }

/* The function that executes the line in which inner code begins: found by name, or else the
 * innermost. NULL if there is none. */
static struct vbt_profile_function *holder(const struct vbt_line_profile *profile, const struct executions *all,
                                           const struct vbt_profile_function *inner, int64_t line, bool comprehensions) {
    struct execution wanted = {inner, line};
    const struct vbt_profile_function *found = NULL;
    size_t at = vbt_rows_before(all->rows, all->count, sizeof *all->rows, is_before, &wanted);
    for (; at < all->count && by_file_and_line(&all->rows[at], &wanted) == 0; at++) {
        const struct vbt_profile_function *outer = all->rows[at].function;
        if (outer == inner || !may_hold(outer, inner, comprehensions))
            continue;
        if (is_named_holder(outer, inner)) {
            found = outer;
            break;
        }
        if (found == NULL)
            found = outer;
    }
    return found != NULL ? &profile->functions[found - profile->functions] : NULL;
}

static int by_line(const void *left, const void *right) {
    const struct vbt_profile_line *a = left, *b = right;
    return a->line < b->line ? -1 : a->line > b->line;
}

/* Finds a line among the first `count` lines of a function, which are sorted. */
static struct vbt_profile_line *line_of(const struct vbt_profile_function *function, size_t count, int64_t number) {
    struct vbt_profile_line wanted = {.line = number};
    return count > 0 ? bsearch(&wanted, function->lines, count, sizeof *function->lines, by_line) : NULL;
}

/* Removes functions without lines. */
static void sweep(struct vbt_line_profile *profile) {
    size_t kept = 0;
    for (size_t i = 0; i < profile->count; i++) {
        if (profile->functions[i].count == 0)
            free(profile->functions[i].lines);
        else if (kept++ != i)
            profile->functions[kept - 1] = profile->functions[i];
    }
    profile->count = kept;
}

void vbt_fold_costs(struct vbt_line_profile *profile, bool executions) {
    struct executions all = executions_of(profile);
    for (size_t i = 0; i < profile->count; i++) {
        struct vbt_profile_function *function = &profile->functions[i];
        bool folded = is_comprehension(function) || is_generator(function);
        for (size_t k = 0; k < function->count && folded; k++)
            folded = holder(profile, &all, function, function->lines[k].line, false) != NULL;
        for (size_t k = 0; k < function->count && folded; k++) {
            const struct vbt_profile_line *line = &function->lines[k];
            struct vbt_profile_function *outer = holder(profile, &all, function, line->line, false);
            struct vbt_profile_line *to = line_of(outer, outer->count, line->line);
            vbt_profile_sums_add(&to->own, &line->own, 1);
            if (executions)
                to->hits += line->hits;
        }
        if (folded)
            function->count = 0;
    }
    free(all.rows);
    sweep(profile);
}

/* Appends the lines of an inner function to those of the outer one, of which the first `known` are
 * sorted. run_at: the line of the outer function that runs the inner one, whose cost contains what
 * the inner lines cost; 0 if it may be any line. */
static void append(struct vbt_profile_function *outer, size_t known, const struct vbt_profile_function *inner, int64_t run_at) {
    struct vbt_profile_line *runs = run_at > 0 ? line_of(outer, known, run_at) : NULL;
    for (size_t i = 0; i < inner->count; i++) {
        struct vbt_profile_line line = inner->lines[i];
        const struct vbt_profile_line *same = line_of(outer, known, line.line);
        if (runs != NULL && line.line != run_at) {
            vbt_profile_sums_add(&runs->all, &line.all, -1);
            if (runs->all.time < 0)
                runs->all.time = 0;
        } else if (runs != NULL || (same != NULL && same->hits > 0)) {
            line.all = (struct vbt_profile_sums){0};
        }
        outer->lines = vbt_grow(outer->lines, &outer->capacity, outer->count + 1, sizeof *outer->lines);
        outer->lines[outer->count++] = line;
        runs = run_at > 0 ? line_of(outer, known, run_at) : NULL; /* it may have moved */
    }
}

void vbt_fold_comprehensions(struct vbt_line_profile *profile) {
    struct executions all = executions_of(profile);
    size_t *known = vbt_new(profile->count, sizeof *known);
    for (size_t i = 0; i < profile->count; i++)
        known[i] = profile->functions[i].count;
    for (size_t i = profile->count; i-- > 0;) { /* inner functions come later in order */
        struct vbt_profile_function *function = &profile->functions[i];
        struct vbt_profile_function *outer =
            is_comprehension(function) ? holder(profile, &all, function, function->place->line, true) : NULL;
        if (function->count > known[i])
            vbt_profile_merge_lines(function);
        if (outer == NULL)
            continue;
        append(outer, known[outer - profile->functions], function, function->place->line);
        function->count = 0;
    }
    for (size_t i = 0; i < profile->count; i++)
        if (profile->functions[i].count > known[i])
            vbt_profile_merge_lines(&profile->functions[i]);
    free(known);
    free(all.rows);
    sweep(profile);
}

/* Does the function's source text begin like the body of a class? */
static bool is_class(const struct vbt_profile_function *function, struct vbt_sources *sources) {
    enum { DECORATORS = 100 }; /* most lines of decorators */
    for (int64_t line = function->place->line; line < function->place->line + DECORATORS; line++) {
        size_t size;
        const char *text = vbt_source_line(sources, function->place->file, line, &size);
        while (text != NULL && size > 0 && (*text == ' ' || *text == '\t')) {
            text++;
            size--;
        }
        if (text == NULL || (size > 4 && (strncmp(text, "def ", 4) == 0 || strncmp(text, "async", 5) == 0)))
            return false;
        if (size > 6 && strncmp(text, "class ", 6) == 0)
            return true;
        if (size > 0 && *text != '@' && line == function->place->line)
            return false;
    }
    return false;
}

/* last: the last line of the outer function's text; -1: compare qualified names instead. */
static bool is_within(const struct vbt_profile_function *outer, int64_t last, const struct vbt_profile_function *inner) {
    if (strcmp(outer->place->file, inner->place->file) != 0)
        return false;
    if (last >= 0)
        return inner->place->line <= last;
    size_t size = strlen(outer->place->function);
    return strncmp(inner->place->function, outer->place->function, size) == 0 &&
           strncmp(inner->place->function + size, ".<locals>.", sizeof ".<locals>." - 1) == 0;
}

void vbt_fold_nested(struct vbt_line_profile *profile, struct vbt_sources *sources) {
    bool any_decorated = vbt_profile_any_decorated(profile);
    for (size_t i = 0, next; i < profile->count; i = next) {
        struct vbt_profile_function *outer = &profile->functions[i];
        next = i + 1;
        if (any_decorated ? !outer->decorated : outer->is_module || is_class(outer, sources))
            continue;
        int64_t last = profile->is_qualified ? -1 : vbt_profile_last_line(outer, sources);
        size_t known = outer->count;
        for (; next < profile->count && is_within(outer, last, &profile->functions[next]); next++) {
            append(outer, known, &profile->functions[next], 0);
            profile->functions[next].count = 0;
        }
        if (outer->count > known)
            vbt_profile_merge_lines(outer);
    }
    sweep(profile);
}
