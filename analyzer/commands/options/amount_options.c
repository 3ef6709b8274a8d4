/* See amount_options.h. */
#include "amount_options.h"

#include "analyzer/base/allocate.h"
#include "format/count.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A phrase as setters return it. */
static char *expected(const char *phrase) { return vbt_text("expected %s", phrase); }

/* "0.5%", "64KiB", "1000". */
char *vbt_set_min(const struct vbt_setting *s) {
    static const struct {
        const char *name;
        double size;
    } units[] = {{"", 1}, {"B", 1}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"K", 0x1p10}, {"M", 0x1p20}, {"G", 0x1p30}};
    char *end;
    double number = strtod(s->value, &end);
    bool good = s->value[0] >= '0' && s->value[0] <= '9' && s->value[1] != 'x' && number < 0x1p62;
    s->query->min_share = 0;
    s->query->min_value = 0;
    if (good && strcmp(end, "%") == 0 && number <= 100) {
        s->query->min_share = number / 100;
        return NULL;
    }
    for (size_t i = 0; good && i < VBT_COUNT(units); i++)
        if (strcmp(end, units[i].name) == 0) {
            double size = number * units[i].size;
            s->query->min_value = size < 0x1p62 ? (uint64_t)ceil(size) : UINT64_C(1) << 62;
            return NULL;
        }
    return expected("a share such as 0.5%, or a size such as 64KiB");
}

char *vbt_min_of(const struct vbt_command *command) { return vbt_text("%s", command->min); }

/* A decimal number without sign; false if the text is anything else. */
static bool get_number(const char *text, uint64_t *number) {
    char *end;
    errno = 0;
    if (text[0] < '0' || text[0] > '9')
        return false;
    *number = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* The same, with 0 for no limit. */
static bool get_limit(const char *text, uint64_t *limit) {
    if (!get_number(text, limit))
        return false;
    if (*limit == 0)
        *limit = UINT64_MAX;
    return true;
}

char *vbt_set_limit(const struct vbt_setting *s) {
    s->query->limited = true;
    return get_limit(s->value, &s->query->limit) ? NULL : expected("a number of rows, 0 for all");
}

char *vbt_limit_of(const struct vbt_command *command) { return vbt_text("%u", command->text_limit); }

char *vbt_set_depth(const struct vbt_setting *s) {
    return get_limit(s->value, &s->query->depth) ? NULL : expected("a number of frames, 0 for all");
}

char *vbt_depth_of(const struct vbt_command *command) {
    (void)command;
    return vbt_text("%d", VBT_DEFAULT_DEPTH);
}

char *vbt_set_per(const struct vbt_setting *s) {
    bool good = get_number(s->value, &s->query->per) && s->query->per > 0;
    return good ? NULL : expected("a number of iterations, 1 or more");
}

char *vbt_set_process(const struct vbt_setting *s) {
    uint64_t pid;
    bool good = get_number(s->value, &pid) && pid > 0 && pid <= INT32_MAX;
    s->query->process = good ? (int64_t)pid : 0;
    return good ? NULL : expected("a process id");
}
