/* The options whose value is a number: --min, --limit, --depth, --per, --process; and their
 * defaults. */
#ifndef VBT_AMOUNT_OPTIONS_H
#define VBT_AMOUNT_OPTIONS_H

#include "option_table.h"

enum { VBT_DEFAULT_DEPTH = 16 };

char *vbt_set_min(const struct vbt_setting *setting);
char *vbt_set_limit(const struct vbt_setting *setting);
char *vbt_set_depth(const struct vbt_setting *setting);
char *vbt_set_per(const struct vbt_setting *setting);
char *vbt_set_process(const struct vbt_setting *setting);

char *vbt_min_of(const struct vbt_command *command);
char *vbt_limit_of(const struct vbt_command *command);
char *vbt_depth_of(const struct vbt_command *command);

#endif
