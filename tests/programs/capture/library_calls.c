/* Allocations that the C library makes on the program's behalf, each kind in its own section. */
#define _GNU_SOURCE
#include "vbtrace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1000 };

static char *kept[N];

static void free_all(void) {
    for (int i = 0; i < N; i++)
        free(kept[i]);
}

int main(void) {
    vbtrace_begin("empty", 1);
    vbtrace_end("empty");

    vbtrace_begin("strdup", N); /* 1 each, of 6 bytes */
    for (int i = 0; i < N; i++)
        kept[i] = strdup("hello");
    vbtrace_end("strdup");

    vbtrace_begin("free", N);
    free_all();
    vbtrace_end("free");

    vbtrace_begin("strndup", N); /* 1 each, of 3 bytes */
    for (int i = 0; i < N; i++)
        kept[i] = strndup("hello", 2);
    vbtrace_end("strndup");
    free_all();

    int written = 0;
    for (int i = 0; i < N; i++) {
        vbtrace_begin("asprintf", 1); /* what stays is the text: 11 bytes */
        written += asprintf(&kept[i], "number %03d", i);
        vbtrace_end("asprintf");
    }
    free_all();

    char *line = NULL;
    size_t size = 0;
    FILE *lines = fmemopen("one\ntwo\nthree\n", 14, "r");
    vbtrace_begin("getline", 1); /* 1 for the line, and 1 for the buffer of the file */
    while (getline(&line, &size, lines) > 0)
        continue;
    vbtrace_end("getline");
    free(line);
    fclose(lines);
    return written == 10 * N ? 0 : 1;
}
