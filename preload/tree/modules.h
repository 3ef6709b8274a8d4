/* Loaded files, and how long what is known of an address stays valid: until a library is closed.
 *
 * A generation is a period in which no code was unmapped by dlclose. Whatever is remembered by code
 * address (a site, an unwinding rule, a cached call path) is stamped with the generation it was
 * found in, and is looked up again when that is over:
 *
 *     uint32_t stamp = vbt_module_stamp();             before looking
 *     ... look the address up, remember it with stamp ...
 *     if (remembered->stamp == vbt_module_generation)  may be used
 *
 * While a library is being closed, the stamp is that of a generation already over, so that nothing
 * found meanwhile is kept: its destructors may still run, or another library may already have its
 * addresses. */
#ifndef VBT_MODULES_H
#define VBT_MODULES_H

#include "format/format.h"
#include "preload/base/memory.h"
#include "preload/base/sys.h"

#include <stdatomic.h>
#include <stdint.h>

/* Starts at 1, so zeroed memory counts as never stamped. A relaxed load is enough: a thread that
 * runs code at the address of closed code has seen the increase, through the loader's lock. */
extern _Atomic uint32_t vbt_module_generation VBT_HIDDEN;

uint32_t vbt_module_stamp(void);

/* Invalidates all stamps: what was found so far is looked up again. */
void vbt_module_stamps_expire(void);

/* Around the real dlclose. Pairs may nest and overlap. */
void vbt_modules_close_begin(void);
void vbt_modules_close_end(void);

/* In the child of a fork: a thread that was closing a library is gone. */
void vbt_modules_after_fork(void);

/* A file as the loader mapped it. The same file closed and loaded again at the same address is one
 * module. */
struct vbt_module {
    uintptr_t start, end;  /* from its first to its last segment */
    uintptr_t bias;        /* its load address less the address it was linked for */
    const char *path;      /* not terminated; as it was given to the loader, empty for the main program */
    const char *directory; /* that a relative path starts from; terminated */
    uint32_t path_size;
    uint32_t generation; /* that it was first seen in */
    uint8_t build_id_size;
    uint8_t build_id[VBT_BUILD_ID_MAX];
};

/* Those from which code was seen, by id from 1 on, including any that were loaded and closed
 * between two ticks. Protected by the tree's lock. */
extern struct vbt_vector vbt_modules;

static inline struct vbt_module *vbt_module_at(uint32_t id) { return vbt_vector_at(&vbt_modules, id); }

/* The module that contains a code address, which must stay loaded during the call; 0: none that the
 * loader knows, or no memory. Takes none of the loader's locks; needs the tree's. */
uint32_t vbt_module_of(uintptr_t address);

#endif
