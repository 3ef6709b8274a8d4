/* See process_info.h. */
#include "process_info.h"

#include "preload/base/clock.h"
#include "preload/base/memory.h"
#include "preload/shared/base_name.h"
#include "preload/shared/options.h"
#include "preload/base/proc.h"
#include "preload/shared/say.h"
#include "preload/base/start.h"
#include "preload/base/sys.h"
#include "preload/thread/full_stack.h"
#include "preload/python/python.h"
#include "helper.h"

#include <fcntl.h>
#include <gnu/libc-version.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

int64_t vbt_started;
struct vbt_unseen vbt_unseen;
int vbt_pid;

enum { TEXT = 256 * 1024, PAGE_KIB = 4 };

static char exe[VBT_PATH_MAX], cwd[VBT_PATH_MAX];
static char options[2 * VBT_PATH_MAX]; /* the environment's VBTRACE_NAME=value, a zero behind each and behind the last */
static struct utsname system_names;
static char *text; /* for files of /proc; mapped when first needed */
static long statm; /* its descriptor */

enum { NOTES = 8 };
static const char *_Atomic notes[NOTES];

/* Now, since the program may change its environment while the helper reads it. */
static void keep_options(void) {
    char *at = options;
    for (char **entry = vbt_environment(); *entry != NULL; entry++) {
        size_t size = strlen(*entry) + 1;
        if (strncmp(*entry, "VBTRACE_", 8) == 0 && size < (size_t)(options + sizeof options - at)) {
            memcpy(at, *entry, size);
            at += size;
        }
    }
}

void vbt_process_info_init(void) {
    vbt_pid = (int)vbt_sys(SYS_getpid);
    vbt_started = vbt_clock_read(CLOCK_REALTIME);
    if (exe[0] != '\0')
        return;
    long size = vbt_sys(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", exe, sizeof exe - 1);
    if (vbt_sys_failed(size))
        strcpy(exe, "unknown");
    if (vbt_sys_failed(vbt_sys(SYS_getcwd, cwd, sizeof cwd)))
        strcpy(cwd, "/");
    vbt_sys(SYS_uname, &system_names);
    keep_options();
}

void vbt_process_tell(const char *note) {
    for (size_t i = 0; i < NOTES; i++) {
        const char *there = NULL;
        if (atomic_compare_exchange_strong(&notes[i], &there, note) || strcmp(there, note) == 0)
            return;
    }
}

const char *vbt_program_path(void) { return exe; }

const char *vbt_program_name(void) { return vbt_base_name(exe); }

const char *vbt_program_directory(void) { return cwd; }

const char *vbt_host_name(void) { return system_names.nodename; }

/* As vbt_proc_text; the size. */
static size_t read_text(const char *path) {
    if (text == NULL && (text = vbt_map(TEXT)) == NULL)
        return 0;
    long fd = vbt_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (vbt_sys_failed(fd))
        return 0;
    size_t size = 0;
    long got;
    while (size < TEXT - 1 && (got = vbt_sys(SYS_read, fd, text + size, TEXT - 1 - size)) > 0)
        size += (size_t)got;
    vbt_sys(SYS_close, fd);
    text[size] = '\0';
    return size;
}

const char *vbt_proc_text(const char *path) { return read_text(path) > 0 ? text : NULL; }

bool vbt_process_is_traced(int pid) {
    char path[64];
    vbt_format(path, sizeof path, "/proc/%d/environ", pid);
    size_t length = read_text(path);
    for (const char *entry = text; length > 0 && entry < text + length; entry += strlen(entry) + 1)
        if (strncmp(entry, "LD_PRELOAD=", 11) == 0 && strstr(entry, "vbtrace") != NULL)
            return true;
    return false;
}

static void put_pair(struct vbt_writer *w, uint64_t *count, const char *key, const char *value) {
    vbt_put_string(w, key, strlen(key));
    vbt_put_string(w, value, strlen(value));
    ++*count;
}

static void put_number(struct vbt_writer *w, uint64_t *count, const char *key, int64_t value) {
    char digits[32];
    vbt_format(digits, sizeof digits, "%ld", (long)value);
    put_pair(w, count, key, digits);
}

/* The command line; of a very long one, the first arguments. Who puts a title in its place leaves zeros behind it. */
static void put_arguments(struct vbt_writer *w, uint64_t *count) {
    enum { MEANT = 3 }; /* empty arguments at the end that somebody may have given */
    size_t length = read_text("/proc/self/cmdline"), end = length;
    while (end > 1 && text[end - 1] == '\0' && text[end - 2] == '\0')
        end--;
    if (length - end > MEANT)
        length = end;
    for (const char *argument = text; length > 0 && argument < text + length; argument += strlen(argument) + 1)
        put_pair(w, count, "arg", argument);
}

void vbt_write_process(struct vbt_chunk_writer *writer) {
    struct vbt_writer *w = vbt_chunk_begin(writer);
    uint8_t *start = w->at;
    w->at += VBT_VARINT_MAX; /* the count, when it is known */
    uint64_t count = 0;
    char libc[64];
    vbt_format(libc, sizeof libc, "glibc %s", gnu_get_libc_version());
    put_pair(w, &count, "vbtrace", VBT_VERSION);
    put_pair(w, &count, "exe", exe);
    put_arguments(w, &count);
    put_pair(w, &count, "cwd", cwd);
    put_pair(w, &count, "host", system_names.nodename);
    put_number(w, &count, "pid", vbt_pid);
    put_number(w, &count, "ppid", vbt_sys(SYS_getppid));
    put_number(w, &count, "started", vbt_started);
    put_pair(w, &count, "libc", libc);
    put_pair(w, &count, "native", vbt_stacks != VBT_STACKS_LEAF ? "full" : "leaf");
    put_number(w, &count, "tick_ns", vbt_options.tick);
    put_number(w, &count, "page_size", PAGE_KIB * 1024);
    if (vbt_python.minor != 0) {
        put_pair(w, &count, "python", vbt_python.version);
        put_pair(w, &count, "python_status", vbt_python.trouble != NULL ? vbt_python.trouble : "ok");
    }
    for (const char *entry = options; *entry != '\0'; entry += strlen(entry) + 1)
        put_pair(w, &count, "option", entry);
    for (size_t i = 0; i < NOTES; i++) {
        const char *note = atomic_load(&notes[i]);
        if (note != NULL)
            put_pair(w, &count, "note", note);
    }
    if (vbt_helper_is_impossible())
        put_pair(
            w, &count, "note",
            "Nothing could be written while the program ran (under Valgrind, an emulator or a filter of system calls): there is no "
            "timeline.");
    if (atomic_load(&vbt_unseen.own_malloc))
        put_pair(w, &count, "note", "The program has a malloc of its own: what goes through it is not seen.");
    if (atomic_load(&vbt_unseen.operators))
        put_pair(w, &count, "note",
                 "The allocator's library has C++'s operators new and delete, too: what goes through those is not seen.");
    if (atomic_load(&vbt_unseen.deep_binding))
        put_pair(w, &count, "note",
                 "A library was loaded with RTLD_DEEPBIND: it finds the C library's malloc and free before vbtrace's, and "
                 "what it allocates and frees is not seen.");
    /* A varint of fixed length would be overlong; so the payload moves up to where the count ends. */
    uint8_t *pairs = start + VBT_VARINT_MAX;
    size_t size = (size_t)(w->at - pairs);
    struct vbt_writer head = {start, pairs, false};
    vbt_put_varint(&head, count);
    memmove(head.at, pairs, size);
    w->at = head.at + size;
    vbt_chunk_end(writer, VBT_CHUNK_PROCESS);
}

static uint64_t hexadecimal(const char **at) {
    uint64_t value = 0;
    for (;; ++*at) {
        unsigned digit = **at >= 'a' ? (unsigned)(**at - 'a') + 10 : (unsigned)(**at - '0');
        if (digit > 15)
            return value;
        value = value << 4 | digit;
    }
}

/* One line of /proc/self/maps: "start-end perms offset device inode   path"; only mappings of files that code runs
 * from. */
static bool put_mapping(struct vbt_writer *w, const char *line, const char *end) {
    const char *at = line;
    uint64_t from = hexadecimal(&at);
    at++;
    uint64_t to = hexadecimal(&at);
    at++;
    bool executable = at[2] == 'x';
    at += 5;
    uint64_t offset = hexadecimal(&at);
    const char *path = memchr(at, '/', (size_t)(end - at));
    if (!executable || path == NULL)
        return false;
    vbt_put_varint(w, from);
    vbt_put_varint(w, to);
    vbt_put_varint(w, offset);
    vbt_put_string(w, path, (size_t)(end - path));
    return true;
}

void vbt_write_mappings(struct vbt_chunk_writer *writer) {
    size_t length = read_text("/proc/self/maps");
    if (length == 0)
        return;
    struct vbt_writer *w = vbt_chunk_begin(writer);
    vbt_put_varint(w, 0);
    uint8_t *start = w->at;
    w->at += VBT_VARINT_MAX;
    uint64_t count = 0;
    for (const char *line = text; line < text + length;) {
        const char *end = memchr(line, '\n', (size_t)(text + length - line));
        if (end == NULL)
            break;
        count += put_mapping(w, line, end);
        line = end + 1;
    }
    uint8_t *rows = start + VBT_VARINT_MAX;
    size_t size = (size_t)(w->at - rows);
    struct vbt_writer head = {start, rows, false};
    vbt_put_varint(&head, count);
    memmove(head.at, rows, size);
    w->at = head.at + size;
    vbt_chunk_end(writer, VBT_CHUNK_MODULES);
}

int64_t vbt_waited_for_processor(void) { return vbt_proc_second("/proc/self/schedstat"); }

void vbt_rss_open(void) { statm = vbt_sys(SYS_openat, AT_FDCWD, "/proc/self/statm", O_RDONLY | O_CLOEXEC, 0); }

void vbt_rss_close(void) {
    if (!vbt_sys_failed(statm))
        vbt_sys(SYS_close, statm);
}

int64_t vbt_rss_now(void) { return vbt_proc_second_of(statm) * PAGE_KIB * 1024; }

int64_t vbt_rss_highest(void) {
    const char *at = read_text("/proc/self/status") > 0 ? strstr(text, "VmHWM:") : NULL;
    int64_t kib = 0;
    for (at = at != NULL ? at + 6 + strspn(at + 6, " \t") : ""; *at >= '0' && *at <= '9'; at++)
        kib = kib * 10 + (*at - '0');
    return kib * 1024;
}
