/* Notes on the run, for the person who reads the report: sentences that the trace carries along. */
#ifndef VBT_RUN_NOTES_H
#define VBT_RUN_NOTES_H

/* Adds a sentence, which must stay where it is. One that is there already is not added again, nor
 * is any where there is no room. */
void vbt_note(const char *sentence);

/* The sentences in the order in which they were added, from index 0 on; NULL after the last. */
const char *vbt_note_at(unsigned index);

#endif
