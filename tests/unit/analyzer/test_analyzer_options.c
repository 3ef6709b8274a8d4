/* The tables of commands and of their options: they agree with each other, and every row works. */
#include "format/count.h"
#include "analyzer/base/allocate.h"
#include "analyzer/commands/command_table.h"
#include "analyzer/commands/options/option_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Every row takes one of these; a row with names takes its first name. */
static const char *const good_values[] = {"1", "function=main", "report.txt", "1.5s", "bytes <= 1", "python,libc"};

static void every_command_can_be_found_and_run(void **state) {
    (void)state;
    for (size_t i = 0; i < vbt_command_count; i++) {
        const struct vbt_command *command = &vbt_commands[i];
        assert_ptr_equal(vbt_command_find(command->name), command);
        assert_non_null(command->summary);
        assert_true((command->run != NULL) != (command->run_arguments != NULL));
        assert_true((command->run_arguments != NULL) == (command->list_options != NULL));
        if (command->run != NULL)
            assert_true(command->usage != NULL && command->help != NULL);
    }
    assert_null(vbt_command_find("repor"));
    assert_null(vbt_command_find(""));
}

static void every_option_is_of_commands_that_exist(void **state) {
    (void)state;
    for (size_t i = 0; i < vbt_view_option_count; i++) {
        char *words = vbt_text("%s", vbt_view_options[i].commands);
        for (char *rest = words, *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
            const struct vbt_command *command = vbt_command_find(word);
            if (command == NULL || command->run == NULL)
                fail_msg("--%s: %s is no view", vbt_view_options[i].name, word);
            assert_true(vbt_view_option_is_of(&vbt_view_options[i], command));
        }
        free(words);
    }
    assert_false(vbt_view_option_is_of(&vbt_view_options[0], vbt_command_find("run")));
}

static void every_view_can_show_its_help(void **state) {
    (void)state;
    for (size_t i = 0; i < vbt_command_count; i++) {
        bool has_help = false, has_output = false;
        for (size_t k = 0; k < vbt_view_option_count; k++) {
            const struct vbt_view_option *option = &vbt_view_options[k];
            if (!vbt_view_option_is_of(option, &vbt_commands[i]))
                continue;
            char *help = vbt_view_option_help(option, &vbt_commands[i]);
            assert_true(help[0] != '\0' && strpbrk(help, "{}") == NULL);
            free(help);
            has_help |= option->set == NULL;
            has_output |= option->letter == 'o';
        }
        assert_true(has_help == (vbt_commands[i].run != NULL));
        assert_true(has_output == (vbt_commands[i].run != NULL));
    }
}

/* Of the rows with names, all their names; of the others one of good_values. */
static void set_all(const struct vbt_view_option *option, const struct vbt_command *command) {
    const char *const *names = option->names_of != NULL ? option->names_of(command) : option->names;
    struct vbt_query query = {0};
    bool works = option->value == NULL;
    for (; names != NULL && *names != NULL; names++) {
        assert_null(vbt_view_option_set(option, command, *names, &query));
        works = true;
    }
    for (size_t i = 0; i < VBT_COUNT(good_values) && !works; i++) {
        char *wrong = vbt_view_option_set(option, command, good_values[i], &query);
        works = wrong == NULL;
        free(wrong);
    }
    if (!works)
        fail_msg("%s --%s takes no value", command->name, option->name);
}

static void every_option_takes_a_value_or_says_what_it_expects(void **state) {
    (void)state;
    for (size_t i = 0; i < vbt_command_count; i++)
        for (size_t k = 0; k < vbt_view_option_count; k++) {
            const struct vbt_view_option *option = &vbt_view_options[k];
            if (!vbt_view_option_is_of(option, &vbt_commands[i]) || option->set == NULL)
                continue;
            set_all(option, &vbt_commands[i]);
            if (option->names == NULL && option->names_of == NULL)
                continue;
            struct vbt_query query = {0};
            char *wrong = vbt_view_option_set(option, &vbt_commands[i], "nothing", &query);
            assert_non_null(wrong);
            assert_int_equal(strncmp(wrong, "expected ", 9), 0);
            free(wrong);
        }
}

static void what_no_option_sets_depends_on_the_format(void **state) {
    (void)state;
    const struct vbt_command *tree = vbt_command_find("tree"), *graph = vbt_command_find("flamegraph");
    struct vbt_query query;
    vbt_query_begin(&query, tree);
    vbt_query_finish(&query, tree);
    assert_int_equal(query.format, VBT_TEXT);
    assert_int_equal(query.limit, 60);
    assert_true(query.min_share > 0.0099 && query.min_share < 0.0101);
    vbt_query_begin(&query, tree);
    query.format = VBT_JSON;
    vbt_query_finish(&query, tree);
    assert_true(query.limit == UINT64_MAX && query.min_share == 0 && query.min_value == 0);
    vbt_query_begin(&query, tree);
    query.limit = 3;
    query.min_share = 0.5;
    vbt_query_finish(&query, tree);
    assert_true(query.limit == 3 && query.min_share == 0.5);
    vbt_query_begin(&query, graph);
    assert_int_equal(query.format, VBT_SVG);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_can_be_found_and_run),
        cmocka_unit_test(every_option_is_of_commands_that_exist),
        cmocka_unit_test(every_view_can_show_its_help),
        cmocka_unit_test(every_option_takes_a_value_or_says_what_it_expects),
        cmocka_unit_test(what_no_option_sets_depends_on_the_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
