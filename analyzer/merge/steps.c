/* See steps.h. */
#include "steps.h"

#include "analyzer/base/allocate.h"
#include "analyzer/trace/states.h"

#include <stdlib.h>
#include <sys/stat.h>

struct times {
    uint64_t *of;
    size_t count, capacity;
    uint64_t begin;
    uint64_t peak, shutdown; /* 0: there is none, or there are several traces */
};

static int by_time(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Collects the states in the part of a trace that is wanted. */
static void collect(struct times *times, const struct vbt_steps_file *file) {
    const struct vbt_window *window = &file->window;
    struct vbt_states states;
    vbt_states_read(&states, file->path);
    for (size_t i = 0; i < states.count; i++) {
        const struct vbt_state_mark *mark = &states.marks[i];
        uint64_t time = mark->time + file->offset;
        if (mark->chunk < window->from) {
            times->begin = time > times->begin ? time : times->begin;
        } else if (mark->chunk < window->to) {
            times->of = vbt_grow(times->of, &times->capacity, times->count + 1, sizeof *times->of);
            times->of[times->count++] = time;
        }
    }
    times->peak = states.peak;
    times->shutdown = states.shutdown;
    vbt_states_free(&states);
}

static bool is_regular(const char *path) {
    struct stat file;
    return stat(path, &file) == 0 && S_ISREG(file.st_mode);
}

/* Which of so many equal parts of the time a moment is in. */
static uint64_t part_of(const struct times *times, uint64_t time, size_t parts) {
    uint64_t span = times->of[times->count - 1] - times->begin;
    if (span == 0 || time <= times->begin)
        return 0;
    return (uint64_t)((double)(time - times->begin) / (double)span * (double)parts);
}

/* Keeps the last moment of each part. */
static void thin(struct times *times, size_t parts) {
    size_t kept = 0, count = times->count;
    for (size_t i = 0; i < count; i++) {
        uint64_t time = times->of[i];
        bool last = i + 1 == count || part_of(times, time, parts) != part_of(times, times->of[i + 1], parts);
        if (last || time == times->peak || time == times->shutdown)
            times->of[kept++] = time;
    }
    times->count = kept;
}

static void drop_equal(struct times *times) {
    size_t kept = 0;
    for (size_t i = 0; i < times->count; i++)
        if (kept == 0 || times->of[i] != times->of[kept - 1])
            times->of[kept++] = times->of[i];
    times->count = kept;
}

void vbt_steps_plan(struct vbt_steps *steps, const struct vbt_steps_file *files, size_t count) {
    struct times times = {0};
    for (size_t i = 0; i < count; i++)
        if (is_regular(files[i].path))
            collect(&times, &files[i]);
    if (count > 1)
        times.peak = times.shutdown = 0;
    if (times.count > 0)
        qsort(times.of, times.count, sizeof *times.of, by_time);
    drop_equal(&times);
    if (times.count > steps->count)
        thin(&times, steps->count);
    steps->count = times.count > 0 ? times.count + 1 : 2;
    steps->ns = vbt_new(steps->count, sizeof *steps->ns);
    steps->ns[0] = steps->ns[1] = times.begin;
    for (size_t i = 0; i < times.count; i++)
        steps->ns[i + 1] = times.of[i];
    free(times.of);
}

void vbt_steps_of_whole(struct vbt_steps *steps, uint64_t end) {
    steps->count = 2;
    steps->ns = vbt_new(steps->count, sizeof *steps->ns);
    steps->ns[1] = end;
}
