/* The functions of one ELF file, sorted by address. */
#ifndef VBT_ELF_SYMBOLS_H
#define VBT_ELF_SYMBOLS_H

#include <elfutils/libdwfl.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_elf_symbol {
    uint64_t start, size;
    const char *name; /* linkage name */
};

struct vbt_elf_symbols {
    struct vbt_elf_symbol *symbols;
    size_t count;
};

/* Reads the function symbols of a file: its own, else those of its separate debug file, else the
 * exported ones together with those of .gnu_debugdata. The names live as long as the file is
 * open. */
void vbt_elf_symbols_read(struct vbt_elf_symbols *symbols, Dwfl_Module *file);
void vbt_elf_symbols_free(struct vbt_elf_symbols *symbols);

/* The function that covers a linked address, or NULL. */
const struct vbt_elf_symbol *vbt_elf_symbols_find(const struct vbt_elf_symbols *symbols, uint64_t address);

#endif
