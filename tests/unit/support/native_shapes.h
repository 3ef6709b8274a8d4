/* Functions whose frames differ in shape, for tests of native call stacks. */
#ifndef NATIVE_SHAPES_H
#define NATIVE_SHAPES_H

#include <stdint.h>

/* Called by the shapes wherever the stack is to be captured. */
typedef void (*looker)(void);

/* One compilation of the shapes. */
struct shapes {
    /* Recurses to a depth and captures, on the way in and out, at every `every`th level. */
    void (*recurse)(int depth, int every, looker look);
    /* Walks through functions of all shapes: calls chosen by the seed, `steps` captures, at most
     * `depth` deep. */
    void (*wander)(uint64_t seed, int steps, int depth, looker look);
    /* Leaves many frames at once, again and again. */
    void (*jump)(int times, looker look);
    /* Frames of the same function at the same place, whose stack is realigned from different
     * places. */
    void (*realign)(int times, looker look);
};

extern const struct shapes shapes_at_o0, shapes_at_o2, shapes_at_o3;

#endif
