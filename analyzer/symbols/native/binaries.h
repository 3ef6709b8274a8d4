/* The files that code was loaded from, by path and build id: each is opened once and asked once for
 * each address, however many traces it is in. */
#ifndef VBT_BINARIES_H
#define VBT_BINARIES_H

#include "analyzer/symbols/native/binary.h"

struct vbt_symbol {
    const char *function;        /* demangled, or "libfoo.so+0x1234", or "0x7f…" */
    const char *file;            /* NULL: unknown */
    const char *declared_file;   /* where the function begins; NULL: unknown */
    int64_t line, declared_line; /* 0: unknown */
};

struct vbt_binaries;
struct vbt_known_binary;

struct vbt_binaries *vbt_binaries_new(void);
void vbt_binaries_free(struct vbt_binaries *binaries);

/* The file of a module. What it returns lives as long as `binaries`; different ones may be asked by
 * different threads at a time. */
struct vbt_known_binary *vbt_binaries_get(struct vbt_binaries *binaries, const struct vbt_model_module *module);

/* Has it been asked for an address? */
bool vbt_known_binary_is_open(const struct vbt_known_binary *known);

/* What the file is to a trace that began then, ns since 1970, or 0. Known once an address was asked
 * for. */
enum vbt_binary_state vbt_known_binary_state(const struct vbt_known_binary *known, int64_t started_ns);

/* The functions at an address of a module with that file, innermost first, each inlined into the
 * next: at least one. The strings and the array live as long as `binaries`. */
const struct vbt_symbol *vbt_known_binary_find(struct vbt_known_binary *known, const struct vbt_model_module *module,
                                               uint64_t address, size_t *count);

/* Is it the name of a function that is shown as an address in this module: "libfoo.so+0x1234"? */
bool vbt_binaries_is_address(const char *function, const char *module);

/* What kept its debug information from being read. */
enum vbt_inlines_trouble vbt_known_binary_trouble(const struct vbt_known_binary *known);

#endif
