/* The call tree: names, code, sites and nodes, each interned once and numbered for ever.
 *
 * A site is a place in the program (a Python line, an address that called malloc); a node is a site under a parent
 * node, so that a node is one whole call path. Lookups need no lock; what is new is added under one lock. Ids are
 * dense from 1, which is how the stream knows what it has not written yet. Id 0 is "none", and for nodes the root. */
#ifndef VBT_TREE_H
#define VBT_TREE_H

#include "../lock.h"
#include "../memory.h"
#include "format/format.h"
#include "table.h"

struct vbt_string {
    const char *bytes; /* not terminated */
    uint32_t size;
};

/* A piece of Python code by content: the same function compiled twice is one. */
struct vbt_code {
    uint32_t file;
    uint32_t name;
    uint32_t first_line;
    uint32_t flags; /* enum vbt_code_flag */
};

enum { VBT_SITE_OF_USER = 1, VBT_SITE_OF_OURS = 2 };

struct vbt_site {
    uint64_t a; /* code id, address or string id, by kind */
    int32_t b;  /* line for VBT_SITE_PYTHON; 1 for VBT_SITE_NATIVE in the main program */
    uint8_t kind;
    uint8_t flags;          /* VBT_SITE_OF_... */
    uint32_t module;        /* VBT_SITE_NATIVE: the module it lies in; 0: none that the loader knows */
    _Atomic uint32_t stamp; /* of when the module was last seen there: modules.h */
};

struct vbt_node {
    uint32_t parent;
    uint32_t site;
    uint8_t domain;
    uint8_t flags; /* VBT_SITE_OF_... of the nearest Python site */
};

struct vbt_tree {
    struct vbt_lock lock;
    struct vbt_arena arena;
    struct vbt_vector strings, codes, sites, nodes;
    struct vbt_table string_ids, code_ids, site_ids, node_ids;
    _Atomic uint32_t strangers;       /* native sites in no module that the loader knows */
    uint32_t lost_nodes[VBT_DOMAINS]; /* stand for every call path that there was no room for */
    uint32_t most_nodes;              /* what VBTRACE_MAX_TRACE and VBTRACE_MAX_MEMORY leave room for */
    _Atomic bool limited;             /* they have left no room */
    uint32_t own_node;                /* what vbtrace itself asks of the traced interpreter */
    uint32_t line_node;               /* what the interpreter asks for to tell of line events; 0 without line mode */
};

extern struct vbt_tree vbt_tree VBT_HIDDEN;

/* Makes the root and the special nodes. Call once, before all else; false when there is no memory. */
bool vbt_tree_init(void);

static inline struct vbt_string *vbt_string_at(uint32_t id) { return vbt_vector_at(&vbt_tree.strings, id); }
static inline struct vbt_code *vbt_code_at(uint32_t id) { return vbt_vector_at(&vbt_tree.codes, id); }
static inline struct vbt_site *vbt_site_at(uint32_t id) { return vbt_vector_at(&vbt_tree.sites, id); }
static inline struct vbt_node *vbt_node_at(uint32_t id) { return vbt_vector_at(&vbt_tree.nodes, id); }

/* The following four need the lock and give 0 where there is no memory. */
uint32_t vbt_intern_string(const char *bytes, size_t size);

/* content: a hash of all that tells two codes apart. */
uint32_t vbt_intern_code(uint64_t content, uint32_t file, uint32_t name, uint32_t first_line, uint32_t flags);

uint32_t vbt_intern_python_site(uint32_t code, int32_t line);

uint32_t vbt_intern_special_site(const char *name);

/* All code of this file is vbtrace's own, and so are the sites and nodes it has already. Needs the lock. */
void vbt_tree_disown(uint32_t file);

/* These take the lock themselves, and only when the thing is new. */

/* address: a return address on the calling thread's stack, so that what it lies in is loaded. The same address in another module is
 * another site. */
uint32_t vbt_native_site(uintptr_t address);

uint32_t vbt_new_node(uint32_t parent, uint32_t site, enum vbt_domain domain);

/* Above 1, as table keys must be. */
static inline uint64_t vbt_node_key(uint32_t parent, uint32_t site) { return ((uint64_t)parent << 32 | site) + 2; }

/* The node of a site under a parent; the domain's lost node when there is no room. */
static inline uint32_t vbt_node_of(uint32_t parent, uint32_t site, enum vbt_domain domain) {
    uint32_t node = vbt_table_get(&vbt_tree.node_ids, vbt_node_key(parent, site), domain);
    return VBT_LIKELY(node != 0) ? node : vbt_new_node(parent, site, domain);
}

#endif
