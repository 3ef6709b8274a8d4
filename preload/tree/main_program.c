/* See main_program.h. */
#include "main_program.h"

#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <sys/auxv.h>

static uintptr_t main_start, main_end;

void vbt_main_program_init(void) {
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);
    if (headers == NULL)
        return;
    uintptr_t bias = 0;
    for (unsigned long i = 0; i < count; i++)
        if (headers[i].p_type == PT_PHDR)
            bias = (uintptr_t)headers - headers[i].p_vaddr;
    for (unsigned long i = 0; i < count; i++) {
        if (headers[i].p_type != PT_LOAD || !(headers[i].p_flags & PF_X))
            continue;
        uintptr_t start = bias + headers[i].p_vaddr;
        uintptr_t end = start + headers[i].p_memsz;
        if (main_start == 0 || start < main_start)
            main_start = start;
        if (end > main_end)
            main_end = end;
    }
}

void vbt_main_program_disown(void) { main_start = main_end = 0; }

bool vbt_in_main_program(uintptr_t address) { return address > main_start && address <= main_end; }
