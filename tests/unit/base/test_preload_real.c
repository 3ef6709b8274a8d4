/* The real functions: requests of dlsym during their lookup are served from the boot pool, later
 * ones by the real allocator.
 *
 * The linker redirects the library's calls of dlsym here (--wrap), to a function with requests like
 * dlsym's. */
#include "preload/base/real.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

void *__real_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name);

enum { BLOCKS = 20 };

static struct {
    int lookups;
    char *blocks[BLOCKS];
    char *zeroed, *moved, *from_nothing, *too_large;
    void *endless;
    int error;
} during;

void *__wrap_dlsym(void *handle, const char *name) {
    if (during.lookups < BLOCKS) {
        size_t size = 1 + (size_t)during.lookups * 13;
        during.blocks[during.lookups] = vbt_real.malloc(size);
        if (during.blocks[during.lookups] != NULL)
            memset(during.blocks[during.lookups], during.lookups + 1, size);
    }
    if (during.lookups == 0) {
        during.zeroed = vbt_real.calloc(10, 10);
        during.from_nothing = vbt_real.realloc(NULL, 24);
        char *old = vbt_real.malloc(5);
        memcpy(old, "abcd", 5);
        during.moved = vbt_real.realloc(old, 40);
        vbt_real.free(old);
        vbt_real.free(NULL);
        during.endless = vbt_real.calloc(SIZE_MAX, 2);
    }
    during.lookups++;
    if (during.lookups == BLOCKS) {
        errno = 0;
        during.too_large = vbt_real.malloc(64 * 1024);
        during.error = errno;
    }
    return __real_dlsym(handle, name);
}

static void the_first_request_looks_up_all_functions(void **state) {
    (void)state;
    void *block = vbt_real.malloc(100);
    assert_non_null(block);
    assert_false(vbt_real_in_pool(block));
    const char *functions = (const char *)&vbt_real;
    for (size_t i = 0; i < sizeof vbt_real; i += sizeof(void *)) {
        void *function;
        memcpy(&function, functions + i, sizeof function);
        assert_non_null(function);
    }
    assert_int_equal(during.lookups, sizeof vbt_real / sizeof(void *));
    vbt_real.free(block);
}

static void requests_during_the_lookup_come_from_the_pool(void **state) {
    (void)state;
    for (int i = 0; i < BLOCKS; i++) {
        size_t size = 1 + (size_t)i * 13;
        assert_non_null(during.blocks[i]);
        assert_true(vbt_real_in_pool(during.blocks[i]));
        assert_int_equal((uintptr_t)during.blocks[i] % 16, 0);
        assert_int_equal(vbt_real_pool_size(during.blocks[i]), size);
        for (size_t at = 0; at < size; at++)
            assert_int_equal(during.blocks[i][at], i + 1);
    }
    assert_true(vbt_real_in_pool(during.zeroed));
    for (int i = 0; i < 100; i++)
        assert_int_equal(during.zeroed[i], 0);
    assert_true(vbt_real_in_pool(during.from_nothing));
    assert_true(vbt_real_in_pool(during.moved));
    assert_string_equal(during.moved, "abcd");
    assert_int_equal(vbt_real_pool_size(during.moved), 40);
}

static void the_pool_has_an_end(void **state) {
    (void)state;
    assert_null(during.too_large);
    assert_int_equal(during.error, ENOMEM);
    assert_null(during.endless);
}

static void a_second_lookup_does_nothing(void **state) {
    (void)state;
    int before = during.lookups;
    vbt_real_find();
    assert_int_equal(during.lookups, before);
}

static void other_memory_is_not_the_pools(void **state) {
    (void)state;
    int on_stack = 0;
    assert_false(vbt_real_in_pool(&on_stack));
    assert_false(vbt_real_in_pool(NULL));
    assert_false(vbt_real_in_pool(&during));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_request_looks_up_all_functions),
        cmocka_unit_test(requests_during_the_lookup_come_from_the_pool),
        cmocka_unit_test(the_pool_has_an_end),
        cmocka_unit_test(a_second_lookup_does_nothing),
        cmocka_unit_test(other_memory_is_not_the_pools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
