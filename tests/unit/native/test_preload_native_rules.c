/* Rules of return addresses: cached until a library is closed, and also found without a newer
 * libc's help. */
#include "preload/tree/modules.h"
#include "preload/native/native_rules.h"
#include "tests/unit/support/preload_world.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

/* The same source again, as with an older libc without this function. */
#define _dl_find_object vbt_no_find_object
int vbt_no_find_object(void *address, struct dl_find_object *result);
#pragma weak vbt_no_find_object
#define vbt_native_rule old_rule
#define vbt_native_rules_lock old_rules_lock
struct vbt_rule old_rule(uintptr_t pc, uint32_t *site);
#include "preload/native/native_rules.c"
#undef vbt_native_rule
#undef vbt_native_rules_lock

static uintptr_t here(void) { return (uintptr_t)__builtin_return_address(0); }

static void assert_same(struct vbt_rule a, struct vbt_rule b) { assert_memory_equal(&a, &b, sizeof a); }

static void a_rule_is_found_either_way_and_remembered(void **state) {
    (void)state;
    uint32_t site, old_site;
    for (int i = 0; i < 2; i++) {
        uintptr_t pc = here();
        struct vbt_rule rule = vbt_native_rule(pc, &site);
        assert_true(rule.kind == VBT_RULE_SP || rule.kind == VBT_RULE_FP);
        assert_same(rule, old_rule(pc, &old_site));
        assert_int_equal(site, old_site);
        assert_int_equal(vbt_site_at(site)->a, pc);
        assert_same(rule, vbt_native_rule(pc, &site));
    }
    uintptr_t in_libc = (uintptr_t)&memfrob + 1;
    assert_same(vbt_native_rule(in_libc, &site), old_rule(in_libc, &old_site));
}

static void code_outside_of_modules_is_asked_about_each_time(void **state) {
    (void)state;
    uint32_t site;
    uintptr_t pc = (uintptr_t)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 100;
    assert_int_equal(vbt_native_rule(pc, &site).kind, VBT_RULE_NO_MODULE);
    assert_int_equal(old_rule(pc, &site).kind, VBT_RULE_NO_MODULE);
    assert_int_equal(vbt_table_get(&ids, pc, 0), 0);
    munmap((void *)(pc - 100), 4096);
}

/* The code a signal handler returns through, wherever it is: rt_sigreturn. */
static void a_signal_return_is_known_by_its_code(void **state) {
    (void)state;
#if defined __x86_64__
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05};
#else
    static const uint32_t code[] = {0xd2801168, 0xd4000001};
#endif
    uint32_t site;
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, code, sizeof code);
    assert_int_equal(vbt_native_rule((uintptr_t)page, &site).kind, VBT_RULE_SIGNAL);
    assert_int_equal(old_rule((uintptr_t)page, &site).kind, VBT_RULE_SIGNAL);
    memcpy(page + 4092, code, 4); /* the rest would be on an unmapped page */
    munmap(page + 4096, 4096);
    assert_int_equal(vbt_native_rule((uintptr_t)page + 4092, &site).kind, VBT_RULE_NO_MODULE);
    munmap(page, 4096);
}

static void a_rule_is_looked_up_again_after_a_library_was_closed(void **state) {
    (void)state;
    uint32_t site;
    uintptr_t pc = here();
    struct vbt_rule rule = old_rule(pc, &site);
    struct known_address *known = vbt_vector_at(&addresses, vbt_table_get(&ids, pc, 0));
    uint64_t wrong = 12345;
    atomic_store(&known->rule, wrong);
    struct vbt_rule remembered = old_rule(pc, &site);
    assert_memory_equal(&remembered, &wrong, sizeof wrong);
    vbt_modules_close_begin();
    assert_same(rule, old_rule(pc, &site));
    atomic_store(&known->rule, wrong); /* nothing is cached during the close */
    assert_same(rule, old_rule(pc, &site));
    vbt_modules_close_end();
    assert_same(rule, old_rule(pc, &site));
    assert_int_equal(addresses.count, 1 + ids.used); /* the entry was reused */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_is_found_either_way_and_remembered),
        cmocka_unit_test(code_outside_of_modules_is_asked_about_each_time),
        cmocka_unit_test(a_signal_return_is_known_by_its_code),
        cmocka_unit_test(a_rule_is_looked_up_again_after_a_library_was_closed),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
