/* See tree.h. */
#include "tree.h"

#include "main_program.h"
#include "modules.h"
#include "preload/shared/options.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct vbt_lock vbt_tree_lock VBT_CHANGED_BY_FORK;
struct vbt_tree vbt_tree;

/* A row's id, 0 if a trace has no room for more. */
static uint32_t add_row(struct vbt_vector *rows, size_t size, uint32_t most) {
    return rows->count <= most ? vbt_vector_add(rows, size) : 0;
}

uint32_t vbt_intern_string(const char *bytes, size_t size) {
    if (size == 0)
        return 0;
    uint64_t key = vbt_table_key(XXH3_64bits(bytes, size));
    uint32_t id;
    uint32_t collision = 0; /* the second key: which of the strings with this hash */
    for (; (id = vbt_table_get(&vbt_tree.string_ids, key, collision)) != 0; collision++) {
        const struct vbt_string *known = vbt_string_at(id);
        if (known->size == size && memcmp(known->bytes, bytes, size) == 0)
            return id;
    }
    if (size >= VBT_MAX_TEXT - vbt_tree.text)
        return 0;
    char *copy = vbt_arena_alloc(&vbt_tree.arena, size);
    if (copy == NULL || (id = add_row(&vbt_tree.strings, sizeof(struct vbt_string), VBT_MAX_STRINGS)) == 0)
        return 0;
    vbt_tree.text += size + 1;
    memcpy(copy, bytes, size);
    *vbt_string_at(id) = (struct vbt_string){copy, (uint32_t)size};
    return vbt_table_put(&vbt_tree.string_ids, key, collision, id) ? id : 0;
}

uint32_t vbt_intern_code(uint64_t content, uint32_t file, uint32_t name, uint32_t first_line, uint32_t flags) {
    uint64_t key = vbt_table_key(content);
    uint32_t id = vbt_table_get(&vbt_tree.code_ids, key, 0);
    if (id != 0 || (id = add_row(&vbt_tree.codes, sizeof(struct vbt_code), VBT_MAX_CODES)) == 0)
        return id;
    *vbt_code_at(id) = (struct vbt_code){file, name, first_line, flags};
    return vbt_table_put(&vbt_tree.code_ids, key, 0, id) ? id : 0;
}

/* Sites of all kinds share one table. The second key distinguishes them: the lines of Python code,
 * and three values that no line has. An address finds the site that was last seen there; those of
 * other modules that were mapped there before are found by both. */
enum { KEY_NATIVE = INT32_MIN, KEY_SPECIAL, KEY_IN_MODULE };

static uint32_t intern_site(uint64_t key, int32_t key2, struct vbt_site site) {
    uint32_t id = vbt_table_get(&vbt_tree.site_ids, vbt_table_key(key), (uint32_t)key2);
    if (id != 0 || (id = add_row(&vbt_tree.sites, sizeof(struct vbt_site), VBT_MAX_SITES)) == 0)
        return id;
    *vbt_site_at(id) = site;
    return vbt_table_put(&vbt_tree.site_ids, vbt_table_key(key), (uint32_t)key2, id) ? id : 0;
}

uint32_t vbt_intern_python_site(uint32_t code, int32_t line) {
    uint32_t flags = vbt_code_at(code)->flags;
    uint8_t site_flags = (uint8_t)((flags & VBT_CODE_USER ? VBT_SITE_OF_USER : 0) | (flags & VBT_CODE_OWN ? VBT_SITE_OWN : 0));
    struct vbt_site site = {.a = code, .b = line, .kind = VBT_SITE_PYTHON, .flags = site_flags};
    return intern_site((uint64_t)code << 2, line, site);
}

void vbt_tree_disown(uint32_t file) {
    for (uint32_t id = 1; id < vbt_tree.codes.count; id++)
        if (vbt_code_at(id)->file == file)
            vbt_code_at(id)->flags = VBT_CODE_OWN;
    for (uint32_t id = 1; id < vbt_tree.sites.count; id++) {
        struct vbt_site *site = vbt_site_at(id);
        if (site->kind == VBT_SITE_PYTHON && vbt_code_at((uint32_t)site->a)->file == file)
            site->flags = VBT_SITE_OWN;
    }
    for (uint32_t id = 1; id < vbt_tree.nodes.count; id++) {
        struct vbt_node *node = vbt_node_at(id);
        const struct vbt_site *site = vbt_site_at(node->site);
        if (site->kind == VBT_SITE_PYTHON)
            node->flags = site->flags & 7U;
        else if (node->parent != 0)
            node->flags = vbt_node_at(node->parent)->flags;
    }
}

uint32_t vbt_intern_special_site(const char *name) {
    uint32_t string = vbt_intern_string(name, strlen(name));
    return string == 0 ? 0
                       : intern_site((uint64_t)string << 2, KEY_SPECIAL, (struct vbt_site){.a = string, .kind = VBT_SITE_SPECIAL});
}

/* Modules beyond 65,535 may share a key; then one of them is found and the other is created each
 * time. */
static uint64_t key_in_module(const struct vbt_site *site) { return vbt_table_key(site->a ^ (uint64_t)site->module << 48); }

/* The site of an address at which another module was seen before. Needs the lock. */
static uint32_t take_turns(uint32_t before, struct vbt_site site) {
    uint64_t key = key_in_module(vbt_site_at(before));
    if (vbt_table_get(&vbt_tree.site_ids, key, (uint32_t)KEY_IN_MODULE) == 0)
        vbt_table_put(&vbt_tree.site_ids, key, (uint32_t)KEY_IN_MODULE, before);
    uint32_t id = intern_site(key_in_module(&site), KEY_IN_MODULE, site);
    if (id != 0 && (vbt_site_at(id)->a != site.a || vbt_site_at(id)->module != site.module)) {
        if ((id = add_row(&vbt_tree.sites, sizeof(struct vbt_site), VBT_MAX_SITES)) == 0)
            return 0;
        *vbt_site_at(id) = site;
    }
    if (id != 0)
        vbt_table_replace(&vbt_tree.site_ids, vbt_table_key(site.a), (uint32_t)KEY_NATIVE, id);
    return id;
}

static uint32_t intern_native_site(uintptr_t address) {
    uint32_t stamp = vbt_module_stamp();
    bool in_main = vbt_in_main_program(address);
    struct vbt_site site = {.a = address, .b = in_main, .kind = VBT_SITE_NATIVE, .flags = in_main ? VBT_SITE_OF_USER : 0};
    vbt_lock(&vbt_tree_lock);
    site.module = vbt_module_of(address - 1); /* the call: the return address may be in the next module */
    uint32_t sites = vbt_tree.sites.count;
    uint32_t id = intern_site(address, KEY_NATIVE, site);
    if (id != 0 && vbt_site_at(id)->module != site.module)
        id = take_turns(id, site);
    if (id != 0)
        atomic_store(&vbt_site_at(id)->stamp, stamp);
    if (site.module == 0 && vbt_tree.sites.count > sites)
        atomic_fetch_add(&vbt_tree.strangers, 1);
    vbt_unlock(&vbt_tree_lock);
    return id;
}

uint32_t vbt_native_site(uintptr_t address) {
    uint32_t id = vbt_table_get(&vbt_tree.site_ids, vbt_table_key(address), (uint32_t)KEY_NATIVE);
    uint32_t generation = atomic_load_explicit(&vbt_module_generation, memory_order_relaxed);
    if (VBT_LIKELY(id != 0 && atomic_load_explicit(&vbt_site_at(id)->stamp, memory_order_relaxed) == generation))
        return id;
    return intern_native_site(address);
}

/* 0: there is none; then *spot is set, unless the parent has no child at all. */
VBT_INLINE uint32_t find(uint32_t parent, uint32_t site, enum vbt_domain domain, struct vbt_node_spot *spot) {
    uint64_t first = atomic_load_explicit(vbt_first_child_of(parent), memory_order_acquire);
    if (first == 0)
        return 0;
    if (first >> VBT_NODE_BITS == vbt_node_child(site, domain, 0) >> VBT_NODE_BITS)
        return vbt_node_of_child(first);
    return vbt_node_table_get(&vbt_tree.children, parent, site, domain, spot);
}

uint32_t vbt_node_find(uint32_t parent, uint32_t site, enum vbt_domain domain) {
    struct vbt_node_spot spot;
    return find(parent, site, domain, &spot);
}

/* What there is one of for each node, site or account, and what arenas hold: counters. */
static uint64_t memory(void) {
    return vbt_tree.nodes.count * (sizeof(struct vbt_node) + sizeof(uint64_t)) + vbt_node_table_bytes(&vbt_tree.children) +
           vbt_tree.sites.count * sizeof(struct vbt_site) + vbt_table_bytes(&vbt_tree.site_ids) +
           vbt_tree.slips * (uint64_t)VBT_SLIP_BYTES + vbt_tree.accounts * (uint64_t)VBT_ACCOUNT_BYTES + vbt_arenas_taken();
}

/* Is VBTRACE_MAX_MEMORY reached, or passed by this much? */
static bool is_reached(int64_t beyond) {
    uint64_t most = vbt_options.max_memory;
    if (VBT_LIKELY(most == 0) || memory() < most + (uint64_t)beyond)
        return false;
    atomic_store(&vbt_tree.limited, true);
    return true;
}

/* The part of the limit that is left for the next step of an arena, and the growth of a table, when
 * there is no more room for new paths; and that known paths may take more. */
enum { RESERVE = 16 };

bool vbt_tree_is_full(void) { return is_reached(-(int64_t)(vbt_options.max_memory / RESERVE)); }

bool vbt_tree_is_overfull(void) { return is_reached((int64_t)(vbt_options.max_memory / RESERVE)); }

/* Is there room for one node more? Needs the lock. */
static bool is_full(void) {
    uint32_t most = atomic_load_explicit(&vbt_tree.most_nodes, memory_order_relaxed);
    if (vbt_tree_is_full())
        return true;
    if (VBT_LIKELY(vbt_tree.nodes.count < most))
        return false;
    if (most < VBT_MAX_NODES)
        atomic_store(&vbt_tree.limited, true);
    return true;
}

/* Most nodes have one child, or none. Their parent holds the first, so that a node without children
 * needs no look at the table for a new one. Needs the lock; spot: as vbt_node_table_get_on takes
 * it. */
static uint32_t add_node(uint32_t parent, uint32_t site, enum vbt_domain domain, struct vbt_node_spot *spot) {
    _Atomic uint64_t *of_parent = vbt_first_child_of(parent);
    uint64_t first = atomic_load_explicit(of_parent, memory_order_relaxed);
    uint32_t id;
    if (first != 0) {
        if (first >> VBT_NODE_BITS == vbt_node_child(site, domain, 0) >> VBT_NODE_BITS)
            return vbt_node_of_child(first);
        if ((id = vbt_node_table_get_on(&vbt_tree.children, parent, site, domain, spot)) != 0)
            return id;
    }
    if (is_full() ||
        (vbt_tree.first_children.count == vbt_tree.nodes.count &&
         vbt_vector_add(&vbt_tree.first_children, sizeof(uint64_t)) == 0) ||
        (id = vbt_vector_add(&vbt_tree.nodes, sizeof(struct vbt_node))) == 0)
        return 0;
    const struct vbt_site *place = vbt_site_at(site);
    struct vbt_node *node = vbt_node_at(id);
    node->parent = parent & ((1U << VBT_PARENT_BITS) - 1);
    node->site = site;
    node->domain = domain & 3U;
    node->flags = (place->kind == VBT_SITE_PYTHON ? place->flags : vbt_node_at(parent)->flags) & 7U;
    node->is_first = first == 0;
    if (first != 0)
        return vbt_node_table_put(&vbt_tree.children, id, spot) ? id : 0;
    atomic_store_explicit(of_parent, vbt_node_child(site, domain, id), memory_order_release);
    return id;
}

/* A path of which one frame is lost is lost as a whole, also if there is room again by its next
 * frame: otherwise some of what the lost paths allocate would be counted elsewhere. */
static bool is_lost(uint32_t parent, uint32_t site) {
    return site == 0 || site == vbt_tree.lost_site || parent - vbt_tree.lost_nodes[0] < VBT_DOMAINS;
}

static __attribute__((noinline)) uint32_t new_node(uint32_t parent, uint32_t site, enum vbt_domain domain,
                                                   struct vbt_node_spot *spot) {
    if (is_lost(parent, site))
        return vbt_tree.lost_nodes[domain];
    vbt_vector_prepare(&vbt_tree.nodes, sizeof(struct vbt_node));
    vbt_vector_prepare(&vbt_tree.first_children, sizeof(uint64_t));
    vbt_lock(&vbt_tree_lock);
    uint32_t id = add_node(parent, site, domain, spot);
    vbt_unlock(&vbt_tree_lock);
    return id != 0 ? id : vbt_tree.lost_nodes[domain];
}

uint32_t vbt_node_seek(uint32_t parent, uint32_t site, enum vbt_domain domain) {
    struct vbt_node_spot spot = {0};
    uint32_t node = find(parent, site, domain, &spot);
    return VBT_LIKELY(node != 0) ? node : new_node(parent, site, domain, &spot);
}

void vbt_tree_limit(uint32_t most_nodes) { atomic_store_explicit(&vbt_tree.most_nodes, most_nodes, memory_order_relaxed); }

/* Of a site that is no lost path's, or before there are any. */
static uint32_t first_node(uint32_t site, enum vbt_domain domain) { return add_node(0, site, domain, &(struct vbt_node_spot){0}); }

bool vbt_tree_init(void) {
    vbt_tree_limit(VBT_MAX_NODES);
    /* Index 0 of each is unused; node 0 is the root. */
    vbt_vector_add(&vbt_tree.strings, sizeof(struct vbt_string));
    vbt_vector_add(&vbt_tree.codes, sizeof(struct vbt_code));
    vbt_vector_add(&vbt_tree.sites, sizeof(struct vbt_site));
    vbt_vector_add(&vbt_tree.nodes, sizeof(struct vbt_node));
    vbt_vector_add(&vbt_tree.first_children, sizeof(uint64_t));
    if (vbt_tree.nodes.count == 0)
        return false;
    vbt_tree.lost_site = vbt_intern_special_site("[lost call path]");
    for (int domain = 0; domain < VBT_DOMAINS; domain++)
        vbt_tree.lost_nodes[domain] = first_node(vbt_tree.lost_site, (enum vbt_domain)domain);
    vbt_tree.own_node = first_node(vbt_intern_special_site("[vbtrace]"), VBT_DOMAIN_PYTHON);
    if (vbt_tree.own_node == 0)
        return false;
    vbt_node_at(vbt_tree.own_node)->flags = VBT_SITE_OWN;
    return true;
}
