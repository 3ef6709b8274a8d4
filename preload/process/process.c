/* See process.h. */
#include "process.h"

#include "preload/base/clock.h"
#include "preload/base/proc.h"
#include "preload/base/start.h"
#include "preload/base/sys.h"
#include "preload/shared/base_name.h"
#include "preload/shared/options.h"
#include "preload/shared/say.h"

#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>

int64_t vbt_started;
int vbt_pid, vbt_parent_pid;

static char exe[VBT_PATH_MAX], cwd[VBT_PATH_MAX];
static char options[2 * VBT_PATH_MAX];
static struct utsname system_names;

/* Copied now, since the program may change its environment while the helper reads it. */
static void keep_options(void) {
    char *at = options;
    for (char **entry = vbt_environment(); *entry != NULL; entry++) {
        size_t size = strlen(*entry) + 1;
        if (strncmp(*entry, "VBTRACE_", 8) == 0 && size < (size_t)(options + sizeof options - at)) {
            memcpy(at, *entry, size);
            at += size;
        }
    }
}

void vbt_process_init(void) {
    vbt_pid = (int)vbt_sys(SYS_getpid);
    vbt_parent_pid = (int)vbt_sys(SYS_getppid);
    vbt_started = vbt_clock_read(CLOCK_REALTIME);
    if (exe[0] != '\0')
        return;
    long size = vbt_sys(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", exe, sizeof exe - 1);
    if (vbt_sys_failed(size))
        strcpy(exe, "unknown");
    if (vbt_sys_failed(vbt_sys(SYS_getcwd, cwd, sizeof cwd)))
        strcpy(cwd, "/");
    vbt_sys(SYS_uname, &system_names);
    keep_options();
}

const char *vbt_program_path(void) { return exe; }

const char *vbt_program_name(void) { return vbt_base_name(exe); }

const char *vbt_program_directory(void) { return cwd; }

const char *vbt_host_name(void) { return system_names.nodename; }

const char *vbt_process_options(void) { return options; }

int64_t vbt_process_waited(void) { return vbt_proc_second("/proc/self/schedstat"); }
