/* Limits: what vbtrace check is asked to hold.
 *
 *     [SCOPE:] [+]QUANTITY[/iter] OP VALUE [± AMOUNT [and ± AMOUNT]]
 *
 * SCOPE is what of the program is meant: nothing for all of it; own, the user's own lines; a line,
 * orders.py:42; "function", "file" or "module" and a pattern with * and ?; "section" and its label,
 * or the label alone. QUANTITY is allocs, bytes, peak, left, blocks or temporary; of the whole
 * program also rss and time; of a section allocs, bytes, frees, freed, net, high and time. /iter
 * divides by the iterations of the section, or of the only section that there is. With "+" it is
 * the difference to the baseline. OP is <=, <, >=, > or ==. VALUE is a number with a unit where it
 * has one (KiB, MiB, GiB, ms, s, ...), of a difference also a share (5%), or a sum of such terms
 * and of multiples of n (4*n + 100), those iterations. What exceeds the value by no more than the
 * AMOUNTs, which are shares or sizes, is let pass: by the larger of both. */
#ifndef VBT_LIMIT_H
#define VBT_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

enum vbt_limit_scope {
    VBT_LIMIT_ALL,
    VBT_LIMIT_OWN,
    VBT_LIMIT_LINE,
    VBT_LIMIT_FUNCTION,
    VBT_LIMIT_FILE,
    VBT_LIMIT_MODULE,
    VBT_LIMIT_SECTION
};

enum vbt_limit_quantity {
    VBT_LIMIT_ALLOCS,
    VBT_LIMIT_BYTES,
    VBT_LIMIT_PEAK,
    VBT_LIMIT_LEFT,
    VBT_LIMIT_BLOCKS,
    VBT_LIMIT_TEMPORARY,
    VBT_LIMIT_RSS,
    VBT_LIMIT_TIME,
    VBT_LIMIT_FREES,
    VBT_LIMIT_FREED,
    VBT_LIMIT_NET,
    VBT_LIMIT_HIGH,
    VBT_LIMIT_QUANTITIES
};

enum vbt_limit_unit { VBT_LIMIT_COUNT, VBT_LIMIT_SIZE, VBT_LIMIT_NS };

enum vbt_limit_op { VBT_AT_MOST, VBT_BELOW, VBT_AT_LEAST, VBT_ABOVE, VBT_EQUAL };

struct vbt_limit {
    char *text; /* as it was given */
    enum vbt_limit_scope scope;
    char *pattern; /* of the scope: a pattern, a label, the file of a line; else NULL */
    int64_t line;
    enum vbt_limit_quantity quantity;
    bool growth, each; /* the difference to the baseline; by iteration */
    enum vbt_limit_op op;
    double value, times_n;                      /* value + times_n * n */
    bool percent;                               /* the value is a share of the baseline's */
    double tolerance_percent, tolerance_amount; /* what is let pass, the larger of both */
    const char *file;                           /* of a budget: where it stands; else NULL */
    int64_t at;
};

/* Reads a limit. Returns NULL, or what is wrong as a phrase, for the caller to free; *limit must be
 * freed in the first case only. */
char *vbt_limit_parse(struct vbt_limit *limit, const char *text);
void vbt_limit_free(struct vbt_limit *limit);

enum vbt_limit_unit vbt_limit_unit_of(enum vbt_limit_quantity quantity);

/* Is a text what a pattern with * and ? says? */
bool vbt_limit_pattern_matches(const char *pattern, const char *text);

#endif
