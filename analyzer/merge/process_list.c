/* See process_list.h. */
#include "analyzer/base/hash.h"

#include "process_list.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/trace/load.h"
#include "preload/shared/base_name.h"

#include <stdlib.h>
#include <string.h>

void vbt_process_list_add(struct vbt_process_list *list, struct vbt_model *model) {
    list->rows = vbt_grow(list->rows, &list->capacity, list->count + 1, sizeof *list->rows);
    list->rows[list->count++] = *model;
}

void vbt_process_list_free(struct vbt_process_list *list) {
    for (size_t i = 0; i < list->count; i++)
        vbt_model_free(&list->rows[i]);
    free(list->rows);
    *list = (struct vbt_process_list){0};
}

/* Adds the processes of a trace: of a merged one, all that it holds. */
static void add_processes(struct vbt_process_list *list, struct vbt_model *model) {
    if (!vbt_model_is_merged(model)) {
        vbt_process_list_add(list, model);
        return;
    }
    for (size_t i = 0; i < model->process_rows; i++) {
        model->processes[i].path = model->path;
        vbt_process_list_add(list, &model->processes[i]);
    }
    model->process_rows = 0; /* they are the list's now */
    vbt_model_free(model);
}

bool vbt_process_list_read(struct vbt_process_list *list, const struct vbt_inputs *inputs) {
    *list = (struct vbt_process_list){0};
    for (size_t i = 0; i < inputs->count; i++) {
        const struct vbt_input *input = &inputs->files[i];
        struct vbt_model model;
        char *problem = vbt_model_load_brief(&model, input->path);
        if (problem == NULL) {
            free(model.ticks.rows);
            model.ticks = (struct vbt_model_ticks){0};
            add_processes(list, &model);
            continue;
        }
        vbt_model_free(&model);
        bool last = i + 1 == inputs->count && list->count == 0;
        if (input->in_folder && !last)
            vbt_warn("%s: %s; it is left out", input->path, problem);
        else
            vbt_fail("%s: %s", input->path, problem);
        free(problem);
        if (!input->in_folder || last)
            return false;
    }
    return true;
}

/* What identifies a process while it lives. */
struct process_identity {
    int64_t pid;
    uint64_t host; /* hash of its name */
};

struct known_process {
    struct process_identity identity;
    int64_t started; /* the last of its programs */
    UT_hash_handle hh;
};

static struct process_identity identity_of(const struct vbt_model *model, const char *key) {
    const char *host = vbt_model_process(model, "host");
    return (struct process_identity){vbt_model_process_number(model, key),
                                     host != NULL ? XXH64(host, strlen(host), vbt_hash_key()) : 0};
}

static struct known_process *find(struct known_process *known, struct process_identity identity) {
    struct known_process *found;
    HASH_FIND(hh, known, &identity, sizeof identity, found);
    return found;
}

static struct known_process *know_all(const struct vbt_process_list *list) {
    struct known_process *known = NULL;
    for (size_t i = 0; i < list->count; i++) {
        struct process_identity identity = identity_of(&list->rows[i], "pid");
        struct known_process *process = find(known, identity);
        if (process == NULL) {
            process = vbt_new(1, sizeof *process);
            *process = (struct known_process){.identity = identity, .started = INT64_MIN};
            HASH_ADD(hh, known, identity, sizeof identity, process);
        }
        int64_t started = vbt_model_process_number(&list->rows[i], "started");
        process->started = started > process->started ? started : process->started;
    }
    return known;
}

static uint64_t allocations(const struct vbt_model *model) {
    return (uint64_t)vbt_model_domain(model, VBT_DOMAIN_HEAP, VBT_FIELD_ALLOCS) +
           (uint64_t)vbt_model_domain(model, VBT_DOMAIN_PYTHON, VBT_FIELD_ALLOCS);
}

/* Is `a` rather meant than `b`? The order of the list does not matter. */
static bool is_before(const struct vbt_model *a, const struct vbt_model *b) {
    uint64_t of_a = allocations(a), of_b = allocations(b);
    int64_t started_a = vbt_model_process_number(a, "started"), started_b = vbt_model_process_number(b, "started");
    if (of_a != of_b)
        return of_a > of_b;
    if (started_a != started_b)
        return started_a < started_b;
    return strcmp(a->path, b->path) < 0;
}

const struct vbt_model *vbt_process_list_first(const struct vbt_process_list *list) {
    struct known_process *known = know_all(list), *process, *next;
    const struct vbt_model *first = NULL;
    bool first_is_root = false;
    for (size_t i = 0; i < list->count; i++) {
        const struct vbt_model *row = &list->rows[i];
        struct process_identity own = identity_of(row, "pid"), parent = identity_of(row, "ppid");
        bool is_last = vbt_model_process_number(row, "started") == find(known, own)->started;
        bool is_root = is_last && (find(known, parent) == NULL || parent.pid == own.pid);
        if (first == NULL || (is_root && !first_is_root) || (is_root == first_is_root && is_before(row, first))) {
            first = row;
            first_is_root = is_root;
        }
    }
    HASH_ITER(hh, known, process, next) {
        HASH_DEL(known, process);
        free(process);
    }
    return first;
}

/* The script, as it was named, or the module among an interpreter's arguments; NULL: none. */
static const char *script_of(const struct vbt_model *model) {
    bool is_first = true, is_module = false;
    for (size_t i = 0; i < model->process_count; i++) {
        const char *argument = model->process[i].value;
        if (strcmp(model->process[i].key, "arg") != 0)
            continue;
        if (is_module)
            return argument;
        if (!is_first && argument[0] != '-' && argument[0] != '\0')
            return argument;
        is_module = !is_first && strcmp(argument, "-m") == 0;
        if (!is_first && strcmp(argument, "-c") == 0)
            return NULL;
        is_first = false;
    }
    return NULL;
}

char *vbt_script_name(const char *path) {
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    char *whole = vbt_copy(path, size), *name = vbt_text("%s", vbt_base_name(whole));
    free(whole);
    return name;
}

char *vbt_process_script(const struct vbt_model *model) {
    const char *name = vbt_model_process(model, "python") != NULL ? script_of(model) : NULL;
    return name != NULL ? vbt_script_name(name) : NULL;
}

char *vbt_process_program(const struct vbt_model *model) {
    char *script = vbt_process_script(model);
    if (script != NULL)
        return script;
    const char *exe = vbt_model_process(model, "exe"), *name = vbt_model_process(model, "arg");
    if (name == NULL || name[0] == '\0')
        name = exe != NULL ? exe : "(unknown program)";
    return vbt_script_name(name);
}

char *vbt_process_label(const struct vbt_model *model) {
    char *program = vbt_process_program(model);
    const char *pid = vbt_model_process(model, "pid");
    char *label = vbt_text("%s (%s)", program, pid != NULL ? pid : "?");
    free(program);
    return label;
}
