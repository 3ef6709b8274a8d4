/* Where functions begin in a file without symbols for them: .eh_frame_hdr, which unwinding needs,
 * lists the first address of each. */
#ifndef VBT_ELF_STARTS_H
#define VBT_ELF_STARTS_H

#include <gelf.h>
#include <stdint.h>

/* The start of the function that holds a linked address; the address itself if the file does not
 * say. */
uint64_t vbt_elf_start(Elf *elf, uint64_t address);

#endif
