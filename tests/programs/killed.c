/* Allocates until somebody kills it: killed FILE. In the file it notes, for whoever reads it then, when it had made each hundred of its
 * allocations. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1 << 20, STEP = 100 };

static void *volatile kept;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(int count, char **arguments) {
    int fd = count == 2 ? open(arguments[1], O_RDWR | O_CREAT, 0666) : -1;
    if (fd < 0 || ftruncate(fd, MOST * sizeof(int64_t)) != 0)
        return 1;
    int64_t *when = mmap(NULL, MOST * sizeof *when, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (when == MAP_FAILED)
        return 1;
    for (int hundred = 0; hundred < MOST; hundred++) {
        for (int i = 0; i < STEP; i++)
            kept = malloc(16); // counted
        when[hundred] = now();
        nanosleep(&(struct timespec){0, 20 * 1000}, NULL);
    }
    return 0;
}
