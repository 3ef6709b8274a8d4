/* See surroundings.h. In the new root there may be no /proc: before the helper goes there, it opens
 * what it needs of it. These are files and links, no directories, which would lead out of the new
 * root. */
#include "surroundings.h"

#include "preload/base/proc.h"
#include "preload/base/sys.h"
#include "preload/process/process.h"
#include "preload/shared/options.h"
#include "preload/shared/say.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

/* The namespace of users comes last: who enters another one may lose the right to enter the
 * others. */
enum { USERS = 5, NAMESPACES, ROOT = NAMESPACES, LINKS, TEXT = 64 };

static const struct link {
    const char *name;
    int kind; /* of a namespace, as setns takes it */
} links[LINKS] = {{"ns/mnt", CLONE_NEWNS},
                  {"ns/net", CLONE_NEWNET},
                  {"ns/uts", CLONE_NEWUTS},
                  {"ns/ipc", CLONE_NEWIPC},
                  {"ns/cgroup", CLONE_NEWCGROUP},
                  {"ns/user", CLONE_NEWUSER},
                  {"root", 0}};

struct directory {
    uint64_t device, inode, mount;
};

static struct {
    uint64_t have[NAMESPACES]; /* the helper's namespaces, by the kernel's numbers; 0: it has none, or does not show it */
    long kept[LINKS];          /* the program's links, if there may be no /proc */
    long program;              /* then: a pidfd */
    bool share_users;
    struct directory program_root; /* when a hook last saw it change */
} surroundings;

/* Where the program is. */
struct place {
    uint64_t namespaces[NAMESPACES];
    bool other_namespaces, other_root;
    bool hidden; /* it does not let itself be seen */
};

static void path_of(char *out, int size, int pid, int link) {
    if (pid != 0)
        vbt_format(out, size, "/proc/%d/%s", pid, links[link].name);
    else
        vbt_format(out, size, "/proc/self/%s", links[link].name);
}

/* False, with an empty text, if it cannot be read. */
static bool read_link(long directory, const char *path, char *out, int size) {
    long length = vbt_sys(SYS_readlinkat, directory, path, out, size - 1);
    out[vbt_sys_failed(length) ? 0 : length] = '\0';
    return !vbt_sys_failed(length);
}

static bool program_link(int link, char *out, int size) {
    char path[TEXT];
    if (vbt_proc_is_kept())
        return read_link(surroundings.kept[link], "", out, size);
    path_of(path, sizeof path, vbt_pid, link);
    return read_link(AT_FDCWD, path, out, size);
}

/* "mnt:[4026531841]" */
static uint64_t number_of(const char *text) {
    uint64_t number = 0;
    for (const char *at = strchrnul(text, '['); *at != '\0' && *++at >= '0' && *at <= '9';)
        number = number * 10 + (uint64_t)(*at - '0');
    return number;
}

static struct directory directory_at(long directory, const char *path) {
    struct statx there;
    unsigned mask = STATX_INO | STATX_MNT_ID; /* the latter from Linux 5.8 on */
    if (vbt_sys(SYS_statx, directory, path, AT_EMPTY_PATH, mask, &there) != 0)
        return (struct directory){0};
    uint64_t mount = (there.stx_mask & STATX_MNT_ID) != 0 ? there.stx_mnt_id : 0;
    return (struct directory){(uint64_t)there.stx_dev_major << 32 | there.stx_dev_minor, there.stx_ino, mount};
}

static bool are_same(struct directory a, struct directory b) {
    return a.inode != 0 && a.inode == b.inode && a.device == b.device && a.mount == b.mount;
}

void vbt_surroundings_left(void) { surroundings.program_root = directory_at(AT_FDCWD, "/"); }

/* Is this the helper's root? */
static bool is_root(struct directory directory) { return are_same(directory, directory_at(AT_FDCWD, "/")); }

/* A link that says "/" leads to the helper's root; or, if the program is outside of that, to the
 * root of all. */
static void look_at_root(struct place *place, bool asked) {
    char link[3]; /* "/", or the beginning of something longer */
    struct directory there = surroundings.program_root;
    place->hidden |= !program_link(ROOT, link, sizeof link);
    if (!vbt_proc_is_kept()) {
        char path[TEXT];
        path_of(path, sizeof path, vbt_pid, ROOT);
        there = directory_at(AT_FDCWD, path);
        place->hidden |= there.inode == 0;
    }
    place->other_root = vbt_proc_is_kept() && !asked ? link[1] != '\0' : !is_root(there);
}

static struct place look(bool asked) {
    char text[TEXT];
    struct place place = {0};
    for (int i = 0; i < NAMESPACES; i++) {
        place.hidden |= !program_link(i, text, sizeof text) && surroundings.have[i] != 0;
        place.namespaces[i] = number_of(text);
        place.other_namespaces |= place.namespaces[i] != surroundings.have[i];
    }
    /* A process that is ending keeps this one longest. */
    surroundings.share_users = place.namespaces[USERS] != 0 && place.namespaces[USERS] == surroundings.have[USERS];
    look_at_root(&place, asked);
    return place;
}

/* Before the helper goes: afterwards, there may be no /proc, or that of others. */
static void keep(void) {
    static const char *const of_self[] = {"status", "smaps", "pagemap", "maps", "cmdline"};
    static const char *const of_program[] = {"status", "stat"};
    char path[TEXT];
    if (vbt_proc_is_kept())
        return;
    for (int i = 0; i < LINKS; i++) {
        path_of(path, sizeof path, vbt_pid, i);
        surroundings.kept[i] = vbt_sys(SYS_openat, AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
    }
    surroundings.program = vbt_sys(SYS_pidfd_open, vbt_pid, 0);
    for (size_t i = 0; i < sizeof of_self / sizeof of_self[0]; i++) {
        vbt_format(path, sizeof path, "/proc/self/%s", of_self[i]);
        vbt_proc_keep(path);
    }
    for (size_t i = 0; i < sizeof of_program / sizeof of_program[0]; i++) {
        vbt_format(path, sizeof path, "/proc/%d/%s", vbt_pid, of_program[i]);
        vbt_proc_keep(path);
    }
}

static void close_unless_failed(long descriptor) {
    if (!vbt_sys_failed(descriptor))
        vbt_sys(SYS_close, descriptor);
}

static void release(void) {
    if (!vbt_proc_is_kept())
        return;
    for (int i = 0; i < LINKS; i++)
        close_unless_failed(surroundings.kept[i]);
    close_unless_failed(surroundings.program);
    vbt_proc_release();
}

/* Is there a /proc that shows the helper under the number that it has? */
static bool has_proc(void) {
    char number[16], shown[16];
    vbt_format(number, sizeof number, "%d", (int)vbt_sys(SYS_getpid));
    return read_link(AT_FDCWD, "/proc/self", shown, sizeof shown) && strcmp(shown, number) == 0;
}

/* A namespace that the helper has no right to enter yet may be open to it once it is in that of the
 * users. */
static void enter(const struct place *place, const long from[NAMESPACES]) {
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < NAMESPACES; i++)
            if (place->namespaces[i] != surroundings.have[i] && vbt_sys(SYS_setns, from[i], links[i].kind) == 0)
                surroundings.have[i] = place->namespaces[i];
}

/* Where there was no /proc, and the way out of the helper's root is closed to it, entering its
 * namespace of mounts again leads to the root of all. */
static long open_root_anew(void) {
    static char path[VBT_PATH_MAX];
    vbt_sys(SYS_setns, surroundings.program, CLONE_NEWNS);
    if (has_proc())
        path_of(path, sizeof path, vbt_pid, ROOT);
    else if (!program_link(ROOT, path, sizeof path))
        return -ENOENT;
    return vbt_sys(SYS_openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

static void enter_root(long root) {
    if (!is_root(directory_at(root, "")) && vbt_sys(SYS_fchdir, root) == 0)
        vbt_sys(SYS_chroot, ".");
    vbt_sys(SYS_chdir, "/");
    close_unless_failed(root);
}

static void go(const struct place *place) {
    long from[NAMESPACES], root = -ENOENT;
    char path[TEXT];
    bool was_kept = vbt_proc_is_kept();
    for (int i = 0; i < NAMESPACES; i++) {
        path_of(path, sizeof path, vbt_pid, i);
        from[i] = was_kept ? surroundings.program : vbt_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    }
    path_of(path, sizeof path, vbt_pid, ROOT);
    if (!was_kept)
        root = vbt_sys(SYS_openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    keep();
    enter(place, from);
    enter_root(was_kept ? open_root_anew() : root);
    for (int i = 0; i < NAMESPACES && !was_kept; i++)
        close_unless_failed(from[i]);
}

void vbt_surroundings_begin(void) {
    char path[TEXT], text[TEXT];
    for (int i = 0; i < NAMESPACES; i++) {
        path_of(path, sizeof path, 0, i);
        read_link(AT_FDCWD, path, text, sizeof text);
        surroundings.have[i] = number_of(text);
    }
}

void vbt_surroundings_end(void) { release(); }

void vbt_surroundings_keep(void) { keep(); }

enum vbt_surroundings vbt_surroundings_follow(bool asked, void (*moves)(void)) {
    struct place place = look(asked);
    enum vbt_surroundings result = place.hidden && asked ? VBT_SURROUNDINGS_CLOSED : VBT_SURROUNDINGS_EQUAL;
    if (!place.hidden && (place.other_namespaces || place.other_root)) {
        moves();
        go(&place);
        place = look(asked);
        bool together = !place.hidden && !place.other_namespaces && !place.other_root;
        result = together ? VBT_SURROUNDINGS_ENTERED : VBT_SURROUNDINGS_CLOSED;
    }
    if (vbt_proc_is_kept() && has_proc())
        release();
    return result;
}

bool vbt_surroundings_share_users(void) { return surroundings.share_users; }
