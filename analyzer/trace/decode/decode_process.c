/* See decode_process.h. */
#include "decode_process.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

/* Copies the next string of the payload to *to with a terminating zero, and advances *to. */
static char *take_text(struct vbt_payload *p, char **to) {
    size_t size;
    const char *bytes = vbt_get_string(&p->r, &size);
    char *text = *to;
    memcpy(text, bytes, size);
    text[size] = '\0';
    *to += size + 1;
    return text;
}

char *vbt_decode_process(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t count;
    char *wrong = vbt_get_count(p, &count, 2, 0, UINT64_MAX);
    if (wrong != NULL)
        return wrong;
    struct vbt_model_pair *pairs = vbt_new(count, sizeof *pairs);
    char *text = vbt_new((size_t)(p->r.end - p->r.at) + 2 * count, 1), *to = text;
    for (uint64_t i = 0; i < count; i++) {
        pairs[i].key = take_text(p, &to);
        pairs[i].value = take_text(p, &to);
    }
    if (p->r.bad) {
        free(pairs);
        free(text);
        return vbt_payload_too_short(p);
    }
    free(m->process);
    free(m->process_text);
    m->process = pairs;
    m->process_count = count;
    m->process_text = text;
    return NULL;
}

char *vbt_decode_end(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t time = vbt_get_varint(&p->r);
    size_t size;
    const char *reason = vbt_get_string(&p->r, &size);
    if (p->r.bad)
        return vbt_payload_too_short(p);
    free(m->end_reason);
    m->end_reason = vbt_copy(reason, size);
    m->end_time = time;
    m->ended = true;
    return NULL;
}
