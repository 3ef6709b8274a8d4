/* See trace_path.h.
 *
 * Which files belong to the session is decided by their time: a file written since the first traced
 * process among the ancestors started must not be replaced. That also holds for the trace that this
 * very process left before an exec. The kernel gives start times in steps of 10 ms: what was
 * written within the step counts as older, so that a run directly after another one replaces its
 * file. */
#include "trace_path.h"

#include "format/count.h"
#include "preload/base/clock.h"
#include "preload/base/start.h"
#include "preload/base/sys.h"
#include "preload/process/ancestors.h"
#include "preload/process/process.h"
#include "preload/process/wanted.h"
#include "preload/shared/destination.h"
#include "preload/shared/options.h"
#include "preload/shared/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

enum { RANK_MAX = 32, NAMES_TRIED = 1000, ANCESTORS = 64, CLOCK_TICKS_A_SECOND = 100 };

static char rank[RANK_MAX]; /* empty: not one of many */

void vbt_trace_path_init(void) {
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
    const char *value = NULL;
    for (size_t i = 0; i < VBT_COUNT(names) && value == NULL; i++)
        value = vbt_variable(names[i]);
    vbt_format(rank, sizeof rank, "%s", value != NULL ? value : "");
}

const char *vbt_trace_rank(void) { return rank; }

/* With several hosts and ranks, the pid alone does not identify who wrote a file. */
static const char *usual_name(void) { return rank[0] != '\0' ? "vbtrace.%e.%h.%r.%p.vbt" : "vbtrace.%e.%p.vbt"; }

/* Appends a pattern with its letters replaced. */
static int put_pattern(char *out, int size, int used, const char *pattern) {
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at != '%') {
            used += vbt_format(out + used, size - used, "%.*s", 1, at);
            continue;
        }
        switch (*++at) {
        case 'p':
            used += vbt_format(out + used, size - used, "%d", vbt_pid);
            break;
        case 'e':
            used += vbt_format(out + used, size - used, "%s", vbt_program_name());
            break;
        case 'h':
            used += vbt_format(out + used, size - used, "%s", vbt_host_name());
            break;
        case 'r':
            used += vbt_format(out + used, size - used, "%s", rank[0] != '\0' ? rank : "0");
            break;
        default:
            used += vbt_format(out + used, size - used, "%%");
        }
    }
    return used;
}

/* Inserts ".number" (or ".pid.number") into a name, before its ".vbt". */
static void insert(char *path, int size, int pid, int number) {
    char suffix[40] = "", end[8] = "";
    int used = pid > 0 ? vbt_format(suffix, sizeof suffix, ".%d", pid) : 0;
    if (number > 1)
        vbt_format(suffix + used, (int)sizeof suffix - used, ".%d", number);
    size_t length = strlen(path);
    if (length > 4 && strcmp(path + length - 4, ".vbt") == 0) {
        strcpy(end, ".vbt");
        length -= 4;
    }
    vbt_format(path + length, size - (int)length, "%s%s", suffix, end);
}

static bool has_pid(void) {
    size_t length = strlen(vbt_options.output);
    return length == 0 || vbt_options.output[length - 1] == '/' || strstr(vbt_options.output, "%p") != NULL;
}

void vbt_trace_path(char *out, int size, bool forked) {
    const char *output = vbt_options.output, *directory = vbt_program_directory();
    int used = output[0] == '/' ? 0 : vbt_format(out, size, "%s/", strcmp(directory, "/") == 0 ? "" : directory);
    used = put_pattern(out, size, used, output);
    if (output[0] == '\0' || output[strlen(output) - 1] == '/') {
        if (output[0] != '\0')
            vbt_sys(SYS_mkdirat, AT_FDCWD, out, 0777); /* or it exists */
        put_pattern(out, size, used, usual_name());
    }
    if (!has_pid() && (forked || vbt_process_has_wanted_ancestor()))
        insert(out, size, vbt_pid, 1);
    vbt_destination_follow(out, size); /* if a link is not followed, it cannot be replaced, which is reported later */
}

/* In ns since 1970. The clocks are read one after the other, and on a busy machine much later: the
 * closest of some readings counts. */
static int64_t boot_time(void) {
    enum { TRIES = 20, CLOSE = 100 * 1000 };
    int64_t booted = 0, closest = INT64_MAX;
    for (int i = 0; i < TRIES && closest > CLOSE; i++) {
        int64_t before = vbt_clock_read(CLOCK_BOOTTIME);
        int64_t now = vbt_clock_read(CLOCK_REALTIME);
        int64_t apart = vbt_clock_read(CLOCK_BOOTTIME) - before;
        if (apart >= closest)
            continue;
        closest = apart;
        booted = now - before;
    }
    return booted;
}

/* When the session started, in ns since 1970: the start of the first traced ancestor, with no
 * untraced process in between. */
static int64_t session_start(void) {
    int64_t ticks = -1, started;
    int pid = vbt_pid, parent;
    for (int i = 0; i < ANCESTORS && pid > 0; i++, pid = parent) {
        if ((pid != vbt_pid && !vbt_ancestor_is_traced(pid)) || !vbt_ancestor(pid, &parent, &started))
            break;
        ticks = started;
    }
    if (ticks < 0)
        return vbt_started;
    return boot_time() + (ticks + 1) * (1000000000 / CLOCK_TICKS_A_SECOND);
}

/* 0 if there is none. */
static int64_t modified(const char *path) {
    struct stat there;
    if (vbt_sys_failed(vbt_sys(SYS_newfstatat, AT_FDCWD, path, &there, 0)))
        return 0;
    return (int64_t)there.st_mtim.tv_sec * 1000000000 + there.st_mtim.tv_nsec;
}

int vbt_trace_path_take(const char *file, char *path, int size) {
    static char wished[2 * VBT_PATH_MAX];
    int pid = has_pid() ? 0 : vbt_pid;
    int64_t since = 0;
    vbt_format(wished, sizeof wished, "%s", path);
    for (int number = pid > 0 ? 1 : 2;; number++) {
        long result = vbt_sys(SYS_renameat2, AT_FDCWD, file, AT_FDCWD, path, RENAME_NOREPLACE);
        if (result != -EEXIST && result != -EINVAL) /* not every file system supports the flag */
            return vbt_sys_failed(result) ? (int)-result : 0;
        int error = vbt_destination_check(path);
        if (error != 0)
            return error;
        if (since == 0)
            since = session_start();
        if (modified(path) < since || number == NAMES_TRIED)
            return vbt_destination_replace(file, path);
        vbt_format(path, size, "%s", wished);
        insert(path, size, pid, number);
    }
}
