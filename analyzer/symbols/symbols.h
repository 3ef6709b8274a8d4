/* From a native site to its module, functions, files and lines.
 *
 * What the trace itself says (added by vbtrace symbolize) comes first. Otherwise a module's file is
 * opened once, when one of its addresses is first asked for, and only what is needed is read of
 * it. */
#ifndef VBT_SYMBOLS_H
#define VBT_SYMBOLS_H

#include "analyzer/symbols/native/binaries.h"
#include "analyzer/trace/model.h"

struct vbt_symbols;

/* What was found at a site's return address; the call is the instruction before it. */
struct vbt_symbolized {
    const char *module;               /* path; "" if the address lies in no module */
    const struct vbt_symbol *symbols; /* innermost first, each inlined into the next; valid until the next call */
    size_t count;                     /* at least 1 */
    enum vbt_binary_state state;      /* of the module's file */
};

/* binaries: what other traces have asked for, too, which must live longer; NULL: nothing is
 * shared. */
struct vbt_symbols *vbt_symbols_new(const struct vbt_model *model, struct vbt_binaries *binaries);
void vbt_symbols_free(struct vbt_symbols *symbols);

/* site: must be native. The strings live as long as `symbols` and the model. */
struct vbt_symbolized vbt_symbols_find(struct vbt_symbols *symbols, uint32_t site);

/* Looks up all sites of files that no one has asked yet, several files at a time. What is found is
 * as without. */
void vbt_symbols_read_ahead(struct vbt_symbols *symbols);

/* The model's module (an index) that holds a native site, or -1. */
ptrdiff_t vbt_symbols_module(const struct vbt_symbols *symbols, uint32_t site);

/* The number-th sentence on a module that was asked about, and whose file may not be the one that
 * ran, or whose debug information could not be read; for the caller to free; NULL after the
 * last. */
char *vbt_symbols_trouble(const struct vbt_symbols *symbols, size_t number);

/* Of these sentences, those on debug information that is not all there. Of a trace that has its
 * names, none. */
char *vbt_symbols_incomplete(const struct vbt_symbols *symbols, size_t number);

/* The files with functions that are shown as addresses, "a.so, b.so and 3 more", for the caller to
 * free; NULL if there are none. */
char *vbt_symbols_nameless(const struct vbt_symbols *symbols);

#endif
