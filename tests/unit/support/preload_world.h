/* The environment for tests of the preload library's modules: everything its constructor would set
 * up, without hooks.
 *
 * No test is traced: events are booked by hand, at made-up addresses that are never accessed. */
#ifndef PRELOAD_WORLD_H
#define PRELOAD_WORLD_H

#include "preload/thread/thread.h"
#include "preload/tree/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes tree, code and shadow, once a process. */
void world_init(void);

/* The same for tests of line mode: its node and its books. Returns a heap node. */
uint32_t world_init_lines(void);

/* Removes the options of whoever runs the tests from the environment. */
void world_without_options(void);

/* For cmocka, before each test: no thread has a state, no block lives, there was no peak yet. What
 * is interned stays. Returns 0. */
int world_reset(void **state);

/* The node of a place with this name under a parent, in a domain. */
uint32_t world_node(uint32_t parent, const char *name, enum vbt_domain domain);

/* A place as from the hooks: with counters from the thread's ledger. */
struct vbt_place world_place(struct vbt_thread *thread, uint32_t node);

/* Books an event of the thread at a made-up address. */
void world_alloc(struct vbt_thread *thread, uint32_t node, uintptr_t block, size_t size);
uint64_t world_free(struct vbt_thread *thread, uintptr_t block);

/* A clock reading that counts as the user's. */
void world_reading(struct vbt_ledger *ledger, uint32_t site, int64_t time);

/* Random numbers, the same in every run (splitmix64). */
uint64_t world_random(uint64_t *seed);

/* Runs a function in a new thread and waits for it. */
void world_in_thread(void *(*function)(void *), void *argument);

/* Points standard error to a temporary file for the library's messages; world_said gives back what
 * it said and restores standard error. */
void world_listen(void);
const char *world_said(void);

/* Has the run a note with this part? */
bool world_noted(const char *part);

#endif
