/* See window_options.h. */
#include "window_options.h"

#include "analyzer/analysis/moments.h"
#include "analyzer/base/allocate.h"

static char *set_moment(const char **moment, const char *value) {
    char *wrong = vbt_moment_wrong(value);
    if (wrong == NULL && *moment != NULL)
        wrong = vbt_text("expected one moment, found also %s", *moment);
    if (wrong == NULL)
        *moment = value;
    return wrong;
}

char *vbt_set_from(const struct vbt_setting *s) { return set_moment(&s->query->from, s->value); }

char *vbt_set_to(const struct vbt_setting *s) { return set_moment(&s->query->to, s->value); }

char *vbt_set_at(const struct vbt_setting *s) {
    s->query->at = true;
    return vbt_set_to(s);
}

char *vbt_set_grown(const struct vbt_setting *s) {
    s->query->grown = true;
    return NULL;
}

char *vbt_set_before_exit(const struct vbt_setting *s) {
    s->query->before_exit = true;
    return NULL;
}
