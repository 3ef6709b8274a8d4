/* Messages: supported formats, truncation, written only to the original standard error. */
#include "preload/shared/say.h"

#include "tests/unit/support/preload_world.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* Formats with vbtrace's function and with the C library's, and compares. */
#define ASSERT_LIKE_PRINTF(...)                                                                                                    \
    do {                                                                                                                           \
        char ours[256], theirs[256];                                                                                               \
        int length = vbt_format(ours, sizeof ours, __VA_ARGS__);                                                                   \
        snprintf(theirs, sizeof theirs, __VA_ARGS__);                                                                              \
        assert_string_equal(ours, theirs);                                                                                         \
        assert_int_equal(length, strlen(theirs));                                                                                  \
    } while (0)

static void formats_are_those_of_printf(void **state) {
    (void)state;
    ASSERT_LIKE_PRINTF("plain");
    ASSERT_LIKE_PRINTF("%s and %s", "one", "");
    ASSERT_LIKE_PRINTF("[%.*s] [%.*s] [%.*s]", 3, "abcdef", 9, "abc", 0, "abc");
    ASSERT_LIKE_PRINTF("%d %d %d %d", 0, -1, INT_MAX, INT_MIN);
    ASSERT_LIKE_PRINTF("%u %u", 0u, UINT_MAX);
    ASSERT_LIKE_PRINTF("%ld %ld %ld", -5L, LONG_MAX, LONG_MIN);
    ASSERT_LIKE_PRINTF("%lu %lu", 0UL, ULONG_MAX);
    ASSERT_LIKE_PRINTF("100%% of %s", "it");
}

/* As in printf, a string with a limit need not be terminated. */
static void a_limited_string_is_not_read_past_its_limit(void **state) {
    (void)state;
    char *bytes = malloc(3);
    assert_non_null(bytes);
    memcpy(bytes, "abc", 3);
    char out[16];
    assert_int_equal(vbt_format(out, sizeof out, "<%.*s>", 3, bytes), 5);
    assert_string_equal(out, "<abc>");
    free(bytes);
}

static void what_does_not_fit_is_cut(void **state) {
    (void)state;
    char out[9];
    memset(out, 'x', sizeof out);
    assert_int_equal(vbt_format(out, 8, "%s%d", "abcd", 123456), 7);
    assert_string_equal(out, "abcd123");
    assert_int_equal(out[8], 'x');
    assert_int_equal(vbt_format(out, 1, "%d", 7), 0);
    assert_string_equal(out, "");
}

static void a_message_is_one_line_and_keeps_errno(void **state) {
    (void)state;
    world_listen();
    errno = EPIPE;
    vbt_say("%s: %lu bytes", "file", 17UL);
    int after = errno;
    assert_string_equal(world_said(), "vbtrace: file: 17 bytes\n");
    assert_int_equal(after, EPIPE);
}

static void a_message_that_is_too_long_is_cut_and_still_a_line(void **state) {
    (void)state;
    static char much[8000];
    memset(much, 'm', sizeof much - 1);
    world_listen();
    vbt_say("%s", much);
    const char *said = world_said();
    size_t length = strlen(said);
    assert_true(length > 4096 && length < sizeof much);
    assert_int_equal(said[length - 1], '\n');
    assert_ptr_equal(strchr(said, '\n'), said + length - 1);
}

/* A program that closes standard error may get a file of its own with that number. */
static void another_file_in_its_place_is_left_alone(void **state) {
    (void)state;
    char path[] = "/tmp/vbt-say-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    unlink(path);
    world_listen();
    int listened = dup(STDERR_FILENO);
    dup2(file, STDERR_FILENO);
    vbt_say("not for this file");
    close(STDERR_FILENO);
    vbt_say("to nobody");
    dup2(listened, STDERR_FILENO);
    close(listened);
    vbt_say("back");
    assert_string_equal(world_said(), "vbtrace: back\n");
    struct stat now;
    assert_int_equal(fstat(file, &now), 0);
    assert_int_equal(now.st_size, 0);
    close(file);
}

static void a_standard_error_that_was_closed_from_the_start_stays_unused(void **state) {
    (void)state;
    world_listen();
    int listened = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    vbt_say_init();
    dup2(listened, STDERR_FILENO);
    close(listened);
    vbt_say("lost");
    assert_string_equal(world_said(), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_those_of_printf),
        cmocka_unit_test(a_limited_string_is_not_read_past_its_limit),
        cmocka_unit_test(what_does_not_fit_is_cut),
        cmocka_unit_test(a_message_is_one_line_and_keeps_errno),
        cmocka_unit_test(a_message_that_is_too_long_is_cut_and_still_a_line),
        cmocka_unit_test(another_file_in_its_place_is_left_alone),
        cmocka_unit_test(a_standard_error_that_was_closed_from_the_start_stays_unused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
