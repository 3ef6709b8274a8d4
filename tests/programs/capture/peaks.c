/* Live bytes in a sawtooth whose highest tooth is neither the first nor the last. The lines' marks
 * are explained in heap_calls.c; the test checks the sizes in buckets. */
#include <stdlib.h>

enum { TEETH = 50, BLOCK = 1000 };

static void *kept[TEETH];

int main(void) {
    for (int tooth = 0; tooth < TEETH; tooth++) {
        int height = tooth <= 30 ? tooth : TEETH - tooth;
        for (int i = 0; i < height; i++)
            kept[i] = malloc(BLOCK); //= allocs TEETH; frees TEETH; bytes 1000 * TEETH
        if (tooth == 10) {
            void *volatile spike = malloc(12345); //= allocs 1; frees 1; temporary 1
            free(spike);
        }
        for (int i = 0; i < height; i++)
            free(kept[i]);
    }
    void *volatile last = NULL;
    for (size_t size = 0; size < 2000; size++) {
        last = malloc(size); //= allocs 2000; frees 2000; bytes 1999 * 1000; temporary 2000
        free(last);
    }
    return 0;
}
