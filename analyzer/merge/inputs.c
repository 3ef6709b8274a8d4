/* See inputs.h. */
#include "analyzer/base/hash.h"

#include "inputs.h"

#include "analyzer/base/allocate.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What makes two names the same file. */
struct file_identity {
    dev_t device;
    ino_t inode;
};

struct seen_file {
    struct file_identity identity;
    UT_hash_handle hh;
};

/* Has the file been seen? If not, it has from now on. */
static bool is_seen(struct seen_file **seen, const struct stat *status) {
    struct file_identity identity;
    memset(&identity, 0, sizeof identity); /* no padding is compared */
    identity.device = status->st_dev;
    identity.inode = status->st_ino;
    struct seen_file *found;
    HASH_FIND(hh, *seen, &identity, sizeof identity, found);
    if (found != NULL)
        return true;
    found = vbt_new(1, sizeof *found);
    found->identity = identity;
    HASH_ADD(hh, *seen, identity, sizeof identity, found);
    return false;
}

/* Adds a file, unless it is there by this or another name. Takes ownership of the path. What is no
 * regular file (a pipe) or not there is added: whoever opens it says what is wrong. */
static void add(struct vbt_inputs *inputs, struct seen_file **seen, char *path, bool in_folder) {
    struct stat status;
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && is_seen(seen, &status)) {
        free(path);
        return;
    }
    inputs->files = vbt_grow(inputs->files, &inputs->capacity, inputs->count + 1, sizeof *inputs->files);
    inputs->files[inputs->count++] = (struct vbt_input){path, in_folder};
}

static int is_trace(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".vbt") == 0;
}

static int by_name(const struct dirent **left, const struct dirent **right) { return strcmp((*left)->d_name, (*right)->d_name); }

static char *add_folder(struct vbt_inputs *inputs, struct seen_file **seen, const char *folder) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_trace, by_name);
    if (count < 0)
        return vbt_text("%s: cannot be read: %s", folder, strerror(errno));
    bool slash = folder[strlen(folder) - 1] == '/';
    for (int i = 0; i < count; i++) {
        add(inputs, seen, vbt_text("%s%s%s", folder, slash ? "" : "/", entries[i]->d_name), true);
        free(entries[i]);
    }
    free(entries);
    return count > 0 ? NULL : vbt_text("%s: is a folder without a trace; expected files named *.vbt in it", folder);
}

char *vbt_inputs_find(struct vbt_inputs *inputs, const char *const *names, size_t count) {
    struct seen_file *seen = NULL, *file, *next;
    char *problem = NULL;
    *inputs = (struct vbt_inputs){0};
    for (size_t i = 0; i < count && problem == NULL; i++) {
        struct stat status;
        if (stat(names[i], &status) == 0 && S_ISDIR(status.st_mode))
            problem = add_folder(inputs, &seen, names[i]);
        else
            add(inputs, &seen, vbt_copy(names[i], strlen(names[i])), false);
    }
    HASH_ITER(hh, seen, file, next) {
        HASH_DEL(seen, file);
        free(file);
    }
    return problem;
}

void vbt_inputs_free(struct vbt_inputs *inputs) {
    for (size_t i = 0; i < inputs->count; i++)
        free(inputs->files[i].path);
    free(inputs->files);
    *inputs = (struct vbt_inputs){0};
}
