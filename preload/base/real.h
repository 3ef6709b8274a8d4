/* The functions that the hooks interpose: whatever comes next in the program's search order, libc's
 * or another allocator's. */
#ifndef VBT_REAL_H
#define VBT_REAL_H

#include "sys.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <signal.h>
#include <sys/times.h>
#include <time.h>

/* Each of them as X(result, name, (parameters)). Only what every glibc from 2.34 on has: the lookup
 * of a name that is missing would make dlsym format an error. */
#define VBT_REAL_FUNCTIONS(X)                                                                                                      \
    X(void *, malloc, (size_t))                                                                                                    \
    X(void *, calloc, (size_t, size_t))                                                                                            \
    X(void *, realloc, (void *, size_t))                                                                                           \
    X(void, free, (void *))                                                                                                        \
    X(int, posix_memalign, (void **, size_t, size_t))                                                                              \
    X(void *, aligned_alloc, (size_t, size_t))                                                                                     \
    X(void *, memalign, (size_t, size_t))                                                                                          \
    X(void *, valloc, (size_t))                                                                                                    \
    X(void *, pvalloc, (size_t))                                                                                                   \
    X(void *, mmap, (void *, size_t, int, int, int, off_t))                                                                        \
    X(int, munmap, (void *, size_t))                                                                                               \
    X(void *, mremap, (void *, size_t, size_t, int, ...))                                                                          \
    X(int, madvise, (void *, size_t, int))                                                                                         \
    X(int, brk, (void *))                                                                                                          \
    X(void *, sbrk, (intptr_t))                                                                                                    \
    X(int, clock_gettime, (clockid_t, struct timespec *))                                                                          \
    X(int, gettimeofday, (struct timeval *, void *))                                                                               \
    X(time_t, time, (time_t *))                                                                                                    \
    X(clock_t, clock, (void))                                                                                                      \
    X(clock_t, times, (struct tms *))                                                                                              \
    X(int, timespec_get, (struct timespec *, int))                                                                                 \
    X(int, getrusage, (int, struct rusage *))                                                                                      \
    X(int, sem_wait, (sem_t *))                                                                                                    \
    X(int, sem_trywait, (sem_t *))                                                                                                 \
    X(int, sem_timedwait, (sem_t *, const struct timespec *))                                                                      \
    X(int, sem_clockwait, (sem_t *, clockid_t, const struct timespec *))                                                           \
    X(int, pthread_cond_timedwait, (pthread_cond_t *, pthread_mutex_t *, const struct timespec *))                                 \
    X(int, pthread_cond_clockwait, (pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *))                      \
    X(char *, setlocale, (int, const char *))                                                                                      \
    X(void *, dlopen, (const char *, int))                                                                                         \
    X(int, dlclose, (void *))                                                                                                      \
    X(void, abort, (void))                                                                                                         \
    X(void, _exit, (int))                                                                                                          \
    X(int, __register_atfork, (void (*)(void), void (*)(void), void (*)(void), void *))                                            \
    X(int, __cxa_atexit, (void (*)(void *), void *, void *))                                                                       \
    X(int, on_exit, (void (*)(int, void *), void *))                                                                               \
    X(int, __cxa_at_quick_exit, (void (*)(void *), void *))                                                                        \
    X(int, pthread_setname_np, (pthread_t, const char *))                                                                          \
    X(int, malloc_trim, (size_t))                                                                                                  \
    X(int, prctl, (int, ...))                                                                                                      \
    X(long, syscall, (long, ...))                                                                                                  \
    X(int, execve, (const char *, char *const *, char *const *))                                                                   \
    X(int, execvpe, (const char *, char *const *, char *const *))                                                                  \
    X(int, fexecve, (int, char *const *, char *const *))                                                                           \
    X(int, execveat, (int, const char *, char *const *, char *const *, int))                                                       \
    X(int, sigaction, (int, const struct sigaction *, struct sigaction *))                                                         \
    X(int, kill, (pid_t, int))                                                                                                     \
    X(int, raise, (int))                                                                                                           \
    X(int, unshare, (int))                                                                                                         \
    X(int, setns, (int, int))                                                                                                      \
    X(int, chroot, (const char *))                                                                                                 \
    X(int, setuid, (uid_t))                                                                                                        \
    X(int, seteuid, (uid_t))                                                                                                       \
    X(int, setreuid, (uid_t, uid_t))                                                                                               \
    X(int, setresuid, (uid_t, uid_t, uid_t))                                                                                       \
    X(int, setgid, (gid_t))                                                                                                        \
    X(int, setegid, (gid_t))                                                                                                       \
    X(int, setregid, (gid_t, gid_t))                                                                                               \
    X(int, setresgid, (gid_t, gid_t, gid_t))                                                                                       \
    X(int, setgroups, (size_t, const gid_t *))                                                                                     \
    X(int, initgroups, (const char *, gid_t))                                                                                      \
    X(int, setfsuid, (uid_t))                                                                                                      \
    X(int, setfsgid, (gid_t))                                                                                                      \
    X(int, capset, (void *, const void *))

/* A type and a list of parameters cannot stand in parentheses.
 * NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define VBT_REAL_MEMBER(result, name, parameters) result(*name) parameters;

struct vbt_real {
    VBT_REAL_FUNCTIONS(VBT_REAL_MEMBER)
};

/* Complete once any heap function was called through it, or vbt_real_find was. */
extern struct vbt_real vbt_real VBT_HIDDEN;

/* Looks all of them up. dlsym allocates: until the allocator is known, requests are served from a
 * small pool. */
void vbt_real_find(void);

/* Discards the error that one of the library's own lookups left: the first dlerror returns it, the
 * second frees it. If the program freed it later, that would be a block whose allocation was not
 * recorded. */
void vbt_real_forget_error(void);

/* May this address, which calls a hook while a real function runs, belong to that very function? An
 * allocator other than the C library's may call malloc by its name in its calloc, even as a tail
 * call: then the caller seems to be the hook. The C library's does not. */
bool vbt_real_calls_back(uintptr_t caller);

/* Is clock_gettime another one than the C library's? That may need what the helper lacks
 * (thread-local storage, memory, locks), and may not return the true time. */
extern bool vbt_real_clock_is_foreign VBT_HIDDEN;

/* Is malloc the C library's, and found? Then it calls no hook. */
bool vbt_real_is_plain(void);

/* Does the allocator implement C++'s operators new and delete without malloc and free? The C
 * library's does not. May leave an error. */
bool vbt_real_has_operators(void);

/* Is this a block of that pool? Such blocks are never passed to the real free or realloc. */
int vbt_real_in_pool(const void *block);

/* Bytes that may be read from a block of the pool. */
size_t vbt_real_pool_size(const void *block);

#endif
