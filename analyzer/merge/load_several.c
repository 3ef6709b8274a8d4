/* See load_several.h. The files are first looked at briefly: for who ran, and in which order to add
 * them up. */
#include "load_several.h"

#include "merge.h"
#include "steps.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/trace/load.h"

#include <stdlib.h>
#include <string.h>

/* A file that is to be loaded. */
struct chosen_file {
    const char *path;
    int64_t started, pid;
    uint64_t duration;
    struct vbt_sections sections;
    bool is_merged;
    bool *keep; /* by process of a merged trace; NULL: all */
};

struct chosen_files {
    struct chosen_file *rows;
    size_t count;
    struct vbt_span span; /* of their processes */
};

/* Says what is wrong with a file. False if the command cannot go on. */
static bool report(const struct vbt_input *input, char *problem, bool is_last) {
    if (input->in_folder && !is_last)
        vbt_warn("%s: %s; it is left out", input->path, problem);
    else
        vbt_fail("%s: %s", input->path, problem);
    free(problem);
    return input->in_folder && !is_last;
}

/* How many processes of a trace are wanted. *keep: which, for the caller to free; NULL: all or
 * none. */
static size_t count_wanted(const struct vbt_model *model, const struct vbt_several *how, bool **keep) {
    size_t wanted = 0;
    *keep = NULL;
    if (!vbt_model_is_merged(model))
        return how->wants(how->context, model);
    bool *of = vbt_new(model->process_rows, sizeof *of);
    for (size_t i = 0; i < model->process_rows; i++)
        wanted += of[i] = how->wants(how->context, &model->processes[i]);
    if (wanted < model->process_rows && wanted > 0)
        *keep = of;
    else
        free(of);
    return wanted;
}

static void extend(struct vbt_span *span, const struct vbt_model *brief) {
    int64_t started = vbt_model_process_number(brief, "started");
    uint64_t end = (uint64_t)started + vbt_model_duration(brief), last = (uint64_t)span->started + span->duration;
    if (started <= 0)
        return;
    last = end > last ? end : last;
    span->started = span->started == 0 || started < span->started ? started : span->started;
    span->duration = last - (uint64_t)span->started;
}

/* The sections of all of them, by the clock on the wall. */
static void join_sections(struct chosen_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        const struct chosen_file *file = &files->rows[i];
        uint64_t offset = file->started > files->span.started ? (uint64_t)(file->started - files->span.started) : 0;
        vbt_sections_add(&files->span.sections, &file->sections, offset, offset + file->duration);
    }
    vbt_sections_number(&files->span.sections);
}

static void choose(struct chosen_files *files, struct vbt_model *brief, const char *path, const struct vbt_several *how) {
    bool *keep;
    if (count_wanted(brief, how, &keep) == 0)
        return;
    extend(&files->span, brief);
    files->rows[files->count++] = (struct chosen_file){.path = path,
                                                       .started = vbt_model_process_number(brief, "started"),
                                                       .pid = vbt_model_process_number(brief, "pid"),
                                                       .duration = vbt_model_duration(brief),
                                                       .sections = brief->sections,
                                                       .is_merged = vbt_model_is_merged(brief),
                                                       .keep = keep};
    brief->sections = (struct vbt_sections){0};
}

/* The order in which fractions are added up, which matters to their last digits. */
static int by_start(const void *left, const void *right) {
    const struct chosen_file *a = left, *b = right;
    if (a->started != b->started)
        return a->started < b->started ? -1 : 1;
    if (a->pid != b->pid)
        return a->pid < b->pid ? -1 : 1;
    return strcmp(a->path, b->path);
}

static bool choose_files(struct chosen_files *files, const struct vbt_inputs *inputs, const struct vbt_several *how) {
    size_t read = 0;
    files->rows = vbt_new(inputs->count, sizeof *files->rows);
    for (size_t i = 0; i < inputs->count; i++) {
        struct vbt_model brief;
        char *problem = vbt_model_load_brief(&brief, inputs->files[i].path);
        if (problem == NULL) {
            read++;
            choose(files, &brief, inputs->files[i].path, how);
        }
        vbt_model_free(&brief);
        if (problem != NULL && !report(&inputs->files[i], problem, i + 1 == inputs->count && read == 0))
            return false;
    }
    if (files->count > 0)
        qsort(files->rows, files->count, sizeof *files->rows, by_start);
    if (how->part != NULL)
        join_sections(files);
    return true;
}

static char *find_part(struct vbt_window *window, const char *path, const struct vbt_several *how, const struct vbt_span *whole) {
    *window = VBT_WHOLE_RUN;
    return how->part != NULL ? how->part(how->context, path, whole, window) : NULL;
}

/* Loads the part of a trace that is wanted; without its history, if the steps are not chosen. */
static bool load(struct vbt_model *model, const char *path, const struct vbt_several *how, const struct vbt_span *whole,
                 uint64_t offset) {
    struct vbt_window window;
    char *problem = find_part(&window, path, how, whole);
    memset(model, 0, sizeof *model);
    if (problem == NULL && how->steps != NULL && whole == NULL)
        vbt_steps_plan(how->steps, &(struct vbt_steps_file){path, 0, window}, 1);
    window.steps = how->steps != NULL && how->steps->ns != NULL ? how->steps : NULL;
    window.offset = offset;
    if (problem == NULL)
        problem = vbt_model_load_part(model, path, how->with_sizes, &window);
    if (problem == NULL && how->part != NULL && vbt_model_is_merged(model))
        problem = vbt_text("a merged trace holds the whole run only; --from, --to and --at need the traces it was made from");
    if (problem != NULL)
        vbt_fail("%s: %s", path, problem);
    bool good = problem == NULL;
    free(problem);
    return good;
}

/* Some processes of a merged trace are wanted. */
static void warn_of_details(const struct vbt_model *model) {
    if (model->interval_count > 0 || model->line_counts_count > 0)
        vbt_warn("%s: intervals and counted lines of a merged trace are those of all processes: they are left out", model->path);
}

static uint64_t offset_of(const struct chosen_files *files, size_t number) {
    int64_t started = files->rows[number].started;
    return started > files->span.started ? (uint64_t)(started - files->span.started) : 0;
}

/* Chooses the steps, unless one of the traces has no history. */
static void plan(const struct chosen_files *files, const struct vbt_several *how) {
    struct vbt_steps_file *rows = vbt_new(files->count, sizeof *rows);
    bool all = true;
    for (size_t i = 0; i < files->count && all; i++) {
        rows[i] = (struct vbt_steps_file){.path = files->rows[i].path, .offset = offset_of(files, i)};
        char *problem = find_part(&rows[i].window, rows[i].path, how, &files->span);
        all = problem == NULL && !files->rows[i].is_merged; /* a problem is reported when it is loaded */
        free(problem);
    }
    if (all)
        vbt_steps_plan(how->steps, rows, files->count);
    free(rows);
}

static bool load_all(struct vbt_model *model, const struct chosen_files *files, const struct vbt_several *how) {
    if (how->steps != NULL)
        plan(files, how);
    struct vbt_merging *merging = vbt_merge_begin(how->with_sizes, how->by_process);
    bool good = true;
    if (how->moment != 0)
        vbt_merge_choose_moment(merging, how->started, how->moment);
    for (size_t i = 0; i < files->count && good; i++) {
        struct vbt_model part;
        good = load(&part, files->rows[i].path, how, &files->span, offset_of(files, i));
        if (good && files->rows[i].keep != NULL)
            warn_of_details(&part);
        if (good)
            vbt_merge_add(merging, &part, files->rows[i].keep);
        vbt_model_free(&part);
    }
    char *problem = vbt_merge_end(merging, model);
    if (problem != NULL && good)
        vbt_fail("%s", problem);
    good = good && problem == NULL;
    free(problem);
    return good;
}

/* A single trace is read once: it may come through a pipe. */
static bool load_one(struct vbt_model *model, const char *path, const struct vbt_several *how, bool *none) {
    struct vbt_model loaded;
    bool *keep = NULL, good = load(&loaded, path, how, NULL, 0);
    *none = good && count_wanted(&loaded, how, &keep) == 0;
    if (good && keep != NULL)
        warn_of_details(&loaded);
    if (good && !*none && (how->always || vbt_model_is_merged(&loaded))) {
        struct vbt_merging *merging = vbt_merge_begin(how->with_sizes, how->by_process);
        vbt_merge_add(merging, &loaded, keep);
        vbt_model_free(&loaded);
        free(vbt_merge_end(merging, model)); /* a merged trace holds no process twice */
    } else {
        *model = loaded;
    }
    free(keep);
    return good && !*none;
}

static bool load_named(struct vbt_model *model, const struct vbt_inputs *inputs, const struct vbt_several *how, bool *none) {
    struct chosen_files files = {0};
    if (inputs->count == 1)
        return load_one(model, inputs->files[0].path, how, none);
    bool good = choose_files(&files, inputs, how);
    if (good && files.count == 0) {
        *none = true;
        good = false;
    } else if (good && files.count == 1 && !files.rows[0].is_merged && !how->always) {
        good = load(model, files.rows[0].path, how, NULL, 0);
    } else if (good) {
        good = load_all(model, &files, how);
    }
    for (size_t i = 0; i < files.count; i++) {
        free(files.rows[i].keep);
        vbt_sections_free(&files.rows[i].sections);
    }
    vbt_sections_free(&files.span.sections);
    free(files.rows);
    return good;
}

bool vbt_load_several(struct vbt_model *model, const struct vbt_inputs *inputs, const struct vbt_several *how, bool *none) {
    memset(model, 0, sizeof *model);
    *none = false;
    bool good = load_named(model, inputs, how, none);
    if (good && how->steps != NULL && model->changes == NULL) { /* a merged trace */
        if (how->steps->ns == NULL)
            vbt_steps_of_whole(how->steps, vbt_model_duration(model));
        vbt_changes_of_whole(model, how->steps);
    }
    return good;
}
