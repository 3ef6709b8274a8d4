/* See environment.h. */
#include "environment.h"

#include "analyzer/base/allocate.h"
#include "format/count.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { LIBRARIES = 6 };

const char *const vbt_environment_facts[] = {"program", "python", "libc", "vbtrace", "native", "allocator", "libraries", NULL};

const char *vbt_environment_fact(const struct vbt_compared_run *run, size_t fact) {
    const char *const facts[] = {run->program, run->python, run->libc, run->vbtrace, run->native, run->allocator, run->libraries};
    return facts[fact];
}

static bool lists(const char *allow, const char *name) {
    size_t length = strlen(name);
    for (const char *at = allow; at != NULL; at = strchr(at, ','), at += at != NULL)
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

char *vbt_allow_wrong(const char *allow) {
    for (const char *at = allow; at != NULL; at = strchr(at, ','), at += at != NULL) {
        size_t length = strcspn(at, ","), i = 0;
        while (vbt_environment_facts[i] != NULL &&
               (strlen(vbt_environment_facts[i]) != length || strncmp(vbt_environment_facts[i], at, length) != 0))
            i++;
        if (vbt_environment_facts[i] == NULL)
            return vbt_text("expected some of program, python, libc, vbtrace, native, allocator, libraries");
    }
    return NULL;
}

/* Takes ownership of both texts. */
static void add(struct vbt_unlikes *u, size_t fact, char *baseline, char *now, const char *allow) {
    const char *name = vbt_environment_facts[fact];
    u->rows = vbt_grow(u->rows, &u->capacity, u->count + 1, sizeof *u->rows);
    u->rows[u->count++] = (struct vbt_unlike){name, baseline, now, lists(allow, name)};
}

/* The line of a list that begins with a name and a blank, for the caller to free; NULL: none. */
static char *line_of(const char *list, const char *name, size_t length) {
    for (const char *at = list; at != NULL && *at != '\0'; at = strchr(at, '\n'), at += at != NULL)
        if (strncmp(at, name, length) == 0 && at[length] == ' ')
            return vbt_copy(at, strcspn(at, "\n"));
    return NULL;
}

/* Libraries that both have, in other builds: one more or less shows in the counts. */
static void compare_libraries(struct vbt_unlikes *u, const char *old, const char *new, const char *allow) {
    for (const char *at = old; at != NULL && *at != '\0'; at = strchr(at, '\n'), at += at != NULL) {
        char *now = line_of(new, at, strcspn(at, " \n")), *before = vbt_copy(at, strcspn(at, "\n"));
        if (now != NULL && strcmp(before, now) != 0) {
            add(u, LIBRARIES, before, now, allow);
            continue;
        }
        free(now);
        free(before);
    }
}

static char *or_none(const char *text) { return vbt_text("%s", text != NULL ? text : "none"); }

void vbt_environment_compare(struct vbt_unlikes *u, const struct vbt_side *old, const struct vbt_side *new, const char *allow) {
    *u = (struct vbt_unlikes){0};
    for (size_t i = 0; vbt_environment_facts[i] != NULL; i++) {
        const char *before = vbt_environment_fact(&old->runs[0], i), *now = vbt_environment_fact(&new->runs[0], i);
        if (i == LIBRARIES)
            compare_libraries(u, before, now, allow);
        else if (before != now && (before == NULL || now == NULL || strcmp(before, now) != 0))
            add(u, i, or_none(before), or_none(now), allow);
    }
}

void vbt_unlikes_free(struct vbt_unlikes *u) {
    for (size_t i = 0; i < u->count; i++) {
        free(u->rows[i].baseline);
        free(u->rows[i].now);
    }
    free(u->rows);
}
