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

#include <stdatomic.h>
#include <stdint.h>

/* Starts at 1: memory that is all zero was never stamped. A relaxed load will do: who runs code that has taken the place of other
 * code has, through the loader's lock, seen the generation grow. */
extern _Atomic uint32_t vbt_module_generation;

uint32_t vbt_module_stamp(void);

/* Around the real dlclose. Pairs may nest and overlap. */
void vbt_modules_close_begin(void);
void vbt_modules_close_end(void);

/* In the child of a fork: whoever was closing a library is gone. */
void vbt_modules_after_fork(void);

#endif
