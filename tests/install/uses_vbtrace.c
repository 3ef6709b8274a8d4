/* A user's program, in plain C11, that marks a section. */
#include <vbtrace.h>

#include <stdio.h>
#include <stdlib.h>

int main(void) {
    vbtrace_begin("three pages", 3);
    for (int i = 0; i < 3; i++) {
        char *page = malloc(4096);
        if (page == NULL)
            return 1;
        page[0] = (char)i;
        free(page);
    }
    vbtrace_end("three pages");
    puts("sections marked");
    return 0;
}
