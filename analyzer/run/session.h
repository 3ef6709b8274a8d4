/* Where the traces of a run go, and which there are at its end.
 *
 * A program may become many processes. Unless told another place, all their traces go to one folder; if there is one trace only, it
 * takes the folder's place. */
#ifndef VBT_SESSION_H
#define VBT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_session {
    char *output;    /* for VBTRACE_OUTPUT */
    char *folder;    /* NULL: the traces go where the output says */
    bool own_folder; /* made for this session, under a name that was ours to choose */
    int64_t started; /* CLOCK_REALTIME, ns */
    char **traces;   /* found at the end, sorted by the time their processes started */
    size_t count, capacity;
};

/* Prepares the place. output: what was asked for, or NULL; program: what runs. NULL, or what is wrong, as a sentence; the caller frees
 * it. */
char *vbt_session_begin(struct vbt_session *session, const char *output, const char *program);

/* After the program has ended: waits a moment for processes of the session that are just ending, and collects the traces. Returns how
 * many processes go on. A folder of its own is removed if it holds one trace, which moves out of it, or none. */
size_t vbt_session_end(struct vbt_session *session);

void vbt_session_free(struct vbt_session *session);

#endif
