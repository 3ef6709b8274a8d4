/* See picture_options.h. */
#include "picture_options.h"

#include "analyzer/base/allocate.h"

char *vbt_set_diff(const struct vbt_setting *s) {
    s->query->diff = s->value;
    return NULL;
}

char *vbt_set_root(const struct vbt_setting *s) {
    s->query->root_at_bottom = s->index == 1;
    return NULL;
}

char *vbt_set_imports(const struct vbt_setting *s) {
    s->query->imports = true;
    return NULL;
}

char *vbt_set_against(const struct vbt_setting *s) {
    char *wrong = s->query->against != NULL ? vbt_text("expected one trace, found also %s", s->query->against) : NULL;
    s->query->against = s->value;
    return wrong;
}

char *vbt_set_no_source(const struct vbt_setting *s) {
    s->query->no_source = true;
    return NULL;
}
