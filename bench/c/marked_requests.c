/* n requests of changing size, each in a section of its own: a buffer for every request, and one
 * buffer that is kept and grows when it must.
 *
 * expect buffer_each: allocs n; bytes 288 * n; each 1..1
 * expect buffer_kept: allocs 8; bytes 64 * 36; each 0..1 */
#include "measure.h"

enum { STEP = 64, SIZES = 8 }; /* requests of 64, 128 ... 512, 64, 128 ... bytes */

static void handle(char *buffer, size_t size) {
    memset(buffer, 'r', size);
    used(buffer);
}

static size_t size_of_request(size_t i) { return STEP * (i % SIZES + 1); }

static char *grown(char *buffer, size_t size) {
    char *larger = realloc(buffer, size);
    if (larger == NULL) {
        perror("realloc");
        exit(1);
    }
    return larger;
}

static void buffer_each(size_t n) {
    for (size_t i = 0; i < n; i++) {
        vbtrace_begin(each_iteration, 1);
        char *buffer = grown(NULL, size_of_request(i));
        handle(buffer, size_of_request(i));
        free(buffer);
        vbtrace_end(each_iteration);
    }
}

static void buffer_kept(size_t n) {
    char *buffer = NULL;
    for (size_t i = 0, room = 0; i < n; i++) {
        vbtrace_begin(each_iteration, 1);
        if (size_of_request(i) > room) {
            room = size_of_request(i);
            buffer = grown(buffer, room);
        }
        handle(buffer, size_of_request(i));
        vbtrace_end(each_iteration);
    }
    free(buffer);
}

int main(int argc, char **argv) {
    static const struct variant variants[] = {{"buffer_each", buffer_each}, {"buffer_kept", buffer_kept}, {NULL, NULL}};
    return measure(argc, argv, variants);
}
