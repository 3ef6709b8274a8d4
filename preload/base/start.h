/* What the kernel put on the stack of a new process: its arguments, its environment and the
 * auxiliary vector. It can be read before the C library has: its environ is still NULL where a
 * program's very first functions allocate. */
#ifndef VBT_START_H
#define VBT_START_H

#include <link.h>
#include <stddef.h>
#include <string.h>

extern void *__libc_stack_end; /* the loader's: the address of the argument count, which all the rest follows */
extern char **environ;

struct vbt_start {
    char **arguments, **environment; /* both NULL-terminated */
    const ElfW(auxv_t) * auxiliary;  /* terminated by AT_NULL */
};

static inline struct vbt_start vbt_start(void) {
    char **arguments = (char **)__libc_stack_end + 1, **environment = arguments + *(long *)__libc_stack_end + 1,
         **end = environment;
    while (*end != NULL)
        end++;
    return (struct vbt_start){arguments, environment, (const ElfW(auxv_t) *)(end + 1)};
}

static inline char **vbt_environment(void) { return environ != NULL ? environ : vbt_start().environment; }

/* The C library's getenv may be replaced by the program's, as in bash, which looks into tables of
 * its own. */
static inline const char *vbt_variable(const char *name) {
    size_t length = strlen(name);
    for (char **entry = vbt_environment(); *entry != NULL; entry++)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}

#endif
