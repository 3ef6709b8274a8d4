/* Cells of memory that the program gives back: go back while recording is on, with no system call
 * else, and whoever stops it waits for those that are at it. */
#include "preload/thread/trim.h"

#include "preload/ledger/shadow.h"
#include "preload/thread/thread.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SIZE = 24 };

static const uintptr_t first = (uintptr_t)0x7700 << VBT_SHADOW_REGION_BITS;

static bool is_in_memory(const vbt_cell *slot) {
    unsigned char resident = 0;
    vbt_sys(SYS_mincore, (uintptr_t)slot & ~(uintptr_t)4095, 4096, &resident);
    return (resident & 1) != 0;
}

/* A block that came and went. */
static vbt_cell *used(void) {
    vbt_cell *slot = vbt_shadow_place((const void *)(first + 16), SIZE);
    assert_non_null(slot);
    atomic_store(slot, vbt_cell_pack((const void *)(first + 16), 1, SIZE, VBT_DOMAIN_HEAP));
    atomic_store(slot, 0);
    assert_true(is_in_memory(slot));
    return slot;
}

static void cells_go_back_while_recording_is_on(void **state) {
    (void)state;
    static const struct {
        uint32_t recording;
        bool goes_back;
    } cases[] = {
        {VBT_NOT_YET, false}, {VBT_RECORDING, true}, {VBT_RECORDING_POLLED, true}, {VBT_STOPPED, false}, {VBT_PAUSED, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const vbt_cell *slot = used();
        atomic_store(&vbt_recording, cases[i].recording);
        vbt_trim(first, first + VBT_SHADOW_TRIM);
        assert_int_equal(is_in_memory(slot), !cases[i].goes_back);
        vbt_trim_wait(); /* for nobody */
    }
}

static void small_and_reversed_ranges_are_left(void **state) {
    (void)state;
    atomic_store(&vbt_recording, VBT_RECORDING);
    const vbt_cell *slot = used();
    vbt_trim(first, first + VBT_SHADOW_TRIM - 1);
    vbt_trim(first, first);
    vbt_trim(first + VBT_SHADOW_TRIM, first);
    vbt_trim(first, 0); /* as of a size that is too large */
    assert_true(is_in_memory(slot));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cells_go_back_while_recording_is_on, world_reset),
        cmocka_unit_test_setup(small_and_reversed_ranges_are_left, world_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
