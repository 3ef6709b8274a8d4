/* See sanitizer.h.
 *
 * A sanitizer has an allocator that cannot share a process with these hooks. A sanitizer in a
 * library insists on being the first of all libraries, and ends the process if it is not. So such a
 * program is executed again without this library, before any of its code has run, and one line says
 * so. The only moment for that is during relocation: the loader calls an ifunc resolver, whose
 * normal job is to choose between implementations of a function. All libraries are mapped by then,
 * but none of their functions may be called, not even strlen, as the sanitizer has its own versions
 * of most. */
#include "sanitizer.h"

#include "format/count.h"
#include "preload/base/start.h"
#include "preload/base/sys.h"
#include "preload/shared/base_name.h"
#include "preload/shared/say.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096 };

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

static size_t length_of(const char *text) {
    size_t length = 0;
    for (; text[length] != '\0'; length++)
        __asm__(""); /* keeps the compiler from calling strlen */
    return length;
}

/* The length of a prefix; 0: the text does not start with it. */
static size_t begins(const char *text, const char *beginning) {
    size_t length = 0;
    for (; beginning[length] != '\0'; length++)
        if (text[length] != beginning[length])
            return 0;
    return length;
}

/* The sanitizer that a library belongs to, judging by its name, such as libasan.so.8 or
 * libclang_rt.asan-x86_64.so; or NULL. */
static const char *sanitizer_of(const char *name) {
    static const struct {
        char part[8], name[24];
    } known[] = {
        {"asan", "AddressSanitizer"}, {"hwasan", "HWAddressSanitizer"}, {"lsan", "LeakSanitizer"}, {"tsan", "ThreadSanitizer"}};
    size_t start = begins(name, "libclang_rt.");
    start = start != 0 ? start : begins(name, "lib");
    for (size_t i = 0; start > 0 && i < VBT_COUNT(known); i++) {
        size_t length = begins(name + start, known[i].part);
        if (length > 0 && (name[start + length] == '.' || name[start + length] == '-'))
            return known[i].name;
    }
    return NULL;
}

static bool is_gap(char c) { return c == ' ' || c == ':'; }

/* Removes a library from the list in LD_PRELOAD, by its file name, whatever its directory. False:
 * it is not there. */
static bool take_out(char *list, const char *library) {
    size_t size = length_of(library);
    bool found = false;
    char *kept = list;
    while (*list != '\0') {
        size_t length = 0;
        while (is_gap(list[length]))
            length++;
        char *entry = list + length;
        while (list[length] != '\0' && !is_gap(list[length]))
            length++;
        char *end = list + length, *name = end - size;
        if (name >= entry && begins(name, library) == size && (name == entry || name[-1] == '/')) {
            found = true;
            list = end;
        }
        while (list < end)
            *kept++ = *list++;
    }
    *kept = '\0';
    return found;
}

static bool same_file(const char *one, const char *other) {
    struct stat a, b;
    return !vbt_sys_failed(vbt_sys(SYS_newfstatat, AT_FDCWD, one, &a, 0)) &&
           !vbt_sys_failed(vbt_sys(SYS_newfstatat, AT_FDCWD, other, &b, 0)) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Returns only if the process cannot be executed again. */
static void execute_without(const char *library, const char *sanitizer) {
    static const char variable[] = "LD_PRELOAD=", own_file[] = "/proc/self/exe";
    struct vbt_start start = vbt_start();
    char **preload = start.environment, path[PATH_ROOM];
    while (*preload != NULL && begins(*preload, variable) == 0)
        preload++;
    const char *started = NULL;
    bool by_loader = true, careful = false;
    for (const ElfW(auxv_t) *entry = start.auxiliary; entry->a_type != AT_NULL; entry++) {
        by_loader &=
            entry->a_type != AT_BASE || entry->a_un.a_val == 0; /* started as ld.so PROGRAM: which program is not recorded there */
        careful |= entry->a_type == AT_SECURE && entry->a_un.a_val != 0;
        started = entry->a_type == AT_EXECFN ? (const char *)entry->a_un.a_val : started;
    }
    if (*preload == NULL || by_loader || careful || !take_out(*preload + sizeof variable - 1, library))
        return;
    if ((*preload)[sizeof variable - 1] == '\0')
        for (; *preload != NULL; preload++)
            preload[0] = preload[1];
    if (started == NULL || !same_file(started, own_file)) { /* a script that the program runs */
        long size = vbt_sys(SYS_readlinkat, AT_FDCWD, own_file, path, sizeof path - 1);
        path[vbt_sys_failed(size) ? 0 : size] = '\0';
        started = path;
    }
    vbt_say_init();
    vbt_say("%s: is built with %s, which replaces malloc as vbtrace does; running untraced", started, sanitizer);
    vbt_sys(SYS_execve, started, start.arguments, start.environment);
}

static void nothing(void) {}

static void (*look_for_libraries(void))(void) {
    const char *sanitizer = NULL, *own_name = NULL;
    for (const struct link_map *library = _r_debug.r_map; library != NULL; library = library->l_next) {
        const char *name = vbt_base_name(library->l_name);
        if (library->l_ld == _DYNAMIC)
            own_name = name;
        sanitizer = sanitizer != NULL ? sanitizer : sanitizer_of(name);
    }
    if (sanitizer != NULL && own_name != NULL)
        execute_without(own_name, sanitizer);
    return nothing;
}

static void chosen(void) __attribute__((ifunc("look_for_libraries")));

/* A reference that makes the loader resolve it. */
__attribute__((used)) static void (*const volatile reference)(void) = chosen;

bool vbt_sanitizer_in_program(void) {
    const char *names = NULL;
    size_t size = 0;
    for (const ElfW(Dyn) *entry = _r_debug.r_map->l_ld; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_STRTAB)
            names = (const char *)entry->d_un.d_ptr;
        if (entry->d_tag == DT_STRSZ)
            size = entry->d_un.d_val;
    }
    for (const char *end = names + size; names < end; names += length_of(names) + 1)
        if (begins(names, "__sanitizer_") != 0)
            return true;
    return false;
}
