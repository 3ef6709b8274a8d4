/* Where the main program's code is mapped. */
#ifndef VBT_MAIN_PROGRAM_H
#define VBT_MAIN_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

/* Reads the main program's extent from the auxiliary vector: no loader function, so no loader
 * lock. */
void vbt_main_program_init(void);

/* For an interpreter that is the main program: its code is not the user's. From now on no address
 * is the main program's. */
void vbt_main_program_disown(void);

bool vbt_in_main_program(uintptr_t address);

#endif
