/* An inline function of two libraries, as from a header of theirs: compiled with LIBRARY as such a
 * library, without as the program that calls both: the first 1,000 times, the second 10 times. */
#include <stdlib.h>

#ifdef LIBRARY

static inline __attribute__((always_inline)) void *take(size_t size) {
    return malloc(size); //@ take
}

void *volatile kept;

void work(int times);
void work(int times) {
    for (int i = 0; i < times; i++) {
        kept = take(48);
        free(kept);
    }
}

#else

#include <dlfcn.h>
#include <string.h>

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        void *library = dlopen(argv[i], RTLD_NOW);
        if (library == NULL)
            abort();
        void (*work)(int), *symbol = dlsym(library, "work");
        memcpy(&work, &symbol, sizeof work);
        work(i == 1 ? 1000 : 10);
    }
}

#endif
