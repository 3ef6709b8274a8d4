/* See user_code.h. */
#include "user_code.h"

#include "format/count.h"
#include "preload/shared/base_name.h"
#include "preload/shared/patterns.h"

#include <limits.h>
#include <string.h>

static bool begins(const char *text, const char *start) { return strncmp(text, start, strlen(start)) == 0; }

static bool contains_one_of(const char *path, const char *const *parts) {
    for (; *parts != NULL; parts++)
        if (strstr(path, *parts) != NULL)
            return true;
    return false;
}

static bool begins_with_one_of(const char *path, const char *const *starts) {
    for (; *starts != NULL; starts++)
        if (begins(path, *starts))
            return true;
    return false;
}

/* Folders in which whole systems and homes lie: what is below them says nothing. */
static bool is_too_wide(const char *folder, size_t length) {
    static const char *const wide[] = {"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib",
                                       "/opt", "/home",  "/root",    "/tmp"};
    for (size_t i = 0; i < VBT_COUNT(wide); i++)
        if (length <= 1 || (strncmp(wide[i], folder, length) == 0 && (wide[i][length] == '/' || wide[i][length] == '\0')))
            return true;
    bool is_home = begins(folder, "/home/") && memchr(folder + 6, '/', length - 6) == NULL;
    return is_home || (length > 10 && strncmp(folder + length - 10, "-linux-gnu", 10) == 0);
}

static void add_folder(struct vbt_user_code *user, const char *folder, size_t length) {
    size_t at = user->folders[0] != NULL;
    if (is_too_wide(folder, length))
        return;
    user->folders[at] = folder;
    user->lengths[at] = length;
}

void vbt_user_code_init(struct vbt_user_code *user, const struct vbt_model *m) {
    static const char option[] = "VBTRACE_USER=";
    const char *exe = vbt_model_process(m, "exe"), *cwd = vbt_model_process(m, "cwd");
    *user = (struct vbt_user_code){0};
    if (exe != NULL && exe[0] == '/' && vbt_model_process(m, "python") == NULL)
        add_folder(user, exe, (size_t)(vbt_base_name(exe) - exe) - 1);
    if (cwd != NULL && cwd[0] == '/')
        add_folder(user, cwd, strlen(cwd));
    for (size_t i = 0; i < m->process_count; i++)
        if (strcmp(m->process[i].key, "option") == 0 && begins(m->process[i].value, option))
            user->patterns = m->process[i].value + strlen(option);
}

bool vbt_user_code_is_program(const struct vbt_model *m) {
    const char *exe = vbt_model_process(m, "exe");
    return vbt_model_is_merged(m) || vbt_model_process(m, "python") == NULL || exe == NULL ||
           strncmp(vbt_base_name(exe), "python", 6) != 0;
}

/* 1: a pattern names it; -1: one with "!" does; 0: none. */
static int decide(const struct vbt_user_code *user, const char *path) {
    bool wanted;
    return user->patterns != NULL ? vbt_patterns_name(user->patterns, path, &wanted) : 0;
}

/* Removes "folder/.." from a path: clang names its headers /usr/bin/../lib/gcc/... Where links lead
 * does not matter here. Returns the path itself where there is nothing to remove. */
static const char *without_detours(const char *path, char buffer[PATH_MAX]) {
    size_t size = 0;
    if (strstr(path, "/../") == NULL || strlen(path) >= PATH_MAX)
        return path;
    for (const char *at = path; *at != '\0';) {
        size_t length = 1 + strcspn(at + 1, "/");
        if (length == 3 && strncmp(at, "/..", 3) == 0) {
            while (size > 0 && buffer[--size] != '/')
                ;
        } else {
            memcpy(buffer + size, at, length);
            size += length;
        }
        at += length;
    }
    buffer[size] = '\0';
    return buffer;
}

/* The folder holds it, but somebody else wrote it: a package manager's, a hidden folder's. */
static bool is_brought(const char *below) {
    static const char *const parts[] = {"/site-packages/", "/dist-packages/", "/node_modules/", "/lib-dynload/", "/.", NULL};
    return contains_one_of(below, parts);
}

/* Bundles carry these along. */
static bool is_runtime(const char *name) {
    static const char *const starts[] = {"libc.so",     "libc-2.",     "ld-linux", "ld-2.",      "libm.so",     "libpthread",
                                         "libdl.so",    "librt.so",    "libgcc_s", "libstdc++.", "libc++",      "libpython",
                                         "libvbtrace",  "libunwind",   "libasan",  "libgomp",    "libgfortran", "libjemalloc",
                                         "libtcmalloc", "libmimalloc", NULL};
    return begins_with_one_of(name, starts);
}

bool vbt_user_code_has_module(const struct vbt_user_code *user, const char *path, bool is_program) {
    char buffer[PATH_MAX];
    int decided = decide(user, path);
    if (decided != 0 || is_program)
        return decided >= 0;
    path = without_detours(path, buffer);
    for (size_t i = 0; i < VBT_COUNT(user->folders) && user->folders[i] != NULL && !is_runtime(vbt_base_name(path)); i++)
        if (strncmp(path, user->folders[i], user->lengths[i]) == 0 && path[user->lengths[i]] == '/' &&
            !is_brought(path + user->lengths[i]))
            return true;
    return false;
}

/* Is it a file of library code that is compiled into the program: a header, or Rust's own crates
 * and those of package managers? */
static bool is_library_source(const char *path) {
    static const char *const starts[] = {"/usr/include/", "/usr/lib/", "/usr/local/include/", "/usr/src/", "/rustc/",
                                         "/rust/deps/",   NULL};
    static const char *const parts[] = {"/include/c++/", "/.cargo/registry/", "/.cargo/git/",      "/cargo/registry/",
                                        "/rustlib/",     "/.conan",           "/vcpkg_installed/", NULL};
    char buffer[PATH_MAX];
    const char *file = without_detours(path, buffer);
    return begins_with_one_of(file, starts) || contains_one_of(file, parts);
}

bool vbt_user_code_has_source(const struct vbt_user_code *user, const char *file) {
    int decided = file != NULL ? decide(user, file) : 1;
    return decided != 0 ? decided > 0 : !is_library_source(file);
}

static bool ends(const char *text, const char *end) {
    size_t size = strlen(text), length = strlen(end);
    return size >= length && strcmp(text + size - length, end) == 0;
}

static bool is_cython_source(const char *file) {
    return ends(file, ".pyx") || ends(file, ".pxd") || ends(file, ".pxi") || ends(file, ".py");
}

/* Of the names that stay as Cython made them, only that of a module's body stands for code. */
static bool is_cython_name(const char *function) {
    return begins(function, "__Pyx_") || (begins(function, "__pyx_") && !begins(function, "__pyx_pymod_exec_"));
}

bool vbt_user_code_is_cython(const char *function, const char *file) { return is_cython_source(file) && !is_cython_name(function); }

bool vbt_user_code_is_cython_helper(const char *function, const char *file) {
    const char *name = vbt_base_name(file);
    bool made_up = strcmp(name, "cython_utility") == 0 || strcmp(name, "(tree fragment)") == 0 || strcmp(name, "stringsource") == 0;
    return made_up || (is_cython_source(file) && is_cython_name(function));
}

bool vbt_user_code_has_python(const struct vbt_user_code *user, const char *file, bool otherwise) {
    int decided = decide(user, file);
    return decided != 0 ? decided > 0 : otherwise;
}
