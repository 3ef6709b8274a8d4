/* See compare_runs.h. */
#include "compare_runs.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/merge/inputs.h"
#include "analyzer/merge/process_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct vbt_run_traces *add_run(struct vbt_run_list *list, const char *name) {
    list->rows = vbt_grow(list->rows, &list->capacity, list->count + 1, sizeof *list->rows);
    list->rows[list->count] = (struct vbt_run_traces){.name = vbt_copy(name, strlen(name))};
    return &list->rows[list->count++];
}

static void add_trace(struct vbt_run_traces *run, const char *path) {
    run->paths = vbt_grow(run->paths, &run->capacity, run->count + 1, sizeof *run->paths);
    run->paths[run->count++] = vbt_copy(path, strlen(path));
}

/* A process of a folder, and the outermost one that it descends from. */
struct run_member {
    const struct vbt_model *model;
    size_t root;
    char *command; /* what was started, to compare */
    uint64_t begun, ended;
};

static char *command_of(const struct vbt_model *m) {
    char *command = vbt_process_program(m);
    for (size_t i = 0; i < m->process_count; i++)
        if (strcmp(m->process[i].key, "arg") == 0) {
            char *longer = vbt_text("%s\n%s", command, m->process[i].value);
            free(command);
            command = longer;
        }
    return command;
}

static bool same_host(const struct vbt_model *a, const struct vbt_model *b) {
    const char *x = vbt_model_process(a, "host"), *y = vbt_model_process(b, "host");
    return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

/* The member that one descends from directly, or the one before an exec; itself if there is
 * none. */
static size_t above(const struct run_member *members, size_t count, size_t at) {
    const struct vbt_model *m = members[at].model;
    int64_t pid = vbt_model_process_number(m, "pid"), parent = vbt_model_process_number(m, "ppid");
    for (size_t i = 0; i < count; i++) {
        int64_t other = vbt_model_process_number(members[i].model, "pid");
        if (i == at || !same_host(members[i].model, m))
            continue;
        if ((other == parent && parent != pid) || (other == pid && members[i].begun < members[at].begun))
            return i;
    }
    return at;
}

static struct run_member *list_members(const struct vbt_process_list *processes) {
    size_t count = processes->count;
    struct run_member *members = vbt_new(count, sizeof *members);
    for (size_t i = 0; i < count; i++) {
        const struct vbt_model *m = &processes->rows[i];
        uint64_t begun = (uint64_t)vbt_model_process_number(m, "started");
        members[i] = (struct run_member){m, i, command_of(m), begun, begun + vbt_model_duration(m)};
    }
    for (size_t i = 0; i < count; i++)
        for (size_t steps = 0; steps < count; steps++) {
            size_t up = above(members, count, members[i].root);
            if (up == members[i].root)
                break;
            members[i].root = up;
        }
    return members;
}

static bool is_root(const struct run_member *members, size_t i) { return members[i].root == i; }

/* Did the roots begin with the same command line, each after all of the one before had ended? */
static bool are_repetitions(const struct run_member *members, size_t count) {
    const struct run_member *first = NULL;
    size_t roots = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_root(members, i))
            continue;
        first = first == NULL ? &members[i] : first;
        roots++;
        if (strcmp(first->command, members[i].command) != 0)
            return false;
        for (size_t j = 0; j < count; j++) /* no process of another root runs when this one begins */
            if (members[j].root != i && members[j].begun < members[i].begun && members[j].ended > members[i].begun)
                return false;
    }
    return roots > 1;
}

static int by_begin(const void *left, const void *right, void *data) {
    const struct run_member *members = data, *a = &members[*(const size_t *)left], *b = &members[*(const size_t *)right];
    return a->begun < b->begun ? -1 : a->begun > b->begun;
}

static void add_repetitions(struct vbt_run_list *list, struct run_member *members, size_t count) {
    size_t *roots = vbt_new(count, sizeof *roots), root_count = 0;
    for (size_t i = 0; i < count; i++)
        if (is_root(members, i))
            roots[root_count++] = i;
    qsort_r(roots, root_count, sizeof *roots, by_begin, members);
    for (size_t r = 0; r < root_count; r++) {
        struct vbt_run_traces *run = add_run(list, members[roots[r]].model->path);
        for (size_t i = 0; i < count; i++)
            if (members[i].root == roots[r])
                add_trace(run, members[i].model->path);
    }
    free(roots);
}

/* Is each process in a file of its own? A merged trace has several. */
static bool one_a_file(const struct vbt_process_list *processes) {
    for (size_t i = 1; i < processes->count; i++)
        if (strcmp(processes->rows[i].path, processes->rows[i - 1].path) == 0)
            return false;
    return true;
}

/* Adds each run of a folder that holds repetitions. False: it does not. */
static bool find_repetitions(struct vbt_run_list *list, const struct vbt_inputs *inputs) {
    struct vbt_process_list processes;
    bool found = false;
    if (vbt_process_list_read(&processes, inputs) && processes.count > 1 && one_a_file(&processes)) {
        struct run_member *members = list_members(&processes);
        found = are_repetitions(members, processes.count);
        if (found)
            add_repetitions(list, members, processes.count);
        for (size_t i = 0; i < processes.count; i++)
            free(members[i].command);
        free(members);
    }
    vbt_process_list_free(&processes);
    return found;
}

static void add_folder(struct vbt_run_list *list, const char *name, const struct vbt_inputs *inputs, enum vbt_runs_how how) {
    struct vbt_run_traces *run = NULL;
    if (how == VBT_RUNS_AUTO && inputs->count > 1 && find_repetitions(list, inputs))
        return;
    for (size_t i = 0; i < inputs->count; i++) {
        if (run == NULL || how == VBT_RUNS_EACH)
            run = add_run(list, how == VBT_RUNS_EACH ? inputs->files[i].path : name);
        add_trace(run, inputs->files[i].path);
    }
}

static int is_shown(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static int by_name(const struct dirent **left, const struct dirent **right) { return strcmp((*left)->d_name, (*right)->d_name); }

/* Adds the run in each folder of a folder. Returns how many there are. */
static size_t add_folders(struct vbt_run_list *list, const char *folder) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_shown, by_name);
    size_t before = list->count;
    for (int i = 0; i < count; i++) {
        char *path = vbt_text("%s/%s", folder, entries[i]->d_name);
        struct vbt_inputs inputs = {0};
        struct stat status;
        const char *const names[] = {path};
        char *problem = NULL;
        if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
            problem = vbt_inputs_find(&inputs, names, 1);
            if (problem == NULL)
                add_folder(list, path, &inputs, VBT_RUNS_ONE);
        }
        free(problem); /* a folder without traces is no run */
        vbt_inputs_free(&inputs);
        free(path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return list->count - before;
}

char *vbt_runs_find(struct vbt_run_list *list, const char *const *names, size_t count, enum vbt_runs_how how) {
    *list = (struct vbt_run_list){0};
    for (size_t i = 0; i < count; i++) {
        struct stat status;
        if (stat(names[i], &status) != 0 || !S_ISDIR(status.st_mode)) {
            add_trace(add_run(list, names[i]), names[i]);
            continue;
        }
        struct vbt_inputs inputs;
        char *problem = vbt_inputs_find(&inputs, names + i, 1);
        if (problem == NULL)
            add_folder(list, names[i], &inputs, how);
        else if (how != VBT_RUNS_ONE && add_folders(list, names[i]) > 0) {
            free(problem);
            problem = NULL;
        }
        vbt_inputs_free(&inputs);
        if (problem != NULL)
            return problem;
    }
    return NULL;
}

void vbt_runs_free(struct vbt_run_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        for (size_t k = 0; k < list->rows[i].count; k++)
            free(list->rows[i].paths[k]);
        free(list->rows[i].paths);
        free(list->rows[i].name);
    }
    free(list->rows);
}

bool vbt_side_load(struct vbt_side *side, const struct vbt_query *query, const char *const *names, size_t count) {
    struct vbt_run_list runs;
    char *problem = vbt_runs_find(&runs, names, count, query->runs);
    bool good = problem == NULL;
    if (!good)
        vbt_fail("%s", problem);
    free(problem);
    vbt_side_begin(side, runs.count);
    for (size_t i = 0; i < runs.count && good; i++) {
        struct vbt_query one = *query;
        one.trace = runs.rows[i].name;
        one.traces = (const char *const *)runs.rows[i].paths;
        one.trace_count = runs.rows[i].count;
        good = vbt_side_add(side, &one, runs.rows[i].name);
    }
    vbt_runs_free(&runs);
    if (!good)
        vbt_side_free(side);
    return good;
}
