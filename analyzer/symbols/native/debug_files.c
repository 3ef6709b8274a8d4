/* See debug_files.h. */
#include "debug_files.h"

#include "analyzer/base/allocate.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool vbt_debug_file_is_special(const char *file, const char *path) {
    struct stat status;
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    if (path == NULL)
        return false;
    bool beside = path[0] != '/' && slash != NULL;
    char *whole = vbt_text("%.*s%s", beside ? (int)(slash + 1 - file) : 0, beside ? file : "", path);
    bool special = stat(whole, &status) == 0 && !S_ISREG(status.st_mode);
    free(whole);
    return special;
}

/* Split units have addresses in a section of their own. */
static bool may_have_split_units(Dwarf *dwarf) {
    Elf *elf = dwarf_getelf(dwarf);
    size_t names;
    if (elf == NULL || elf_getshdrstrndx(elf, &names) != 0)
        return false;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        const char *name = gelf_getshdr(section, &header) != NULL ? elf_strptr(elf, names, header.sh_name) : NULL;
        if (name != NULL && (strcmp(name, ".debug_addr") == 0 || strcmp(name, ".zdebug_addr") == 0))
            return true;
    }
    return false;
}

static const char *text_of(Dwarf_Die *die, unsigned attribute) {
    Dwarf_Attribute found;
    return dwarf_formstring(dwarf_attr(die, attribute, &found));
}

bool vbt_debug_files_are_special(Dwfl_Module *module, Dwarf *dwarf) {
    const char *main_file = NULL, *debug_file = NULL, *alternate;
    const void *id;
    dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, &main_file, &debug_file);
    const char *file = debug_file != NULL ? debug_file : main_file;
    if (dwelf_dwarf_gnu_debugaltlink(dwarf, &alternate, &id) > 0 && vbt_debug_file_is_special(file, alternate))
        return true;
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    bool split = may_have_split_units(dwarf);
    while (split && dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0) {
        const char *name = text_of(&die, DW_AT_dwo_name), *folder = text_of(&die, DW_AT_comp_dir);
        if (name == NULL)
            name = text_of(&die, DW_AT_GNU_dwo_name);
        char *compiled = name != NULL && folder != NULL ? vbt_text("%s/%s", folder, name) : NULL;
        bool special = vbt_debug_file_is_special(file, name) ||
                       vbt_debug_file_is_special(file, name != NULL && name[0] != '/' ? compiled : NULL);
        free(compiled);
        if (special)
            return true;
    }
    return false;
}
