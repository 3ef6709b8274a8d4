/* See stack_text.h. */
#include "stack_text.h"

#include "call_report.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/output.h"
#include "analyzer/base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* The most frames in all stacks that are listed: a file of some hundred megabytes. */
enum { MOST_FRAMES = 1 << 24, LEAST_LIMIT = 64, MANY_FRAMES = 100000 };

struct vbt_stack_names {
    const struct vbt_call_tree *tree;
    char **text; /* by number of the place: there are many more calls; NULL: not formatted yet */
};

struct vbt_stack_names *vbt_stack_names_new(const struct vbt_call_tree *tree) {
    struct vbt_stack_names *names = vbt_new(1, sizeof *names);
    names->tree = tree;
    names->text = vbt_new(tree->place_count, sizeof *names->text);
    return names;
}

void vbt_stack_names_free(struct vbt_stack_names *names) {
    for (size_t i = 0; i < names->tree->place_count; i++)
        free(names->text[i]);
    free(names->text);
    free(names);
}

/* The name of a call's place, without the character that separates frames. */
static const char *name_of(struct vbt_stack_names *names, uint32_t call) {
    char **text = &names->text[names->tree->calls[call].place];
    if (*text == NULL) {
        char *name = vbt_call_name(vbt_call_place(names->tree, call));
        *text = vbt_utf8_printable(name, strlen(name));
        free(name);
        for (char *at = *text; (at = strchr(at, ';')) != NULL;)
            *at = ':';
    }
    return *text;
}

/* The frames of all stacks with any of the measure. */
static size_t count_frames(const struct vbt_call_tree *tree, enum vbt_measure measure, size_t *stacks) {
    size_t frames = 0;
    *stacks = 0;
    for (uint32_t i = 1; i < tree->count; i++)
        if (vbt_call_self_of(tree, i, measure) != 0) {
            frames += tree->calls[i].depth;
            ++*stacks;
        }
    return frames;
}

bool vbt_stacks_are_many(const struct vbt_call_tree *tree, enum vbt_measure measure) {
    size_t stacks;
    return count_frames(tree, measure, &stacks) > MANY_FRAMES;
}

size_t vbt_stack_limit(const struct vbt_call_tree *tree, enum vbt_measure measure) {
    size_t stacks, frames = count_frames(tree, measure, &stacks);
    if (frames <= MOST_FRAMES)
        return SIZE_MAX;
    return MOST_FRAMES / stacks > LEAST_LIMIT ? MOST_FRAMES / stacks : LEAST_LIMIT;
}

char *vbt_stack_text(struct vbt_stack_names *names, uint32_t call, size_t limit) {
    const struct vbt_call *calls = names->tree->calls;
    size_t depth = calls[call].depth, shown = depth < limit ? depth : limit, size = 0;
    const char **path = vbt_new(shown, sizeof *path);
    for (size_t i = shown; i > 0; i--, call = calls[call].parent) {
        path[i - 1] = name_of(names, call);
        size += strlen(path[i - 1]) + 1;
    }
    vbt_output_check(size);
    char *left_out = shown < depth ? vbt_text("[%s];", vbt_counted((int64_t)(depth - shown), "more frame").text) : vbt_copy("", 0);
    char *text = vbt_new(strlen(left_out) + size + 1, 1), *to = stpcpy(text, left_out);
    for (size_t i = 0; i < shown; i++) {
        to = stpcpy(to, path[i]);
        *to++ = ';';
    }
    if (shown > 0)
        to[-1] = '\0';
    free(left_out);
    free(path);
    return text;
}
