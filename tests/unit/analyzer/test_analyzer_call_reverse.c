/* Stacks read from the innermost frame outwards, against a count of every stack for every call; and
 * in time, where each of many stacks is deep. */
#include "analyzer/analysis/calls/call_reverse.h"
#include "tests/unit/support/loaded_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { NODES = 300, SITES = 3 };

static uint64_t seed;

static uint32_t random_below(uint32_t bound) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % bound;
}

/* A trace of stacks that repeat themselves, as few functions call each other at random. */
static void random_trace(struct loaded_trace *l) {
    static struct tb_counters counters[NODES];
    static bool used[NODES + 1][SITES];
    uint32_t sites[SITES];
    size_t count = 0;
    memset(used, 0, sizeof used);
    tb_begin(&l->b);
    for (uint32_t i = 0; i < SITES; i++)
        sites[i] = tb_site(&l->b, VBT_SITE_PYTHON, tb_code(&l->b, "a.py", (const char *[]){"f", "g", "h"}[i], i + 1, 1), i + 1);
    for (uint32_t node = 1; node <= NODES;) {
        uint32_t parent = random_below(4) == 0 ? random_below(node) : node - 1, site = random_below(8) % SITES;
        if (used[parent][site])
            continue;
        used[parent][site] = true;
        tb_node(&l->b, parent, sites[site], (enum vbt_domain)random_below(2));
        if (random_below(3) > 0)
            counters[count++] = (struct tb_counters){.node = node, .allocs = 1 + random_below(3), .allocated = random_below(100)};
        node++;
    }
    tb_counters(&l->b, counters, count);
    loaded_trace_load(l, (struct vbt_query){0}, false);
}

/* Does the stack that ends at a call of the forward tree begin with the frames of one of the
 * reversed tree, outwards, in the same group? */
static bool begins_with(const struct vbt_call_tree *forward, uint32_t end, const struct vbt_call_tree *reversed, uint32_t call) {
    static uint32_t frames[NODES + 2];
    size_t count = 0;
    for (; call != 0; call = reversed->calls[call].parent)
        frames[count++] = call;
    uint32_t group = end;
    while (group != 0 && !forward->calls[group].group)
        group = forward->calls[group].parent;
    if (count > 0 && reversed->calls[frames[count - 1]].group &&
        reversed->calls[frames[--count]].place != forward->calls[group].place)
        return false;
    for (; count > 0 && end != group && reversed->calls[frames[count - 1]].place == forward->calls[end].place; count--)
        end = forward->calls[end].parent;
    return count == 0;
}

static void check(const struct vbt_call_tree *forward, struct vbt_call_tree *reversed, int64_t least) {
    const int64_t *bytes = vbt_call_tree_sum(reversed, VBT_MEASURE_BYTES),
                  *allocs = vbt_call_tree_sum(reversed, VBT_MEASURE_ALLOCS);
    int64_t *below = calloc(reversed->count, sizeof *below);
    for (uint32_t i = (uint32_t)reversed->count; i-- > 0;) {
        int64_t expected_bytes = 0, expected_allocs = 0;
        for (uint32_t k = 0; k < forward->count; k++)
            if (begins_with(forward, k, reversed, i)) {
                expected_bytes += vbt_call_self(forward, k).of[VBT_MEASURE_BYTES];
                expected_allocs += vbt_call_self(forward, k).of[VBT_MEASURE_ALLOCS];
            }
        assert_int_equal(bytes[i], expected_bytes);
        assert_int_equal(allocs[i], expected_allocs);
        if (bytes[i] >= least || i == 0) /* nothing is missing below it */
            assert_int_equal(allocs[i], vbt_call_self(reversed, i).of[VBT_MEASURE_ALLOCS] + below[i]);
        else
            assert_int_equal(below[i], 0);
        if (i == 0)
            break;
        const struct vbt_call *call = &reversed->calls[i];
        assert_true(call->parent < i && call->depth == reversed->calls[call->parent].depth + 1);
        assert_true(call->depth >= reversed->calls[i - 1].depth);
        below[call->parent] += allocs[i];
    }
    free(below);
}

static void sums_are_those_of_the_stacks(void **state) {
    (void)state;
    for (uint64_t round = 0; round < 24; round++) {
        struct loaded_trace l;
        struct vbt_call_tree forward, reversed;
        const struct vbt_call_tree_shape shape = {.unit = VBT_CALL_LINE, .by = round % 3 == 0 ? VBT_BY_DOMAIN : VBT_BY_NOTHING};
        int64_t least = (const int64_t[]){INT64_MIN, 1, 200, 3000}[round % 4];
        seed = round;
        random_trace(&l);
        loaded_trace_tree(&l, &forward, shape);
        loaded_trace_tree(&l, &reversed, shape);
        vbt_call_tree_reverse(&reversed, VBT_MEASURE_BYTES, least);
        check(&forward, &reversed, least);
        vbt_call_tree_free(&forward);
        vbt_call_tree_free(&reversed);
        loaded_trace_free(&l);
    }
}

/* Less than any measure of it: nothing but the root is left, and that holds everything. */
static void nothing_is_enough(void **state) {
    (void)state;
    struct loaded_trace l;
    struct vbt_call_tree tree;
    random_trace(&l);
    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_LINE});
    int64_t bytes = tree.totals[VBT_MEASURE_BYTES];
    vbt_call_tree_reverse(&tree, VBT_MEASURE_BYTES, bytes + 1);
    assert_int_equal(tree.count, 1);
    assert_int_equal(vbt_call_tree_sum(&tree, VBT_MEASURE_BYTES)[0], bytes);
    vbt_call_tree_free(&tree);
    loaded_trace_free(&l);
}

/* A function that calls itself 150,000 times and allocates in each call: 11 thousand million frames
 * in all stacks, of which the tree has as many calls as the deepest has frames. */
static void recursion_is_read_once(void **state) {
    (void)state;
    enum { DEEP = 150000, COUNTED = DEEP / 10 };
    struct loaded_trace l;
    struct vbt_call_tree tree;
    static struct tb_counters counters[COUNTED];
    tb_begin(&l.b);
    uint32_t site = tb_site(&l.b, VBT_SITE_PYTHON, tb_code(&l.b, "a.py", "f", 1, 1), 2);
    tb_open(&l.b);
    vbt_put_varint(&l.b.w, 1);
    vbt_put_varint(&l.b.w, DEEP);
    for (int i = 0; i < DEEP; i++)
        vbt_put_varint(&l.b.w, 1);
    for (int i = 0; i < DEEP; i++)
        vbt_put_zigzag(&l.b.w, i == 0 ? site : 0);
    for (int i = 0; i < DEEP; i++)
        vbt_put_varint(&l.b.w, VBT_DOMAIN_PYTHON);
    tb_close(&l.b, VBT_CHUNK_NODES);
    for (int part = 0; part < 10; part++) {
        for (uint32_t i = 0; i < COUNTED; i++)
            counters[i] = (struct tb_counters){.node = (uint32_t)part * COUNTED + i + 1, .allocs = 1, .allocated = 2};
        tb_counters(&l.b, counters, COUNTED);
    }
    loaded_trace_load(&l, (struct vbt_query){0}, false);
    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_LINE});
    vbt_call_tree_reverse(&tree, VBT_MEASURE_BYTES, 2);
    assert_int_equal(tree.count, 1 + DEEP);
    const int64_t *sums = vbt_call_tree_sum(&tree, VBT_MEASURE_BYTES);
    for (uint32_t i = 1; i < tree.count; i++)
        assert_int_equal(sums[i], 2 * (DEEP + 1 - i)); /* as many stacks are as deep */
    vbt_call_tree_free(&tree);
    loaded_trace_free(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_the_stacks),
        cmocka_unit_test(nothing_is_enough),
        cmocka_unit_test(recursion_is_read_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
