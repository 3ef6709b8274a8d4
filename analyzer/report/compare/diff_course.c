/* The courses of memory of both sides, one above the other. */
#include "diff_parts.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/utf8.h"

#include <stdlib.h>

/* The mean over the runs of a side. False: it is not known. */
static bool course_of(const struct vbt_side *side, double live[VBT_COURSE_PARTS]) {
    size_t known = 0;
    for (size_t i = 0; i < VBT_COURSE_PARTS; i++)
        live[i] = 0;
    for (size_t run = 0; run < side->run_count; run++) {
        known += side->runs[run].course.known;
        for (size_t i = 0; i < VBT_COURSE_PARTS; i++)
            live[i] += side->runs[run].course.known ? (double)side->runs[run].course.live[i] : 0;
    }
    for (size_t i = 0; i < VBT_COURSE_PARTS && known > 0; i++)
        live[i] /= (double)known;
    return known > 0;
}

static void print_course(struct vbt_output *output, const char *name, const double live[VBT_COURSE_PARTS], double most) {
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    fprintf(output->stream, "%s  ", name);
    for (size_t i = 0; i < VBT_COURSE_PARTS; i++) {
        int height = live[i] > 0 ? (int)(8 * live[i] / most + 0.5) : 0;
        fputs(blocks[height == 0 && live[i] > 0 ? 1 : height], output->stream);
    }
    putc('\n', output->stream);
}

void vbt_diff_course_print(struct vbt_diff_report *r) {
    double old[VBT_COURSE_PARTS], new[VBT_COURSE_PARTS], most = 0;
    if (!course_of(&r->findings->comparison->old, old) | !course_of(&r->findings->comparison->new, new))
        return;
    for (size_t i = 0; i < VBT_COURSE_PARTS; i++) {
        most = old[i] > most ? old[i] : most;
        most = new[i] > most ? new[i] : most;
    }
    if (most == 0)
        return;
    vbt_diff_heading(r, "Timeline",
                     vbt_text("live heap over each run, from its start to its end; highest tick %s",
                              vbt_bytes(most < 0x1p63 ? (int64_t)most : INT64_MAX).text));
    if (r->markdown)
        fputs("```\n", r->output->stream);
    print_course(r->output, "old", old, most);
    print_course(r->output, "new", new, most);
    if (r->markdown)
        fputs("```\n", r->output->stream);
}
