// More sections with names of their own than a trace keeps.
#include "vbtrace.h"

#include <stdio.h>

int main(void) {
    char name[32];
    for (int i = 0; i < 20000; i++) {
        sprintf(name, "part %d", i);
        vbtrace_begin(name, 1);
        vbtrace_end(name);
    }
    return 0;
}
