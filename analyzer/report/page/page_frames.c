/* See page_frames.h. */
#include "page_frames.h"

#include "analyzer/base/allocate.h"
#include "analyzer/symbols/module_name.h"

#include <stdlib.h>

/* First lines of functions, by index of a place. */
struct first_lines {
    int64_t *lines;
    size_t count, capacity;
};

/* Asks all sites of which frames are in the tree. */
static struct first_lines find_starts(const struct vbt_trace *trace) {
    const struct vbt_model *m = &trace->model;
    struct first_lines starts = {0};
    bool *seen = vbt_new(m->site_count + 1, sizeof *seen), *above = vbt_new(m->node_count + 1, sizeof *above);
    for (size_t i = m->node_count; i > 0; i--) {
        above[i] = above[i] || trace->counts[i];
        above[m->nodes[i].parent] = above[m->nodes[i].parent] || above[i];
        uint32_t site = m->nodes[i].site;
        if (!above[i] || seen[site])
            continue;
        seen[site] = true;
        size_t count;
        const struct vbt_source_frame *frame = vbt_frames_of_site(trace->places, site, &count);
        for (; count > 0; count--, frame++) {
            size_t index = frame->place->index;
            starts.lines = vbt_grow(starts.lines, &starts.capacity, index + 1, sizeof *starts.lines);
            while (starts.count <= index)
                starts.lines[starts.count++] = 0;
            starts.lines[index] = frame->function->line;
        }
    }
    free(seen);
    free(above);
    return starts;
}

/* What the module of a place is called. Every place has its own copy: equal ones become one
 * string. */
static const char *group_of(struct vbt_page_frames *frames, const struct vbt_source_place *place) {
    frames->groups = vbt_grow(frames->groups, &frames->group_capacity, frames->group_count + 1, sizeof *frames->groups);
    return frames->groups[frames->group_count++] = vbt_module_name(place);
}

static enum vbt_page_kind kind_of(const struct vbt_source_place *place, bool inlined) {
    if (place->kind == VBT_PLACE_NATIVE)
        return inlined ? VBT_PAGE_INLINED : VBT_PAGE_NATIVE;
    return place->kind == VBT_PLACE_PYTHON ? VBT_PAGE_PYTHON : VBT_PAGE_SPECIAL;
}

static struct vbt_page_frame frame_at(struct vbt_page_frames *frames, struct vbt_page_names *names,
                                      const struct first_lines *starts, const struct vbt_source_place *place, bool inlined) {
    return (struct vbt_page_frame){
        .name = vbt_page_name(names, place->function),
        .file = vbt_page_name(names, place->file),
        .module = vbt_page_name(names, place->module),
        .group = vbt_page_name(names, group_of(frames, place)),
        .line = place->line,
        .start = place->index < starts->count ? starts->lines[place->index] : 0,
        .kind = kind_of(place, inlined),
        .flags = (vbt_place_imports(place) ? VBT_PAGE_IMPORTS : 0) | (place->user ? VBT_PAGE_USERS : 0),
    };
}

void vbt_page_frames_build(struct vbt_page_frames *frames, struct vbt_page_names *names, const struct vbt_call_tree *tree,
                           const struct vbt_trace *trace) {
    struct first_lines starts = find_starts(trace);
    uint32_t *numbers = vbt_new(2 * tree->place_count, sizeof *numbers); /* 1 + the frame of a place, and of one inlined */
    *frames = (struct vbt_page_frames){.of_call = vbt_new(tree->count, sizeof *frames->of_call)};
    for (uint32_t call = 1; call < tree->count; call++) {
        bool inlined = tree->calls[call].inlined;
        uint32_t *number = &numbers[2 * tree->calls[call].place + inlined];
        if (*number == 0) {
            frames->rows = vbt_grow(frames->rows, &frames->capacity, frames->count + 1, sizeof *frames->rows);
            frames->rows[frames->count] = frame_at(frames, names, &starts, vbt_call_place(tree, call), inlined);
            *number = (uint32_t)++frames->count;
        }
        frames->of_call[call] = *number - 1;
    }
    free(numbers);
    free(starts.lines);
}

void vbt_page_frames_free(struct vbt_page_frames *frames) {
    for (size_t i = 0; i < frames->group_count; i++)
        free(frames->groups[i]);
    free(frames->groups);
    free(frames->rows);
    free(frames->of_call);
}
