/* The course of a run's memory, as so many equal parts of its time: courses of runs that took
 * unequally long can be laid over each other. */
#ifndef VBT_COMPARE_COURSE_H
#define VBT_COMPARE_COURSE_H

#include "analyzer/trace/model.h"

enum { VBT_COURSE_PARTS = 60 };

/* The most in each part, bytes. */
struct vbt_course {
    bool known;
    int64_t live[VBT_COURSE_PARTS], rss[VBT_COURSE_PARTS];
};

void vbt_course_get(struct vbt_course *course, const struct vbt_model *model);

#endif
