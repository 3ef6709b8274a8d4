/* Maps a file of code that is not ELF, as Lisp systems map their image, and calls a function from
 * there that allocates. If there is no such file, makes it. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, SIZE = 1001 };

/* Calls its argument. */
static const unsigned char code[] = {
#if defined __x86_64__
    0x48, 0x83, 0xec, 0x08, 0xff, 0xd7, 0x48, 0x83, 0xc4, 0x08, 0xc3,
#else
    0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91, 0x00, 0x00, 0x3f, 0xd6, 0xfd, 0x7b, 0xc1, 0xa8, 0xc0, 0x03, 0x5f, 0xd6,
#endif
};

static void allocate(void) { free(malloc(SIZE)); }

static int make(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    return fd < 0 || ftruncate(fd, PAGE) != 0 || pwrite(fd, code, sizeof code, 0) != (ssize_t)sizeof code;
}

int main(int argc, char **argv) {
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (fd < 0)
        return argc == 2 ? make(argv[1]) : 1;
    void (*call)(void (*)(void));
    *(void **)&call = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    if (*(void **)&call == MAP_FAILED)
        return 1;
    call(allocate);
    return 0;
}
