/* Processes that fork and exec: processes WAY [FILE]. Counts are marked as in ends.c. The first one
 * allocates 1000 blocks of 10 bytes before anything else, and runs for several ticks. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N = 1000, WORKERS = 4, GENERATIONS = 3 };

static void *kept[N];
static void *volatile more[N];

static void wait_a_little(void) { nanosleep(&(struct timespec){0, 80 * 1000 * 1000}, NULL); }

static int reap(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

/* What a child does: free 300 of its parent's blocks, allocate 7 of its own. */
static void live(void) {
    for (int i = 0; i < 300; i++)
        free(kept[i]);
    for (int i = 0; i < 7; i++)
        more[i] = malloc(100); // 7 in the child
}

/* Without fork handlers. */
static int cloned(void) {
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        live();
        _exit(7);
    }
    return reap(child) != 7;
}

#if __GLIBC_PREREQ(2, 34)
static int forked_bare(void) {
    pid_t child = _Fork();
    if (child == 0) {
        live();
        _exit(7);
    }
    return reap(child) != 7;
}
#else
static int forked_bare(void) { return cloned(); }
#endif

static int in_clone(void *unused) {
    (void)unused;
    live();
    exit(7);
}

/* By libc's wrapper, on its own stack. */
static int cloned_on_a_stack(void) {
    enum { STACK = 256 * 1024 };
    static char stack[STACK] __attribute__((aligned(16)));
    return reap(clone(in_clone, stack + STACK, SIGCHLD, NULL)) != 7;
}

/* A pool whose workers allocate different amounts, and end as workers do. */
static int pool(void) {
    pid_t children[WORKERS];
    for (int worker = 0; worker < WORKERS; worker++) {
        children[worker] = fork();
        if (children[worker] == 0) {
            for (int i = 0; i < 10 * (worker + 1); i++)
                more[i] = malloc(50); // 10, 20, 30, 40 in the workers
            _exit(worker);
        }
    }
    int bad = 0;
    for (int worker = 0; worker < WORKERS; worker++)
        bad |= reap(children[worker]) != worker;
    return bad;
}

/* Each child is the parent of the next. */
static int generations(int generation) {
    if (generation == GENERATIONS)
        return 0;
    pid_t child = fork();
    if (child != 0)
        return reap(child);
    for (int i = 100 * generation; i < 100 * (generation + 1); i++)
        free(kept[i]);
    more[generation] = malloc(1000); // 1 in each generation
    exit(generations(generation + 1));
}

/* A daemon that overwrites its environment before anything has happened in it, and waits until a
 * file exists. */
static int as_silent_daemon(const char *file) {
    extern char **environ;
    char *end = environ[0];
    for (char **entry = environ; *entry != NULL; entry++)
        end = *entry + strlen(*entry);
    if (fork() != 0)
        _exit(0);
    setsid();
    for (int fd = 0; fd < 3; fd++)
        dup2(open("/dev/null", O_RDWR), fd);
    memset(environ[0], 't', (size_t)(end - environ[0]));
    while (access(file, F_OK) != 0)
        nanosleep(&(struct timespec){0, 10 * 1000 * 1000}, NULL);
    _exit(0);
}

/* The parent ends in daemon itself; the test waits for the file that the daemon writes. */
static int as_daemon(const char *file) {
    if (daemon(1, 0) != 0)
        return 1;
    live();
    if (write(STDOUT_FILENO, "lost", 4) != 4 || getsid(0) != getpid())
        return 2;
    int fd = open(file, O_WRONLY | O_CREAT, 0666);
    close(fd);
    return 0;
}

static int spawned_with_vfork(void) {
    pid_t child = vfork();
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(9);
    }
    return reap(child);
}

static _Noreturn void *load(void *library) {
    for (;;)
        dlclose(dlopen(library, RTLD_NOW));
}

/* Forks while another thread loads and unloads a library; the children allocate. */
static int while_loading(char *library) {
    enum { CHILDREN = 1000 };
    pthread_t loader;
    if (pthread_create(&loader, NULL, load, library) != 0)
        return 1;
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        if (child == 0) {
            more[0] = malloc(100); // 1 in each child of a loader
            _exit(0);
        }
        if (child < 0 || reap(child) != 0)
            return 1;
    }
    return 0;
}

extern char **environ;

/* Programs that run at the same time, all with the same output file. */
static int spawned(const char *self) {
    pid_t children[WORKERS];
    char *arguments[] = {(char *)self, (char *)"plain", NULL};
    for (int i = 0; i < WORKERS; i++)
        if (posix_spawn(&children[i], "/proc/self/exe", NULL, NULL, arguments, environ) != 0)
            return 1;
    int bad = 0;
    for (int i = 0; i < WORKERS; i++)
        bad |= reap(children[i]);
    return bad;
}

/* The same program again and again in the same process. */
static int exec_chain(const char *self, const char *left) {
    char next[2] = {(char)(left[0] - 1), '\0'};
    if (left[0] == '0')
        return 0;
    execl("/proc/self/exe", self, "chain", next, (char *)NULL);
    return 1;
}

static int signalled(int blocked) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGTERM);
    if (blocked)
        sigprocmask(SIG_BLOCK, &one, NULL);
    for (int i = 0; i < 7; i++)
        more[i] = malloc(100);
    blocked ? raise(SIGTERM) : kill(getpid(), SIGTERM);
    live(); /* not reached unless the signal is blocked */
    return 0;
}

/* What a process did just before it waits for ever is in its trace, too. */
static _Noreturn void waits(int forks) {
    pid_t child = forks ? fork() : 1;
    if (child == 0)
        for (;;)
            pause();
    live();
    if (forks)
        printf("%d\n", child);
    for (;;)
        pause();
}

/* A call that the kernel allows only in processes with one thread. */
static int unshared(void) {
    int result = unshare(CLONE_NEWUSER);
    printf("%d %d\n", result, result == 0 ? 0 : errno);
    live();
    return 0;
}

int main(int count, char **arguments) {
    const char *way = count > 1 ? arguments[1] : "plain";
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int i = 0; i < N; i++)
        kept[i] = malloc(10); // N here
    if (strcmp(way, "waits-at-once") == 0)
        waits(0);
    if (strcmp(way, "wrapper") == 0)
        execl(arguments[0], arguments[0], "plain", NULL);
    wait_a_little();
    if (strcmp(way, "clone") == 0)
        return cloned();
    if (strcmp(way, "clone-stack") == 0)
        return cloned_on_a_stack();
    if (strcmp(way, "_Fork") == 0)
        return forked_bare();
    if (strcmp(way, "pool") == 0)
        return pool();
    if (strcmp(way, "generations") == 0)
        return generations(0);
    if (strcmp(way, "silent-daemon") == 0)
        return as_silent_daemon(arguments[2]);
    if (strcmp(way, "daemon") == 0)
        return as_daemon(arguments[2]);
    if (strcmp(way, "loading") == 0)
        return while_loading(arguments[2]);
    if (strcmp(way, "vfork") == 0)
        return spawned_with_vfork();
    if (strcmp(way, "spawn") == 0)
        return spawned(arguments[0]);
    if (strcmp(way, "chain") == 0)
        return exec_chain(arguments[0], arguments[2]);
    if (strcmp(way, "signal") == 0)
        return signalled(0);
    if (strcmp(way, "blocked-signal") == 0)
        return signalled(1);
    if (strcmp(way, "waits") == 0)
        waits(1);
    if (strcmp(way, "unshare") == 0)
        return unshared();
    return 0;
}
