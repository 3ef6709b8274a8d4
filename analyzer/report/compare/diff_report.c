/* The report of vbtrace diff: its beginning, and the order of its parts. */
#include "diff_report.h"

#include "delta_text.h"
#include "diff_parts.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/paragraph.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

void vbt_diff_heading(struct vbt_diff_report *r, const char *title, char *more) {
    FILE *out = r->output->stream;
    if (r->any)
        putc('\n', out);
    r->any = true;
    const char *gap = more != NULL && more[0] != '\0' ? ": " : "";
    char *printable = vbt_utf8_printable(more != NULL ? more : "", more != NULL ? strlen(more) : 0);
    if (r->markdown)
        fprintf(out, "### %s%s%s\n\n", title, gap, printable);
    else
        fprintf(out, "%s%s%s%s%s\n", r->output->bold, title, r->output->normal, gap, printable);
    free(printable);
    free(more);
}

void vbt_diff_table_print(struct vbt_diff_report *r, struct vbt_text_table *table) {
    if (r->markdown)
        vbt_text_table_print_markdown(table, r->output);
    else
        vbt_text_table_print(table, r->output, 0);
    vbt_text_table_free(table);
}

/* "orders.py · Python 3.11.2 · 2 runs · old.vbt ..." */
static void print_side(struct vbt_diff_report *r, const char *name, const struct vbt_side *side) {
    const struct vbt_compared_run *run = &side->runs[0];
    char *python = run->python != NULL ? vbt_text(" · Python %s", run->python) : vbt_copy("", 0);
    char *several = run->processes > 1 ? vbt_text(" · %s", vbt_counted((int64_t)run->processes, "process").text) : vbt_copy("", 0);
    char *runs = side->run_count > 1 ? vbt_text(" · %s, %s …", vbt_counted((int64_t)side->run_count, "run").text, run->name)
                                     : vbt_text(" · %s", run->name);
    char *text = vbt_text("%s%s%s%s", run->program, python, several, runs);
    char *printable = vbt_utf8_printable(text, strlen(text));
    size_t room = r->output->width > 6 ? r->output->width - 6 : 1;
    if (!r->markdown)
        printable = vbt_utf8_cut_end(printable, room);
    fprintf(r->output->stream, r->markdown ? "- %s: %s\n" : "%-4s  %s\n", name, printable);
    free(printable);
    free(text);
    free(runs);
    free(several);
    free(python);
}

/* ", +46.9 KiB (+3.9%)": a total that changed, else "". */
static char *part_of_verdict(const struct vbt_delta *change, enum vbt_delta_unit unit, bool counts, const char *before,
                             const char *after) {
    if (!counts)
        return vbt_copy("", 0);
    struct vbt_unit share = vbt_delta_share(change);
    const char *open = share.text[0] != '\0' ? " (" : "", *close = share.text[0] != '\0' ? ")" : "";
    return vbt_text("%s%s%s%s%s%s", before, vbt_delta_text(unit, vbt_delta_difference(change)).text, after, open, share.text,
                    close);
}

/* Appends a part; takes ownership of both texts. */
static char *append(char *text, char *part) {
    char *longer = part[0] == '\0' ? vbt_copy(text, strlen(text)) : vbt_text("%s%s%s", text, text[0] != '\0' ? ", " : "", part);
    free(text);
    free(part);
    return longer;
}

/* The totals that changed; "" if none did. */
static char *changed_totals(const struct vbt_findings *f) {
    const struct vbt_comparison *c = f->comparison;
    static const struct {
        int kind;
        const char *before, *after;
    } parts[] = {{VBT_C_ALLOCS, "", " allocations"}, {VBT_C_BYTES, "", " allocated"}, {VBT_C_LEFT, "", " left at the end"}};
    char *text = vbt_copy("", 0);
    for (size_t i = 0; i < VBT_COUNT(parts); i++) {
        int kind = parts[i].kind;
        const struct vbt_delta change = vbt_delta_of(&c->totals, 0, (size_t)kind, c->old.run_count);
        text = append(text, part_of_verdict(&change, vbt_counted_unit(kind), f->totals.counts[0] >> kind & 1, parts[i].before,
                                            parts[i].after));
    }
    const struct vbt_delta peak = vbt_delta_of(&c->whole, 0, VBT_W_PEAK, c->old.run_count);
    return append(text, part_of_verdict(&peak, VBT_DELTA_BYTES, f->whole.counts[0] >> VBT_W_PEAK & 1, "peak ", ""));
}

static bool same_totals(const struct vbt_findings *f) {
    for (size_t kind = 0; kind < VBT_C_KINDS; kind++) {
        const struct vbt_delta delta = vbt_delta_of(&f->comparison->totals, 0, kind, f->comparison->old.run_count);
        if (vbt_delta_difference(&delta) != 0)
            return false;
    }
    return true;
}

char *vbt_diff_verdict(const struct vbt_findings *f) {
    const struct vbt_ranking *lines = &f->lines.changes;
    char *varies = lines->noise > 0
                       ? vbt_text("; %s from run to run",
                                  lines->noise == 1 ? "1 line varies" : vbt_counted((int64_t)lines->noise, "lines vary").text)
                       : vbt_copy("", 0);
    char *totals = changed_totals(f), *verdict;
    if (lines->noise > 1) {
        free(varies);
        varies = vbt_text("; %s lines vary from run to run", vbt_count((int64_t)lines->noise).text);
    }
    const char *changed = lines->count == 1 ? "1 line changed" : "";
    char *many =
        lines->count > 1 ? vbt_text("%s lines changed", vbt_count((int64_t)lines->count).text) : vbt_copy(changed, strlen(changed));
    if (!vbt_findings_any(f))
        verdict = vbt_text("No change: all counts of %s are the same%s.", vbt_counted((int64_t)lines->same, "line").text, varies);
    else if (totals[0] == '\0')
        verdict = vbt_text("The totals %s%s%s%s.", same_totals(f) ? "are the same" : "differ no more than chance lets them",
                           many[0] != '\0' ? ", but " : "", many, varies);
    else
        verdict = vbt_text("%s%s%s%s.", totals, many[0] != '\0' ? "; " : "", many, varies);
    free(many);
    free(totals);
    free(varies);
    return verdict;
}

static const struct vbt_column total_columns[] = {
    {.title = ""},
    {.title = "Old", .align = VBT_RIGHT, .gap = 2},
    {.title = "New", .align = VBT_RIGHT, .gap = 2},
    {.title = "Change", .align = VBT_RIGHT, .gap = 2},
    {.title = "", .align = VBT_RIGHT, .gap = 2},
    {.title = "", .gap = 2, .drop = 1},
};

/* Says how far a number is known: "varies", "p = 0.02". */
static char *certainty(const struct vbt_judgement *j, size_t kind, size_t kinds) {
    bool noisy = (j->noisy[0] >> kind & 1) != 0;
    float p = j->p != NULL ? j->p[kind] : 0;
    (void)kinds;
    if (!noisy)
        return vbt_copy("", 0);
    return p > 0 ? vbt_text("varies, p = %.2g", (double)p) : vbt_text("varies");
}

static void put_total(struct vbt_text_table *table, const char *name, enum vbt_delta_unit unit, const struct vbt_delta *change,
                      char *note) {
    bool differs = vbt_delta_difference(change) != 0;
    vbt_text_table_cell(table, "%s", name);
    vbt_text_table_cell(table, "%s", vbt_mean_text(unit, vbt_delta_old(change)).text);
    vbt_text_table_cell(table, "%s", vbt_mean_text(unit, vbt_delta_new(change)).text);
    vbt_text_table_cell(table, "%s", differs ? vbt_delta_text(unit, vbt_delta_difference(change)).text : "0");
    vbt_text_table_cell(table, "%s", differs ? vbt_delta_share(change).text : "");
    vbt_text_table_cell(table, "%s", note);
    free(note);
}

static void print_totals(struct vbt_diff_report *r) {
    static const char *const names[VBT_C_KINDS] = {
        [VBT_C_ALLOCS] = "Allocations",   [VBT_C_BYTES] = "Bytes allocated", [VBT_C_PEAK] = NULL,
        [VBT_C_LEFT] = "Left at the end", [VBT_C_BLOCKS] = "  in blocks",    [VBT_C_TEMPORARY] = "  temporary"};
    static const int order[] = {VBT_C_ALLOCS, VBT_C_TEMPORARY, VBT_C_BYTES, VBT_C_LEFT, VBT_C_BLOCKS};
    static const struct {
        const char *name;
        enum vbt_whole_number number;
        enum vbt_delta_unit unit;
    } whole[] = {{"Peak heap", VBT_W_PEAK, VBT_DELTA_BYTES},
                 {"Resident set", VBT_W_RSS, VBT_DELTA_BYTES},
                 {"Time", VBT_W_TIME, VBT_DELTA_TIME},
                 {"Threads", VBT_W_THREADS, VBT_DELTA_COUNT},
                 {"Processes", VBT_W_PROCESSES, VBT_DELTA_COUNT}};
    const struct vbt_findings *f = r->findings;
    const struct vbt_comparison *c = f->comparison;
    struct vbt_text_table *table = vbt_text_table_new(total_columns, VBT_COUNT(total_columns));
    for (size_t i = 0; i < VBT_COUNT(order); i++) {
        const struct vbt_delta change = vbt_delta_of(&c->totals, 0, (size_t)order[i], c->old.run_count);
        put_total(table, names[order[i]], vbt_counted_unit(order[i]), &change,
                  certainty(&f->totals, (size_t)order[i], VBT_C_KINDS));
    }
    for (size_t i = 0; i < VBT_COUNT(whole); i++) {
        const struct vbt_delta change = vbt_delta_of(&c->whole, 0, whole[i].number, c->old.run_count);
        bool plain = whole[i].number == VBT_W_THREADS || whole[i].number == VBT_W_PROCESSES;
        if (!plain || vbt_delta_difference(&change) != 0)
            put_total(table, whole[i].name, whole[i].unit, &change, certainty(&f->whole, whole[i].number, VBT_W_NUMBERS));
    }
    vbt_diff_heading(r, "Totals", NULL);
    vbt_diff_table_print(r, table);
}

static void print_notes(struct vbt_diff_report *r) {
    const struct vbt_findings *f = r->findings;
    if (f->note_count == 0)
        return;
    vbt_diff_heading(r, "Notes", NULL);
    for (size_t i = 0; i < f->note_count; i++)
        vbt_paragraph_print(r->output, "- ", f->notes[i], false);
}

static void print_head(struct vbt_diff_report *r) {
    const struct vbt_comparison *c = r->findings->comparison;
    char *verdict = vbt_diff_verdict(r->findings);
    if (r->markdown)
        fprintf(r->output->stream, "## vbtrace diff\n\n**%s**\n\n", verdict);
    print_side(r, "old", &c->old);
    print_side(r, "new", &c->new);
    if (!r->markdown) {
        putc('\n', r->output->stream);
        fputs(r->output->bold, r->output->stream);
        vbt_paragraph_print(r->output, "", verdict, false);
        fputs(r->output->normal, r->output->stream);
    }
    r->any = true;
    free(verdict);
}

void vbt_diff_print(const struct vbt_findings *findings, const struct vbt_query *query, struct vbt_output *output) {
    static void (*const tables[])(struct vbt_diff_report *) = {[VBT_DIFF_TOTALS] = print_totals,
                                                               [VBT_DIFF_LINES] = vbt_diff_lines_print,
                                                               [VBT_DIFF_FUNCTIONS] = vbt_diff_functions_print,
                                                               [VBT_DIFF_TREE] = vbt_diff_tree_print,
                                                               [VBT_DIFF_SECTIONS] = vbt_diff_sections_print,
                                                               [VBT_DIFF_MODULES] = vbt_diff_modules_print,
                                                               [VBT_DIFF_TIMELINE] = vbt_diff_course_print};
    struct vbt_diff_report report = {
        .findings = findings, .query = query, .output = output, .markdown = query->format == VBT_MARKDOWN};
    if (query->table != VBT_DIFF_ALL) {
        tables[query->table](&report);
        return;
    }
    print_head(&report);
    for (size_t i = VBT_DIFF_TOTALS; i < VBT_COUNT(tables); i++)
        tables[i](&report);
    print_notes(&report);
}
