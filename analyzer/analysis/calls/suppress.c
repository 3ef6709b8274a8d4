/* See suppress.h. */
#include "suppress.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/symbols/module_name.h"
#include "analyzer/trace/counters.h"
#include "format/count.h"
#include "preload/shared/patterns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum answer { UNKNOWN, NO, YES };

struct patterns {
    struct pattern {
        char *text;
        bool plain; /* any text may precede and follow it, and it has no star */
    } * rows;
    size_t count, capacity;
    char *of_place; /* the answer, by index of a place: many call sites are in one */
    size_t place_count, place_capacity;
};

/* Converts a pattern of the file to one that must match a whole text: without ^ any text may
 * precede it, without $ any text may follow. The caller frees it. */
static char *whole_pattern(const char *pattern) {
    size_t length = strlen(pattern);
    bool from_start = pattern[0] == '^', to_end = length > from_start && pattern[length - 1] == '$';
    return vbt_text("%s%.*s%s", from_start ? "" : "*", (int)(length - from_start - to_end), pattern + from_start,
                    to_end ? "" : "*");
}

static bool text_matches(const struct pattern *pattern, const char *text) {
    if (text == NULL || pattern->plain)
        return text != NULL && strstr(text, pattern->text) != NULL;
    return vbt_pattern_matches(pattern->text, strlen(pattern->text), text, strlen(text), '\0');
}

static void add(struct patterns *patterns, const char *pattern) {
    bool plain = pattern[0] != '^' && strchr(pattern, '*') == NULL && pattern[strlen(pattern) - 1] != '$';
    patterns->rows = vbt_grow(patterns->rows, &patterns->capacity, patterns->count + 1, sizeof *patterns->rows);
    patterns->rows[patterns->count++] =
        (struct pattern){.text = plain ? vbt_copy(pattern, strlen(pattern)) : whole_pattern(pattern), .plain = plain};
}

/* A device or a pipe may have no end, and each pattern is compared with each place. */
enum { MOST_LINE = 64 * 1024, MOST_FILE = 16 * 1024 * 1024, MOST_PATTERNS = 10000 };

static bool read_patterns(struct patterns *patterns, const char *path) {
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        vbt_fail("%s: cannot be opened: %s", path, strerror(errno));
        return false;
    }
    static char line[MOST_LINE];
    size_t number = 0, bytes = 0;
    bool good = true;
    while (good && fgets(line, sizeof line, in) != NULL) {
        number++;
        bytes += strlen(line);
        bool whole = strpbrk(line, "\r\n") != NULL || feof(in);
        if (!whole || bytes > MOST_FILE) {
            vbt_fail("%s: line %zu: expected a file of at most %d bytes, with lines of at most %d", path, number, MOST_FILE,
                     MOST_LINE - 2);
            good = false;
            break;
        }
        line[strcspn(line, "\r\n")] = '\0';
        char *text = line + strspn(line, " \t");
        if (text[0] == '\0' || text[0] == '#')
            continue;
        good = strncmp(text, "leak:", 5) == 0 && text[5] != '\0';
        if (!good)
            vbt_fail("%s: line %zu: expected leak:PATTERN, found %s", path, number, text);
        else if (patterns->count < MOST_PATTERNS)
            add(patterns, text + 5);
        else
            good = vbt_fail("%s: line %zu: expected at most %d patterns", path, number, MOST_PATTERNS) == 0;
    }
    if (good && ferror(in)) {
        vbt_fail("%s: cannot be read: %s", path, strerror(errno));
        good = false;
    }
    fclose(in);
    return good;
}

static bool place_matches(struct patterns *patterns, const struct vbt_source_place *place) {
    patterns->of_place = vbt_grow(patterns->of_place, &patterns->place_capacity, (size_t)place->index + 1, 1);
    while (patterns->place_count <= place->index)
        patterns->of_place[patterns->place_count++] = UNKNOWN;
    if (patterns->of_place[place->index] != UNKNOWN)
        return patterns->of_place[place->index] == YES;
    char *module = vbt_module_name(place);
    const char *texts[] = {place->function, place->file, place->module, module};
    bool found = false;
    for (size_t i = 0; i < patterns->count && !found; i++)
        for (size_t t = 0; t < VBT_COUNT(texts); t++)
            found = found || text_matches(&patterns->rows[i], texts[t]);
    free(module);
    patterns->of_place[place->index] = found ? YES : NO;
    return found;
}

static bool site_matches(struct patterns *patterns, struct vbt_places *places, uint32_t site) {
    size_t frames;
    const struct vbt_source_frame *frame = vbt_frames_of_site(places, site, &frames);
    for (; frames > 0; frames--, frame++)
        if (place_matches(patterns, frame->place))
            return true;
    return false;
}

bool vbt_suppress(struct vbt_trace *trace, const char *path, struct vbt_suppressed *out) {
    const struct vbt_model *m = &trace->model;
    struct patterns patterns = {0};
    *out = (struct vbt_suppressed){0};
    bool good = read_patterns(&patterns, path);
    char *of_site = vbt_new(m->site_count + 1, 1), *of_path = vbt_new(m->node_count + 1, 1);
    for (size_t i = 1; good && i <= m->node_count; i++) {
        const struct vbt_model_node *node = &m->nodes[i];
        if (of_site[node->site] == UNKNOWN)
            of_site[node->site] = site_matches(&patterns, trace->places, node->site) ? YES : NO;
        of_path[i] = of_site[node->site] == YES ? YES : of_path[node->parent];
        if (of_path[i] != YES || !trace->counts[i])
            continue;
        const struct vbt_model_counters counters = vbt_counters_of(m, i);
        trace->counts[i] = false;
        if (counters.live_blocks > 0) {
            out->stacks++;
            out->blocks += (uint64_t)counters.live_blocks;
            out->bytes += (uint64_t)(counters.live_bytes > 0 ? counters.live_bytes : 0);
        }
    }
    for (size_t i = 0; i < patterns.count; i++)
        free(patterns.rows[i].text);
    free(patterns.rows);
    free(patterns.of_place);
    free(of_site);
    free(of_path);
    return good;
}
