/* One file that code was loaded from: whether it is still the one that ran, and what it says of an address. */
#ifndef VBT_BINARY_H
#define VBT_BINARY_H

#include "elf_symbols.h"
#include "inlines.h"
#include "analyzer/trace/model.h"

struct vbt_binary {
    enum vbt_binary_state state;
    Dwfl *dwfl; /* NULL: nothing is known of it */
    Dwfl_Module *file;
    struct vbt_inlines *inlines;
    struct vbt_elf_symbols functions;
    bool functions_read;
};

/* Finds the file of a module, by its path or, where that is gone or replaced, by its build id: among the separate debug files, and with
 * debuginfod if DEBUGINFOD_URLS is set (only then is the network asked). The traced kernel's vdso is taken from this process if it is
 * the same. started_ns: when the trace began, ns since 1970, or 0. */
void vbt_binary_open(struct vbt_binary *binary, const struct vbt_model_module *module, int64_t started_ns);
void vbt_binary_close(struct vbt_binary *binary);

/* From a position in the file to the address it is linked at; false if no segment holds it. */
bool vbt_binary_linked(const struct vbt_binary *binary, uint64_t position, uint64_t *address);

/* Where the function begins that holds a linked address, as the rules for unwinding tell it, which stripped files have too; the address
 * itself where there are none. */
uint64_t vbt_binary_start(const struct vbt_binary *binary, uint64_t address);

/* The linked name of the function in the symbol table that covers a linked address, or NULL. */
const char *vbt_binary_function(struct vbt_binary *binary, uint64_t address);

#endif
