/* Ends the interpreter that calls it: a library for ctypes.PyDLL. The frames of the calling Python
 * code are gone while its thread still runs. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCKS = 1000, SIZE = 3333 };

static void *function(const char *name) {
    void *found = dlsym(RTLD_DEFAULT, name);
    if (found == NULL)
        abort();
    return found;
}

static void end(void) {
    int (*finalize)(void);
    *(void **)&finalize = function("Py_FinalizeEx");
    finalize();
    static char *volatile kept;
    for (int i = 0; i < BLOCKS; i++) {
        kept = malloc(SIZE);
        free(kept);
    }
}

void leave(void) {
    end();
    _exit(5);
}

/* Another interpreter runs a script after it. */
void start_again(const char *script) {
    void (*initialize)(void);
    int (*run)(const char *, void *);
    *(void **)&initialize = function("Py_Initialize");
    *(void **)&run = function("PyRun_SimpleStringFlags");
    char copy[1000];
    snprintf(copy, sizeof copy, "%s", script);
    end();
    initialize();
    run(copy, NULL);
    end();
    _exit(6);
}

/* A subinterpreter in the midst of Python code. */
void visit_another(const char *script) {
    void *(*current)(void), *(*begin)(void), *(*swap)(void *);
    void (*finish)(void *);
    int (*run)(const char *, void *);
    *(void **)&current = function("PyThreadState_Get");
    *(void **)&begin = function("Py_NewInterpreter");
    *(void **)&swap = function("PyThreadState_Swap");
    *(void **)&finish = function("Py_EndInterpreter");
    *(void **)&run = function("PyRun_SimpleStringFlags");
    void *ours = current(), *theirs = begin();
    run(script, NULL);
    finish(theirs);
    free(malloc(SIZE));
    swap(ours);
    free(malloc(SIZE));
}
