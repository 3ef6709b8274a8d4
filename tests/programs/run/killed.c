/* Allocates until it is killed: killed TRACE NOTES. It writes to NOTES how far it came, and how
 * much of it the trace must hold: what was done before a tick had been written completely is in the
 * trace two ticks later, as the second of these ticks began after the first was written. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STEP = 100, FILE_HEADER = 16, STATE = 7 }; /* see format/FORMAT.md */

struct chunk_head {
    uint8_t magic[4], kind, unused[3];
    uint32_t stored, raw;
    uint64_t sequence, checksum;
};

struct notes {
    int64_t made;    /* hundreds of allocations */
    int64_t certain; /* of those, in the trace */
    int64_t ticks;   /* ticks seen to be written */
};

static void *volatile kept;
static int file = -1;
static struct stat opened;
static off_t at;

/* How many ticks have been written completely since the last call; those merged when the file was
 * replaced are not seen. */
static int64_t new_ticks(const char *path) {
    struct stat now;
    int64_t found = 0;
    if (stat(path, &now) != 0)
        return 0;
    if (file < 0 || now.st_ino != opened.st_ino) {
        if (file >= 0)
            close(file);
        file = open(path, O_RDONLY | O_CLOEXEC);
        at = FILE_HEADER;
    }
    struct chunk_head chunk;
    if (file < 0 || fstat(file, &opened) != 0)
        return 0;
    while (pread(file, &chunk, sizeof chunk, at) == (ssize_t)sizeof chunk &&
           at + (off_t)sizeof chunk + chunk.stored <= opened.st_size) {
        at += (off_t)sizeof chunk + chunk.stored;
        found += chunk.kind == STATE;
    }
    return found;
}

int main(int count, char **arguments) {
    int fd = count == 3 ? open(arguments[2], O_RDWR | O_CREAT, 0666) : -1;
    if (fd < 0 || ftruncate(fd, sizeof(struct notes)) != 0)
        return 1;
    struct notes volatile *notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (notes == MAP_FAILED)
        return 1;
    int64_t at_tick = 0, at_tick_before = 0; /* its progress when it last saw that tick as the latest */
    for (;;) {
        for (int i = 0; i < STEP; i++)
            kept = malloc(16); // counted
        int64_t made = notes->made = notes->made + 1;
        int64_t ticks = new_ticks(arguments[1]);
        if (ticks > 0) {
            notes->certain = ticks > 1 ? at_tick : at_tick_before;
            at_tick_before = at_tick;
            notes->ticks += ticks;
        }
        at_tick = made;
        nanosleep(&(struct timespec){0, 20 * 1000}, NULL);
    }
}
