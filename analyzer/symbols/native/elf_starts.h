/* Where functions begin in a file that has no symbols for them: .eh_frame_hdr, which no program can do without, lists the first address
 * of each. */
#ifndef VBT_ELF_STARTS_H
#define VBT_ELF_STARTS_H

#include <gelf.h>
#include <stdint.h>

/* The beginning of the function that holds a linked address; the address itself where the file does not tell. */
uint64_t vbt_elf_start(Elf *elf, uint64_t address);

#endif
