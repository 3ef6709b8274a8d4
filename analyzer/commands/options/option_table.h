/* The options of the views, one row each: a new one is a row, a field of struct vbt_query, and the
 * code that reads the field. */
#ifndef VBT_OPTION_TABLE_H
#define VBT_OPTION_TABLE_H

#include "analyzer/commands/command_table.h"

#include <stdbool.h>

/* One option as a command line sets it. */
struct vbt_setting {
    const struct vbt_command *command;
    const char *value; /* NULL where the option takes none */
    size_t index;      /* of the value among the row's names, if it has any */
    struct vbt_query *query;
};

struct vbt_view_option {
    const char *name;     /* without dashes */
    const char *value;    /* stands for the value in the help; NULL: it takes none */
    const char *commands; /* that take it, separated by spaces */
    const char *help;     /* "{names}" and "{default}" in it are replaced by what follows */

    /* The values it takes, NULL-terminated, the default first if there is one: names of all
     * commands, or names_of one command. Neither: whatever `set` accepts. */
    const char *const *names;
    const char *const *(*names_of)(const struct vbt_command *command);
    /* The default of an option without names, for the caller to free. */
    char *(*fallback)(const struct vbt_command *command);

    /* Puts the value into the query. Returns NULL, or a phrase that says what was expected, for the
     * caller to free. If `set` itself is NULL, the option prints the help. */
    char *(*set)(const struct vbt_setting *setting);

    char letter;    /* for -o; '\0': none */
    bool of_stacks; /* it chooses or shapes call stacks: an export without stacks does not take it */
};

/* An option that differs between commands has several rows of one name, and so has one whose value
 * has several forms: of the rows of one command, the first sets it. */
extern const struct vbt_view_option vbt_view_options[];
extern const size_t vbt_view_option_count;

bool vbt_view_option_is_of(const struct vbt_view_option *option, const struct vbt_command *command);

/* Sets one option. Returns NULL, or a phrase that says what was expected, for the caller to
 * free. */
char *vbt_view_option_set(const struct vbt_view_option *option, const struct vbt_command *command, const char *value,
                          struct vbt_query *query);

/* A row's help with the values and the default of the command, for the caller to free. */
char *vbt_view_option_help(const struct vbt_view_option *option, const struct vbt_command *command);

/* Before the first option: sets the defaults that depend on the command alone. */
void vbt_query_begin(struct vbt_query *query, const struct vbt_command *command);

/* After the last option: sets the defaults that depend on other options, where no option has. */
void vbt_query_finish(struct vbt_query *query, const struct vbt_command *command);

#endif
