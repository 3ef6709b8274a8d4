/* One file that code was loaded from: whether it is still the file that ran, and what it says about
 * an address. */
#ifndef VBT_BINARY_H
#define VBT_BINARY_H

#include "elf_symbols.h"
#include "inlines.h"
#include "analyzer/trace/model.h"

struct vbt_binary {
    enum vbt_binary_state state; /* never NEWER */
    int64_t changed_ns;          /* if nothing but its path says that it is the file: when it was changed, ns since 1970; else 0 */
    Dwfl *dwfl;                  /* NULL: there is no file to ask */
    Dwfl_Module *file;
    struct vbt_inlines *inlines;
    struct vbt_elf_symbols functions;
    bool functions_read;
};

/* Does looking for files ask the network? */
bool vbt_binary_asks_network(void);

/* Finds the file of a module, by its path or, if that is gone or replaced, by its build id: among
 * the separate debug files, and with debuginfod if DEBUGINFOD_URLS is set (only then is the network
 * used). The vdso is taken from this process if it is the same. */
void vbt_binary_open(struct vbt_binary *binary, const struct vbt_model_module *module);
void vbt_binary_close(struct vbt_binary *binary);

/* Converts an offset in the file to the address it is linked at; false if no segment holds it. */
bool vbt_binary_linked(const struct vbt_binary *binary, uint64_t position, uint64_t *address);

/* The start of the function that holds a linked address, according to the unwinding rules, which
 * stripped files have as well; the address itself if there are none. */
uint64_t vbt_binary_start(const struct vbt_binary *binary, uint64_t address);

/* The linkage name of the function that covers a linked address in the symbol table, or NULL. */
const char *vbt_binary_function(struct vbt_binary *binary, uint64_t address);

#endif
