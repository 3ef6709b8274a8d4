/* See symbols.h. */
#include "symbols.h"

#include "address_map.h"
#include "allocate.h"
#include "elf_symbols.h"

#include <demangle.h>
#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct module {
    const char *path;
    bool asked, opened, no_lines;
    struct vbt_elf_symbols elf;
    Dwfl *dwfl;
    Dwfl_Module *dwarf;
};

struct name {
    char *text;
    struct name *next;
};

struct vbt_symbols {
    const struct vbt_model *model;
    struct vbt_address_map map;
    struct module *modules; /* one a distinct path */
    size_t module_count;
    uint32_t *module_of; /* by row of the model's modules */
    struct name *names;  /* strings that were made here */
    const char *exe;
    int64_t started_ns;
};

/* Rows of the model in order of their path, for finding those that share one. */
static int by_path(const void *left, const void *right, void *modules) {
    const struct vbt_module *rows = modules;
    return strcmp(rows[*(const uint32_t *)left].path, rows[*(const uint32_t *)right].path);
}

struct vbt_symbols *vbt_symbols_new(const struct vbt_model *model) {
    struct vbt_symbols *s = vbt_new(1, sizeof *s);
    s->model = model;
    s->exe = vbt_model_process(model, "exe");
    s->started_ns = vbt_model_process_number(model, "started");
    vbt_address_map_build(&s->map, model->modules, model->module_count);

    size_t count = model->module_count;
    uint32_t *order = vbt_new(count, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, count, sizeof *order, by_path, model->modules);
    s->modules = vbt_new(count, sizeof *s->modules);
    s->module_of = vbt_new(count, sizeof *s->module_of);
    for (size_t i = 0; i < count; i++) {
        const char *path = model->modules[order[i]].path;
        if (s->module_count == 0 || strcmp(s->modules[s->module_count - 1].path, path) != 0)
            s->modules[s->module_count++].path = path;
        s->module_of[order[i]] = (uint32_t)s->module_count - 1;
    }
    free(order);
    return s;
}

void vbt_symbols_free(struct vbt_symbols *s) {
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->module_count; i++) {
        dwfl_end(s->modules[i].dwfl);
        if (s->modules[i].opened)
            vbt_elf_symbols_close(&s->modules[i].elf);
    }
    while (s->names != NULL) {
        struct name *next = s->names->next;
        free(s->names->text);
        free(s->names);
        s->names = next;
    }
    vbt_address_map_free(&s->map);
    free(s->modules);
    free(s->module_of);
    free(s);
}

static const char *own(struct vbt_symbols *s, char *text) {
    struct name *name = vbt_new(1, sizeof *name);
    *name = (struct name){.text = text, .next = s->names};
    s->names = name;
    return text;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* As people write it: without a symbol version, C++ and Rust demangled. */
static const char *readable(struct vbt_symbols *s, const char *linked) {
    char *name = vbt_copy(linked, strcspn(linked, "@"));
    char *demangled = cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO);
    if (demangled == NULL)
        return own(s, name);
    free(name);
    return own(s, demangled);
}

static bool is_system_library(const char *path) {
    static const char *const folders[] = {"/usr/lib", "/lib"}; /* lib32, lib64 and libx32 too */
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (strncmp(path, folders[i], strlen(folders[i])) == 0)
            return true;
    return false;
}

/* Opens the line table of a module. */
static Dwfl_Module *open_lines(struct module *module) {
    static char *debug_path;
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
        .debuginfo_path = &debug_path,
    };
    unsetenv("DEBUGINFOD_URLS"); /* a report never waits for the network */
    module->dwfl = dwfl_begin(&callbacks);
    if (module->dwfl == NULL)
        return NULL;
    dwfl_report_begin(module->dwfl);
    Dwfl_Module *reported = dwfl_report_elf(module->dwfl, module->path, module->path, -1, 0, true);
    dwfl_report_end(module->dwfl, NULL, NULL);
    return reported;
}

static void find_line(struct vbt_symbols *s, struct module *module, uint64_t address, struct vbt_symbol *found) {
    bool main_program = s->exe != NULL && strcmp(s->exe, module->path) == 0;
    if (module->no_lines || (!main_program && is_system_library(module->path)))
        return;
    if (module->dwarf == NULL)
        module->dwarf = open_lines(module);
    Dwarf_Addr bias;
    if (module->dwarf == NULL || dwfl_module_getdwarf(module->dwarf, &bias) == NULL) {
        module->no_lines = true;
        return;
    }
    Dwfl_Line *line = dwfl_module_getsrc(module->dwarf, address);
    int number = 0;
    const char *file = line != NULL ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;
    if (file == NULL || number <= 0)
        return;
    const char *folder = file[0] != '/' ? dwfl_line_comp_dir(line) : NULL;
    found->file = folder != NULL ? own(s, vbt_text("%s/%s", folder, file)) : file;
    found->line = number;
}

void vbt_symbols_find(struct vbt_symbols *s, const struct vbt_site *site, struct vbt_symbol *found) {
    uint64_t address = site->a - 1;
    *found = (struct vbt_symbol){.module = ""};
    ptrdiff_t row = site->module != 0 ? (ptrdiff_t)s->model->module_by_id[site->module] : vbt_address_map_find(&s->map, address);
    if (row < 0) {
        found->function = own(s, vbt_text("0x%" PRIx64, address));
        return;
    }
    const struct vbt_module *mapped = &s->model->modules[row];
    struct module *module = &s->modules[s->module_of[row]];
    found->module = module->path;
    uint64_t position = address - mapped->start + (mapped->id != 0 ? mapped->linked : mapped->offset);
    if (!module->asked) {
        module->asked = true;
        module->opened = module->path[0] == '/' && vbt_elf_symbols_open(&module->elf, module->path);
    }
    uint64_t linked;
    if (module->opened && (mapped->id != 0 ? (linked = position, true) : vbt_elf_address(&module->elf, position, &linked))) {
        const struct vbt_elf_symbol *symbol = vbt_elf_symbols_find(&module->elf, linked);
        found->function = symbol != NULL ? readable(s, symbol->name) : NULL;
        find_line(s, module, linked, found);
        position = linked;
    }
    if (found->function == NULL)
        found->function = own(s, vbt_text("%s+0x%" PRIx64, base_name(module->path), position));
}

bool vbt_symbols_changed(const struct vbt_symbols *s, const char **path) {
    for (size_t i = 0; s->started_ns > 0 && i < s->module_count; i++)
        if (s->modules[i].opened && s->modules[i].elf.changed_ns > s->started_ns) {
            *path = s->modules[i].path;
            return true;
        }
    return false;
}
