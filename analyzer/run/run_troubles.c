/* See run_troubles.h. */
#include "run_troubles.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "preload/shared/base_name.h"
#include "preload/shared/run_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

static void read_lines(struct vbt_run_troubles *troubles) {
    FILE *in = troubles->fd >= 0 ? fdopen(troubles->fd, "r") : NULL;
    char *line = NULL;
    size_t capacity = 0;
    if (in == NULL)
        return;
    rewind(in);
    while (getdelim(&line, &capacity, '\0', in) > 0) {
        if (is_known(troubles, line))
            continue;
        troubles->lines = vbt_grow(troubles->lines, &troubles->capacity, troubles->count + 1, sizeof *troubles->lines);
        troubles->lines[troubles->count++] = vbt_text("%s", line);
    }
    free(line);
    fclose(in);
    troubles->fd = -1;
}

void vbt_run_troubles_print(struct vbt_run_troubles *troubles) {
    read_lines(troubles);
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
    if (troubles->fd >= 0)
        close(troubles->fd);
}
