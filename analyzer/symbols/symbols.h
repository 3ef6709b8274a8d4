/* From a native site to its module, functions, files and lines.
 *
 * What the trace itself says (added by vbtrace symbolize) comes first. Otherwise a module's file is
 * opened once, when one of its addresses is first asked for, and only what is needed is read of
 * it. */
#ifndef VBT_SYMBOLS_H
#define VBT_SYMBOLS_H

#include "analyzer/trace/model.h"

struct vbt_symbols;

struct vbt_symbol {
    const char *function;        /* demangled, or "libfoo.so+0x1234", or "0x7f…" */
    const char *file;            /* NULL: unknown */
    const char *declared_file;   /* where the function begins; NULL: unknown */
    int64_t line, declared_line; /* 0: unknown */
};

/* What was found at a site's return address; the call is the instruction before it. */
struct vbt_symbolized {
    const char *module;               /* path; "" if the address lies in no module */
    const struct vbt_symbol *symbols; /* innermost first, each inlined into the next; valid until the next call */
    size_t count;                     /* at least 1 */
    enum vbt_binary_state state;      /* of the module's file */
};

struct vbt_symbols *vbt_symbols_new(const struct vbt_model *model);
void vbt_symbols_free(struct vbt_symbols *symbols);

/* site: must be native. The strings live as long as `symbols` and the model. */
struct vbt_symbolized vbt_symbols_find(struct vbt_symbols *symbols, uint32_t site);

/* The model's module (an index) that holds a native site, or -1. */
ptrdiff_t vbt_symbols_module(const struct vbt_symbols *symbols, uint32_t site);

/* The number-th sentence on a module that was asked about, and whose file may not be the one that
 * ran, or whose debug information could not be read; for the caller to free; NULL after the
 * last. */
char *vbt_symbols_trouble(const struct vbt_symbols *symbols, size_t number);

/* Is it the name of a function that is shown as an address in this module: "libfoo.so+0x1234"? */
bool vbt_symbols_is_address(const char *function, const char *module);

/* The files with functions that are shown as addresses, "a.so, b.so and 3 more", for the caller to
 * free; NULL if there are none. */
char *vbt_symbols_nameless(const struct vbt_symbols *symbols);

#endif
