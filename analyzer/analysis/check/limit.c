/* See limit.h. */
#include "limit.h"

#include "analyzer/base/allocate.h"
#include "format/count.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum vbt_limit_unit unit;
    bool of_rows, of_all, of_sections;
} quantities[VBT_LIMIT_QUANTITIES] = {
    [VBT_LIMIT_ALLOCS] = {"allocs", VBT_LIMIT_COUNT, true, true, true},
    [VBT_LIMIT_BYTES] = {"bytes", VBT_LIMIT_SIZE, true, true, true},
    [VBT_LIMIT_PEAK] = {"peak", VBT_LIMIT_SIZE, true, true, false},
    [VBT_LIMIT_LEFT] = {"left", VBT_LIMIT_SIZE, true, true, false},
    [VBT_LIMIT_BLOCKS] = {"blocks", VBT_LIMIT_COUNT, true, true, false},
    [VBT_LIMIT_TEMPORARY] = {"temporary", VBT_LIMIT_COUNT, true, true, false},
    [VBT_LIMIT_RSS] = {"rss", VBT_LIMIT_SIZE, false, true, false},
    [VBT_LIMIT_TIME] = {"time", VBT_LIMIT_NS, false, true, true},
    [VBT_LIMIT_FREES] = {"frees", VBT_LIMIT_COUNT, false, false, true},
    [VBT_LIMIT_FREED] = {"freed", VBT_LIMIT_SIZE, false, false, true},
    [VBT_LIMIT_NET] = {"net", VBT_LIMIT_SIZE, false, false, true},
    [VBT_LIMIT_HIGH] = {"high", VBT_LIMIT_SIZE, false, false, true},
};

enum vbt_limit_unit vbt_limit_unit_of(enum vbt_limit_quantity quantity) { return quantities[quantity].unit; }

bool vbt_limit_pattern_matches(const char *pattern, const char *text) { return fnmatch(pattern, text, 0) == 0; }

void vbt_limit_free(struct vbt_limit *limit) {
    free(limit->text);
    free(limit->pattern);
}

static const char *skip(const char *at) { return at + strspn(at, " \t"); }

/* Does a word begin here? Moves behind it. */
static bool take(const char **at, const char *word) {
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0)
        return false;
    *at = skip(*at + length);
    return true;
}

/* The last colon before a blank: a label may have one, too, and a function's name an operator.
 * NULL: none. */
static const char *scope_end(const char *text) {
    const char *found = NULL;
    for (const char *at = text; (at = strchr(at, ':')) != NULL; at++)
        if (at[1] == ' ' || at[1] == '\t')
            found = at;
    return found;
}

static bool is_line(const char *scope, size_t length, size_t *colon) {
    size_t digits = 0;
    while (digits < length && scope[length - digits - 1] >= '0' && scope[length - digits - 1] <= '9')
        digits++;
    *colon = length - digits - 1;
    return digits > 0 && digits < 18 && digits + 1 < length && scope[*colon] == ':';
}

/* "function load_*", "orders.py:42", "parse" */
static void set_scope(struct vbt_limit *limit, const char *scope, size_t length) {
    static const struct {
        const char *word;
        enum vbt_limit_scope scope;
    } words[] = {{"function ", VBT_LIMIT_FUNCTION},
                 {"file ", VBT_LIMIT_FILE},
                 {"module ", VBT_LIMIT_MODULE},
                 {"section ", VBT_LIMIT_SECTION}};
    size_t colon;
    limit->scope = VBT_LIMIT_SECTION;
    if (length == 3 && strncmp(scope, "own", 3) == 0) {
        limit->scope = VBT_LIMIT_OWN;
        return;
    }
    for (size_t i = 0; i < VBT_COUNT(words); i++)
        if (strncmp(scope, words[i].word, strlen(words[i].word)) == 0) {
            limit->scope = words[i].scope;
            limit->pattern = vbt_copy(scope + strlen(words[i].word), length - strlen(words[i].word));
            return;
        }
    if (is_line(scope, length, &colon)) {
        limit->scope = VBT_LIMIT_LINE;
        limit->line = strtoll(scope + colon + 1, NULL, 10);
        limit->pattern = vbt_copy(scope, colon);
        return;
    }
    limit->pattern = vbt_copy(scope, length);
}

static char *expected(const char *what, const char *at) {
    return at[0] != '\0' ? vbt_text("expected %s, found \"%s\"", what, at) : vbt_text("expected %s at the end", what);
}

static char *take_quantity(struct vbt_limit *limit, const char **at) {
    size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyz");
    for (int i = 0; i < VBT_LIMIT_QUANTITIES; i++) {
        bool allowed = limit->scope == VBT_LIMIT_ALL       ? quantities[i].of_all
                       : limit->scope == VBT_LIMIT_SECTION ? quantities[i].of_sections
                                                           : quantities[i].of_rows;
        if (strlen(quantities[i].name) != length || strncmp(quantities[i].name, *at, length) != 0)
            continue;
        if (!allowed)
            return vbt_text("%s is not known of a %s", quantities[i].name,
                            limit->scope == VBT_LIMIT_ALL       ? "whole program"
                            : limit->scope == VBT_LIMIT_SECTION ? "section"
                                                                : "part of the program");
        limit->quantity = (enum vbt_limit_quantity)i;
        *at = skip(*at + length);
        return NULL;
    }
    return expected("a quantity (allocs, bytes, peak, left, blocks, temporary, ...)", *at);
}

/* A number with its unit. percent: whether a share is taken, and is one. */
static char *take_number(const char **at, enum vbt_limit_unit unit, double *number, bool *percent) {
    static const struct {
        const char *name;
        enum vbt_limit_unit unit;
        double size;
    } units[] = {{"KiB", VBT_LIMIT_SIZE, 0x1p10}, {"MiB", VBT_LIMIT_SIZE, 0x1p20}, {"GiB", VBT_LIMIT_SIZE, 0x1p30},
                 {"B", VBT_LIMIT_SIZE, 1},        {"ns", VBT_LIMIT_NS, 1},         {"us", VBT_LIMIT_NS, 1e3},
                 {"ms", VBT_LIMIT_NS, 1e6},       {"s", VBT_LIMIT_NS, 1e9}};
    char *end;
    bool share = *percent;
    *percent = false;
    if ((*at)[strspn(*at, "-")] < '0' || (*at)[strspn(*at, "-")] > '9')
        return expected("a number", *at);
    *number = strtod(*at, &end);
    if (!isfinite(*number))
        return expected("a number", *at);
    *at = skip(end);
    if (**at == '%') {
        *percent = true;
        *at = skip(*at + 1);
        return share ? NULL : vbt_text("a share (%%) is of the baseline: it needs a difference, such as +bytes <= 5%%");
    }
    for (size_t i = 0; i < VBT_COUNT(units); i++)
        if (strncmp(*at, units[i].name, strlen(units[i].name)) == 0) {
            if (units[i].unit != unit)
                return expected(unit == VBT_LIMIT_COUNT ? "a count" : unit == VBT_LIMIT_SIZE ? "a size" : "a time", *at);
            *number *= units[i].size;
            *at = skip(*at + strlen(units[i].name));
            return NULL;
        }
    return NULL;
}

/* A term of a value: 40MiB, 5%, 4*n, n. */
static char *take_term(struct vbt_limit *limit, const char **at) {
    double number = 1;
    bool percent = limit->growth;
    if (!take(at, "n")) {
        char *wrong = take_number(at, vbt_limit_unit_of(limit->quantity), &number, &percent);
        if (wrong != NULL)
            return wrong;
        limit->percent = limit->percent || percent;
        if (!take(at, "*")) {
            limit->value += number;
            return NULL;
        }
        if (percent || !take(at, "n"))
            return expected("n after *", *at);
    }
    limit->times_n += number;
    return NULL;
}

static char *take_tolerance(struct vbt_limit *limit, const char **at) {
    double number;
    bool percent = true;
    if (!take(at, "±") && !take(at, "+-"))
        return expected("±", *at);
    char *wrong = take_number(at, vbt_limit_unit_of(limit->quantity), &number, &percent);
    if (wrong == NULL && number < 0)
        wrong = vbt_text("expected a tolerance that is not negative");
    if (wrong == NULL)
        *(percent ? &limit->tolerance_percent : &limit->tolerance_amount) = number;
    return wrong;
}

static char *take_value(struct vbt_limit *limit, const char **at) {
    char *wrong = take_term(limit, at);
    while (wrong == NULL && **at == '+' && (*at)[1] != '-') {
        take(at, "+");
        wrong = take_term(limit, at);
    }
    if (wrong == NULL && **at != '\0')
        wrong = take_tolerance(limit, at);
    if (wrong == NULL && take(at, "and "))
        wrong = take_tolerance(limit, at);
    if (wrong == NULL && limit->percent && limit->times_n != 0)
        wrong = vbt_text("expected a share or a multiple of n, found both");
    return wrong != NULL || **at == '\0' ? wrong : expected("the end", *at);
}

static char *take_operator(struct vbt_limit *limit, const char **at) {
    static const struct {
        const char *text;
        enum vbt_limit_op op;
    } operators[] = {{"<=", VBT_AT_MOST}, {"<", VBT_BELOW}, {">=", VBT_AT_LEAST}, {">", VBT_ABOVE}, {"==", VBT_EQUAL}};
    for (size_t i = 0; i < VBT_COUNT(operators); i++)
        if (take(at, operators[i].text)) {
            limit->op = operators[i].op;
            return NULL;
        }
    return expected("<=, <, >=, > or ==", *at);
}

char *vbt_limit_parse(struct vbt_limit *limit, const char *text) {
    const char *at = skip(text), *colon = scope_end(at);
    *limit = (struct vbt_limit){.text = vbt_copy(at, strlen(at))};
    if (colon != NULL) {
        size_t length = (size_t)(colon - at);
        while (length > 0 && at[length - 1] == ' ')
            length--;
        set_scope(limit, at, length);
        at = skip(colon + 1);
    }
    limit->growth = take(&at, "+");
    char *wrong = limit->pattern != NULL && limit->pattern[0] == '\0' ? vbt_text("expected a name before the colon") : NULL;
    wrong = wrong != NULL ? wrong : take_quantity(limit, &at);
    if (wrong == NULL)
        limit->each = take(&at, "/iter");
    wrong = wrong != NULL ? wrong : take_operator(limit, &at);
    wrong = wrong != NULL ? wrong : take_value(limit, &at);
    if (wrong != NULL)
        vbt_limit_free(limit);
    return wrong;
}
