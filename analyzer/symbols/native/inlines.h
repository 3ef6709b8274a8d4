/* What the debug information of one file says about an address: the line, and the functions that
 * the compiler inlined there. */
#ifndef VBT_INLINES_H
#define VBT_INLINES_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_inlines;

/* One function of a chain. The names live as long as the file is open. */
struct vbt_inline {
    const char *linked;        /* linkage name, or the plain name if there is none; NULL: unknown */
    const char *file, *folder; /* of the line; folder: what a relative file name starts from, or NULL */
    const char *declared_file; /* of the function, likewise */
    int line, declared_line;   /* 0: unknown */
    bool plain;                /* linked may lack namespace, class and parameters */
};

/* Reads the debug information when it is first needed; the file must stay open. */
struct vbt_inlines *vbt_inlines_new(Dwfl_Module *file);
void vbt_inlines_free(struct vbt_inlines *inlines);

/* What kept debug information from being read. */
enum vbt_inlines_trouble {
    VBT_INLINES_READ,
    VBT_INLINES_PACKED, /* it is compressed in a way that libelf does not know: zstd, before elfutils 0.189 */
    VBT_INLINES_SPLIT,  /* parts are in split files (.dwo), one of which was not found */
};
enum vbt_inlines_trouble vbt_inlines_trouble(const struct vbt_inlines *inlines);

/* Finds the functions at a linked address, innermost first, each inlined into the next. Returns how
 * many there are, 0 without debug information. The array is valid until the next call. The line of
 * the first is that of the address, the others' lines are those of the calls. */
size_t vbt_inlines_find(struct vbt_inlines *inlines, uint64_t address, const struct vbt_inline **chain);

#endif
