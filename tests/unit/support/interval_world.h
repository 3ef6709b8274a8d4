/* What the tests of intervals and sections share: a thread, four nodes of the program and one of
 * vbtrace's, and the groups that its readings and sections end in. */
#ifndef VBT_INTERVAL_WORLD_H
#define VBT_INTERVAL_WORLD_H

#include "preload/ledger/interval.h"
#include "preload/thread/thread.h"

extern struct vbt_thread *thread;
extern uint32_t nodes[4];
extern uint32_t own; /* one of vbtrace's nodes */

/* Sites and labels are numbers to this module. Each test takes fresh ones, so that its groups are
 * its own. */
extern uint32_t fresh;

/* Makes the nodes; once, before all tests. */
void interval_world_init(void);

/* Before each test, as cmocka calls it. */
int interval_begin(void **state);

uint32_t group_count(void);

/* The only group with these that counted something; NULL if there is none. */
const struct vbt_interval_group *group_of(enum vbt_interval_kind kind, uint32_t from, uint32_t to, uint32_t label);

/* What flowed at a node in a group; all 0 if nothing did. */
struct vbt_flow flow_at(const struct vbt_interval_group *group, uint32_t node);

void assert_flow(const struct vbt_interval_group *group, uint32_t node, uint64_t allocs, uint64_t frees, uint64_t allocated,
                 uint64_t freed);
void assert_stats(const struct vbt_interval_group *group, enum vbt_quantity quantity, int64_t min, int64_t max, int64_t total);

/* Events of `thread`. */
void reading(uint32_t site, int64_t time);
void open_section(uint32_t site, uint32_t label, uint64_t iterations, int64_t time);
void close_section(uint32_t site, uint32_t label, int64_t time);

#endif
