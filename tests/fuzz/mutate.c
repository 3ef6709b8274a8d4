/* How the fuzzer changes recipes: chunk by chunk, and inside a payload number by number, so that
 * its inputs are nearly traces. */
#include "recipe.h"

#include "format/format.h"

#include <stdbool.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t capacity);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t capacity, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *left, size_t left_size, const uint8_t *right, size_t right_size, uint8_t *out,
                                 size_t capacity, unsigned seed);

static uint64_t random_state;

static unsigned next_random(size_t below) {
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)((random_state >> 33) % below);
}

static void seed_random(unsigned seed) {
    random_state = seed;
    next_random(1);
}

/* A payload being changed. */
static uint8_t payload[RECIPE_PAYLOAD_MAX];

static size_t put_varint(uint8_t *out, uint64_t n) {
    size_t size = 0;
    for (; n >= 0x80; n >>= 7)
        out[size++] = (uint8_t)(n | 0x80);
    out[size++] = (uint8_t)n;
    return size;
}

/* A number that is often at a limit, or near the present one. */
static uint64_t interesting(uint64_t old) {
    switch (next_random(8)) {
    case 0:
        return next_random(4);
    case 1:
        return old + 1;
    case 2:
        return old - 1;
    case 3:
        return old + next_random(64);
    case 4:
        return ~UINT64_C(0) - next_random(4);
    case 5:
        return old ^ 1; /* of a zigzag number: its sign */
    default:
        return (UINT64_C(1) << next_random(64)) - next_random(2);
    }
}

/* Replaces a number by another. */
static size_t change_number(size_t size) {
    size_t start = next_random(size), end;
    while (start > 0 && payload[start - 1] >= 0x80)
        start--;
    for (end = start; end < size && payload[end] >= 0x80;)
        end++;
    end += end < size;
    uint64_t old = 0;
    for (size_t i = start; i < end && i - start < 9; i++)
        old |= (uint64_t)(payload[i] & 0x7f) << (7 * (i - start));
    uint8_t number[16];
    size_t length = put_varint(number, interesting(old));
    if (next_random(32) == 0) { /* longer than necessary */
        number[length - 1] |= 0x80;
        for (unsigned more = next_random(6); more > 0 && length < sizeof number - 1; more--)
            number[length++] = 0x80;
        number[length++] = 0;
    }
    if (size - (end - start) + length > sizeof payload)
        return size;
    memmove(payload + start + length, payload + end, size - end);
    memcpy(payload + start, number, length);
    return size - (end - start) + length;
}

/* Repeats a part: columns grow. */
static size_t repeat_part(size_t size) {
    size_t start = next_random(size), length = 1 + next_random(size - start < 64 ? size - start : 64);
    if (size + length > sizeof payload)
        return size;
    memmove(payload + start + length, payload + start, size - start);
    return size + length;
}

static void change_payload(struct recipe_piece *piece) {
    size_t size = piece->size;
    memcpy(payload, piece->payload, size);
    for (unsigned times = 1 + next_random(3); times > 0; times--) {
        unsigned what = size > 0 ? next_random(8) : 0;
        if (what < 2)
            size = LLVMFuzzerMutate(payload, size, size + 64 < sizeof payload ? size + 64 : sizeof payload);
        else
            size = what == 2 ? repeat_part(size) : change_number(size);
    }
    piece->payload = payload;
    piece->size = size;
}

static void insert(struct recipe *recipe, size_t at, struct recipe_piece piece) {
    if (recipe->count == RECIPE_PIECES)
        return;
    memmove(&recipe->pieces[at + 1], &recipe->pieces[at], (recipe->count - at) * sizeof piece);
    recipe->pieces[at] = piece;
    recipe->count++;
}

static void change(struct recipe *recipe) {
    size_t at = recipe->count > 0 ? next_random(recipe->count) : 0, other = recipe->count > 0 ? next_random(recipe->count) : 0;
    struct recipe_piece *piece = &recipe->pieces[at];
    unsigned what = recipe->count > 0 ? next_random(20) : 19;
    switch (what) {
    case 0:
        recipe->count--;
        memmove(piece, piece + 1, (recipe->count - at) * sizeof *piece);
        break;
    case 1:
        insert(recipe, other, *piece);
        break;
    case 2: {
        struct recipe_piece swapped = *piece;
        *piece = recipe->pieces[other];
        recipe->pieces[other] = swapped;
        break;
    }
    case 3:
        piece->flags ^= (uint8_t)(1U << next_random(7));
        break;
    case 4:
    case 5:
        recipe->command = (uint8_t)(next_random(8) > 0 ? 255 : next_random(256)); /* mostly only the decoder, which is fast */
        break;
    case 6:
        recipe->columns = (uint8_t)next_random(256);
        break;
    case 19:
        insert(recipe, at, (struct recipe_piece){.kind = (uint8_t)next_random(24), .payload = payload});
        change_payload(&recipe->pieces[at]);
        break;
    default:
        change_payload(piece);
        break;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t capacity, unsigned seed) {
    static uint8_t old[1 << 20];
    seed_random(seed);
    if (size > sizeof old || next_random(50) == 0)
        return LLVMFuzzerMutate(bytes, size, capacity);
    struct recipe recipe;
    memcpy(old, bytes, size);
    recipe_read(&recipe, old, size);
    change(&recipe);
    return recipe_write(&recipe, bytes, capacity);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *left, size_t left_size, const uint8_t *right, size_t right_size, uint8_t *out,
                                 size_t capacity, unsigned seed) {
    static struct recipe a, b;
    seed_random(seed);
    recipe_read(&a, left, left_size);
    recipe_read(&b, right, right_size);
    if (a.count > 0)
        a.count = 1 + next_random(a.count);
    for (size_t i = b.count > 0 ? next_random(b.count) : 0; i < b.count && a.count < RECIPE_PIECES; i++)
        a.pieces[a.count++] = b.pieces[i];
    return recipe_write(&a, out, capacity);
}
