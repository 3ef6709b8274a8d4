/* See modules.h. */
#include "modules.h"

_Atomic uint32_t vbt_module_generation = 1;

static _Atomic uint32_t closing; /* threads inside dlclose */

uint32_t vbt_module_stamp(void) {
    uint32_t generation = atomic_load(&vbt_module_generation);
    return atomic_load(&closing) == 0 ? generation : generation - 1;
}

/* In this order: a stamp that was taken as if nobody were closing is that of a generation about to end. */
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
