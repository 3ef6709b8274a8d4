/* See source.h. */
#include "analyzer/base/hash.h"

#include "source.h"

#include "command_text.h"
#include "source_coding.h"
#include "analyzer/base/allocate.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A larger file is not source code that anyone reads, and longer lines are cut. */
enum { MAX_SOURCE = 32 << 20, MAX_LINE = 64 << 10 };

/* No program has more source code than this in all; a trace can name one large file in many
 * ways. */
enum { MAX_SOURCES = 256 << 20 };

struct file {
    char *name;
    char *text;
    size_t size;
    uint32_t *line_at; /* where each line starts; one more for the end */
    size_t line_count;
    const struct vbt_model_source_row **rows; /* the trace's lines, in order, which replace all these */
    size_t row_count, row_capacity;
    bool stored; /* the trace has the text, which is in no file */
    bool changed, noted;
    UT_hash_handle hh;
};

struct vbt_sources {
    const struct vbt_model *model;
    const char *folder; /* where relative file names start, or NULL */
    int64_t started_ns;
    struct file *files;
    size_t read; /* bytes of all files */
    const char **changed;
    size_t changed_count, changed_capacity;
};

static int by_line(const void *left, const void *right) {
    int64_t a = (*(const struct vbt_model_source_row *const *)left)->line,
            b = (*(const struct vbt_model_source_row *const *)right)->line;
    return a < b ? -1 : a > b;
}

/* Rows of one line stay in the order of the trace. */
static int by_line_and_place(const void *left, const void *right) {
    const struct vbt_model_source_row *a = *(const struct vbt_model_source_row *const *)left,
                                      *b = *(const struct vbt_model_source_row *const *)right;
    return a->line != b->line ? by_line(left, right) : a < b ? -1 : a > b;
}

/* Sorts the rows, and keeps the newest of each line. */
static void settle_rows(struct file *file) {
    if (file->row_count == 0)
        return;
    qsort(file->rows, file->row_count, sizeof *file->rows, by_line_and_place);
    size_t kept = 0;
    for (size_t i = 0; i < file->row_count; i++) {
        kept -= kept > 0 && file->rows[kept - 1]->line == file->rows[i]->line;
        file->rows[kept++] = file->rows[i];
    }
    file->row_count = kept;
    for (size_t i = 0; i < kept; i++)
        file->changed = file->changed || file->rows[i]->changed;
}

static struct file *add_file(struct vbt_sources *s, const char *name) {
    struct file *file = vbt_new(1, sizeof *file);
    file->name = vbt_copy(name, strlen(name));
    HASH_ADD_KEYPTR(hh, s->files, file->name, strlen(file->name), file);
    return file;
}

static void take_rows(struct vbt_sources *s) {
    const struct vbt_model *m = s->model;
    struct file *file, *next, **by_string = vbt_new(m->string_count + 1, sizeof(void *));
    for (size_t i = 0; i < m->source_row_count; i++) {
        const struct vbt_model_source_row *row = &m->source_rows[i];
        const char *name = vbt_model_string(m, row->file);
        file = by_string[row->file];
        if (file == NULL)
            HASH_FIND_STR(s->files, name, file);
        if (file == NULL)
            file = add_file(s, name);
        by_string[row->file] = file;
        file->rows = vbt_grow(file->rows, &file->row_capacity, file->row_count + 1, sizeof *file->rows);
        file->rows[file->row_count++] = row;
    }
    free(by_string);
    HASH_ITER(hh, s->files, file, next) { settle_rows(file); }
}

static void find_lines(struct file *file) {
    size_t capacity = 0;
    for (size_t at = 0; at < file->size;) {
        file->line_at = vbt_grow(file->line_at, &capacity, file->line_count + 2, sizeof *file->line_at);
        file->line_at[file->line_count++] = (uint32_t)at;
        const char *end = memchr(file->text + at, '\n', file->size - at);
        at = end != NULL ? (size_t)(end - file->text) + 1 : file->size;
        file->line_at[file->line_count] = (uint32_t)at;
    }
}

static void add_text(struct vbt_sources *s, const char *name, const char *text) {
    struct file *file;
    HASH_FIND_STR(s->files, name, file);
    if (file == NULL)
        file = add_file(s, name);
    if (file->text != NULL)
        return;
    file->stored = true;
    file->size = strlen(text);
    file->text = vbt_copy(text, file->size);
    find_lines(file);
}

/* Text of the process's: the file's name, a line end, the lines. */
static void take_texts(struct vbt_sources *s) {
    for (size_t i = 0; i < s->model->process_count; i++) {
        const char *value = s->model->process[i].value, *text = strchr(value, '\n');
        if (strcmp(s->model->process[i].key, "source") != 0 || text == NULL)
            continue;
        char *name = vbt_copy(value, (size_t)(text - value));
        add_text(s, name, text + 1);
        free(name);
    }
}

/* The text of `python -c`, whose file is "<string>" as that of all that the program compiles from
 * text: it is shown only where all of the user's such code can be of it. */
static void take_command(struct vbt_sources *s) {
    const char *text = vbt_command_text(s->model);
    if (text != NULL)
        add_text(s, VBT_TEXT_FILE, text);
}

struct vbt_sources *vbt_sources_new(const struct vbt_model *model) {
    struct vbt_sources *s = vbt_new(1, sizeof *s);
    *s = (struct vbt_sources){
        .model = model, .folder = vbt_model_process(model, "cwd"), .started_ns = vbt_model_process_number(model, "started")};
    take_rows(s);
    take_texts(s);
    take_command(s);
    return s;
}

void vbt_sources_free(struct vbt_sources *s) {
    if (s == NULL)
        return;
    struct file *file, *next;
    HASH_ITER(hh, s->files, file, next) {
        HASH_DEL(s->files, file);
        free(file->name);
        free(file->text);
        free(file->line_at);
        free(file->rows);
        free(file);
    }
    free(s->changed);
    free(s);
}

/* A trace may name any path: only regular files are opened, and opening never blocks. */
static void read_file(struct vbt_sources *s, struct file *file, const char *path) {
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= MAX_SOURCE && s->read < MAX_SOURCES) {
        size_t capacity = (size_t)status.st_size;
        file->text = vbt_new(capacity, 1);
        ssize_t got;
        while (file->size < capacity && (got = read(fd, file->text + file->size, capacity - file->size)) > 0)
            file->size += (size_t)got;
        int64_t changed_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
        file->changed = s->started_ns > 0 && changed_ns > s->started_ns;
        s->read += file->size;
    }
    close(fd);
}

static struct file *get_file(struct vbt_sources *s, const char *name) {
    struct file *file;
    HASH_FIND_STR(s->files, name, file);
    if (file != NULL)
        return file;
    file = add_file(s, name);
    if (s->model->symbolized || name[0] == '\0' || name[0] == '<' || name[0] == '[')
        return file;
    char *path = name[0] == '/' || s->folder == NULL ? vbt_copy(name, strlen(name)) : vbt_text("%s/%s", s->folder, name);
    read_file(s, file, path);
    free(path);
    if (file->text != NULL && memchr(file->text, '\0', file->size) == NULL) {
        file->text = vbt_source_to_utf8(file->text, &file->size);
        find_lines(file);
    } else { /* a binary file has no lines */
        free(file->text);
        file->text = NULL;
    }
    return file;
}

/* The line as stored in the trace, or NULL. */
static const char *row_text(const struct vbt_sources *s, const struct file *file, int64_t line, size_t *size) {
    const struct vbt_model_source_row wanted = {.line = line}, *key = &wanted;
    const struct vbt_model_source_row **found =
        file->row_count > 0 ? bsearch(&key, file->rows, file->row_count, sizeof *file->rows, by_line) : NULL;
    if (found == NULL)
        return NULL;
    const char *text = s->model->source_text + (*found)->text;
    *size = strnlen(text, (*found)->size);
    return text;
}

static const char *file_text(const struct file *file, int64_t line, size_t *size) {
    if (file->text == NULL || (uint64_t)line > file->line_count)
        return NULL;
    const char *start = file->text + file->line_at[line - 1];
    *size = file->line_at[line] - file->line_at[line - 1];
    while (*size > 0 && (start[*size - 1] == '\n' || start[*size - 1] == '\r'))
        --*size;
    return start;
}

const char *vbt_source_line(struct vbt_sources *s, const char *name, int64_t line, size_t *size) {
    *size = 0;
    if (line <= 0)
        return NULL;
    struct file *file = get_file(s, name);
    const char *text = s->model->symbolized && !file->stored ? row_text(s, file, line, size) : file_text(file, line, size);
    if (text == NULL)
        return NULL;
    if (file->changed && !file->noted) {
        file->noted = true;
        s->changed = vbt_grow(s->changed, &s->changed_capacity, s->changed_count + 1, sizeof *s->changed);
        s->changed[s->changed_count++] = file->name;
    }
    *size = *size < MAX_LINE ? *size : MAX_LINE;
    return text;
}

const char *vbt_source_of_place(struct vbt_sources *s, const struct vbt_source_place *place, size_t *size) {
    *size = 0;
    if (!place->user && place->kind == VBT_PLACE_PYTHON && strcmp(place->file, VBT_TEXT_FILE) == 0)
        return NULL;
    return vbt_source_line(s, place->file, place->line, size);
}

bool vbt_source_changed(const struct vbt_sources *s, const char *name) {
    const struct file *file;
    HASH_FIND_STR(s->files, name, file);
    return file != NULL && file->changed;
}

char *vbt_sources_trouble(const struct vbt_sources *s, size_t number) {
    if (number >= s->changed_count)
        return NULL;
    return vbt_text("%s was changed after the trace began: the lines shown may not be those that ran.", s->changed[number]);
}
