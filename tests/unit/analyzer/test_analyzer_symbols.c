/* Symbols of native addresses: names, inlined functions, files that are not those that ran, the
 * kernel's code. */
#include "format/count.h"
#include "analyzer/trace/load.h"
#include "analyzer/base/allocate.h"
#include "analyzer/symbols/native/demangle.h"
#include "analyzer/symbols/native/elf_starts.h"
#include "analyzer/symbols/places.h"
#include "analyzer/symbols/symbols.h"
#include "tests/unit/support/trace_builder.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static void names_are_as_people_write_them(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"malloc", "malloc"},
        {"strcpy@@GLIBC_2.2.5", "strcpy"},
        {"", ""},
        {"_Z", "_Z"},
        {"_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back(int const&)"},
        {"_ZN3foo3barEv.cold", "foo::bar() [clone .cold]"},
        {"_ZN3foo3barEi.llvm.4711", "foo::bar(int)"},
        {"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt"}, /* Rust, legacy */
        {"_RNvC6_123foo3bar", "123foo::bar"},                                                /* Rust, v0 */
        {"_RNvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3newCs15kBYyAo9fc_7mycrate", "<std::path::PathBuf>::new"},
        {"__pyx_pw_3pkg_6module_5Class_1method", "pkg.module.Class.method"}, /* Cython */
        {"__pyx_pf_3pkg_5Class___init__", "pkg.Class.__init__"},
        {"__pyx_f_3pkg_in_c", "pkg.in_c"},
        {"__pyx_gb_3pkg_5total_2generator", "pkg.total.generator"},
        {"__pyx_pymod_exec_pkg", "__pyx_pymod_exec_pkg"},
        {"__pyx_f_", "__pyx_f_"},
        {"__pyx_f_99999999999999999999999pkg_in_c", "__pyx_f_99999999999999999999999pkg_in_c"},
    };
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        char *name = vbt_demangle(cases[i][0]);
        assert_string_equal(name, cases[i][1]);
        free(name);
    }
}

/* A module of this test's process. */
struct own_module {
    char path[4096];
    uint64_t start, end, linked;
    uint8_t build_id[64];
    size_t build_id_size;
};

static int read_module(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    struct own_module *p = data;
    if (strcmp(info->dlpi_name, p->path) != 0)
        return 0;
    p->start = UINT64_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uint64_t at = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && at < p->start)
            p->start = at;
        if (segment->p_type == PT_LOAD && at + segment->p_memsz > p->end)
            p->end = at + segment->p_memsz;
        const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;
        size_t left = segment->p_type == PT_NOTE ? segment->p_memsz : 0;
        while (left > sizeof *note) {
            size_t whole = sizeof *note + ((note->n_namesz + 3) & ~3U) + ((note->n_descsz + 3) & ~3U);
            if (note->n_type == NT_GNU_BUILD_ID && memcmp(note + 1, "GNU", 4) == 0) {
                p->build_id_size = note->n_descsz;
                memcpy(p->build_id, (const char *)(note + 1) + 4, note->n_descsz);
            }
            note = (const ElfW(Nhdr) *)((const char *)note + whole);
            left = left > whole ? left - whole : 0;
        }
    }
    p->linked = p->start - info->dlpi_addr;
    return 1;
}

/* name: as the loader has it, "" for this program. */
static struct own_module module_named(const char *name) {
    struct own_module p = {.path = ""};
    strcpy(p.path, name);
    assert_int_equal(dl_iterate_phdr(read_module, &p), 1);
    assert_true(p.build_id_size > 0);
    if (name[0] == '\0')
        assert_true(readlink("/proc/self/exe", p.path, sizeof p.path - 1) > 0);
    return p;
}

/* A trace of one native site, loaded. */
struct loaded_site {
    struct trace_builder b;
    struct vbt_model m;
    struct vbt_places *places;
    const struct vbt_source_frame *frames;
    size_t count;
};

static void load(struct loaded_site *l, const struct own_module *p, uint64_t address) {
    tb_begin(&l->b);
    tb_process(&l->b, (const char *const[]){"exe", p->path, "started", "1", NULL});
    uint32_t module = tb_loaded_module(&l->b, p->start, p->end, p->linked, p->build_id, p->build_id_size, p->path);
    uint32_t site = tb_native_site(&l->b, address, 1, module);
    char *problem = vbt_model_load(&l->m, tb_save(&l->b), false);
    assert_null(problem);
    assert_null(l->m.damage);
    l->places = vbt_places_new(&l->m);
    l->frames = vbt_frames_of_site(l->places, site, &l->count);
}

static void unload(struct loaded_site *l) {
    vbt_places_free(l->places);
    vbt_model_free(&l->m);
    tb_free(&l->b);
}

/* Three functions in one. */
static __attribute__((noinline)) uint64_t here(void) { return (uint64_t)(uintptr_t)__builtin_return_address(0); }
static int inner_line, middle_line, outer_line;
static volatile int stays; /* keeps the calls from being tail calls */

static inline __attribute__((always_inline)) uint64_t inner(void) {
    inner_line = __LINE__ + 1;
    uint64_t result = here();
    stays++;
    return result;
}

static inline __attribute__((always_inline)) uint64_t middle(void) {
    middle_line = __LINE__ + 1;
    uint64_t result = inner();
    stays++;
    return result;
}

static __attribute__((noinline)) uint64_t outer(void) {
    outer_line = __LINE__ + 1;
    uint64_t result = middle();
    stays++;
    return result;
}

static void inlined_functions_are_frames_of_their_own(void **state) {
    (void)state;
    struct own_module p = module_named("");
    struct loaded_site l;
    load(&l, &p, outer());
    const char *const names[] = {"inner", "middle", "outer"};
    const int lines[] = {inner_line, middle_line, outer_line};
    assert_int_equal(l.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct vbt_source_place *place = l.frames[i].place, *function = l.frames[i].function;
        assert_string_equal(place->function, names[i]);
        assert_int_equal(place->line, lines[i]);
        assert_int_equal(function->line, lines[i] - 2);
        assert_string_equal(function->function, names[i]);
        assert_non_null(strstr(place->file, "/test_analyzer_symbols.c"));
        assert_string_equal(place->module, p.path);
        assert_true(place->user);
        assert_int_equal(place->kind, VBT_PLACE_NATIVE);
        assert_int_equal(l.frames[i].inlined, i < 2);
    }
    assert_null(vbt_places_trouble(l.places, 0)); /* newer than the trace, but the build id is the same */
    unload(&l);
}

/* .eh_frame_hdr has the starts of functions without a symbol. */
static void functions_begin_where_their_rules_do(void **state) {
    (void)state;
    struct own_module p = module_named("");
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    uint64_t linked = outer() - p.start + p.linked, start = (uint64_t)(uintptr_t)outer - p.start + p.linked;
    assert_int_equal(vbt_elf_start(elf, linked), start);
    assert_int_equal(vbt_elf_start(elf, start), start);
    assert_in_range(vbt_elf_start(elf, start - 1), 0, start - 1);
    assert_int_equal(vbt_elf_start(elf, 1), 1); /* before all functions */
    elf_end(elf);
    close(fd);
}

/* The path has another file now: none of its names is used. */
static void a_replaced_file_names_nothing(void **state) {
    (void)state;
    struct own_module p = module_named("");
    struct loaded_site l;
    p.build_id[0] ^= 1;
    load(&l, &p, outer());
    assert_int_equal(l.count, 1);
    char *name = vbt_text("test_analyzer_symbols+0x%lx", (unsigned long)(outer() - 1 - p.start + p.linked));
    assert_string_equal(l.frames[0].place->function, name);
    assert_string_equal(l.frames[0].place->file, p.path);
    char *trouble = vbt_places_trouble(l.places, 0);
    assert_non_null(strstr(trouble, p.path));
    assert_non_null(strstr(trouble, "not the file that ran"));
    assert_null(vbt_places_trouble(l.places, 1));
    free(trouble);
    free(name);
    unload(&l);
}

static void a_file_that_is_gone_is_said_to_be(void **state) {
    (void)state;
    struct own_module p = module_named("");
    struct loaded_site l;
    strcpy(p.path, "/nonexistent/program");
    p.build_id[0] ^= 1; /* or the module's debug file may be found */
    load(&l, &p, outer());
    assert_int_equal(strncmp(l.frames[0].place->function, "program+0x", 10), 0);
    char *trouble = vbt_places_trouble(l.places, 0);
    assert_string_equal(trouble, "/nonexistent/program is gone: its functions are shown as addresses.");
    free(trouble);
    unload(&l);
}

static void the_kernels_own_code_has_names(void **state) {
    (void)state;
    void *vdso = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
    void *function = vdso != NULL ? dlsym(vdso, "__vdso_clock_gettime") : NULL;
    if (vdso != NULL && function == NULL)
        function = dlsym(vdso, "__kernel_clock_gettime"); /* aarch64 */
    if (function == NULL) {
        print_message("this kernel gives no vdso\n");
        return;
    }
    struct own_module p = module_named("linux-vdso.so.1");
    struct loaded_site l;
    load(&l, &p, (uint64_t)(uintptr_t)function + 2);
    assert_non_null(strstr(l.frames[0].place->function, "clock_gettime"));
    unload(&l);
    p.build_id[0] ^= 1; /* another kernel's */
    load(&l, &p, (uint64_t)(uintptr_t)function + 2);
    assert_int_equal(strncmp(l.frames[0].place->function, "linux-vdso.so.1+0x", 18), 0);
    unload(&l);
    dlclose(vdso);
}

/* The name that the loader has for the file of an address. */
static const char *file_of(const void *address) {
    Dl_info info;
    assert_int_not_equal(dladdr(address, &info), 0);
    return info.dli_fname;
}

/* A trace of many sites in two files. With an id, a build id says which files these are. */
static void load_many(struct trace_builder *b, struct vbt_model *m, const char *started, bool with_id) {
    const struct own_module files[] = {module_named(""), module_named(file_of((void *)(uintptr_t)malloc))};
    tb_begin(b);
    tb_process(b, (const char *const[]){"exe", files[0].path, "started", started, NULL});
    for (size_t i = 0; i < VBT_COUNT(files); i++) {
        const struct own_module *p = &files[i];
        uint32_t module = tb_loaded_module(b, p->start, p->end, p->linked, p->build_id, with_id ? p->build_id_size : 0, p->path);
        uint64_t first = i == 0 ? outer() : (uint64_t)(uintptr_t)malloc;
        for (uint64_t k = 0; k < 200; k++)
            tb_native_site(b, first + 8 * k, i == 0, module);
    }
    char *problem = vbt_model_load(m, tb_save(b), false);
    assert_null(problem);
}

/* What is known of a file is the same for all traces, in which order and by which thread it was
 * found. */
static void each_file_is_asked_once(void **state) {
    (void)state;
    struct trace_builder first_trace, second_trace;
    struct vbt_model first_model, second_model;
    struct vbt_binaries *binaries = vbt_binaries_new();
    load_many(&first_trace, &first_model, "1", true);
    load_many(&second_trace, &second_model, "1", true);
    struct vbt_symbols *alone = vbt_symbols_new(&first_model, NULL);
    struct vbt_symbols *first = vbt_symbols_new(&first_model, binaries), *second = vbt_symbols_new(&second_model, binaries);
    vbt_symbols_read_ahead(first);
    for (uint32_t site = 1; site <= 400; site++) {
        struct vbt_symbolized expected = vbt_symbols_find(alone, site);
        struct vbt_symbolized found = vbt_symbols_find(first, site), again = vbt_symbols_find(second, site);
        assert_int_equal(found.count, expected.count);
        for (size_t i = 0; i < found.count; i++) {
            assert_string_equal(found.symbols[i].function, expected.symbols[i].function);
            assert_int_equal(found.symbols[i].line, expected.symbols[i].line);
        }
        assert_ptr_equal(again.symbols, found.symbols);
    }
    vbt_symbols_free(alone);
    vbt_symbols_free(first);
    vbt_symbols_free(second);
    vbt_binaries_free(binaries);
    vbt_model_free(&first_model);
    vbt_model_free(&second_model);
    tb_free(&first_trace);
    tb_free(&second_trace);
}

/* Without a build id a file may have been changed after one trace began, and before another did. */
static void a_changed_file_is_changed_for_older_traces(void **state) {
    (void)state;
    static const char *const started[] = {"1", "4000000000000000000"};
    static const enum vbt_binary_state states[] = {VBT_BINARY_NEWER, VBT_BINARY_SAME};
    struct vbt_binaries *binaries = vbt_binaries_new();
    for (int i = 0; i < 2; i++) {
        struct trace_builder b;
        struct vbt_model model;
        load_many(&b, &model, started[i], false);
        struct vbt_symbols *symbols = vbt_symbols_new(&model, binaries);
        assert_int_equal(vbt_symbols_find(symbols, 1).state, states[i]);
        vbt_symbols_free(symbols);
        vbt_model_free(&model);
        tb_free(&b);
    }
    vbt_binaries_free(binaries);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_is_asked_once),
        cmocka_unit_test(a_changed_file_is_changed_for_older_traces),
        cmocka_unit_test(names_are_as_people_write_them),
        cmocka_unit_test(inlined_functions_are_frames_of_their_own),
        cmocka_unit_test(functions_begin_where_their_rules_do),
        cmocka_unit_test(a_replaced_file_names_nothing),
        cmocka_unit_test(a_file_that_is_gone_is_said_to_be),
        cmocka_unit_test(the_kernels_own_code_has_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
