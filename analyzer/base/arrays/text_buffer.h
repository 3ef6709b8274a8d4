/* Text that grows at its end: for what is printed a million times. */
#ifndef VBT_TEXT_BUFFER_H
#define VBT_TEXT_BUFFER_H

#include "analyzer/base/allocate.h"

#include <stdint.h>
#include <string.h>

struct vbt_text_buffer {
    char *text; /* not terminated; the user frees it */
    size_t size, capacity;
};

static inline void vbt_buffer_bytes(struct vbt_text_buffer *buffer, const char *bytes, size_t size) {
    if (size > buffer->capacity - buffer->size || buffer->text == NULL)
        buffer->text = vbt_grow(buffer->text, &buffer->capacity, buffer->size + size, 1);
    if (size > 0)
        memcpy(buffer->text + buffer->size, bytes, size);
    buffer->size += size;
}

static inline void vbt_buffer_text(struct vbt_text_buffer *buffer, const char *text) {
    vbt_buffer_bytes(buffer, text, strlen(text));
}

/* In decimal, as %lld does. */
void vbt_buffer_integer(struct vbt_text_buffer *buffer, int64_t number);

#endif
