/* Writes protobuf's wire format: fields one after another into a buffer. */
#ifndef VBT_PROTOBUF_H
#define VBT_PROTOBUF_H

#include "analyzer/base/arrays/text_buffer.h"

static inline void vbt_proto_varint(struct vbt_text_buffer *buffer, uint64_t value) {
    char bytes[10];
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[size++] = (char)(value | 0x80);
    bytes[size++] = (char)value;
    vbt_buffer_bytes(buffer, bytes, size);
}

/* A number as int64, uint64 or bool; 0, which is the default, is left out. */
static inline void vbt_proto_number(struct vbt_text_buffer *buffer, unsigned field, uint64_t value) {
    if (value == 0)
        return;
    vbt_proto_varint(buffer, field << 3);
    vbt_proto_varint(buffer, value);
}

/* A string, bytes, or a message that was written to a buffer of its own. */
static inline void vbt_proto_bytes(struct vbt_text_buffer *buffer, unsigned field, const char *bytes, size_t size) {
    vbt_proto_varint(buffer, field << 3 | 2);
    vbt_proto_varint(buffer, size);
    vbt_buffer_bytes(buffer, bytes, size);
}

static inline void vbt_proto_message(struct vbt_text_buffer *buffer, unsigned field, const struct vbt_text_buffer *message) {
    vbt_proto_bytes(buffer, field, message->text, message->size);
}

#endif
