/* Addresses to modules and functions, files to lines, sites to places. */
#include "format/count.h"
#include "analyzer/trace/load.h"
#include "analyzer/symbols/native/address_map.h"
#include "analyzer/base/allocate.h"
#include "analyzer/symbols/places.h"
#include "analyzer/symbols/source.h"
#include "tests/unit/support/trace_builder.h"

#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static void the_newest_module_owns_an_address(void **state) {
    (void)state;
    static const struct vbt_model_module modules[] = {
        {.start = 100, .end = 200}, {.start = 300, .end = 400}, {.start = 150, .end = 350},
        {.start = 340, .end = 345}, {.start = 500, .end = 500}, {.start = 700, .end = 600},
    };
    static const struct {
        uint64_t address;
        ptrdiff_t module;
    } cases[] = {{0, -1},  {99, -1}, {100, 0}, {149, 0}, {150, 2}, {200, 2},  {299, 2},  {300, 2},         {339, 2},
                 {340, 3}, {344, 3}, {345, 2}, {350, 1}, {399, 1}, {400, -1}, {500, -1}, {UINT64_MAX, -1}, {650, -1}};
    struct vbt_address_map map;
    vbt_address_map_build(&map, modules, VBT_COUNT(modules));
    for (size_t i = 0; i < VBT_COUNT(cases); i++)
        assert_int_equal(vbt_address_map_find(&map, cases[i].address), cases[i].module);
    vbt_address_map_free(&map);
    vbt_address_map_build(&map, NULL, 0);
    assert_int_equal(vbt_address_map_find(&map, 5), -1);
    vbt_address_map_free(&map);
}

/* As many modules as a file may have, each over the one before: takes milliseconds, not hours. */
static void overlapping_modules_cost_no_more_than_sorting(void **state) {
    (void)state;
    enum { MANY = 100000 };
    struct vbt_model_module *modules = calloc(MANY, sizeof *modules);
    for (uint64_t i = 0; i < MANY; i++)
        modules[i] = (struct vbt_model_module){.start = i, .end = 2 * MANY - i};
    struct vbt_address_map map;
    vbt_address_map_build(&map, modules, MANY);
    assert_int_equal(vbt_address_map_find(&map, MANY), MANY - 1);
    assert_int_equal(vbt_address_map_find(&map, 0), 0);
    vbt_address_map_free(&map);
    free(modules);
}

static void check_line(struct vbt_sources *s, const char *file, int64_t line, const char *expected) {
    size_t size;
    const char *text = vbt_source_line(s, file, line, &size);
    if (expected == NULL) {
        assert_null(text);
        return;
    }
    assert_non_null(text);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(text, expected, size);
}

static void lines_of_source_files(void **state) {
    (void)state;
    const char *path = tb_save_bytes("one\r\n  two\n\nfour", 16);
    struct vbt_model_pair facts[] = {{"cwd", "/tmp"}, {"started", "1000"}}; /* the trace began in 1970: the file is newer */
    struct vbt_sources *s = vbt_sources_new(&(struct vbt_model){.process = facts, .process_count = 1});
    check_line(s, path, 0, NULL);
    check_line(s, path, 1, "one");
    check_line(s, path, 2, "  two");
    check_line(s, path, 3, "");
    check_line(s, path, 4, "four");
    check_line(s, path, 5, NULL);
    check_line(s, path, INT64_MAX, NULL);
    check_line(s, path + strlen("/tmp/"), 2, "  two"); /* relative to the traced program's folder */
    check_line(s, "<string>", 1, NULL);
    check_line(s, "", 1, NULL);
    check_line(s, "/nonexistent/file.py", 1, NULL);
    check_line(s, "/tmp", 1, NULL);
    check_line(s, "/dev/zero", 1, NULL);
    assert_null(vbt_sources_trouble(s, 0));
    vbt_sources_free(s);
    s = vbt_sources_new(&(struct vbt_model){.process = facts, .process_count = 2});
    check_line(s, path, 1, "one");
    char *trouble = vbt_sources_trouble(s, 0);
    assert_memory_equal(trouble, path, strlen(path));
    free(trouble);
    assert_null(vbt_sources_trouble(s, 1));
    vbt_sources_free(s);
}

/* Of the rows for line 5 the newest holds; the file was changed only after the one that is
 * replaced. */
static void the_newest_stored_line_holds(void **state) {
    (void)state;
    static const struct {
        unsigned line;
        bool changed;
        const char *text;
    } rows[] = {{5, false, "first"}, {9, false, "nine"}, {5, true, "second"}, {5, false, "third"}, {1, false, "one"}};
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    uint32_t file = tb_string(&b, "/nonexistent/file.py");
    for (size_t i = 0; i < VBT_COUNT(rows); i++) {
        tb_open(&b);
        vbt_put_varint(&b.w, 1);
        vbt_put_varint(&b.w, file);
        vbt_put_varint(&b.w, rows[i].line);
        vbt_put_varint(&b.w, rows[i].changed);
        vbt_put_string(&b.w, rows[i].text, strlen(rows[i].text));
        tb_close(&b, VBT_CHUNK_SOURCES);
    }
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    struct vbt_sources *s = vbt_sources_new(&m);
    check_line(s, "/nonexistent/file.py", 1, "one");
    check_line(s, "/nonexistent/file.py", 5, "third");
    check_line(s, "/nonexistent/file.py", 9, "nine");
    check_line(s, "/nonexistent/file.py", 6, NULL);
    assert_null(vbt_sources_trouble(s, 0));
    vbt_sources_free(s);
    vbt_model_free(&m);
    tb_free(&b);
}

/* As all text of a trace, what is stored of a line ends at its first zero byte. */
static void a_stored_line_ends_at_a_zero_byte(void **state) {
    (void)state;
    static const char *const texts[] = {"one\0two", "\0\0\0\0\0\0", "without"};
    enum { SIZE = 7 };
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    uint32_t file = tb_string(&b, "/nonexistent/file.py");
    for (size_t i = 0; i < VBT_COUNT(texts); i++) {
        tb_open(&b);
        vbt_put_varint(&b.w, 1);
        vbt_put_varint(&b.w, file);
        vbt_put_varint(&b.w, i + 1);
        vbt_put_varint(&b.w, 0);
        vbt_put_string(&b.w, texts[i], SIZE);
        tb_close(&b, VBT_CHUNK_SOURCES);
    }
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    struct vbt_sources *s = vbt_sources_new(&m);
    check_line(s, "/nonexistent/file.py", 1, "one");
    check_line(s, "/nonexistent/file.py", 2, "");
    check_line(s, "/nonexistent/file.py", 3, "without");
    vbt_sources_free(s);
    vbt_model_free(&m);
    tb_free(&b);
}

/* A pipe without a writer must not block the report. */
static void a_trace_cannot_make_the_report_wait(void **state) {
    (void)state;
    char path[] = "/tmp/vbtrace-fifo-XXXXXX";
    assert_non_null(mkdtemp(path));
    char *fifo = vbt_text("%s/fifo", path);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    struct vbt_sources *s = vbt_sources_new(&(struct vbt_model){0});
    check_line(s, fifo, 1, NULL);
    vbt_sources_free(s);
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    tb_module(&b, 0x1000, 0x2000, 0, fifo);
    uint32_t site = tb_site(&b, VBT_SITE_NATIVE, 0x1801, 0);
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    struct vbt_places *places = vbt_places_new(&m);
    assert_string_equal(vbt_place_of_site(places, site)->function, "fifo+0x800");
    vbt_places_free(places);
    vbt_model_free(&m);
    tb_free(&b);
    unlink(fifo);
    rmdir(path);
    free(fifo);
}

__attribute__((noinline)) int vbt_test_landmark(int n);
int vbt_test_landmark(int n) { return n * 3 + 1; }

static int find_self(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    *(uintptr_t *)data = info->dlpi_addr;
    return 1; /* the main program comes first */
}

static void native_code_of_this_program_is_found(void **state) {
    (void)state;
    char exe[4096] = "";
    assert_true(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
    uintptr_t base = 0;
    dl_iterate_phdr(find_self, &base);
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    tb_process(&b, (const char *const[]){"exe", exe, NULL});
    /* For the landmark's segment, as if mapped with file offset 0 at base: read its real
     * mapping. */
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[8192];
    unsigned long start, end, offset, landmark = (unsigned long)(uintptr_t)vbt_test_landmark;
    while (fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) == 3 && start <= landmark && landmark < end)
            tb_module(&b, start, end, offset, exe);
    fclose(maps);
    uint32_t site = tb_site(&b, VBT_SITE_NATIVE, landmark + 1, 1), nowhere = tb_site(&b, VBT_SITE_NATIVE, 0x11, 0);
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    struct vbt_places *places = vbt_places_new(&m);
    const struct vbt_source_place *place = vbt_place_of_site(places, site);
    assert_string_equal(place->function, "vbt_test_landmark");
    assert_string_equal(place->module, exe);
    assert_true(place->user);
    assert_non_null(strstr(place->file, "test_analyzer_places.c")); /* the tests are built with debug info */
    assert_true(place->line > 0);
    assert_string_equal(vbt_place_of_site(places, nowhere)->function, "0x10");
    assert_ptr_equal(vbt_place_of_site(places, site), place);
    vbt_places_free(places);
    vbt_model_free(&m);
    tb_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_module_owns_an_address),
        cmocka_unit_test(overlapping_modules_cost_no_more_than_sorting),
        cmocka_unit_test(lines_of_source_files),
        cmocka_unit_test(the_newest_stored_line_holds),
        cmocka_unit_test(a_stored_line_ends_at_a_zero_byte),
        cmocka_unit_test(a_trace_cannot_make_the_report_wait),
        cmocka_unit_test(native_code_of_this_program_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
