/* What the debug information of one file says of an address: the line, and the functions that the compiler merged into the code
 * there. */
#ifndef VBT_INLINES_H
#define VBT_INLINES_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_inlines;

/* One function of a chain. The names live as long as the file is open. */
struct vbt_inline {
    const char *linked;        /* linkage name, or the plain one where there is no other; NULL where unknown */
    const char *file, *folder; /* of the line; the folder, or NULL, is where a relative file name begins */
    const char *declared_file; /* of the function; likewise */
    int line, declared_line;   /* 0 where unknown */
    bool plain;                /* linked may lack namespace, class and parameters */
};

/* Reads debug information when it is first asked for; the file must stay open. */
struct vbt_inlines *vbt_inlines_new(Dwfl_Module *file);
void vbt_inlines_free(struct vbt_inlines *inlines);

/* The functions at a linked address, innermost first, each inlined into the next: how many there are, 0 where there is no debug
 * information. The array is valid until the next call. The first one's line is the address's own, the others' are those of the
 * calls. */
size_t vbt_inlines_find(struct vbt_inlines *inlines, uint64_t address, const struct vbt_inline **chain);

#endif
