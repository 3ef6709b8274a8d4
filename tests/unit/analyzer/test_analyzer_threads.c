/* What each thread did: known shares of a node, and false chunks. */
#include "format/count.h"
#include "analyzer/trace/load.h"
#include "analyzer/analysis/threads.h"
#include "tests/unit/support/trace_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { TIME = 2000000000, MAIN = 1, ALPHA, LATER, ROWS = LATER, MOST = ROWS + 2 };

/* One THREADS chunk: main, one that ended, and ten later ones. heap: allocations, frees, allocated
 * bytes, freed bytes and temporary allocations of each, in the heap domain. */
static void put_threads(struct trace_builder *b, const uint64_t heap[ROWS][5]) {
    static const struct {
        uint64_t tid, begun, ended, threads;
        const char *name;
    } rows[ROWS] = {{4711, 0, 0, 1, "prog"}, {4712, 5, 9, 1, "alpha"}, {4713, 7, 0, 10, ""}};
    tb_open(b);
    vbt_put_varint(&b->w, ROWS);
    for (int i = 0; i < ROWS; i++) {
        vbt_put_varint(&b->w, rows[i].tid);
        vbt_put_string(&b->w, rows[i].name, strlen(rows[i].name));
        vbt_put_varint(&b->w, rows[i].begun);
        vbt_put_varint(&b->w, rows[i].ended);
        vbt_put_varint(&b->w, rows[i].threads);
        for (int k = 0; k < 5 * VBT_DOMAINS; k++)
            vbt_put_varint(&b->w, k < 5 ? heap[i][k] : 0);
    }
    tb_close(b, VBT_CHUNK_THREADS);
}

struct part {
    uint32_t thread;
    uint64_t allocs, frees, allocated, freed, temporary;
    int64_t at_peak;
};

/* One THREAD_COUNTERS chunk of one node; the first part's numbers are not written. */
static void put_parts(struct trace_builder *b, uint64_t time, uint32_t node, const struct part *parts, size_t count) {
    struct vbt_writer *w = &b->w;
    tb_open(b);
    vbt_put_varint(w, time);
    vbt_put_varint(w, 1);
    vbt_put_varint(w, node);
    vbt_put_varint(w, count);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, parts[i].thread);
    for (size_t i = 1; i < count; i++)
        vbt_put_varint(w, parts[i].allocs);
    for (size_t i = 1; i < count; i++)
        vbt_put_zigzag(w, (int64_t)(parts[i].frees - parts[i].allocs));
    for (size_t i = 1; i < count; i++)
        vbt_put_varint(w, parts[i].allocated);
    for (size_t i = 1; i < count; i++)
        vbt_put_zigzag(w, (int64_t)(parts[i].freed - parts[i].allocated));
    for (size_t i = 1; i < count; i++)
        vbt_put_zigzag(w, parts[i].at_peak - (int64_t)(parts[i].allocated - parts[i].freed));
    for (size_t i = 1; i < count; i++)
        vbt_put_varint(w, parts[i].temporary);
    tb_close(b, VBT_CHUNK_THREAD_COUNTERS);
}

/* A node with 100 allocations of 10 bytes, 20 blocks live, 300 bytes live at the peak. */
static uint32_t put_node(struct trace_builder *b) {
    uint32_t node = tb_node(b, 0, tb_site(b, VBT_SITE_NATIVE, 0x100 + b->nodes, 1), VBT_DOMAIN_HEAP);
    tb_counters(b,
                &(struct tb_counters){.node = node,
                                      .allocs = 100,
                                      .allocated = 1000,
                                      .temporary = 7,
                                      .smallest = 10,
                                      .largest = 10,
                                      .live_blocks = 20,
                                      .live_bytes = 200,
                                      .at_peak_bytes = 300},
                1);
    return node;
}

static void begin(struct trace_builder *b) {
    static const uint64_t none[ROWS][5];
    tb_begin(b);
    tb_process(b, (const char *const[]){"pid", "4711", NULL});
    put_threads(b, none);
}

static void load(struct trace_builder *b, struct vbt_model *m) {
    assert_null(vbt_model_load(m, tb_save(b), false));
    assert_null(m->damage);
}

/* The share of a thread, all 0 if it has none. Shares always add up to the node. */
static struct vbt_model_counters share_of(const struct vbt_model *m, uint32_t node, uint32_t thread) {
    struct vbt_thread_share shares[MOST];
    struct vbt_model_counters found = {0}, sum = {0};
    const struct vbt_model_counters row = vbt_counters_of(m, node), *all = &row;
    size_t count = vbt_thread_shares(m, node, shares);
    assert_in_range(count, 1, vbt_thread_shares_most(m));
    for (size_t i = 0; i < count; i++) {
        const struct vbt_model_counters *c = &shares[i].counts;
        sum.allocs += c->allocs;
        sum.allocated += c->allocated;
        sum.temporary += c->temporary;
        sum.live_blocks += c->live_blocks;
        sum.live_bytes += c->live_bytes;
        sum.at_peak_bytes += c->at_peak_bytes;
        if (shares[i].thread == thread)
            found = *c;
    }
    assert_int_equal(sum.allocs, all->allocs);
    assert_int_equal(sum.allocated, all->allocated);
    assert_int_equal(sum.temporary, all->temporary);
    assert_int_equal(sum.live_blocks, all->live_blocks);
    assert_int_equal(sum.live_bytes, all->live_bytes);
    assert_int_equal(sum.at_peak_bytes, all->at_peak_bytes);
    return found;
}

static void end(struct trace_builder *b, struct vbt_model *m) {
    vbt_model_free(m);
    tb_free(b);
}

/* No thread freed more than it had: each freed its own. */
static void several_threads_at_a_node(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    begin(&b);
    uint32_t node = put_node(&b);
    put_parts(&b, TIME, node,
              (struct part[]){{.thread = MAIN},
                              {ALPHA, .allocs = 30, .frees = 25, .allocated = 300, .freed = 250, .temporary = 2, .at_peak = 80},
                              {LATER, .allocs = 10, .frees = 0, .allocated = 100, .freed = 0, .at_peak = 100}},
              3);
    load(&b, &m);
    struct vbt_model_counters first = share_of(&m, node, MAIN), alpha = share_of(&m, node, ALPHA),
                              later = share_of(&m, node, LATER);
    assert_int_equal(first.allocs, 60);
    assert_int_equal(first.allocated, 600);
    assert_int_equal(first.live_blocks, 5);
    assert_int_equal(first.at_peak_bytes, 120);
    assert_int_equal(first.temporary, 5);
    assert_int_equal(alpha.live_blocks, 5);
    assert_int_equal(alpha.live_bytes, 50);
    assert_int_equal(alpha.at_peak_bytes, 80);
    assert_int_equal(later.allocs, 10);
    assert_int_equal(later.live_bytes, 100);
    end(&b, &m);
}

/* Alpha freed blocks of main's: the remaining ones are still main's. */
static void what_lives_belongs_to_who_alone_allocated(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    begin(&b);
    uint32_t node = put_node(&b);
    put_parts(&b, TIME, node, (struct part[]){{.thread = MAIN}, {ALPHA, .frees = 80, .freed = 800, .at_peak = -700}}, 2);
    load(&b, &m);
    assert_int_equal(share_of(&m, node, MAIN).live_blocks, 20);
    assert_int_equal(share_of(&m, node, MAIN).live_bytes, 200);
    assert_int_equal(share_of(&m, node, MAIN).at_peak_bytes, 300);
    assert_int_equal(share_of(&m, node, ALPHA).live_bytes, 0);
    end(&b, &m);
}

/* Two allocated, and one of them freed more than it had: the owners of live blocks are unknown. */
static void live_blocks_may_have_no_known_thread(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    begin(&b);
    uint32_t node = put_node(&b);
    put_parts(&b, TIME, node,
              (struct part[]){{.thread = MAIN}, {ALPHA, .allocs = 10, .frees = 80, .allocated = 100, .freed = 800, .at_peak = 40}},
              2);
    load(&b, &m);
    assert_int_equal(share_of(&m, node, MAIN).allocs, 90);
    assert_int_equal(share_of(&m, node, MAIN).live_bytes, 0);
    assert_int_equal(share_of(&m, node, ALPHA).live_bytes, 0);
    assert_int_equal(share_of(&m, node, 0).live_bytes, 200);
    assert_int_equal(share_of(&m, node, 0).live_blocks, 20);
    assert_int_equal(share_of(&m, node, 0).allocs, 0);
    assert_int_equal(share_of(&m, node, MAIN).at_peak_bytes, 260);
    assert_int_equal(share_of(&m, node, ALPHA).at_peak_bytes, 40);
    end(&b, &m);
}

/* A truncated trace: the node changed after its threads were written, or they never were. */
static void later_counts_are_of_no_known_thread(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    begin(&b);
    uint32_t known = put_node(&b), unknown = put_node(&b);
    put_parts(&b, TIME - 1, known,
              (struct part[]){{.thread = MAIN}, {ALPHA, .allocs = 30, .frees = 30, .allocated = 300, .freed = 300}}, 2);
    load(&b, &m);
    assert_int_equal(share_of(&m, known, MAIN).allocs, 0);
    assert_int_equal(share_of(&m, known, ALPHA).allocs, 30);
    assert_int_equal(share_of(&m, known, 0).allocs, 70);
    assert_int_equal(share_of(&m, unknown, 0).allocs, 100);
    end(&b, &m);
}

/* A later row with more parts, or with fewer, replaces the one before. */
static void newer_rows_replace_older_ones(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    begin(&b);
    uint32_t node = put_node(&b), other = put_node(&b);
    struct part parts[] = {{.thread = MAIN}, {ALPHA, .allocs = 1, .allocated = 10}, {LATER, .allocs = 2, .allocated = 20}};
    put_parts(&b, TIME, node, &parts[1], 1);
    put_parts(&b, TIME, other, parts, 1);
    put_parts(&b, TIME, node, parts, 3);
    load(&b, &m);
    assert_int_equal(share_of(&m, node, MAIN).allocs, 97);
    assert_int_equal(share_of(&m, node, LATER).allocs, 2);
    assert_int_equal(share_of(&m, other, MAIN).allocs, 100);
    vbt_model_free(&m);
    put_parts(&b, TIME, node, &parts[1], 2);
    load(&b, &m);
    assert_int_equal(share_of(&m, node, ALPHA).allocs, 98);
    assert_int_equal(share_of(&m, node, MAIN).allocs, 0);
    assert_int_equal(share_of(&m, other, MAIN).allocs, 100);
    end(&b, &m);
}

/* A share that has not changed since the latest peak was the same then. */
static void a_peak_after_the_row(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    begin(&b);
    uint32_t node = put_node(&b);
    put_parts(&b, TIME, node, (struct part[]){{.thread = MAIN}, {ALPHA, .allocs = 5, .allocated = 50, .at_peak = 1}}, 2);
    tb_state(&b, (const int64_t[][2]){{VBT_STATE_TIME, TIME + 5}, {VBT_STATE_PEAK_TIME, TIME + 5}, {0, 0}});
    load(&b, &m);
    assert_int_equal(share_of(&m, node, ALPHA).at_peak_bytes, 50);
    assert_int_equal(share_of(&m, node, MAIN).at_peak_bytes, 150);
    end(&b, &m);
}

static void check_label(const struct vbt_model *m, uint32_t thread, const char *expected) {
    char *label = vbt_thread_label(m, thread);
    assert_string_equal(label, expected);
    free(label);
}

static void labels(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    begin(&b);
    load(&b, &m);
    check_label(&m, MAIN, "main (thread 1)");
    check_label(&m, ALPHA, "alpha (thread 2)");
    check_label(&m, LATER, "[10 later threads]");
    check_label(&m, 0, "[unknown thread]");
    end(&b, &m);
}

/* Without thread chunks everything is the main thread's, unless there were several threads. */
static void one_thread(void **state) {
    (void)state;
    for (int64_t threads = 1; threads <= 2; threads++) {
        struct trace_builder b;
        struct vbt_model m;
        tb_begin(&b);
        uint32_t node = put_node(&b);
        tb_state(&b, (const int64_t[][2]){{VBT_STATE_TIME, TIME}, {VBT_STATE_THREADS, threads}, {0, 0}});
        load(&b, &m);
        assert_int_equal(share_of(&m, node, MAIN).allocs, threads == 1 ? 100 : 0);
        assert_int_equal(share_of(&m, node, 0).allocs, threads == 1 ? 0 : 100);
        check_label(&m, MAIN, "main (thread 1)");
        end(&b, &m);
    }
}

/* The threads' totals are counted separately: they must equal the sums over the nodes, and add up
 * to the process's. */
static void sums_are_checked(void **state) {
    (void)state;
    static const struct {
        uint64_t alpha_allocs, main_frees, all_allocs;
        const char *difference;
    } cases[] = {
        {30, 55, 100, NULL},
        {31, 55, 101, "allocations of thread 2: 30 over all call paths, 31 in its totals"},
        {30, 56, 100, "frees: 81 over all threads, 80 in the totals"},
        {30, 55, 99, "allocations: 100 over all threads, 99 in the totals"},
    };
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        struct trace_builder b;
        struct vbt_model m;
        begin(&b);
        uint32_t node = put_node(&b);
        put_threads(&b,
                    (const uint64_t[ROWS][5]){{70, cases[i].main_frees, 700, 550, 5}, {cases[i].alpha_allocs, 25, 300, 250, 2}});
        put_parts(
            &b, TIME, node,
            (struct part[]){{.thread = MAIN}, {ALPHA, .allocs = 30, .frees = 25, .allocated = 300, .freed = 250, .temporary = 2}},
            2);
        const uint64_t allocs = VBT_STATE_DOMAIN + VBT_FIELD_ALLOCS;
        tb_state(&b, (const int64_t[][2]){{VBT_STATE_TIME, TIME},
                                          {(int64_t)allocs, (int64_t)cases[i].all_allocs},
                                          {(int64_t)allocs + 1, 80},
                                          {(int64_t)allocs + 2, 1000},
                                          {(int64_t)allocs + 3, 800},
                                          {(int64_t)allocs + 4, 7},
                                          {0, 0}});
        load(&b, &m);
        char *difference = vbt_thread_difference(&m);
        if (cases[i].difference == NULL)
            assert_null(difference);
        else
            assert_string_equal(difference, cases[i].difference);
        free(difference);
        end(&b, &m);
    }
}

static void check_lie(const char *says, enum vbt_chunk_kind kind, const uint64_t *numbers, size_t count) {
    struct trace_builder b;
    struct vbt_model m;
    begin(&b);
    put_node(&b);
    tb_open(&b);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(&b.w, numbers[i]);
    tb_close(&b, kind);
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    assert_non_null(m.damage);
    if (strstr(m.damage, says) == NULL)
        fail_msg("\"%s\" should say \"%s\"", m.damage, says);
    assert_int_equal(m.thread_count, ROWS);
    assert_int_equal(m.part_count, 0);
    end(&b, &m);
}

#define LIE(kind, says, ...)                                                                                                       \
    check_lie(says, kind, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void chunks_that_lie(void **state) {
    (void)state;
    LIE(VBT_CHUNK_THREADS, "room for", UINT64_MAX, 0);
    LIE(VBT_CHUNK_THREADS, "fewer than before", 0);
    LIE(VBT_CHUNK_THREADS, "room for", 3, 1, 0, 0, 0, 1);
    /* time, rows, nodes, parts of each, threads, then six numbers for each part but the first */
    LIE(VBT_CHUNK_THREAD_COUNTERS, "room for", 0, UINT64_MAX, 1, 1, 1);
    LIE(VBT_CHUNK_THREAD_COUNTERS, "not defined", 0, 1, 2, 1, 1);
    LIE(VBT_CHUNK_THREAD_COUNTERS, "out of order", 0, 2, 1, 0, 1, 1, 1, 1);
    LIE(VBT_CHUNK_THREAD_COUNTERS, "no threads, or more", 0, 1, 1, 0, 1);
    LIE(VBT_CHUNK_THREAD_COUNTERS, "no threads, or more", 0, 1, 1, 4, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0);
    LIE(VBT_CHUNK_THREAD_COUNTERS, "no threads, or more", 0, 1, 1, UINT64_MAX, 1);
    LIE(VBT_CHUNK_THREAD_COUNTERS, "thread 4", 0, 1, 1, 2, 1, 4, 0, 0, 0, 0, 0, 0);
    LIE(VBT_CHUNK_THREAD_COUNTERS, "threads of a node are out of order", 0, 1, 1, 2, 2, 1, 0, 0, 0, 0, 0, 0);
    LIE(VBT_CHUNK_THREAD_COUNTERS, "threads of a node are out of order", 0, 1, 1, 1, 0);
    LIE(VBT_CHUNK_THREAD_COUNTERS, "too early", 0, 1, 1, 2, 1, 2, 0, 0, 0, 0, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_threads_at_a_node),
        cmocka_unit_test(what_lives_belongs_to_who_alone_allocated),
        cmocka_unit_test(live_blocks_may_have_no_known_thread),
        cmocka_unit_test(later_counts_are_of_no_known_thread),
        cmocka_unit_test(newer_rows_replace_older_ones),
        cmocka_unit_test(a_peak_after_the_row),
        cmocka_unit_test(labels),
        cmocka_unit_test(one_thread),
        cmocka_unit_test(sums_are_checked),
        cmocka_unit_test(chunks_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
