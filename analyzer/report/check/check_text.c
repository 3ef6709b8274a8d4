/* vbtrace check as text and as Markdown. */
#include "check_report.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/command_line.h"
#include "analyzer/report/compare/delta_text.h"
#include "analyzer/report/compare/diff_parts.h"

#include <stdlib.h>
#include <string.h>

struct check_view {
    const struct vbt_gate *gate;
    const struct vbt_query *query;
    struct vbt_output *output;
    bool markdown;
};

/* Prints a line that is cut at the output's width; in Markdown an item. Takes ownership. */
static void put(const struct check_view *v, const char *mark, char *text) {
    char *printable = vbt_utf8_printable(text, strlen(text));
    size_t used = vbt_utf8_width(mark);
    if (v->output->is_limited && !v->markdown)
        printable = vbt_utf8_cut_end(printable, v->output->width > used ? v->output->width - used : 1);
    fprintf(v->output->stream, "%s%s\n", mark, printable);
    free(printable);
    free(text);
}

static void put_blame(const struct check_view *v, const struct vbt_gate_result *r) {
    const struct vbt_comparison *c = v->gate->comparison;
    enum vbt_delta_unit unit = vbt_limit_unit_of(r->limit->quantity) == VBT_LIMIT_SIZE ? VBT_DELTA_BYTES : VBT_DELTA_COUNT;
    for (size_t i = 0; i < r->line_count; i++) {
        char *name = vbt_pair_name(c, r->lines[i].pair);
        const char *source = vbt_pair_place(c, r->lines[i].pair)->text;
        struct vbt_unit amount =
            r->limit->growth ? vbt_delta_text(unit, r->lines[i].amount) : vbt_mean_text(unit, r->lines[i].amount);
        put(v,
            v->markdown ? "  - "
            : i == 0    ? "        lines  "
                        : "               ",
            vbt_text("%s  %s%s%s", amount.text, name, source != NULL ? "  " : "", source != NULL ? source : ""));
        free(name);
    }
    char *path = vbt_check_path(v->gate, r);
    if (path != NULL)
        put(v, v->markdown ? "  - " : "        path   ", path);
}

/* The command that shows more. */
static char *more_of(const struct check_view *v) {
    const struct vbt_query *q = v->query;
    bool compares = v->gate->has_baseline && v->gate->comparison->old.path_count > 1;
    char *text = compares ? vbt_text("vbtrace diff %s%s", q->against, q->trace_count > 1 ? " --" : "") : vbt_text("vbtrace report");
    for (size_t i = 0; i < q->trace_count; i++) {
        char *word = vbt_shell_word(q->traces[i]), *longer = vbt_text("%s %s", text, word);
        free(word);
        free(text);
        text = longer;
    }
    return text;
}

void vbt_check_print(const struct vbt_gate *gate, const struct vbt_query *query, struct vbt_output *output) {
    switch (query->format) {
    case VBT_JSON:
        vbt_check_json_print(gate, output->stream);
        break;
    case VBT_JUNIT:
        vbt_check_junit_print(gate, output->stream);
        break;
    case VBT_SARIF:
        vbt_check_sarif_print(gate, output->stream);
        break;
    case VBT_GITHUB:
        vbt_check_github_print(gate, output->stream);
        break;
    default:
        vbt_check_text_print(gate, query, output);
    }
}

void vbt_check_text_print(const struct vbt_gate *gate, const struct vbt_query *query, struct vbt_output *output) {
    struct check_view v = {gate, query, output, query->format == VBT_MARKDOWN};
    char *verdict = vbt_check_verdict(gate);
    fprintf(output->stream, v.markdown ? "## vbtrace check\n\n**%s%s%s**\n\n" : "%s%s%s\n", v.markdown ? "" : output->bold, verdict,
            v.markdown ? "" : output->normal);
    free(verdict);
    for (size_t i = 0; i < gate->unlikes.count; i++)
        put(&v,
            v.markdown                      ? "- "
            : gate->unlikes.rows[i].allowed ? "note    "
                                            : "FAILED  ",
            vbt_check_unlike(&gate->unlikes.rows[i]));
    if (gate->refused > 0 && strcmp(gate->unlikes.rows[0].fact, VBT_NO_BASELINE) != 0)
        put(&v, v.markdown ? "- " : "        ",
            vbt_text("make the baseline again (--approve), or accept what differs (--allow %s)", gate->unlikes.rows[0].fact));
    for (int passed = 0; passed < 2; passed++) /* what failed first */
        for (size_t i = 0; i < gate->count; i++) {
            const struct vbt_gate_result *r = &gate->results[i];
            bool good = gate->planted ? !r->holds : r->holds;
            if (good != (passed == 1))
                continue;
            put(&v, v.markdown ? (good ? "- " : "- **failed** ") : good ? "ok      " : "FAILED  ", vbt_check_sentence(r));
            if (!good)
                put_blame(&v, r);
        }
    if (vbt_gate_holds(gate) || gate->planted)
        return;
    char *more = more_of(&v);
    fprintf(output->stream, v.markdown ? "\n`%s`\n" : "more    %s\n", more);
    free(more);
}
