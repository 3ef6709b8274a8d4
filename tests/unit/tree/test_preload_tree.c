/* The call tree: each thing interned once, ids dense, call paths by parent, site and domain. */
#include "preload/ledger/accounts.h"
#include "preload/shared/options.h"
#include "preload/tree/tree.h"

#include "preload/tree/main_program.h"
#include "tests/unit/support/preload_world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include <cmocka.h>

static uint32_t string_of(const char *text) { return vbt_intern_string(text, strlen(text)); }

static void assert_string_is(uint32_t id, const char *text) {
    assert_int_equal(vbt_string_at(id)->size, strlen(text));
    assert_memory_equal(vbt_string_at(id)->bytes, text, strlen(text));
}

static void it_begins_with_the_special_nodes(void **state) {
    (void)state;
    assert_int_equal(vbt_node_at(0)->parent, 0);
    for (int domain = 0; domain < VBT_DOMAINS; domain++) {
        uint32_t lost = vbt_tree.lost_nodes[domain];
        assert_int_not_equal(lost, 0);
        assert_int_equal(vbt_node_at(lost)->domain, domain);
        assert_int_equal(vbt_site_at(vbt_node_at(lost)->site)->kind, VBT_SITE_SPECIAL);
        assert_string_is((uint32_t)vbt_site_at(vbt_node_at(lost)->site)->a, "[lost call path]");
    }
    const struct vbt_node *own = vbt_node_at(vbt_tree.own_node);
    assert_int_equal(own->flags, VBT_SITE_OWN);
    assert_string_is((uint32_t)vbt_site_at(own->site)->a, "[vbtrace]");
}

static void strings_are_interned_by_content(void **state) {
    (void)state;
    char text[] = "one thing";
    uint32_t id = vbt_intern_string(text, 9);
    text[0] = 'O'; /* the tree has its own copy */
    assert_string_is(id, "one thing");
    assert_int_equal(string_of("one thing"), id);
    assert_int_equal(string_of("One thing"), id + 1);
    assert_int_equal(vbt_intern_string("one thing", 8), id + 2);
    assert_int_equal(vbt_intern_string("a\0b", 3), id + 3);
    assert_int_equal(vbt_intern_string("a\0c", 3), id + 4);
    assert_int_equal(vbt_intern_string("a\0b", 3), id + 3);
    assert_int_equal(vbt_intern_string("", 0), 0);
}

/* Two strings cannot be made to collide in 64 bits, so another string is entered under this one's
 * hash. */
static void strings_with_the_same_hash_are_kept_apart(void **state) {
    (void)state;
    static const char text[] = "collides";
    uint64_t hash = XXH3_64bits(text, sizeof text - 1);
    uint32_t other = string_of("the other one");
    assert_true(vbt_table_put(&vbt_tree.string_ids, hash, 0, other));
    uint32_t id = string_of(text);
    assert_int_equal(id, other + 1);
    assert_string_is(id, text);
    assert_int_equal(string_of(text), id);
    assert_int_equal(vbt_table_get(&vbt_tree.string_ids, hash, 1), id);
}

static void codes_are_interned_by_the_hash_of_their_content(void **state) {
    (void)state;
    uint32_t file = string_of("/home/me/a.py"), name = string_of("f");
    uint32_t id = vbt_intern_code(0, file, name, 10, VBT_CODE_USER);
    assert_int_equal(vbt_intern_code(0, file, name, 10, VBT_CODE_USER), id);
    assert_int_equal(vbt_intern_code(1, file, name, 11, 0), id + 1);
    assert_int_equal(vbt_intern_code(12345, file, name, 12, 0), id + 2);
    assert_int_equal(vbt_code_at(id)->file, file);
    assert_int_equal(vbt_code_at(id)->name, name);
    assert_int_equal(vbt_code_at(id)->first_line, 10);
    assert_int_equal(vbt_code_at(id)->flags, VBT_CODE_USER);
    assert_int_equal(vbt_code_at(id + 1)->first_line, 11);
}

static void python_sites_are_lines_of_code(void **state) {
    (void)state;
    uint32_t user = vbt_intern_code(77, string_of("u.py"), string_of("g"), 1, VBT_CODE_USER);
    uint32_t own = vbt_intern_code(78, string_of("vbtrace.py"), string_of("h"), 1, VBT_CODE_USER | VBT_CODE_OWN);
    static const int32_t lines[] = {-1, 0, 1, 2, INT32_MAX};
    uint32_t first = vbt_tree.sites.count;
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(vbt_intern_python_site(user, lines[i]), first + 2 * i);
        assert_int_equal(vbt_intern_python_site(own, lines[i]), first + 2 * i + 1);
        assert_int_equal(vbt_intern_python_site(user, lines[i]), first + 2 * i);
        const struct vbt_site *site = vbt_site_at(first + 2 * i);
        assert_int_equal(site->kind, VBT_SITE_PYTHON);
        assert_int_equal(site->a, user);
        assert_int_equal(site->b, lines[i]);
        assert_int_equal(site->flags, VBT_SITE_OF_USER);
        assert_int_equal(vbt_site_at(first + 2 * i + 1)->flags, VBT_SITE_OF_USER | VBT_SITE_OWN);
    }
}

/* All kinds share one table of ids: the same number in a code id, an address and a string id must
 * not be one site. */
static void sites_of_different_kinds_never_mix(void **state) {
    (void)state;
    uint32_t code = vbt_intern_code(79, 0, 0, 1, 0);
    uint32_t string = 0;
    for (char text[] = "s-a"; string < code; text[2]++)
        string = string_of(text);
    uint32_t before = vbt_tree.sites.count;
    uint32_t python = vbt_intern_python_site(code, 1);
    uint32_t native = vbt_native_site((uintptr_t)code << 2);
    uint32_t special = vbt_intern_special_site("a name in brackets");
    assert_int_equal(python, before);
    assert_int_equal(native, before + 1);
    assert_int_equal(special, before + 2);
    assert_int_equal(vbt_native_site((uintptr_t)code << 2), native);
    assert_int_equal(vbt_intern_special_site("a name in brackets"), special);
}

static void native_sites_know_the_main_program(void **state) {
    (void)state;
    uintptr_t here = (uintptr_t)&native_sites_know_the_main_program + 1;
    uintptr_t elsewhere = (uintptr_t)&memcpy;
    assert_true(vbt_in_main_program(here));
    assert_false(vbt_in_main_program(0));
    assert_false(vbt_in_main_program((uintptr_t)&state));
    const struct vbt_site *site = vbt_site_at(vbt_native_site(here));
    assert_int_equal(site->kind, VBT_SITE_NATIVE);
    assert_int_equal(site->a, here);
    assert_int_equal(site->b, 1);
    assert_int_equal(site->flags, VBT_SITE_OF_USER);
    site = vbt_site_at(vbt_native_site(elsewhere | 1));
    assert_int_equal(site->b, vbt_in_main_program(elsewhere | 1));
}

static void nodes_are_paths(void **state) {
    (void)state;
    uint32_t site_a = vbt_intern_special_site("a"), site_b = vbt_intern_special_site("b");
    uint32_t a = vbt_node_of(0, site_a, VBT_DOMAIN_PYTHON);
    uint32_t ab = vbt_node_of(a, site_b, VBT_DOMAIN_PYTHON);
    uint32_t aba = vbt_node_of(ab, site_a, VBT_DOMAIN_PYTHON); /* recursion is another path */
    uint32_t b = vbt_node_of(0, site_b, VBT_DOMAIN_PYTHON);
    assert_int_equal(ab, a + 1);
    assert_int_equal(aba, a + 2);
    assert_int_equal(b, a + 3);
    assert_int_equal(vbt_node_of(a, site_b, VBT_DOMAIN_PYTHON), ab);
    assert_int_equal(vbt_node_at(aba)->parent, ab);
    assert_int_equal(vbt_node_at(ab)->parent, a);
    assert_int_equal(vbt_node_at(a)->parent, 0);
    assert_int_equal(vbt_node_at(aba)->site, site_a);
}

static void domains_have_nodes_of_their_own(void **state) {
    (void)state;
    uint32_t site = vbt_intern_special_site("of two domains");
    uint32_t python = vbt_node_of(0, site, VBT_DOMAIN_PYTHON);
    uint32_t heap = vbt_node_of(0, site, VBT_DOMAIN_HEAP);
    assert_int_not_equal(python, heap);
    assert_int_equal(vbt_node_at(python)->domain, VBT_DOMAIN_PYTHON);
    assert_int_equal(vbt_node_at(heap)->domain, VBT_DOMAIN_HEAP);
    assert_int_equal(vbt_node_of(0, site, VBT_DOMAIN_HEAP), heap);
}

/* The first child is kept in the parent, the others in a table, which grows several times. */
static void a_parent_may_have_any_number_of_children(void **state) {
    (void)state;
    enum { CHILDREN = 5000 };
    uint32_t parent = vbt_node_of(0, vbt_native_site(0x600000), VBT_DOMAIN_HEAP);
    static uint32_t sites[CHILDREN], nodes[CHILDREN][VBT_DOMAINS];
    uint32_t before = vbt_tree.nodes.count;
    for (uint32_t i = 0; i < CHILDREN; i++) {
        sites[i] = vbt_native_site(0x600001 + i);
        for (enum vbt_domain domain = 0; domain < VBT_DOMAINS; domain++)
            nodes[i][domain] = vbt_node_of(parent, sites[i], domain);
    }
    for (uint32_t i = 0; i < CHILDREN; i++) {
        for (enum vbt_domain domain = 0; domain < VBT_DOMAINS; domain++) {
            assert_int_equal(nodes[i][domain], before + VBT_DOMAINS * i + domain);
            assert_int_equal(vbt_node_find(parent, sites[i], domain), nodes[i][domain]);
            assert_int_equal(vbt_node_at(nodes[i][domain])->parent, parent);
            assert_int_equal(vbt_node_find(nodes[i][domain], sites[i], domain), 0);
        }
    }
    assert_int_equal(vbt_tree.nodes.count, before + VBT_DOMAINS * CHILDREN);
}

/* A native leaf counts as the user's, or as vbtrace's, if the Python line that called it does. */
static void flags_are_those_of_the_nearest_python_site(void **state) {
    (void)state;
    uint32_t user_code = vbt_intern_code(101, string_of("x.py"), string_of("x"), 1, VBT_CODE_USER);
    uint32_t user = vbt_node_of(0, vbt_intern_python_site(user_code, 1), VBT_DOMAIN_PYTHON);
    uint32_t library_code = vbt_intern_code(102, string_of("y.py"), string_of("y"), 1, 0);
    uint32_t library = vbt_node_of(user, vbt_intern_python_site(library_code, 1), VBT_DOMAIN_PYTHON);
    uint32_t native_site = vbt_native_site(12345);
    assert_int_equal(vbt_node_at(user)->flags, VBT_SITE_OF_USER);
    assert_int_equal(vbt_node_at(library)->flags, 0);
    assert_int_equal(vbt_node_at(vbt_node_of(user, native_site, VBT_DOMAIN_HEAP))->flags, VBT_SITE_OF_USER);
    assert_int_equal(vbt_node_at(vbt_node_of(library, native_site, VBT_DOMAIN_HEAP))->flags, 0);
    assert_int_equal(vbt_node_at(vbt_node_of(vbt_tree.own_node, native_site, VBT_DOMAIN_HEAP))->flags, VBT_SITE_OWN);
}

static void a_path_without_a_site_is_lost(void **state) {
    (void)state;
    uint32_t childless = vbt_node_of(0, vbt_intern_special_site("childless"), VBT_DOMAIN_HEAP);
    uint32_t before = vbt_tree.nodes.count;
    for (enum vbt_domain domain = 0; domain < VBT_DOMAINS; domain++) {
        assert_int_equal(vbt_node_of(0, 0, domain), vbt_tree.lost_nodes[domain]);
        assert_int_equal(vbt_node_of(childless, 0, domain), vbt_tree.lost_nodes[domain]);
    }
    assert_int_equal(vbt_tree.nodes.count, before);
}

static void a_path_beyond_the_last_node_is_lost(void **state) {
    (void)state;
    uint32_t site = vbt_intern_special_site("one too many");
    uint32_t before = vbt_tree.nodes.count;
    vbt_tree.nodes.count = VBT_MAX_NODES;
    assert_int_equal(vbt_node_of(0, site, VBT_DOMAIN_HEAP), vbt_tree.lost_nodes[VBT_DOMAIN_HEAP]);
    vbt_tree.nodes.count = before;
    assert_int_equal(vbt_node_of(0, site, VBT_DOMAIN_HEAP), before);
}

static void limits_can_be_raised(void **state) {
    (void)state;
    uint32_t site = vbt_intern_special_site("limited"), lost = vbt_tree.lost_nodes[VBT_DOMAIN_HEAP];
    vbt_options.max_memory = 0;
    vbt_tree_limit(vbt_tree.nodes.count);
    assert_false(vbt_tree.limited);
    assert_int_equal(vbt_node_of(0, site, VBT_DOMAIN_HEAP), lost);
    assert_true(vbt_tree.limited);
    vbt_tree_limit(VBT_MAX_NODES);
    vbt_tree.limited = false;
    vbt_options.max_memory = 64 * 1024; /* has been reached long ago */
    assert_int_equal(vbt_node_of(0, site, VBT_DOMAIN_HEAP), lost);
    assert_true(vbt_tree.limited);
    vbt_options.max_memory = 0;
    uint32_t before = vbt_tree.nodes.count;
    assert_int_equal(vbt_node_of(0, site, VBT_DOMAIN_HEAP), before);
}

static void a_lost_path_stays_lost(void **state) {
    (void)state;
    uint32_t parent = vbt_node_of(0, vbt_intern_special_site("kept"), VBT_DOMAIN_HEAP);
    uint32_t site = vbt_intern_special_site("next frame"), before = vbt_tree.nodes.count;
    for (enum vbt_domain domain = 0; domain < VBT_DOMAINS; domain++) {
        uint32_t lost = vbt_tree.lost_nodes[domain], lost_site = vbt_node_at(lost)->site;
        assert_int_equal(vbt_node_of(lost, site, domain), lost);
        assert_int_equal(vbt_node_of(vbt_tree.lost_nodes[VBT_DOMAIN_PYTHON], site, domain), lost);
        assert_int_equal(vbt_node_of(parent, lost_site, domain), lost);
    }
    assert_int_equal(vbt_tree.nodes.count, before);
}

static void allocations_beyond_the_last_slip_are_lost(void **state) {
    (void)state;
    uint32_t node = vbt_node_of(0, vbt_intern_special_site("no account"), VBT_DOMAIN_PYTHON);
    uint32_t other = vbt_node_of(0, vbt_intern_special_site("nor here"), VBT_DOMAIN_PYTHON);
    uint32_t before = vbt_slip_nodes.count, most = vbt_most_accounts - vbt_first_slip_account;
    vbt_slip_nodes.count = most - VBT_DOMAINS;
    uint32_t account = vbt_account_of(node);
    assert_int_equal(vbt_account_node(account), vbt_tree.lost_nodes[VBT_DOMAIN_PYTHON]);
    assert_int_equal(vbt_account_of(other), account);
    assert_int_equal(vbt_slip_nodes.count, most - VBT_DOMAINS + 1);
    vbt_slip_nodes.count = before;
    vbt_node_at(vbt_tree.lost_nodes[VBT_DOMAIN_PYTHON])->account = 0;
    assert_int_equal(vbt_account_node(vbt_account_of(node)), node); /* there is room again */
}

static void a_slip_stays_one_beyond_the_last_account(void **state) {
    (void)state;
    uint32_t node = vbt_node_of(0, vbt_intern_special_site("a slip only"), VBT_DOMAIN_PYTHON);
    uint32_t slip = vbt_account_of(node), before = vbt_account_slips.count;
    assert_true(vbt_account_is_slip(slip) && vbt_account_if_made(node) == 0);
    vbt_account_slips.count = vbt_first_slip_account - VBT_DOMAINS;
    assert_int_equal(vbt_account_make(node, true), 0);
    assert_int_equal(vbt_account_of(node), slip);
    uint32_t mapping = vbt_node_of(0, vbt_intern_special_site("a mapping"), VBT_DOMAIN_MAP);
    assert_int_equal(vbt_account_node(vbt_account_of(mapping)), vbt_tree.lost_nodes[VBT_DOMAIN_MAP]);
    vbt_account_slips.count = before;
    vbt_node_at(vbt_tree.lost_nodes[VBT_DOMAIN_MAP])->account = 0;
    uint32_t account = vbt_account_make(node, true);
    assert_true(account != 0 && !vbt_account_is_slip(account));
    assert_int_equal(vbt_account_of(node), account);
    assert_int_equal(vbt_account_slip(account), vbt_account_slip(slip));
    assert_int_equal(vbt_account_node(account), node);
    assert_int_equal(vbt_account_make(node, true), account);
    assert_int_equal(vbt_account_node(vbt_account_of(mapping)), mapping);
    assert_false(vbt_account_is_slip(vbt_account_of(mapping)));
}

enum { THREADS = 4, PATHS = 3000 };

static void *build_paths(void *out) {
    uint32_t *nodes = out;
    uint32_t parent = 0;
    for (uint32_t i = 0; i < PATHS; i++)
        nodes[i] = parent = vbt_node_of(i % 10 == 0 ? 0 : parent, vbt_native_site(0x500000 + i % 500), VBT_DOMAIN_HEAP);
    return NULL;
}

static void threads_that_meet_the_same_paths_agree(void **state) {
    (void)state;
    static uint32_t nodes[THREADS][PATHS];
    pthread_t threads[THREADS];
    uint32_t before = vbt_tree.nodes.count;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, build_paths, nodes[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < THREADS; i++)
        assert_memory_equal(nodes[i], nodes[0], sizeof nodes[0]);
    assert_int_equal(vbt_tree.nodes.count - before, 500);
    for (uint32_t id = 1; id < vbt_tree.nodes.count; id++)
        assert_true(vbt_node_at(id)->parent < id);
}

/* What a trace may hold at most: a reader takes more for damage. */
static void what_a_trace_has_no_room_for_gets_no_id(void **state) {
    (void)state;
    uint64_t text = vbt_tree.text;
    vbt_tree.text = VBT_MAX_TEXT - 5;
    assert_int_equal(string_of("fives"), 0);
    assert_int_not_equal(string_of("four"), 0);
    assert_int_equal(vbt_tree.text, VBT_MAX_TEXT);
    assert_int_equal(string_of("4"), 0);
    vbt_tree.text = text + 5;

    uint32_t strings = vbt_tree.strings.count, codes = vbt_tree.codes.count, sites = vbt_tree.sites.count;
    vbt_tree.strings.count = VBT_MAX_STRINGS;
    assert_int_equal(string_of("the last string"), VBT_MAX_STRINGS);
    assert_int_equal(string_of("no room for this one"), 0);
    vbt_tree.strings.count = strings;
    vbt_tree.codes.count = VBT_MAX_CODES;
    assert_int_equal(vbt_intern_code(777001, 1, 1, 1, 0), VBT_MAX_CODES);
    assert_int_equal(vbt_intern_code(777002, 1, 1, 1, 0), 0);
    vbt_tree.codes.count = codes;
    vbt_tree.sites.count = VBT_MAX_SITES;
    assert_int_equal(vbt_intern_python_site(1, 777001), VBT_MAX_SITES);
    assert_int_equal(vbt_intern_python_site(1, 777002), 0);
    vbt_tree.sites.count = sites;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_with_the_special_nodes),
        cmocka_unit_test(strings_are_interned_by_content),
        cmocka_unit_test(strings_with_the_same_hash_are_kept_apart),
        cmocka_unit_test(codes_are_interned_by_the_hash_of_their_content),
        cmocka_unit_test(python_sites_are_lines_of_code),
        cmocka_unit_test(sites_of_different_kinds_never_mix),
        cmocka_unit_test(native_sites_know_the_main_program),
        cmocka_unit_test(nodes_are_paths),
        cmocka_unit_test(domains_have_nodes_of_their_own),
        cmocka_unit_test(a_parent_may_have_any_number_of_children),
        cmocka_unit_test(flags_are_those_of_the_nearest_python_site),
        cmocka_unit_test(a_path_without_a_site_is_lost),
        cmocka_unit_test(a_path_beyond_the_last_node_is_lost),
        cmocka_unit_test(limits_can_be_raised),
        cmocka_unit_test(a_lost_path_stays_lost),
        cmocka_unit_test(allocations_beyond_the_last_slip_are_lost),
        cmocka_unit_test(a_slip_stays_one_beyond_the_last_account),
        cmocka_unit_test(threads_that_meet_the_same_paths_agree),
        cmocka_unit_test(what_a_trace_has_no_room_for_gets_no_id),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
