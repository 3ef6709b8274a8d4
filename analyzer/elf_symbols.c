/* See elf_symbols.h. */
#include "elf_symbols.h"

#include "allocate.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A trace may name any path: only regular files are opened, and opening never waits. */
static Elf *open_elf(const char *path, int *fd, int64_t *changed_ns) {
    *fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (*fd < 0)
        return NULL;
    struct stat status;
    Elf *elf = NULL;
    if (fstat(*fd, &status) == 0 && S_ISREG(status.st_mode)) {
        elf_version(EV_CURRENT);
        elf = elf_begin(*fd, ELF_C_READ_MMAP, NULL);
        if (elf != NULL && elf_kind(elf) != ELF_K_ELF) {
            elf_end(elf);
            elf = NULL;
        }
        if (changed_ns != NULL)
            *changed_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
    }
    if (elf == NULL) {
        close(*fd);
        *fd = -1;
    }
    return elf;
}

static void read_segments(struct vbt_elf_symbols *e) {
    size_t count = 0, capacity = 0;
    if (elf_getphdrnum(e->elf[0], &count) != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(e->elf[0], (int)i, &header) == NULL || header.p_type != PT_LOAD)
            continue;
        e->segments = vbt_grow(e->segments, &capacity, e->segment_count + 1, sizeof *e->segments);
        e->segments[e->segment_count++] = (struct vbt_elf_segment){header.p_offset, header.p_filesz, header.p_vaddr};
    }
}

static bool is_function(const GElf_Sym *symbol) {
    int type = GELF_ST_TYPE(symbol->st_info);
    return (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0;
}

/* Reads the section of symbols of a type; false if there is none. */
static bool read_symbols(struct vbt_elf_symbols *e, Elf *elf, Elf64_Word type) {
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == NULL || header.sh_type != type || header.sh_entsize == 0)
            continue;
        Elf_Data *data = elf_getdata(section, NULL);
        if (data == NULL)
            continue;
        size_t count = data->d_size / header.sh_entsize, capacity = 0;
        for (size_t i = 0; i < count; i++) {
            GElf_Sym symbol;
            if (gelf_getsym(data, (int)i, &symbol) == NULL || !is_function(&symbol))
                continue;
            const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
            if (name == NULL || name[0] == '\0')
                continue;
            e->symbols = vbt_grow(e->symbols, &capacity, e->symbol_count + 1, sizeof *e->symbols);
            e->symbols[e->symbol_count++] = (struct vbt_elf_symbol){symbol.st_value, symbol.st_size, name};
        }
        return e->symbol_count > 0;
    }
    return false;
}

/* Debian puts the symbols that were stripped from a file at a place named by its build id. */
static bool open_debug_file(struct vbt_elf_symbols *e) {
    const void *id;
    ssize_t size = dwelf_elf_gnu_build_id(e->elf[0], &id);
    if (size < 2 || size > 64)
        return false;
    char path[256] = "/usr/lib/debug/.build-id/";
    char *at = path + strlen(path);
    for (ssize_t i = 0; i < size; i++) {
        static const char digits[] = "0123456789abcdef";
        *at++ = digits[((const uint8_t *)id)[i] >> 4];
        *at++ = digits[((const uint8_t *)id)[i] & 15];
        if (i == 0)
            *at++ = '/';
    }
    strcpy(at, ".debug");
    e->elf[1] = open_elf(path, &e->fd[1], NULL);
    return e->elf[1] != NULL;
}

static int by_start(const void *left, const void *right) {
    const struct vbt_elf_symbol *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    /* Of several names for one function the last one wins: the larger, then the one with fewer leading underscores. */
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    size_t left_bars = strspn(a->name, "_"), right_bars = strspn(b->name, "_");
    if (left_bars != right_bars)
        return left_bars > right_bars ? -1 : 1;
    return strcmp(b->name, a->name);
}

bool vbt_elf_symbols_open(struct vbt_elf_symbols *e, const char *path) {
    *e = (struct vbt_elf_symbols){.fd = {-1, -1}};
    e->elf[0] = open_elf(path, &e->fd[0], &e->changed_ns);
    if (e->elf[0] == NULL)
        return false;
    read_segments(e);
    bool found = read_symbols(e, e->elf[0], SHT_SYMTAB);
    if (!found && open_debug_file(e))
        found = read_symbols(e, e->elf[1], SHT_SYMTAB);
    if (!found)
        read_symbols(e, e->elf[0], SHT_DYNSYM);
    if (e->symbol_count > 0)
        qsort(e->symbols, e->symbol_count, sizeof *e->symbols, by_start);
    return true;
}

void vbt_elf_symbols_close(struct vbt_elf_symbols *e) {
    for (int i = 0; i < 2; i++) {
        elf_end(e->elf[i]);
        if (e->fd[i] >= 0)
            close(e->fd[i]);
    }
    free(e->segments);
    free(e->symbols);
    *e = (struct vbt_elf_symbols){.fd = {-1, -1}};
}

bool vbt_elf_address(const struct vbt_elf_symbols *e, uint64_t offset, uint64_t *address) {
    for (size_t i = 0; i < e->segment_count; i++) {
        const struct vbt_elf_segment *segment = &e->segments[i];
        if (offset >= segment->offset && offset - segment->offset < segment->file_size) {
            *address = offset - segment->offset + segment->address;
            return true;
        }
    }
    return false;
}

const struct vbt_elf_symbol *vbt_elf_symbols_find(const struct vbt_elf_symbols *e, uint64_t address) {
    size_t low = 0, high = e->symbol_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (e->symbols[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    /* Functions rarely lie inside others (cold parts, aliases of a tail): a few steps back find the one around. */
    for (size_t back = 0; back < 8 && low > 0; back++) {
        const struct vbt_elf_symbol *symbol = &e->symbols[--low];
        if (address - symbol->start < symbol->size)
            return symbol;
        if (symbol->size == 0 && back == 0)
            return symbol; /* hand-written code without a size: up to the next one */
    }
    return NULL;
}
