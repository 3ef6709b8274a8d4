/* See elf_symbols.h. */
#include "elf_symbols.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/arrays/binary_search.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_function(const GElf_Sym *symbol, GElf_Word section) {
    int type = GELF_ST_TYPE(symbol->st_info);
    return (type == STT_FUNC || type == STT_GNU_IFUNC) && section != SHN_UNDEF && symbol->st_value != 0;
}

static int by_start(const void *left, const void *right) {
    const struct vbt_elf_symbol *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    /* If a function has several names, the last one in this order is used: the larger, then the one
     * with fewer leading underscores. */
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    size_t left_bars = strspn(a->name, "_"), right_bars = strspn(b->name, "_");
    if (left_bars != right_bars)
        return left_bars > right_bars ? -1 : 1;
    return strcmp(b->name, a->name);
}

void vbt_elf_symbols_read(struct vbt_elf_symbols *s, Dwfl_Module *file) {
    *s = (struct vbt_elf_symbols){0};
    size_t capacity = 0;
    int count = dwfl_module_getsymtab(file);
    for (int i = 1; i < count; i++) {
        GElf_Sym symbol;
        GElf_Addr start;
        GElf_Word section;
        const char *name = dwfl_module_getsym_info(file, i, &symbol, &start, &section, NULL, NULL);
        if (name == NULL || name[0] == '\0' || !is_function(&symbol, section))
            continue;
        s->symbols = vbt_grow(s->symbols, &capacity, s->count + 1, sizeof *s->symbols);
        s->symbols[s->count++] = (struct vbt_elf_symbol){start, symbol.st_size, name};
    }
    if (s->count > 0)
        qsort(s->symbols, s->count, sizeof *s->symbols, by_start);
}

void vbt_elf_symbols_free(struct vbt_elf_symbols *s) {
    free(s->symbols);
    *s = (struct vbt_elf_symbols){0};
}

static bool starts_up_to(const void *symbol, const void *address) {
    return ((const struct vbt_elf_symbol *)symbol)->start <= *(const uint64_t *)address;
}

const struct vbt_elf_symbol *vbt_elf_symbols_find(const struct vbt_elf_symbols *s, uint64_t address) {
    size_t at = vbt_rows_before(s->symbols, s->count, sizeof *s->symbols, starts_up_to, &address);
    /* Functions rarely lie inside others (cold parts, aliases of a tail), so a few steps back find
     * the enclosing one. */
    for (size_t back = 0; back < 8 && at > 0; back++) {
        const struct vbt_elf_symbol *symbol = &s->symbols[--at];
        if (address - symbol->start < symbol->size)
            return symbol;
        if (symbol->size == 0 && back == 0)
            return symbol; /* assembly code without a size: up to the next symbol */
    }
    return NULL;
}
