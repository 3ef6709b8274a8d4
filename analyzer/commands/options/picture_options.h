/* The options of the flame graph alone, --diff, --root, --imports, and of the page, --against,
 * --no-source. */
#ifndef VBT_PICTURE_OPTIONS_H
#define VBT_PICTURE_OPTIONS_H

#include "option_table.h"

char *vbt_set_diff(const struct vbt_setting *setting);
char *vbt_set_root(const struct vbt_setting *setting);
char *vbt_set_imports(const struct vbt_setting *setting);
char *vbt_set_against(const struct vbt_setting *setting);
char *vbt_set_no_source(const struct vbt_setting *setting);

#endif
