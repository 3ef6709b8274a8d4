/* Sentences that fit the terminal. */
#ifndef VBT_PARAGRAPH_H
#define VBT_PARAGRAPH_H

#include "analyzer/base/output.h"

/* Prints `mark` and a text after it, made printable and broken at blanks where the output's width
 * is limited or `always`; further lines are indented as far as the mark reaches. */
void vbt_paragraph_print(struct vbt_output *output, const char *mark, const char *text, bool always);

#endif
