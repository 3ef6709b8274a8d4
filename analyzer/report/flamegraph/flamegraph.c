/* See flamegraph.h. Every text of the trace goes through print_escaped. */
#include "flamegraph.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/call_report.h"

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

/* A deeper picture would be of no use. */
enum { MOST_LEVELS = 4096 };

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

struct place_in_graph {
    double x, width; /* shares of the whole width */
    unsigned level;
};

static unsigned y_of(const struct vbt_flamegraph *g, unsigned level, unsigned levels) {
    return HEADER + ROW * (g->icicle ? level : levels - 1 - level);
}

/* Prints the text of a tooltip: function, position, amounts. The script shows it line by line, and
 * searches in the first two lines. */
static void print_title(const struct vbt_flamegraph *g, const struct vbt_call *call, FILE *out) {
    const struct vbt_call *root = &g->tree->calls[0];
    int64_t value = call->cumulative[g->measure], whole = root->cumulative[g->measure];
    fputs("<title>", out);
    print_escaped(out, call->place != NULL ? call->place->function : "all");
    putc('\n', out);
    if (call->place != NULL) {
        char *position = vbt_place_position(call->place);
        print_escaped(out, position);
        if (call->place->kind == VBT_PLACE_NATIVE && strcmp(call->place->file, call->place->module) != 0) {
            fputs(", ", out);
            print_escaped(out, call->place->module);
        }
        free(position);
    }
    fprintf(out, "\n%s: %s, ", vbt_measure_title(g->measure), vbt_measure_text(g->measure, value).text);
    print_escaped(out, vbt_share(value, whole).text);
    if (!g->icicle && call->self[g->measure] > 0) {
        fprintf(out, "\nitself: %s, ", vbt_measure_text(g->measure, call->self[g->measure]).text);
        print_escaped(out, vbt_share(call->self[g->measure], whole).text);
    }
    if (g->measure != VBT_MEASURE_ALLOCS)
        fprintf(out, "\nallocations: %s", vbt_count(call->cumulative[VBT_MEASURE_ALLOCS]).text);
    if (g->measure != VBT_MEASURE_BYTES)
        fprintf(out, "\nbytes allocated: %s", vbt_bytes(call->cumulative[VBT_MEASURE_BYTES]).text);
    if (call->inlined)
        fputs("\ninlined into its caller", out);
    fputs("</title>", out);
}

static void print_label(const struct vbt_call *call, const struct place_in_graph *at, unsigned y, FILE *out) {
    double room = (at->width * WIDTH - 8) / character_width;
    fprintf(out, "<text x=\"%.5f%%\" dx=\"4\" y=\"%u\">", 100 * at->x, y + 13);
    if (room >= 3) {
        char *name = call->place != NULL ? vbt_call_name(call->place) : vbt_copy("all", 3);
        char *label = vbt_utf8_cut_end(vbt_utf8_printable(name, strlen(name)), (size_t)room);
        print_escaped(out, label);
        free(label);
        free(name);
    }
    fputs("</text>", out);
}

static void print_frame(const struct vbt_flamegraph *g, const struct vbt_call *call, const struct place_in_graph *at,
                        unsigned levels, FILE *out) {
    unsigned y = y_of(g, at->level, levels);
    const char *kind = call->place != NULL ? vbt_call_kind(call) : "special";
    fprintf(out, "<g class=\"frame %s-%u\" data-level=\"%u\" data-value=\"%lld\">", kind,
            shade(call->place != NULL ? call->place->function : ""), at->level, (long long)call->cumulative[g->measure]);
    print_title(g, call, out);
    fprintf(out, "<rect x=\"%.5f%%\" y=\"%u\" width=\"%.5f%%\" height=\"%d\" rx=\"2\"/>", 100 * at->x, y, 100 * at->width, ROW - 1);
    print_label(call, at, y, out);
    fputs("</g>\n", out);
}

/* Computes the position of every drawn call. Stores the number of levels in *levels, and in order
 * the calls, parents before children; returns how many these are. */
static size_t lay_out(const struct vbt_flamegraph *g, struct place_in_graph *places, uint32_t *order, unsigned *levels) {
    const struct vbt_call_tree *tree = g->tree;
    int64_t whole = tree->calls[0].cumulative[g->measure];
    uint32_t *stack = vbt_new(tree->count, sizeof *stack);
    size_t depth = 0, count = 0;
    *levels = 1;
    places[0] = (struct place_in_graph){.width = 1};
    stack[depth++] = 0;
    while (depth > 0) {
        uint32_t at = stack[--depth];
        const struct vbt_call *call = &tree->calls[at];
        order[count++] = at;
        if (places[at].level >= *levels)
            *levels = places[at].level + 1;
        double x = places[at].x;
        if (places[at].level + 1 == MOST_LEVELS)
            continue;
        for (uint32_t i = 0; i < call->child_count; i++) {
            uint32_t child = tree->children[call->child_at + i];
            double width = (double)tree->calls[child].cumulative[g->measure] / (double)whole;
            places[child] = (struct place_in_graph){.x = x, .width = width, .level = places[at].level + 1};
            x += width;
        }
        for (uint32_t i = call->child_count; i > 0; i--)
            stack[depth++] = tree->children[call->child_at + i - 1];
    }
    free(stack);
    return count;
}

/* Prints a legend of the kinds of frames that are drawn. */
static void print_legend(const struct vbt_call_tree *tree, const uint32_t *order, size_t count, FILE *out) {
    static const char *const kinds[] = {"python", "native", "inlined", "special"};
    static const char *const names[] = {"Python", "native", "inlined", "special"};
    bool drawn[4] = {false};
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < 4 && tree->calls[order[i]].place != NULL; k++)
            if (strcmp(vbt_call_kind(&tree->calls[order[i]]), kinds[k]) == 0)
                drawn[k] = true;
    int x = 12;
    for (int k = 0; k < 4; k++)
        if (drawn[k]) {
            fprintf(out,
                    "<g class=\"%s-0\"><rect x=\"%d\" y=\"56\" width=\"12\" height=\"12\" rx=\"2\"/></g><text x=\"%d\" "
                    "y=\"66\">%s</text>\n",
                    kinds[k], x, x + 18, names[k]);
            x += 34 + (int)(character_width * (double)strlen(names[k]));
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

void vbt_flamegraph_print(const struct vbt_flamegraph *g, FILE *out) {
    const struct vbt_call_tree *tree = g->tree;
    struct place_in_graph *places = vbt_new(tree->count, sizeof *places);
    uint32_t *order = vbt_new(tree->count, sizeof *order);
    unsigned levels;
    size_t count = lay_out(g, places, order, &levels);
    unsigned height = HEADER + ROW * levels + FOOTER;
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\""
            " data-measure=\"%s\" data-root=\"%s\">\n<title>",
            WIDTH, height, WIDTH, height, vbt_measure_is_bytes(g->measure) ? "bytes" : "count", g->icicle ? "top" : "bottom");
    print_escaped(out, g->title);
    fprintf(out, "</title>\n<style>\n%s</style>\n<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n<g id=\"frames\">\n",
            vbt_flamegraph_css);
    for (size_t i = 0; i < count; i++)
        print_frame(g, &tree->calls[order[i]], &places[order[i]], levels, out);
    fprintf(out, "</g>\n<text class=\"note\" x=\"12\" y=\"%u\">", height - 10);
    print_escaped(out, g->left_out);
    if (levels == MOST_LEVELS)
        fprintf(out, " Of deeper stacks, only %d levels are drawn.", MOST_LEVELS);
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
    print_legend(tree, order, count, out);
    fputs(controls, out);
    fprintf(out, "</g>\n<g id=\"tip\"/>\n<script><![CDATA[\n%s]]></script>\n</svg>\n", vbt_flamegraph_js);
    free(places);
    free(order);
}
