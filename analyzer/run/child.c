/* See child.h. */
#include "child.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "format/count.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const int passed_on[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

enum { PASSED_ON = VBT_COUNT(passed_on) };

static volatile pid_t child;

/* The terminal sends its signals to vbtrace and to the program alike. A signal that a process sends
 * is meant for the program. */
static void pass_on(int number, siginfo_t *info, void *unused) {
    (void)unused;
    int saved = errno;
    if (child > 0 && info->si_code <= 0)
        kill(child, number);
    errno = saved;
}

/* Like execvp, runs a file that is neither a program nor begins with "#!" as a shell script. */
static int start(const char *path, char *const *arguments, const posix_spawnattr_t *attributes, pid_t *pid) {
    extern char **environ;
    int error = posix_spawn(pid, path, NULL, attributes, arguments, environ);
    if (error != ENOEXEC)
        return error;
    size_t count = 0;
    while (arguments[count] != NULL)
        count++;
    char **shell = vbt_new(count + 2, sizeof *shell); /* sh, the file, its arguments, NULL */
    shell[0] = (char *)"sh";
    shell[1] = (char *)path;
    memcpy(shell + 2, arguments + 1, (count - 1) * sizeof *shell);
    error = posix_spawn(pid, "/bin/sh", NULL, attributes, shell, environ);
    free(shell);
    return error;
}

int vbt_child_run(const char *path, char *const *arguments, pid_t *pid, int *status) {
    struct sigaction before[PASSED_ON], action = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigset_t ours, all, defaults;
    sigfillset(&all);
    sigemptyset(&defaults);
    sigprocmask(SIG_BLOCK, &all, &ours); /* so that none gets lost while there is no child yet */
    for (int i = 0; i < PASSED_ON; i++) {
        sigaction(passed_on[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) /* what vbtrace inherited as ignored stays ignored, in the program too */
            sigaction(passed_on[i], &action, NULL);
    }
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &ours);
    int error = start(path, arguments, &attributes, pid);
    posix_spawnattr_destroy(&attributes);
    child = error == 0 ? *pid : 0;
    sigprocmask(SIG_SETMASK, &ours, NULL);
    siginfo_t ended;
    char *here = getcwd(NULL, 0);
    if (here != NULL && chdir("/") != 0) { /* so as not to keep a file system busy that the program unmounts */
        free(here);
        here = NULL;
    }
    while (error == 0 && waitid(P_PID, (id_t)*pid, &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        continue;
    child = 0; /* its pid is not reused before it is reaped */
    if (error == 0)
        waitpid(*pid, status, 0);
    if (here != NULL && chdir(here) != 0)
        vbt_warn("%s: the folder that vbtrace was started in is gone: %s", here, strerror(errno));
    free(here);
    for (int i = 0; i < PASSED_ON; i++)
        sigaction(passed_on[i], &before[i], NULL);
    return error;
}

_Noreturn void vbt_child_end_alike(int status) {
    if (WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, number);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* only the program's core dump is wanted */
        signal(number, SIG_DFL);
        raise(number);
        sigprocmask(SIG_UNBLOCK, &one, NULL);
        exit(128 + number); /* the signal did not end this process */
    }
    exit(WEXITSTATUS(status));
}
