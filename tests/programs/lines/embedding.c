/* A process with one Python interpreter after another. Arguments: library, script, how many. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *function(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (found == NULL)
        abort();
    return found;
}

int main(int count, char **arguments) {
    void *library = count == 4 ? dlopen(arguments[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
    if (library == NULL) {
        fprintf(stderr, "%s\n", count == 4 ? dlerror() : "three arguments, please");
        return 2;
    }
    void (*initialize)(void), (*finalize)(void);
    int (*run)(const char *, void *);
    *(void **)&initialize = function(library, "Py_Initialize");
    *(void **)&finalize = function(library, "Py_Finalize");
    *(void **)&run = function(library, "PyRun_SimpleStringFlags");
    for (int i = 0; i < atoi(arguments[3]); i++) {
        initialize();
        int failed = run(arguments[2], NULL);
        finalize();
        free(strdup("between two interpreters"));
        if (failed != 0)
            return 1;
    }
    return 0;
}
