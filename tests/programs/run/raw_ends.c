/* Ends without libc: raw_ends HOW MILLISECONDS. The exit status is 5, or 0 where the second thread
 * is the last; "fault" ends by SIGSEGV, "return" as usual. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { N = 1000 };

static void *volatile kept[N];
static int *volatile nowhere;
static long milliseconds;

static void wait_for(long time) { nanosleep(&(struct timespec){time / 1000, time % 1000 * 1000000}, NULL); }

static void work(void) {
    for (int i = 0; i < N; i++)
        kept[i] = malloc(10); // N before the end
}

/* A system call that no library sees. */
static _Noreturn void end_inline(long number) {
#if defined(__x86_64__)
    __asm__ volatile("syscall" : : "a"(number), "D"(5L) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long call __asm__("x8") = number, status __asm__("x0") = 5;
    __asm__ volatile("svc 0" : : "r"(call), "r"(status) : "memory");
#else
    syscall(number, 5);
#endif
    __builtin_unreachable();
}

static void *second(void *raw) {
    wait_for(50); /* the first thread has ended */
    work();
    wait_for(milliseconds);
    if (raw != NULL)
        syscall(SYS_exit, 0);
    return NULL;
}

int main(int count, char **arguments) {
    pthread_t thread;
    if (count != 3)
        return 2;
    const char *how = arguments[1];
    milliseconds = atol(arguments[2]);
    if (strncmp(how, "last", 4) == 0) { /* "last": by return; "last-raw": by system call */
        pthread_create(&thread, NULL, second, how[4] != '\0' ? arguments : NULL);
        syscall(SYS_exit, 5);
    }
    work();
    wait_for(milliseconds);
    if (strcmp(how, "return") == 0)
        return 5;
    if (strcmp(how, "exit") == 0)
        syscall(SYS_exit, 5); /* of the only thread */
    else if (strcmp(how, "exit_group") == 0)
        syscall(SYS_exit_group, 5);
    else if (strcmp(how, "fault") == 0)
        *(volatile int *)nowhere = 1;
    end_inline(strcmp(how, "inline-exit") == 0 ? SYS_exit : SYS_exit_group);
}
