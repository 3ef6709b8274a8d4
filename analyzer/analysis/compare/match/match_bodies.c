/* What the lines of functions say. */
#include "analyzer/base/hash.h"

#include "match_steps.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int by_function_and_line(const void *left, const void *right, void *data) {
    const struct vbt_compared_places *places = data;
    const struct vbt_compared_place *a = &places->rows[*(const uint32_t *)left], *b = &places->rows[*(const uint32_t *)right];
    if (a->function != b->function)
        return a->function < b->function ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

void vbt_function_lines_get(struct vbt_function_lines *lines, const struct vbt_compared_places *places) {
    lines->rows = vbt_new(places->count + 1, sizeof *lines->rows);
    lines->at = vbt_new(places->function_count + 2, sizeof *lines->at);
    for (uint32_t i = 0; i < places->count; i++)
        lines->rows[i] = i + 1;
    if (places->count > 0)
        qsort_r(lines->rows, places->count, sizeof *lines->rows, by_function_and_line, (void *)(uintptr_t)places);
    for (size_t i = 1; i <= places->count; i++)
        lines->at[places->rows[i].function + 1]++;
    for (size_t i = 1; i <= places->function_count + 1; i++)
        lines->at[i] += lines->at[i - 1];
}

void vbt_function_lines_free(struct vbt_function_lines *lines) {
    free(lines->rows);
    free(lines->at);
}

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* A hash of a line's text, in which every occurrence of a function's name is the same. */
static uint64_t hash_line(const char *text, const char *name) {
    const char *dot = strrchr(name, '.');
    name = dot != NULL ? dot + 1 : name;
    size_t length = strlen(name);
    uint64_t hash = 0;
    for (const char *at = text; *at != '\0';) {
        const char *word = at;
        while (in_word(*at))
            at++;
        at += at == word;
        bool own = length > 0 && (size_t)(at - word) == length && memcmp(word, name, length) == 0;
        hash = own ? XXH64("\1", 1, hash) : XXH64(word, (size_t)(at - word), hash);
    }
    return hash;
}

static int by_value(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

void vbt_bodies_get(struct vbt_bodies *bodies, const struct vbt_compared_places *places) {
    struct vbt_function_lines lines;
    vbt_function_lines_get(&lines, places);
    bodies->of = vbt_new(places->function_count + 1, sizeof *bodies->of);
    bodies->hashes = vbt_new(places->count + 1, sizeof *bodies->hashes);
    for (size_t f = 1; f <= places->function_count; f++) {
        uint64_t *hashes = bodies->hashes + lines.at[f];
        struct vbt_body *body = &bodies->of[f];
        *body = (struct vbt_body){.lines = hashes, .count = lines.at[f + 1] - lines.at[f], .known = true};
        for (size_t i = 0; i < body->count; i++) {
            const char *text = places->rows[lines.rows[lines.at[f] + i]].text;
            hashes[i] = text != NULL ? hash_line(text, places->functions[f].name) : 0;
            body->known = body->known && text != NULL;
        }
        body->known = body->known && body->count > 0;
        body->whole = XXH64(hashes, body->count * sizeof *hashes, 0);
        qsort(hashes, body->count, sizeof *hashes, by_value);
    }
    vbt_function_lines_free(&lines);
}

void vbt_bodies_free(struct vbt_bodies *bodies) {
    free(bodies->of);
    free(bodies->hashes);
}

size_t vbt_bodies_common(const struct vbt_body *a, const struct vbt_body *b) {
    size_t common = 0;
    for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
        bool same = a->lines[i] == b->lines[j], smaller = a->lines[i] < b->lines[j];
        common += same;
        i += same || smaller;
        j += same || !smaller;
    }
    return common;
}

/* Hashes of a text's words, in ascending order. Returns how many; the caller frees them. */
static size_t words_of(const char *text, uint64_t **words) {
    size_t count = 0, capacity = 0;
    *words = NULL;
    for (const char *at = text; *at != '\0';) {
        const char *word = at;
        while (in_word(*at))
            at++;
        if (at == word) {
            at++;
            continue;
        }
        *words = vbt_grow(*words, &capacity, count + 1, sizeof **words);
        (*words)[count++] = XXH64(word, (size_t)(at - word), 0);
    }
    if (count > 0)
        qsort(*words, count, sizeof **words, by_value);
    return count;
}

bool vbt_texts_alike(const char *a, const char *b) {
    uint64_t *of_a, *of_b;
    size_t count_a = words_of(a, &of_a), count_b = words_of(b, &of_b);
    const struct vbt_body x = {.lines = of_a, .count = count_a}, y = {.lines = of_b, .count = count_b};
    size_t common = vbt_bodies_common(&x, &y), most = count_a > count_b ? count_a : count_b;
    free(of_a);
    free(of_b);
    return common > 0 && 2 * common >= most;
}
