/* Files that a command line may start: whether they are programs, and how they begin. */
#ifndef VBT_PROGRAM_FILES_H
#define VBT_PROGRAM_FILES_H

#include <stdbool.h>
#include <stddef.h>

bool vbt_is_program(const char *path);

/* The program in PATH that a name without a slash stands for, or NULL; the caller frees it. */
char *vbt_search_path(const char *name);

/* Reads the first bytes of a file as text, cut at the first zero; "" if it cannot be read. */
void vbt_read_start(const char *path, char *text, size_t size);

/* The kernel reads no more of a first line. */
enum { VBT_FIRST_LINE = 256 };

/* What a "#!" line says: the interpreter's path, and its argument, which is NULL without any. Both
 * point into the line, which is cut. False: it is no such line. */
bool vbt_read_first_line(char *line, char **interpreter, char **argument);

/* The program that "env" runs with these arguments of a "#!" line, for the caller to free; NULL if
 * unknown. *options: what follows its name there, "" without any. */
char *vbt_program_of_env(char *arguments, const char **options);

#endif
