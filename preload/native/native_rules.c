/* See native_rules.h. */
#include "native_rules.h"

#include "preload/base/glibc.h"
#include "preload/base/memory.h"
#include "preload/tree/loaded.h"
#include "preload/tree/modules.h"
#include "native_machine.h"
#include "native_memory.h"
#include "preload/base/table.h"
#include "preload/tree/tree.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/auxv.h>

/* stamp is cleared before the others change and set after them; see modules.h. */
struct known_address {
    _Atomic uint64_t rule;
    _Atomic uint32_t site;
    _Atomic uint32_t stamp;
};

struct vbt_lock vbt_native_rules_lock VBT_CHANGED_BY_FORK;
static struct vbt_table ids; /* return address → index in addresses */
static struct vbt_vector addresses;

static void set_section(struct vbt_cfi_section *section, const struct vbt_loaded *loaded) {
    *section = (struct vbt_cfi_section){.header = loaded->eh_frame};
    if (loaded->eh_frame != NULL)
        vbt_loaded_segment(loaded, (uintptr_t)loaded->eh_frame, &section->start, &section->end);
}

struct search {
    uintptr_t pc;
    struct vbt_cfi_section section;
};

static int is_it(struct dl_phdr_info *info, size_t size, void *argument) {
    (void)size;
    struct search *search = argument;
    bool found = false;
    const uint8_t *header = NULL;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD)
            found |= search->pc - (info->dlpi_addr + segment->p_vaddr) < segment->p_memsz;
        else if (segment->p_type == PT_GNU_EH_FRAME)
            header = (const uint8_t *)(info->dlpi_addr + segment->p_vaddr);
    }
    if (!found)
        return 0;
    const struct vbt_loaded loaded = {
        .bias = info->dlpi_addr, .headers = info->dlpi_phdr, .header_count = info->dlpi_phnum, .eh_frame = header};
    set_section(&search->section, &loaded);
    return 1;
}

/* The description of the module that contains pc; header NULL: it has none. False: no module
 * contains pc. */
static bool find_section(uintptr_t pc, struct vbt_cfi_section *section) {
    if (_dl_find_object == NULL) { /* before glibc 2.35: the loader's list of modules is searched */
        struct search search = {.pc = pc};
        bool found = dl_iterate_phdr(is_it, &search) != 0;
        *section = search.section;
        return found;
    }
    struct vbt_loaded loaded;
    if (!vbt_loaded_find(pc, &loaded))
        return false;
    set_section(section, &loaded);
    return true;
}

/* The kernel starts a program in the dynamic loader, whose first code has no description. */
static bool in_loader(uintptr_t pc) {
    uintptr_t base = getauxval(AT_BASE);
    if (base == 0) /* the loader was started as a program, and loaded that one */
        base = _r_debug.r_ldbase;
    const ElfW(Ehdr) *file = (const ElfW(Ehdr) *)base;
    const ElfW(Phdr) *segments = base != 0 ? (const ElfW(Phdr) *)(base + file->e_phoff) : NULL;
    for (size_t i = 0; segments != NULL && i < file->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && pc - (base + segments[i].p_vaddr) < segments[i].p_memsz)
            return true;
    return false;
}

/* Recognized by its instructions: a processor's kernel may give it no description, and it need not
 * be in a module. */
static bool returns_from_signal(uintptr_t pc) {
    return vbt_is_readable(pc) && vbt_is_readable(pc + sizeof(uint64_t)) && vbt_is_signal_return(pc);
}

static struct vbt_rule find_rule(uintptr_t pc) {
    struct vbt_cfi_section section;
    if (!find_section(pc - 1, &section))
        return (struct vbt_rule){.kind = returns_from_signal(pc) ? VBT_RULE_SIGNAL : VBT_RULE_NO_MODULE};
    struct vbt_rule rule = {.kind = VBT_RULE_NO_CFI};
    if (section.header != NULL)
        rule = vbt_cfi_rule(VBT_CFI_MACHINE, &section, pc - 1);
    if (rule.kind == VBT_RULE_NO_CFI && section.header != NULL) {
        /* No call returns to the start of a function: the address was put there where the stack
         * begins (makecontext), or for a signal handler to return to. */
        struct vbt_rule at_start = vbt_cfi_rule(VBT_CFI_MACHINE, &section, pc);
        if (at_start.kind != VBT_RULE_NO_CFI)
            rule.kind = at_start.kind == VBT_RULE_SIGNAL ? VBT_RULE_SIGNAL : VBT_RULE_END;
    }
    if (rule.kind == VBT_RULE_NO_CFI && returns_from_signal(pc))
        rule.kind = VBT_RULE_SIGNAL;
    if (rule.kind == VBT_RULE_NO_CFI && in_loader(pc))
        rule.kind = VBT_RULE_END;
    return rule;
}

/* Needs the lock. */
static void remember(uintptr_t pc, uint64_t rule, uint32_t site, uint32_t stamp) {
    uint32_t id = vbt_table_get(&ids, pc, 0);
    if (id == 0) {
        if (addresses.count == 0)
            vbt_vector_add(&addresses, sizeof(struct known_address)); /* index 0 stands for none */
        id = vbt_vector_add(&addresses, sizeof(struct known_address));
        if (id == 0 || !vbt_table_put(&ids, pc, 0, id))
            return;
    }
    struct known_address *known = vbt_vector_at(&addresses, id);
    atomic_store(&known->stamp, 0);
    atomic_store(&known->rule, rule);
    atomic_store(&known->site, site);
    atomic_store(&known->stamp, stamp);
}

struct vbt_rule vbt_native_rule(uintptr_t pc, uint32_t *site) {
    struct vbt_rule rule;
    uint64_t word;
    uint32_t id = vbt_table_get(&ids, pc, 0);
    if (VBT_LIKELY(id != 0)) {
        const struct known_address *known = vbt_vector_at(&addresses, id);
        uint32_t stamp = atomic_load(&known->stamp);
        word = atomic_load(&known->rule);
        *site = atomic_load(&known->site);
        if (stamp == atomic_load(&vbt_module_generation) && atomic_load(&known->stamp) == stamp) {
            memcpy(&rule, &word, sizeof rule);
            return rule;
        }
    }
    uint32_t stamp = vbt_module_stamp();
    rule = find_rule(pc);
    *site = vbt_native_site(pc);
    if (rule.kind == VBT_RULE_NO_MODULE || pc <= 1)
        return rule; /* a module may be loaded there any time */
    memcpy(&word, &rule, sizeof word);
    vbt_lock(&vbt_native_rules_lock);
    remember(pc, word, *site, stamp);
    vbt_unlock(&vbt_native_rules_lock);
    return rule;
}
