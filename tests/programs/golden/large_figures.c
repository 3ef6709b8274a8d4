/* Large figures: thousands of millions of bytes, millions of requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *volatile last;

static void churn(size_t count, size_t size) {
    for (size_t i = 0; i < count; i++) {
        last = malloc(size);
        free(last);
    }
}

static char *hold(size_t size) {
    char *block = malloc(size);
    block[0] = 1;
    return block;
}

int main(void) {
    churn(12000000, 48);
    churn(400000, 100000);
    char *held[40];
    for (int i = 0; i < 40; i++)
        held[i] = hold((size_t)1 << 26);
    for (int i = 1; i < 40; i++)
        free(held[i]);
    puts("done");
}
