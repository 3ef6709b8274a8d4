/* See run_troubles.h. */
#include "run_troubles.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "preload/shared/base_name.h"
#include "preload/shared/run_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { MOST_SAID = 10 };

void vbt_run_troubles_begin(struct vbt_run_troubles *troubles) {
    struct stat status;
    *troubles = (struct vbt_run_troubles){.fd = memfd_create("vbtrace-run", MFD_CLOEXEC)};
    if (troubles->fd < 0 || fstat(troubles->fd, &status) != 0)
        return;
    char *value = vbt_text("/proc/%d/fd/%d %llu %llu", (int)getpid(), troubles->fd, (unsigned long long)status.st_dev,
                           (unsigned long long)status.st_ino);
    setenv(VBT_RUNNER_VARIABLE, value, 1);
    free(value);
}

static bool is_known(const struct vbt_run_troubles *troubles, const char *line) {
    for (size_t i = 0; i < troubles->count; i++)
        if (strcmp(troubles->lines[i], line) == 0)
            return true;
    return false;
}

static void take_line(struct vbt_run_troubles *troubles, const char *line) {
    struct vbt_run_process process;
    if (sscanf(line, VBT_RUNNER_RUNS "%d %" SCNd64, &process.pid, &process.started) == 2) {
        troubles->processes =
            vbt_grow(troubles->processes, &troubles->process_capacity, troubles->process_count + 1, sizeof *troubles->processes);
        troubles->processes[troubles->process_count++] = process;
    } else if (!is_known(troubles, line)) {
        troubles->lines = vbt_grow(troubles->lines, &troubles->capacity, troubles->count + 1, sizeof *troubles->lines);
        troubles->lines[troubles->count++] = vbt_text("%s", line);
    }
}

/* Each line is written at once, so the file ends with a whole one. */
void vbt_run_troubles_read(struct vbt_run_troubles *troubles) {
    struct stat status;
    if (troubles->fd < 0 || fstat(troubles->fd, &status) != 0 || status.st_size <= troubles->read)
        return;
    size_t size = (size_t)(status.st_size - troubles->read);
    char *text = vbt_new(size + 1, 1);
    ssize_t got = pread(troubles->fd, text, size, (off_t)troubles->read);
    for (const char *line = text; line < text + (got > 0 ? got : 0); line += strlen(line) + 1)
        take_line(troubles, line);
    troubles->read += got > 0 ? got : 0;
    free(text);
}

bool vbt_run_troubles_know(const struct vbt_run_troubles *troubles, int pid, int64_t started) {
    for (size_t i = 0; i < troubles->process_count; i++)
        if (troubles->processes[i].pid == pid && troubles->processes[i].started == started)
            return true;
    return false;
}

bool vbt_run_troubles_mapped(const struct vbt_run_troubles *troubles, const char *pid) {
    struct stat ours;
    char path[64], *line = NULL;
    size_t capacity = 0;
    bool found = false;
    snprintf(path, sizeof path, "/proc/%.20s/maps", pid);
    FILE *maps = troubles->fd >= 0 && fstat(troubles->fd, &ours) == 0 ? fopen(path, "re") : NULL;
    while (maps != NULL && !found && getline(&line, &capacity, maps) > 0) {
        unsigned major, minor;
        unsigned long long inode;
        found = sscanf(line, "%*s %*s %*s %x:%x %llu", &major, &minor, &inode) == 3 && inode == ours.st_ino &&
                makedev(major, minor) == ours.st_dev;
    }
    free(line);
    if (maps != NULL)
        fclose(maps);
    return found;
}

void vbt_run_troubles_print(struct vbt_run_troubles *troubles) {
    vbt_run_troubles_read(troubles);
    for (size_t i = 0; i < troubles->count && i < MOST_SAID; i++)
        vbt_fail("%s", troubles->lines[i]);
    if (troubles->count > MOST_SAID)
        vbt_fail("… and %zu more", troubles->count - MOST_SAID);
}

bool vbt_run_troubles_name(const struct vbt_run_troubles *troubles, const char *trace) {
    char *start = vbt_text("/%s: ", vbt_base_name(trace));
    bool found = false;
    for (size_t i = 0; i < troubles->count; i++)
        found |= strstr(troubles->lines[i], start) != NULL;
    free(start);
    return found;
}

void vbt_run_troubles_free(struct vbt_run_troubles *troubles) {
    for (size_t i = 0; i < troubles->count; i++)
        free(troubles->lines[i]);
    free(troubles->lines);
    free(troubles->processes);
    if (troubles->fd >= 0)
        close(troubles->fd);
}
