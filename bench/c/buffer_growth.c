/* A text of n pieces of 16 characters in a buffer from realloc: grown by every piece, and doubled
 * when full.
 *
 * expect every_piece: allocs n; bytes 8 * n * (n + 1)
 * expect doubled: allocs log2(n) + 1; bytes 16 * (2 * n - 1) */
#include "measure.h"

enum { PIECE = 16 };

static void *grown(void *buffer, size_t size) {
    void *larger = realloc(buffer, size);
    if (larger == NULL) {
        perror("realloc");
        exit(1);
    }
    return larger;
}

static void every_piece(size_t n) {
    char *text = NULL;
    for (size_t i = 0; i < n; i++) {
        text = grown(text, (i + 1) * PIECE);
        memcpy(text + i * PIECE, "0123456789abcdef", PIECE);
    }
    used(text);
    free(text);
}

static void doubled(size_t n) {
    char *text = NULL;
    for (size_t i = 0, room = 0; i < n; i++) {
        if (i == room) {
            room = room > 0 ? 2 * room : 1;
            text = grown(text, room * PIECE);
        }
        memcpy(text + i * PIECE, "0123456789abcdef", PIECE);
    }
    used(text);
    free(text);
}

int main(int argc, char **argv) {
    static const struct variant variants[] = {{"every_piece", every_piece}, {"doubled", doubled}, {NULL, NULL}};
    return measure(argc, argv, variants);
}
