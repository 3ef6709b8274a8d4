/* What newer versions of glibc have than the one that is built against, as far as it is used here:
 * a library that is built against an old version finds it in a new one. Each is NULL where the
 * running version has none. */
#ifndef VBT_GLIBC_H
#define VBT_GLIBC_H

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>

#if __GLIBC_PREREQ(2, 32)
#include <sys/single_threaded.h>
#else
extern char __libc_single_threaded;
const char *strerrordesc_np(int error);
#endif

#if !__GLIBC_PREREQ(2, 35)
struct dl_find_object {
    unsigned long long int dlfo_flags;
    void *dlfo_map_start, *dlfo_map_end;
    struct link_map *dlfo_link_map;
    void *dlfo_eh_frame;
    unsigned long long int dlfo_reserved[7];
};
int _dl_find_object(void *address, struct dl_find_object *object);
#endif

/* Without a lock, and safe in signal handlers. */
#pragma weak __libc_single_threaded
#pragma weak _dl_find_object
#pragma weak strerrordesc_np

/* What an error number means. Takes no lock, and allocates nothing. */
static inline const char *vbt_error_text(int error) {
    const char *text = strerrordesc_np != NULL ? strerrordesc_np(error) : NULL;
    return text != NULL ? text : "the system refuses";
}

/* Has the process one thread? False where glibc does not say. */
static inline bool vbt_single_threaded(void) { return &__libc_single_threaded != NULL && __libc_single_threaded; }

#endif
