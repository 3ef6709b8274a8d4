/* See python_block.h. */
#include "python_block.h"

#include <stddef.h>
#include <string.h>

/* What is still open at the end of a line of text. */
struct open {
    int brackets;
    char quote; /* of a string; '\0': none */
    bool is_triple;
    bool is_continued; /* by a backslash at the end */
};

static bool is_triple_at(const char *text, size_t size, size_t at) {
    return at + 2 < size && text[at + 1] == text[at] && text[at + 2] == text[at];
}

/* Skips the rest of a string from `at` on. Returns where the text goes on after it, or the line's
 * end. */
static size_t pass_string(const char *text, size_t size, size_t at, struct open *open) {
    for (; at < size; at++) {
        if (text[at] == '\\') {
            at++;
        } else if (text[at] == open->quote && (!open->is_triple || is_triple_at(text, size, at))) {
            at += open->is_triple ? 3 : 1;
            open->quote = '\0';
            return at;
        }
    }
    if (!open->is_triple && (size == 0 || text[size - 1] != '\\'))
        open->quote = '\0'; /* such a string cannot continue in the next line */
    return size;
}

static void pass_line(const char *text, size_t size, struct open *open) {
    size_t at = open->quote != '\0' ? pass_string(text, size, 0, open) : 0;
    open->is_continued = false;
    while (at < size && text[at] != '#') {
        char c = text[at];
        if (c == '"' || c == '\'') {
            open->quote = c;
            open->is_triple = is_triple_at(text, size, at);
            at = pass_string(text, size, at + (open->is_triple ? 3 : 1), open);
            continue;
        }
        if (strchr("([{", c) != NULL && c != '\0')
            open->brackets++;
        else if (strchr(")]}", c) != NULL && c != '\0' && open->brackets > 0)
            open->brackets--;
        open->is_continued = c == '\\' && at + 1 == size;
        at++;
    }
}

/* The last line of the statement that begins in a line. */
static int64_t statement_end(struct vbt_sources *sources, const char *file, int64_t line) {
    enum { LONGEST = 10000 }; /* lines; nothing longer is Python */
    struct open open = {0};
    size_t size;
    for (int64_t last = line; last < line + LONGEST; last++) {
        const char *text = vbt_source_line(sources, file, last, &size);
        if (text == NULL)
            return last > line ? last - 1 : line;
        pass_line(text, size, &open);
        if (open.brackets == 0 && open.quote == '\0' && !open.is_continued)
            return last;
    }
    return line;
}

/* The column of a line's first character that is not blank, which is stored in *first; -1 for a
 * blank line, or one that cannot be read. */
static int indentation(struct vbt_sources *sources, const char *file, int64_t line, char *first) {
    size_t size;
    const char *text = vbt_source_line(sources, file, line, &size);
    for (size_t i = 0; text != NULL && i < size; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\f') {
            *first = text[i];
            return (int)i;
        }
    return -1;
}

int64_t vbt_python_block_end(struct vbt_sources *sources, const char *file, int64_t first, bool is_expression) {
    enum { FAR = 100000 }; /* lines */
    char character = '\0';
    size_t size;
    int base = indentation(sources, file, first, &character), body = -1;
    if (base < 0 || is_expression)
        return base < 0 ? first : statement_end(sources, file, first);
    int64_t last = first, line = first;
    bool is_decorator = true;
    for (; is_decorator && line < first + FAR; line = last + 1) {
        int here = indentation(sources, file, line, &character);
        if (here < 0 && vbt_source_line(sources, file, line, &size) == NULL)
            return last;
        is_decorator = here < 0 || character == '@' || character == '#';
        last = here < 0 ? line : statement_end(sources, file, line);
    }
    for (; line < first + FAR && vbt_source_line(sources, file, line, &size) != NULL; line++) {
        int here = indentation(sources, file, line, &character);
        if (here < 0)
            continue;
        if (character == '#') { /* belongs to the block if it is indented like the rest */
            if (body >= 0 && here >= body)
                last = line;
            continue;
        }
        if (here <= base)
            break;
        body = body < 0 ? here : body;
        last = line = statement_end(sources, file, line);
    }
    return last;
}
