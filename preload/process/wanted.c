/* See wanted.h. */
#include "wanted.h"

#include "ancestors.h"
#include "process.h"
#include "preload/base/sys.h"
#include "preload/shared/base_name.h"
#include "preload/shared/options.h"
#include "preload/shared/patterns.h"

#include <stddef.h>
#include <string.h>

/* Is a name one of the words in a list? */
static bool is_among(const char *name, const char *list) {
    size_t length = strlen(name);
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static const char shells[] = "sh dash bash rbash zsh ksh ksh93 mksh yash fish busybox";

static const char starters[] =
    "env nice nohup ionice chrt taskset setarch setsid stdbuf time timeout xargs chroot setpriv unshare nsenter flock choom "
    "prlimit numactl";

static const char tools[] =
    "[ arch arp awk basename cat chmod cmp comm cp cut date df diff dirname du echo expr false file free gawk getconf getent "
    "getopt grep head hostname id ifconfig ip ldconfig ldconfig.real ln locale ls lscpu mawk mkdir mktemp mv netstat nproc od "
    "paste printf ps pwd readlink realpath rm rmdir sed seq sleep sort stat stty tail tee test touch tput tr true tty uname uniq "
    "wc which which.debianutils whoami";

static bool is_python(const char *name) { return strncmp(name, "python", 6) == 0 || strncmp(name, "pypy", 4) == 0; }

/* Was this process started by a traced shell or Python, perhaps through env or the like? */
static bool serves_script(void) {
    enum { ANCESTORS = 64 };
    char path[VBT_PATH_MAX];
    int64_t started;
    int pid = (int)vbt_sys(SYS_getppid);
    for (int i = 0; i < ANCESTORS && pid > 0 && vbt_ancestor_program(pid, path) && vbt_ancestor_is_traced(pid); i++) {
        const char *name = vbt_base_name(path);
        if (is_among(name, shells) || is_python(name))
            return true;
        if (!is_among(name, starters) || !vbt_ancestor(pid, &pid, &started))
            return false;
    }
    return false;
}

/* Whether a program is wanted as far as its path says; -1: it does not. */
static int decide(const char *program) {
    const char *name = vbt_base_name(program);
    int decision = vbt_patterns_decide(vbt_options.exe, program);
    if (decision >= 0 || vbt_options.follow_all)
        return decision != 0;
    return is_among(name, shells) || is_among(name, starters) ? 0 : -1;
}

bool vbt_process_is_wanted(bool has_python) {
    int decision = decide(vbt_program_path());
    if (decision >= 0)
        return decision != 0;
    return has_python || !is_among(vbt_program_name(), tools) || !serves_script();
}

bool vbt_process_has_wanted_ancestor(void) {
    enum { ANCESTORS = 64 };
    char path[VBT_PATH_MAX];
    int64_t started;
    int pid = vbt_pid;
    for (int i = 0; i < ANCESTORS && vbt_ancestor(pid, &pid, &started) && pid > 0 && vbt_ancestor_shares_output(pid); i++)
        if (vbt_ancestor_program(pid, path) && decide(path) != 0)
            return true;
    return false;
}
