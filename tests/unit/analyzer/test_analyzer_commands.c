/* The subcommands from options to output: known answers, and bad usage. */
#include "analyzer/analysis/lines.h"
#include "analyzer/base/allocate.h"
#include "format/count.h"
#include "tests/unit/support/command_runs.h"
#include "tests/unit/support/trace_builder.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void the_json_report_keeps_its_contract(void **state) {
    (void)state;
    struct trace_builder b;
    tb_sample(&b);
    json_t *root = run_json("report", tb_save(&b), NULL);
    const json_t *program = json_object_get(root, "program"), *totals = json_object_get(root, "totals");
    assert_string_equal(json_string_value(json_object_get(program, "command")), "python3 bench.py 'a b'");
    assert_string_equal(json_string_value(json_object_get(program, "started")), "2023-11-14T22:13:20.000000000Z");
    assert_string_equal(json_string_value(json_object_get(program, "python")), "3.11.2");
    assert_int_equal(at(program, "pid"), 4711);
    assert_int_equal(at(program, "duration_ns"), 2000000001);
    assert_int_equal(at(totals, "allocs"), 36);
    assert_int_equal(at(totals, "frees"), 32);
    assert_int_equal(at(totals, "allocated_bytes"), 6598);
    assert_int_equal(at(totals, "freed_bytes"), 5368);
    assert_int_equal(at(totals, "live_blocks"), 4);
    assert_int_equal(at(totals, "live_bytes"), 1230);
    assert_int_equal(at(totals, "peak_bytes"), 2300);
    assert_int_equal(at(totals, "peak_error_bytes"), 0);
    assert_int_equal(at(totals, "temporary_allocs"), 16);
    assert_int_equal(at(totals, "lost_events"), 0);
    assert_int_equal(at(totals, "max_rss_bytes"), 48 << 20);
    const json_t *domains = json_object_get(totals, "domains");
    assert_int_equal(at(json_object_get(domains, "heap"), "peak_bytes") + at(json_object_get(domains, "python"), "peak_bytes"),
                     2300);
    assert_int_equal(at(json_object_get(domains, "map"), "allocs"), 0);
    assert_true(json_is_true(json_object_get(root, "complete")));
    assert_true(json_is_true(json_object_get(json_object_get(root, "conservation"), "holds")));
    assert_int_equal(at(json_object_get(root, "stacks"), "captured"), 36);
    json_decref(root);
    tb_free(&b);
}

static void the_lines_of_a_json_report_add_up_to_its_totals(void **state) {
    (void)state;
    struct trace_builder b;
    tb_sample(&b);
    json_t *root = run_json("report", tb_save(&b), NULL);
    const json_t *totals = json_object_get(root, "totals");
    static const char *const fields[] = {"allocs",      "frees",      "allocated_bytes", "freed_bytes",
                                         "live_blocks", "live_bytes", "temporary_allocs"};
    static const char *const lists[] = {"lines", "user_lines"};
    for (size_t list = 0; list < 2; list++)
        for (size_t i = 0; i < VBT_COUNT(fields); i++) {
            json_int_t sum = 0;
            size_t index;
            json_t *row;
            json_array_foreach(json_object_get(root, lists[list]), index, row) sum += at(row, fields[i]);
            assert_int_equal(sum, at(totals, fields[i]));
        }
    const json_t *line = json_array_get(json_object_get(root, "lines"), 0);
    assert_string_equal(json_string_value(json_object_get(line, "function")), "ones");
    assert_int_equal(at(line, "line"), 200);
    assert_int_equal(at(line, "at_peak_bytes"), 2016);
    json_decref(root);
    tb_free(&b);
}

static void intervals_of_a_json_report_are_divided_by_their_iterations(void **state) {
    (void)state;
    struct trace_builder b;
    tb_sample(&b);
    json_t *root = run_json("report", tb_save(&b), NULL);
    const json_t *section = json_array_get(json_object_get(root, "intervals"), 1);
    assert_string_equal(json_string_value(json_object_get(section, "label")), "loop 10");
    assert_int_equal(at(section, "iterations"), 20);
    const json_t *each = json_object_get(section, "per_iteration");
    assert_float_equal((float)json_real_value(json_object_get(each, "allocs")), 2.05f, 0);
    assert_float_equal((float)json_real_value(json_object_get(each, "allocated_bytes")), 49.2f, 0);
    assert_int_equal(json_array_size(json_object_get(section, "sites")), 2);
    const json_t *clock = json_array_get(json_object_get(root, "intervals"), 0);
    assert_true(json_is_null(json_object_get(clock, "label")));
    assert_float_equal((float)json_real_value(json_object_get(json_object_get(clock, "time_ns"), "std")), 1000.0f, 0);
    assert_true(json_is_null(json_object_get(json_object_get(clock, "per_iteration"), "allocs")));
    assert_int_equal(at(json_object_get(clock, "allocs"), "max"), 4);
    json_decref(root);

    root = run_json("intervals", tb_save(&b), "--per=5"); /* sections first */
    clock = json_array_get(json_object_get(root, "intervals"), 1);
    each = json_object_get(clock, "per_iteration");
    assert_float_equal((float)json_real_value(json_object_get(each, "allocs")), 0.5f, 0);
    json_decref(root);
    tb_free(&b);
}

static void the_text_report_says_what_matters(void **state) {
    (void)state;
    struct trace_builder b;
    tb_sample(&b);
    setenv("COLUMNS", "150", 1);
    assert_int_equal(run_command("report", tb_save(&b), NULL), 0);
    const char *text = output_text();
    has(text, "python3 bench.py 'a b'\nPython 3.11.2 · pid 4711 on fjord");
    has(text, "complete, ended by exit");
    has(text, "Allocated        6.4 KiB in 36 allocations, 16 temporary\n     5.6 KiB   87.0%  work (bench.py:3)\n");
    has(text, "       400 B    6.1%  (outside user code)  most of it: libother.so+0x1f\n");
    has(text, "Peak heap        2.2 KiB before 1.00 s\n     2.0 KiB   88.7%  work (bench.py:3)\n");
    has(text, "Left at the end  1.2 KiB in 4 blocks\n      1000 B   81.3%  work (bench.py:3)\n");
    has(text, " Line  Allocs     Bytes   At peak      Left  Temp  Line contents\n--");
    has(text, "\n/proj/bench.py\n    3      20   5.6 KiB   2.0 KiB    1000 B     9  in work\n");
    has(text, "           36   6.4 KiB   2.2 KiB   1.2 KiB    16  total\n");
    has(text, "2.050");
    has(text, "bench.py:3 → bench.py:4");
    has(text, "free lists");
    has(text, "A note of the trace.");
    has(text, "vbtrace report --by leaf ");
    assert_string_equal(message, "");
    for (unsigned width = 40; width <= 160; width += 7) { /* tables fit the width, down to their minimum */
        char columns[8];
        snprintf(columns, sizeof columns, "%u", width);
        setenv("COLUMNS", columns, 1);
        assert_int_equal(run_command("report", "--filter", "bench", tb_save(&b), NULL), 0);
    }
    unsetenv("COLUMNS");
    tb_free(&b);
}

/* Whatever the width: what one sorts by is why one looks. */
static void the_column_that_one_sorts_by_is_never_omitted(void **state) {
    (void)state;
    static const char *const titles[] = {"Bytes", "Allocs", "Frees", "Freed", "Left", "At peak", "Temp", "Mem usage"}; /* by key */
    struct trace_builder b;
    tb_sample(&b);
    setenv("COLUMNS", "40", 1);
    for (int view = 0; view < 2; view++)
        for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
            char *option = vbt_text("--sort=%s", vbt_line_keys[i]);
            assert_int_equal(run_command(view == 0 ? "report" : "lines", option, tb_save(&b), NULL), 0);
            const char *table = view == 0 ? strstr(output_text(), "Hottest lines") : output_text();
            const char *end = strstr(table, "\n---"), *title = strstr(table, titles[i]);
            assert_true(end != NULL && title != NULL && title < end);
            free(option);
        }
    unsetenv("COLUMNS");
    tb_free(&b);
}

static void every_table_has_three_formats(void **state) {
    (void)state;
    static const char *const csv_titles[COMMANDS] = {"file,line,function,source,allocs,",
                                                     "file,line,function,source,allocs,",
                                                     "file,line,function,allocs,",
                                                     "kind,label,from_file,",
                                                     "time_ns,rss_bytes,heap_bytes,python_bytes\n500000000,20971520,",
                                                     "subject,key,value\n",
                                                     "id,parent,depth,kind,function,file,line,module,allocs,",
                                                     "stack,group,stacks,allocs,allocated_bytes,",
                                                     "stack,group,stacks,allocs,allocated_bytes,",
                                                     "stack,group,stacks,allocs,allocated_bytes,"};
    struct trace_builder b;
    tb_sample(&b);
    for (int i = 0; i < COMMANDS; i++) {
        json_decref(run_json(commands[i], tb_save(&b), NULL));
        assert_int_equal(run_command(commands[i], "--format=csv", tb_save(&b), NULL), 0);
        assert_int_equal(strncmp(output_text(), csv_titles[i], strlen(csv_titles[i])), 0);
        assert_int_equal(run_command(commands[i], "--format", "text", tb_save(&b), NULL), 0);
        assert_true(strlen(output_text()) > 100);
    }
    tb_free(&b);
}

static void histograms_are_in_the_json_of_lines(void **state) {
    (void)state;
    struct trace_builder b;
    tb_sample(&b);
    json_t *root = run_json("lines", tb_save(&b), "--by=leaf");
    const json_t *line = json_array_get(json_object_get(root, "lines"), 0);
    char *sizes = json_dumps(json_object_get(line, "sizes"), JSON_COMPACT);
    assert_string_equal(sizes, "[[32,3],[128,2],[512,5]]");
    assert_int_equal(at(line, "min_bytes"), 50);
    assert_int_equal(at(line, "max_bytes"), 1000);
    assert_int_equal(at(line, "max_rss_bytes"), 40 << 20);
    free(sizes);
    json_decref(root);
    tb_free(&b);
}

static void bad_usage_is_one_line_and_status_2(void **state) {
    (void)state;
    struct trace_builder b;
    tb_sample(&b);
    const char *trace = tb_save(&b);
    static const struct {
        const char *arguments[3];
        const char *says;
    } cases[] = {
        {{"--colour", NULL}, "unknown option --colour"},
        {{"-x", NULL}, "unknown option -x"},
        {{"--format", "xml"}, "--format xml: expected text, json or csv"},
        {{"--format", NULL}, "--format"},
        {{"--sort", "size"}, "expected one of bytes, allocs"},
        {{"--limit", "-1"}, "--limit -1"},
        {{"--limit", "9x"}, "--limit 9x"},
        {{"--limit", "99999999999999999999"}, "--limit 999"},
        {{"--per", "0"}, "--per 0"},
        {{"--by", "moon"}, "expected user or leaf"},
        {{"--sites", NULL}, "does not take --sites"},
        {{"a.vbt", "b.vbt"}, "a.vbt: cannot be opened"},
        {{NULL}, "expected a trace"},
    };
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        assert_int_equal(run_arguments("report", cases[i].arguments), 2);
        has(message, cases[i].says);
        assert_ptr_equal(strchr(message, '\n'), message + strlen(message) - 1);
        assert_int_equal(strncmp(message, "vbtrace: ", 9), 0);
    }
    static const struct {
        const char *arguments[3];
        const char *says;
    } of_graphs[] = {
        {{"--measure", "size"}, "--measure size: expected one of bytes, allocs, peak, leaks, temporary or grown"},
        {{"--format", "json"}, "--format json: expected svg or collapsed"},
        {{"--min", "5 %"}, "--min 5 %: expected a share"},
        {{"--min", "-1"}, "--min -1: expected a share"},
        {{"--by", "moon"}, "--by moon: expected one of module, thread, domain, process, program, rank or host"},
        {{"--frames", "file"}, "--frames file: expected line or function"},
        {{"--filter", "function=("}, "--filter function=(: not a regular expression: Unmatched ( or \\("},
        {{"--filter", "func=x"}, "--filter func=x: expected function=, file=, module=, domain=, process="},
        {{"--limit", "3"}, "flamegraph does not take --limit"},
    };
    for (size_t i = 0; i < VBT_COUNT(of_graphs); i++) {
        assert_int_equal(run_arguments("flamegraph", of_graphs[i].arguments), 2);
        has(message, of_graphs[i].says);
        assert_ptr_equal(strchr(message, '\n'), message + strlen(message) - 1);
    }
    assert_int_equal(run_command("functions", "--by", "domain", trace, NULL), 2);
    has(message, "--by domain: expected one of module");
    assert_int_equal(run_command("timeline", "--sort", "bytes", trace, NULL), 2);
    has(message, "timeline does not take --sort");
    assert_int_equal(run_command("report", "/nonexistent.vbt", NULL), 2);
    has(message, "vbtrace: /nonexistent.vbt: cannot be opened: No such file or directory\n");
    assert_int_equal(run_command("report", "--output", "/nonexistent/report", trace, NULL), 2);
    has(message, "/nonexistent/report: cannot be written: No such file");
    assert_int_equal(run_command("report", "--output", "/dev/full", trace, NULL), 2);
    has(message, "/dev/full: cannot be written: No space left on device\n");
    tb_free(&b);
}

int main(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_json_report_keeps_its_contract),
        cmocka_unit_test(the_lines_of_a_json_report_add_up_to_its_totals),
        cmocka_unit_test(intervals_of_a_json_report_are_divided_by_their_iterations),
        cmocka_unit_test(the_text_report_says_what_matters),
        cmocka_unit_test(the_column_that_one_sorts_by_is_never_omitted),
        cmocka_unit_test(every_table_has_three_formats),
        cmocka_unit_test(histograms_are_in_the_json_of_lines),
        cmocka_unit_test(bad_usage_is_one_line_and_status_2),
    };
    return cmocka_run_group_tests(tests, make_output, remove_output);
}
