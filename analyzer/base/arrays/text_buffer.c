/* See text_buffer.h. */
#include "text_buffer.h"

enum { MOST_DIGITS = 20 };

void vbt_buffer_integer(struct vbt_text_buffer *b, int64_t number) {
    if (number >= 0 && number <= 9) {
        vbt_buffer_bytes(b, &"0123456789"[number], 1);
        return;
    }
    char digits[MOST_DIGITS + 1], *at = digits + sizeof digits;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do
        *--at = (char)('0' + left % 10);
    while ((left /= 10) != 0);
    if (number < 0)
        *--at = '-';
    vbt_buffer_bytes(b, at, (size_t)(digits + sizeof digits - at));
}
