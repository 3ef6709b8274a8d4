/* vbtrace.h: mark sections of a program, so that vbtrace can give their cost per iteration.
 *
 *     vbtrace_begin("parse", n);      // n iterations are about to run; 0 if there is no such number
 *     for (size_t i = 0; i < n; i++) parse(lines[i]);
 *     vbtrace_end("parse");
 *
 * Nothing needs to be linked: the functions are looked up in the running process, once, and do nothing where libvbtrace.so
 * is not preloaded. Sections nest and belong to the thread that began them. Both calls keep errno. */
#ifndef VBTRACE_H
#define VBTRACE_H

#include <dlfcn.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Not for callers: what the library exports, reached through dlsym by the functions below.
 *     void vbtrace_section_begin(const char *label, uint64_t iterations);
 *     void vbtrace_section_end(const char *label);
 *     void vbtrace_own_file(const char *path);    -- code of this Python file is vbtrace's own: not counted in sections */
typedef void (*vbtrace_begin_function)(const char *, uint64_t);
typedef void (*vbtrace_end_function)(const char *);

static inline void *vbtrace_lookup_(const char *name, void **cache) {
    if (*cache == 0) {
        void *found = dlsym(RTLD_DEFAULT, name);
        *cache = found != 0 ? found : (void *)cache; /* its own address: looked up, not there */
    }
    return *cache == (void *)cache ? (void *)0 : *cache;
}

/* Begins a section: label names it in the reports; iterations is what its cost is divided by, 0 for none. */
static inline void vbtrace_begin(const char *label, uint64_t iterations) {
    static void *cache;
    vbtrace_begin_function begin;
    *(void **)&begin = vbtrace_lookup_("vbtrace_section_begin", &cache);
    if (begin != 0)
        begin(label, iterations);
}

/* Ends the innermost open section of this thread with this label, and those opened inside it. */
static inline void vbtrace_end(const char *label) {
    static void *cache;
    vbtrace_end_function end;
    *(void **)&end = vbtrace_lookup_("vbtrace_section_end", &cache);
    if (end != 0)
        end(label);
}

#ifdef __cplusplus
}
#endif

#endif
