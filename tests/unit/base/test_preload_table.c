/* The hash table that is read without a lock: lookup, growth, removal and reuse, readers concurrent
 * with a writer. */
#include "preload/base/table.h"

#include "tests/unit/support/preload_world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

enum { MANY = 100000 };

static uint64_t key_of(uint32_t i) { return 2 + (uint64_t)i * 16; }

static size_t slots_of(const struct vbt_table *table) { return (size_t)table->slots->mask + 1; }

static void an_empty_table_has_nothing(void **state) {
    (void)state;
    struct vbt_table table = {NULL, 0};
    assert_int_equal(vbt_table_get(&table, 2, 0), 0);
    vbt_table_remove(&table, 2, 0);
    assert_int_equal(vbt_table_get(&table, 2, 0), 0);
}

static void what_was_put_is_found_through_all_growth(void **state) {
    (void)state;
    static struct vbt_table table;
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(vbt_table_get(&table, key_of(i), i % 3), 0);
        assert_true(vbt_table_put(&table, key_of(i), i % 3, i + 1));
        assert_int_equal(vbt_table_get(&table, key_of(i), i % 3), i + 1);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(vbt_table_get(&table, key_of(i), i % 3), i + 1);
        assert_int_equal(vbt_table_get(&table, key_of(i), 3), 0);
        assert_int_equal(vbt_table_get(&table, key_of(i) + 1, i % 3), 0);
    }
    assert_true(slots_of(&table) > MANY);
    assert_true(slots_of(&table) <= 4 * MANY);
}

static void the_second_key_tells_entries_apart(void **state) {
    (void)state;
    static struct vbt_table table;
    static const uint32_t seconds[] = {0, 1, 2, INT32_MAX, (uint32_t)INT32_MIN, UINT32_MAX};
    enum { COUNT = sizeof seconds / sizeof *seconds };
    for (uint32_t i = 0; i < COUNT; i++)
        assert_true(vbt_table_put(&table, UINT64_MAX, seconds[i], i + 1));
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(vbt_table_get(&table, UINT64_MAX, seconds[i]), i + 1);
    vbt_table_remove(&table, UINT64_MAX, 1);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(vbt_table_get(&table, UINT64_MAX, seconds[i]), seconds[i] == 1 ? 0 : i + 1);
}

/* Random puts and removals, compared with a plain array. */
static void removal_takes_one_entry_and_no_other(void **state) {
    (void)state;
    enum { KEYS = 3000, STEPS = 200000 };
    static struct vbt_table table;
    static uint32_t expected[KEYS];
    uint64_t seed = 1;
    for (uint32_t step = 1; step <= STEPS; step++) {
        uint32_t i = (uint32_t)(world_random(&seed) % KEYS);
        assert_int_equal(vbt_table_get(&table, key_of(i), i & 1), expected[i]);
        if (expected[i] != 0)
            vbt_table_remove(&table, key_of(i), i & 1);
        else
            assert_true(vbt_table_put(&table, key_of(i), i & 1, step));
        expected[i] = expected[i] != 0 ? 0 : step;
        assert_int_equal(vbt_table_get(&table, step & 1, step >> 1 & 1), 0); /* the marks of free and removed entries */
    }
    for (uint32_t i = 0; i < KEYS; i++)
        assert_int_equal(vbt_table_get(&table, key_of(i), i & 1), expected[i]);
}

/* The size of this process's address space, in bytes. */
static size_t mapped(void) {
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    assert_non_null(statm);
    assert_int_equal(fscanf(statm, "%lu", &pages), 1);
    fclose(statm);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* A program that compiles and drops code for days inserts and removes without end, a few entries at
 * a time. Replaced tables keep their address space, so a table replaced again and again is a
 * leak. */
static void many_removals_do_not_make_it_grow(void **state) {
    (void)state;
    enum { ROUNDS = 1000000, ALIVE = 100 };
    static struct vbt_table table;
    for (uint32_t i = 0; i < ALIVE; i++)
        assert_true(vbt_table_put(&table, key_of(i), 0, i + 1));
    size_t before = mapped();
    for (uint32_t i = ALIVE; i < ROUNDS; i++) {
        vbt_table_remove(&table, key_of(i - ALIVE), 0);
        assert_true(vbt_table_put(&table, key_of(i), 0, i + 1));
    }
    for (uint32_t i = ROUNDS - ALIVE; i < ROUNDS; i++)
        assert_int_equal(vbt_table_get(&table, key_of(i), 0), i + 1);
    assert_true(slots_of(&table) <= 8192);
    assert_in_range(mapped() - before, 0, 4 << 20);
}

static struct vbt_table shared;
static _Atomic uint32_t published;

/* A key's value is what the writer put there, or nothing for a reader of a table that has just been
 * replaced. */
static void *read_along(void *wrong) {
    uint64_t seed = (uintptr_t)wrong;
    for (uint32_t there = 0; there < MANY;) {
        there = atomic_load(&published);
        if (there == 0)
            continue;
        uint32_t i = (uint32_t)(world_random(&seed) % there);
        uint32_t found = vbt_table_get(&shared, key_of(i), i);
        *(int *)wrong += found != i + 1 && found != 0;
        uint32_t ahead = i + MANY; /* never inserted */
        *(int *)wrong += vbt_table_get(&shared, key_of(ahead), ahead) != 0;
    }
    return NULL;
}

static void readers_need_no_lock_while_a_writer_inserts(void **state) {
    (void)state;
    enum { READERS = 3 };
    pthread_t readers[READERS];
    int wrong[READERS] = {0};
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_along, &wrong[i]), 0);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_true(vbt_table_put(&shared, key_of(i), i, i + 1));
        atomic_store(&published, i + 1);
    }
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
        assert_int_equal(wrong[i], 0);
    }
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(vbt_table_get(&shared, key_of(i), i), i + 1);
}

/* Pages of a table's slots that are resident. */
static unsigned resident_pages(void *slots, size_t count) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = (sizeof(struct vbt_table_slots) + count * sizeof(struct vbt_table_entry) + page - 1) / page;
    unsigned char in_memory[4096];
    unsigned resident = 0;
    assert_true(pages <= sizeof in_memory);
    assert_int_equal(mincore(slots, pages * page, in_memory), 0);
    for (size_t i = 0; i < pages; i++)
        resident += in_memory[i] & 1;
    return resident;
}

static void a_table_that_is_replaced_takes_no_memory(void **state) {
    (void)state;
    static struct vbt_table table;
    assert_true(vbt_table_put(&table, key_of(0), 0, 1));
    void *old = table.slots;
    size_t slots = slots_of(&table);
    assert_true(resident_pages(old, slots) > 0);
    for (uint32_t i = 1; table.slots == old; i++)
        assert_true(vbt_table_put(&table, key_of(i), 0, i + 1));
    assert_int_equal(resident_pages(old, slots), 0);
    assert_true(resident_pages(table.slots, slots_of(&table)) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_has_nothing),
        cmocka_unit_test(what_was_put_is_found_through_all_growth),
        cmocka_unit_test(the_second_key_tells_entries_apart),
        cmocka_unit_test(removal_takes_one_entry_and_no_other),
        cmocka_unit_test(many_removals_do_not_make_it_grow),
        cmocka_unit_test(readers_need_no_lock_while_a_writer_inserts),
        cmocka_unit_test(a_table_that_is_replaced_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
