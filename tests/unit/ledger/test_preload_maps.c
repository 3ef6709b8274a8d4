/* The books of mapped memory, against an array of pages and plain arithmetic. The addresses are
 * those of a real, unused mapping, since pages that the kernel refuses to unmap are restored as far
 * as they are still mapped. */
#include "preload/ledger/maps.h"

#include "preload/thread/books.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

enum { PAGES = 256, PAGE = 65536, NODES = 8 }; /* no machine's pages are larger */

static char *ground; /* the addresses: 0 modulo PAGE */
static struct vbt_thread *thread;
static struct vbt_maps_sum before; /* counts are the process's, and continue from test to test */

static uintptr_t at(int page) { return (uintptr_t)ground + (uintptr_t)page * PAGE; }

static void unmap(int from, int to) {
    vbt_maps_retire(&thread->ledger, at(from), at(to));
    vbt_maps_settle(&thread->ledger);
}

static int begin(void **state) {
    world_reset(state);
    thread = vbt_thread_begin();
    if (ground == NULL) {
        uintptr_t all = (uintptr_t)mmap(NULL, (PAGES + 1) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ground = (char *)((all + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
    }
    unmap(0, PAGES);
    vbt_maps_read(&before);
    return 0;
}

static uint32_t node_of(const char *name) { return world_node(0, name, VBT_DOMAIN_MAP); }

static void map(uint32_t node, enum vbt_map_kind kind, int from, int to) {
    vbt_maps_add(&thread->ledger, world_place(thread, node), kind, at(from), at(to));
}

static struct vbt_node_totals sum_of(uint32_t node) {
    struct vbt_books books;
    struct vbt_node_sum sum = {0};
    vbt_books_read(&books);
    vbt_books_node(&books, node, &sum);
    return sum.totals;
}

static void assert_node(uint32_t node, uint64_t allocs, uint64_t frees, uint64_t allocated, uint64_t freed) {
    struct vbt_node_totals sum = sum_of(node);
    assert_int_equal(sum.allocs, allocs);
    assert_int_equal(sum.frees, frees);
    assert_int_equal(sum.allocated, allocated * PAGE);
    assert_int_equal(sum.freed, freed * PAGE);
}

static struct vbt_totals flow_of(enum vbt_map_kind kind) {
    struct vbt_maps_sum now;
    vbt_maps_read(&now);
    struct vbt_totals flow = now.kinds[kind].flow;
    const struct vbt_totals *then = &before.kinds[kind].flow;
    return (struct vbt_totals){flow.allocs - then->allocs, flow.frees - then->frees, flow.allocated - then->allocated,
                               flow.freed - then->freed, flow.temporary - then->temporary};
}

static void a_mapping_is_freed_when_its_last_page_goes(void **state) {
    (void)state;
    uint32_t node = node_of("in parts");
    map(node, VBT_MAP_ANONYMOUS, 0, 10);
    assert_node(node, 1, 0, 10, 0);
    unmap(3, 5);
    assert_node(node, 1, 0, 10, 2);
    unmap(8, 20);
    assert_node(node, 1, 0, 10, 4);
    assert_int_equal(vbt_maps_held(), 6 * PAGE);
    unmap(0, 10);
    assert_node(node, 1, 1, 10, 10);
    assert_int_equal(vbt_maps_held(), 0);
}

static void one_call_ends_parts_of_several(void **state) {
    (void)state;
    uint32_t a = node_of("spanned a"), b = node_of("spanned b"), c = node_of("spanned c");
    map(a, VBT_MAP_ANONYMOUS, 0, 4);
    map(b, VBT_MAP_FILE, 4, 6);
    map(c, VBT_MAP_ANONYMOUS, 10, 14);
    unmap(2, 11);
    assert_node(a, 1, 0, 4, 2);
    assert_node(b, 1, 1, 2, 2);
    assert_node(c, 1, 0, 4, 1);
    assert_int_equal(flow_of(VBT_MAP_FILE).frees, 1);
    assert_int_equal(flow_of(VBT_MAP_ANONYMOUS).allocs, 2);
    assert_int_equal(flow_of(VBT_MAP_ANONYMOUS).frees, 0);
    assert_int_equal(flow_of(VBT_MAP_ANONYMOUS).freed, 3 * PAGE);
}

static void a_mapping_over_others_ends_what_was_there(void **state) {
    (void)state;
    uint32_t a = node_of("under"), b = node_of("over");
    map(a, VBT_MAP_ANONYMOUS, 0, 10);
    map(b, VBT_MAP_FILE, 4, 6);
    assert_node(a, 1, 0, 10, 2);
    assert_node(b, 1, 0, 2, 0);
    struct vbt_mapped_part part;
    assert_true(vbt_maps_find(at(5), &part));
    assert_int_equal(part.start, at(4));
    assert_int_equal(part.end, at(6));
    assert_int_equal(part.kind, VBT_MAP_FILE);
    unmap(4, 6);
    assert_true(vbt_maps_find(at(5), &part));
    assert_int_equal(part.start, at(6));
}

static void what_is_in_hand_is_live_but_not_in_the_way(void **state) {
    (void)state;
    uint32_t a = node_of("in hand"), b = node_of("meanwhile");
    struct vbt_mapped_part part;
    map(a, VBT_MAP_ANONYMOUS, 0, 4);
    vbt_maps_retire(&thread->ledger, at(0), at(4));
    assert_node(a, 1, 0, 4, 0);
    assert_false(vbt_maps_find(at(0), &part) && part.start < at(4));
    /* The kernel has unmapped it and given the addresses to another thread, before this thread has
     * booked that. */
    map(b, VBT_MAP_ANONYMOUS, 0, 2);
    assert_int_equal(vbt_maps_settle(&thread->ledger), 4 * PAGE);
    assert_node(a, 1, 1, 4, 4);
    assert_node(b, 1, 0, 2, 0);
    assert_int_equal(vbt_maps_held(), 2 * PAGE);
}

static void a_refused_call_changes_nothing(void **state) {
    (void)state;
    uint32_t node = node_of("refused");
    map(node, VBT_MAP_ANONYMOUS, 0, 8);
    vbt_maps_retire(&thread->ledger, at(2), at(4));
    vbt_maps_retire(&thread->ledger, at(6), at(9)); /* as mremap to a place of its choice does */
    assert_int_equal(vbt_maps_held(), 4 * PAGE);
    vbt_maps_restore(&thread->ledger);
    assert_node(node, 1, 0, 8, 0);
    assert_int_equal(vbt_maps_held(), 8 * PAGE);
    unmap(0, 8);
    assert_node(node, 1, 1, 8, 8);
}

static void what_a_refused_call_unmapped_all_the_same_has_ended(void **state) {
    (void)state;
    uint32_t a = node_of("lost a"), b = node_of("lost b");
    map(a, VBT_MAP_ANONYMOUS, 0, 2);
    map(b, VBT_MAP_ANONYMOUS, 2, 4);
    vbt_maps_retire(&thread->ledger, at(0), at(4));
    assert_int_equal(munmap((void *)at(2), 2 * PAGE), 0);
    vbt_maps_restore(&thread->ledger);
    assert_node(a, 1, 0, 2, 0);
    assert_node(b, 1, 1, 2, 2);
    assert_ptr_equal(mmap((void *)at(2), 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), (void *)at(2));
}

static void what_threads_that_are_gone_had_in_hand_is_resolved(void **state) {
    (void)state;
    uint32_t node = node_of("forked");
    struct vbt_thread *self = thread;
    map(node, VBT_MAP_ANONYMOUS, 0, 4);
    vbt_self = NULL;
    struct vbt_thread *other = vbt_thread_begin();
    if (other == self) /* alive, so a new state is made */
        fail();
    vbt_maps_retire(&other->ledger, at(0), at(2));
    vbt_maps_retire(&self->ledger, at(2), at(3));
    vbt_self = self;
    vbt_maps_begin_in_child(true, &vbt_self->ledger);
    assert_int_equal(other->ledger.unmapping, 0);
    assert_int_not_equal(self->ledger.unmapping, 0);
    assert_int_equal(vbt_maps_held(), 3 * PAGE);
    vbt_maps_settle(&self->ledger);
    assert_node(node, 1, 0, 4, 1);
}

static void only_the_latest_mapping_is_temporary(void **state) {
    (void)state;
    uint32_t node = node_of("temporary");
    map(node, VBT_MAP_ANONYMOUS, 0, 2);
    unmap(0, 2);
    map(node, VBT_MAP_ANONYMOUS, 0, 2);
    map(node, VBT_MAP_ANONYMOUS, 4, 6);
    unmap(0, 2);
    unmap(4, 5);
    unmap(5, 6);
    assert_int_equal(sum_of(node).temporary, 2);
    assert_int_equal(flow_of(VBT_MAP_ANONYMOUS).temporary, 2);
}

static void a_fork_inherits_what_is_mapped(void **state) {
    (void)state;
    uint32_t node = node_of("inherited");
    map(node, VBT_MAP_FILE, 0, 5);
    unmap(4, 5);
    world_alloc(thread, world_node(0, "heap beside it", VBT_DOMAIN_HEAP), 0x7000000, 100);
    vbt_maps_before_fork();
    vbt_maps_after_fork();
    vbt_books_inherit(true);
    struct vbt_books books;
    vbt_books_read(&books);
    assert_int_equal(books.inherited_blocks[VBT_DOMAIN_MAP], 1);
    assert_int_equal(books.inherited_bytes[VBT_DOMAIN_MAP], 4 * PAGE);
    assert_int_equal(books.maps.kinds[VBT_MAP_FILE].inherited_bytes, 4 * PAGE);
    assert_int_equal(books.totals[VBT_DOMAIN_MAP].allocs, 0);
    assert_int_equal(sum_of(node).inherited_blocks, 1);
    assert_int_equal(sum_of(node).inherited_bytes, 4 * PAGE);
    assert_int_equal(books.peak, 100); /* mapped memory is no part of the heap's */
    unmap(0, 4);
    assert_int_equal(sum_of(node).frees, 1);
    assert_int_equal(sum_of(node).freed, 4 * PAGE);
    world_free(thread, 0x7000000);
    vbt_books_inherit(true); /* for later tests: nothing is left */
}

/* Forked by clone while another thread, here this one, was changing the books: their contents are
 * then undefined. */
static void books_that_were_being_changed_are_begun_afresh(void **state) {
    (void)state;
    uint32_t a = node_of("forgotten a"), b = node_of("forgotten b");
    map(a, VBT_MAP_FILE, 0, 5);
    map(b, VBT_MAP_ANONYMOUS, 10, 15);
    vbt_maps_retire(&thread->ledger, at(12), at(13));
    vbt_maps_before_fork();
    vbt_maps_begin_in_child(false, &vbt_self->ledger);
    vbt_books_inherit(false);
    struct vbt_books books;
    vbt_books_read(&books);
    assert_int_equal(books.lost[VBT_LOST_MAPS], 2);
    assert_int_equal(sum_of(a).inherited_blocks, 0);
    assert_int_equal(books.inherited_blocks[VBT_DOMAIN_MAP], 0);
    assert_int_equal(books.maps.kinds[VBT_MAP_FILE].inherited_bytes, 0);
    assert_int_equal(books.maps.peak, 0);
    assert_int_equal(vbt_maps_held(), 0);
    vbt_maps_settle(&thread->ledger); /* it is not changing them */
    unmap(0, 5);
    assert_node(a, 0, 0, 0, 0);
    map(b, VBT_MAP_ANONYMOUS, 0, 3);
    assert_node(b, 1, 0, 3, 0);
    assert_int_equal(vbt_maps_held(), 3 * PAGE);
    vbt_maps_begin_in_child(false, &vbt_self->ledger); /* a child of this one, forked when nobody changed them */
    vbt_books_inherit(false);
    vbt_books_read(&books);
    assert_int_equal(books.lost[VBT_LOST_MAPS], 0);
    assert_int_equal(books.inherited_bytes[VBT_DOMAIN_MAP], 3 * PAGE);
    assert_int_equal(sum_of(b).inherited_blocks, 1);
    assert_int_equal(sum_of(b).inherited_bytes, 3 * PAGE);
    assert_int_equal(vbt_maps_held(), 3 * PAGE);
}

static void mapped_memory_is_no_part_of_heap_live_or_peak(void **state) {
    (void)state;
    map(node_of("apart"), VBT_MAP_ANONYMOUS, 0, 10);
    assert_int_equal(thread->ledger.live, 0);
    struct vbt_books books;
    vbt_books_read(&books);
    assert_int_equal(books.peak, 0);
    assert_int_equal(books.maps.peak >= 10 * PAGE, 1);
    assert_int_equal(books.totals[VBT_DOMAIN_HEAP].allocs, 0);
}

/* The model: the mapping of each page, and the pages that each mapping has left. */
struct page_model {
    uint32_t page[PAGES]; /* mapping; 0: none */
    uint32_t node[20001]; /* by mapping: index of its node */
    uint32_t left[20001]; /* by mapping: pages */
    uint64_t allocs[NODES], frees[NODES], allocated[NODES], freed[NODES];
};

static void model_unmap(struct page_model *m, int from, int to) {
    for (int page = from; page < to; page++) {
        uint32_t mapping = m->page[page];
        if (mapping == 0)
            continue;
        m->page[page] = 0;
        m->freed[m->node[mapping]]++;
        m->frees[m->node[mapping]] += --m->left[mapping] == 0;
    }
}

static void model_map(struct page_model *m, uint32_t mapping, uint32_t node, int from, int to) {
    model_unmap(m, from, to);
    m->node[mapping] = node;
    m->left[mapping] = (uint32_t)(to - from);
    m->allocs[node]++;
    m->allocated[node] += (uint64_t)(to - from);
    for (int page = from; page < to; page++)
        m->page[page] = mapping;
}

static void random_calls_agree_with_an_array_of_pages(void **state) {
    (void)state;
    static struct page_model model;
    static const char *const names[NODES] = {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"};
    uint32_t nodes[NODES];
    uint64_t seed = 7;
    for (int i = 0; i < NODES; i++)
        nodes[i] = node_of(names[i]);
    for (uint32_t step = 1; step <= 20000; step++) {
        int from = (int)(world_random(&seed) % PAGES), to = from + 1 + (int)(world_random(&seed) % 24);
        to = to < PAGES ? to : PAGES;
        uint32_t which = (uint32_t)(world_random(&seed) % NODES);
        switch (world_random(&seed) % 4) {
        case 0:
        case 1:
            map(nodes[which], (enum vbt_map_kind)(which % VBT_MAP_KINDS), from, to);
            model_map(&model, step, which, from, to);
            break;
        case 2:
            unmap(from, to);
            model_unmap(&model, from, to);
            break;
        default: /* refused */
            vbt_maps_retire(&thread->ledger, at(from), at(to));
            vbt_maps_restore(&thread->ledger);
        }
        if (step % 64 != 0)
            continue;
        uint64_t held = 0;
        for (int i = 0; i < NODES; i++) {
            assert_node(nodes[i], model.allocs[i], model.frees[i], model.allocated[i], model.freed[i]);
            held += model.allocated[i] - model.freed[i];
        }
        assert_int_equal(vbt_maps_held(), held * PAGE);
        for (int page = 0; page < PAGES; page++) {
            struct vbt_mapped_part part;
            bool known = vbt_maps_find(at(page), &part) && part.start <= at(page);
            assert_int_equal(known, model.page[page] != 0);
            if (known)
                assert_int_equal(part.kind, model.node[model.page[page]] % VBT_MAP_KINDS);
        }
    }
    struct vbt_totals sum = {0};
    for (int kind = 0; kind < VBT_MAP_KINDS; kind++) {
        sum.allocs += flow_of((enum vbt_map_kind)kind).allocs;
        sum.freed += flow_of((enum vbt_map_kind)kind).freed;
    }
    for (int i = 0; i < NODES; i++) {
        sum.allocs -= model.allocs[i];
        sum.freed -= model.freed[i] * PAGE;
    }
    assert_int_equal(sum.allocs, 0);
    assert_int_equal(sum.freed, 0);
}

static int make_world(void **state) {
    (void)state;
    world_init();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_mapping_is_freed_when_its_last_page_goes, begin),
        cmocka_unit_test_setup(one_call_ends_parts_of_several, begin),
        cmocka_unit_test_setup(a_mapping_over_others_ends_what_was_there, begin),
        cmocka_unit_test_setup(what_is_in_hand_is_live_but_not_in_the_way, begin),
        cmocka_unit_test_setup(a_refused_call_changes_nothing, begin),
        cmocka_unit_test_setup(what_a_refused_call_unmapped_all_the_same_has_ended, begin),
        cmocka_unit_test_setup(what_threads_that_are_gone_had_in_hand_is_resolved, begin),
        cmocka_unit_test_setup(only_the_latest_mapping_is_temporary, begin),
        cmocka_unit_test_setup(a_fork_inherits_what_is_mapped, begin),
        cmocka_unit_test_setup(books_that_were_being_changed_are_begun_afresh, begin),
        cmocka_unit_test_setup(mapped_memory_is_no_part_of_heap_live_or_peak, begin),
        cmocka_unit_test_setup(random_calls_agree_with_an_array_of_pages, begin),
    };
    return cmocka_run_group_tests(tests, make_world, NULL);
}
