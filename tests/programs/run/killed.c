/* Allocates until it is killed: killed NOTES. It writes to NOTES how many allocations it has begun
 * and how many it has completed: at most one is in between. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { STEP = 1000 };

struct notes {
    _Atomic int64_t begun, made;
};

static void *volatile kept;

int main(int count, char **arguments) {
    int fd = count == 2 ? open(arguments[1], O_RDWR | O_CREAT, 0666) : -1;
    if (fd < 0 || ftruncate(fd, sizeof(struct notes)) != 0)
        return 1;
    struct notes *notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (notes == MAP_FAILED)
        return 1;
    for (;;) {
        for (int i = 0; i < STEP; i++) {
            notes->begun++;
            kept = malloc(16); // counted
            notes->made++;
        }
        nanosleep(&(struct timespec){0, 20 * 1000}, NULL);
    }
}
