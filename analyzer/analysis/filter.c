/* See filter.h. Conditions are bits: what a place matches is computed once, and a path matches what
 * its parent and its own site match. */
#include "filter.h"

#include "expression.h"
#include "analyzer/base/allocate.h"
#include "analyzer/merge/process_list.h"
#include "analyzer/symbols/module_name.h"

#include <stdlib.h>
#include <string.h>

enum filter_field { ANY, FUNCTION, IN_FILE, MODULE, DOMAIN_OF, PROCESS, PROGRAM, RANK, HOST, FIELDS };

static const char *const field_names[FIELDS] = {"", "function", "file", "module", "domain", "process", "program", "rank", "host"};
static const char *const domain_names[VBT_DOMAINS] = {"heap", "python", "map"};

struct condition {
    enum filter_field field;
    bool negated;
    const char *whole;                /* as it was given */
    const char *text;                 /* of ANY */
    struct vbt_expression expression; /* of the others */
};

struct vbt_filter {
    struct condition *conditions;
    size_t count;
    uint32_t found;  /* the conditions, as bits, that any stack has matched */
    bool rows;       /* ANY applies to rows, not to stacks */
    bool everything; /* mapped memory counts, too */
};

_Static_assert(VBT_MAX_FILTERS <= 32, "a condition is a bit");

/* Splits a filter into its field and expression: ANY if it names no field, FIELDS if it names one
 * that does not exist. */
static enum filter_field split(const char *text, bool *negated, const char **expression) {
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    *negated = text[length] == '!';
    *expression = text + length + (*negated ? 2 : 1);
    if (length == 0 || text[length + *negated] != '=')
        return ANY;
    for (int i = ANY + 1; i < FIELDS; i++)
        if (strlen(field_names[i]) == length && strncmp(text, field_names[i], length) == 0)
            return (enum filter_field)i;
    return FIELDS;
}

static bool is_of_process(enum filter_field field) { return field >= PROCESS && field < FIELDS; }

char *vbt_filter_wrong(const char *text) {
    bool negated;
    const char *expression;
    enum filter_field field = split(text, &negated, &expression);
    if (field == ANY)
        return NULL;
    if (field == FIELDS)
        return vbt_text("expected function=, file=, module=, domain=, process=, program=, rank= or host= before a regular "
                        "expression, or a text without =");
    struct vbt_expression compiled;
    char *wrong = vbt_expression_compile(&compiled, expression);
    if (wrong == NULL)
        vbt_expression_free(&compiled);
    return wrong;
}

struct vbt_filter *vbt_filter_new(const struct vbt_query *query) {
    struct vbt_filter *f = vbt_new(1, sizeof *f);
    f->conditions = vbt_new(query->filter_count, sizeof *f->conditions);
    f->rows = query->filters_rows;
    f->everything = query->everything;
    for (size_t i = 0; i < query->filter_count; i++) {
        struct condition *c = &f->conditions[f->count++];
        c->field = split(query->filters[i], &c->negated, &c->text);
        c->whole = query->filters[i];
        char *wrong = NULL;
        if (c->field == ANY)
            *c = (struct condition){.whole = query->filters[i], .text = query->filters[i]};
        else if (c->field == FIELDS || (wrong = vbt_expression_compile(&c->expression, c->text)) != NULL)
            f->count--; /* vbt_filter_wrong has reported it */
        free(wrong);
    }
    return f;
}

void vbt_filter_free(struct vbt_filter *f) {
    for (size_t i = 0; i < f->count; i++)
        if (f->conditions[i].field != ANY)
            vbt_expression_free(&f->conditions[i].expression);
    free(f->conditions);
    free(f);
}

static bool contains(const char *text, const char *part) { return text != NULL && strstr(text, part) != NULL; }

static bool matches(struct condition *c, const char *text) { return vbt_expression_matches(&c->expression, text); }

static bool place_matches(struct condition *c, const struct vbt_source_place *place) {
    if (c->field == FUNCTION)
        return matches(c, place->function);
    if (c->field == IN_FILE)
        return matches(c, place->file);
    if (c->field == DOMAIN_OF || is_of_process(c->field))
        return false;
    bool found = c->field == ANY
                     ? contains(place->function, c->text) || contains(place->file, c->text) || contains(place->module, c->text)
                     : place->module != NULL && matches(c, place->module);
    if (!found) {
        char *name = vbt_module_name(place);
        found = c->field == ANY ? contains(name, c->text) : matches(c, name);
        free(name);
    }
    return found;
}

static uint32_t bits_of_place(const struct vbt_filter *f, const struct vbt_source_place *place) {
    uint32_t bits = 0;
    for (size_t i = 0; i < f->count; i++)
        if (place_matches(&f->conditions[i], place))
            bits |= UINT32_C(1) << i;
    return bits;
}

/* Do the conditions hold for a stack, given what all its places match, and its domain (NULL:
 * unknown)? */
static bool holds(const struct vbt_filter *f, uint32_t bits, const char *domain) {
    bool domain_asked = false;
    for (size_t i = 0; i < f->count; i++) {
        struct condition *c = &f->conditions[i];
        bool found = (bits >> i & 1) != 0;
        if ((c->field == ANY && f->rows) || is_of_process(c->field))
            continue;
        if (c->field == DOMAIN_OF && domain != NULL) {
            domain_asked = domain_asked || !c->negated;
            found = matches(c, domain);
        }
        if (found == c->negated)
            return false;
    }
    return domain_asked || f->everything || domain != domain_names[VBT_DOMAIN_MAP];
}

/* The conditions on domains that a domain matches, as bits. */
static uint32_t bits_of_domain(const struct vbt_filter *f, const char *domain) {
    uint32_t bits = 0;
    for (size_t i = 0; i < f->count; i++)
        if (f->conditions[i].field == DOMAIN_OF && matches(&f->conditions[i], domain))
            bits |= UINT32_C(1) << i;
    return bits;
}

const char *vbt_filter_idle(const struct vbt_filter *f, size_t number) {
    for (size_t i = 0; i < f->count; i++)
        if (f->conditions[i].negated && (f->found >> i & 1) == 0 && number-- == 0)
            return f->conditions[i].whole;
    return NULL;
}

/* What a condition is compared with; for the caller to free. */
static char *text_of_process(enum filter_field field, const struct vbt_model *process) {
    if (field == PROCESS)
        return vbt_process_label(process);
    if (field == PROGRAM)
        return vbt_process_program(process);
    const char *value = vbt_model_process(process, field_names[field]);
    return vbt_text("%s", value != NULL ? value : "");
}

bool vbt_filter_process(struct vbt_filter *f, const struct vbt_model *process) {
    bool passes = true;
    for (size_t i = 0; i < f->count; i++) {
        struct condition *c = &f->conditions[i];
        if (!is_of_process(c->field))
            continue;
        char *text = text_of_process(c->field, process);
        bool found = matches(c, text);
        free(text);
        f->found |= found ? UINT32_C(1) << i : 0;
        passes = passes && found != c->negated;
    }
    return passes;
}

bool *vbt_filter_nodes(struct vbt_filter *f, const struct vbt_model *m, struct vbt_places *places) {
    bool *counts = vbt_new(m->node_count + 1, sizeof *counts);
    uint32_t *bits = vbt_new(m->node_count + 1, sizeof *bits); /* by node: what the frames on its path match */
    uint32_t *of_site = vbt_new(m->site_count + 1, sizeof *of_site);
    bool *known = vbt_new(m->site_count + 1, sizeof *known);
    uint32_t of_domain[VBT_DOMAINS];
    for (int i = 0; i < VBT_DOMAINS; i++)
        of_domain[i] = bits_of_domain(f, domain_names[i]);
    for (size_t i = 1; i <= m->node_count; i++) {
        const struct vbt_model_node *node = &m->nodes[i];
        if (f->count > 0 && !known[node->site]) {
            known[node->site] = true;
            size_t frames;
            const struct vbt_source_frame *frame = vbt_frames_of_site(places, node->site, &frames);
            for (; frames > 0; frames--, frame++)
                of_site[node->site] |= bits_of_place(f, frame->place);
        }
        bits[i] = bits[node->parent] | of_site[node->site];
        counts[i] = node->counters != 0 && holds(f, bits[i], domain_names[node->domain]);
        if (node->counters != 0)
            f->found |= bits[i] | of_domain[node->domain];
    }
    free(bits);
    free(of_site);
    free(known);
    return counts;
}

bool vbt_filter_row(const struct vbt_filter *f, const struct vbt_source_place *place, const struct vbt_source_place *other,
                    const char *text) {
    for (size_t i = 0; i < f->count; i++) {
        const struct condition *c = &f->conditions[i];
        if (f->rows && c->field == ANY && !contains(place->file, c->text) && !contains(place->function, c->text) &&
            (other == NULL || (!contains(other->file, c->text) && !contains(other->function, c->text))) && !contains(text, c->text))
            return false;
    }
    return true;
}

static bool has(const struct vbt_filter *f, enum filter_field field) {
    for (size_t i = 0; i < f->count; i++)
        if (f->conditions[i].field == field)
            return true;
    return false;
}

bool vbt_filter_selects_stacks(const struct vbt_filter *f) {
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++)
        count += (f->conditions[i].field != ANY || !f->rows) && !is_of_process(f->conditions[i].field);
    return count > 0;
}

bool vbt_filter_selects_domains(const struct vbt_filter *f) { return has(f, DOMAIN_OF); }

bool vbt_filter_places(struct vbt_filter *f, const struct vbt_source_place *const *places, size_t count) {
    uint32_t bits = 0;
    for (size_t i = 0; i < count; i++)
        bits |= bits_of_place(f, places[i]);
    f->found |= bits;
    return holds(f, bits, NULL);
}
