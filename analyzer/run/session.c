/* See session.h. */
#include "session.h"

#include "output_place.h"
#include "run_troubles.h"
#include "analyzer/base/allocate.h"
#include "analyzer/merge/process_list.h"
#include "analyzer/trace/load.h"
#include "preload/shared/base_name.h"
#include "preload/shared/destination.h"
#include "preload/shared/run_names.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How long to wait for processes that end a little later than the one that was started, such as
 * workers of a pool or a resource tracker. */
enum { ENDING_TRIES = 20, FINISHING_TRIES = 1200, FIRST_PAUSE = 2 * 1000 * 1000, ENDING_PAUSE = 50 * 1000 * 1000 };

/* Creates a folder with an unused name: "vbtrace.PROGRAM.PID", or the same with a number
 * appended. */
static char *make_folder(struct vbt_session *session, const char *program) {
    for (int number = 1;; number++) {
        char suffix[16] = "";
        if (number > 1)
            snprintf(suffix, sizeof suffix, ".%d", number);
        session->folder = vbt_text("vbtrace.%s.%d%s", vbt_base_name(program), (int)getpid(), suffix);
        if (mkdir(session->folder, 0777) == 0)
            break;
        if (errno != EEXIST) {
            char *problem = vbt_text("%s: cannot make this folder for the traces: %s", session->folder, strerror(errno));
            return problem;
        }
        free(session->folder);
        session->folder = NULL;
    }
    session->own_folder = true;
    return NULL;
}

static char *make_temporary_folder(struct vbt_session *session) {
    const char *place = getenv("TMPDIR");
    session->folder = vbt_text("%s/vbtrace-XXXXXX", place != NULL && place[0] == '/' ? place : "/tmp");
    if (mkdtemp(session->folder) == NULL)
        return vbt_text("%s: cannot be made a folder for the traces: %s", session->folder, strerror(errno));
    session->own_folder = session->temporary = true;
    return NULL;
}

static bool is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

char *vbt_session_begin(struct vbt_session *session, const char *output, const char *program, bool by_script) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *session = (struct vbt_session){.started = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, .by_script = by_script};
    char *problem = NULL;
    if (output == NULL) {
        problem = program != NULL ? make_folder(session, program) : make_temporary_folder(session);
    } else if (output[0] != '\0' && (output[strlen(output) - 1] == '/' || is_folder(output))) {
        session->folder = vbt_text("%s", output);
        if (mkdir(output, 0777) != 0 && (errno != EEXIST || !is_folder(output)))
            problem = vbt_text("%s: cannot make this folder for the traces: %s", output, strerror(errno));
        else
            problem = vbt_output_place_check_folder(output);
    }
    if (problem != NULL)
        return problem;
    char *real = session->folder != NULL ? realpath(session->folder, NULL) : NULL;
    char *folder = real != NULL ? vbt_output_place_quote(real) : NULL;
    session->output = folder != NULL ? vbt_text("%s/", folder) : vbt_text("%s", output);
    free(folder);
    free(real);
    return session->folder == NULL ? vbt_output_place_check_file(&session->output) : NULL;
}

/* Does this process belong to the session? Its environment shows it. */
static bool belongs(const char *pid, const char *output) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/environ", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    static const char name[] = "VBTRACE_OUTPUT=";
    char *entry = NULL;
    size_t capacity = 0;
    bool found = false;
    while (!found && getdelim(&entry, &capacity, '\0', file) > 0)
        found = strncmp(entry, name, sizeof name - 1) == 0 && strcmp(entry + sizeof name - 1, output) == 0;
    free(entry);
    fclose(file);
    return found;
}

/* One line of a file of /proc, without its end; "" where there is none. */
static const char *read_line(const char *pid, const char *file, char *out, int size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/%s", pid, file);
    FILE *there = fopen(path, "re");
    if (there == NULL || fgets(out, size, there) == NULL)
        out[0] = '\0';
    if (there != NULL)
        fclose(there);
    out[strcspn(out, "\n")] = '\0';
    return out;
}

/* A process that has ended may still be there for its parent. */
static bool has_ended(const char *pid) {
    char text[512];
    const char *state = strrchr(read_line(pid, "stat", text, sizeof text), ')');
    return state == NULL || state[1] == '\0' || state[2] == 'Z' || state[2] == 'X';
}

/* The processes of the session that run on, and the helpers that write down the last of programs
 * that ended without notice. */
struct others {
    size_t running, finishing;
};

static void count_other(const char *pid, struct others *others) {
    char name[32];
    size_t size = strlen(VBT_HELPER_NAME);
    if (strncmp(read_line(pid, "comm", name, sizeof name), VBT_HELPER_NAME, size) != 0)
        others->running++;
    else if (has_ended(name + size))
        others->finishing++;
}

/* When a process started, in clock ticks since boot; -1: it is gone. */
static int64_t start_of(const char *pid) {
    enum { START = 22 };
    char text[512];
    const char *at = strrchr(read_line(pid, "stat", text, sizeof text), ')');
    for (int field = 2; at != NULL && field < START; field++)
        at = strchr(at + 1, ' ');
    return at != NULL ? strtoll(at, NULL, 10) : -1;
}

/* Does it belong to the session, although its environment does not show it, as in a daemon that
 * wrote a title over it? Only processes as young as this one are looked at more closely. */
static bool is_known(const char *pid, const struct vbt_run_troubles *reports, int64_t earliest) {
    int64_t start = start_of(pid);
    if (start < earliest || has_ended(pid))
        return false;
    return vbt_run_troubles_know(reports, atoi(pid), start) || vbt_run_troubles_mapped(reports, pid);
}

static struct others count_others(const struct vbt_session *session, struct vbt_run_troubles *reports) {
    int64_t earliest = start_of("self");
    vbt_run_troubles_read(reports);
    DIR *processes = opendir("/proc");
    struct others others = {0, 0};
    for (struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;)
        if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != (int)getpid() &&
            (belongs(entry->d_name, session->output) || is_known(entry->d_name, reports, earliest)))
            count_other(entry->d_name, &others);
    if (processes != NULL)
        closedir(processes);
    return others;
}

/* Returns how many run on. */
static size_t wait_for_others(const struct vbt_session *session, struct vbt_run_troubles *reports) {
    struct others others = count_others(session, reports);
    for (int i = 0; (others.running > 0 && i < ENDING_TRIES) || (others.finishing > 0 && i < FINISHING_TRIES); i++) {
        nanosleep(&(struct timespec){0, i == 0 ? FIRST_PAUSE : ENDING_PAUSE}, NULL);
        others = count_others(session, reports);
    }
    return others.running;
}

/* The output as a glob pattern: a star for each letter such as %p, and `between` before ".vbt",
 * where the library puts a number if several processes share a name. Characters that are special to
 * glob are escaped. */
static char *pattern_of(const char *output, const char *between) {
    size_t stem = strlen(output), suffix = strlen(".vbt");
    if (stem > suffix && strcmp(output + stem - suffix, ".vbt") == 0)
        stem -= suffix;
    char *pattern = vbt_new(2 * strlen(output) + strlen(between) + 1, 1), *end = pattern;
    for (const char *at = output; *at != '\0'; at++) {
        if (at == output + stem)
            end = stpcpy(end, between);
        if (at[0] == '%' && at[1] != '%') {
            *end++ = '*';
            at++;
            continue;
        }
        at += at[0] == '%';
        if (strchr("*?[\\", *at) != NULL)
            *end++ = '\\';
        *end++ = *at;
    }
    if (output[stem] == '\0')
        stpcpy(end, between);
    return pattern;
}

static int64_t modified(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 ? (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec : 0;
}

static bool is_listed(const struct vbt_session *session, const char *path) {
    for (size_t i = 0; i < session->count; i++)
        if (strcmp(session->traces[i], path) == 0)
            return true;
    return false;
}

/* Adds the files that match a pattern and were written since the session began. */
static void add_matching(struct vbt_session *session, char *pattern) {
    /* Clocks of files are coarser than CLOCK_REALTIME, and may be another machine's. */
    enum { COARSE = 20 * 1000 * 1000 };
    glob_t found;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            const char *path = found.gl_pathv[i];
            if (modified(path) < session->started - COARSE || is_listed(session, path))
                continue;
            session->traces = vbt_grow(session->traces, &session->capacity, session->count + 1, sizeof *session->traces);
            session->traces[session->count++] = vbt_text("%s", path);
        }
        globfree(&found);
    }
    free(pattern);
}

/* Gives a trace in the session's own folder the name of the script or module that its process ran.
 * The program's name stays where that is not known, or the name is taken. */
static void name_by_script(char **trace, const char *folder) {
    struct vbt_model model;
    char *problem = vbt_model_load_brief(&model, *trace);
    char *script = problem == NULL ? vbt_process_script(&model) : NULL;
    const char *exe = problem == NULL ? vbt_model_process(&model, "exe") : NULL, *rest = vbt_base_name(*trace);
    char *usual = vbt_text("vbtrace.%s.", exe != NULL ? vbt_base_name(exe) : "");
    if (script != NULL && strchr(script, '/') == NULL && strncmp(rest, usual, strlen(usual)) == 0) {
        char *path = vbt_text("%s/vbtrace.%s.%s", folder, script, rest + strlen(usual));
        if (access(path, F_OK) != 0 && rename(*trace, path) == 0) {
            char *before = *trace;
            *trace = path;
            path = before;
        }
        free(path);
    }
    free(usual);
    free(script);
    free(problem);
    vbt_model_free(&model);
}

/* Moves the only trace out of the session's own folder. */
static void move_out(struct vbt_session *session) {
    char *outside = vbt_text("%s", vbt_base_name(session->traces[0]));
    if (vbt_destination_replace(session->traces[0], outside) != 0) {
        free(outside);
        return;
    }
    free(session->traces[0]);
    session->traces[0] = outside;
}

size_t vbt_session_end(struct vbt_session *session, struct vbt_run_troubles *reports) {
    size_t running = wait_for_others(session, reports);
    if (session->folder != NULL) {
        add_matching(session, pattern_of(session->output, "*.vbt"));
    } else {
        add_matching(session, pattern_of(session->output, ""));
        add_matching(session, pattern_of(session->output, ".*"));
    }
    if (session->folder != NULL && session->own_folder && !session->temporary && running == 0) {
        for (size_t i = 0; i < session->count && session->by_script; i++)
            if (!vbt_run_troubles_name(reports, session->traces[i]))
                name_by_script(&session->traces[i], session->folder);
        if (session->count == 1)
            move_out(session);
        rmdir(session->folder); /* fails unless it is empty */
    }
    return running;
}

void vbt_session_free(struct vbt_session *session) {
    for (size_t i = 0; i < session->count && session->temporary; i++)
        unlink(session->traces[i]);
    if (session->temporary)
        rmdir(session->folder);
    for (size_t i = 0; i < session->count; i++)
        free(session->traces[i]);
    free(session->traces);
    free(session->output);
    free(session->folder);
}
