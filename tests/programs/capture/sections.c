// Sections: one with iterations, one without, one with eleven lines that allocate, and one that is
// left open.
#include "vbtrace.h"

#include <stdlib.h>

static void *kept[64];
static int count;

__attribute__((noinline)) static void keep(size_t size) { kept[count++] = malloc(size); }

__attribute__((noinline)) static void drop(size_t size) { free(malloc(size)); }

int main(void) {
    vbtrace_begin("counted", 10);
    for (int i = 0; i < 10; i++)
        drop(30);
    vbtrace_end("counted");

    vbtrace_begin("plain", 0);
    for (int i = 0; i < 7; i++)
        drop(100);
    keep(1000);
    keep(2000);
    vbtrace_end("plain");

    vbtrace_begin("many lines", 0);
    free(malloc(1));
    free(malloc(2));
    free(malloc(3));
    free(malloc(4));
    free(malloc(5));
    free(malloc(6));
    free(malloc(7));
    free(malloc(8));
    free(malloc(9));
    free(malloc(10));
    free(malloc(11));
    vbtrace_end("many lines");

    vbtrace_begin("open", 0);
    keep(10);
    return 0;
}
