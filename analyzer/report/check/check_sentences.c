/* The sentences that all formats of vbtrace check share. */
#include "check_report.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/compare/delta_text.h"
#include "analyzer/report/compare/diff_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct vbt_unit number(const struct vbt_limit *limit, double value) {
    static const enum vbt_delta_unit units[] = {
        [VBT_LIMIT_COUNT] = VBT_DELTA_COUNT, [VBT_LIMIT_SIZE] = VBT_DELTA_BYTES, [VBT_LIMIT_NS] = VBT_DELTA_TIME};
    struct vbt_unit text;
    if (limit->each && limit->quantity != VBT_LIMIT_TIME)
        snprintf(text.text, sizeof text.text, "%.40s%s", vbt_rate(value).text,
                 vbt_limit_unit_of(limit->quantity) == VBT_LIMIT_SIZE ? " B" : "");
    else
        text = vbt_mean_text(units[vbt_limit_unit_of(limit->quantity)], value);
    return text;
}

char *vbt_check_sentence(const struct vbt_gate_result *r) {
    const struct vbt_limit *limit = r->limit;
    if (r->absent && limit->scope == VBT_LIMIT_SECTION)
        return vbt_text("%s: there is no such section", limit->text);
    if (r->absent && r->no_baseline)
        return vbt_text("%s: there is no baseline", limit->text);
    if (r->absent)
        return vbt_text("%s: n is not known: it is the iterations of a section, or of the only one", limit->text);
    char *allowed = r->holds || fabs(r->allowed - limit->value) < 1e-9
                        ? vbt_copy("", 0)
                        : vbt_text("; allowed is %s", number(limit, r->allowed).text);
    char *none = r->matched == 0 ? vbt_text("; nothing matches") : vbt_copy("", 0);
    char *text = limit->growth
                     ? vbt_text("%s: is %s%s (%s → %s)%s%s%s", limit->text, r->is > 0 ? "+" : "", number(limit, r->is).text,
                                number(limit, r->old).text, number(limit, r->now).text, r->noisy ? ", varies" : "", allowed, none)
                     : vbt_text("%s: is %s%s%s%s", limit->text, number(limit, r->is).text, r->noisy ? " at worst, varies" : "",
                                allowed, none);
    free(allowed);
    free(none);
    return text;
}

char *vbt_check_unlike(const struct vbt_unlike *u) {
    if (strcmp(u->fact, VBT_NO_BASELINE) == 0)
        return vbt_text("no baseline: %s is not there; vbtrace check --approve --against %s TRACE writes it", u->baseline,
                        u->baseline);
    return vbt_text("another %s: %s in the baseline, %s now%s", strcmp(u->fact, "libraries") == 0 ? "library" : u->fact,
                    u->baseline, u->now, u->allowed ? " (allowed)" : "");
}

char *vbt_check_verdict(const struct vbt_gate *gate) {
    size_t good = gate->count - gate->failed;
    if (gate->planted)
        return gate->failed == gate->count
                   ? vbt_text("Self-test: all of %s would notice a regression", vbt_counted((int64_t)gate->count, "limit").text)
                   : vbt_text("Self-test FAILED: %zu of %s would not notice a regression", good,
                              vbt_counted((int64_t)gate->count, "limit").text);
    bool missing = gate->unlikes.count > 0 && strcmp(gate->unlikes.rows[0].fact, VBT_NO_BASELINE) == 0;
    char *unlike = missing ? vbt_text("%sthere is no baseline", gate->failed > 0 ? "; " : "")
                   : gate->refused > 0
                       ? vbt_text("%s%s of the environment differ%s from the baseline's", gate->failed > 0 ? "; " : "",
                                  vbt_counted((int64_t)gate->refused, "fact").text, gate->refused == 1 ? "s" : "")
                       : vbt_copy("", 0);
    char *text = vbt_gate_holds(gate)
                     ? vbt_text("ok: %s", gate->count == 1 ? "the limit holds" : vbt_counted((int64_t)gate->count, "limit").text)
                 : gate->failed > 0
                     ? vbt_text("FAILED: %zu of %s %s not hold%s", gate->failed, vbt_counted((int64_t)gate->count, "limit").text,
                                gate->failed == 1 ? "does" : "do", unlike)
                     : vbt_text("FAILED: %s", unlike);
    free(unlike);
    if (!vbt_gate_holds(gate) || gate->count == 1)
        return text;
    char *whole = vbt_text("%s hold", text);
    free(text);
    return whole;
}

bool vbt_check_place(const struct vbt_gate *gate, const struct vbt_gate_result *r, char **file, int64_t *line) {
    const struct vbt_comparison *c = gate->comparison;
    char folder[4096];
    const char *path = r->limit->file;
    *line = r->limit->at;
    if (path == NULL && r->line_count > 0) {
        *line = vbt_pair_place(c, r->lines[0].pair)->line;
        path = vbt_pair_file(c, vbt_pair_function_of(c, r->lines[0].pair));
    }
    if (path == NULL || *line <= 0)
        return false;
    size_t length = getcwd(folder, sizeof folder) != NULL ? strlen(folder) : 0;
    bool below = length > 1 && strncmp(path, folder, length) == 0 && path[length] == '/';
    path += below ? length + 1 : 0;
    *file = vbt_utf8_valid(path, strlen(path));
    return true;
}

/* The frame that a path is shown from: the outermost of the user's own. */
static size_t first_own(const struct vbt_comparison *c, const struct vbt_gate_result *r) {
    for (size_t i = 0; i < r->path_length; i++)
        if (vbt_pair_function(c, vbt_pair_function_of(c, r->path[i]))->user && vbt_pair_place(c, r->path[i])->line > 0)
            return i;
    return 0;
}

char *vbt_check_path(const struct vbt_gate *gate, const struct vbt_gate_result *r) {
    enum { SHOWN = 6 };
    char *text = NULL;
    size_t first = first_own(gate->comparison, r);
    bool cut = r->path_length - first > SHOWN;
    first = cut ? r->path_length - SHOWN : first;
    for (size_t i = first; i < r->path_length; i++) {
        char *name = vbt_pair_name(gate->comparison, r->path[i]);
        char *longer = text == NULL ? vbt_text("%s%s", cut ? "… › " : "", name) : vbt_text("%s › %s", text, name);
        free(name);
        free(text);
        text = longer;
    }
    return text;
}
