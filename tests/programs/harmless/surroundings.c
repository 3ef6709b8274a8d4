/* Ways to another root and to other namespaces: surroundings WHICH FOLDER. Prints how they went;
 * traced and untraced must print the same. On standard error: how many processes share the memory,
 * and what of their surroundings is not this process's. */
#define _GNU_SOURCE
#include "tests/programs/choice.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { N = 1000 };

static void *volatile kept[N];
static int proc; /* descriptors: in the new root, there may be no /proc */
static const char *links[] = {"ns/user", "ns/mnt", "ns/net", "ns/uts", "ns/ipc", "ns/cgroup"};

static void work(void) {
    for (int i = 0; i < N; i++)
        kept[i] = malloc(10); // N before
}

static void more_work(void) {
    for (int i = 0; i < N; i++)
        kept[i] = malloc(20); // N afterwards
}

/* Long enough for a helper to look. */
static void wait_a_little(void) {
    nanosleep(&(struct timespec){0, 150 * 1000 * 1000}, NULL);
    free(malloc(1));
}

/* The process that has the helper's name; 0 if there is none. */
static int find_helper(int *count) {
    int fd = openat(proc, ".", O_RDONLY | O_DIRECTORY), found = 0;
    DIR *processes = fdopendir(fd);
    char wanted[64], path[300], line[64];
    snprintf(wanted, sizeof wanted, "vbtrace-%d\n", getpid());
    *count = 0;
    for (struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
        snprintf(path, sizeof path, "%s/comm", entry->d_name);
        int file = atoi(entry->d_name) > 0 ? openat(proc, path, O_RDONLY) : -1;
        ssize_t size = file >= 0 ? read(file, line, sizeof line - 1) : 0;
        line[size > 0 ? size : 0] = '\0';
        if (file >= 0)
            close(file);
        snprintf(path, sizeof path, "%s/maps", entry->d_name);
        file = strcmp(line, wanted) == 0 ? openat(proc, path, O_RDONLY) : -1;
        bool lives = file >= 0 && read(file, line, 1) == 1; /* else it is a zombie */
        if (file >= 0)
            close(file);
        if (lives) {
            found = atoi(entry->d_name);
            ++*count;
        }
    }
    if (processes != NULL)
        closedir(processes);
    return found;
}

static void compare(const char *when) {
    int count, helper = find_helper(&count);
    fprintf(stderr, "%d share the memory\n", count);
    for (size_t i = 0; helper != 0 && i < sizeof links / sizeof links[0]; i++) {
        char path[64], ours[64] = "", theirs[64] = "";
        snprintf(path, sizeof path, "%d/%s", getpid(), links[i]);
        if (readlinkat(proc, path, ours, 63) <= 0)
            fprintf(stderr, "%s: no %s\n", when, path);
        snprintf(path, sizeof path, "%d/%s", helper, links[i]);
        readlinkat(proc, path, theirs, 63);
        if (strcmp(ours, theirs) != 0)
            fprintf(stderr, "%s: %s is %s, not %s\n", when, links[i], theirs, ours);
    }
    struct stat ours, theirs;
    static const char *const folders[] = {"root", "cwd"};
    for (size_t i = 0; helper != 0 && i < 2; i++) {
        char path[64];
        snprintf(path, sizeof path, "%d/%s", helper, folders[i]);
        if (stat("/", &ours) != 0 || fstatat(proc, path, &theirs, 0) != 0)
            fprintf(stderr, "%s: no %s: %s\n", when, folders[i], strerrorname_np(errno));
        else if (ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino)
            fprintf(stderr, "%s: another %s\n", when, folders[i]);
    }
}

static void did(const char *what, long result) {
    printf("%s: %s\n", what, result == 0 ? "done" : strerrorname_np(errno));
    compare(what);
}

/* And may be looked at again. */
static void give_up_root(void) {
    printf("setuid: %d\n", setuid(65534));
    did("dumpable", prctl(PR_SET_DUMPABLE, 1));
}

static void begin(void) {
    work();
    wait_a_little();
}

static int end(void) {
    wait_a_little();
    compare("later");
    more_work();
    return 0;
}

static int by_chroot(void) {
    begin();
    did("chroot", chroot(given[0]));
    return end();
}

/* Before anything has been written. */
static int at_once(void) {
    work();
    did("chroot", chroot(given[0]));
    return end();
}

/* Killed in there: the helper finds out, without a /proc. */
static int killed(void) {
    begin();
    did("chroot", chroot(given[0]));
    more_work();
    fflush(NULL);
    return kill(getpid(), SIGKILL);
}

/* As daemons do. */
static int by_chroot_and_setuid(void) {
    begin();
    did("chroot", chroot(given[0]));
    did("chdir", chdir("/"));
    give_up_root();
    return end();
}

static int deeper(void) {
    begin();
    did("chroot", chroot(given[0]));
    did("mkdir", mkdir("/deeper", 0755));
    did("chroot", chroot("/deeper"));
    return end();
}

/* A mount of its own, entered by chroot and left, and then no longer in use. */
static int in_and_out(void) {
    begin();
    did("unshare", unshare(CLONE_NEWNS));
    int root = open("/", O_PATH | O_DIRECTORY);
    did("private", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    did("mount", mount("none", given[0], "tmpfs", 0, NULL));
    did("chroot", chroot(given[0]));
    wait_a_little();
    did("fchdir", fchdir(root));
    did("chroot", chroot("."));
    did("umount", umount(given[0]));
    return end();
}

static int by_pivot_root(void) {
    char old[4096];
    begin();
    did("unshare", unshare(CLONE_NEWNS));
    did("private", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    did("mount", mount("none", given[0], "tmpfs", 0, NULL));
    snprintf(old, sizeof old, "%s/old", given[0]);
    did("mkdir", mkdir(old, 0755));
    did("pivot_root", syscall(SYS_pivot_root, given[0], old));
    did("chdir", chdir("/"));
    did("umount", umount2("/old", MNT_DETACH));
    return end();
}

/* How many processes are in a namespace of mounts. */
static int in_there(const char *there) {
    int fd = openat(proc, ".", O_RDONLY | O_DIRECTORY), count = 0;
    DIR *processes = fdopendir(fd);
    for (struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
        char path[300], link[64] = "";
        snprintf(path, sizeof path, "%s/ns/mnt", entry->d_name);
        count += atoi(entry->d_name) > 0 && readlinkat(proc, path, link, 63) > 0 && strcmp(link, there) == 0;
    }
    if (processes != NULL)
        closedir(processes);
    return count;
}

/* And back: nobody stays in the namespace that the process has left. */
static int there_and_back(void) {
    char there[64] = "";
    int first = open("/proc/self/ns/mnt", O_RDONLY);
    begin();
    did("unshare", unshare(CLONE_NEWNS));
    readlink("/proc/self/ns/mnt", there, 63);
    printf("%d in there\n", in_there(there) - (find_helper(&(int){0}) != 0));
    wait_a_little();
    did("setns", setns(first, CLONE_NEWNS));
    printf("%d in there\n", in_there(there));
    return end();
}

static int each_namespace(void) {
    static const int kinds[] = {CLONE_NEWNET, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWCGROUP, CLONE_NEWUSER};
    begin();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        did("unshare", unshare(kinds[i]));
    return end();
}

/* By a user without any rights. */
static int without_rights(void) {
    begin();
    give_up_root();
    did("unshare", unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC));
    did("chroot", chroot("/usr"));
    return end();
}

/* A raw system call, without a hook. */
static long unseen(long number, long a) {
    long result;
#if defined __x86_64__
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a) : "rcx", "r11", "memory");
#else
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8) : "memory");
    result = x0;
#endif
    return result;
}

static int unseen_by_hooks(void) {
    begin();
    printf("unshare: %ld\n", unseen(SYS_unshare, CLONE_NEWNS | CLONE_NEWNET));
    wait_a_little();
    printf("chroot: %ld\n", unseen(SYS_chroot, (long)given[0]));
    wait_a_little();
    return end();
}

int main(int count, char **arguments) {
    static const struct choice choices[] = {
        {"chroot", by_chroot},
        {"at-once", at_once},
        {"chroot-setuid", by_chroot_and_setuid},
        {"killed", killed},
        {"deeper", deeper},
        {"in-and-out", in_and_out},
        {"pivot", by_pivot_root},
        {"there-and-back", there_and_back},
        {"each", each_namespace},
        {"no-rights", without_rights},
        {"unseen", unseen_by_hooks},
        {NULL, NULL},
    };
    (void)count;
    proc = open("/proc", O_PATH | O_DIRECTORY);
    return run_choice(choices, arguments);
}
