/* vbtrace.h: mark sections of a program, so that vbtrace can show their cost per iteration.
 *
 *     vbtrace_begin("parse", n);     // n iterations are about to run; 0 if there is no such number
 *     for (size_t i = 0; i < n; i++) parse(lines[i]);
 *     vbtrace_end("parse");
 *
 * Nothing needs to be linked: the functions are looked up in the running process, once, and do
 * nothing if libvbtrace.so is not preloaded. Sections nest and belong to the thread that began
 * them. Both calls keep errno; they are statements. */
#ifndef VBTRACE_H
#define VBTRACE_H

#include <dlfcn.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Begins a section: label (const char *) names it in the reports; its cost is divided by iterations
 * (uint64_t), 0 for none. */
#define vbtrace_begin(label, iterations)                                                                                           \
    do {                                                                                                                           \
        vbtrace_find_begin_()((label), (iterations));                                                                              \
        __asm__ volatile(""); /* so that the call returns to this line */                                                          \
    } while (0)

/* Ends the innermost open section of this thread with this label, and those opened inside it. */
#define vbtrace_end(label)                                                                                                         \
    do {                                                                                                                           \
        vbtrace_find_end_()((label));                                                                                              \
        __asm__ volatile("");                                                                                                      \
    } while (0)

/* What a program, a thread or a section allocated and freed, of heap and Python's memory, without
 * what vbtrace itself causes. */
struct vbtrace_counters {
    uint64_t allocations, frees;
    uint64_t allocated_bytes, freed_bytes;
    int64_t live_bytes; /* of a thread or section: allocated less freed, and so may be negative */
    int64_t peak_bytes; /* the most that was live; of a section: above its beginning; of a thread: 0, it is not known */
};

/* Ends a section as vbtrace_end does; *counters (struct vbtrace_counters) is what this run of it
 * took. *counted (int) is 0, and so are all counters, if the program is not traced, or the section
 * was not recorded. */
#define vbtrace_end_counted(label, counters, counted)                                                                              \
    do {                                                                                                                           \
        *(counted) = vbtrace_find_end_counted_()((label), (counters));                                                             \
        __asm__ volatile("");                                                                                                      \
    } while (0)

/* Not for callers. The three are macros around a call of what the library exports, so that the
 * place of the call is the caller's own line:
 *
 *     void vbtrace_section_begin(const char *label, uint64_t iterations);
 *     void vbtrace_section_end(const char *label);
 *     int vbtrace_section_end_counted(const char *label, struct vbtrace_counters *counters); */
typedef void (*vbtrace_begin_function)(const char *, uint64_t);
typedef void (*vbtrace_end_function)(const char *);
typedef int (*vbtrace_end_counted_function)(const char *, struct vbtrace_counters *);

static inline void vbtrace_begin_nothing_(const char *label, uint64_t iterations) {
    (void)label;
    (void)iterations;
}

static inline void vbtrace_end_nothing_(const char *label) { (void)label; }

static inline vbtrace_begin_function vbtrace_find_begin_(void) {
    static vbtrace_begin_function begin;
    if (begin == 0) {
        *(void **)&begin = dlsym(RTLD_DEFAULT, "vbtrace_section_begin");
        if (begin == 0)
            begin = vbtrace_begin_nothing_;
    }
    return begin;
}

static inline vbtrace_end_function vbtrace_find_end_(void) {
    static vbtrace_end_function end;
    if (end == 0) {
        *(void **)&end = dlsym(RTLD_DEFAULT, "vbtrace_section_end");
        if (end == 0)
            end = vbtrace_end_nothing_;
    }
    return end;
}

static inline int vbtrace_end_counted_nothing_(const char *label, struct vbtrace_counters *counters) {
    static const struct vbtrace_counters zero = {0, 0, 0, 0, 0, 0};
    (void)label;
    *counters = zero;
    return 0;
}

static inline vbtrace_end_counted_function vbtrace_find_end_counted_(void) {
    static vbtrace_end_counted_function end;
    if (end == 0) {
        *(void **)&end = dlsym(RTLD_DEFAULT, "vbtrace_section_end_counted");
        if (end == 0)
            end = vbtrace_end_counted_nothing_;
    }
    return end;
}

static inline int vbtrace_count_(int of_thread, struct vbtrace_counters *counters) {
    static const struct vbtrace_counters zero = {0, 0, 0, 0, 0, 0};
    static int (*count)(int, struct vbtrace_counters *);
    if (count == 0)
        *(void **)&count = dlsym(RTLD_DEFAULT, "vbtrace_count");
    if (count != 0)
        return count(of_thread, counters);
    *counters = zero;
    return 0;
}

/* What the process, or the calling thread, allocated and freed so far. Exact for the calling
 * thread and for all that are at rest; of a thread that is running, what it does just now may be
 * missing. Returns 0, and all counters are 0, if the program is not traced, or recording is off. */
static inline int vbtrace_process_counters(struct vbtrace_counters *counters) { return vbtrace_count_(0, counters); }
static inline int vbtrace_thread_counters(struct vbtrace_counters *counters) { return vbtrace_count_(1, counters); }

/* Stops recording, and starts it again, for the whole process. What is allocated in between is in
 * no report; frees of blocks that were recorded still count. VBTRACE_DELAY=start makes a program
 * begin stopped. Both do nothing if libvbtrace.so is not preloaded. */
static inline void vbtrace_stop(void) {
    static void (*stop)(void);
    if (stop == 0)
        *(void **)&stop = dlsym(RTLD_DEFAULT, "vbtrace_recording_stop");
    if (stop != 0)
        stop();
}

static inline void vbtrace_start(void) {
    static void (*start)(void);
    if (start == 0)
        *(void **)&start = dlsym(RTLD_DEFAULT, "vbtrace_recording_start");
    if (start != 0)
        start();
}

#ifdef __cplusplus
}
#endif

#endif
