/* See inlines.h.
 *
 * The functions of a compilation unit are collected when one of its addresses is first asked for,
 * and sorted by address; only the function that covers an address is then searched for inlined
 * ones. Units are found by .debug_aranges; those of compilers that do not write it (LLVM) are
 * collected as well. Damaged debug information may point anywhere: siblings must lie ahead, and
 * depth is bounded. */
#include "analyzer/base/hash.h"

#include "inlines.h"

#include "debug_files.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/arrays/binary_search.h"
#include "format/format.h"

#include <dwarf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DEPTH = VBT_FRAMES_MAX };

struct die_range {
    Dwarf_Addr start, end;
    Dwarf_Off die;
};

struct die_ranges {
    struct die_range *rows;
    size_t count, capacity;
};

struct unit {
    Dwarf_Off die;
    Dwarf_Die full; /* the one with the functions: in a split file, if there is one */
    struct die_ranges functions;
    UT_hash_handle hh;
};

struct vbt_inlines {
    Dwfl_Module *file;
    Dwarf *dwarf;
    Dwarf_Addr bias; /* from addresses in the debug information to those in the file */
    bool opened;
    enum vbt_inlines_trouble trouble;
    bool indexed;            /* units were collected */
    struct die_ranges index; /* units by address */
    struct unit *units;
    struct vbt_inline *chain;
    size_t chain_capacity;
};

struct vbt_inlines *vbt_inlines_new(Dwfl_Module *file) {
    struct vbt_inlines *in = vbt_new(1, sizeof *in);
    in->file = file;
    return in;
}

void vbt_inlines_free(struct vbt_inlines *in) {
    if (in == NULL)
        return;
    struct unit *unit, *next;
    HASH_ITER(hh, in->units, unit, next) {
        HASH_DEL(in->units, unit);
        free(unit->functions.rows);
        free(unit);
    }
    free(in->index.rows);
    free(in->chain);
    free(in);
}

static int by_start(const void *left, const void *right) {
    const struct die_range *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->end > b->end ? -1 : a->end < b->end; /* the outer one first */
}

static void sort_ranges(struct die_ranges *ranges) {
    if (ranges->count > 0)
        qsort(ranges->rows, ranges->count, sizeof *ranges->rows, by_start);
}

/* Adds the addresses of a unit or function. */
static void add_ranges(struct die_ranges *ranges, Dwarf_Die *die) {
    Dwarf_Addr base, start, end;
    for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &start, &end)) > 0;) {
        if (start >= end)
            continue;
        ranges->rows = vbt_grow(ranges->rows, &ranges->capacity, ranges->count + 1, sizeof *ranges->rows);
        ranges->rows[ranges->count++] = (struct die_range){start, end, dwarf_dieoffset(die)};
    }
}

static bool starts_up_to(const void *range, const void *address) {
    return ((const struct die_range *)range)->start <= *(const Dwarf_Addr *)address;
}

static const struct die_range *find_range(const struct die_ranges *ranges, Dwarf_Addr address) {
    size_t at = vbt_rows_before(ranges->rows, ranges->count, sizeof *ranges->rows, starts_up_to, &address);
    for (size_t back = 0; back < 8 && at > 0; back++) /* ranges rarely nest */
        if (address < ranges->rows[--at].end)
            return &ranges->rows[at];
    return NULL;
}

/* Moves on to the next sibling DIE; false at the end. */
static bool next_sibling(Dwarf_Die *die) {
    Dwarf_Off before = dwarf_dieoffset(die);
    return dwarf_siblingof(die, die) == 0 && dwarf_dieoffset(die) > before;
}

/* Functions are found at the top of a unit, in namespaces, and in types. */
static void collect_functions(struct die_ranges *functions, Dwarf_Die *parent, int depth) {
    Dwarf_Die die;
    if (depth == MAX_DEPTH || dwarf_child(parent, &die) != 0)
        return;
    do {
        switch (dwarf_tag(&die)) {
        case DW_TAG_subprogram:
            add_ranges(functions, &die);
            break;
        case DW_TAG_namespace:
        case DW_TAG_module:
        case DW_TAG_class_type:
        case DW_TAG_structure_type:
        case DW_TAG_union_type:
        case DW_TAG_enumeration_type:
            if (dwarf_haschildren(&die) > 0)
                collect_functions(functions, &die, depth + 1);
            break;
        default:
            break;
        }
    } while (next_sibling(&die));
}

/* The unit that a skeleton (-gsplit-dwarf) stands for, or the same. */
static Dwarf_Die full_unit(struct vbt_inlines *in, Dwarf_Die *unit) {
    Dwarf_Die itself, split;
    uint8_t type;
    if (dwarf_cu_info(unit->cu, NULL, &type, &itself, &split, NULL, NULL, NULL) != 0 || type != DW_UT_skeleton)
        return *unit;
    /* libdw's dwarf_decl_file (0.188) stops the program where a split unit's files were not
     * read. */
    Dwarf_Files *files;
    size_t count;
    if (split.addr != NULL && dwarf_getsrcfiles(&split, &files, &count) == 0)
        return split;
    in->trouble = VBT_INLINES_SPLIT;
    return *unit;
}

static struct unit *functions_of(struct vbt_inlines *in, Dwarf_Die *unit_die) {
    Dwarf_Off key = dwarf_dieoffset(unit_die);
    struct unit *unit;
    HASH_FIND(hh, in->units, &key, sizeof key, unit);
    if (unit == NULL) {
        unit = vbt_new(1, sizeof *unit);
        unit->die = key;
        unit->full = full_unit(in, unit_die);
        collect_functions(&unit->functions, &unit->full, 0);
        sort_ranges(&unit->functions);
        HASH_ADD(hh, in->units, die, sizeof unit->die, unit);
    }
    return unit;
}

/* Is a section of debug information compressed in another way than with zlib? */
static bool is_packed(Elf *elf) {
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        GElf_Chdr packed;
        if (gelf_getshdr(section, &header) != NULL && (header.sh_flags & SHF_COMPRESSED) != 0 &&
            gelf_getchdr(section, &packed) != NULL && packed.ch_type != ELFCOMPRESS_ZLIB)
            return true;
    }
    return false;
}

/* Why there is none: in the file, or in a separate one that libdw has opened. */
static enum vbt_inlines_trouble why_none(struct vbt_inlines *in) {
    GElf_Addr bias;
    const char *separate = NULL;
    Elf *elf = dwfl_module_getelf(in->file, &bias);
    bool packed = elf != NULL && is_packed(elf);
    dwfl_module_info(in->file, NULL, NULL, NULL, NULL, NULL, NULL, &separate);
    int fd = !packed && separate != NULL ? open(separate, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    if (fd >= 0 && (elf = elf_begin(fd, ELF_C_READ_MMAP, NULL)) != NULL) {
        packed = is_packed(elf);
        elf_end(elf);
    }
    if (fd >= 0)
        close(fd);
    return packed ? VBT_INLINES_PACKED : VBT_INLINES_READ;
}

enum vbt_inlines_trouble vbt_inlines_trouble(const struct vbt_inlines *in) { return in != NULL ? in->trouble : VBT_INLINES_READ; }

static bool find_unit(struct vbt_inlines *in, Dwarf_Addr address, Dwarf_Die *die) {
    Dwarf_Addr bias;
    Dwarf_Die *found = dwfl_module_addrdie(in->file, address + in->bias, &bias);
    if (found != NULL) {
        *die = *found;
        return true;
    }
    if (!in->indexed) {
        in->indexed = true;
        for (Dwarf_Die *unit = NULL; (unit = dwfl_module_nextcu(in->file, unit, &bias)) != NULL;)
            add_ranges(&in->index, unit);
        if (in->index.count == 0)
            in->trouble = why_none(in);
        sort_ranges(&in->index);
    }
    const struct die_range *range = find_range(&in->index, address);
    return range != NULL && dwarf_offdie(in->dwarf, range->die, die) != NULL;
}

/* Finds the block or inlined function within a DIE that holds an address. */
static bool enter(Dwarf_Die *parent, Dwarf_Addr address, Dwarf_Die *die) {
    if (dwarf_child(parent, die) != 0)
        return false;
    do {
        int tag = dwarf_tag(die);
        if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block) && dwarf_haspc(die, address) > 0)
            return true;
    } while (next_sibling(die));
    return false;
}

/* Appends the inlined functions that hold an address to the function that contains them, dies[0].
 * Returns how many there are in all. */
static size_t descend(Dwarf_Die dies[MAX_DEPTH], Dwarf_Addr address) {
    size_t count = 1;
    Dwarf_Die at = dies[0], inner;
    for (int blocks = 0; count < MAX_DEPTH && blocks < 16 * MAX_DEPTH && enter(&at, address, &inner); blocks++) {
        at = inner;
        if (dwarf_tag(&at) == DW_TAG_inlined_subroutine)
            dies[count++] = at;
    }
    return count;
}

static const char *text_of(Dwarf_Die *die, unsigned attribute) {
    Dwarf_Attribute found;
    return dwarf_formstring(dwarf_attr_integrate(die, attribute, &found));
}

static const char *linked_name(Dwarf_Die *die) {
    const char *name = text_of(die, DW_AT_linkage_name);
    if (name == NULL)
        name = text_of(die, DW_AT_MIPS_linkage_name);
    return name;
}

/* Are functions of this language known by their plain names? */
static bool names_are_plain(Dwarf_Die *unit) {
    switch (dwarf_srclang(unit)) {
    case DW_LANG_C_plus_plus:
    case DW_LANG_C_plus_plus_03:
    case DW_LANG_C_plus_plus_11:
    case DW_LANG_C_plus_plus_14:
    case DW_LANG_Rust:
    case DW_LANG_D:
        return false;
    default:
        return true;
    }
}

static int number_of(Dwarf_Die *die, unsigned attribute) {
    Dwarf_Attribute found;
    Dwarf_Word number;
    if (dwarf_formudata(dwarf_attr(die, attribute, &found), &number) != 0 || number > INT32_MAX)
        return 0;
    return (int)number;
}

/* Finds where an inlined function was called from. */
static void find_call(Dwarf_Die *unit, Dwarf_Die *inlined, struct vbt_inline *caller) {
    Dwarf_Files *files;
    size_t count;
    int file = number_of(inlined, DW_AT_call_file);
    caller->line = number_of(inlined, DW_AT_call_line);
    if (dwarf_getsrcfiles(unit, &files, &count) == 0 && file >= 0 && (size_t)file < count)
        caller->file = dwarf_filesrc(files, (size_t)file, NULL, NULL);
}

static void find_own_line(Dwarf_Die *unit, Dwarf_Addr address, struct vbt_inline *own) {
    Dwarf_Line *line = dwarf_getsrc_die(unit, address);
    if (line == NULL || dwarf_lineno(line, &own->line) != 0 || own->line <= 0) {
        own->line = 0;
        return;
    }
    own->file = dwarf_linesrc(line, NULL, NULL);
}

/* A function that is local to a file has no linkage name. */
static void describe(Dwarf_Die *unit, Dwarf_Die *die, struct vbt_inline *function) {
    function->linked = linked_name(die);
    if (function->linked == NULL) {
        function->linked = text_of(die, DW_AT_name);
        function->plain = !names_are_plain(unit);
    }
    function->declared_file = dwarf_decl_file(die);
    if (dwarf_decl_line(die, &function->declared_line) != 0)
        function->declared_line = 0;
}

static bool open_debug_information(struct vbt_inlines *in) {
    if (!in->opened) {
        in->opened = true;
        in->dwarf = dwfl_module_getdwarf(in->file, &in->bias);
        if (in->dwarf == NULL)
            in->trouble = why_none(in);
        if (in->dwarf != NULL && vbt_debug_files_are_special(in->file, in->dwarf)) {
            in->dwarf = NULL;
            in->trouble = VBT_INLINES_SPLIT;
        }
    }
    return in->dwarf != NULL;
}

size_t vbt_inlines_find(struct vbt_inlines *in, uint64_t linked, const struct vbt_inline **chain) {
    Dwarf_Die unit, dies[MAX_DEPTH];
    if (!open_debug_information(in))
        return 0;
    Dwarf_Addr address = linked - in->bias;
    if (!find_unit(in, address, &unit))
        return 0;
    size_t count = 1;
    struct unit *whole = functions_of(in, &unit);
    const struct die_range *function = find_range(&whole->functions, address);
    bool known = function != NULL && dwarf_offdie(dwarf_cu_getdwarf(whole->full.cu), function->die, &dies[0]) != NULL;
    if (known)
        count = descend(dies, address);

    in->chain = vbt_grow(in->chain, &in->chain_capacity, count, sizeof *in->chain);
    memset(in->chain, 0, count * sizeof *in->chain);
    const char *folder = text_of(&unit, DW_AT_comp_dir);
    find_own_line(&unit, address, &in->chain[0]);
    for (size_t i = 0; i < count; i++) {
        struct vbt_inline *at = &in->chain[i];
        at->folder = folder;
        if (i > 0)
            find_call(&whole->full, &dies[count - i], at);
        if (known)
            describe(&whole->full, &dies[count - 1 - i], at);
    }
    *chain = in->chain;
    return count;
}
