// Sections within sections: what each allocates itself, on one line.
#include "vbtrace.h"

#include <stdlib.h>

static void *kept[2000];
static int count;

__attribute__((noinline)) static void keep(int blocks) {
    for (int i = 0; i < blocks; i++)
        kept[count++] = malloc(100); // kept
}

int main(void) {
    keep(5);
    for (int i = 0; i < 3; i++) {
        vbtrace_begin("outer", 0);
        keep(10);
        vbtrace_begin("inner", 0);
        keep(100);
        vbtrace_end("inner");
        vbtrace_end("outer");
    }
    vbtrace_begin("later", 0);
    keep(1000);
    vbtrace_end("later");
    return 0;
}
