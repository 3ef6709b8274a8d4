/* What the library takes in the process that asks. */
#ifndef VBT_TESTS_LIBRARY_MEMORY_H
#define VBT_TESTS_LIBRARY_MEMORY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* KiB of the resident set that are mapped as the library maps its own memory: without a
 * reservation, and kept out of core dumps. */
static inline long library_kib(void) {
    static char line[8192];
    long sum = 0, resident = 0;
    FILE *file = fopen("/proc/self/smaps", "r");
    if (file == NULL)
        exit(1);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "Rss:", 4) == 0)
            resident = atol(line + 4);
        else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " nr") != NULL && strstr(line, " dd") != NULL)
            sum += resident;
    }
    fclose(file);
    return sum;
}

#endif
