/* `vbtrace run script.py`, `-m MODULE` and `-c CODE`: the interpreter that runs them, and its
 * command line. */
#ifndef VBT_PYTHON_COMMAND_H
#define VBT_PYTHON_COMMAND_H

/* Variables by which the Python package tells the tool which interpreter started it. Both are
 * removed once read. */
#define VBT_PYTHON_VARIABLE "_VBTRACE_PYTHON"               /* that of `python -m vbtrace`, which runs everything */
#define VBT_PYTHON_BESIDE_VARIABLE "_VBTRACE_PYTHON_BESIDE" /* that in the folder of the command `vbtrace` */

struct vbt_python_command {
    char **program;    /* as it is to be started, NULL-terminated; NULL: nothing for an interpreter to run */
    char *name;        /* what the traces are called after; NULL: the program */
    char *interpreter; /* part of program */
    char *options;     /* likewise, cut into words; NULL: none */
};

/* What is to be run. */
struct vbt_python_wish {
    const char *python;        /* the interpreter; NULL: it is found */
    const char *module, *code; /* one of them, or neither */
    char **rest;               /* what follows on the command line: the arguments, or a program with its arguments */
};

/* Makes the command line. Where neither a module nor code is wished for, and `rest` begins with a
 * program, or with nothing that Python runs, there is none. Returns NULL, or what is wrong as a
 * sentence, for the caller to free. */
char *vbt_python_command_make(struct vbt_python_command *command, const struct vbt_python_wish *wish);
void vbt_python_command_free(struct vbt_python_command *command);

/* The interpreter for what does not name one itself, for the caller to free: that which started
 * the tool, that of the active virtual environment, that beside the tool's command, else
 * "python3". */
char *vbt_python_find(void);

#endif
