/* The call paths that changed, as a tree from the outermost call down. */
#include "delta_text.h"
#include "diff_parts.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/utf8.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

/* A longer chain of calls with one changed child each shows so many at its beginning and end. */
enum { CHAIN_BEGIN = 2, CHAIN_END = 3 };

struct path_view {
    struct vbt_diff_report *report;
    const struct vbt_comparison *comparison;
    struct vbt_values sums;  /* with all below, by path */
    double *weights;         /* of what changed at a path and below it */
    double *own;             /* and at the path itself */
    uint32_t *children, *at; /* the children of path p that changed: children[at[p]] up to at[p + 1], heaviest first */
    struct vbt_text_table *table;
    uint64_t rows_left;
    size_t missing;
};

static int heaviest_first(const void *left, const void *right, void *data) {
    const double *weights = data;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    if (weights[a] != weights[b])
        return weights[a] > weights[b] ? -1 : 1;
    return a < b ? -1 : a > b;
}

static void weigh(struct path_view *v) {
    const struct vbt_ranking *changes = &v->report->findings->paths.changes;
    const struct vbt_comparison *c = v->comparison;
    v->weights = vbt_new(c->path_count, sizeof *v->weights);
    v->own = vbt_new(c->path_count, sizeof *v->own);
    for (size_t i = 0; i < changes->count; i++)
        v->own[changes->rows[i].row] = v->weights[changes->rows[i].row] = changes->rows[i].weight + 1e-12;
    for (size_t i = c->path_count - 1; i > 0; i--)
        v->weights[c->paths[i].parent] += v->weights[i];
}

static void list_children(struct path_view *v) {
    const struct vbt_comparison *c = v->comparison;
    v->at = vbt_new(c->path_count + 2, sizeof *v->at);
    for (size_t i = 1; i < c->path_count; i++)
        if (v->weights[i] > 0)
            v->at[c->paths[i].parent + 1]++;
    for (size_t i = 1; i <= c->path_count; i++)
        v->at[i] += v->at[i - 1];
    v->children = vbt_new(v->at[c->path_count] + 1, sizeof *v->children);
    uint32_t *used = vbt_new(c->path_count, sizeof *used);
    for (uint32_t i = 1; i < c->path_count; i++)
        if (v->weights[i] > 0) {
            uint32_t parent = c->paths[i].parent;
            v->children[v->at[parent] + used[parent]++] = i;
        }
    for (size_t i = 0; i < c->path_count; i++)
        if (used[i] > 1)
            qsort_r(v->children + v->at[i], used[i], sizeof *v->children, heaviest_first, v->weights);
    free(used);
}

static uint32_t children_of(const struct path_view *v, uint32_t path) { return v->at[path + 1] - v->at[path]; }

static void put_row(struct path_view *v, uint32_t path, const char *indent, const char *name, bool numbers) {
    static const int shown[] = {VBT_C_ALLOCS, VBT_C_BYTES, VBT_C_PEAK, VBT_C_LEFT};
    if (v->rows_left == 0) {
        v->missing++;
        return;
    }
    v->rows_left--;
    for (size_t i = 0; i < VBT_COUNT(shown); i++) {
        const struct vbt_delta change = vbt_delta_of(&v->sums, path, (size_t)shown[i], v->comparison->old.run_count);
        struct vbt_unit cell = vbt_delta_cell(vbt_counted_unit(shown[i]), &change, true);
        vbt_text_table_cell(v->table, "%s", numbers ? cell.text : "");
    }
    char *cut = vbt_utf8_cut_start(vbt_text("%s", indent), v->report->output->width / 3);
    vbt_text_table_cell(v->table, "%s%s", cut, name);
    free(cut);
}

static void put_path(struct path_view *v, uint32_t path, const char *indent) {
    char *name = vbt_pair_name(v->comparison, v->comparison->paths[path].place);
    char *marked = vbt_text("%s%s", name, v->comparison->paths[path].inlined ? ", inlined" : "");
    put_row(v, path, indent, marked, true);
    free(marked);
    free(name);
}

/* Prints the only children below a path one below the other. Returns the last of them. */
static uint32_t put_chain(struct path_view *v, uint32_t path, const char *indent) {
    size_t length = 0;
    for (uint32_t at = path; children_of(v, at) == 1 && v->own[at] == 0; at = v->children[v->at[at]])
        length++;
    for (size_t i = 0; i < length; i++) {
        path = v->children[v->at[path]];
        if (i < CHAIN_BEGIN || i + CHAIN_END >= length || length <= CHAIN_BEGIN + CHAIN_END + 1) {
            put_path(v, path, indent);
        } else if (i == CHAIN_BEGIN) {
            char *text = vbt_text("⋮ %s", vbt_counted((int64_t)(length - CHAIN_BEGIN - CHAIN_END), "more frame").text);
            put_row(v, path, indent, text, false);
            free(text);
        }
    }
    return path;
}

struct diff_level {
    uint32_t path, next;
    char *indent;
};

/* Depth first, with a stack of its own: a trace may be thousands of frames deep. */
static void put_tree(struct path_view *v) {
    struct diff_level *levels = NULL;
    size_t count = 0, capacity = 0;
    levels = vbt_grow(levels, &capacity, 1, sizeof *levels);
    levels[count++] = (struct diff_level){.path = put_chain(v, 0, ""), .indent = vbt_copy("", 0)};
    while (count > 0) {
        struct diff_level *level = &levels[count - 1];
        uint32_t children = children_of(v, level->path);
        if (level->next == children || v->rows_left == 0) {
            v->missing += children - level->next;
            free(level->indent);
            count--;
            continue;
        }
        uint32_t child = v->children[v->at[level->path] + level->next++];
        bool last = level->next == children;
        char *indent = vbt_text("%s%s", level->indent, last ? "└╴" : "├╴");
        put_path(v, child, indent);
        free(indent);
        indent = vbt_text("%s%s", level->indent, last ? "  " : "│ ");
        uint32_t end = put_chain(v, child, indent);
        levels = vbt_grow(levels, &capacity, count + 1, sizeof *levels);
        levels[count++] = (struct diff_level){.path = end, .indent = indent};
    }
    free(levels);
}

void vbt_diff_tree_print(struct vbt_diff_report *r) {
    static const struct vbt_column columns[] = {
        {.title = "Allocs", .align = VBT_RIGHT, .width = 8},
        {.title = "Bytes", .align = VBT_RIGHT, .gap = 2, .width = 10},
        {.title = "At peak", .align = VBT_RIGHT, .gap = 2, .width = 9, .drop = 1},
        {.title = "Left", .align = VBT_RIGHT, .gap = 2, .width = 9, .drop = 2},
        {.title = "Call tree", .gap = 2, .least = 30},
    };
    const struct vbt_ranking *changes = &r->findings->paths.changes;
    if (changes->count == 0) {
        vbt_diff_heading(r, "Call paths", vbt_text("no call path changed"));
        return;
    }
    struct path_view view = {.report = r, .comparison = r->findings->comparison, .rows_left = r->query->limit};
    view.table = vbt_text_table_new(columns, VBT_COUNT(columns));
    vbt_compared_sums(&view.sums, view.comparison);
    weigh(&view);
    list_children(&view);
    put_tree(&view);
    vbt_diff_heading(r, "Call paths",
                     vbt_text("%s changed; a call is shown with all it called", vbt_counted((int64_t)changes->count, "path").text));
    vbt_diff_table_print(r, view.table);
    if (view.missing > 0)
        fprintf(r->output->stream, "%s… and more; --limit 0 shows everything\n", r->markdown ? "\n" : "");
    vbt_values_free(&view.sums);
    free(view.weights);
    free(view.own);
    free(view.children);
    free(view.at);
}
