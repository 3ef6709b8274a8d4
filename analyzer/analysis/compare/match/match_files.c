/* Pairs files: by their paths, by the ends of their paths, as the program itself, and by names that
 * differ in a version only. */
#include "match_steps.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A file of one side. */
struct side_file {
    uint32_t id;
    const char *path, *name;
};

static int by_path(const void *left, const void *right) {
    const struct side_file *a = left, *b = right;
    return strcmp(a->path, b->path);
}

static int by_name(const void *left, const void *right) {
    const struct side_file *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : strcmp(a->path, b->path);
}

/* The files of a side that have no pair. The caller frees the list. */
static struct side_file *list(const struct vbt_compared_places *places, const uint32_t *pair_of, size_t *count) {
    struct side_file *files = vbt_new(places->file_count, sizeof *files);
    *count = 0;
    for (uint32_t i = 1; i <= places->file_count; i++)
        if (pair_of[i] == 0)
            files[(*count)++] = (struct side_file){i, places->files[i].path, vbt_file_name(places->files[i].path)};
    return files;
}

static void pair_paths(struct vbt_matching *m) {
    size_t old_count, new_count;
    struct side_file *old = list(m->old, m->files.of_old, &old_count), *new = list(m->new, m->files.of_new, &new_count);
    qsort(old, old_count, sizeof *old, by_path);
    qsort(new, new_count, sizeof *new, by_path);
    for (size_t i = 0, j = 0; i < old_count && j < new_count;) {
        int order = strcmp(old[i].path, new[j].path);
        if (order == 0)
            vbt_pair_add(&m->files, old[i].id, new[j].id);
        i += order <= 0;
        j += order >= 0;
    }
    free(old);
    free(new);
}

/* How many names at the ends of two paths are the same, the file's own included. */
static unsigned common_end(const char *a, const char *b) {
    const char *end_a = a + strlen(a), *end_b = b + strlen(b);
    unsigned names = 0;
    while (end_a > a && end_b > b && end_a[-1] == end_b[-1]) {
        end_a--;
        end_b--;
        names += *end_a == '/';
    }
    bool whole_a = end_a == a || end_a[-1] == '/', whole_b = end_b == b || end_b[-1] == '/';
    return names + (*end_a != '/' && whole_a && whole_b);
}

/* Says a file's name alone nothing, as there is one in every package? */
static bool is_common(const char *name) {
    return strncmp(name, "__init__.", 9) == 0 || strncmp(name, "__main__.", 9) == 0 || name[0] == '<' || name[0] == '[';
}

/* The file of a run of files with one name whose path ends most like this one; NULL: there is none,
 * or there are several. */
static struct side_file *most_alike(const struct side_file *file, struct side_file *others, size_t count) {
    struct side_file *best = NULL;
    unsigned most = is_common(file->name) ? 1 : 0;
    bool several = false;
    for (size_t i = 0; i < count; i++) {
        unsigned common = common_end(file->path, others[i].path);
        if (common > most) {
            most = common;
            best = &others[i];
            several = false;
        } else if (common == most) {
            several = true;
        }
    }
    return several ? NULL : best;
}

static size_t same_names(const struct side_file *files, size_t count) {
    size_t same = 1;
    while (same < count && strcmp(files[same].name, files[0].name) == 0)
        same++;
    return same;
}

/* Pairs the files of one name that are each other's most alike. */
static void pair_alike(struct vbt_matching *m, struct side_file *old, size_t old_count, struct side_file *new, size_t new_count) {
    for (size_t i = 0; i < old_count; i++) {
        const struct side_file *other = most_alike(&old[i], new, new_count);
        if (other != NULL && most_alike(other, old, old_count) == &old[i])
            vbt_pair_add(&m->files, old[i].id, other->id);
    }
}

bool vbt_same_but_version(const char *a, const char *b) {
    for (;; a++, b++) {
        while (isdigit((unsigned char)*a))
            a++;
        while (isdigit((unsigned char)*b))
            b++;
        if (*a != *b)
            return false;
        if (*a == '\0')
            return true;
    }
}

static uint32_t file_of(const struct vbt_compared_places *places, const char *path) {
    for (uint32_t i = 1; i <= places->file_count && path != NULL; i++)
        if (strcmp(places->files[i].path, path) == 0)
            return i;
    return 0;
}

/* Native code without source is in the file of the program. */
static void pair_programs(struct vbt_matching *m) {
    uint32_t old = file_of(m->old, m->old->program), new = file_of(m->new, m->new->program);
    if (old != 0 && new != 0 && m->files.of_old[old] == 0 && m->files.of_new[new] == 0)
        vbt_pair_add(&m->files, old, new);
}

/* The only file whose name is the same but for its version; NULL: there is none, or several. */
static const struct side_file *only_version(const struct side_file *file, const struct side_file *others, size_t count) {
    const struct side_file *found = NULL;
    for (size_t i = 0; i < count; i++)
        if (strcmp(file->name, others[i].name) != 0 && vbt_same_but_version(file->name, others[i].name)) {
            if (found != NULL)
                return NULL;
            found = &others[i];
        }
    return found;
}

static void pair_versions(struct vbt_matching *m) {
    enum { MOST = 1 << 22 };
    size_t old_count, new_count;
    struct side_file *old = list(m->old, m->files.of_old, &old_count), *new = list(m->new, m->files.of_new, &new_count);
    for (size_t i = 0; i < old_count && old_count * new_count <= MOST; i++) {
        const struct side_file *other = only_version(&old[i], new, new_count);
        if (other != NULL && only_version(other, old, old_count) == &old[i])
            vbt_pair_add(&m->files, old[i].id, other->id);
    }
    free(old);
    free(new);
}

static void pair_ends(struct vbt_matching *m) {
    enum { MOST = 4000 }; /* of one name: a trace can name one file in many ways */
    size_t old_count, new_count;
    struct side_file *old = list(m->old, m->files.of_old, &old_count), *new = list(m->new, m->files.of_new, &new_count);
    qsort(old, old_count, sizeof *old, by_name);
    qsort(new, new_count, sizeof *new, by_name);
    for (size_t i = 0, j = 0; i < old_count && j < new_count;) {
        int order = strcmp(old[i].name, new[j].name);
        size_t from_old = same_names(old + i, old_count - i), from_new = same_names(new + j, new_count - j);
        if (order == 0 && from_old <= MOST && from_new <= MOST)
            pair_alike(m, old + i, from_old, new + j, from_new);
        i += order <= 0 ? from_old : 0;
        j += order >= 0 ? from_new : 0;
    }
    free(old);
    free(new);
}

void vbt_match_files(struct vbt_matching *m) {
    pair_paths(m);
    pair_ends(m);
    pair_programs(m);
    pair_versions(m);
}
