/* What a program can ask the kernel about itself, and ways to give up rights: shared_memory WHICH.
 * Prints the answers; traced and untraced must print the same. On standard error: how many
 * processes share its memory, and which of their rights it lacks. */
#define _GNU_SOURCE
#include "tests/programs/choice.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N = 1000, NOBODY = 65534 };

static void *volatile kept[N];

static void work(void) {
    for (int i = 0; i < N; i++)
        kept[i] = malloc(10); // N of them
}

/* Long enough for a helper to have begun the trace, and to look again. */
static void wait_a_little(void) {
    nanosleep(&(struct timespec){0, 150 * 1000 * 1000}, NULL);
    free(malloc(1));
}

/* A line of /proc/PID/status, "" if there is none. */
static const char *status_line(int pid, const char *name, char *out, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    out[0] = '\0';
    while (file != NULL && fgets(out, (int)size, file) != NULL && strncmp(out, name, strlen(name)) != 0)
        out[0] = '\0';
    if (file != NULL)
        fclose(file);
    return out;
}

/* The processes that share our memory, by their names (the kernel compares memories only for
 * callers who may read both); at most this many. */
static int sharers(int *out, int most) {
    DIR *processes = opendir("/proc");
    int count = 0;
    char wanted[64], line[4096];
    snprintf(wanted, sizeof wanted, "Name:\tvbtrace-%d\n", getpid());
    for (struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
        int pid = atoi(entry->d_name);
        bool is_one = pid > 0 && count < most && strcmp(status_line(pid, "Name:", line, sizeof line), wanted) == 0;
        if (is_one && strstr(status_line(pid, "State:", line, sizeof line), "Z (") == NULL) /* a zombie shares nothing */
            out[count++] = pid;
    }
    if (processes != NULL)
        closedir(processes);
    return count;
}

/* Prints the rights that the others have and this process lacks. */
static void compare_rights(void) {
    static const char *const ids[] = {"Uid:", "Gid:", "Groups:"};
    static const char *const sets[] = {"CapInh:", "CapPrm:", "CapEff:"};
    int pids[8], count = sharers(pids, 8);
    char ours[4096], theirs[4096];
    fprintf(stderr, "%d share the memory\n", count);
    for (int i = 0; i < count; i++) {
        for (size_t k = 0; k < 3; k++)
            if (strcmp(status_line(getpid(), ids[k], ours, sizeof ours), status_line(pids[i], ids[k], theirs, sizeof theirs)) != 0)
                fprintf(stderr, "differs: %s", theirs);
        for (size_t k = 0; k < 3; k++) {
            uint64_t mine = strtoull(status_line(getpid(), sets[k], ours, sizeof ours) + 8, NULL, 16);
            uint64_t its = strtoull(status_line(pids[i], sets[k], theirs, sizeof theirs) + 8, NULL, 16);
            char of_mine[64] = "", of_its[64] = "", path[64];
            snprintf(path, sizeof path, "/proc/%d/ns/user", pids[i]);
            bool same =
                readlink("/proc/self/ns/user", of_mine, 63) > 0 && readlink(path, of_its, 63) > 0 && strcmp(of_mine, of_its) == 0;
            if ((its & ~(same ? mine : 0)) != 0)
                fprintf(stderr, "has more: %s", theirs);
        }
        if (strcmp(status_line(getpid(), "NoNewPrivs:", ours, sizeof ours),
                   status_line(pids[i], "NoNewPrivs:", theirs, sizeof theirs)) > 0)
            fprintf(stderr, "may gain: %s", theirs);
    }
}

static int asked_for(int options) {
    errno = 0;
    int status, pid = (int)syscall(SYS_wait4, -1, &status, options, NULL);
    return pid > 0 ? pid : -errno;
}

/* Everything that could reveal another thread, child or process. */
static int ask(void) {
    struct stat tasks;
    struct rusage children;
    char line[4096];
    work();
    wait_a_little();
    stat("/proc/self/task", &tasks);
    printf("%d threads, %s", (int)tasks.st_nlink - 2, status_line(getpid(), "Threads:", line, sizeof line));
    printf("wait: %d %d %d %d\n", asked_for(WNOHANG), asked_for(WNOHANG | __WALL), asked_for(WNOHANG | __WCLONE), asked_for(0));
    getrusage(RUSAGE_CHILDREN, &children);
    printf("children: %ld KiB, %ld faults\n", children.ru_maxrss, children.ru_minflt);
    printf("group: %d %d, tracer: %s", getpgrp() == getpgid(0), getsid(0) > 0,
           status_line(getpid(), "TracerPid:", line, sizeof line));
    printf("dumpable: %d\n", prctl(PR_GET_DUMPABLE));
    FILE *file = fopen("/proc/thread-self/children", "r");
    printf("children: %s\n", file != NULL && fgets(line, sizeof line, file) != NULL ? line : "none");
    printf("unshare: %d\n", unshare(CLONE_NEWUSER));
    compare_rights();
    return 0;
}

static int after(int result) {
    wait_a_little();
    printf("%d, dumpable: %d\n", result, prctl(PR_GET_DUMPABLE));
    compare_rights();
    return 0;
}

static int begin(void) {
    work();
    wait_a_little();
    return 0;
}

static int by_setuid(void) { return after(begin() + setuid(NOBODY)); }

static int by_seteuid(void) {
    begin();
    int result = seteuid(NOBODY);
    after(result);
    return after(seteuid(0)); /* and back */
}

static int by_setreuid(void) { return after(begin() + setreuid(NOBODY, NOBODY)); }

static int by_setresuid(void) { return after(begin() + setresuid(NOBODY, NOBODY, 0)); }

static int by_setgid(void) { return after(begin() + setgid(NOBODY)); }

static int by_setgroups(void) {
    gid_t groups[] = {1, 2, 3};
    begin();
    after(setgroups(3, groups));
    return after(initgroups("nobody", NOBODY));
}

static int all_at_once(void) {
    begin();
    int result = setgroups(0, NULL) + setresgid(NOBODY, NOBODY, NOBODY) + setresuid(NOBODY, NOBODY, NOBODY);
    compare_rights(); /* without a pause */
    return after(result);
}

static int by_capset(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {0};
    begin();
    return after((int)syscall(SYS_capset, &header, data));
}

static int keeping_capabilities(void) {
    begin();
    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    return after(setuid(NOBODY));
}

static int by_no_new_privs(void) { return after(begin() + prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }

static int by_namespace(void) { return after(begin() + unshare(CLONE_NEWUSER)); }

/* A raw system call, without a hook. */
static long unseen(long number, long a, long b, long c) {
    long result;
#if defined __x86_64__
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
#else
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    result = x0;
#endif
    return result;
}

static int unseen_by_hooks(void) {
    begin();
    long result = unseen(SYS_setgroups, 0, 0, 0) + unseen(SYS_setresgid, NOBODY, NOBODY, NOBODY);
    return after((int)(result + unseen(SYS_setresuid, NOBODY, NOBODY, NOBODY)));
}

/* A program that may be dumped again after giving up root stays dumpable. */
static int dumpable_again(void) {
    begin();
    int result = setuid(NOBODY);
    prctl(PR_SET_DUMPABLE, 1);
    return after(result);
}

int main(int count, char **arguments) {
    static const struct choice choices[] = {
        {"ask", ask},
        {"setuid", by_setuid},
        {"seteuid", by_seteuid},
        {"setreuid", by_setreuid},
        {"setresuid", by_setresuid},
        {"setgid", by_setgid},
        {"setgroups", by_setgroups},
        {"all", all_at_once},
        {"capset", by_capset},
        {"keepcaps", keeping_capabilities},
        {"no-new-privs", by_no_new_privs},
        {"namespace", by_namespace},
        {"unseen", unseen_by_hooks},
        {"dumpable", dumpable_again},
        {NULL, NULL},
    };
    (void)count;
    return run_choice(choices, arguments);
}
