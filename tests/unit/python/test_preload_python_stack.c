/* The Python call stack of every version, on a fake interpreter: calls, returns, lines, reused
 * memory, code that dies. */
#include "preload/python/python_deep.h"
#include "preload/python/python_stack.h"
#include "preload/python/python_walk.h"
#include "preload/thread/place.h"

#include "tests/unit/support/fake_python.h"
#include "preload/ledger/ledger.h"
#include "preload/ledger/maps.h"
#include "preload/shared/say.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { FIRST = VBT_PYTHON_FIRST, LAST = VBT_PYTHON_LAST, FREE_THREADED = LAST + 1, VERSIONS = FREE_THREADED - FIRST + 1 };

static struct vbt_thread *thread;

/* Runs a test on every version, and reports which one failed. */
static void on_every_version(void (*test)(void)) {
    for (int version = FIRST; version <= FREE_THREADED; version++) {
        print_message("3.%d%s\n", version == FREE_THREADED ? FAKE_FREE_THREADED : version, version == FREE_THREADED ? "t" : "");
        void *state = NULL;
        world_reset(&state);
        thread = vbt_thread_begin();
        if (version == FREE_THREADED)
            fake_python_begin_free_threaded(thread);
        else
            fake_python_begin(version, thread);
        test();
        fake_python_end();
    }
}

static void write_path(uint32_t node, char *out, int size) {
    out[0] = '\0';
    if (node == 0)
        return;
    write_path(vbt_node_at(node)->parent, out, size);
    const struct vbt_site *site = vbt_site_at(vbt_node_at(node)->site);
    assert_int_equal(site->kind, VBT_SITE_PYTHON);
    assert_int_equal(vbt_node_at(node)->domain, VBT_DOMAIN_PYTHON);
    const struct vbt_string *name = vbt_string_at(vbt_code_at((uint32_t)site->a)->name);
    int used = (int)strlen(out);
    vbt_format(out + used, size - used, "%s%.*s:%d", used > 0 ? " " : "", (int)name->size, name->bytes, (int)site->b);
}

static unsigned steps_known;

/* The stack as the fast path sees it, for the current version. */
static const struct vbt_step *known_step(void) {
    if (!vbt_python_abi_is_known())
        return vbt_walk_known(&thread->stack, &vbt_python.abi);
    switch (vbt_python.known->walked_as) {
#define CASE(minor)                                                                                                                \
    case minor:                                                                                                                    \
        return vbt_walk_known(&thread->stack, &vbt_cpythons[minor].abi);
        VBT_FOR_EACH_WALKER(CASE)
#undef CASE
    default:
        fail_msg("3.%d has no walker", vbt_python.minor);
        return NULL;
    }
}

/* The stack as the library sees it: "main:12 f:3", root first; "" for none. The fast path agrees
 * with the general one, before and after it. */
static const char *seen(void) {
    static char path[4096];
    const struct vbt_step *before = known_step();
    uint32_t known = before != NULL ? before->place.node : 0;
    const struct vbt_frame *leaf = vbt_python_leaf(&thread->stack);
    uint32_t node = leaf != NULL ? leaf->node : 0;
    write_path(node, path, sizeof path);
    if (known != 0)
        assert_int_equal(known, node);
    const struct vbt_step *after = known_step();
    if (after != NULL) {
        assert_int_equal(after->place.node, node);
        assert_ptr_equal(vbt_step_place(thread, after).counters, vbt_place_of(&thread->ledger, node).counters);
        assert_ptr_equal(after->place.counters, vbt_place_of(&thread->ledger, node).counters);
        steps_known++;
    }
    return path;
}

static void calls_returns_and_lines(void) {
    char *main_code = fake_code("/home/me/main.py", "main", 10), *f_code = fake_code("/home/me/main.py", "f", 100);
    char *main_frame = fake_frame(), *f_frame = fake_frame();
    assert_string_equal(seen(), "");
    fake_frame_set(main_frame, NULL, main_code, 0);
    fake_python_run(main_frame);
    assert_string_equal(seen(), "main:10");
    steps_known = 0;
    assert_string_equal(seen(), "main:10");
    assert_int_equal(steps_known, 1);
    fake_frame_step(main_frame, main_code, 2);
    assert_string_equal(seen(), "main:12");
    fake_frame_set(f_frame, main_frame, f_code, 0);
    fake_python_run(f_frame);
    assert_string_equal(seen(), "main:12 f:100");
    fake_frame_step(f_frame, f_code, 5);
    assert_string_equal(seen(), "main:12 f:105");
    fake_frame_step(f_frame, f_code, 1); /* a loop goes back */
    assert_string_equal(seen(), "main:12 f:101");
    fake_python_run(main_frame);
    assert_string_equal(seen(), "main:12");
    fake_frame_step(main_frame, main_code, 3);
    assert_string_equal(seen(), "main:13");
    fake_python_run(NULL);
    assert_string_equal(seen(), "");
    fake_python_run(main_frame);
    assert_string_equal(seen(), "main:13");
}

/* It called, returned and called again between two captures: the same frames, other lines all the
 * way down. */
static void changes_below_an_unchanged_leaf(void) {
    char *code = fake_code("a.py", "r", 1), *frames[5];
    for (int i = 0; i < 5; i++) {
        frames[i] = fake_frame();
        fake_frame_set(frames[i], i > 0 ? frames[i - 1] : NULL, code, i);
    }
    fake_python_run(frames[4]);
    assert_string_equal(seen(), "r:1 r:2 r:3 r:4 r:5");
    fake_frame_step(frames[0], code, 9);
    assert_string_equal(seen(), "r:10 r:2 r:3 r:4 r:5");
    fake_frame_step(frames[2], code, 8);
    fake_frame_step(frames[4], code, 7);
    assert_string_equal(seen(), "r:10 r:2 r:9 r:4 r:8");
    fake_frame_step(frames[3], code, 6);
    fake_python_run(frames[3]);
    assert_string_equal(seen(), "r:10 r:2 r:9 r:7");
}

/* The memory of a frame that returned belongs to the next call: of the same code, of another, from
 * another caller. */
static void frames_memory_is_used_again(void) {
    char *main_code = fake_code("a.py", "main", 1), *f = fake_code("a.py", "f", 50), *g = fake_code("a.py", "g", 70);
    char *root = fake_frame(), *one = fake_frame(), *two = fake_frame();
    fake_frame_set(root, NULL, main_code, 0);
    fake_frame_set(one, root, f, 1);
    fake_frame_set(two, one, g, 2);
    fake_python_run(two);
    assert_string_equal(seen(), "main:1 f:51 g:72");
    fake_frame_set(one, root, g, 3); /* returned twice, called g: its frame lies where f's was */
    fake_python_run(one);
    assert_string_equal(seen(), "main:1 g:73");
    fake_frame_set(one, root, f, 4);
    fake_frame_set(two, one, f, 4);
    fake_python_run(two);
    assert_string_equal(seen(), "main:1 f:54 f:54");
    fake_frame_set(two, root, f, 4); /* same leaf memory, same place, another caller */
    fake_python_run(two);
    assert_string_equal(seen(), "main:1 f:54");
    fake_frame_set(one, two, g, 0); /* the order in memory is reversed */
    fake_python_run(one);
    assert_string_equal(seen(), "main:1 f:54 g:70");
    fake_frame_set(root, NULL, g, 0);
    fake_python_run(root);
    assert_string_equal(seen(), "g:70");
}

/* A generator's frame is linked to whoever resumes it. */
static void a_generator_is_resumed_by_others(void) {
    char *main_code = fake_code("a.py", "main", 1), *gen = fake_code("a.py", "gen", 20);
    char *root = fake_frame(), *helper = fake_frame(), *generator = fake_frame();
    fake_frame_set(root, NULL, main_code, 0);
    fake_frame_set(generator, root, gen, 0);
    fake_python_run(generator);
    assert_string_equal(seen(), "main:1 gen:20");
    fake_frame_set(helper, root, main_code, 5);
    fake_frame_set(generator, helper, gen, 1);
    fake_python_run(generator);
    assert_string_equal(seen(), "main:1 main:6 gen:21");
    fake_frame_set(generator, root, gen, 1);
    fake_python_run(generator);
    assert_string_equal(seen(), "main:1 gen:21");
}

static void recursion_is_a_path_of_its_own_length(void) {
    enum { DEPTH = 3000 };
    char *code = fake_code("a.py", "rec", 1), *frames[DEPTH];
    uint32_t node = 0;
    for (int i = 0; i < DEPTH; i++) {
        frames[i] = fake_frame();
        fake_frame_set(frames[i], i > 0 ? frames[i - 1] : NULL, code, 3);
        fake_python_run(frames[i]);
        uint32_t leaf = vbt_python_leaf(&thread->stack)->node;
        assert_int_equal(vbt_node_at(leaf)->parent, node);
        node = leaf;
    }
    for (int i = DEPTH - 1; i > 0; i -= 7) { /* and back */
        fake_python_run(frames[i]);
        node = vbt_python_leaf(&thread->stack)->node;
        uint32_t depth = 0;
        for (uint32_t at = node; at != 0; at = vbt_node_at(at)->parent)
            depth++;
        assert_int_equal(depth, i + 1);
    }
    assert_int_equal(thread->stack.truncated, 0);
}

/* The code object's block is reused by another: nothing cached by its address is valid any more,
 * also after so many times that the marks of steps have been used up. */
static void code_dies_and_its_address_is_used_again(void) {
    char *main_code = fake_code("a.py", "main", 1), *code = fake_code("<string>", "first", 1);
    char *root = fake_frame(), *leaf = fake_frame();
    for (int i = 0; i < 150; i++) {
        char name[16];
        snprintf(name, sizeof name, "exec%d", i);
        fake_code_reborn(code, "<string>", name, 100 * i);
        fake_frame_set(root, NULL, main_code, 0);
        fake_frame_set(leaf, root, code, 2);
        fake_python_run(leaf);
        char expected[64];
        snprintf(expected, sizeof expected, "main:1 %s:%d", name, 100 * i + 2);
        assert_string_equal(seen(), expected);
        if (i % 3 == 0) {
            fake_python_run(root);
            assert_string_equal(seen(), "main:1");
        }
    }
}

/* The interpreter's own frames are omitted: the evaluation loop's, and the shim that calls
 * __init__. */
static void frames_that_are_not_python_code_are_left_out(void) {
    char *main_code = fake_code("a.py", "main", 1), *init = fake_code("a.py", "C.__init__", 30);
    char *shim_code = fake_code("__init__", "__init__", 0);
    char *root = fake_frame(), *shim = fake_frame(), *leaf = fake_frame(), *entry = fake_frame(), *outer = fake_frame();
    bool has_entries = vbt_python.abi.entry_owner != 0;
    if (has_entries)
        fake_frame_set_entry(outer, NULL);
    fake_frame_set(root, has_entries ? outer : NULL, main_code, 1);
    fake_python_run(root);
    assert_string_equal(seen(), "main:2");
    fake_frame_set(shim, root, shim_code, 0);
    fake_frame_set(leaf, shim, init, 1);
    fake_python_run(leaf);
    assert_string_equal(seen(), "main:2 C.__init__:31");
    fake_python_run(shim); /* __init__ has returned */
    assert_string_equal(seen(), "main:2");
    if (!has_entries)
        return;
    fake_frame_set_entry(entry, root);
    fake_frame_set(leaf, entry, init, 2);
    fake_python_run(leaf);
    assert_string_equal(seen(), "main:2 C.__init__:32");
    fake_python_run(entry);
    assert_string_equal(seen(), "main:2");
    fake_frame_step(root, main_code, 5);
    assert_string_equal(seen(), "main:6");
}

static void a_stack_that_is_too_deep_tells_its_leaf(void) {
    enum { DEEP = VBT_STACK_FRAMES + 100 };
    static char *frames[DEEP];
    char *code = fake_code("a.py", "deep", 1), *leaf_code = fake_code("a.py", "leaf", 500);
    for (int i = 0; i < DEEP; i++) {
        frames[i] = fake_frame();
        fake_frame_set(frames[i], i > 0 ? frames[i - 1] : NULL, i < DEEP - 1 ? code : leaf_code, 0);
    }
    fake_python_run(frames[DEEP - 1]);
    assert_string_equal(seen(), "leaf:500");
    fake_frame_step(frames[DEEP - 1], leaf_code, 4);
    assert_string_equal(seen(), "leaf:504");
    assert_int_equal(thread->stack.truncated, 2);
    fake_python_run(frames[2]);
    assert_string_equal(seen(), "deep:1 deep:1 deep:1");
    fake_python_run(frames[VBT_STACK_FRAMES - 10]); /* nearly as deep as is kept */
    assert_int_not_equal(vbt_python_leaf(&thread->stack)->node, 0);
    assert_int_equal(thread->stack.truncated, 2);
    fake_python_run(frames[DEEP - 1]);
    assert_string_equal(seen(), "leaf:504");
    assert_int_equal(thread->stack.truncated, 3);
}

/* A chunk of the data stack; its first frame. */
static char *chunk_frame(void) {
    enum { SIZE = 16384, CHUNK_SIZE = 8, CHUNK_FRAMES = 24 };
    char *chunk = vbt_map(SIZE);
    size_t size = SIZE;
    memcpy(chunk + CHUNK_SIZE, &size, sizeof size);
    struct vbt_place place = vbt_place_of(&thread->ledger, vbt_tree.lost_nodes[VBT_DOMAIN_MAP]);
    vbt_maps_add(&thread->ledger, place, VBT_MAP_ANONYMOUS, (uintptr_t)chunk, (uintptr_t)chunk + SIZE);
    return chunk + CHUNK_FRAMES;
}

/* What a frame of a deep stack executes cannot change while a frame that it has called is there. To
 * see what is concluded from that, the outermost is changed nevertheless. */
static void outer_frames_stay_while_a_chunk_is_mapped(void) {
    enum { OUTER = 70, FIRST_BASE = OUTER, SECOND_BASE = OUTER + 2, DEPTH = OUTER + 4 };
    static const uint32_t settled[] = {
        [VBT_DATA_STACK_NONE] = 0, [VBT_DATA_STACK_UNMAPPED] = SECOND_BASE, [VBT_DATA_STACK_ONE_SPARED] = FIRST_BASE};
    enum vbt_data_stack kind = vbt_python.known->data_stack;
    char *code = fake_code("a.py", "f", 1), *frames[DEPTH], expected[1024] = "";
    for (int i = 0; i < DEPTH; i++) {
        frames[i] = i == FIRST_BASE || i == SECOND_BASE ? chunk_frame() : fake_frame();
        fake_frame_set(frames[i], i > 0 ? frames[i - 1] : NULL, code, 0);
        fake_python_run(frames[i]);
        strcat(expected, i > 0 ? " f:1" : "f:1");
        if (i >= OUTER)
            assert_string_equal(seen(), expected);
    }
    assert_int_equal(thread->stack.settled, settled[kind]);
    fake_frame_step(frames[SECOND_BASE], code, 1); /* it executes on: it need not return for that */
    fake_frame_step(frames[SECOND_BASE], code, 0);
    fake_frame_step(frames[0], code, 6);
    if (kind != VBT_DATA_STACK_NONE) {
        assert_string_equal(seen(), expected);
        fake_frame_step(frames[DEPTH - 1], code, 2); /* no step that is known */
        expected[strlen(expected) - 1] = '3';
        assert_string_equal(seen(), expected);
        vbt_python_unmaps(); /* some memory */
    } else {
        fake_frame_step(frames[DEPTH - 1], code, 2);
        expected[strlen(expected) - 1] = '3';
    }
    expected[2] = '7';
    assert_string_equal(seen(), expected);
    assert_int_equal(thread->stack.settled, settled[kind]); /* the chain has been compared whole */
    vbt_python_unmaps();                                    /* the second chunk: all in it has returned */
    fake_python_run(frames[FIRST_BASE]);
    expected[4 * (FIRST_BASE + 1) - 1] = '\0';
    assert_string_equal(seen(), expected);
    assert_int_equal(thread->stack.settled, kind == VBT_DATA_STACK_UNMAPPED ? FIRST_BASE : 0);
    fake_python_run(frames[5]);
    assert_string_equal(seen(), "f:7 f:1 f:1 f:1 f:1 f:1");
    assert_int_equal(thread->stack.settled, 0);
}

static void a_thread_state_that_is_freed_is_not_read_again(void) {
    char *code = fake_code("a.py", "main", 1), *frame = fake_frame();
    fake_frame_set(frame, NULL, code, 0);
    fake_python_run(frame);
    assert_string_equal(seen(), "main:1");
    fake_state_replace();
    fake_frame_step(frame, code, 1);
    assert_string_equal(seen(), "main:2");
}

static void an_override_stands_for_every_stack(void) {
    char *code = fake_code("a.py", "main", 1), *frame = fake_frame();
    fake_frame_set(frame, NULL, code, 0);
    fake_python_run(frame);
    assert_string_equal(seen(), "main:1");
    uint32_t node = world_node(0, "instead", VBT_DOMAIN_PYTHON);
    vbt_python_override(&thread->stack, node);
    assert_int_equal(vbt_python_leaf(&thread->stack)->node, node);
    fake_frame_step(frame, code, 1);
    assert_int_equal(vbt_python_leaf(&thread->stack)->node, node);
    vbt_python_override(&thread->stack, 0);
    assert_string_equal(seen(), "main:2");
}

/* Frames that are not where the version keeps them: reported once, and never read again. */
static void wrong_offsets_are_noticed_at_the_first_frame(void) {
    char *code = fake_code("a.py", "main", 1), *frame = fake_frame();
    fake_frame_set(frame, NULL, code, 0);
    fake_python_run(frame);
    vbt_python.code_type = &thread; /* it is no code object */
    assert_string_equal(seen(), "");
    assert_non_null(vbt_python.trouble);
    assert_false(vbt_python_stack_in_use());
    fake_python_run((const char *)8); /* not an address */
    assert_string_equal(seen(), "");
}

static void a_frame_that_cannot_be_read_is_noticed(void) {
    fake_python_run((const char *)0x10);
    assert_string_equal(seen(), "");
    assert_non_null(vbt_python.trouble);
}

/* A program of random calls, returns, lines and freed code, with frames that reuse memory as the
 * interpreter's do. */
static void random_programs(void) {
    enum { CODES = 12, DEPTH = 40, STEPS = 6000 };
    char *codes[CODES], *frames[DEPTH];
    int lines[CODES], on[DEPTH] = {0}, instruction[DEPTH] = {0}, depth = 0;
    char names[CODES][16];
    uint64_t seed = 21;
    for (int i = 0; i < CODES; i++) {
        snprintf(names[i], sizeof names[i], "f%d", i);
        codes[i] = fake_code("a.py", names[i], lines[i] = 100 * i + 1);
    }
    for (int i = 0; i < DEPTH; i++)
        frames[i] = fake_frame();
    for (int step = 0; step < STEPS; step++) {
        switch (world_random(&seed) % 8) {
        case 0:
        case 1:
        case 2: /* call */
            if (depth == DEPTH)
                break;
            on[depth] = (int)(world_random(&seed) % CODES);
            instruction[depth] = (int)(world_random(&seed) % 4);
            fake_frame_set(frames[depth], depth > 0 ? frames[depth - 1] : NULL, codes[on[depth]], instruction[depth]);
            depth++;
            break;
        case 3: /* return, or an exception that unwinds several frames */
            depth -= depth > 0 ? 1 + (int)(world_random(&seed) % 8 == 0 ? world_random(&seed) % (unsigned)depth : 0) : 0;
            break;
        case 4: /* a function that is not running is freed and another is compiled into its block */
        {
            int code = (int)(world_random(&seed) % CODES);
            bool runs = false;
            for (int i = 0; i < depth; i++)
                runs |= on[i] == code;
            if (!runs && world_random(&seed) % 4 == 0) {
                snprintf(names[code], sizeof names[code], "g%d", step);
                fake_code_reborn(codes[code], "a.py", names[code], lines[code] = step);
            }
            break;
        }
        default: /* the next line, with an allocation or without */
            if (depth > 0)
                fake_frame_step(frames[depth - 1], codes[on[depth - 1]], instruction[depth - 1] = (int)(world_random(&seed) % 6));
        }
        fake_python_run(depth > 0 ? frames[depth - 1] : NULL);
        if (world_random(&seed) % 3 == 0)
            continue;
        char expected[4096] = "";
        int used = 0;
        for (int i = 0; i < depth; i++)
            used += snprintf(expected + used, sizeof expected - (size_t)used, "%s%s:%d", i > 0 ? " " : "", names[on[i]],
                             lines[on[i]] + instruction[i]);
        assert_string_equal(seen(), expected);
    }
}

#define ON_EVERY_VERSION(name)                                                                                                     \
    static void test_##name(void **state) {                                                                                        \
        (void)state;                                                                                                               \
        on_every_version(name);                                                                                                    \
    }

ON_EVERY_VERSION(calls_returns_and_lines)
ON_EVERY_VERSION(changes_below_an_unchanged_leaf)
ON_EVERY_VERSION(frames_memory_is_used_again)
ON_EVERY_VERSION(a_generator_is_resumed_by_others)
ON_EVERY_VERSION(recursion_is_a_path_of_its_own_length)
ON_EVERY_VERSION(code_dies_and_its_address_is_used_again)
ON_EVERY_VERSION(frames_that_are_not_python_code_are_left_out)
ON_EVERY_VERSION(a_stack_that_is_too_deep_tells_its_leaf)
ON_EVERY_VERSION(outer_frames_stay_while_a_chunk_is_mapped)
ON_EVERY_VERSION(a_thread_state_that_is_freed_is_not_read_again)
ON_EVERY_VERSION(an_override_stands_for_every_stack)
ON_EVERY_VERSION(wrong_offsets_are_noticed_at_the_first_frame)
ON_EVERY_VERSION(a_frame_that_cannot_be_read_is_noticed)
ON_EVERY_VERSION(random_programs)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_returns_and_lines),
        cmocka_unit_test(test_changes_below_an_unchanged_leaf),
        cmocka_unit_test(test_frames_memory_is_used_again),
        cmocka_unit_test(test_a_generator_is_resumed_by_others),
        cmocka_unit_test(test_recursion_is_a_path_of_its_own_length),
        cmocka_unit_test(test_code_dies_and_its_address_is_used_again),
        cmocka_unit_test(test_frames_that_are_not_python_code_are_left_out),
        cmocka_unit_test(test_a_stack_that_is_too_deep_tells_its_leaf),
        cmocka_unit_test(test_outer_frames_stay_while_a_chunk_is_mapped),
        cmocka_unit_test(test_a_thread_state_that_is_freed_is_not_read_again),
        cmocka_unit_test(test_an_override_stands_for_every_stack),
        cmocka_unit_test(test_wrong_offsets_are_noticed_at_the_first_frame),
        cmocka_unit_test(test_a_frame_that_cannot_be_read_is_noticed),
        cmocka_unit_test(test_random_programs),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
