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

/* Not for callers. The two are macros around a call of what the library exports, so that the place
 * of the call is the caller's own line:
 *
 *     void vbtrace_section_begin(const char *label, uint64_t iterations);
 *     void vbtrace_section_end(const char *label); */
typedef void (*vbtrace_begin_function)(const char *, uint64_t);
typedef void (*vbtrace_end_function)(const char *);

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
