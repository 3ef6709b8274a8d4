/* See loaded.h.
 *
 * glibc's _dl_find_object gives the range of the whole file where its segments are contiguous,
 * which is so for all that the loader maps itself. The kernel maps the program and the loader, and
 * leaves gaps between their segments where these are aligned to more than a page. glibc up to 2.40
 * gives the whole range of such a file, too; later ones, and patched older ones (glibc's bug
 * 31943), that of the one segment. */
#include "loaded.h"

#include "preload/base/glibc.h"
#include "preload/base/sys.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/auxv.h>

static void set_headers(struct vbt_loaded *loaded, const ElfW(Phdr) * headers, size_t count) {
    loaded->headers = headers;
    loaded->header_count = count;
}

/* Headers at the start of a range of this file's. */
static bool take_headers_at(struct vbt_loaded *loaded, uintptr_t start, uintptr_t end) {
    const ElfW(Ehdr) *file = (const ElfW(Ehdr) *)start;
    size_t size = end - start;
    if (size < sizeof *file || memcmp(file->e_ident, ELFMAG, SELFMAG) != 0 || file->e_phentsize != sizeof(ElfW(Phdr)) ||
        file->e_phoff > size || file->e_phnum > (size - file->e_phoff) / sizeof(ElfW(Phdr)))
        return false;
    set_headers(loaded, (const ElfW(Phdr) *)(start + file->e_phoff), file->e_phnum);
    return true;
}

/* The range of this file's that holds an address. */
static bool find_range(const struct vbt_loaded *loaded, uintptr_t address, struct dl_find_object *object) {
    return _dl_find_object((void *)address, object) == 0 && object->dlfo_link_map == loaded->map;
}

/* The kernel says where the program's headers are; other files are linked to start at 0, and so
 * begin where they were moved to. */
static void find_headers(struct vbt_loaded *loaded) {
    struct dl_find_object object;
    uintptr_t program = getauxval(AT_PHDR), bias = loaded->bias;
    if (loaded->start == bias && take_headers_at(loaded, loaded->start, loaded->end))
        return;
    if (program != 0 && find_range(loaded, program, &object)) {
        size_t count = getauxval(AT_PHNUM);
        if (count <= ((uintptr_t)object.dlfo_map_end - program) / sizeof(ElfW(Phdr)))
            set_headers(loaded, (const ElfW(Phdr) *)program, count);
    } else if (loaded->start != bias && find_range(loaded, bias, &object) && (uintptr_t)object.dlfo_map_start == bias) {
        take_headers_at(loaded, bias, (uintptr_t)object.dlfo_map_end);
    } else {
        take_headers_at(loaded, loaded->start, loaded->end);
    }
}

/* From the first to the last segment. */
static void measure(struct vbt_loaded *loaded) {
    uintptr_t page = getauxval(AT_PAGESZ);
    for (size_t i = 0; i < loaded->header_count; i++) {
        const ElfW(Phdr) *segment = &loaded->headers[i];
        if (segment->p_type != PT_LOAD)
            continue;
        uintptr_t start = (loaded->bias + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = loaded->bias + segment->p_vaddr + segment->p_memsz;
        loaded->start = start < loaded->start ? start : loaded->start;
        loaded->end = end > loaded->end ? end : loaded->end;
    }
}

bool vbt_loaded_find(uintptr_t address, struct vbt_loaded *loaded) {
    struct dl_find_object object;
    if (_dl_find_object == NULL || _dl_find_object((void *)address, &object) != 0)
        return false;
    *loaded = (struct vbt_loaded){.map = object.dlfo_link_map,
                                  .bias = object.dlfo_link_map->l_addr,
                                  .start = (uintptr_t)object.dlfo_map_start,
                                  .end = (uintptr_t)object.dlfo_map_end,
                                  .eh_frame = object.dlfo_eh_frame};
    find_headers(loaded);
    measure(loaded);
    return true;
}

void vbt_loaded_segment(const struct vbt_loaded *loaded, uintptr_t address, uintptr_t *start, uintptr_t *end) {
    struct dl_find_object object;
    *start = *end = 0;
    for (size_t i = 0; i < loaded->header_count; i++) {
        const ElfW(Phdr) *segment = &loaded->headers[i];
        uintptr_t at = loaded->bias + segment->p_vaddr;
        if (segment->p_type != PT_LOAD || address < at || address - at >= segment->p_memsz)
            continue;
        *start = at;
        *end = segment->p_flags & PF_R ? at + segment->p_memsz : at;
        return;
    }
    if (loaded->headers == NULL && find_range(loaded, address, &object)) {
        *start = (uintptr_t)object.dlfo_map_start;
        *end = (uintptr_t)object.dlfo_map_end;
    }
}
