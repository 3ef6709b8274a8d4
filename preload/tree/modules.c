/* See modules.h. */
#include "modules.h"

#include "loaded.h"
#include "tree.h"
#include "preload/base/sys.h"
#include "preload/base/table.h"
#include "preload/shared/run_names.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

_Atomic uint32_t vbt_module_generation = 1;

static VBT_CHANGED_BY_FORK _Atomic uint32_t closing; /* threads inside dlclose */

uint32_t vbt_module_stamp(void) {
    uint32_t generation = atomic_load(&vbt_module_generation);
    return atomic_load(&closing) == 0 ? generation : generation - 1;
}

void vbt_module_stamps_expire(void) { atomic_fetch_add(&vbt_module_generation, 1); }

/* In this order: a stamp taken as if no library were being closed is that of a generation about to
 * end. */
void vbt_modules_close_begin(void) {
    atomic_fetch_add(&closing, 1);
    atomic_fetch_add(&vbt_module_generation, 1);
}

void vbt_modules_close_end(void) {
    atomic_fetch_add(&vbt_module_generation, 1);
    atomic_fetch_sub(&closing, 1);
}

void vbt_modules_after_fork(void) {
    atomic_store(&closing, 0);
    atomic_fetch_add(&vbt_module_generation, 1);
}

struct vbt_vector vbt_modules;
static struct vbt_table ids; /* by content */

/* The notes of an ELF file are records of three 32-bit words (size of the name, size of the
 * contents, type), name and contents, both padded to four bytes, or to eight in the notes of a few
 * newer kinds. */
static void read_build_id(struct vbt_module *module, const char *notes, size_t size, size_t alignment) {
    size_t mask = alignment == 8 ? 7 : 3;
    while (size >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)notes;
        size_t contents = (sizeof *note + note->n_namesz + mask) & ~mask;
        size_t next = (contents + note->n_descsz + mask) & ~mask;
        if (contents + note->n_descsz > size)
            return;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(note + 1, "GNU", 4) == 0 &&
            note->n_descsz <= VBT_BUILD_ID_MAX) {
            module->build_id_size = (uint8_t)note->n_descsz;
            memcpy(module->build_id, notes + contents, note->n_descsz);
            return;
        }
        if (next >= size)
            return;
        notes += next;
        size -= next;
    }
}

/* The note must be in the file's range, and in a segment: between segments there may be nothing. */
static void find_build_id(struct vbt_module *module, const struct vbt_loaded *loaded) {
    for (size_t i = 0; i < loaded->header_count && module->build_id_size == 0; i++) {
        const ElfW(Phdr) *note = &loaded->headers[i];
        uintptr_t at = module->bias + note->p_vaddr, start, end;
        if (note->p_type != PT_NOTE)
            continue;
        vbt_loaded_segment(loaded, at, &start, &end);
        if (at >= start && at < end && note->p_memsz <= end - at)
            read_build_id(module, (const char *)at, note->p_memsz, note->p_align);
    }
}

static bool same(const struct vbt_module *a, const struct vbt_module *b) {
    return a->start == b->start && a->end == b->end && a->bias == b->bias && a->path_size == b->path_size &&
           memcmp(a->path, b->path, a->path_size) == 0 && a->build_id_size == b->build_id_size &&
           memcmp(a->build_id, b->build_id, a->build_id_size) == 0;
}

/* The current directory, for a path that is relative to it. The program may change it later. */
static const char *directory_now(void) {
    static char now[4096];
    long size = vbt_sys(SYS_getcwd, now, sizeof now);
    uint32_t id = vbt_sys_failed(size) ? 0 : vbt_intern_string(now, (size_t)size); /* with the terminating zero */
    return id != 0 ? vbt_string_at(id)->bytes : "/";
}

static uint32_t add(const struct vbt_module *found, uint64_t key, uint32_t collision) {
    enum { MOST = VBT_MAX_MODULES / 2 }; /* the other half is for mapped parts of files */
    char *path = vbt_arena_alloc(&vbt_tree.arena, found->path_size + 1);
    if (vbt_modules.count == 0)
        vbt_vector_add(&vbt_modules, sizeof(struct vbt_module)); /* unused */
    uint32_t id = path != NULL && vbt_modules.count <= MOST ? vbt_vector_add(&vbt_modules, sizeof(struct vbt_module)) : 0;
    if (id == 0)
        return 0;
    memcpy(path, found->path, found->path_size);
    struct vbt_module *module = vbt_module_at(id);
    *module = *found;
    module->path = path;
    module->directory =
        path[0] == '/' || strchr(path, '/') == NULL ? "" : directory_now(); /* a bare name is not a path: the vdso's */
    module->generation = atomic_load(&vbt_module_generation);
    return vbt_table_put(&ids, key, collision, id) ? id : 0;
}

/* This library's own may lead from the program's folder up to the root first. */
static const char *path_of(const struct link_map *map) {
    const char *up = strstr(map->l_name, VBT_UP_TO_ROOT);
    return up != NULL ? up + strlen(VBT_UP_TO_ROOT) : map->l_name;
}

uint32_t vbt_module_of(uintptr_t address) {
    struct vbt_loaded loaded;
    if (!vbt_loaded_find(address, &loaded)) /* with glibc before 2.35: modules are known by address alone, from /proc */
        return 0;
    const char *path = path_of(loaded.map);
    struct vbt_module found = {
        .start = loaded.start, .end = loaded.end, .bias = loaded.bias, .path = path, .path_size = (uint32_t)strlen(path)};
    find_build_id(&found, &loaded);
    uint64_t hash = XXH3_64bits_withSeed(found.path, found.path_size, found.start);
    uint64_t key = vbt_table_key(XXH3_64bits_withSeed(found.build_id, found.build_id_size, hash));
    uint32_t id, collision = 0;
    while ((id = vbt_table_get(&ids, key, collision)) != 0 && !same(vbt_module_at(id), &found))
        collision++;
    return id != 0 ? id : add(&found, key, collision);
}
