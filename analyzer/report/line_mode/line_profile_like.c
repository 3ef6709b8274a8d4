/* See line_profile_like.h. */
#include "line_profile_like.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/utf8.h"
#include "analyzer/base/wrapping.h"

#include <stdlib.h>
#include <string.h>

static bool is_shown(const struct vbt_profile_function *function, bool any_decorated) {
    return any_decorated ? function->decorated : !function->is_module;
}

/* Replaces what cannot be printed; tabs are kept. */
static void print_printable(const char *text, FILE *out) {
    for (size_t size; *text != '\0'; text += size) {
        size = *text == '\t' ? 1 : strcspn(text, "\t");
        char *printable = *text == '\t' ? vbt_copy(text, 1) : vbt_utf8_printable(text, size);
        fputs(printable, out);
        free(printable);
    }
}

/* Prints a source line unchanged, or an empty line if it is not available. */
static void print_source(struct vbt_sources *sources, const char *file, int64_t line, FILE *out) {
    size_t size;
    const char *source = vbt_source_line(sources, file, line, &size);
    char *text = vbt_copy(source != NULL ? source : "", size);
    print_printable(text, out);
    putc('\n', out);
    free(text);
}

static void print_rule(int width, FILE *out) {
    for (int i = 0; i < width; i++)
        putc('=', out);
    putc('\n', out);
}

/* Prints like show_results of memory_profiler.py. Its first row is the function's start, whose
 * increment is what was there before. A call that begins or resumes at a line is an occurrence as
 * well. */
size_t vbt_line_profile_print_as_memory_profiler(const struct vbt_line_profile *profile, struct vbt_sources *sources, FILE *out) {
    static const double mib = 1 << 20;
    bool any_decorated = vbt_profile_any_decorated(profile);
    size_t shown = 0;
    for (size_t i = 0; i < profile->count; i++) {
        const struct vbt_profile_function *function = &profile->functions[i];
        if (!is_shown(function, any_decorated))
            continue;
        shown++;
        int64_t last = vbt_profile_last_line(function, sources);
        fputs("Filename: ", out);
        print_printable(function->place->file, out);
        fputs("\n\n", out);
        print_rule(fprintf(out, "%6s %12s %12s  %10s   %s\n", "Line #", "Mem usage", "Increment", "Occurrences", "Line Contents") -
                       1,
                   out);
        size_t at = 0;
        for (int64_t line = function->place->line; line <= last; line = vbt_profile_next_line(function, sources, line)) {
            const struct vbt_profile_line *found = vbt_profile_find(function, line, &at);
            bool begins = line == function->place->line;
            char usage[32] = "", increment[32] = "", occurrences[32] = "";
            uint64_t times = found != NULL ? found->hits + found->entries : 0;
            if (times > 0) {
                double change = begins ? (double)found->rss : (double)vbt_minus(found->all.allocated, found->all.freed);
                bool known = found->rss > 0 || !found->ran_before;
                if (known)
                    snprintf(usage, sizeof usage, "%7.3f MiB", (double)found->rss / mib);
                if (known || !begins)
                    snprintf(increment, sizeof increment, "%7.3f MiB", change / mib);
                snprintf(occurrences, sizeof occurrences, "%llu", (unsigned long long)times);
            }
            fprintf(out, "%6lld %12s %12s  %10s   ", (long long)line, usage, increment, occurrences);
            print_source(sources, function->place->file, line, out);
        }
        fputs("\n\n", out);
    }
    return shown;
}

/* Prints like show_func of line_profiler.py. */
static void print_function(const struct vbt_profile_function *function, struct vbt_sources *sources, FILE *out) {
    const char *name = strrchr(function->place->function, '.');
    int64_t last = vbt_profile_last_line(function, sources);
    double total = 0;
    for (size_t i = 0; i < function->count; i++)
        if (function->lines[i].hits > 0)
            total += (double)function->lines[i].all.time / 1e3;
    fprintf(out, "Total time: %g s\nFile: ", total * 1e-6);
    print_printable(function->place->file, out);
    fputs("\nFunction: ", out);
    print_printable(name != NULL ? name + 1 : function->place->function, out);
    fprintf(out, " at line %lld\n\n", (long long)function->place->line);
    print_rule(fprintf(out, "%6s %9s %12s %8s %8s  %-s\n", "Line #", "Hits", "Time", "Per Hit", "% Time", "Line Contents") - 1,
               out);
    size_t at = 0;
    for (int64_t line = function->place->line; line <= last; line = vbt_profile_next_line(function, sources, line)) {
        const struct vbt_profile_line *found = vbt_profile_find(function, line, &at);
        char hits[32] = "", time[32] = "", per_hit[32] = "", percent[32] = "";
        if (found != NULL && found->hits > 0) {
            double microseconds = (double)found->all.time / 1e3;
            snprintf(hits, sizeof hits, "%llu", (unsigned long long)found->hits);
            snprintf(time, sizeof time, "%5.1f", microseconds);
            snprintf(per_hit, sizeof per_hit, "%5.1f", microseconds / (double)found->hits);
            if (total > 0)
                snprintf(percent, sizeof percent, "%5.1f", 100 * microseconds / total);
        }
        fprintf(out, "%6lld %9s %12s %8s %8s  ", (long long)line, hits, time, per_hit, percent);
        print_source(sources, function->place->file, line, out);
    }
    putc('\n', out);
}

size_t vbt_line_profile_print_as_line_profiler(const struct vbt_line_profile *profile, struct vbt_sources *sources, FILE *out) {
    bool any_decorated = vbt_profile_any_decorated(profile);
    size_t shown = 0;
    fputs("Timer unit: 1e-06 s\n\n", out);
    for (size_t i = 0; i < profile->count; i++) {
        if (!is_shown(&profile->functions[i], any_decorated))
            continue;
        shown++;
        print_function(&profile->functions[i], sources, out);
    }
    return shown;
}
