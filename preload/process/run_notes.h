/* Notes on the run, for the person who reads the report: sentences that the trace contains. */
#ifndef VBT_RUN_NOTES_H
#define VBT_RUN_NOTES_H

/* Adds a sentence, which must live as long as the process. Does nothing if it is there already, or
 * if there is no room. */
void vbt_note(const char *sentence);

/* The sentences in the order in which they were added, from index 0 on; NULL after the last. */
const char *vbt_note_at(unsigned index);

#endif
