/* What the process that the user started says at its end. */
#ifndef VBT_STREAM_SUMMARY_H
#define VBT_STREAM_SUMMARY_H

/* Prints to the terminal what was recorded, where the trace is and how to read it, unless the user
 * wants it quiet; or, in any case, what failed. */
void vbt_stream_print_summary(void);

#endif
