/* The functions of one ELF file, sorted by address. */
#ifndef VBT_ELF_SYMBOLS_H
#define VBT_ELF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_elf_symbol {
    uint64_t start, size;
    const char *name; /* as linked, in the mapped file */
};

struct vbt_elf_segment {
    uint64_t offset, file_size, address;
};

struct vbt_elf_symbols {
    void *elf[2]; /* the file, and the separate one with its symbols if there is one */
    int fd[2];
    struct vbt_elf_segment *segments;
    size_t segment_count;
    struct vbt_elf_symbol *symbols;
    size_t symbol_count;
    int64_t changed_ns; /* time of the file's last change */
};

/* Opens a file and reads its function symbols: .symtab, if need be from /usr/lib/debug, else .dynsym. False if it is no ELF file
 * that can be read. */
bool vbt_elf_symbols_open(struct vbt_elf_symbols *e, const char *path);

void vbt_elf_symbols_close(struct vbt_elf_symbols *e);

/* From a position in the file to the address it is linked at; false if no segment holds it. */
bool vbt_elf_address(const struct vbt_elf_symbols *e, uint64_t offset, uint64_t *address);

/* The function that covers a linked address, or NULL. */
const struct vbt_elf_symbol *vbt_elf_symbols_find(const struct vbt_elf_symbols *e, uint64_t address);

#endif
