/* The ends of a process that no destructor sees: _exit, quick_exit (through its handlers, see
 * lifecycle.c), abort, exec, a signal to itself. */
#include "hook.h"
#include "format/count.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

VBT_EXPORT void _exit(int status) {
    vbt_lifecycle_finish("_exit");
    if (vbt_real._exit != NULL)
        vbt_real._exit(status);
    for (;;)
        vbt_sys(SYS_exit_group, status);
}

VBT_EXPORT void _Exit(int status) { _exit(status); }

VBT_EXPORT void abort(void) {
    vbt_lifecycle_finish("abort");
    if (vbt_real.abort != NULL)
        vbt_real.abort();
    __builtin_trap();
}

/* An exec replaces the process, and returns only if it failed. */
static int tried(int result) {
    vbt_lifecycle_resume();
    return result;
}

VBT_EXPORT int execve(const char *path, char *const arguments[], char *const environment[]) {
    vbt_real_find();
    vbt_lifecycle_finish("exec");
    return tried(vbt_real.execve(path, arguments, environment));
}

VBT_EXPORT int execv(const char *path, char *const arguments[]) { return execve(path, arguments, environ); }

VBT_EXPORT int execvpe(const char *file, char *const arguments[], char *const environment[]) {
    vbt_real_find();
    vbt_lifecycle_finish("exec");
    return tried(vbt_real.execvpe(file, arguments, environment));
}

VBT_EXPORT int execvp(const char *file, char *const arguments[]) { return execvpe(file, arguments, environ); }

VBT_EXPORT int fexecve(int descriptor, char *const arguments[], char *const environment[]) {
    vbt_real_find();
    vbt_lifecycle_finish("exec");
    return tried(vbt_real.fexecve(descriptor, arguments, environment));
}

VBT_EXPORT int execveat(int directory, const char *path, char *const arguments[], char *const environment[], int flags) {
    vbt_real_find();
    vbt_lifecycle_finish("exec");
    return tried(vbt_real.execveat(directory, path, arguments, environment, flags));
}

/* The variants that take their arguments one by one: glibc's would call its internal execve. The
 * arguments go to the stack, as they do there; execle has the environment after them. */
static size_t count_arguments(va_list list) {
    size_t count = 1; /* the first is not in the list */
    while (va_arg(list, char *) != NULL)
        count++;
    return count;
}

/* With the NULL after them. */
static void take_arguments(char *out[], const char *first, va_list *list) {
    size_t i = 0;
    out[i++] = (char *)first;
    while ((out[i] = va_arg(*list, char *)) != NULL)
        i++;
}

/* NOLINTBEGIN(bugprone-macro-parentheses): names that are declared cannot stand in parentheses */
/* Declares `out`, the function's arguments from `first` on and a NULL, and `list`, which is after
 * the NULL. */
#define ARGUMENTS(out, first, list)                                                                                                \
    va_list list;                                                                                                                  \
    va_start(list, first);                                                                                                         \
    char *out[count_arguments(list) + 1];                                                                                          \
    va_end(list);                                                                                                                  \
    va_start(list, first);                                                                                                         \
    take_arguments(out, first, &list)
/* NOLINTEND(bugprone-macro-parentheses) */

VBT_EXPORT int execl(const char *path, const char *argument, ...) {
    ARGUMENTS(arguments, argument, list);
    va_end(list);
    return execve(path, arguments, environ);
}

VBT_EXPORT int execlp(const char *file, const char *argument, ...) {
    ARGUMENTS(arguments, argument, list);
    va_end(list);
    return execvpe(file, arguments, environ);
}

VBT_EXPORT int execle(const char *path, const char *argument, ...) {
    ARGUMENTS(arguments, argument, list);
    char *const *environment = va_arg(list, char *const *);
    va_end(list);
    return execve(path, arguments, environment);
}

/* Will this signal, sent by the process to itself, end it at once? Not those that dump core: a
 * process that sends one of them has just crashed, and should be found as it was. */
static bool is_the_end(int number) {
    static const int deadly[] = {SIGHUP, SIGINT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF};
    struct sigaction now;
    for (size_t i = 0; i < VBT_COUNT(deadly); i++)
        if (deadly[i] == number)
            return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL;
    return false;
}

/* Python and shells end like this when they are interrupted, so that their parent knows the
 * reason. */
VBT_EXPORT int kill(pid_t process, int number) {
    vbt_real_find();
    bool end = (process == 0 || process == vbt_sys(SYS_getpid)) && is_the_end(number);
    if (end)
        vbt_lifecycle_finish("signal");
    int result = vbt_real.kill(process, number);
    return end ? tried(result) : result; /* it may be blocked */
}

VBT_EXPORT int raise(int number) {
    vbt_real_find();
    bool end = is_the_end(number);
    if (end)
        vbt_lifecycle_finish("signal");
    int result = vbt_real.raise(number);
    return end ? tried(result) : result;
}
