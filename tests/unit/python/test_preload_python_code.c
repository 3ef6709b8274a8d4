/* Code objects: names read from strings of every kind, sites by content, addresses forgotten when
 * their block is freed. */
#include "preload/python/python_code.h"

#include "tests/unit/support/fake_python.h"
#include "preload/ledger/ledger.h"
#include "preload/python/python_stack.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct vbt_thread *thread;

static int begin(void **state) {
    world_reset(state);
    thread = vbt_thread_begin();
    fake_python_begin(11, thread);
    return 0;
}

static int end(void **state) {
    (void)state;
    fake_python_end();
    return 0;
}

static char *ascii(const char *text) { return fake_string(FAKE_ASCII, text, strlen(text)); }

/* The site of instruction i of a code object, as for a frame that executes it. */
static uint32_t site_of(const char *code, int instruction) {
    char *frame = fake_frame();
    fake_frame_set(frame, NULL, code, instruction);
    return vbt_python_site(frame, (uintptr_t)code + (uintptr_t)vbt_python.abi.code_start + 2 * (uintptr_t)instruction, 0);
}

static struct vbt_code code_of(uint32_t site) { return *vbt_code_at((uint32_t)vbt_site_at(site)->a); }

static void assert_string_is(uint32_t id, const char *text) {
    assert_int_equal(vbt_string_at(id)->size, strlen(text));
    assert_memory_equal(vbt_string_at(id)->bytes, text, strlen(text));
}

/* The name that the library reads for a function whose name is this str. */
static const char *name_read(char *string) {
    static char file[64], name[64];
    int32_t first_line, line;
    assert_true(vbt_python_describe(fake_code_of(ascii("f.py"), string, 3), 4, file, name, sizeof name, &first_line, &line));
    assert_string_equal(file, "f.py");
    assert_int_equal(first_line, 3);
    assert_int_equal(line, 5);
    return name;
}

static void strings_of_every_kind_become_utf_8(void **state) {
    (void)state;
    static const uint8_t latin1[] = {'b', 0xe9, 0xff, 0x80};
    static const uint16_t ucs2[] = {'x', 0x7ff, 0x800, 0x20ac, 0xffff, 0xd800};
    static const uint32_t ucs4[] = {'y', 0xe9, 0x20ac, 0x10000, 0x1f40d, 0x10ffff};
    assert_string_equal(name_read(fake_string(FAKE_ASCII, "plain", 5)), "plain");
    assert_string_equal(name_read(fake_string(FAKE_ASCII, "", 0)), "");
    assert_string_equal(name_read(fake_string(FAKE_LATIN1, latin1, 4)), "b\xc3\xa9\xc3\xbf\xc2\x80");
    assert_string_equal(name_read(fake_string(FAKE_UCS2, ucs2, 6)), "x\xdf\xbf\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf\xed\xa0\x80");
    assert_string_equal(name_read(fake_string(FAKE_UCS4, ucs4, 6)),
                        "y\xc3\xa9\xe2\x82\xac\xf0\x90\x80\x80\xf0\x9f\x90\x8d\xf4\x8f\xbf\xbf");
}

static void what_is_no_compact_string_is_a_question_mark(void **state) {
    (void)state;
    assert_string_equal(name_read(fake_string(FAKE_NOT_COMPACT, "hidden", 6)), "?");
    assert_string_equal(name_read(NULL), "?");
    assert_string_equal(name_read(fake_code("a.py", "not a string", 1)), "?");
}

static void long_names_are_cut_between_characters(void **state) {
    (void)state;
    uint32_t snakes[100];
    for (int i = 0; i < 100; i++)
        snakes[i] = 0x1f40d;
    const char *name = name_read(fake_string(FAKE_UCS4, snakes, 100));
    assert_int_equal(strlen(name) % 4, 0);
    assert_in_range(strlen(name), 56, 63);

    static char letters[10000];
    memset(letters, 'n', sizeof letters);
    struct vbt_code code = code_of(site_of(fake_code_of(ascii("a.py"), fake_string(FAKE_ASCII, letters, sizeof letters), 1), 0));
    assert_in_range(vbt_string_at(code.name)->size, 4000, 4096);
}

static void a_site_is_a_line_of_code(void **state) {
    (void)state;
    char *code = fake_code("/home/me/a.py", "C.method", 40);
    uint32_t site = site_of(code, 7);
    assert_int_equal(vbt_site_at(site)->kind, VBT_SITE_PYTHON);
    assert_int_equal(vbt_site_at(site)->b, 47);
    assert_string_is(code_of(site).file, "/home/me/a.py");
    assert_string_is(code_of(site).name, "C.method");
    assert_int_equal(code_of(site).first_line, 40);
    assert_int_equal(site_of(code, 7), site);
    assert_int_equal(site_of(code, 8), site + 1);
}

static void the_same_code_compiled_twice_is_one(void **state) {
    (void)state;
    char *one = fake_code("twice.py", "f", 1), *two = fake_code("twice.py", "f", 1);
    uint32_t site = site_of(one, 0);
    assert_int_equal(site_of(two, 0), site);
    assert_int_not_equal(site_of(fake_code("twice.py", "g", 1), 0), site);
    assert_int_not_equal(site_of(fake_code("twice.py", "f", 2), 0), site);
    assert_int_not_equal(site_of(fake_code("thrice.py", "f", 1), 0), site);
    char *three = fake_code("twice.py", "f", 1); /* the same except for one line */
    char *table = (char *)vbt_load_pointer(three, vbt_python.abi.code_lines);
    table[vbt_python.abi.bytes_data + 3] = 4;
    assert_int_not_equal(vbt_site_at(site_of(three, 0))->a, vbt_site_at(site)->a);
}

static void files_are_the_users_or_not(void **state) {
    (void)state;
    assert_int_equal(code_of(site_of(fake_code("/home/me/mine.py", "f", 1), 0)).flags, VBT_CODE_USER);
    assert_int_equal(code_of(site_of(fake_code("/usr/lib/python3.11/json/decoder.py", "f", 1), 0)).flags, 0);
    assert_int_equal(code_of(site_of(fake_code("<frozen importlib._bootstrap>", "f", 1), 0)).flags, 0);
}

/* The flags of code of "<string>" that code of this file has called; NULL: nothing has. */
static uint32_t flags_of_text(const char *name, const char *caller_file) {
    char *outer = fake_frame(), *between = fake_frame(), *frame = fake_frame(), *code = fake_code("<string>", name, 1);
    if (caller_file != NULL)
        fake_frame_set(outer, NULL, fake_code(caller_file, "run", 1), 0);
    fake_frame_set(between, caller_file != NULL ? outer : NULL, fake_code("<generated by something>", "f", 1), 0);
    fake_frame_set(frame, between, code, 0);
    return code_of(vbt_python_site(frame, (uintptr_t)code + (uintptr_t)vbt_python.abi.code_start, 0)).flags;
}

static void text_is_the_users_if_the_users_file_ran_it(void **state) {
    (void)state;
    assert_int_equal(flags_of_text("<module>", NULL), VBT_CODE_USER);
    assert_int_equal(flags_of_text("<module>", "/home/me/mine.py"), VBT_CODE_USER);
    assert_int_equal(flags_of_text("<module>", "/usr/lib/python3/dist-packages/maker.py"), 0);
    assert_int_equal(flags_of_text("<module>", "<frozen site>"), 0);
    assert_int_equal(flags_of_text("<module>", "<stdin>"), VBT_CODE_USER);
    assert_int_equal(flags_of_text("f", "/usr/lib/python3.11/threading.py"), VBT_CODE_USER); /* called, not run */
}

/* The module reports its file after some of its code has run. */
static void vbtraces_own_file_is_ours_before_and_after_it_says_so(void **state) {
    (void)state;
    char *before = fake_code("/opt/own/vbtrace.py", "<module>", 1), *other = fake_code("/opt/own/user.py", "f", 1);
    uint32_t site = site_of(before, 0), other_site = site_of(other, 0);
    uint32_t node = vbt_node_of(0, site, VBT_DOMAIN_PYTHON);
    uint32_t native = vbt_node_of(node, vbt_native_site(4711), VBT_DOMAIN_HEAP);
    uint32_t other_node = vbt_node_of(node, other_site, VBT_DOMAIN_PYTHON);
    vbt_python_own_file("/opt/own/vbtrace.py");
    assert_int_equal(code_of(site).flags, VBT_CODE_OWN);
    assert_int_equal(vbt_site_at(site)->flags, VBT_SITE_OWN);
    assert_int_equal(vbt_node_at(node)->flags, VBT_SITE_OWN);
    assert_int_equal(vbt_node_at(native)->flags, VBT_SITE_OWN);
    assert_int_equal(vbt_node_at(other_node)->flags, VBT_SITE_OF_USER);
    assert_int_equal(vbt_node_at(vbt_tree.own_node)->flags, VBT_SITE_OWN);
    assert_int_equal(vbt_site_at(site_of(fake_code("/opt/own/vbtrace.py", "section", 9), 0))->flags, VBT_SITE_OWN);
    assert_int_equal(vbt_site_at(site_of(fake_code("/opt/own/another.py", "f", 9), 0))->flags, VBT_SITE_OF_USER);
}

static void all_files_of_vbtraces_own_package_are_ours(void **state) {
    (void)state;
    vbt_python_own_file("/opt/vbtrace/__init__.py");
    assert_int_equal(vbt_site_at(site_of(fake_code("/opt/vbtrace/__init__.py", "f", 1), 0))->flags, VBT_SITE_OWN);
    assert_int_equal(vbt_site_at(site_of(fake_code("/opt/vbtrace/plugin/a.py", "f", 1), 0))->flags, VBT_SITE_OWN);
    assert_int_equal(vbt_site_at(site_of(fake_code("/opt/vbtrace.py", "f", 1), 0))->flags, VBT_SITE_OF_USER);
    assert_int_equal(vbt_site_at(site_of(fake_code("/opt/vbtrace2/__init__.py", "f", 1), 0))->flags, VBT_SITE_OF_USER);
}

static void what_is_no_code_is_transparent(void **state) {
    (void)state;
    char *frame = fake_frame(), *code = fake_code("a.py", "f", 1);
    fake_frame_set(frame, NULL, ascii("a str where code should be"), 0);
    assert_int_equal(vbt_python_site(frame, 12346, 0), vbt_transparent_site);
    fake_frame_set(frame, NULL, code, 0);
    assert_int_equal(vbt_python_site(frame, 0, 0), vbt_transparent_site); /* not started */
    memset(frame, 0, 64);
    assert_int_equal(vbt_python_site(frame, 12348, 0), vbt_transparent_site);
    char file[16], name[16];
    int32_t first_line, line;
    assert_false(vbt_python_describe(ascii("str"), 0, file, name, sizeof name, &first_line, &line));
    assert_false(vbt_python_describe(NULL, 0, file, name, sizeof name, &first_line, &line));
}

static void a_code_object_that_dies_is_forgotten(void **state) {
    (void)state;
    char *code = fake_code("<string>", "old", 1);
    uint32_t old = site_of(code, 0);
    uint64_t generations = vbt_python_generations;
    fake_code_reborn(code, "<string>", "new", 1);
    assert_int_not_equal(vbt_python_generations, generations);
    uint32_t fresh = site_of(code, 0);
    assert_int_not_equal(fresh, old);
    assert_string_is(code_of(fresh).name, "new");
    assert_string_is(code_of(old).name, "old"); /* its counts stay */
    fake_code_reborn(code, "<string>", "old", 1);
    assert_int_equal(site_of(code, 0), old);
}

/* An allocator's user may put a header of 16 or 32 bytes before the object: the block's free must
 * still be noticed. */
static void code_after_a_header_is_forgotten(void **state) {
    (void)state;
    for (size_t header = 16; header <= 32; header += 16) {
        size_t size = (size_t)vbt_python.abi.code_start + 2 * FAKE_INSTRUCTIONS;
        char *like = fake_code("<string>", header == 16 ? "sixteen" : "thirty-two", 1);
        char *block = calloc(1, header + size);
        assert_non_null(block);
        world_alloc(thread, world_node(0, "with a header", VBT_DOMAIN_PYTHON), (uintptr_t)block, header + size);
        memcpy(block + header, like, size);
        uint32_t site = site_of(block + header, 1);
        assert_int_equal(site, site_of(like, 1));
        uint64_t generations = vbt_python_generations;
        world_free(thread, (uintptr_t)block);
        assert_int_not_equal(vbt_python_generations, generations);
        assert_int_equal(vbt_table_get(&vbt_python_sites, (uintptr_t)block + header + (uintptr_t)vbt_python.abi.code_start + 2, 0),
                         0);
        free(block);
    }
}

static void other_blocks_are_not_watched(void **state) {
    (void)state;
    site_of(fake_code("a.py", "f", 1), 0);
    uint64_t generations = vbt_python_generations;
    world_alloc(thread, world_node(0, "some block", VBT_DOMAIN_PYTHON), 0x777000, 10);
    world_free(thread, 0x777000);
    assert_int_equal(vbt_python_generations, generations);
}

/* exec in a loop for days: the same few functions, compiled again each time, must not make anything
 * grow. */
static void code_that_comes_and_goes_leaves_no_trace(void **state) {
    (void)state;
    enum { ROUNDS = 20000, WARM = 100 };
    char *code = fake_code("<string>", "again", 1);
    char *frame = fake_frame();
    uint32_t sites = 0, strings = 0;
    size_t used = 0;
    for (int round = 0; round < ROUNDS; round++) {
        fake_frame_set(frame, NULL, code, 0);
        for (uintptr_t i = 0; i < 8; i++)
            vbt_python_site(frame, (uintptr_t)code + (uintptr_t)vbt_python.abi.code_start + 2 * i, 0);
        world_free(thread, (uintptr_t)code);
        world_alloc(thread, world_node(0, "exec", VBT_DOMAIN_PYTHON), (uintptr_t)code, 200);
        if (round == WARM) {
            sites = vbt_tree.sites.count;
            strings = vbt_tree.strings.count;
            used = vbt_python_sites.used;
        }
    }
    assert_int_equal(vbt_tree.sites.count, sites);
    assert_int_equal(vbt_tree.strings.count, strings);
    assert_true(vbt_python_sites.used <= used + 64);
}

static void lasti_is_bytes_from_the_start_of_the_code(void **state) {
    (void)state;
    static const struct {
        int minor;
        int32_t expected; /* of f_lasti 6 */
    } old[] = {{8, 6}, {9, 6}, {10, 12}};
    for (size_t i = 0; i < 3; i++) {
        vbt_python.abi = vbt_cpython_known(old[i].minor)->abi;
        assert_int_equal(vbt_python_lasti(NULL, NULL, 0, 6 + 1), old[i].expected);
        assert_true(vbt_python_lasti(NULL, NULL, 0, 0) < 0); /* f_lasti -1: not started */
    }
    for (int minor = 11; minor <= VBT_PYTHON_LAST; minor++) {
        vbt_python.abi = vbt_cpython_known(minor)->abi;
        const char *code = (const char *)0x10000;
        uintptr_t start = 0x10000 + (uintptr_t)vbt_python.abi.code_start;
        assert_int_equal(vbt_python_lasti(NULL, code, start + 8, 0), 8);
        assert_true(vbt_python_lasti(NULL, code, start - 2, 0) < 0);
    }
    vbt_python.abi = vbt_cpython_known(11)->abi;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(strings_of_every_kind_become_utf_8),
        TEST(what_is_no_compact_string_is_a_question_mark),
        TEST(long_names_are_cut_between_characters),
        TEST(a_site_is_a_line_of_code),
        TEST(the_same_code_compiled_twice_is_one),
        TEST(files_are_the_users_or_not),
        TEST(text_is_the_users_if_the_users_file_ran_it),
        TEST(vbtraces_own_file_is_ours_before_and_after_it_says_so),
        TEST(all_files_of_vbtraces_own_package_are_ours),
        TEST(what_is_no_code_is_transparent),
        TEST(a_code_object_that_dies_is_forgotten),
        TEST(code_after_a_header_is_forgotten),
        TEST(other_blocks_are_not_watched),
        TEST(code_that_comes_and_goes_leaves_no_trace),
        TEST(lasti_is_bytes_from_the_start_of_the_code),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
