/* See wanted.h. */
#include "wanted.h"

#include "process.h"
#include "preload/base/sys.h"
#include "preload/shared/base_name.h"
#include "preload/shared/options.h"
#include "preload/shared/patterns.h"
#include "preload/shared/say.h"

#include <fcntl.h>
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
    "env nice nohup ionice chrt taskset setarch setsid stdbuf time timeout xargs unshare nsenter flock choom prlimit numactl";

static const char tools[] =
    "[ awk basename cat chmod comm cp cut date dirname echo expr false gawk getconf getopt grep head hostname id ln locale "
    "ls mawk mkdir mktemp mv nproc od paste printf ps pwd readlink realpath rm rmdir sed seq sleep sort stat stty tail tee "
    "test touch tput tr true tty uname uniq wc which which.debianutils whoami";

static bool serves_traced_shell(void) {
    char path[64], parent[VBT_PATH_MAX];
    int ppid = (int)vbt_sys(SYS_getppid);
    vbt_format(path, sizeof path, "/proc/%d/exe", ppid);
    long size = vbt_sys(SYS_readlinkat, AT_FDCWD, path, parent, sizeof parent - 1);
    if (vbt_sys_failed(size))
        return false;
    parent[size] = '\0';
    return is_among(vbt_base_name(parent), shells) && vbt_process_is_traced(ppid);
}

bool vbt_process_is_wanted(bool is_python) {
    const char *exe = vbt_program_path(), *name = vbt_base_name(exe);
    int decision = vbt_patterns_decide(vbt_options.exe, exe);
    if (decision >= 0 || vbt_options.follow_all)
        return decision != 0;
    if (is_among(name, shells) || is_among(name, starters))
        return false;
    return is_python || !is_among(name, tools) || !serves_traced_shell();
}
