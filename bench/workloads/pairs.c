/* Nothing but malloc and free, in pairs, at the end of call chains. Arguments: variant, depth,
 * threads, total pairs, seed.
 *
 * loop: each of 16 chains, which part at the root, is called once and makes thousands of pairs at
 * its end: the same stack again and again. anew: the 16 chains take turns, and each call makes one
 * pair: all frames are entered anew for every pair. churn: each pair is made at the end of a
 * chain chosen at random, from the root on, out of 1,024. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOP_CHAINS = 16, LOOP_PAIRS = 4096, CHURN_CHAINS = 1024, KEPT = 64 };

struct work {
    pthread_t thread;
    uint64_t random;
    long left; /* pairs still to be made */
    void *kept[KEPT];
};

static int depth;
static long pairs_a_chain; /* made at its end */
static int churn;

static uint64_t random_number(uint64_t *state) { /* xorshift64 */
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* The end of a chain. Mixed sizes: mostly 16 to 271 bytes, one in 64 up to 8 KiB. A block lives
 * until 64 later ones have been made. */
static void __attribute__((noinline)) make_pairs(struct work *work) {
    for (long n = work->left < pairs_a_chain ? work->left : pairs_a_chain; n > 0; n--) {
        uint64_t number = random_number(&work->random);
        size_t size = 16 + (number % 64 == 0 ? number >> 16 & 8191 : number >> 16 & 255);
        void **kept = &work->kept[number >> 40 & (KEPT - 1)];
        free(*kept);
        *kept = malloc(size);
        if (*kept == NULL) {
            perror("pairs");
            exit(1);
        }
        *(char *)*kept = 1;
        work->left--;
    }
}

typedef void step(struct work *work, uint64_t path, int level);
static step step_0, step_1, step_2, step_3;
static step *const steps[] = {step_0, step_1, step_2, step_3};

/* Four functions that call each other, with frames of several sizes: two bits of the path choose
 * the next. */
#define STEP(number, room)                                                                                                         \
    static void __attribute__((noinline)) step_##number(struct work *work, uint64_t path, int level) {                             \
        volatile char frame[room];                                                                                                 \
        frame[level % (room)] = 1;                                                                                                 \
        if (level >= depth)                                                                                                        \
            make_pairs(work);                                                                                                      \
        else                                                                                                                       \
            steps[path & 3](work, path >> 2 | path << 62, level + 1);                                                              \
        frame[0]++; /* keeps the call above from being a tail call */                                                              \
    }

STEP(0, 8)
STEP(1, 40)
STEP(2, 136)
STEP(3, 16)

/* main or a thread's start, run, the steps, make_pairs: about `depth` frames from run on. */
static void *run(void *argument) {
    struct work *work = argument;
    for (uint64_t turn = 0; work->left > 0; turn++) {
        uint64_t chain = churn ? random_number(&work->random) >> 20 & (CHURN_CHAINS - 1) : turn % LOOP_CHAINS;
        uint64_t path = 0x9e3779b97f4a7c15u * (chain + 1);
        steps[path >> 62](work, path, 3);
    }
    for (int i = 0; i < KEPT; i++)
        free(work->kept[i]);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 6 || (strcmp(argv[1], "loop") != 0 && strcmp(argv[1], "anew") != 0 && strcmp(argv[1], "churn") != 0)) {
        fputs("pairs: expected loop, anew or churn, depth, threads, pairs and seed\n", stderr);
        return 2;
    }
    churn = argv[1][0] == 'c';
    pairs_a_chain = argv[1][0] == 'l' ? LOOP_PAIRS : 1;
    depth = atoi(argv[2]);
    int threads = atoi(argv[3]);
    long pairs = atol(argv[4]);
    struct work *works = calloc((size_t)threads, sizeof *works);
    if (works == NULL)
        return 1;
    for (int i = 0; i < threads; i++) {
        works[i].random = (0x9e3779b97f4a7c15u ^ (uint64_t)strtoull(argv[5], NULL, 10)) + (uint64_t)i;
        works[i].left = pairs / threads + (i < pairs % threads);
        if (i > 0 && pthread_create(&works[i].thread, NULL, run, &works[i]) != 0)
            return 1;
    }
    run(&works[0]);
    for (int i = 1; i < threads; i++)
        pthread_join(works[i].thread, NULL);
    free(works);
    return 0;
}
