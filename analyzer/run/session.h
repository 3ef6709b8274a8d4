/* Where the traces of a run go, and which traces there are at its end.
 *
 * A program may become many processes. Unless another place is given, all their traces go to one
 * new folder; if there is only one trace, it takes the folder's place. */
#ifndef VBT_SESSION_H
#define VBT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_session {
    char *output;    /* for VBTRACE_OUTPUT */
    char *folder;    /* NULL: the traces go where the output says */
    bool own_folder; /* created for this session, under a name that vbtrace chose */
    bool by_script;  /* traces in the own folder are called after the script or module that their process ran */
    bool temporary;  /* as is what is in it: vbt_session_free removes it */
    int64_t started; /* CLOCK_REALTIME, ns */
    char **traces;   /* found at the end, sorted by the time their processes started */
    size_t count, capacity;
};

/* Prepares the place. output: what was asked for, or NULL; program: what runs, or NULL if its
 * traces are not wanted afterwards; by_script: it is a script or module. Returns NULL, or what is
 * wrong as a sentence, for the caller to free. */
char *vbt_session_begin(struct vbt_session *session, const char *output, const char *program, bool by_script);

struct vbt_run_troubles;

/* After the program has ended: waits briefly for processes of the session that are about to end,
 * and collects the traces. Returns how many processes are still running. The session's own folder
 * is removed if it is empty or holds one trace, which then moves out of it. */
size_t vbt_session_end(struct vbt_session *session, struct vbt_run_troubles *reports);

void vbt_session_free(struct vbt_session *session);

#endif
