/* Intervals between the same lines are merged into one, with the statistics of all repetitions. */
#include "analyzer/trace/load.h"
#include "analyzer/analysis/attribute.h"
#include "analyzer/analysis/intervals.h"
#include "tests/unit/support/trace_builder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* Times 1, 2, 3 and 10, 20 between the same lines of a function that was compiled twice; a section;
 * and an interval elsewhere. */
static void build(struct trace_builder *b) {
    uint32_t sites[4];
    tb_begin(b);
    for (int i = 0; i < 2; i++) {
        uint32_t code = tb_code(b, "a.py", "f", 1, VBT_CODE_USER);
        sites[2 * i] = tb_site(b, VBT_SITE_PYTHON, code, 2);
        sites[2 * i + 1] = tb_site(b, VBT_SITE_PYTHON, code, 5);
    }
    uint32_t node_1 = tb_node(b, 0, sites[0], VBT_DOMAIN_PYTHON), node_2 = tb_node(b, 0, sites[2], VBT_DOMAIN_PYTHON);
    uint32_t node_3 = tb_node(b, 0, sites[1], VBT_DOMAIN_PYTHON);
    const struct tb_interval rows[] = {
        {.id = 4, .from = sites[2], .to = sites[3], .count = 2, .m2 = 50, .of = {{10, 20, 30}, {7, 9, 16}}},
        {.id = 2, .from = sites[0], .to = sites[1], .count = 3, .m2 = 2, .of = {{1, 3, 6}, {5, 8, 20}}},
        {.id = 3, .from = sites[1], .to = sites[0], .count = 1, .of = {{1000, 1000, 1000}}},
        {.id = 9, .kind = VBT_INTERVAL_SECTION, .from = sites[0], .to = sites[1], .label = tb_string(b, "part"), .count = 1},
    };
    tb_intervals(b, rows, 4);
    tb_interval_site(b, 2, node_1, 5, 5, 50, 50);
    tb_interval_site(b, 4, node_2, 6, 4, 60, 40);
    tb_interval_site(b, 4, node_3, 20, 0, 20, 0);
    tb_interval_site(b, 77, node_3, 1, 1, 1, 1); /* of an interval that was no longer written */
}

static void the_same_lines_are_one_interval(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    struct vbt_attribution a;
    struct vbt_interval_list g;
    build(&b);
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    assert_null(m.damage);
    vbt_attribute(&a, &m, NULL);
    struct vbt_places *places = vbt_places_new(&m);
    vbt_interval_list_build(&g, &m, places, a.leaf, NULL);

    assert_int_equal(g.count, 3);
    const struct vbt_interval_row *both = &g.rows[0];
    assert_int_equal(both->first_id, 2);
    assert_int_equal(both->count, 5);
    assert_int_equal(both->of[VBT_Q_TIME].min, 1);
    assert_int_equal(both->of[VBT_Q_TIME].max, 20);
    assert_int_equal(both->of[VBT_Q_TIME].total, 36);
    assert_int_equal(both->of[VBT_Q_ALLOCS].total, 36);
    /* mean 7.2, so that M2 is 6.2² + 5.2² + 4.2² + 2.8² + 12.8² = 254.8 */
    assert_true(fabs(both->time_m2 - 254.8) < 1e-9);
    assert_true(fabs(vbt_interval_deviation(both) - sqrt(254.8 / 5)) < 1e-9);
    assert_true(fabs(vbt_interval_mean(both, VBT_Q_TIME) - 7.2) < 1e-12);
    assert_int_equal(both->inside_count, 2);
    assert_int_equal(both->inside[0].place->line, 5);
    assert_int_equal(both->inside[1].allocs, 11);
    assert_int_equal(both->inside[1].freed, 90);
    assert_int_equal(g.rows[2].inside_count, 0);

    assert_true(vbt_interval_iterations(both, 0) == 0);
    assert_true(vbt_interval_iterations(both, 10) == 50);
    vbt_interval_list_sort(&g, "time");
    assert_true(g.rows[0].section);
    assert_int_equal(g.rows[1].of[VBT_Q_TIME].total, 1000);
    struct vbt_filter *filter = vbt_filter_new(&(struct vbt_query){.filters = {"part"}, .filter_count = 1, .filters_rows = true});
    vbt_interval_list_filter(&g, filter);
    vbt_filter_free(filter);
    assert_int_equal(g.count, 1);
    assert_int_equal(g.unended_count, 0);
    assert_null(vbt_unended_note(&g));

    vbt_interval_list_free(&g);
    vbt_places_free(places);
    vbt_attribution_free(&a);
    vbt_model_free(&m);
    tb_free(&b);
}

/* Five sections at one line, two of which never ended once, though each began more often than it
 * ended; the same section began in code that was compiled twice. */
static void sections_that_did_not_end_are_in_no_row(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    struct vbt_attribution a;
    struct vbt_interval_list g;
    tb_begin(&b);
    uint32_t first = tb_site(&b, VBT_SITE_PYTHON, tb_code(&b, "/x/a.py", "f", 1, VBT_CODE_USER), 2);
    uint32_t again = tb_site(&b, VBT_SITE_PYTHON, tb_code(&b, "/x/a.py", "f", 1, VBT_CODE_USER), 2);
    static const char *const labels[] = {"one", "two", "three", "four", "five"};
    struct tb_interval rows[7] = {{.id = 7, .from = first, .to = first, .count = 1}};
    for (uint64_t i = 0; i < 5; i++)
        rows[i + 1] = (struct tb_interval){.id = i + 1,
                                           .kind = VBT_INTERVAL_SECTION,
                                           .from = first,
                                           .to = i > 1 ? first : 0,
                                           .label = tb_string(&b, labels[i]),
                                           .count = i > 1 ? i : 0,
                                           .unended = 1};
    rows[6] = (struct tb_interval){.id = 6, .kind = VBT_INTERVAL_SECTION, .from = again, .label = rows[1].label, .unended = 1999};
    tb_intervals(&b, rows, 7);
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    assert_null(m.damage);
    vbt_attribute(&a, &m, NULL);
    struct vbt_places *places = vbt_places_new(&m);
    vbt_interval_list_build(&g, &m, places, a.leaf, NULL);

    assert_int_equal(g.count, 4); /* three, four, five, and between the readings */
    assert_int_equal(g.unended_count, 5);
    char *note = vbt_unended_note(&g);
    assert_string_equal(note, "5 sections did not end while recording was on, and are not counted: five (a.py:2), four (a.py:2), "
                              "one (a.py:2, 2,000 times), three (a.py:2) and 1 other.");
    free(note);
    struct vbt_filter *filter = vbt_filter_new(&(struct vbt_query){.filters = {"two"}, .filter_count = 1, .filters_rows = true});
    vbt_interval_list_filter(&g, filter);
    vbt_filter_free(filter);
    assert_int_equal(g.count, 0);
    note = vbt_unended_note(&g);
    assert_string_equal(note, "1 section did not end while recording was on, and is not counted: two (a.py:2).");
    free(note);

    vbt_interval_list_free(&g);
    vbt_places_free(places);
    vbt_attribution_free(&a);
    vbt_model_free(&m);
    tb_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_lines_are_one_interval),
        cmocka_unit_test(sections_that_did_not_end_are_in_no_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
