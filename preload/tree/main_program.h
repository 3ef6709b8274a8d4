/* The native leaf: the return address of whoever called the allocator, and whether it is the main program's. */
#ifndef VBT_NATIVE_LEAF_H
#define VBT_NATIVE_LEAF_H

#include <stdbool.h>
#include <stdint.h>

/* Reads the main program's extent from the auxiliary vector: no loader function, so no loader lock. */
void vbt_native_leaf_init(void);

/* The interpreter itself is the main program: its code is not the user's. From now on no address is the main
 * program's. */
void vbt_native_leaf_disown_main(void);

bool vbt_in_main_program(uintptr_t address);

#endif
