/* Reads a baseline, see baseline.h. */
#include "baseline.h"

#include "environment.h"
#include "analyzer/base/allocate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "# vbtrace baseline";

bool vbt_is_baseline(const char *path) {
    char begin[sizeof magic - 1];
    FILE *file = fopen(path, "re");
    bool is = file != NULL && fread(begin, 1, sizeof begin, file) == sizeof begin && memcmp(begin, magic, sizeof begin) == 0;
    if (file != NULL)
        fclose(file);
    return is;
}

struct baseline_reading {
    struct vbt_side *side;
    uint32_t file, function, place; /* that the next lines belong to; 0: none */
    size_t section;                 /* 1 + its row */
    int64_t line;                   /* of the next text: only its order matters */
    bool versioned;
};

static bool take(char **at, const char *word) {
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

static bool take_integer(char **at, int64_t *number) {
    char *end;
    errno = 0;
    *number = strtoll(*at, &end, 10);
    bool good = end != *at && errno == 0;
    *at = end;
    return good;
}

/* "allocs 12  bytes 20..25": the smallest go to the first run, the largest to the second. */
static bool take_numbers(char *at, struct vbt_values *values, size_t row, const char *const *names) {
    vbt_values_at(values, row, 0);
    while (*(at += strspn(at, " ")) != '\0') {
        size_t length = strcspn(at, " "), kind = 0;
        int64_t low, high;
        while (kind < values->kinds &&
               (names[kind] == NULL || strlen(names[kind]) != length || strncmp(names[kind], at, length) != 0))
            kind++;
        at += length;
        if (kind == values->kinds || !take(&at, " ") || !take_integer(&at, &low))
            return false;
        high = low;
        if (take(&at, "..") && !take_integer(&at, &high))
            return false;
        vbt_values_at(values, row, 0)[kind] = low;
        vbt_values_at(values, row, 1)[kind] = high;
    }
    return true;
}

static char **fact_of(struct vbt_compared_run *run, const char *name) {
    char **const facts[] = {&run->program, &run->python, &run->libc, &run->vbtrace, &run->native, &run->allocator};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (strcmp(vbt_environment_facts[i], name) == 0)
            return facts[i];
    return NULL;
}

/* Both runs have the facts of the baseline. */
static bool take_fact(struct baseline_reading *r, char *text) {
    char *blank = strchr(text, ' ');
    if (blank == NULL)
        return false;
    char *name = vbt_copy(text, (size_t)(blank - text)), *value = blank + 1;
    bool is_library = strcmp(name, "library") == 0, known = true;
    for (size_t i = 0; i < r->side->run_count && known; i++) {
        struct vbt_compared_run *run = &r->side->runs[i];
        char **fact = is_library ? &run->libraries : fact_of(run, name);
        known = fact != NULL && (is_library || *fact == NULL);
        if (!known)
            break;
        char *before = *fact;
        *fact = before != NULL ? vbt_text("%s\n%s", before, value) : vbt_copy(value, strlen(value));
        free(before);
    }
    free(name);
    return known;
}

static bool take_total(struct baseline_reading *r, char *at) {
    struct vbt_values totals;
    vbt_values_begin(&totals, r->side->run_count, VBT_C_KINDS);
    bool good = take_numbers(at, &totals, 0, vbt_baseline_counts);
    for (size_t i = 0; i < r->side->run_count; i++)
        memcpy(r->side->runs[i].counts, vbt_values_of(&totals, 0, i), sizeof r->side->runs[i].counts);
    vbt_values_free(&totals);
    return good;
}

static bool take_heap(struct baseline_reading *r, char *at) {
    struct vbt_values peaks;
    static const char *const names[] = {"peak"};
    vbt_values_begin(&peaks, r->side->run_count, 1);
    bool good = take_numbers(at, &peaks, 0, names);
    for (size_t i = 0; i < r->side->run_count; i++)
        r->side->runs[i].peak = vbt_values_of(&peaks, 0, i)[0];
    vbt_values_free(&peaks);
    return good;
}

static void take_section(struct baseline_reading *r, const char *label) {
    struct vbt_side *side = r->side;
    side->sections = vbt_grow(side->sections, &side->section_capacity, side->section_count + 1, sizeof *side->sections);
    side->sections[side->section_count] = (struct vbt_compared_section){.section = true, .label = vbt_copy(label, strlen(label))};
    r->section = ++side->section_count;
    r->place = 0;
}

static bool take_function(struct baseline_reading *r, char *name) {
    const struct vbt_compared_function function = {
        .file = r->file, .name = name, .first_line = ++r->line, .kind = VBT_PLACE_PYTHON, .user = true};
    r->function = r->file != 0 ? vbt_compared_function_id(&r->side->places, &function) : 0;
    if (r->function != 0)
        r->side->places.functions[r->function].first_line = 0;
    r->place = 0;
    r->section = 0;
    return r->file != 0;
}

/* A line, with what it says or its number. */
static bool take_place(struct baseline_reading *r, const char *text, int64_t line) {
    r->place = r->function == 0 ? 0
                                : vbt_compared_place_id(&r->side->places, r->function, line > 0 ? line : ++r->line, text,
                                                        text != NULL ? strlen(text) : 0);
    return r->place != 0;
}

static bool take_indented(struct baseline_reading *r, char *at) {
    int64_t line;
    if (take(&at, "    | "))
        return take_place(r, at, 0);
    if (take(&at, "    line "))
        return take_integer(&at, &line) && take_place(r, NULL, line);
    if (take(&at, "  function "))
        return take_function(r, at);
    if (r->section != 0)
        return take_numbers(at, &r->side->section_values, r->section - 1, vbt_baseline_section_numbers);
    return r->place != 0 && take_numbers(at, &r->side->lines, r->place, vbt_baseline_counts);
}

static bool take_line(struct baseline_reading *r, char *at) {
    if (at[0] == '#' || at[0] == '\0' || strncmp(at, "runs ", 5) == 0)
        return true;
    if (at[0] == ' ')
        return take_indented(r, at);
    if (take(&at, "version "))
        return r->versioned = strcmp(at, "1") == 0;
    if (take(&at, "total"))
        return take_total(r, at);
    if (take(&at, "heap"))
        return take_heap(r, at);
    if (take(&at, "section ")) {
        take_section(r, at);
        return true;
    }
    if (take(&at, "file ")) {
        r->file = vbt_compared_file_id(&r->side->places, at);
        r->function = r->place = 0;
        r->section = 0;
        return true;
    }
    return take_fact(r, at);
}

static void begin_runs(struct vbt_side *side, const char *path) {
    vbt_side_begin(side, 2);
    for (size_t i = 0; i < 2; i++)
        side->runs[i] = (struct vbt_compared_run){.name = vbt_copy(path, strlen(path)), .processes = 1, .complete = true};
    side->added = 2;
}

char *vbt_baseline_read(struct vbt_side *side, const char *path) {
    struct baseline_reading reading = {.side = side};
    char *line = NULL, *problem = NULL;
    size_t capacity = 0, number = 0;
    begin_runs(side, path);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return vbt_text("%s: cannot be opened: %s", path, strerror(errno));
    for (ssize_t length; problem == NULL && (length = getline(&line, &capacity, file)) > 0;) {
        number++;
        line[length - (line[length - 1] == '\n')] = '\0';
        if (!take_line(&reading, line))
            problem = vbt_text("%s: line %zu: expected what vbtrace check --approve writes, found \"%s\"", path, number, line);
    }
    if (problem == NULL && !reading.versioned)
        problem = vbt_text("%s: expected a line \"version 1\", found none", path);
    free(line);
    fclose(file);
    return problem;
}
