/* Runs the analyzer's subcommands, from their options to what they write. */
#ifndef VBT_COMMAND_RUNS_H
#define VBT_COMMAND_RUNS_H

#include <jansson.h>

enum { COMMANDS = 10, ARGUMENTS = 8 };

/* Those that print tables. */
extern const char *const commands[COMMANDS];

/* What the last command said on stderr. */
extern char message[4096];

/* Before and after all tests, as cmocka calls them: the file that commands write to. */
int make_output(void **state);
int remove_output(void **state);

/* Runs a command with arguments, at most ARGUMENTS, up to the first NULL. Returns its exit
 * status. */
int run_arguments(const char *name, const char *const *given);

#define run_command(command, ...) run_arguments(command, (const char *const[]){__VA_ARGS__})

/* Runs a command that must succeed; what it writes, for the caller to release. option may be
 * NULL. */
json_t *run_json(const char *command, const char *trace, const char *option);

/* The text of what the last command wrote; lives until the next call. */
const char *output_text(void);

/* Fails unless the text has the part. */
void has(const char *text, const char *part);

/* The integer at a key; fails if there is none. */
json_int_t at(const json_t *object, const char *key);

#endif
