/* See expression.h. */
#include "expression.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_COPIES = 10000, MOST_BYTES = 4096, MOST_NESTED = 256 };

/* Usual expressions take some 10 ns a byte, on slow machines 100. One that takes so much may go on
 * for so long in all. */
enum { SLOW_NS_A_BYTE = 1000, MOST_SLOW_NS = 2000000000 };

/* How often "{n,m}" at `at` repeats what is before it; at least 1. *end: after it. */
static unsigned long repetitions(const char *at, const char **end) {
    unsigned long least = strtoul(at + 1, (char **)end, 10), most = least;
    if (**end == ',')
        most = strtoul(*end + 1, (char **)end, 10);
    *end += **end == '}';
    return most > least ? most : least > 0 ? least : 1;
}

/* After the bracket expression that begins at `at`; at the end of the text if there is no end of
 * it. */
static const char *after_bracket(const char *at) {
    at += at[1] == '^' ? 2 : 1;
    if (*at == ']')
        at++;
    while (*at != '\0' && *at != ']') {
        char class = at[0] == '[' && (at[1] == ':' || at[1] == '.' || at[1] == '=') ? at[1] : '\0';
        at++;
        while (class != '\0' && *at != '\0' && !(at[0] == class && at[1] == ']'))
            at++;
        at += class != '\0' && *at != '\0' ? 2 : 0;
    }
    return *at == ']' ? at + 1 : at;
}

/* How many characters the expression has when its repetitions are written out, up to a number over
 * MOST_COPIES; the same number where groups are nested too deeply. */
static unsigned long copies(const char *text) {
    unsigned long sums[MOST_NESTED + 1] = {0}, atom = 0; /* of each open group; of the latest atom in it */
    size_t depth = 0;
    for (const char *at = text; *at != '\0';) {
        if (*at == '(') {
            if (depth == MOST_NESTED)
                return MOST_COPIES + 1;
            sums[++depth] = 0;
            atom = 0;
            at++;
        } else if (*at == ')' && depth > 0) {
            atom = sums[depth] > 0 ? sums[depth] : 1;
            depth--;
            sums[depth] += atom;
            at++;
        } else if (*at == '{' && at[1] >= '0' && at[1] <= '9') {
            unsigned long times = repetitions(at, &at);
            if (times > MOST_COPIES || atom > MOST_COPIES)
                return MOST_COPIES + 1;
            sums[depth] += atom * (times - 1);
            atom *= times;
        } else {
            at = *at == '[' ? after_bracket(at) : at + (at[0] == '\\' && at[1] != '\0' ? 2 : 1);
            atom = 1;
            sums[depth]++;
        }
        if (sums[depth] > MOST_COPIES)
            return MOST_COPIES + 1;
    }
    return sums[depth];
}

static bool refers_back(const char *text) {
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '[') {
            at = after_bracket(at) - 1;
        } else if (*at == '\\' && at[1] != '\0') {
            if (at[1] >= '1' && at[1] <= '9')
                return true;
            at++;
        }
    }
    return false;
}

char *vbt_expression_compile(struct vbt_expression *out, const char *text) {
    if (strlen(text) > MOST_BYTES)
        return vbt_text("expected a regular expression of at most %d bytes", MOST_BYTES);
    if (refers_back(text))
        return vbt_text("expected a regular expression without references to earlier matches (\\1)");
    if (copies(text) > MOST_COPIES)
        return vbt_text("expected a regular expression whose repetitions are at most %d characters when written out", MOST_COPIES);
    *out = (struct vbt_expression){.text = text};
    int error = regcomp(&out->regex, text, REG_EXTENDED | REG_NOSUB);
    if (error == 0)
        return NULL;
    char reason[128];
    regerror(error, &out->regex, reason, sizeof reason);
    return vbt_text("not a regular expression: %s", reason);
}

void vbt_expression_free(struct vbt_expression *expression) { regfree(&expression->regex); }

static uint64_t processor_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool vbt_expression_matches(struct vbt_expression *e, const char *text) {
    uint64_t begin = processor_time();
    bool found = regexec(&e->regex, text, 0, NULL, 0) == 0;
    e->time += processor_time() - begin;
    e->bytes += strlen(text);
    if (e->time > MOST_SLOW_NS && e->time / SLOW_NS_A_BYTE > e->bytes)
        exit(vbt_fail("the regular expression %s takes too long; expected one with fewer repetitions", e->text));
    return found;
}
