/* The shadow: each live block is found by its own address and by no other, whatever lies beside it;
 * what cells take; huge blocks; addresses without a cell; threads. */
#include "preload/ledger/shadow.h"

#include "tests/unit/support/preload_world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define REGION ((uintptr_t)1 << VBT_SHADOW_REGION_BITS)

static vbt_cell *place(uintptr_t address, size_t size) { return vbt_shadow_place((const void *)address, size); }
static vbt_cell *find(uintptr_t address) { return vbt_shadow_find((const void *)address); }

static uint64_t pack(uintptr_t address, uint32_t account, size_t size) {
    return vbt_cell_pack((const void *)address, account, size, VBT_DOMAIN_HEAP);
}

/* As the ledger does it: the usual way if that has a cell. */
static void begin(uintptr_t address, uint32_t account, size_t size) {
    vbt_cell *usual = vbt_shadow_usual_place((const void *)address, size, VBT_DOMAIN_HEAP), *slot = place(address, size);
    assert_non_null(slot);
    if (usual != NULL)
        assert_ptr_equal(usual, slot);
    atomic_store(slot, pack(address, account, size));
}

/* What is known of the block at an address; 0: there is none. */
static uint64_t at(uintptr_t address) {
    vbt_cell *usual = vbt_shadow_usual_find((const void *)address, VBT_DOMAIN_HEAP), *slot = find(address);
    if (usual != NULL)
        assert_ptr_equal(usual, slot);
    return slot != NULL ? atomic_load(slot) : 0;
}

static void end(uintptr_t address) {
    vbt_cell *slot = find(address);
    assert_non_null(slot);
    atomic_store(slot, 0);
}

static void a_cell_keeps_account_size_and_domain(void **state) {
    (void)state;
    static const uint32_t accounts[] = {0, 1, 12345, VBT_CELL_ACCOUNTS - 1};
    static const size_t sizes[] = {0, 1, 4096, 1000000, VBT_CELL_SIZES - 1};
    static const uintptr_t blocks[] = {0x10, 0x7ffffffffff0, 0x123456789ab8};
    for (size_t n = 0; n < sizeof accounts / sizeof *accounts * 3; n++) {
        const void *block = (const void *)blocks[n % 3];
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            for (int domain = VBT_DOMAIN_HEAP; domain <= VBT_DOMAIN_PYTHON; domain++) {
                uint64_t cell = vbt_cell_pack(block, accounts[n / 3], sizes[s], (enum vbt_domain)domain);
                for (int marked = 0; marked < 3; marked++, cell |= marked == 1 ? VBT_CELL_WATCHED : VBT_CELL_HUGE) {
                    assert_int_equal(vbt_cell_account(cell), accounts[n / 3]);
                    assert_int_equal(vbt_cell_size(cell), sizes[s]);
                    assert_int_equal(vbt_cell_domain(cell), domain);
                    assert_int_equal(cell & VBT_CELL_ADDRESS, vbt_cell_at(block));
                    assert_int_equal(vbt_cell_of_account(cell, 77),
                                     cell - ((uint64_t)accounts[n / 3] << 38) + ((uint64_t)77 << 38));
                }
            }
        }
    }
}

static void nothing_is_made_by_looking(void **state) {
    (void)state;
    uintptr_t address = 0x5000 * REGION + 32;
    assert_null(find(address));
    assert_null(vbt_shadow_usual_place((const void *)address, 100, VBT_DOMAIN_HEAP));
    vbt_cell *made = place(address, 100);
    assert_non_null(made);
    assert_int_equal(*made, 0);
    assert_null(find(address));
    *made = pack(address, 1, 100);
    assert_ptr_equal(find(address), made);
}

struct laid_block {
    uintptr_t address;
    size_t size;
    bool lives;
};

/* Sizes of all grains, and those around each limit. */
static size_t some_size(uint64_t random) {
    static const size_t limits[] = {VBT_SIZE_32, VBT_SIZE_64, VBT_SIZE_512, VBT_SIZE_4096};
    switch (random % 8) {
    case 0:
        return limits[random / 8 % 4] - 2 + random / 32 % 4;
    case 1:
        return random / 8 % 6000;
    case 2:
    case 3:
        return random / 8 % 300;
    default:
        return random / 8 % 64;
    }
}

/* Blocks from `start` on, as close to each other as they can be, at multiples of `alignment`;
 * returns how many. */
static size_t lay_out(struct laid_block *blocks, size_t room, uintptr_t start, uintptr_t end_of_all, uintptr_t alignment,
                      uint64_t *seed) {
    size_t count = 0;
    for (uintptr_t address = start; count < room; count++) {
        size_t size = some_size(world_random(seed));
        blocks[count] = (struct laid_block){address, size, false};
        address += ((size > 0 ? size : 1) + alignment - 1) / alignment * alignment;
        if (address > end_of_all)
            break;
    }
    return count;
}

static size_t one_of(size_t count, uint64_t *seed) { return count > 0 ? world_random(seed) % count : 0; }

static void turn(struct laid_block *block) {
    if (block->lives)
        end(block->address);
    else
        begin(block->address, (uint32_t)(block->address / 8 % 1000), block->size);
    block->lives = !block->lives;
}

static void check_all(const struct laid_block *blocks, size_t count, uintptr_t start, uintptr_t end_of_all) {
    size_t next = 0;
    for (uintptr_t address = start - 64; address < end_of_all; address++) {
        uint64_t expected = 0;
        if (next < count && blocks[next].address == address) {
            if (blocks[next].lives)
                expected = pack(address, (uint32_t)(address / 8 % 1000), blocks[next].size);
            next++;
        }
        if (at(address) != expected)
            fail_msg("%#lx: %#lx instead of %#lx", (unsigned long)address, (unsigned long)at(address), (unsigned long)expected);
    }
}

/* Across the border of two regions, where blocks of all sizes begin and end in any order. */
static void each_block_is_found_by_its_own_address_only(void **state) {
    (void)state;
    enum { ROOM = 4096, HALF = 40000, TURNS = 20000, LAYOUTS = 6 };
    static struct laid_block blocks[ROOM];
    uint64_t seed = 1;
    for (uintptr_t layout = 0; layout < LAYOUTS; layout++) {
        uintptr_t border = (0x5100 + 4 * layout) * REGION, start = border - HALF, over = border + HALF;
        size_t count = lay_out(blocks, ROOM, start, over, layout % 2 == 0 ? 16 : 8, &seed);
        assert_in_range(count, 100, ROOM - 1);
        for (int i = 0; i < TURNS; i++)
            turn(&blocks[one_of(count, &seed)]);
        check_all(blocks, count, start, over);
        for (size_t i = 0; i < count; i++)
            if (!blocks[i].lives)
                turn(&blocks[i]);
        check_all(blocks, count, start, over);
        for (size_t i = 0; i < count; i++)
            turn(&blocks[i]);
        check_all(blocks, count, start, over);
    }
}

/* The same address again and again, with every size. */
static void a_block_of_another_size_replaces_the_one_that_ended(void **state) {
    (void)state;
    for (uintptr_t offset = 0; offset < 8192; offset += 8) {
        uintptr_t address = 0x5200 * REGION + offset;
        for (size_t size = 0; size < 5000; size = size < 260 ? size + 1 : size + 379) {
            begin(address, 5, size);
            assert_int_equal(at(address), pack(address, 5, size));
            end(address);
            assert_int_equal(at(address), 0);
        }
    }
}

static bool is_on_a_new_page(const vbt_cell *slot, uintptr_t *pages, size_t *count) {
    uintptr_t page = (uintptr_t)slot / 4096;
    for (size_t i = *count; i-- > 0 && i + 8 > *count;)
        if (pages[i] == page)
            return false;
    pages[(*count)++] = page;
    return true;
}

/* In hundredths of a percent of the addresses, for 16 MiB of blocks a certain distance apart. */
static void cells_take_a_known_share_of_the_heap(void **state) {
    (void)state;
    static const struct {
        size_t size, apart, first, share;
    } known[] = {
        {8, 32, 16, 2500},     /* as malloc places them */
        {24, 32, 16, 2500},    /* the same, in full */
        {24, 32, 0, 2500},     /* or if another block came first */
        {16, 16, 0, 5000},     /* in a slab */
        {48, 64, 16, 2500},    /* malloc */
        {56, 64, 16, 1250},    /* malloc */
        {100, 112, 16, 1250},  /* malloc */
        {400, 416, 16, 1250},  /* malloc */
        {1000, 1008, 16, 157}, /* malloc */
        {5000, 5008, 16, 20},  /* malloc */
        {4096, 65536, 0, 20},  /* scattered */
        {100000, 102400, 0, 20},
    };
    static uintptr_t pages[1 << 16];
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        enum { SPAN = 16 << 20 };
        uintptr_t start = (0x5300 + k) * REGION;
        size_t count = 0;
        for (uintptr_t offset = known[k].first; offset + known[k].size <= SPAN; offset += known[k].apart)
            is_on_a_new_page(place(start + offset, known[k].size), pages, &count);
        assert_in_range((count * 4096 * 10000 + SPAN / 2) / SPAN, known[k].share - 4, known[k].share + 8);
    }
}

static void unaligned_addresses_have_no_cell(void **state) {
    (void)state;
    begin(0x5000 * REGION + 4096, 1, 100);
    for (uintptr_t offset = 1; offset < 16; offset++) {
        if (offset == 8)
            continue;
        assert_null(place(0x5000 * REGION + 4096 + offset, 100));
        assert_null(find(0x5000 * REGION + 4096 + offset));
        assert_null(vbt_shadow_usual_place((const void *)(0x5000 * REGION + 4096 + offset), 100, VBT_DOMAIN_HEAP));
        for (int domain = VBT_DOMAIN_HEAP; domain <= VBT_DOMAIN_PYTHON; domain++)
            assert_null(vbt_shadow_usual_find((const void *)(0x5000 * REGION + 4096 + offset), (enum vbt_domain)domain));
    }
}

static void addresses_above_47_bits_have_no_cell(void **state) {
    (void)state;
    uintptr_t highest = (uintptr_t)1 << VBT_SHADOW_ADDRESS_BITS;
    static const size_t sizes[] = {1, 24, 100, 1000, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_null(place(highest, sizes[i]));
        assert_null(place(highest + 8, sizes[i]));
        assert_null(place((uintptr_t)1 << 56, sizes[i]));
        assert_null(place(UINTPTR_MAX - 15, sizes[i]));
        assert_non_null(place(highest - 16, sizes[i]));
        assert_non_null(place(highest - 8, sizes[i]));
        assert_ptr_not_equal(place(highest - 16, sizes[i]), place(highest - 8, sizes[i]));
        for (int bit = VBT_SHADOW_ADDRESS_BITS; bit < 64; bit++)
            assert_null(vbt_shadow_usual_place((const void *)((highest - 16) | (uintptr_t)1 << bit), sizes[i], VBT_DOMAIN_HEAP));
    }
    assert_null(find(0));
    assert_null(find(UINTPTR_MAX));
}

/* Those are for the slow path, which knows what to do. */
static void only_plain_cells_are_found_as_usual(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 24, 100, 1000};
    uintptr_t address = 0x5400 * REGION + 128;
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++, address += 16) {
        size_t size = sizes[i / 2];
        vbt_cell *slot = place(address, size);
        for (int domain = VBT_DOMAIN_HEAP; domain <= VBT_DOMAIN_PYTHON; domain++) {
            enum vbt_domain other = domain == VBT_DOMAIN_HEAP ? VBT_DOMAIN_PYTHON : VBT_DOMAIN_HEAP;
            *slot = vbt_cell_pack((const void *)address, 3, size, (enum vbt_domain)domain);
            assert_ptr_equal(vbt_shadow_usual_find((const void *)address, (enum vbt_domain)domain), slot);
            assert_null(vbt_shadow_usual_find((const void *)address, other));
            *slot |= VBT_CELL_WATCHED;
            assert_null(vbt_shadow_usual_find((const void *)address, (enum vbt_domain)domain));
            assert_ptr_equal(find(address), slot);
        }
        *slot = 0;
    }
    begin(address, 3, 100000);
    assert_null(vbt_shadow_usual_find((const void *)address, VBT_DOMAIN_HEAP));
    assert_non_null(find(address));
}

static void huge_blocks_keep_their_size(void **state) {
    (void)state;
    static const size_t sizes[] = {VBT_CELL_SIZES, VBT_CELL_SIZES + 1, (size_t)100 << 20, (size_t)1 << 40, (size_t)1 << 46};
    enum { SIZES = sizeof sizes / sizeof *sizes, BLOCKS = 2000 };
    uintptr_t address = 0x1000 * REGION + 16, at_first = address;
    for (int i = 0; i < BLOCKS; i++, address += VBT_CELL_SIZES + 16) {
        assert_non_null(place(address, sizes[i % SIZES]));
        vbt_shadow_put_huge((const void *)address, sizes[i % SIZES]);
    }
    for (int i = 0; i < BLOCKS; i++, at_first += VBT_CELL_SIZES + 16) {
        assert_int_equal(vbt_shadow_take_huge((const void *)at_first), sizes[i % SIZES]);
        assert_int_equal(vbt_shadow_take_huge((const void *)at_first), 0);
    }
}

/* A block whose end was not seen (unmapped unnoticed) leaves its size; the next block there has its
 * own. */
static void a_huge_block_replaces_the_one_that_was_there(void **state) {
    (void)state;
    const void *block = (const void *)(0x3000 * REGION + 16);
    vbt_shadow_put_huge(block, (size_t)1 << 41);
    assert_int_equal(vbt_shadow_take_huge(block), 0); /* no cell was asked for */
    assert_non_null(vbt_shadow_place(block, (size_t)1 << 41));
    vbt_shadow_put_huge(block, (size_t)1 << 41);
    vbt_shadow_put_huge(block, (size_t)1 << 42);
    assert_int_equal(vbt_shadow_take_huge(block), (size_t)1 << 42);
}

static const vbt_cell *last_cell(const vbt_cell *from, const vbt_cell *to) {
    while (to > from)
        if (*--to != 0)
            return to;
    return NULL;
}

static void the_last_end_is_that_of_the_last_block(void **state) {
    (void)state;
    enum { ROOM = 4096, HALF = 40000, TURNS = 3000 };
    static struct laid_block blocks[ROOM];
    uint64_t seed = 7;
    for (uintptr_t layout = 0; layout < 2; layout++) {
        uintptr_t border = (0x5500 + 4 * layout) * REGION, start = border - HALF;
        size_t count = lay_out(blocks, ROOM, start, border + HALF, layout == 0 ? 16 : 8, &seed);
        assert_int_equal(vbt_shadow_last_end(border - REGION, border + REGION, last_cell), 0);
        for (int i = 0; i < TURNS; i++) {
            turn(&blocks[one_of(i % 2 == 0 ? count : count / 8 + 1, &seed)]);
            uintptr_t from = start + world_random(&seed) % HALF / 16 * 16, to = from + 16 + world_random(&seed) % HALF / 16 * 16;
            uintptr_t expected = 0;
            for (size_t b = 0; b < count; b++)
                if (blocks[b].lives && blocks[b].address >= from && blocks[b].address < to)
                    expected = blocks[b].address + blocks[b].size;
            assert_int_equal(vbt_shadow_last_end(from, to, last_cell), expected);
        }
    }
}

static bool is_in_memory(const vbt_cell *slot) {
    unsigned char resident = 0;
    vbt_sys(SYS_mincore, (uintptr_t)slot & ~(uintptr_t)4095, 4096, &resident);
    return (resident & 1) != 0;
}

/* For blocks of every grain, across the border of two regions. */
static void what_is_given_back_takes_no_memory(void **state) {
    (void)state;
    static const size_t sizes[] = {8, 24, 100, 1000, 5000};
    enum { SIZES = sizeof sizes / sizeof *sizes, SPAN = 4 << 20, APART = 16 << 10 };
    for (uintptr_t odd = 0; odd < 16; odd += 8) {
        uintptr_t first = 0x7800 * REGION - SPAN, kept = first + SPAN + odd;
        for (uintptr_t s = 0; s < SIZES; s++)
            for (uintptr_t address = first; address < first + 2 * SPAN; address += APART)
                begin(address + odd + 64 * s, 1, sizes[s]);
        for (uintptr_t s = 0; s < SIZES; s++)
            for (uintptr_t address = first; address < first + 2 * SPAN; address += APART)
                if (address + odd != kept)
                    end(address + odd + 64 * s);
        vbt_shadow_trim_range(first + 4096, first + VBT_SHADOW_TRIM); /* less than what is worth it */
        for (uintptr_t s = 0; s < SIZES; s++)
            assert_true(is_in_memory(place(first + odd + 64 * s, sizes[s])));
        vbt_shadow_trim_range(first, first + 2 * SPAN);
        for (uintptr_t s = 0; s < SIZES; s++) {
            assert_int_equal(at(kept + 64 * s), pack(kept + 64 * s, 1, sizes[s]));
            assert_true(is_in_memory(place(kept + 64 * s, sizes[s])));
            assert_false(is_in_memory(place(first + odd + 64 * s, sizes[s])));
            assert_false(is_in_memory(place(first + 2 * SPAN - APART + odd + 64 * s, sizes[s])));
        }
    }
}

/* Pages that have cells of other addresses, too, stay as they are; no range is too large. */
static void what_is_beside_is_not_given_back(void **state) {
    (void)state;
    uintptr_t first = 0x7900 * REGION;
    vbt_cell *low = place(first + 16, 24), *high = place(first + VBT_SHADOW_TRIM + 16, 24);
    begin(first + 16, 1, 24);
    end(first + 16);
    begin(first + VBT_SHADOW_TRIM + 16, 1, 24);
    end(first + VBT_SHADOW_TRIM + 16);
    vbt_shadow_trim_range(first + 32, first + VBT_SHADOW_TRIM + 8192);
    assert_true(is_in_memory(low));
    assert_true(is_in_memory(high));
    vbt_shadow_trim_range(0, UINTPTR_MAX / 2);
    assert_false(is_in_memory(low));
    assert_false(is_in_memory(high));
    vbt_shadow_trim_range(first, 0);
}

enum { THREADS = 4, REGIONS = 64 };

static pthread_barrier_t start;

static void *fill_regions(void *out) {
    pthread_barrier_wait(&start);
    for (uintptr_t i = 0; i < REGIONS; i++) {
        ((vbt_cell **)out)[2 * i] = place((0x6000 + i) * REGION, 24);
        ((vbt_cell **)out)[2 * i + 1] = place((0x6000 + i) * REGION, 8);
    }
    return NULL;
}

static void in_threads(void *(*function)(void *), void *arguments, size_t size) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&start, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, function, (char *)arguments + i * size), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
}

static void threads_that_make_the_same_region_get_the_same(void **state) {
    (void)state;
    static vbt_cell *cells[THREADS][2 * REGIONS];
    in_threads(fill_regions, cells, sizeof cells[0]);
    for (int i = 0; i < THREADS; i++)
        assert_memory_equal(cells[i], cells[0], sizeof cells[0]);
    for (int i = 0; i < 2 * REGIONS; i++)
        assert_non_null(cells[0][i]);
}

/* Every thread has the blocks whose number it has modulo THREADS: neighbours in memory begin and
 * end at the same time. */
enum { SHARED = 2000, ROUNDS = 300 };

static struct laid_block shared[SHARED];
static size_t shared_count;

struct turner {
    size_t number, wrong;
};

static void *turn_own_blocks(void *argument) {
    struct turner *worker = argument;
    uint64_t seed = worker->number + 1;
    pthread_barrier_wait(&start);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = worker->number; i < shared_count; i += THREADS) {
            struct laid_block *block = &shared[i];
            uint64_t expected = pack(block->address, (uint32_t)i, block->size);
            vbt_cell *slot = find(block->address);
            worker->wrong += (slot != NULL ? atomic_load(slot) : 0) != (block->lives ? expected : 0);
            if (world_random(&seed) % 2 == 0)
                continue;
            if (block->lives && slot != NULL)
                atomic_store(slot, 0);
            else if (!block->lives)
                atomic_store(place(block->address, block->size), expected);
            block->lives = !block->lives;
        }
    }
    return NULL;
}

static void threads_do_not_lose_each_others_blocks(void **state) {
    (void)state;
    uint64_t seed = 3;
    uintptr_t border = 0x7000 * REGION;
    for (uintptr_t alignment = 8; alignment <= 16; alignment += 8, border += 4 * REGION) {
        struct turner workers[THREADS];
        shared_count = lay_out(shared, SHARED, border - 30000, border + REGION, alignment, &seed);
        for (size_t i = 0; i < THREADS; i++)
            workers[i] = (struct turner){i, 0};
        in_threads(turn_own_blocks, workers, sizeof *workers);
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(workers[i].wrong, 0);
        for (size_t i = 0; i < shared_count; i++)
            assert_int_equal(at(shared[i].address), shared[i].lives ? pack(shared[i].address, (uint32_t)i, shared[i].size) : 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_keeps_account_size_and_domain),
        cmocka_unit_test(nothing_is_made_by_looking),
        cmocka_unit_test(each_block_is_found_by_its_own_address_only),
        cmocka_unit_test(a_block_of_another_size_replaces_the_one_that_ended),
        cmocka_unit_test(cells_take_a_known_share_of_the_heap),
        cmocka_unit_test(unaligned_addresses_have_no_cell),
        cmocka_unit_test(addresses_above_47_bits_have_no_cell),
        cmocka_unit_test(only_plain_cells_are_found_as_usual),
        cmocka_unit_test(huge_blocks_keep_their_size),
        cmocka_unit_test(a_huge_block_replaces_the_one_that_was_there),
        cmocka_unit_test(the_last_end_is_that_of_the_last_block),
        cmocka_unit_test(what_is_given_back_takes_no_memory),
        cmocka_unit_test(what_is_beside_is_not_given_back),
        cmocka_unit_test(threads_that_make_the_same_region_get_the_same),
        cmocka_unit_test(threads_do_not_lose_each_others_blocks),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
