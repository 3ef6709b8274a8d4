/* The call tree: names, code, sites and nodes, each interned once, with ids that never change.
 *
 * A site is a place in the program (a Python line, an address that called malloc); a node is a site
 * under a parent node, so that a node stands for one whole call path. Lookups need no lock; new
 * entries are added under one lock. Ids are dense from 1, which is how the stream knows what it has
 * not written yet. Id 0 is "none", and for nodes the root. */
#ifndef VBT_TREE_H
#define VBT_TREE_H

#include "node_table.h"
#include "format/format.h"
#include "preload/base/lock.h"
#include "preload/base/memory.h"
#include "preload/base/table.h"

struct vbt_string {
    const char *bytes; /* not terminated */
    uint32_t size;
};

/* A piece of Python code, identified by its content: the same function compiled twice is one. */
struct vbt_code {
    uint32_t file;
    uint32_t name;
    uint32_t first_line;
    uint32_t flags; /* enum vbt_code_flag */
};

enum { VBT_SITE_OF_USER = 1, VBT_SITE_OWN = 2 };

struct vbt_site {
    uint64_t a; /* code id, address or string id, by kind */
    int32_t b;  /* line for VBT_SITE_PYTHON; 1 for VBT_SITE_NATIVE in the main program */
    uint8_t kind;
    uint8_t flags;          /* VBT_SITE_OF_... */
    uint32_t module;        /* VBT_SITE_NATIVE: the module it is in; 0: none that the loader knows */
    _Atomic uint32_t stamp; /* of when the module was last seen there: modules.h */
};

/* Besides this there is its first child, in a vector of its own: a walk from parents to children
 * looks at nothing else. */
enum { VBT_PARENT_BITS = 26 };

struct vbt_node {
    uint32_t parent : VBT_PARENT_BITS;
    uint32_t domain : 2;
    uint32_t flags : 3;    /* VBT_SITE_OF_... of the nearest Python site */
    uint32_t is_first : 1; /* of its parent's children */
    uint32_t site;
    _Atomic uint32_t account; /* in the ledgers; 0 while nothing has been booked there */
};

_Static_assert(VBT_MAX_NODES <= 1U << VBT_PARENT_BITS, "the id of a parent fits");

/* As many numbers of slips and accounts (ledger/accounts.h) as nodes: that is, as a cell of the
 * shadow can tell apart. */
enum { VBT_MAX_ACCOUNTS = VBT_MAX_NODES };

/* What they take, besides counters: a slip its node, and its row in stream/snapshot.c; an account
 * its slip. */
enum { VBT_SLIP_BYTES = 2 * sizeof(uint32_t), VBT_ACCOUNT_BYTES = sizeof(uint32_t) };

enum { VBT_NODE_BITS = 30 };

extern struct vbt_lock vbt_tree_lock VBT_HIDDEN;

struct vbt_tree {
    struct vbt_arena arena;
    struct vbt_vector strings, codes, sites, nodes;
    struct vbt_vector first_children; /* by node: vbt_node_child of it, 0 for none; the others are in a table */
    struct vbt_table string_ids, code_ids, site_ids;
    struct vbt_node_table children;
    uint32_t slips, accounts;         /* that nodes have */
    uint64_t text;                    /* bytes of all strings, and one more for each */
    _Atomic uint32_t strangers;       /* native sites in no module that the loader knows */
    uint32_t lost_nodes[VBT_DOMAINS]; /* for call paths that there was no room for; one after the other */
    uint32_t lost_site;
    _Atomic uint32_t most_nodes; /* what VBTRACE_MAX_TRACE leaves room for */
    _Atomic bool limited;        /* that has been reached, or VBTRACE_MAX_MEMORY */
    uint32_t own_node;           /* what vbtrace itself makes the traced interpreter allocate */
    uint32_t line_node;          /* what the interpreter allocates to report line events; 0 without line mode */
};

extern struct vbt_tree vbt_tree VBT_HIDDEN;

/* Makes the root and the special nodes. Call once, before all else; false when there is no
 * memory. */
bool vbt_tree_init(void);

/* What VBTRACE_MAX_TRACE leaves room for, as far as is known now. */
void vbt_tree_limit(uint32_t most_nodes);

/* Do the call paths and all threads' counters of them take as much as VBTRACE_MAX_MEMORY allows?
 * Then new ones are lost. Counters of known paths are still made: of other threads, of sizes, and
 * of paths that outgrow their slips; the latter until the limit is passed by a part of it. Both
 * need the lock. */
bool vbt_tree_is_full(void);
bool vbt_tree_is_overfull(void);

static inline struct vbt_string *vbt_string_at(uint32_t id) { return VBT_VECTOR_ITEM(&vbt_tree.strings, struct vbt_string, id); }
static inline struct vbt_code *vbt_code_at(uint32_t id) { return VBT_VECTOR_ITEM(&vbt_tree.codes, struct vbt_code, id); }
static inline struct vbt_site *vbt_site_at(uint32_t id) { return VBT_VECTOR_ITEM(&vbt_tree.sites, struct vbt_site, id); }
static inline struct vbt_node *vbt_node_at(uint32_t id) { return VBT_VECTOR_ITEM(&vbt_tree.nodes, struct vbt_node, id); }
static inline _Atomic uint64_t *vbt_first_child_of(uint32_t node) {
    return VBT_VECTOR_ITEM(&vbt_tree.first_children, _Atomic uint64_t, node);
}

/* The following four need the lock and give 0 where there is no memory. */
uint32_t vbt_intern_string(const char *bytes, size_t size);

/* content: a hash of everything that distinguishes two codes. */
uint32_t vbt_intern_code(uint64_t content, uint32_t file, uint32_t name, uint32_t first_line, uint32_t flags);

uint32_t vbt_intern_python_site(uint32_t code, int32_t line);

uint32_t vbt_intern_special_site(const char *name);

/* Marks all code of this file as vbtrace's own, and with it the sites and nodes that exist already.
 * Needs the lock. */
void vbt_tree_disown(uint32_t file);

/* These take the lock themselves, and only to add something. */

/* address: a return address on the calling thread's stack, so that its module is loaded. The same
 * address in another module is another site. */
uint32_t vbt_native_site(uintptr_t address);

/* A child as its parent holds it, and back. */
static inline uint64_t vbt_node_child(uint32_t site, enum vbt_domain domain, uint32_t node) {
    return ((uint64_t)site << 2 | domain) << VBT_NODE_BITS | node;
}
static inline uint32_t vbt_node_of_child(uint64_t child) { return (uint32_t)(child & ((UINT64_C(1) << VBT_NODE_BITS) - 1)); }

/* The node of a site under a parent; 0 if there is none yet. (Exported for tests.) */
uint32_t vbt_node_find(uint32_t parent, uint32_t site, enum vbt_domain domain);

/* The same, added if there is none; the domain's lost node when there is no room. */
uint32_t vbt_node_seek(uint32_t parent, uint32_t site, enum vbt_domain domain);

/* The same, fast if it is the parent's first child. */
static inline uint32_t vbt_node_of(uint32_t parent, uint32_t site, enum vbt_domain domain) {
    uint64_t first = atomic_load_explicit(vbt_first_child_of(parent), memory_order_acquire);
    uint64_t node = first - vbt_node_child(site, domain, 0); /* 0 where there is neither a site nor a child */
    return VBT_LIKELY(node - 1 < (UINT64_C(1) << VBT_NODE_BITS) - 1) ? (uint32_t)node : vbt_node_seek(parent, site, domain);
}

#endif
