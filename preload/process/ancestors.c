/* See ancestors.h. */
#include "ancestors.h"

#include "preload/base/proc.h"
#include "preload/base/sys.h"
#include "preload/shared/options.h"
#include "preload/shared/say.h"

#include <fcntl.h>
#include <string.h>

/* A number after the program's name, by its position in proc(5). */
static int64_t stat_number(const char *text, int position) {
    const char *at = strrchr(text, ')'); /* the name may contain any character */
    for (int i = 2; at != NULL && i < position; i++)
        at = strchr(at + 1, ' ');
    return at != NULL && *at != '\0' ? (int64_t)vbt_number_after_blank(&at) : 0;
}

bool vbt_ancestor(int pid, int *parent, int64_t *started) {
    char path[64];
    vbt_format(path, sizeof path, "/proc/%d/stat", pid);
    const char *text = vbt_proc_text(path, NULL);
    *parent = (int)stat_number(text, 4);
    *started = stat_number(text, 22);
    return *text != '\0';
}

bool vbt_ancestor_program(int pid, char *path) {
    char link[64];
    vbt_format(link, sizeof link, "/proc/%d/exe", pid);
    long size = vbt_sys(SYS_readlinkat, AT_FDCWD, link, path, VBT_PATH_MAX - 1);
    path[vbt_sys_failed(size) ? 0 : size] = '\0';
    return !vbt_sys_failed(size);
}

/* Reads a process's environment: the value of a variable, or NULL. */
static const char *variable_of(int pid, const char *name) {
    char path[64];
    size_t size, length = strlen(name);
    vbt_format(path, sizeof path, "/proc/%d/environ", pid);
    const char *text = vbt_proc_text(path, &size);
    for (const char *entry = text; entry < text + size; entry += strlen(entry) + 1)
        if (strncmp(entry, name, length) == 0 && entry[length] == '=')
            return entry + length + 1;
    return NULL;
}

bool vbt_ancestor_is_traced(int pid) {
    const char *preloaded = variable_of(pid, "LD_PRELOAD");
    return preloaded != NULL && strstr(preloaded, "vbtrace") != NULL;
}

bool vbt_ancestor_shares_output(int pid) {
    if (!vbt_ancestor_is_traced(pid))
        return false;
    const char *output = variable_of(pid, "VBTRACE_OUTPUT");
    return strcmp(output != NULL ? output : "", vbt_options.output) == 0;
}
