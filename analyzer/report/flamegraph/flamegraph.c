/* See flamegraph.h. Every text of the trace goes through print_escaped. */
#include "flamegraph.h"

#include "analyzer/analysis/calls/reshape/call_diff.h"
#include "analyzer/analysis/calls/reshape/call_imports.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/call_report.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

/* The texts of the style sheet and the script, which lie beside this file. */
__asm__(".pushsection .rodata\n"
        "vbt_flamegraph_css: .incbin \"" VBT_FLAMEGRAPH_CSS "\"\n.byte 0\n"
        "vbt_flamegraph_js: .incbin \"" VBT_FLAMEGRAPH_JS "\"\n.byte 0\n"
        ".popsection");
extern const char vbt_flamegraph_css[], vbt_flamegraph_js[];

/* In pixels; the script scales everything to the window's width. */
enum { WIDTH = 1200, HEADER = 104, ROW = 18, FOOTER = 30 };

static const double character_width = 7.25; /* of the monospaced font at 12 pixels */

/* Prints text for XML. Characters that XML does not allow, escaped or not, are replaced. */
static void print_escaped(FILE *out, const char *text) {
    char *printable = vbt_utf8_printable(text, strlen(text));
    for (const char *at = printable; *at != '\0'; at++) {
        if (*at == '&')
            fputs("&amp;", out);
        else if (*at == '<')
            fputs("&lt;", out);
        else if (*at == '>')
            fputs("&gt;", out);
        else if (*at == '"')
            fputs("&quot;", out);
        else if (strncmp(at, "\xef\xbf\xbe", 3) == 0 || strncmp(at, "\xef\xbf\xbf", 3) == 0) /* U+FFFE, U+FFFF */
            fputs("?", out), at += 2;
        else
            putc(*at, out);
    }
    free(printable);
}

static unsigned shade(const char *text) {
    unsigned hash = 5381;
    for (; *text != '\0'; text++)
        hash = 33 * hash + (unsigned char)*text;
    return hash % 3;
}

/* A frame that is drawn. */
struct frame {
    uint32_t call;
    unsigned level;
    double x, width; /* shares of the whole width */
    int64_t more[2]; /* of two more measures, see more_measures */
};

/* What else a tooltip says: allocations and bytes; or what both runs counted. */
static const enum vbt_measure *more_measures(const struct vbt_flamegraph *g) {
    static const enum vbt_measure of_run[] = {VBT_MEASURE_ALLOCS, VBT_MEASURE_BYTES}, of_runs[] = {VBT_DIFF_BEFORE, VBT_DIFF_AFTER};
    return g->diff ? of_runs : of_run;
}

static const struct vbt_source_place *place_of(const struct vbt_flamegraph *g, const struct frame *frame) {
    return vbt_call_place(g->tree, frame->call);
}

static unsigned y_of(const struct vbt_flamegraph *g, unsigned level, unsigned levels) {
    return HEADER + ROW * (g->root_at_bottom ? levels - 1 - level : level);
}

/* What was counted at a frame, and of that at itself. */
static void print_amounts(const struct vbt_flamegraph *g, const struct frame *frame, FILE *out) {
    int64_t value = g->tree->sums[g->measure][frame->call], whole = g->tree->sums[g->measure][0];
    int64_t self = vbt_call_self_of(g->tree, frame->call, g->measure);
    fprintf(out, "\n%s: %s, ", vbt_measure_title(g->measure), vbt_measure_text(g->measure, value).text);
    print_escaped(out, vbt_share(value, whole).text);
    if (!g->reversed && self > 0) {
        fprintf(out, "\nitself: %s, ", vbt_measure_text(g->measure, self).text);
        print_escaped(out, vbt_share(self, whole).text);
    }
    if (g->measure != VBT_MEASURE_ALLOCS)
        fprintf(out, "\nallocations: %s", vbt_count(frame->more[0]).text);
    if (g->measure != VBT_MEASURE_BYTES)
        fprintf(out, "\nbytes allocated: %s", vbt_bytes(frame->more[1]).text);
}

/* What both runs counted at a frame, and the difference. */
static void print_change(const struct vbt_flamegraph *g, const struct frame *frame, FILE *out) {
    int64_t before = frame->more[0], after = frame->more[1];
    char *change = vbt_change_text(g->measure, before, after);
    fprintf(out, "\n%s: %s, ", vbt_measure_title(g->measure), vbt_measure_text(g->measure, after).text);
    fprintf(out, "was %s\n", vbt_measure_text(g->measure, before).text);
    print_escaped(out, change);
    free(change);
    const struct vbt_measures self = vbt_call_self(g->tree, frame->call);
    if (!g->reversed && self.of[VBT_DIFF_BEFORE] != self.of[VBT_DIFF_AFTER]) {
        change = vbt_change_text(g->measure, self.of[VBT_DIFF_BEFORE], self.of[VBT_DIFF_AFTER]);
        fputs("\nitself: ", out);
        print_escaped(out, change);
        free(change);
    }
}

/* Prints the text of a tooltip: function, position, amounts. The script shows it line by line, and
 * searches in the first two lines. */
static void print_title(const struct vbt_flamegraph *g, const struct frame *frame, FILE *out) {
    const struct vbt_source_place *place = place_of(g, frame);
    fputs("<title>", out);
    print_escaped(out, place != NULL ? place->function : "all");
    putc('\n', out);
    if (place != NULL) {
        char *position = vbt_place_position(place);
        print_escaped(out, position);
        if (place->kind == VBT_PLACE_NATIVE && strcmp(place->file, place->module) != 0) {
            fputs(", ", out);
            print_escaped(out, place->module);
        }
        free(position);
    }
    (g->diff ? print_change : print_amounts)(g, frame, out);
    if (g->tree->calls[frame->call].inlined)
        fputs("\ninlined into its caller", out);
    if (place != NULL && place->kind == VBT_PLACE_SPECIAL && strcmp(place->function, VBT_IMPORTS_NAME) == 0)
        fputs("\nthe frames of Python's import machinery; --imports shows them", out);
    fputs("</title>", out);
}

/* The style of a frame. Of two runs: how much of the larger number the difference is, in steps; 4
 * is a frame that only one of them has. */
static void print_class(const struct vbt_flamegraph *g, const struct frame *frame, FILE *out) {
    const struct vbt_source_place *place = place_of(g, frame);
    double before = (double)frame->more[0], after = (double)frame->more[1], larger = before > after ? before : after;
    double change = larger > 0 ? (after - before) / larger : 0, much = change < 0 ? -change : change;
    if (!g->diff)
        fprintf(out, "%s-%u", vbt_call_kind(g->tree, frame->call), shade(place != NULL ? place->function : ""));
    else if (frame->more[0] == frame->more[1])
        fputs("same", out);
    else
        fprintf(out, "%s-%d", change > 0 ? "grew" : "shrank", much <= .1 ? 1 : much <= .5 ? 2 : much < 1 ? 3 : 4);
}

static void print_label(const struct vbt_source_place *place, const struct frame *at, unsigned y, FILE *out) {
    double room = (at->width * WIDTH - 8) / character_width;
    fprintf(out, "<text x=\"%.5f%%\" dx=\"4\" y=\"%u\">", 100 * at->x, y + 13);
    if (room >= 3) {
        char *name = place != NULL ? vbt_call_name(place) : vbt_copy("all", 3);
        char *label = vbt_utf8_cut_end(vbt_utf8_printable(name, strlen(name)), (size_t)room);
        print_escaped(out, label);
        free(label);
        free(name);
    }
    fputs("</text>", out);
}

static void print_frame(const struct vbt_flamegraph *g, const struct frame *frame, unsigned levels, FILE *out) {
    unsigned y = y_of(g, frame->level, levels);
    fputs("<g class=\"frame ", out);
    print_class(g, frame, out);
    fprintf(out, "\" data-level=\"%u\" data-value=\"%lld\"", frame->level, (long long)g->tree->sums[g->measure][frame->call]);
    if (g->diff)
        fprintf(out, " data-change=\"%lld\"", (long long)((uint64_t)frame->more[1] - (uint64_t)frame->more[0]));
    putc('>', out);
    print_title(g, frame, out);
    fprintf(out, "<rect x=\"%.5f%%\" y=\"%u\" width=\"%.5f%%\" height=\"%d\" rx=\"2\"/>", 100 * frame->x, y, 100 * frame->width,
            ROW - 1);
    print_label(place_of(g, frame), frame, y, out);
    fputs("</g>\n", out);
}

/* Stores one more measure of the frames. */
static void get_sums(const struct vbt_flamegraph *g, struct frame *frames, size_t count, int number) {
    enum vbt_measure measure = more_measures(g)[number];
    bool known = g->tree->sums[measure] != NULL;
    const int64_t *sums = vbt_call_tree_sum(g->tree, measure);
    for (size_t i = 0; i < count; i++)
        frames[i].more[number] = sums[frames[i].call];
    if (!known)
        vbt_call_tree_forget(g->tree, measure);
}

/* Computes the position of every drawn call, parents before children. Stores the number of levels;
 * the caller frees the frames. */
static struct frame *lay_out(const struct vbt_flamegraph *g, size_t *count, unsigned *levels) {
    const struct vbt_call_tree *tree = g->tree;
    const int64_t *sums = tree->sums[g->measure];
    struct frame *frames = NULL, *stack = NULL;
    size_t capacity = 0, depth = 0, stack_capacity = 0;
    *count = 0;
    *levels = 1;
    stack = vbt_grow(stack, &stack_capacity, 1, sizeof *stack);
    stack[depth++] = (struct frame){.width = 1};
    while (depth > 0) {
        const struct frame frame = stack[--depth];
        frames = vbt_grow(frames, &capacity, *count + 1, sizeof *frames);
        frames[(*count)++] = frame;
        if (frame.level >= *levels)
            *levels = frame.level + 1;
        uint32_t children = vbt_call_children(tree, frame.call);
        double x = frame.x;
        stack = vbt_grow(stack, &stack_capacity, depth + children, sizeof *stack);
        for (uint32_t i = 0; i < children; i++) { /* the first goes on top */
            uint32_t child = vbt_call_child(tree, frame.call, i);
            double width = (double)sums[child] / (double)sums[0];
            stack[depth + children - 1 - i] = (struct frame){.call = child, .level = frame.level + 1, .x = x, .width = width};
            x += width;
        }
        depth += children;
    }
    free(stack);
    get_sums(g, frames, *count, 0);
    get_sums(g, frames, *count, 1);
    return frames;
}

static int print_key(const char *style, const char *name, int x, FILE *out) {
    fprintf(out,
            "<g class=\"%s\"><rect x=\"%d\" y=\"56\" width=\"12\" height=\"12\" rx=\"2\"/></g><text x=\"%d\" y=\"66\">%s</text>\n",
            style, x, x + 18, name);
    return x + 34 + (int)(character_width * (double)strlen(name));
}

/* Prints a legend of the kinds of frames that are drawn; of two runs, of all there can be. */
static void print_legend(const struct vbt_flamegraph *g, const struct frame *frames, size_t count, FILE *out) {
    static const char *const kinds[] = {"python", "native", "inlined", "special"};
    static const char *const names[] = {"Python", "native", "inlined", "special"};
    static const char *const changes[][2] = {{"grew-4", "new"},
                                             {"grew-3", "grew"},
                                             {"grew-1", "grew a little"},
                                             {"same", "the same"},
                                             {"shrank-1", "shrank a little"},
                                             {"shrank-3", "shrank"},
                                             {"shrank-4", "gone"}};
    int x = 12;
    for (size_t k = 0; k < VBT_COUNT(changes) && g->diff; k++)
        x = print_key(changes[k][0], changes[k][1], x, out);
    for (size_t k = 0; k < VBT_COUNT(kinds) && !g->diff; k++) {
        bool drawn = false;
        for (size_t i = 1; i < count; i++)
            drawn = drawn || strcmp(vbt_call_kind(g->tree, frames[i].call), kinds[k]) == 0;
        char *style = vbt_text("%s-0", kinds[k]);
        x = drawn ? print_key(style, names[k], x, out) : x;
        free(style);
    }
}

/* The controls are HTML, because of their text field; the script makes them visible. */
static const char controls[] = "<foreignObject id=\"controls\" x=\"0\" y=\"74\" width=\"100%\" height=\"30\">"
                               "<div xmlns=\"http://www.w3.org/1999/xhtml\">"
                               "<input id=\"search\" type=\"search\" placeholder=\"Search (/)\" aria-label=\"Search functions and "
                               "files\" spellcheck=\"false\"/>"
                               "<button id=\"reset\" type=\"button\" title=\"Esc\">Reset</button>"
                               "<span id=\"matched\" role=\"status\"></span>"
                               "<span id=\"help\">click or Enter: zoom · arrows: move · Esc: back</span>"
                               "</div></foreignObject>\n";

static void print_beginning(const struct vbt_flamegraph *g, unsigned height, FILE *out) {
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\""
            " data-measure=\"%s\" data-root=\"%s\">\n<title>",
            WIDTH, height, WIDTH, height, vbt_measure_is_bytes(g->measure) ? "bytes" : "count",
            g->root_at_bottom ? "bottom" : "top");
    print_escaped(out, g->title);
    fprintf(out, "</title>\n<style>\n%s</style>\n<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n<g id=\"frames\">\n",
            vbt_flamegraph_css);
}

static void print_end(const struct vbt_flamegraph *g, const struct frame *frames, size_t count, unsigned height, FILE *out) {
    fprintf(out, "</g>\n<text class=\"note\" id=\"note\" x=\"12\" y=\"%u\">", height - 10);
    print_escaped(out, g->left_out);
    fprintf(
        out,
        "</text>\n<g id=\"header\"><rect class=\"paper\" width=\"100%%\" height=\"%d\"/>\n<text class=\"title\" x=\"12\" y=\"24\">",
        HEADER - 4);
    print_escaped(out, g->title);
    fputs("</text>\n<text class=\"note\" x=\"12\" y=\"44\">", out);
    char *subtitle = vbt_utf8_printable(g->subtitle, strlen(g->subtitle));
    subtitle = vbt_utf8_cut_end(subtitle, (size_t)((WIDTH - 24) / character_width));
    print_escaped(out, subtitle);
    free(subtitle);
    fputs("</text>\n", out);
    print_legend(g, frames, count, out);
    fputs(controls, out);
    fprintf(out, "</g>\n<g id=\"tip\"/>\n<script><![CDATA[\n%s]]></script>\n</svg>\n", vbt_flamegraph_js);
}

size_t vbt_flamegraph_print(const struct vbt_flamegraph *g, uint64_t most, char **text, size_t *size) {
    unsigned levels;
    size_t count, printed = 0;
    struct frame *frames = lay_out(g, &count, &levels);
    unsigned height = HEADER + ROW * levels + FOOTER;
    FILE *out = open_memstream(text, size);
    if (out == NULL)
        vbt_out_of_memory();
    print_beginning(g, height, out);
    while (printed < count && (uint64_t)ftello(out) <= most)
        print_frame(g, &frames[printed++], levels, out);
    print_end(g, frames, count, height, out);
    if (ferror(out) != 0 || fclose(out) != 0)
        vbt_out_of_memory();
    free(frames);
    return *size <= most ? SIZE_MAX : printed;
}
