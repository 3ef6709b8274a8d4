/* Loaded files, and how long what is known of an address holds: until a library is closed.
 *
 * A generation is a stretch of time in which no code was unmapped by dlclose. Whatever is remembered by code address (a site, an
 * unwinding rule, a cached call path) is stamped with the generation it was found in, and is looked up anew when that is over:
 *
 *     uint32_t stamp = vbt_module_stamp();             before looking
 *     ... look the address up, remember it with stamp ...
 *     if (remembered->stamp == vbt_module_generation)  may be used
 *
 * While a library is being closed a stamp is that of a generation already over, so that nothing found meanwhile is kept: its
 * destructors may still run, or its place be taken already. */
#ifndef VBT_MODULES_H
#define VBT_MODULES_H

#include "preload/base/memory.h"
#include "preload/base/sys.h"

#include <stdatomic.h>
#include <stdint.h>

/* Starts at 1: memory that is all zero was never stamped. A relaxed load will do: who runs code that has taken the place of other
 * code has, through the loader's lock, seen the generation grow. */
extern _Atomic uint32_t vbt_module_generation VBT_HIDDEN;

uint32_t vbt_module_stamp(void);

/* All stamps are of the past: what is known by one is to be found out again. */
void vbt_module_stamps_expire(void);

/* Around the real dlclose. Pairs may nest and overlap. */
void vbt_modules_close_begin(void);
void vbt_modules_close_end(void);

/* In the child of a fork: whoever was closing a library is gone. */
void vbt_modules_after_fork(void);

enum { VBT_BUILD_ID_MAX = 32 };

/* A file at the place where the loader put it. The same file closed and loaded again at the same place is one module. */
struct vbt_module {
    uintptr_t start, end;  /* from its first to its last segment */
    uintptr_t bias;        /* where it lies less where it was linked to lie */
    const char *path;      /* not terminated; as the loader was given it, empty for the main program */
    const char *directory; /* where a relative path starts; terminated */
    uint32_t path_size;
    uint32_t generation; /* that it was first seen in */
    uint8_t build_id_size;
    uint8_t build_id[VBT_BUILD_ID_MAX];
};

/* Those from which code was seen, by id from 1 on: also what was loaded and closed between two ticks. Shares the tree's lock. */
extern struct vbt_vector vbt_modules;

static inline struct vbt_module *vbt_module_at(uint32_t id) { return vbt_vector_at(&vbt_modules, id); }

/* The module that holds an address of code that is loaded while the call lasts; 0: none that the loader knows, or no memory. Takes no
 * lock of the loader's; needs the tree's. */
uint32_t vbt_module_of(uintptr_t address);

#endif
