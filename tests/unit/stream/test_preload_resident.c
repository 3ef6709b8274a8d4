/* The size of the resident set, and when it is broken down. */
#include "preload/stream/resident/resident_times.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

/* The number after a word in a file of /proc; word NULL: the second number of its first line. */
static int64_t number_in(const char *path, const char *word) {
    char line[256];
    long number = 0;
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    while (number == 0 && fgets(line, sizeof line, in) != NULL)
        if (word == NULL)
            assert_int_equal(sscanf(line, "%*d %ld", &number), 1);
        else if (strncmp(line, word, strlen(word)) == 0)
            assert_int_equal(sscanf(line + strlen(word), "%ld", &number), 1);
    fclose(in);
    return number;
}

/* The value must equal the kernel's just before and just after; these agree sooner or later,
 * whatever the kernel does with the memory of a busy machine. */
static int64_t checked(int64_t (*said)(void), const char *path, const char *word, int64_t unit) {
    for (;;) {
        int64_t before = number_in(path, word) * unit, between = said(), after = number_in(path, word) * unit;
        if (before != after)
            continue;
        assert_int_equal(between, before);
        return between;
    }
}

static int64_t resident_now(void) { return checked(vbt_rss_now, "/proc/self/statm", NULL, getpagesize()); }

static void the_resident_set_is_what_the_kernel_says(void **state) {
    (void)state;
    enum { SIZE = 32 << 20 };
    vbt_rss_open();
    assert_true(resident_now() > 0);
    char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, SIZE);
    assert_true(resident_now() > SIZE / 2);
    munmap(memory, SIZE);
    assert_true(resident_now() > 0);
    assert_true(checked(vbt_rss_highest, "/proc/self/status", "VmHWM:", 1024) > SIZE / 2);
    vbt_rss_close();
}

static const int64_t live[VBT_DOMAIN_MAP];

static int64_t highest(void) { return (int64_t)vbt_resident_times[VBT_RESIDENT_HIGHEST].resident.total; }

static bool take(int64_t milliseconds, int64_t rss) { return vbt_resident_take(milliseconds * 1000000, rss, live, false); }

static void it_is_broken_down_when_it_has_grown(void **state) {
    (void)state;
    vbt_resident_times_after_fork();
    assert_false(take(99, 1 << 20)); /* too young */
    assert_true(take(100, 1 << 20));
    int64_t known = highest();
    assert_true(known > 0);
    assert_false(take(110, known));
    assert_false(take(1000000, known + known / 8));
    assert_true(take(1000000, known + known / 8 + 8));
}

/* Several times in a growth, and at its end, as far as the processor time allows. */
static void a_breakdown_does_not_put_off_the_next(void **state) {
    (void)state;
    enum { STEPS = 4 };
    vbt_resident_times_after_fork();
    assert_true(take(1000, 1 << 20));
    size_t size = (size_t)highest() / 4;
    void *memory[STEPS];
    for (int i = 0; i < STEPS; i++) {
        memory[i] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(memory[i], 1, size);
        int64_t before = highest();
        assert_true(take(1001 + i, before + (int64_t)size));
        assert_true(highest() > before);
    }
    for (int i = 0; i < STEPS; i++)
        munmap(memory[i], size);
}

static void far_more_is_broken_down_sooner(void **state) {
    (void)state;
    enum { SHARE = 20, FAR_MORE = 32 << 20 };
    vbt_resident_times_after_fork();
    assert_true(vbt_resident_take(1, 64 << 20, live, false));
    int64_t due = 1 + SHARE * vbt_resident_times[VBT_RESIDENT_LATEST].resident.took, rss = 2 * highest() + FAR_MORE;
    assert_false(vbt_resident_take(due - 1, rss + 1, live, false));
    assert_false(vbt_resident_take(due, rss, live, false)); /* not that much more: too young */
    assert_true(vbt_resident_take(due, rss + 1, live, false));
    assert_true(vbt_resident_take(due, 0, live, true));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_resident_set_is_what_the_kernel_says),
        cmocka_unit_test(it_is_broken_down_when_it_has_grown),
        cmocka_unit_test(a_breakdown_does_not_put_off_the_next),
        cmocka_unit_test(far_more_is_broken_down_sooner),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
