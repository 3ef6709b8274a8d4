/* For programs that do one of several things: the first argument chooses one from a table. */
#ifndef VBT_TESTS_CHOICE_H
#define VBT_TESTS_CHOICE_H

#include <stddef.h>
#include <string.h>

struct choice {
    const char *name;
    int (*run)(void); /* returns the program's exit status */
};

/* The arguments after the name, NULL-terminated. */
static char **given;

/* Runs the one that the first argument of main names; returns 2 if there is none. The name of the
 * table's last element is NULL. */
static inline int run_choice(const struct choice *choices, char **arguments) {
    if (arguments[0] == NULL || arguments[1] == NULL)
        return 2;
    given = arguments + 2;
    for (; choices->name != NULL; choices++)
        if (strcmp(choices->name, arguments[1]) == 0)
            return choices->run();
    return 2;
}

#endif
