/* How the programs in this folder are run and measured.
 *
 *     PROGRAM count N...     each variant once for each N, as a vbtrace section "VARIANT N"
 *     PROGRAM time MS N...   each variant for at least MS milliseconds; prints
 *                            "VARIANT N NANOSECONDS" for one run
 *
 * A variant is a function of N that leaves nothing allocated. The head of its program says what it
 * is expected to allocate:
 *
 *     expect VARIANT: allocs EXPRESSION; bytes EXPRESSION
 *
 * EXPRESSION is Python, of n; "each LEAST..MOST" follows where every iteration is a section of its
 * own. The numbers are exact. */
#ifndef MEASURE_H
#define MEASURE_H

#include "vbtrace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct variant {
    const char *name;
    void (*run)(size_t n);
};

static char each_iteration[64]; /* the label for a variant whose every iteration is a section */

/* Keeps the compiler from removing results that are never used. */
static inline void used(const void *memory) { __asm__ volatile("" : : "r"(memory) : "memory"); }

static long long measure_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void measure_count(const struct variant *variant, size_t n) {
    char label[64];
    snprintf(label, sizeof label, "%s %zu", variant->name, n);
    snprintf(each_iteration, sizeof each_iteration, "%s warm-up", variant->name);
    variant->run(n);
    snprintf(each_iteration, sizeof each_iteration, "%s each %zu", variant->name, n);
    vbtrace_begin(label, n);
    variant->run(n);
    vbtrace_end(label);
}

static long long measure_runs(const struct variant *variant, size_t n, long long runs) {
    long long start = measure_now();
    for (long long i = 0; i < runs; i++)
        variant->run(n);
    return measure_now() - start;
}

static void measure_time(const struct variant *variant, size_t n, long long target_ns) {
    long long runs = 1, elapsed = measure_runs(variant, n, 1);
    while (elapsed < target_ns) {
        runs = elapsed > 0 && target_ns / elapsed < 100 ? runs * target_ns / elapsed + 1 : 100 * runs;
        elapsed = measure_runs(variant, n, runs);
    }
    printf("%s %zu %.3f\n", variant->name, n, (double)elapsed / (double)runs);
}

/* A number of at least 1; ends the program if there is none. */
static size_t measure_number(const char *text) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || number == 0 || *text == '-') {
        fprintf(stderr, "'%s' is not a number of at least 1\n", text);
        exit(2);
    }
    return (size_t)number;
}

/* The body of main(); variants is an array whose last element has no name. */
static int measure(int argc, char **argv, const struct variant *variants) {
    int timed = argc > 1 && strcmp(argv[1], "time") == 0, first = timed ? 3 : 2;
    if (argc <= first || (!timed && strcmp(argv[1], "count") != 0)) {
        fputs("expected: count N..., or time MILLISECONDS N...\n", stderr);
        return 2;
    }
    vbtrace_begin("warm-up", 0);
    vbtrace_end("warm-up");
    for (const struct variant *variant = variants; variant->name != NULL; variant++)
        for (int i = first; i < argc; i++)
            if (timed)
                measure_time(variant, measure_number(argv[i]), (long long)measure_number(argv[2]) * 1000000);
            else
                measure_count(variant, measure_number(argv[i]));
    return 0;
}

#endif
