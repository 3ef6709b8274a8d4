/* See run_notes.h. */
#include "run_notes.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

enum { NOTES = 12 };

static const char *_Atomic notes[NOTES];

void vbt_note(const char *sentence) {
    for (unsigned i = 0; i < NOTES; i++) {
        const char *there = NULL;
        if (atomic_compare_exchange_strong(&notes[i], &there, sentence) || strcmp(there, sentence) == 0)
            return;
    }
}

const char *vbt_note_at(unsigned index) { return index < NOTES ? atomic_load(&notes[index]) : NULL; }
