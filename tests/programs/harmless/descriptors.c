/* What vbtrace must not touch: descriptors and files. descriptors lowest|list|close-all
 * DIRECTORY */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 40, ROUNDS = 30 };

static void tick(void) { nanosleep(&(struct timespec){0, 12 * 1000 * 1000}, NULL); }

static void work(void) {
    for (int i = 0; i < 1000; i++)
        free(malloc((size_t)i));
    tick();
}

/* Prints the lowest free descriptor, many times. */
static int lowest(void) {
    for (int i = 0; i < ROUNDS; i++) {
        work();
        int fd = open("/dev/null", O_RDONLY);
        printf("%d\n", fd);
        close(fd);
    }
    return 0;
}

/* Prints all descriptors whenever they change. */
static int list(void) {
    char before[4096] = "";
    for (int i = 0; i < ROUNDS; i++) {
        char now[4096] = "";
        DIR *directory = opendir("/proc/self/fd");
        struct dirent *entry;
        while ((entry = readdir(directory)) != NULL)
            if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(directory))
                strcat(strcat(now, " "), entry->d_name);
        closedir(directory);
        if (strcmp(now, before) != 0)
            printf("open:%s\n", strcpy(before, now));
        work();
    }
    return 0;
}

/* Closes everything, then takes all the lowest numbers itself. */
static int close_all(const char *folder) {
    work();
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
    closefrom(0);
    int opened[FILES];
    for (int i = 0; i < FILES; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/file%d", folder, i);
        opened[i] = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
        if (opened[i] != i)
            _exit(10);
    }
    for (int round = 0; round < ROUNDS; round++) {
        work();
        for (int i = 0; i < FILES; i++)
            dprintf(opened[i], "file %d round %d\n", i, round);
    }
    for (int i = 0; i < FILES; i++)
        if (fsync(opened[i]) != 0)
            _exit(11);
    return 0;
}

int main(int count, char **arguments) {
    if (count < 2)
        return 2;
    if (strcmp(arguments[1], "lowest") == 0)
        return lowest();
    return strcmp(arguments[1], "list") == 0 ? list() : close_all(arguments[2]);
}
