// One call path with blocks from before a fork and after it: the child frees 600 of the 1000 that
// it inherited, and keeps 600 of its own.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BEFORE = 1000, AFTER = 600, SIZE = 100 };

static void *blocks[BEFORE + AFTER];

__attribute__((noinline)) static void fill(int from, int to) {
    for (int i = from; i < to; i++)
        blocks[i] = malloc(SIZE);
}

int main(void) {
    for (int round = 0; round < 2; round++) {
        fill(round == 0 ? 0 : BEFORE, round == 0 ? BEFORE : BEFORE + AFTER);
        if (round == 1)
            break;
        if (fork() != 0) {
            wait(NULL);
            _exit(0);
        }
        for (int i = 0; i < AFTER; i++)
            free(blocks[i]);
    }
    _exit(0);
}
