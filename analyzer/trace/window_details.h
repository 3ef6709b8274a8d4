/* What a part of a run says besides call paths: of threads, intervals, counted lines, mapped
 * memory. A trace says for each state which of these were written for it; older ones have only the
 * newest values. */
#ifndef VBT_WINDOW_DETAILS_H
#define VBT_WINDOW_DETAILS_H

#include "model.h"

struct vbt_window_details;

struct vbt_window_details *vbt_window_details_new(void);
void vbt_window_details_free(struct vbt_window_details *details);

/* A part of a run begins with the newest state: keeps what is known then. */
void vbt_window_details_begin(struct vbt_window_details *details, struct vbt_model *model);

/* It ends there; what is read of threads from now on is who they are. Does nothing the second
 * time. */
void vbt_window_details_end(struct vbt_window_details *details, const struct vbt_model *model);

/* The part ends where the run begins: nothing has happened. */
void vbt_window_details_rewind(struct vbt_window_details *details, struct vbt_model *model);

/* After the last chunk, while the model's state is that of the part's end: takes off what was
 * before its beginning, and leaves out what is not known. */
void vbt_window_details_finish(struct vbt_window_details *details, struct vbt_model *model);

#endif
