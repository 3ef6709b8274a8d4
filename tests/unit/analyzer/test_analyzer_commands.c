/* The subcommands from their options to what they write: known answers, bad usage, and traces that were altered at random. */
#include "format/chunk.h"
#include "analyzer/commands/options.h"
#include "tests/unit/support/trace_builder.h"

#include <fcntl.h>
#include <jansson.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>
#include <cmocka.h>

static const struct vbt_command *const commands[] = {
    &vbt_command_report, &vbt_command_lines, &vbt_command_functions, &vbt_command_intervals, &vbt_command_timeline,
    &vbt_command_info,   &vbt_command_tree,  &vbt_command_peak,      &vbt_command_leaks,     &vbt_command_temporary,
};

enum { COMMANDS = sizeof commands / sizeof *commands, ARGUMENTS = 8 };

static char output_path[64];
static char message[4096]; /* what the last command said on stderr */

/* Runs a command with arguments, at most ARGUMENTS, up to the first NULL; its output goes to output_path. */
static int run_arguments(const struct vbt_command *command, const char *const *given) {
    char *arguments[ARGUMENTS + 1] = {(char *)(uintptr_t)command->name};
    int count = 1;
    for (; count < ARGUMENTS && given[count - 1] != NULL; count++)
        arguments[count] = (char *)(uintptr_t)given[count - 1];

    fflush(stderr);
    int saved = dup(STDERR_FILENO), file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    dup2(file, STDERR_FILENO);
    struct vbt_query query;
    int status = vbt_options_parse(command, count, arguments, &query);
    if (status < 0) {
        if (query.output == NULL)
            query.output = output_path;
        status = command->run(&query);
    }
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    ssize_t size = pread(file, message, sizeof message - 1, 0);
    message[size > 0 ? size : 0] = '\0';
    close(saved);
    close(file);
    return status;
}

#define run(command, ...) run_arguments(command, (const char *const[]){__VA_ARGS__})

static json_t *run_json(const struct vbt_command *command, const char *trace, const char *option) {
    assert_int_equal(run(command, "--format", "json", trace, option, NULL), 0);
    json_error_t error;
    json_t *root = json_load_file(output_path, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        fail_msg("%s: line %d: %s", command->name, error.line, error.text);
    return root;
}

/* The text of what the last command wrote; lives until the next call. */
static const char *output_text(void) {
    static char *text;
    free(text);
    FILE *file = fopen(output_path, "r");
    text = calloc(1, 1 << 20);
    size_t size = fread(text, 1, (1 << 20) - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void has(const char *text, const char *part) {
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is missing in:\n%s", part, text);
}

static json_int_t at(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        fail_msg("\"%s\" is no integer", key);
    return json_integer_value(value);
}

static void the_json_report_keeps_its_contract(void **state) {
    (void)state;
    struct trace_builder b;
    tb_sample(&b);
    json_t *root = run_json(&vbt_command_report, tb_save(&b), NULL);
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

    static const char *const fields[] = {"allocs",      "frees",      "allocated_bytes", "freed_bytes",
                                         "live_blocks", "live_bytes", "temporary_allocs"};
    static const char *const lists[] = {"lines", "user_lines"};
    for (size_t list = 0; list < 2; list++)
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
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

    root = run_json(&vbt_command_intervals, tb_save(&b), "--per=5"); /* sections first */
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
    assert_int_equal(run(&vbt_command_report, tb_save(&b), NULL), 0);
    const char *text = output_text();
    has(text, "python3 bench.py 'a b'\nPython 3.11.2 · pid 4711 on fjord");
    has(text, "complete, ended by exit");
    has(text, "Peak heap   2.2 KiB at 1.00 s\n");
    has(text, "0 lost");
    has(text, "Filename: /proj/bench.py\n\nLine #    Mem usage    Increment  Occurrences   Line Contents  ");
    has(text, "     3   40.000 MiB    0.001 MiB                in work                  20   5.6 KiB   4.6 KiB    1000 B   2.0 KiB "
              "    9\n");
    has(text, "(outside user code)");
    has(text, "total                    36   6.4 KiB   5.2 KiB   1.2 KiB   2.2 KiB    16\n");
    has(text, "2.050");
    has(text, "bench.py:3 → bench.py:4");
    has(text, "free lists");
    has(text, "A note of the trace.");
    has(text, "vbtrace report --by leaf ");
    assert_string_equal(message, "");
    for (unsigned width = 40; width <= 160; width += 7) { /* tables keep to the width, down to what they must show */
        char columns[8];
        snprintf(columns, sizeof columns, "%u", width);
        setenv("COLUMNS", columns, 1);
        assert_int_equal(run(&vbt_command_report, "--filter", "bench", tb_save(&b), NULL), 0);
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
        assert_int_equal(run(commands[i], "--format=csv", tb_save(&b), NULL), 0);
        assert_int_equal(strncmp(output_text(), csv_titles[i], strlen(csv_titles[i])), 0);
        assert_int_equal(run(commands[i], "--format", "text", tb_save(&b), NULL), 0);
        assert_true(strlen(output_text()) > 100);
    }
    tb_free(&b);
}

static void histograms_are_in_the_json_of_lines(void **state) {
    (void)state;
    struct trace_builder b;
    tb_sample(&b);
    json_t *root = run_json(&vbt_command_lines, tb_save(&b), "--by=leaf");
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
        {{"a.vbt", "b.vbt"}, "found also"},
        {{NULL}, "expected a trace"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(run_arguments(&vbt_command_report, cases[i].arguments), 2);
        has(message, cases[i].says);
        assert_ptr_equal(strchr(message, '\n'), message + strlen(message) - 1);
        assert_int_equal(strncmp(message, "vbtrace: ", 9), 0);
    }
    static const struct {
        const char *arguments[3];
        const char *says;
    } of_graphs[] = {
        {{"--measure", "size"}, "--measure size: expected one of bytes, allocs, peak, leaks or temporary"},
        {{"--format", "json"}, "--format json: expected svg or collapsed"},
        {{"--min", "5 %"}, "--min 5 %: expected a share"},
        {{"--min", "-1"}, "--min -1: expected a share"},
        {{"--by", "moon"}, "--by moon: expected module, thread or domain"},
        {{"--frames", "file"}, "--frames file: expected line or function"},
        {{"--filter", "function=("}, "--filter function=(: not a regular expression: Unmatched ( or \\("},
        {{"--filter", "func=x"}, "--filter func=x: expected function=, file=, module= or domain="},
        {{"--limit", "3"}, "flamegraph does not take --limit"},
    };
    for (size_t i = 0; i < sizeof of_graphs / sizeof *of_graphs; i++) {
        assert_int_equal(run_arguments(&vbt_command_flamegraph, of_graphs[i].arguments), 2);
        has(message, of_graphs[i].says);
        assert_ptr_equal(strchr(message, '\n'), message + strlen(message) - 1);
    }
    assert_int_equal(run(&vbt_command_functions, "--by", "domain", trace, NULL), 2);
    has(message, "--by domain: expected module");
    assert_int_equal(run(&vbt_command_timeline, "--sort", "bytes", trace, NULL), 2);
    has(message, "timeline does not take --sort");
    assert_int_equal(run(&vbt_command_report, "/nonexistent.vbt", NULL), 2);
    has(message, "vbtrace: /nonexistent.vbt: cannot be opened: No such file or directory\n");
    assert_int_equal(run(&vbt_command_report, "--output", "/nonexistent/report", trace, NULL), 2);
    has(message, "/nonexistent/report: cannot be written: No such file");
    assert_int_equal(run(&vbt_command_report, "--output", "/dev/full", trace, NULL), 2);
    has(message, "/dev/full: cannot be written: No space left on device\n");
    tb_free(&b);
}

static void a_damaged_trace_is_reported_up_to_the_damage(void **state) {
    (void)state;
    struct trace_builder b;
    tb_sample(&b);
    b.bytes[b.size - 5] ^= 1; /* in the END chunk */
    assert_int_equal(run(&vbt_command_report, tb_save(&b), NULL), 0);
    has(message, "warning: ");
    has(message, "damaged at byte");
    assert_ptr_equal(strchr(message, '\n'), message + strlen(message) - 1);
    has(output_text(), "· damaged\n");
    json_t *root = run_json(&vbt_command_report, tb_save(&b), NULL);
    assert_string_equal(message, "");
    assert_true(json_is_false(json_object_get(root, "complete")));
    assert_true(json_is_null(json_object_get(root, "end_reason")));
    assert_true(json_is_null(json_object_get(json_object_get(root, "conservation"), "holds")));
    has(json_string_value(json_array_get(json_object_get(root, "notes"), 0)), "damaged at byte");
    assert_int_equal(at(json_object_get(root, "totals"), "allocs"), 36);
    json_decref(root);
    root = run_json(&vbt_command_info, tb_save(&b), NULL);
    assert_true(at(json_object_get(root, "damage"), "byte") > 2000);
    json_decref(root);
    tb_free(&b);
}

/* What the traced machine calls itself, and how the program ended, goes to a terminal. */
static void a_report_has_no_control_characters(void **state) {
    (void)state;
    struct trace_builder b;
    tb_begin(&b);
    tb_process(&b, (const char *const[]){"pid", "\033[1m", "host", "\033[2J\a", "python", "3\n", "libc", "\x9b", "note",
                                         "\033]0;\a", "exe", "\033c", NULL});
    tb_end(&b, 1, "\033[31m");
    const char *trace = tb_save(&b);
    for (int i = 0; i < COMMANDS; i++) {
        assert_int_equal(run(commands[i], trace, NULL), 0);
        for (const char *at = output_text(); *at != '\0'; at++)
            if ((unsigned char)*at < 0x20 && *at != '\n')
                fail_msg("%s prints character %d before: %.40s", commands[i]->name, *at, at + 1);
    }
    tb_free(&b);
}

/* Sums overflow, lines cross, and nothing is read or written where it should not be: the sanitizers watch. */
static void numbers_at_their_limits_do_no_harm(void **state) {
    (void)state;
    struct trace_builder b;
    tb_begin(&b);
    tb_process(&b, (const char *const[]){"started", "9223372036854775807", "native", "full", NULL});
    uint32_t site = tb_site(&b, VBT_SITE_NATIVE, UINT64_MAX, 1), parent = 0;
    struct tb_counters counters[8];
    for (size_t i = 0; i < 8; i++) {
        uint32_t node = tb_node(&b, i % 2 == 0 ? parent : 0, site, VBT_DOMAIN_HEAP);
        parent = i < 2 ? node : parent;
        counters[i] = (struct tb_counters){.node = node,
                                           .allocs = UINT64_MAX / 2,
                                           .allocated = UINT64_MAX / 2 + i % 2,
                                           .live_blocks = INT64_MAX,
                                           .live_bytes = i % 3 == 0 ? INT64_MIN : INT64_MAX,
                                           .at_peak_bytes = INT64_MAX,
                                           .inherited_blocks = UINT64_MAX - i,
                                           .inherited_bytes = UINT64_C(1) << 63,
                                           .temporary = UINT64_MAX / 2};
    }
    tb_counters(&b, counters, 8);
    struct tb_interval interval = {.kind = VBT_INTERVAL_SECTION, .count = UINT64_MAX, .iterations = UINT64_MAX, .m2 = 1e300};
    for (int q = 0; q < VBT_QUANTITIES; q++)
        for (int k = 0; k < 3; k++)
            interval.of[q][k] = q % 2 == 0 ? INT64_MAX : INT64_MIN;
    tb_intervals(&b, &interval, 1);
    int64_t pairs[VBT_STATE_KEYS][2] = {{0}};
    for (int i = 0; i + 1 < VBT_STATE_KEYS; i++) {
        pairs[i][0] = i + 1;
        pairs[i][1] = i % 2 == 0 ? INT64_MAX : INT64_MIN;
    }
    pairs[VBT_STATE_UNKNOWN_FREES][1] = INT64_MAX;
    tb_state(&b, (const int64_t(*)[2])pairs);
    tb_end(&b, UINT64_MAX, "exit");
    const char *trace = tb_save(&b);
    static const char *const formats[] = {"--format=text", "--format=json", "--format=csv"};
    for (int i = 0; i < COMMANDS; i++)
        for (int format = 0; format < 3; format++)
            assert_int_equal(run(commands[i], formats[format], trace, NULL), 0);
    static const char *const measures[] = {"--measure=bytes", "--measure=peak", "--measure=leaks", "--measure=temporary"};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(run(&vbt_command_tree, measures[i], "--limit=0", "--min=1", trace, NULL), 0);
        assert_int_equal(run(&vbt_command_flamegraph, measures[i], "--min=50%", trace, NULL), 0);
    }
    assert_int_equal(run(&vbt_command_intervals, "--per=18446744073709551615", trace, NULL), 0);
    tb_free(&b);
}

/* Each level branches: what is drawn left of a call is cut, not carried along. Each stack shows its outermost frames. */
static void deep_trees_stay_readable(void **state) {
    (void)state;
    enum { DEPTH = 3000 };
    struct trace_builder b;
    tb_begin(&b);
    uint32_t module = tb_code(&b, "/proj/deep.py", "deep", 1, VBT_CODE_USER), parent = 0;
    static struct tb_counters counters[2 * DEPTH];
    for (unsigned i = 0; i < DEPTH; i++) {
        uint32_t left = tb_node(&b, parent, tb_site(&b, VBT_SITE_PYTHON, module, 2 * i + 1), VBT_DOMAIN_PYTHON);
        uint32_t right = tb_node(&b, parent, tb_site(&b, VBT_SITE_PYTHON, module, 2 * i + 2), VBT_DOMAIN_PYTHON);
        counters[2 * i] = (struct tb_counters){.node = left, .allocs = 1, .allocated = 1, .at_peak_bytes = 1};
        counters[2 * i + 1] = (struct tb_counters){.node = right, .allocs = 1, .allocated = 1, .at_peak_bytes = 1};
        parent = left;
    }
    tb_counters(&b, counters, 2 * DEPTH);
    const char *trace = tb_save(&b);
    setenv("COLUMNS", "90", 1);
    assert_int_equal(run(&vbt_command_tree, "--limit=0", "--min=0", trace, NULL), 0);
    const char *text = output_text();
    has(text, "├╴deep (deep.py:1)\n");
    has(text, "…");
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
        if (strcspn(line, "\n") > 90 * strlen("│"))
            fail_msg("a line of %zu bytes: %.200s", strcspn(line, "\n"), line);
    assert_int_equal(run(&vbt_command_peak, "--limit=0", "--depth=8", "--filter", "function=deep", trace, NULL), 0);
    text = output_text();
    has(text, "\n      deep  /proj/deep.py:33\n      ⋮ 13 more frames\n      deep  /proj/deep.py:5\n      deep  /proj/deep.py:3\n"
              "      deep  /proj/deep.py:1\n");
    unsetenv("COLUMNS");
    tb_free(&b);
}

static uint64_t random_state = 88172645463325252;

static unsigned next_random(unsigned below) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 11) % below;
}

static void run_everything(const char *trace) {
    static const char *const formats[] = {"--format=text", "--format=json", "--format=csv"};
    for (int i = 0; i < COMMANDS; i++) {
        int status = run(commands[i], formats[next_random(3)], trace, NULL);
        assert_true(status == 0 || status == 2);
    }
    static const char *const more[] = {"--reverse", "--by=domain", "--measure=leaks", "--format=collapsed", "--frames=function"};
    int status = run(&vbt_command_flamegraph, more[next_random(5)], trace, NULL);
    assert_true(status == 0 || status == 2);
}

/* Alters bytes inside the payloads, and packs them again with the right checksum: what only the decoders can object to. */
static void altered_payloads_do_no_harm(void **state) {
    (void)state;
    struct trace_builder sample;
    tb_sample(&sample);
    for (int round = 0; round < 600; round++) {
        struct trace_builder b;
        tb_begin(&b);
        for (size_t at_byte = VBT_FILE_HEADER_SIZE; at_byte < sample.size;) {
            struct vbt_chunk_header header;
            assert_null(vbt_unpack_chunk_header(sample.bytes + at_byte, &header));
            tb_open(&b);
            size_t size =
                ZSTD_decompress(b.payload, VBT_CHUNK_RAW_MAX, sample.bytes + at_byte + VBT_CHUNK_HEADER_SIZE, header.stored_size);
            for (unsigned n = next_random(30) == 0 ? 1 + next_random(3) : 0; n > 0 && size > 0; n--)
                b.payload[next_random((unsigned)size)] = (uint8_t)next_random(256);
            b.w.at = b.payload + size;
            bool again = next_random(20) == 0;
            if (next_random(40) != 0)
                tb_close(&b, header.kind);
            if (again)
                tb_close(&b, header.kind);
            at_byte += VBT_CHUNK_HEADER_SIZE + header.stored_size;
        }
        run_everything(tb_save(&b));
        tb_free(&b);
    }
    tb_free(&sample);
}

static void altered_files_do_no_harm(void **state) {
    (void)state;
    struct trace_builder sample;
    tb_sample(&sample);
    uint8_t *bytes = malloc(sample.size);
    for (int round = 0; round < 150; round++) {
        memcpy(bytes, sample.bytes, sample.size);
        for (unsigned n = 1 + next_random(4); n > 0; n--)
            bytes[next_random((unsigned)sample.size)] = (uint8_t)next_random(256);
        run_everything(tb_save_bytes(bytes, 1 + next_random((unsigned)sample.size)));
    }
    free(bytes);
    tb_free(&sample);
}

static int make_output(void **state) {
    (void)state;
    strcpy(output_path, "/tmp/vbtrace-output-XXXXXX");
    int fd = mkstemp(output_path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_output(void **state) {
    (void)state;
    return unlink(output_path);
}

int main(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_json_report_keeps_its_contract), cmocka_unit_test(the_text_report_says_what_matters),
        cmocka_unit_test(every_table_has_three_formats),      cmocka_unit_test(histograms_are_in_the_json_of_lines),
        cmocka_unit_test(bad_usage_is_one_line_and_status_2), cmocka_unit_test(a_damaged_trace_is_reported_up_to_the_damage),
        cmocka_unit_test(a_report_has_no_control_characters), cmocka_unit_test(numbers_at_their_limits_do_no_harm),
        cmocka_unit_test(deep_trees_stay_readable),           cmocka_unit_test(altered_payloads_do_no_harm),
        cmocka_unit_test(altered_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, make_output, remove_output);
}
