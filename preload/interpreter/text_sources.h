/* Keeps the source of code that is in no file (lines/line_sources.h), where lines are not counted,
 * too: when such code is first seen in a hook, a pending call is scheduled, in which the
 * interpreter may be asked. */
#ifndef VBT_TEXT_SOURCES_H
#define VBT_TEXT_SOURCES_H

/* Call it once an interpreter, with the GIL, before the script runs. */
void vbt_text_sources_begin(void);

#endif
