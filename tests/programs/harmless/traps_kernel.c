/* System calls that another thread, another open file or another system call in the process would
 * break: traps_kernel WHICH. Prints its results; traced and untraced must print the same. */
#define _GNU_SOURCE
#include "tests/programs/choice.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N = 1000 };

static void *kept[N];

/* Long enough for the helper to be due; the next event starts it. */
static void wait_a_little(void) {
    nanosleep(&(struct timespec){0, 80 * 1000 * 1000}, NULL);
    free(malloc(1)); // 1 a wait
}

static void work(void) {
    for (int i = 0; i < N; i++)
        kept[i] = malloc(10); // N before
}

static void more_work(void) {
    for (int i = 0; i < N; i++)
        free(kept[i]);
    for (int i = 0; i < N; i++)
        kept[i] = malloc(20); // N afterwards
}

/* From here on any other system call kills the process. */
static int filter_calls(int through_libc) {
#define ALLOW(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_write),
        ALLOW(SYS_brk),
        ALLOW(SYS_madvise),
        ALLOW(SYS_munmap),
        ALLOW(SYS_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return 1;
    long result = through_libc ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)
                               : syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    return result != 0;
}

/* Of a block's memory, half is given up, then half is unmapped. */
static char *spare;
enum { SPARE = 4 << 20 };

static int give_spare_back(void) {
    char *inside = (char *)(((uintptr_t)spare + 4095) & ~(uintptr_t)4095);
    return madvise(inside, SPARE / 4, MADV_DONTNEED) != 0 || munmap(inside, SPARE / 2) != 0;
}

/* Given "prctl" or "syscall", and "late" to have the helper running. */
static int sandbox(void) {
    int through_libc = strcmp(given[0], "prctl") == 0, late = given[1] != NULL;
    work();
    if ((spare = malloc(SPARE)) == NULL)
        return 1;
    if (late)
        wait_a_little();
    if (filter_calls(through_libc) != 0)
        return 1;
    more_work();
    for (volatile long i = 0; i < 200 * 1000 * 1000; i++) /* several ticks, without a system call */
        continue;
    more_work();
    if (give_spare_back() != 0)
        return 1;
    return write(STDOUT_FILENO, "done\n", 5) != 5;
}

/* read, write and _exit alone. */
static int strict_sandbox(void) {
    work();
    wait_a_little();
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
        return 1;
    free(kept[0]);
    kept[0] = malloc(5);
    if (write(STDOUT_FILENO, "done\n", 5) == 5)
        syscall(SYS_exit, 0);
    return 1;
}

/* Only a process with one thread may do this. */
static int own_namespace(void) {
    work();
    wait_a_little();
    int result = unshare(CLONE_NEWUSER);
    printf("unshare: %s\n", result == 0 ? "good" : strerrorname_np(errno));
    more_work();
    wait_a_little();
    return 0;
}

/* Does what the given letters say: u another pid namespace for its children, f a fork, c chroot, C
 * chroot by syscall. */
static int in_jail(void) {
    const char *how = given[0];
    work();
    wait_a_little();
    for (; *how != '\0'; how++) {
        int result = -1;
        if (*how == 'u')
            result = unshare(CLONE_NEWPID);
        else if (*how == 'c')
            result = chroot("/proc");
        else if (*how == 'C')
            result = (int)syscall(SYS_chroot, "/proc");
        else if ((result = fork()) == 0)
            syscall(SYS_exit_group, 0); /* too short-lived for a trace */
        else
            result = waitpid(result, NULL, 0) != result;
        printf("%c: %d\n", *how, result);
    }
    more_work();
    wait_a_little();
    return 0;
}

static int handled;

static void count(int number) { handled += number; }

/* Prints the signals that the process ignores, blocks and handles. */
static int signal_masks(void) {
    signal(SIGUSR1, count);
    signal(SIGPIPE, SIG_IGN);
    work();
    wait_a_little();
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "Sig", 3) == 0 && strncmp(line, "SigQ", 4) != 0)
            fputs(line, stdout);
    fclose(status);
    return 0;
}

/* A child that shares only the memory: its allocations are the parent's. */
static int in_same_memory(void *unused) {
    (void)unused;
    for (int i = 0; i < N; i++)
        kept[i] = malloc(10); // N in a child that shares the memory
    _exit(7);
}

static int shared_memory(void) {
    static char stack[256 * 1024] __attribute__((aligned(16)));
    wait_a_little();
    pid_t child = clone(in_same_memory, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 1;
    printf("%d\n", WEXITSTATUS(status));
    for (int i = 0; i < N / 2; i++)
        free(kept[i]);
    return 0;
}

/* Address space for the program and no more: its requests succeed as far as they would untraced. */
static int little_memory(void) {
    struct rlimit limit = {512 << 20, 512 << 20};
    work();
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        return 1;
    int got = 0;
    for (int i = 0; i < 64; i++)
        got += malloc(1 << 20) != NULL;
    more_work();
    wait_a_little();
    printf("%d of 64\n", got);
    return 0;
}

static int use_up(void) {
    int got = 0;
    while (malloc(1000) != NULL) // as many as printed
        got++;
    return got;
}

/* All memory that the process is allowed, before the helper has written anything; then the same in
 * a child. */
static int used_up(void) {
    char line[64];
    fflush(NULL);
    pid_t child = fork();
    int got = use_up();
    if (child != 0)
        waitpid(child, NULL, 0);
    int size = snprintf(line, sizeof line, "%d: %d\n", getpid(), got);
    if (write(STDOUT_FILENO, line, (size_t)size) != size)
        return 1;
    _exit(0);
}

/* No further file, no further process. */
static int no_descriptors(void) {
    struct rlimit none = {0, 0};
    work();
    if (setrlimit(RLIMIT_NOFILE, &none) != 0 || setrlimit(RLIMIT_NPROC, &none) != 0)
        return 1;
    wait_a_little();
    more_work();
    wait_a_little();
    return puts("done") < 0;
}

static const struct choice traps[] = {
    {"sandbox", sandbox},
    {"strict", strict_sandbox},
    {"namespace", own_namespace},
    {"jail", in_jail},
    {"masks", signal_masks},
    {"shared-memory", shared_memory},
    {"little-memory", little_memory},
    {"used-up", used_up},
    {"no-descriptors", no_descriptors},
    {NULL, NULL},
};

int main(int count, char **arguments) {
    (void)count;
    setvbuf(stdout, NULL, _IONBF, 0);
    return run_choice(traps, arguments);
}
