/* Call sites as people know them: file, line, function, module. Sites that mean the same (a
 * function compiled twice, two calls in one line) are one place; the same inline function of a
 * header in two libraries is two. */
#ifndef VBT_PLACES_H
#define VBT_PLACES_H

#include "analyzer/trace/model.h"

enum vbt_place_kind { VBT_PLACE_PYTHON, VBT_PLACE_NATIVE, VBT_PLACE_SPECIAL };

struct vbt_source_place {
    enum vbt_place_kind kind;
    bool user;            /* the user's own code, see user_code.h */
    bool cython;          /* native code that Cython made of the line */
    uint32_t index;       /* dense, in order of discovery; 0 is VBT_OUTSIDE */
    int64_t line;         /* 0: none */
    const char *file;     /* source file; the module of native code without one; a special place's name in brackets */
    const char *function; /* of a special place: the same */
    const char *module;   /* native code: path of the file it lies in; else NULL */
};

#define VBT_OUTSIDE "(outside user code)"

/* Is its function only an address, "libfoo.so+0x1234", which names the module already? */
bool vbt_place_is_address(const struct vbt_source_place *place);

/* Does it belong to Python's import machinery, which is on every stack below an import? */
bool vbt_place_imports(const struct vbt_source_place *place);

/* Orders by file, line, function and module. */
int vbt_place_compare(const struct vbt_source_place *a, const struct vbt_source_place *b);

/* One function on a call path. Inlined functions have frames of their own: a native site has as
 * many as the compiler merged into the code at its address. */
struct vbt_source_frame {
    const struct vbt_source_place *place;    /* file, line, function, module; see below for which of the two to merge by */
    const struct vbt_source_place *function; /* the function as a place: its first line instead of the call's */
    bool inlined;                            /* into the next frame of the list */
};

struct vbt_places;

/* Strings point into the model, which must live longer. */
struct vbt_places *vbt_places_new(const struct vbt_model *model);
void vbt_places_free(struct vbt_places *places);

/* Patterns of the user's own code instead of those that the trace was recorded with. Before the
 * first question; they must live longer. */
void vbt_places_claim(struct vbt_places *places, const char *patterns);

/* Can a native site have frames that are the user's own code? No symbols are read for that. */
bool vbt_place_may_be_users(struct vbt_places *places, uint32_t site);

/* Is a piece of Python code the user's own? */
bool vbt_code_is_users(const struct vbt_places *places, uint32_t code);

/* The place of a site's innermost frame, resolved when first asked for. Site 0 is VBT_OUTSIDE. */
const struct vbt_source_place *vbt_place_of_site(struct vbt_places *places, uint32_t site);

/* The place of a site's innermost frame that is the user's own code; if there is none, the same as
 * vbt_place_of_site. */
const struct vbt_source_place *vbt_place_of_user(struct vbt_places *places, uint32_t site);

/* The innermost function as a place: its file, name and first line (0: unknown). */
const struct vbt_source_place *vbt_place_of_function(struct vbt_places *places, uint32_t site);

/* The frames of a site, innermost first: at least one, and only the last is not inlined. Python and
 * special sites have one. Resolved when first asked for; valid as long as the places.
 *
 * For views: a node of the call tree is its site's frames on top of its parent's. So a tree drawn
 * from the root down shows, for each node, its frames last to first; a collapsed stack read from
 * the leaf up walks node -> parent and each site's frames in order. What was counted at a node
 * belongs to frame 0 ("self"); cumulative counts belong to all. Merge by frame.place->index (a row
 * per line) or frame.function->index (a row per function), never by site: two sites may be one
 * place. Both indices are dense, and grow while sites are resolved. place->kind says Python, native
 * or special (for colours), place->user whose code it is, place->module the native file. */
const struct vbt_source_frame *vbt_frames_of_site(struct vbt_places *places, uint32_t site, size_t *count);

/* A sentence on the number-th binary that symbols were looked up in and that may not be the one
 * that ran, for the caller to free; NULL after the last. */
char *vbt_places_trouble(const struct vbt_places *places, size_t number);

/* See vbt_symbols_nameless. */
char *vbt_places_nameless(const struct vbt_places *places);

#endif
