/* uthash, set up to end the program when memory runs out, and to hash with a key chosen per run, so
 * that no trace can be crafted to put everything into one bucket. */
#ifndef VBT_HASH_H
#define VBT_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "allocate.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

static inline uint64_t vbt_hash_key(void) {
    static uint64_t key;
    while (key == 0)
        if (getrandom(&key, sizeof key, GRND_NONBLOCK) != sizeof key)
            key = (uint64_t)(uintptr_t)&key;
    return key;
}

#define HASH_FUNCTION(bytes, size, hash) (hash) = (unsigned)XXH64((bytes), (size), vbt_hash_key())
#define uthash_fatal(text) vbt_out_of_memory()

/* uthash's macros convert between signed and unsigned. */
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wconversion"
#include <uthash.h>

#endif
