/* The shadow: a separate cell for every place a block can be; huge blocks; addresses without a
 * cell. */
#include "preload/ledger/shadow.h"

#include "tests/unit/support/preload_world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define REGION ((uintptr_t)1 << VBT_SHADOW_REGION_BITS)

static vbt_cell *cell_of(uintptr_t address) { return vbt_shadow_cell((const void *)address, true); }

static void a_cell_keeps_account_size_and_domain(void **state) {
    (void)state;
    static const uint32_t accounts[] = {0, 1, 12345, VBT_CELL_ACCOUNTS - 1};
    static const size_t sizes[] = {0, 1, 4096, UINT32_MAX, (size_t)UINT32_MAX + 1, VBT_CELL_SIZES - 1};
    for (size_t n = 0; n < sizeof accounts / sizeof *accounts; n++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            for (int domain = VBT_DOMAIN_HEAP; domain <= VBT_DOMAIN_PYTHON; domain++) {
                uint64_t cell = vbt_cell_pack(accounts[n], sizes[s], (enum vbt_domain)domain);
                for (int marked = 0; marked < 3; marked++, cell |= marked == 1 ? VBT_CELL_WATCHED : VBT_CELL_HUGE) {
                    assert_int_equal(vbt_cell_account(cell), accounts[n]);
                    assert_int_equal(vbt_cell_size(cell), sizes[s]);
                    assert_int_equal(vbt_cell_domain(cell), domain);
                }
            }
        }
    }
}

static void nothing_is_made_by_looking(void **state) {
    (void)state;
    uintptr_t address = 0x5000 * REGION + 32;
    assert_null(vbt_shadow_cell((const void *)address, false));
    vbt_cell *made = cell_of(address);
    assert_non_null(made);
    assert_int_equal(*made, 0);
    assert_ptr_equal(vbt_shadow_cell((const void *)address, false), made);
}

/* Allocators that align to 8 bytes place two blocks within 16 bytes. */
static void blocks_8_bytes_apart_have_cells_of_their_own(void **state) {
    (void)state;
    enum { BLOCKS = 4096 };
    uintptr_t base = 0x5001 * REGION;
    for (uintptr_t i = 0; i < BLOCKS; i++) {
        assert_int_equal(*cell_of(base + 8 * i), 0);
        *cell_of(base + 8 * i) = i + 1;
    }
    for (uintptr_t i = 0; i < BLOCKS; i++)
        assert_int_equal(*cell_of(base + 8 * i), i + 1);
}

static void neighbouring_regions_do_not_overlap(void **state) {
    (void)state;
    uintptr_t border = 0x5003 * REGION;
    static const intptr_t offsets[] = {-16, -8, 0, 8};
    for (uint64_t i = 0; i < 4; i++)
        *cell_of(border + (uintptr_t)offsets[i]) = i + 1;
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(*cell_of(border + (uintptr_t)offsets[i]), i + 1);
}

static void unaligned_addresses_have_no_cell(void **state) {
    (void)state;
    for (uintptr_t offset = 1; offset < 16; offset++)
        if (offset != 8)
            assert_null(cell_of(0x5000 * REGION + offset));
}

static void addresses_above_47_bits_have_no_cell(void **state) {
    (void)state;
    uintptr_t end = (uintptr_t)1 << VBT_SHADOW_ADDRESS_BITS;
    assert_null(cell_of(end));
    assert_null(cell_of(end + 8));
    assert_null(cell_of((uintptr_t)1 << 56));
    assert_null(cell_of(UINTPTR_MAX - 15));
    assert_non_null(cell_of(end - 16));
    assert_non_null(cell_of(end - 8));
    assert_ptr_not_equal(cell_of(end - 16), cell_of(end - 8));
}

static void the_usual_cell_is_that_of_an_aligned_address_in_a_region_that_is_there(void **state) {
    (void)state;
    uintptr_t base = 0x5010 * REGION, highest = ((uintptr_t)1 << VBT_SHADOW_ADDRESS_BITS) - 16;
    assert_null(vbt_shadow_usual_cell((const void *)base));
    cell_of(base);
    cell_of(highest);
    cell_of(base + 8);
    for (uintptr_t offset = 0; offset < REGION; offset += REGION / 16)
        assert_ptr_equal(vbt_shadow_usual_cell((const void *)(base + offset)), cell_of(base + offset));
    assert_ptr_equal(vbt_shadow_usual_cell((const void *)(base + REGION - 16)), cell_of(base + REGION - 16));
    assert_ptr_equal(vbt_shadow_usual_cell((const void *)highest), cell_of(highest));
    for (uintptr_t offset = 1; offset < 16; offset++) {
        assert_null(vbt_shadow_usual_cell((const void *)(base + offset)));
        assert_null(vbt_shadow_usual_cell((const void *)(highest + offset)));
        assert_null(vbt_shadow_usual_cell((const void *)offset));
    }
    for (int bit = VBT_SHADOW_ADDRESS_BITS; bit < 64; bit++)
        assert_null(vbt_shadow_usual_cell((const void *)(base | (uintptr_t)1 << bit)));
}

static void huge_blocks_keep_their_size(void **state) {
    (void)state;
    static char blocks[3];
    size_t sizes[] = {VBT_CELL_SIZES, (size_t)1 << 40, (size_t)1 << 46};
    for (int i = 0; i < 3; i++)
        assert_true(vbt_shadow_put_huge(&blocks[i], sizes[i]));
    for (int i = 2; i >= 0; i--)
        assert_int_equal(vbt_shadow_take_huge(&blocks[i]), sizes[i]);
    assert_int_equal(vbt_shadow_take_huge(&blocks[0]), 0);
}

static void huge_blocks_have_an_end_and_room_is_used_again(void **state) {
    (void)state;
    static char blocks[100000];
    uint32_t count = 0;
    while (count < sizeof blocks && vbt_shadow_put_huge(&blocks[count], VBT_CELL_SIZES + count))
        count++;
    assert_in_range(count, 100, sizeof blocks - 1);
    assert_int_equal(vbt_shadow_take_huge(&blocks[7]), VBT_CELL_SIZES + 7);
    assert_true(vbt_shadow_put_huge(&blocks[count], VBT_CELL_SIZES + count));
    for (uint32_t i = 0; i <= count; i++)
        assert_int_equal(vbt_shadow_take_huge(&blocks[i]), i == 7 ? 0 : VBT_CELL_SIZES + i);
}

/* A block whose end was not seen (unmapped unnoticed) leaves its size; the next block there has its
 * own. */
static void a_huge_block_replaces_the_one_that_was_there(void **state) {
    (void)state;
    static char block;
    assert_true(vbt_shadow_put_huge(&block, (size_t)1 << 41));
    assert_true(vbt_shadow_put_huge(&block, (size_t)1 << 42));
    assert_int_equal(vbt_shadow_take_huge(&block), (size_t)1 << 42);
}

enum { THREADS = 4, REGIONS = 64 };

static pthread_barrier_t start;

static void *fill_regions(void *out) {
    pthread_barrier_wait(&start);
    for (uintptr_t i = 0; i < REGIONS; i++)
        ((vbt_cell **)out)[i] = cell_of((0x6000 + i) * REGION);
    return NULL;
}

static void threads_that_make_the_same_region_get_the_same(void **state) {
    (void)state;
    static vbt_cell *cells[THREADS][REGIONS];
    pthread_t threads[THREADS];
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fill_regions, cells[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        assert_memory_equal(cells[i], cells[0], sizeof cells[0]);
    assert_non_null(cells[0][REGIONS - 1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_keeps_account_size_and_domain),
        cmocka_unit_test(nothing_is_made_by_looking),
        cmocka_unit_test(blocks_8_bytes_apart_have_cells_of_their_own),
        cmocka_unit_test(neighbouring_regions_do_not_overlap),
        cmocka_unit_test(unaligned_addresses_have_no_cell),
        cmocka_unit_test(addresses_above_47_bits_have_no_cell),
        cmocka_unit_test(the_usual_cell_is_that_of_an_aligned_address_in_a_region_that_is_there),
        cmocka_unit_test(huge_blocks_keep_their_size),
        cmocka_unit_test(huge_blocks_have_an_end_and_room_is_used_again),
        cmocka_unit_test(a_huge_block_replaces_the_one_that_was_there),
        cmocka_unit_test(threads_that_make_the_same_region_get_the_same),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
