/* Runs scripts in further interpreters: a library for ctypes.PyDLL. Each function expects the
 * interpreter that calls it to hold its GIL. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8 };

static struct {
    void *(*current)(void), *(*begin)(void), *(*swap)(void *), *(*save)(void), *(*new_state)(void *), *(*interpreter)(void);
    void (*finish)(void *), (*restore)(void *), (*acquire)(void *), (*clear)(void *), (*delete_current)(void);
    int (*run)(const char *, void *);
} api;

static void *function(const char *name) {
    void *found = dlsym(RTLD_DEFAULT, name);
    if (found == NULL)
        abort();
    return found;
}

static void find(void) {
    *(void **)&api.current = function("PyThreadState_Get");
    *(void **)&api.begin = function("Py_NewInterpreter");
    *(void **)&api.swap = function("PyThreadState_Swap");
    *(void **)&api.finish = function("Py_EndInterpreter");
    *(void **)&api.run = function("PyRun_SimpleStringFlags");
    *(void **)&api.save = function("PyEval_SaveThread");
    *(void **)&api.restore = function("PyEval_RestoreThread");
    *(void **)&api.acquire = function("PyEval_AcquireThread");
    *(void **)&api.new_state = function("PyThreadState_New");
    *(void **)&api.clear = function("PyThreadState_Clear");
    *(void **)&api.delete_current = function("PyThreadState_DeleteCurrent");
}

/* A thread's state begins with two links and its interpreter, in all versions. */
static void *interpreter_of(void *state) { return ((void **)state)[2]; }

/* In a new interpreter each, one after another. */
void one_by_one(const char *script, int times) {
    find();
    void *ours = api.current();
    for (int i = 0; i < times; i++) {
        void *theirs = api.begin();
        api.run(script, NULL);
        api.finish(theirs);
        api.swap(ours);
    }
}

/* In interpreters that exist at the same time, in turn. */
void in_turn(const char *script, int interpreters, int times) {
    find();
    void *ours = api.current(), *theirs[MOST];
    for (int i = 0; i < interpreters; i++)
        theirs[i] = api.begin();
    for (int n = 0; n < times; n++)
        for (int i = 0; i < interpreters; i++) {
            api.swap(theirs[i]);
            api.run(script, NULL);
        }
    for (int i = 0; i < interpreters; i++) {
        api.swap(theirs[i]);
        api.finish(theirs[i]);
    }
    api.swap(ours);
}

struct task {
    void *interpreter;
    const char *script;
};

/* As a server does in a thread of its own: a state for each request. */
static void *serve(void *argument) {
    const struct task *task = argument;
    void *state = api.new_state(task->interpreter);
    api.acquire(state);
    api.run(task->script, NULL);
    api.clear(state);
    api.delete_current();
    return NULL;
}

/* In one interpreter, by so many threads at once, which have run no other one. */
void by_threads(const char *script, int threads) {
    find();
    void *ours = api.current(), *theirs = api.begin();
    pthread_t ids[MOST];
    struct task task = {interpreter_of(theirs), script};
    api.swap(ours);
    void *saved = api.save();
    for (int i = 0; i < threads; i++)
        pthread_create(&ids[i], NULL, serve, &task);
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    api.restore(saved);
    api.swap(theirs);
    api.finish(theirs);
    api.swap(ours);
}

/* PyInterpreterConfig of 3.12 and later. */
struct config {
    int use_main_obmalloc, allow_fork, allow_exec, allow_threads, allow_daemon_threads, check_multi_interp_extensions, gil;
};

struct status {
    int type;
    const char *function, *message;
    int exit_code;
};

static void *serve_alone(void *script) {
    enum { OWN_GIL = 2 };
    struct status (*begin)(void **, const struct config *);
    *(void **)&begin = function("Py_NewInterpreterFromConfig");
    const struct config config = {.allow_threads = 1, .check_multi_interp_extensions = 1, .gil = OWN_GIL};
    void *state = NULL;
    struct status status = begin(&state, &config);
    if (status.type != 0) {
        fprintf(stderr, "%s: %s\n", status.function, status.message);
        abort();
    }
    api.run(script, NULL);
    api.finish(state);
    return NULL;
}

/* In as many interpreters as threads, each with a GIL of its own: they run at the same time. */
void side_by_side(const char *script, int threads) {
    find();
    pthread_t ids[MOST];
    void *saved = api.save();
    for (int i = 0; i < threads; i++)
        pthread_create(&ids[i], NULL, serve_alone, (void *)(size_t)script);
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    api.restore(saved);
}
