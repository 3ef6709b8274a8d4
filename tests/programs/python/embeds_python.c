/* Loads libpython (argument 1) with dlopen, and runs a script (argument 2) in a further
 * interpreter, then in the first one, then in the further one again: a server's way, which runs
 * nothing in the first interpreter before that. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static void *library;

static void *function(const char *name) {
    void *found = dlsym(library, name);
    if (found == NULL)
        abort();
    return found;
}

int main(int count, char **arguments) {
    void (*initialize)(int), (*finish)(void *);
    void *(*current)(void), *(*begin)(void), *(*swap)(void *);
    int (*run)(const char *, void *), (*finalize)(void);
    if (count != 3 || (library = dlopen(arguments[1], RTLD_NOW | RTLD_GLOBAL)) == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    *(void **)&initialize = function("Py_InitializeEx");
    *(void **)&current = function("PyThreadState_Get");
    *(void **)&begin = function("Py_NewInterpreter");
    *(void **)&swap = function("PyThreadState_Swap");
    *(void **)&finish = function("Py_EndInterpreter");
    *(void **)&run = function("PyRun_SimpleStringFlags");
    *(void **)&finalize = function("Py_FinalizeEx");
    initialize(1);
    void *first = current(), *further = begin();
    run(arguments[2], NULL);
    swap(first);
    run(arguments[2], NULL);
    swap(further);
    run(arguments[2], NULL);
    finish(further);
    swap(first);
    return finalize();
}
