/* From a native address to module, function, file and line.
 *
 * A module's symbols are read when the first of its addresses is asked for, once. Source lines are looked up in the main program and
 * in modules outside the system's library folders: the others carry no line tables. */
#ifndef VBT_SYMBOLS_H
#define VBT_SYMBOLS_H

#include "model.h"

struct vbt_symbols;

struct vbt_symbol {
    const char *module;   /* path, "" where the address lies in no module */
    const char *function; /* demangled, or "libfoo.so+0x1234", or "0x7f…" */
    const char *file;     /* NULL where unknown */
    int64_t line;         /* 0 where unknown */
};

struct vbt_symbols *vbt_symbols_new(const struct vbt_model *model);
void vbt_symbols_free(struct vbt_symbols *symbols);

/* What lies at the return address of a native site: the call is the instruction before it. The strings live as long as `symbols`. */
void vbt_symbols_find(struct vbt_symbols *symbols, const struct vbt_site *site, struct vbt_symbol *found);

/* True if a module's file was asked for and is newer than the start of the trace, so that what it says may not fit. */
bool vbt_symbols_changed(const struct vbt_symbols *symbols, const char **path);

#endif
