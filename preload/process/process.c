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
#include <sys/auxv.h>
#include <sys/utsname.h>

VBT_CHANGED_BY_FORK int64_t vbt_started;
VBT_CHANGED_BY_FORK int vbt_pid, vbt_parent_pid;

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

/* Stores the path of the file that is mapped at an address; leaves it alone if there is none. */
static void read_mapped_path(uintptr_t address, char *path, size_t room) {
    size_t length;
    const char *text = vbt_proc_text("/proc/self/maps", &length), *end;
    for (const char *line = text; line < text + length; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + length - line));
        if (end == NULL)
            return;
        const char *at = line;
        uint64_t from = vbt_hexadecimal(&at);
        at++;
        uint64_t to = vbt_hexadecimal(&at);
        const char *file = memchr(at, '/', (size_t)(end - at));
        if (address < from || address >= to || file == NULL || (size_t)(end - file) >= room)
            continue;
        memcpy(path, file, (size_t)(end - file));
        path[end - file] = '\0';
        return;
    }
}

/* Where the loader was started as a program ("ld.so PROGRAM"), the kernel names the loader. It has
 * loaded no other one then, and the loader says where the program's headers are. */
static void read_program_path(void) {
    long size = vbt_sys(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", exe, sizeof exe - 1);
    if (vbt_sys_failed(size))
        strcpy(exe, "unknown");
    if (getauxval(AT_BASE) == 0)
        read_mapped_path(getauxval(AT_PHDR), exe, sizeof exe);
}

void vbt_process_init(void) {
    vbt_pid = (int)vbt_sys(SYS_getpid);
    vbt_parent_pid = (int)vbt_sys(SYS_getppid);
    vbt_started = vbt_clock_read(CLOCK_REALTIME);
    if (exe[0] != '\0')
        return;
    read_program_path();
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
