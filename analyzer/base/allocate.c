/* See allocate.h. */
#include "allocate.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE = 1 << 17 };

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

/* Large arrays are to be mapped: they grow without a copy, and what is freed is given back. By
 * itself, malloc does so for larger and larger ones only. */
static void map_large(void) {
    static bool done;
    if (!done)
        mallopt(M_MMAP_THRESHOLD, LARGE);
    done = true;
}

void *vbt_grow(void *array, size_t *capacity, size_t needed, size_t size) {
    if (needed <= *capacity && array != NULL)
        return array;
    if (needed >= LARGE)
        map_large();
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
