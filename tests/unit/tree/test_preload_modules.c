/* Generations of code, and which module an address lies in: with libraries that come, go and
 * replace each other. */
#include "preload/tree/modules.h"

#include "tests/unit/support/preload_world.h"

#include <dlfcn.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static uint32_t now(void) { return atomic_load(&vbt_module_generation); }

static void what_is_found_while_a_library_closes_is_not_kept(void **state) {
    (void)state;
    uint32_t before = vbt_module_stamp();
    assert_int_equal(before, now());
    assert_true(before > 0);
    vbt_modules_close_begin();
    assert_true(now() > before);
    assert_true(vbt_module_stamp() < now());
    vbt_modules_close_begin(); /* from a destructor, or another thread */
    vbt_modules_close_end();
    assert_true(vbt_module_stamp() < now());
    uint32_t during = now();
    vbt_modules_close_end();
    assert_true(now() > during);
    assert_int_equal(vbt_module_stamp(), now());
    vbt_modules_close_begin();
    vbt_modules_after_fork(); /* the child: no close is in progress */
    assert_int_equal(vbt_module_stamp(), now());
    assert_true(now() > during);
}

static uint32_t module_of(const void *address) {
    vbt_lock(&vbt_tree_lock);
    uint32_t id = vbt_module_of((uintptr_t)address);
    vbt_unlock(&vbt_tree_lock);
    return id;
}

/* The loader's facts on the first module, which is the program. */
static int first(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    *(uintptr_t *)data = info->dlpi_addr;
    return 1;
}

static void modules_are_what_the_loader_says(void **state) {
    (void)state;
    uintptr_t bias;
    dl_iterate_phdr(first, &bias);
    uint32_t program = module_of((const void *)&modules_are_what_the_loader_says),
             libc = module_of(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"));
    assert_true(program != 0 && libc != 0 && program != libc);
    assert_int_equal(module_of((const void *)&module_of), program);
    assert_int_equal(module_of(&bias), 0);
    assert_int_equal(module_of((const void *)4711), 0);
    const struct vbt_module *module = vbt_module_at(program);
    assert_int_equal(module->bias, bias);
    assert_int_equal(module->path_size, 0);
    assert_int_equal(module->build_id_size, 20);
    assert_true(module->start <= (uintptr_t)&first && (uintptr_t)&first < module->end);
    assert_non_null(strstr(vbt_module_at(libc)->path, "/libc.so.6"));
    assert_int_equal(vbt_module_at(libc)->path_size, strlen(vbt_module_at(libc)->path));
}

/* Loads a library, whose close is reported as by the hook; *work is its only function. */
static void *load(const char *path, const void **work) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    *work = dlsym(library, "work");
    assert_non_null(*work);
    return library;
}

static void unload(void *library) {
    vbt_modules_close_begin();
    dlclose(library);
    vbt_modules_close_end();
}

static uint32_t site_in(const void *work) { return vbt_native_site((uintptr_t)work + 4); }

/* The two libraries differ only in their build ids, and the kernel maps each where the last one
 * was. */
static void a_library_in_the_place_of_another_has_sites_of_its_own(void **state) {
    (void)state;
    const void *work, *where;
    void *library = load(VBT_TEST_LIBRARY_A, &where);
    uint32_t a = site_in(where), module_a = vbt_site_at(a)->module;
    assert_int_equal(site_in(where), a);
    assert_string_equal(vbt_module_at(module_a)->path, VBT_TEST_LIBRARY_A);
    unload(library);
    library = load(VBT_TEST_LIBRARY_B, &work);
    uint32_t b = site_in(work), module_b = vbt_site_at(b)->module;
    assert_int_not_equal(a, b);
    assert_int_not_equal(module_a, module_b);
    assert_string_equal(vbt_module_at(module_b)->path, VBT_TEST_LIBRARY_B);
    assert_true(vbt_module_at(module_b)->generation > vbt_module_at(module_a)->generation);
    if (work != where)
        print_message("the libraries came to lie at different places: their sites could not be mistaken\n");
    assert_int_equal(site_in(work), b);
    for (int i = 0; i < 3; i++) { /* the same file at the same place is the same module again, and so are its sites */
        unload(library);
        library = load(i % 2 == 0 ? VBT_TEST_LIBRARY_A : VBT_TEST_LIBRARY_B, &work);
        if (work == where)
            assert_int_equal(site_in(work), i % 2 == 0 ? a : b);
    }
    uint32_t modules = vbt_modules.count;
    unload(library);
    library = load(VBT_TEST_LIBRARY_A, &work);
    if (work == where)
        assert_int_equal(site_in(work), a);
    assert_int_equal(vbt_modules.count, modules);
    unload(library);
}

static void a_relative_path_gets_its_directory(void **state) {
    (void)state;
    char folder[4096], *slash;
    strcpy(folder, VBT_TEST_LIBRARY_B);
    slash = strrchr(folder, '/');
    *slash = '\0';
    char name[4096];
    snprintf(name, sizeof name, "./%s", slash + 1);
    assert_int_equal(chdir(folder), 0);
    const void *work;
    void *library = load(name, &work);
    const struct vbt_module *module = vbt_module_at(module_of(work));
    if (module->path[0] == '.')
        assert_string_equal(module->directory, folder);
    else
        assert_string_equal(module->path, VBT_TEST_LIBRARY_B);
    unload(library);
}

static int setup(void **state) {
    (void)state;
    world_init();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found_while_a_library_closes_is_not_kept),
        cmocka_unit_test(modules_are_what_the_loader_says),
        cmocka_unit_test(a_library_in_the_place_of_another_has_sites_of_its_own),
        cmocka_unit_test(a_relative_path_gets_its_directory),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
