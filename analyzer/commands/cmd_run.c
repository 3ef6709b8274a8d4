/* vbtrace run: starts a program with the library preloaded, then makes its traces ready to be
 * read. */
#include "commands.h"
#include "analyzer/analysis/symbolize/symbolize_file.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "analyzer/run/child.h"
#include "analyzer/run/own_files.h"
#include "analyzer/run/run_options.h"
#include "analyzer/run/run_summary.h"
#include "analyzer/run/run_troubles.h"
#include "analyzer/run/session.h"
#include "analyzer/run/target.h"

#include <stdlib.h>
#include <unistd.h>

/* Looks up the names of all traces. A trace that could not be written for lack of space has no room
 * for names either. */
static void symbolize(const struct vbt_session *session, const struct vbt_run_troubles *troubles) {
    struct vbt_binaries *binaries = vbt_binaries_new();
    for (size_t i = 0; i < session->count; i++) {
        if (vbt_run_troubles_name(troubles, session->traces[i]))
            continue;
        struct vbt_symbolized_file done;
        struct vbt_progress progress;
        char *what = vbt_text("vbtrace: looking up names, trace %zu of %zu", i + 1, session->count);
        vbt_progress_begin(&progress, session->count == 1 ? "vbtrace: looking up names" : what);
        vbt_symbolize_file(session->traces[i], session->traces[i], false, binaries, &progress, &done);
        free(what);
    }
    vbt_binaries_free(binaries);
}

/* After the program has ended: prints what went wrong, even with --quiet, looks up symbols, and
 * prints the summary or what a statement took. False after a message. */
static bool finish(struct vbt_session *session, struct vbt_run_troubles *troubles, const struct vbt_run_options *options, pid_t pid,
                   int status) {
    unsetenv("LD_PRELOAD"); /* for processes that vbtrace itself starts */
    size_t running = vbt_session_end(session, troubles);
    vbt_run_troubles_print(troubles);
    if (options->symbolize && !session->temporary)
        symbolize(session, troubles);
    if (options->memit.statement != NULL)
        return status != 0 || vbt_memit_print(&options->memit, session, pid);
    if (!options->quiet && (session->count > 0 || troubles->count == 0))
        vbt_run_summary_print(session, running, options->python.name != NULL ? options->python.name : options->program[0], status);
    return true;
}

/* False after a message if it could not be run. *status is set as waitpid sets it. */
static bool run_program(const struct vbt_run_options *options, int *status) {
    struct vbt_target target;
    const char *name = options->python.name != NULL ? options->python.name : options->program[0];
    char *problem = vbt_target_find(&target, (const char *const *)options->program);
    char *library = problem == NULL ? vbt_library_find() : NULL;
    struct vbt_session session = {0};
    if (library != NULL)
        problem = vbt_session_begin(&session, options->output, options->memit.statement == NULL ? name : NULL,
                                    options->python.name != NULL);
    if (problem != NULL)
        vbt_fail("run: %s", problem);
    bool good = library != NULL && problem == NULL;
    if (good) {
        setenv("VBTRACE_OUTPUT", session.output, 1);
        setenv("VBTRACE_QUIET", "1", 1);
        vbt_library_preload(library);
        vbt_module_announce();
        struct vbt_run_troubles troubles;
        vbt_run_troubles_begin(&troubles);
        pid_t pid;
        int error = vbt_child_run(target.path, options->program, &pid, status);
        if (error == 0) {
            good = finish(&session, &troubles, options, pid, *status);
        } else {
            good = false;
            vbt_fail("run: %s: cannot be started: %s", target.path, strerror(error));
            if (session.own_folder && !session.temporary)
                rmdir(session.folder);
        }
        vbt_run_troubles_free(&troubles);
    }
    free(problem);
    free(library);
    vbt_session_free(&session);
    vbt_target_free(&target);
    return good;
}

int vbt_cmd_run(int count, char **arguments) {
    struct vbt_run_options options;
    int result = vbt_run_options_parse(&options, count, arguments), status = 0;
    bool good = false;
    if (result < 0) {
        char *problem = options.memit.statement != NULL ? vbt_memit_begin(&options.memit) : NULL;
        if (options.memit.statement != NULL)
            options.program = (char **)options.memit.program;
        if (problem != NULL)
            vbt_fail("run: %s", problem);
        good = problem == NULL && run_program(&options, &status);
        free(problem);
    }
    vbt_run_options_free(&options);
    if (good)
        vbt_child_end_alike(status);
    return result >= 0 ? result : 2;
}
