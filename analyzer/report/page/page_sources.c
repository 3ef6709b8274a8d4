/* See page_sources.h. */
#include "page_sources.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

/* How much is shown of a file: all of it if it has at most so many lines, else so many before and
 * after each. The next is tried if that is too much. */
struct measure_of_text {
    int64_t whole, users_whole, around;
};

static const struct measure_of_text measures[] = {{400, 4000, 8}, {0, 1000, 4}, {0, 0, 1}};

enum { MEASURES = sizeof measures / sizeof *measures, MOST_BYTES = 3 << 20, LONGEST_LINE = 500 };

/* A line that is on a call path. */
struct wanted_line {
    const char *file;
    uint32_t name; /* of the file */
    int64_t line;
    bool users;
};

static int by_file_and_line(const void *left, const void *right) {
    const struct wanted_line *a = left, *b = right;
    if (a->name != b->name)
        return a->name < b->name ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

static struct wanted_line *find_wanted(const struct vbt_call_tree *tree, struct vbt_page_names *names, size_t *count) {
    struct wanted_line *wanted = vbt_new(tree->place_count, sizeof *wanted);
    for (uint32_t i = 1; i < tree->place_count; i++) {
        const struct vbt_source_place *place = tree->places[i];
        if (place->kind != VBT_PLACE_SPECIAL && place->line > 0)
            wanted[(*count)++] = (struct wanted_line){place->file, vbt_page_name(names, place->file), place->line, place->user};
    }
    if (*count > 0)
        qsort(wanted, *count, sizeof *wanted, by_file_and_line);
    return wanted;
}

/* What is written of one file. */
struct file_text {
    struct vbt_sources *sources;
    json_t *parts, *lines; /* lines: of the last part; NULL: there is none */
    int64_t next;          /* the line after the last one */
    size_t bytes;
};

/* A line that is too long ends with an ellipsis. */
static json_t *text_of(const char *line, size_t size) {
    if (size <= LONGEST_LINE)
        return vbt_json_bytes(line, size);
    size = LONGEST_LINE;
    while (size > 0 && ((unsigned char)line[size] & 0xc0) == 0x80) /* not within a character */
        size--;
    char *cut = vbt_text("%.*s…", (int)size, line);
    json_t *text = vbt_json_text(cut);
    free(cut);
    return text;
}

static void put_line(struct file_text *to, const char *file, int64_t number) {
    size_t size;
    const char *line = vbt_source_line(to->sources, file, number, &size);
    if (line == NULL || (to->lines != NULL && number < to->next))
        return;
    if (to->lines == NULL || number != to->next) {
        json_t *part = json_object();
        to->lines = json_array();
        json_object_set_new(part, "line", json_integer(number));
        json_object_set_new(part, "text", to->lines);
        json_array_append_new(to->parts, part);
    }
    json_array_append_new(to->lines, text_of(line, size));
    to->next = number + 1;
    to->bytes += size < LONGEST_LINE ? size : LONGEST_LINE;
}

/* The lines of a file from `first` to the one before `end`; those that are wanted are in order. */
static json_t *file_of(const struct wanted_line *first, const struct wanted_line *end, const struct measure_of_text *measure,
                       struct vbt_sources *sources, size_t *bytes) {
    struct file_text to = {.sources = sources, .parts = json_array()};
    bool users = false;
    size_t size;
    for (const struct wanted_line *line = first; line < end; line++)
        users = users || line->users;
    int64_t whole = users ? measure->users_whole : measure->whole;
    if (whole > 0 && end[-1].line <= whole && vbt_source_line(sources, first->file, whole + 1, &size) == NULL)
        for (int64_t number = 1; number <= whole; number++)
            put_line(&to, first->file, number);
    else
        for (const struct wanted_line *line = first; line < end; line++)
            for (int64_t number = line->line - measure->around; number <= line->line + measure->around; number++)
                if (number > 0)
                    put_line(&to, first->file, number);
    *bytes += to.bytes;
    json_t *file = json_object();
    json_object_set_new(file, "file", json_integer(first->name));
    json_object_set_new(file, "changed", json_boolean(vbt_source_changed(sources, first->file)));
    json_object_set_new(file, "parts", to.parts);
    return file;
}

static json_t *files_of(const struct wanted_line *wanted, size_t count, const struct measure_of_text *measure,
                        struct vbt_sources *sources, size_t *bytes) {
    json_t *files = json_array();
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && wanted[end].name == wanted[i].name;)
            end++;
        json_t *file = file_of(&wanted[i], &wanted[end], measure, sources, bytes);
        if (json_array_size(json_object_get(file, "parts")) > 0)
            json_array_append_new(files, file);
        else
            json_decref(file);
    }
    return files;
}

void vbt_page_sources_write(struct vbt_json *json, struct vbt_page_names *names, const struct vbt_call_tree *tree,
                            struct vbt_sources *sources) {
    size_t count = 0;
    struct wanted_line *wanted = find_wanted(tree, names, &count);
    json_t *files = NULL;
    for (size_t i = 0; i < MEASURES && sources != NULL; i++) {
        size_t bytes = 0;
        json_decref(files);
        files = files_of(wanted, count, &measures[i], sources, &bytes);
        if (bytes <= MOST_BYTES)
            break;
    }
    vbt_json_member(json, "files", files != NULL ? files : json_array());
    free(wanted);
}
