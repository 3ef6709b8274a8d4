/* A preloaded library that simulates a machine out of memory: from allocation number FAIL_FROM on,
 * every one fails. At the end it writes the number of requests to descriptor FAIL_TELL, if that is
 * set. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

static unsigned long asked, first_to_fail;

__attribute__((constructor)) static void start(void) {
    const char *from = getenv("FAIL_FROM");
    first_to_fail = from != NULL ? strtoul(from, NULL, 10) : 0;
    asked = 0;
}

__attribute__((destructor)) static void tell(void) {
    const char *descriptor = getenv("FAIL_TELL");
    char text[32];
    int size = snprintf(text, sizeof text, "%lu", asked);
    if (descriptor != NULL && write(atoi(descriptor), text, (size_t)size) != size)
        abort();
}

static int fails(void) {
    asked++;
    if (first_to_fail == 0 || asked < first_to_fail)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails() ? NULL : __libc_calloc(count, size); }
void *realloc(void *block, size_t size) { return fails() ? NULL : __libc_realloc(block, size); }

void *reallocarray(void *block, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}
