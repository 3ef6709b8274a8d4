/* The options that choose a part of the run: --from, --to, --at; and what
 * of it counts: --grown, --before-exit. */
#ifndef VBT_WINDOW_OPTIONS_H
#define VBT_WINDOW_OPTIONS_H

#include "option_table.h"

#define VBT_MOMENT_HELP "1.5s, 250ms, 90%, -2s (before the end), a time of day in UTC (14:03:20), or a section (parse, parse#3)"

char *vbt_set_from(const struct vbt_setting *setting);
char *vbt_set_to(const struct vbt_setting *setting);
char *vbt_set_at(const struct vbt_setting *setting);
char *vbt_set_before_exit(const struct vbt_setting *setting);
char *vbt_set_grown(const struct vbt_setting *setting);

#endif
