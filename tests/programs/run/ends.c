/* All the ways a process ends or execs: ends WAY. The lines' marks are explained in heap_calls.c; a
 * child's lines are marked as such. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N = 1000, CHILDREN = 10 };

static void *kept[N];
static void *volatile sink;

/* Several ticks long. */
static void wait_a_little(void) { nanosleep(&(struct timespec){0, 80 * 1000 * 1000}, NULL); }

/* Until the test has seen the expected contents in the trace. */
static void wait_for_a_line(void) {
    char line;
    while (read(STDIN_FILENO, &line, 1) < 0 && errno == EINTR)
        continue;
}

static int reap(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static int forked(void) {
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 400; i++)
            free(kept[i]);
        for (int i = 0; i < 50; i++)
            kept[i] = malloc(20); // 50 in the child
        exit(7);
    }
    int status = reap(child);
    for (int i = 0; i < 100; i++)
        free(kept[i]);
    return status == 7 ? 0 : 1;
}

static volatile int stop;

static void *busy(void *unused) {
    while (!stop) {
        void *volatile block = malloc(64);
        free(block);
    }
    return unused;
}

static void *in_child(void *unused) {
    sink = malloc(30); // 1 in each child
    return unused;
}

/* Forks while other threads are in the allocator; each child starts a thread of its own. */
static int forked_with_threads(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, busy, NULL);
    int bad = 0;
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread;
            pthread_create(&thread, NULL, in_child, NULL);
            pthread_join(thread, NULL);
            wait_a_little();
            exit(7);
        }
        bad |= reap(child) != 7;
    }
    stop = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return bad;
}

extern char **environ;

static int spawned(void) {
    pid_t child;
    char *arguments[] = {"echo", "spawned", NULL};
    if (posix_spawn(&child, "/bin/echo", NULL, NULL, arguments, environ) != 0)
        return 1;
    int status = reap(child);
    child = vfork();
    if (child == 0) {
        execl("/nowhere/to/be/found", "x", (char *)NULL);
        _exit(9);
    }
    status |= reap(child) != 9;
    for (int i = 0; i < 100; i++)
        free(kept[i]);
    return status;
}

int main(int count, char **arguments) {
    const char *way = count > 1 ? arguments[1] : "return";
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int i = 0; i < N; i++)
        kept[i] = malloc(10); // N here
    wait_a_little();
    if (strcmp(way, "fork") == 0)
        return forked();
    if (strcmp(way, "fork-threads") == 0)
        return forked_with_threads();
    if (strcmp(way, "spawn") == 0)
        return spawned();
    sink = malloc(5); // the last
    if (strcmp(way, "exit") == 0)
        exit(3);
    if (strcmp(way, "_exit") == 0)
        _exit(3);
    if (strcmp(way, "_Exit") == 0)
        _Exit(3);
    if (strcmp(way, "quick_exit") == 0)
        quick_exit(3);
    if (strcmp(way, "abort") == 0)
        abort();
    if (strcmp(way, "kill") == 0) {
        wait_for_a_line();
        kill(getpid(), SIGKILL);
    }
    if (strcmp(way, "segv") == 0) {
        wait_for_a_line();
        raise(SIGSEGV);
    }
    if (strcmp(way, "exec") == 0) {
        wait_a_little(); /* a program that execs at once counts as a wrapper */
        execl("/bin/echo", "echo", "replaced", (char *)NULL);
    }
    if (strcmp(way, "exec-fails") == 0) {
        execl("/nowhere/to/be/found", "x", (char *)NULL);
        for (int i = 0; i < N; i++)
            free(kept[i]);
    }
    return 3;
}
