/* See allocate.h. */
#include "allocate.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void vbt_out_of_memory(void) {
    fputs("vbtrace: out of memory\n", stderr);
    exit(2);
}

static void *checked(void *memory) {
    if (memory == NULL)
        vbt_out_of_memory();
    return memory;
}

void *vbt_new(size_t count, size_t size) { return checked(calloc(count > 0 ? count : 1, size)); }

void *vbt_grow(void *array, size_t *capacity, size_t needed, size_t size) {
    if (needed <= *capacity && array != NULL)
        return array;
    size_t wanted = *capacity < SIZE_MAX / 2 ? 2 * *capacity : SIZE_MAX;
    if (wanted < needed)
        wanted = needed;
    if (wanted < 16)
        wanted = 16;
    array = checked(reallocarray(array, wanted, size));
    *capacity = wanted;
    return array;
}

char *vbt_copy(const char *bytes, size_t size) {
    char *copy = vbt_new(size + 1, 1);
    memcpy(copy, bytes, size);
    return copy;
}

char *vbt_text_of(const char *format, va_list arguments) {
    char *text;
    return checked(vasprintf(&text, format, arguments) < 0 ? NULL : text);
}

char *vbt_text(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = vbt_text_of(format, arguments);
    va_end(arguments);
    return text;
}
