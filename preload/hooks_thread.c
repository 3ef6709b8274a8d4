/* A thread is made: line mode wants to hear of its first line. */
#include "hook.h"
#include "line_mode.h"

void (*vbt_line_thread_comes)(void);

VBT_EXPORT int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*start)(void *),
                              void *restrict argument) {
    if (VBT_UNLIKELY(vbt_real.pthread_create == NULL))
        vbt_real_find();
    if (VBT_UNLIKELY(vbt_line_thread_comes != NULL))
        vbt_line_thread_comes();
    return vbt_real.pthread_create(thread, attributes, start, argument);
}
