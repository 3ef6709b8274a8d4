/* Definitions as written into a trace: read back by the tests' own decoder, and compared with the
 * tree and the modules. */
#include "preload/stream/dictionary.h"

#include "preload/process/process.h"
#include "preload/tree/modules.h"
#include "tests/unit/support/preload_world.h"
#include "tests/unit/support/snapshot_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void assert_defined(const struct trace *trace) {
    assert_int_equal(trace->strings, vbt_tree.strings.count - 1);
    assert_int_equal(trace->codes, vbt_tree.codes.count - 1);
    assert_int_equal(trace->sites, vbt_tree.sites.count - 1);
    assert_int_equal(trace->nodes, vbt_tree.nodes.count - 1);
    for (uint32_t id = 1; id <= trace->strings; id++) {
        assert_int_equal(trace->string[id].size, vbt_string_at(id)->size);
        assert_memory_equal(trace->string[id].bytes, vbt_string_at(id)->bytes, vbt_string_at(id)->size);
    }
    for (uint32_t id = 1; id <= trace->codes; id++) {
        assert_int_equal(trace->code[id].file, vbt_code_at(id)->file);
        assert_int_equal(trace->code[id].name, vbt_code_at(id)->name);
        assert_int_equal(trace->code[id].first_line, vbt_code_at(id)->first_line);
        assert_int_equal(trace->code[id].flags, vbt_code_at(id)->flags);
    }
    for (uint32_t id = 1; id <= trace->sites; id++) {
        assert_int_equal(trace->site[id].kind, vbt_site_at(id)->kind);
        assert_int_equal(trace->site[id].a, vbt_site_at(id)->a);
        assert_int_equal(trace->site[id].b, vbt_site_at(id)->b);
        assert_int_equal(trace->site[id].module, vbt_site_at(id)->module);
    }
    for (uint32_t id = 1; id <= trace->nodes; id++) {
        assert_int_equal(trace->node[id].parent, vbt_node_at(id)->parent);
        assert_int_equal(trace->node[id].site, vbt_node_at(id)->site);
        assert_int_equal(trace->node[id].domain, vbt_node_at(id)->domain);
    }
}

/* The loader's facts on a module are read back; for the main program with the name of its file. */
static void modules_come_back_as_they_were(void **state) {
    (void)state;
    vbt_native_site((uintptr_t)&modules_come_back_as_they_were + 1);
    vbt_native_site((uintptr_t)&snprintf + 1);
    vbt_dictionary_write(&writer, &written, vbt_dictionary_now());
    const struct trace *trace = read_trace();
    assert_true(vbt_modules.count >= 3);
    assert_int_equal(trace->modules, vbt_modules.count - 1);
    for (uint32_t id = 1; id < vbt_modules.count; id++) {
        const struct vbt_module *module = vbt_module_at(id);
        const struct trace_string *read_path = &trace->module[id - 1].path, *build_id = &trace->module[id - 1].build_id;
        char name[4096];
        snprintf(name, sizeof name, "%.*s", (int)read_path->size, read_path->bytes);
        assert_string_equal(name, module->path_size == 0 ? vbt_program_path() : module->path);
        assert_int_equal(trace->module[id - 1].start, module->start);
        assert_int_equal(trace->module[id - 1].end, module->end);
        assert_int_equal(trace->module[id - 1].linked, module->start - module->bias);
        assert_int_equal(trace->module[id - 1].generation, module->generation);
        assert_int_equal(build_id->size, module->build_id_size);
        assert_memory_equal(build_id->bytes, module->build_id, build_id->size);
    }
}

static void define_something(uint32_t seed) {
    char text[32];
    vbt_lock(&vbt_tree_lock);
    uint32_t name = vbt_intern_string(text, (size_t)snprintf(text, sizeof text, "name %u", seed));
    uint32_t code = vbt_intern_code(1000 + seed, name, name, seed, seed % 3);
    uint32_t site = vbt_intern_python_site(code, (int32_t)seed - 5);
    vbt_unlock(&vbt_tree_lock);
    uint32_t parent = vbt_node_of(0, site, VBT_DOMAIN_PYTHON);
    vbt_node_of(parent, vbt_native_site(0x7f0000000000 + 37 * seed), VBT_DOMAIN_HEAP);
}

static void definitions_come_back_as_they_were(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 50; i++)
        define_something(i);
    vbt_dictionary_write(&writer, &written, vbt_dictionary_now());
    assert_defined(read_trace());
}

static void what_is_defined_is_written_once(void **state) {
    (void)state;
    vbt_dictionary_write(&writer, &written, vbt_dictionary_now());
    uint64_t size = writer.file_size;
    vbt_dictionary_write(&writer, &written, vbt_dictionary_now());
    assert_int_equal(writer.file_size, size);
    define_something(100);
    struct vbt_dictionary now = vbt_dictionary_now();
    define_something(101); /* after the tick began: left for the next one */
    vbt_dictionary_write(&writer, &written, now);
    assert_int_equal(read_trace()->codes, now.codes);
    vbt_dictionary_write(&writer, &written, vbt_dictionary_now());
    assert_defined(read_trace());
}

/* More rows than one chunk takes, and strings whose bytes fill several. */
static void many_definitions_take_several_chunks(void **state) {
    (void)state;
    static char text[5000];
    memset(text, 'x', sizeof text);
    vbt_lock(&vbt_tree_lock);
    for (int i = 0; i < 500; i++) {
        snprintf(text, 32, "long %d", i);
        assert_int_not_equal(vbt_intern_string(text, sizeof text), 0);
    }
    vbt_unlock(&vbt_tree_lock);
    for (uint32_t i = 0; i < 20000; i++)
        define_something(1000 + i);
    vbt_dictionary_write(&writer, &written, vbt_dictionary_now());
    const struct trace *trace = read_trace();
    assert_true(trace->chunks_of[VBT_CHUNK_STRINGS] >= 3);
    assert_true(trace->chunks_of[VBT_CHUNK_NODES] >= 3);
    assert_defined(trace);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_begin, snapshot_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(definitions_come_back_as_they_were),
        TEST(modules_come_back_as_they_were),
        TEST(what_is_defined_is_written_once),
        TEST(many_definitions_take_several_chunks),
    };
    snapshot_world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
