/* See compare_libraries.h. */
#include "compare_libraries.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"
#include "analyzer/symbols/user_code.h"

#include <stdlib.h>
#include <string.h>

/* Python's own library is known by Python's version. */
static bool counts(const struct vbt_user_code *user, const struct vbt_model_module *module, const char *exe) {
    if (module->path == NULL)
        return false;
    const char *name = vbt_file_name(module->path);
    return module->build_id_size > 0 && strstr(name, ".so") != NULL && strncmp(name, "libpython", 9) != 0 &&
           strncmp(name, "libvbtrace", 10) != 0 && (exe == NULL || strcmp(exe, module->path) != 0) &&
           !vbt_user_code_has_module(user, module->path, false);
}

static int by_text(const void *left, const void *right) { return strcmp(*(char *const *)left, *(char *const *)right); }

/* "libz.so.1 1a2b3c4d" */
static char *line_of(const struct vbt_model_module *module) {
    enum { SHOWN = 4 };
    char *line = vbt_text("%s ", vbt_file_name(module->path));
    for (uint32_t i = 0; i < module->build_id_size && i < SHOWN; i++) {
        char *longer = vbt_text("%s%02x", line, module->build_id[i]);
        free(line);
        line = longer;
    }
    return line;
}

char *vbt_libraries_of(const struct vbt_model *m) {
    struct vbt_user_code user;
    const char *exe = vbt_model_process(m, "exe");
    char **lines = vbt_new(m->module_count + 1, sizeof *lines), *list = NULL;
    size_t count = 0;
    vbt_user_code_init(&user, m);
    for (size_t i = 0; i < m->module_count; i++)
        if (counts(&user, &m->modules[i], exe))
            lines[count++] = line_of(&m->modules[i]);
    if (count > 0)
        qsort(lines, count, sizeof *lines, by_text);
    for (size_t i = 0; i < count; i++) {
        char *longer = list == NULL                                   ? vbt_text("%s", lines[i])
                       : i > 0 && strcmp(lines[i - 1], lines[i]) == 0 ? vbt_text("%s", list)
                                                                      : vbt_text("%s\n%s", list, lines[i]);
        free(list);
        list = longer;
    }
    for (size_t i = 0; i < count; i++)
        free(lines[i]);
    free(lines);
    return list;
}

char *vbt_allocator_of(const struct vbt_model *m) {
    static const char *const names[] = {"libjemalloc", "libtcmalloc", "libmimalloc"};
    for (size_t i = 0; i < m->module_count; i++)
        for (size_t k = 0; k < sizeof names / sizeof names[0] && m->modules[i].path != NULL; k++)
            if (strncmp(vbt_file_name(m->modules[i].path), names[k], strlen(names[k])) == 0)
                return vbt_text("%s", vbt_file_name(m->modules[i].path));
    return NULL;
}
