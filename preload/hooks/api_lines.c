/* vbtrace_section_lines: which call paths allocated in a section, for the Python package. */
#include "hook.h"
#include "preload/ledger/interval.h"

#include <string.h>

enum { FRAMES = 16 }; /* of a call path */

struct lines_text {
    char *at, *end; /* one byte is left for a zero */
    bool full;
};

static void add_bytes(struct lines_text *text, const char *bytes, size_t size) {
    if ((size_t)(text->end - text->at) < size) {
        text->full = true;
        return;
    }
    for (size_t i = 0; i < size; i++) /* what separates the fields is in none */
        text->at[i] = bytes[i] == '\t' || bytes[i] == '\n' ? ' ' : bytes[i];
    text->at += size;
}

static void add_separator(struct lines_text *text, char separator) {
    if (text->at == text->end)
        text->full = true;
    else
        *text->at++ = separator;
}

static void add_number(struct lines_text *text, uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    add_bytes(text, digits + at, sizeof digits - at);
}

static void add_string(struct lines_text *text, uint32_t id) {
    const struct vbt_string *string = vbt_string_at(id);
    add_bytes(text, string->bytes, string->size);
}

/* The Python frames of a call path, innermost first. */
static void add_frames(struct lines_text *text, uint32_t node) {
    for (int count = 0; node != 0 && count < FRAMES; node = vbt_node_at(node)->parent) {
        const struct vbt_site *site = vbt_site_at(vbt_node_at(node)->site);
        if (site->kind != VBT_SITE_PYTHON)
            continue;
        const struct vbt_code *code = vbt_code_at((uint32_t)site->a);
        add_separator(text, '\t');
        add_string(text, code->name);
        add_separator(text, '\t');
        add_string(text, code->file);
        add_separator(text, '\t');
        add_number(text, (uint64_t)(site->b > 0 ? site->b : 0));
        count++;
    }
}

static bool is_of(const struct vbt_interval_site *site, uint32_t label) {
    const struct vbt_interval_group *group = site != NULL ? vbt_interval_group_at(site->group) : NULL;
    return group != NULL && group->kind == VBT_INTERVAL_SECTION && group->label == label;
}

static void add_site(struct lines_text *text, const struct vbt_interval_site *site) {
    const uint64_t counts[] = {site->flow.allocs, site->flow.frees, site->flow.allocated, site->flow.freed};
    char *start = text->at;
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            add_separator(text, '\t');
        add_number(text, counts[i]);
    }
    add_frames(text, site->node);
    add_separator(text, '\n');
    if (text->full)
        text->at = start; /* whole lines only */
}

/* Writes a line for each call path at which at least `least` bytes were allocated in the sections
 * with this label that have ended: allocations, frees, bytes allocated and freed, and of each
 * Python frame, innermost first, function, file and line, with tabs between. Returns how many bytes
 * that are, without the terminating zero; *complete: whether there was room for all. */
VBT_EXPORT int64_t vbtrace_section_lines(const char *label, uint64_t least, char *out, uint64_t size, int *complete) {
    struct vbt_thread *thread = vbt_enter();
    struct lines_text text = {out, out + size - 1, false};
    if (thread != NULL) {
        vbt_stand(thread, VBT_IN_LEDGER);
        vbt_lock(&vbt_tree_lock);
        uint32_t id = vbt_intern_string(label, strnlen(label, VBT_LABEL_MAX));
        vbt_unlock(&vbt_tree_lock);
        vbt_lock(&vbt_interval_lock);
        for (uint32_t i = 1; i < vbt_interval_groups.sites.count && !text.full; i++) {
            const struct vbt_interval_site *site = vbt_interval_site_at(i);
            if (is_of(site, id) && site->flow.allocated >= least)
                add_site(&text, site);
        }
        vbt_unlock(&vbt_interval_lock);
        vbt_leave(thread);
    }
    *text.at = '\0';
    *complete = !text.full;
    return text.at - out;
}
