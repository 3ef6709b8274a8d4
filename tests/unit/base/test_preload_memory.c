/* Memory from the kernel, the arena and the vector: zeroed, aligned, growing without moving. */
#include "preload/base/memory.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void assert_zero(const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], 0);
}

static void a_mapping_is_zeroed_and_can_be_written(void **state) {
    (void)state;
    enum { SIZE = 3 * 4096 + 1 };
    char *at = vbt_map(SIZE);
    assert_non_null(at);
    assert_int_equal((uintptr_t)at % 4096, 0);
    assert_zero(at, SIZE);
    memset(at, 1, SIZE);
    vbt_unmap(at, SIZE);
}

static void a_large_mapping_made_at_once_begins_where_a_huge_page_does(void **state) {
    (void)state;
    enum { HUGE_PAGE = 2 * 1024 * 1024, SIZE = 2 * HUGE_PAGE + 5000 };
    for (int i = 0; i < 3; i++) {
        char *at = vbt_map_at_once(SIZE);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % HUGE_PAGE, 0);
        assert_zero(at, SIZE);
        memset(at, 1, SIZE);
        vbt_drop(at, SIZE);
        assert_zero(at, SIZE);
    }
}

/* In small steps, then in large ones. */
static void an_arena_grows_large(void **state) {
    (void)state;
    enum { SIZE = 15000, BLOCKS = 6 * 1024 * 1024 / SIZE };
    struct vbt_arena arena = {0};
    static char *blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = vbt_arena_alloc(&arena, SIZE);
        assert_non_null(blocks[i]);
        assert_zero(blocks[i], SIZE);
        memset(blocks[i], i % 251 + 1, SIZE);
    }
    for (int i = 0; i < BLOCKS; i++)
        for (int at = 0; at < SIZE; at++)
            assert_int_equal((unsigned char)blocks[i][at], i % 251 + 1);
}

static void the_kernel_may_refuse(void **state) {
    (void)state;
    assert_null(vbt_map((size_t)1 << 60));
    struct vbt_arena arena = {0};
    assert_null(vbt_arena_alloc(&arena, (size_t)1 << 60));
    assert_non_null(vbt_arena_alloc(&arena, 16));
}

/* Blocks of many sizes, across the arena's steps: aligned, zeroed, without overlap. */
static void arena_blocks_are_aligned_zeroed_and_apart(void **state) {
    (void)state;
    enum { BLOCKS = 600 };
    struct vbt_arena arena = {0};
    char *blocks[BLOCKS];
    size_t sizes[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        sizes[i] = i % 50 == 49 ? 100000 + i : 1 + i * 7;
        blocks[i] = vbt_arena_alloc(&arena, sizes[i]);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        assert_zero(blocks[i], sizes[i]);
        memset(blocks[i], (int)(i % 251) + 1, sizes[i]);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        for (size_t at = 0; at < sizes[i]; at++)
            assert_int_equal((unsigned char)blocks[i][at], i % 251 + 1);
}

/* A block with its own mapping must not waste the rest of the step. */
static void a_large_block_leaves_the_arena_where_it_was(void **state) {
    (void)state;
    struct vbt_arena arena = {0};
    char *before = vbt_arena_alloc(&arena, 16);
    assert_non_null(vbt_arena_alloc(&arena, 1 << 20));
    assert_ptr_equal(vbt_arena_alloc(&arena, 16), before + 16);
}

static void vector_items_are_dense_zeroed_and_never_move(void **state) {
    (void)state;
    static struct vbt_vector vector;
    enum { ITEMS = 3 * VBT_VECTOR_SEGMENT + 5 };
    char *first = NULL;
    for (uint32_t i = 0; i < ITEMS; i++) {
        assert_int_equal(vbt_vector_add(&vector, 12), i);
        assert_int_equal(vector.count, i + 1);
        char *item = vbt_vector_at(&vector, i);
        assert_zero(item, 12);
        memcpy(item, &i, sizeof i);
        memset(item + 4, 0xff, 8);
        first = i == 0 ? item : first;
    }
    assert_ptr_equal(vbt_vector_at(&vector, 0), first);
    for (uint32_t i = 0; i < ITEMS; i++)
        assert_memory_equal(vbt_vector_at(&vector, i), &i, sizeof i);
}

/* The next segment is there before an item needs it, whoever mapped it; no item is lost or moved.
 * */
static void what_is_prepared_is_what_is_added_to(void **state) {
    (void)state;
    static struct vbt_vector vector;
    for (uint32_t i = 0; i < 3 * VBT_VECTOR_SEGMENT; i++) {
        uint32_t next = i / VBT_VECTOR_SEGMENT + 1;
        vbt_vector_prepare(&vector, 8);
        char *prepared = vector.segments[next];
        assert_int_equal(prepared != NULL, i % VBT_VECTOR_SEGMENT >= VBT_VECTOR_SEGMENT - VBT_VECTOR_SOON);
        vbt_vector_prepare(&vector, 8);
        assert_ptr_equal(vector.segments[next], prepared);
        assert_int_equal(vbt_vector_add(&vector, 8), i);
        assert_zero(vbt_vector_at(&vector, i), 8);
    }
    vector.count = VBT_VECTOR_SEGMENT * VBT_VECTOR_SEGMENTS - 1; /* after the last segment there is none */
    vbt_vector_prepare(&vector, 8);
}

enum { PREPARERS = 4 };

static struct vbt_vector shared;

static void *prepare_often(void *unused) {
    while (__atomic_load_n(&shared.count, __ATOMIC_RELAXED) < 20 * VBT_VECTOR_SEGMENT)
        vbt_vector_prepare(&shared, 4);
    return unused;
}

static void threads_may_prepare_what_another_adds(void **state) {
    (void)state;
    pthread_t threads[PREPARERS];
    for (int i = 0; i < PREPARERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, prepare_often, NULL), 0);
    for (uint32_t i = 0; i < 20 * VBT_VECTOR_SEGMENT; i++) {
        assert_int_equal(vbt_vector_add(&shared, 4), i);
        *VBT_VECTOR_ITEM(&shared, uint32_t, i) = i;
    }
    for (int i = 0; i < PREPARERS; i++)
        pthread_join(threads[i], NULL);
    for (uint32_t i = 0; i < 20 * VBT_VECTOR_SEGMENT; i++)
        assert_int_equal(*VBT_VECTOR_ITEM(&shared, uint32_t, i), i);
}

static void a_full_vector_says_so(void **state) {
    (void)state;
    static struct vbt_vector vector = {.count = VBT_VECTOR_SEGMENT * VBT_VECTOR_SEGMENTS - 1};
    assert_int_equal(vbt_vector_add(&vector, 1), VBT_VECTOR_SEGMENT * VBT_VECTOR_SEGMENTS - 1);
    assert_int_equal(vbt_vector_add(&vector, 1), 0);
    assert_int_equal(vector.count, VBT_VECTOR_SEGMENT * VBT_VECTOR_SEGMENTS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapping_is_zeroed_and_can_be_written),
        cmocka_unit_test(a_large_mapping_made_at_once_begins_where_a_huge_page_does),
        cmocka_unit_test(an_arena_grows_large),
        cmocka_unit_test(the_kernel_may_refuse),
        cmocka_unit_test(arena_blocks_are_aligned_zeroed_and_apart),
        cmocka_unit_test(a_large_block_leaves_the_arena_where_it_was),
        cmocka_unit_test(vector_items_are_dense_zeroed_and_never_move),
        cmocka_unit_test(what_is_prepared_is_what_is_added_to),
        cmocka_unit_test(threads_may_prepare_what_another_adds),
        cmocka_unit_test(a_full_vector_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
