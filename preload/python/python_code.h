/* The interpreter's code objects: from a frame's instruction to a site, and what happens when code
 * dies. */
#ifndef VBT_PYTHON_CODE_H
#define VBT_PYTHON_CODE_H

#include "preload/tree/tree.h"

/* The site of frames that belong to no code: the interpreter's shims. */
extern uint32_t vbt_transparent_site;

/* Maps what frames execute to sites; see vbt_python_site. Read without a lock. */
extern struct vbt_table vbt_python_sites;

/* Call once, after vbt_tree_init; false when there is no memory. */
bool vbt_python_code_init(void);

uint32_t vbt_python_new_site(const char *frame, uintptr_t key, uint32_t key2);

/* The site of a frame; key and key2 as in struct vbt_frame. vbt_transparent_site for frames that
 * are left out, and where there is no memory. */
static inline uint32_t vbt_python_site(const char *frame, uintptr_t key, uint32_t key2) {
    uint32_t site = vbt_table_get(&vbt_python_sites, key, key2);
    return VBT_LIKELY(site != 0) ? site : vbt_python_new_site(frame, key, key2);
}

/* The file name of the Python code that the library carries along. */
#define VBT_OWN_CODE "<vbtrace>"

/* Code of this file is vbtrace's own; of a package's __init__.py that of all files below its
 * folder, of which only that file's has run. True the first time. */
bool vbt_python_own_file(const char *path);

/* The tree's code for a code object, with the smallest and the largest of its lines; 0 for what is
 * not followed or is no code object. Needs the tree's lock. */
uint32_t vbt_python_code_of(const char *code, int32_t *smallest, int32_t *largest);

/* Levels of nested code that are looked at: as many as Python's indentation may have (MAXINDENT of
 * its tokenizer). */
enum { VBT_PYTHON_NESTED = 100 };

/* The next code object inside another one: of its functions, classes and expressions. NULL after
 * the last. *at: 0 for the first. */
const char *vbt_python_inner_code(const char *code, size_t *at);

/* The line of an instruction, in bytes from the code's start; -1 for none. */
int32_t vbt_python_line_at(const char *code, int32_t lasti);

/* Bytes from the code's first instruction to the one that a frame executes; key and key2 as in
 * struct vbt_frame. */
int32_t vbt_python_lasti(const char *frame, const char *code, uintptr_t key, uint32_t key2);

/* A str as UTF-8 (lone surrogates as three bytes each), cut at size; returns its length in bytes.
 * Anything but a compact str gives "?". */
size_t vbt_python_text(const char *string, char *out, size_t size);

/* Reads a code object, for the self-check. False if it is none. line: that of the instruction
 * `lasti` bytes from the start. */
bool vbt_python_describe(const char *code, int32_t lasti, char *file, char *name, size_t size, int32_t *first_line, int32_t *line);

#endif
