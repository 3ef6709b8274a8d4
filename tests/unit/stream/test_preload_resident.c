/* The size of the resident set. */
#include "preload/stream/resident.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_resident_set_is_what_the_kernel_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
