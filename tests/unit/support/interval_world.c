#include "interval_world.h"

#include "preload/ledger/ledger.h"
#include "preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct vbt_thread *thread;
uint32_t nodes[4];
uint32_t own;
uint32_t fresh = 100;

void interval_world_init(void) {
    static const char *const names[] = {"a", "b", "c", "d"};
    world_init();
    for (int i = 0; i < 4; i++)
        nodes[i] = world_node(0, names[i], VBT_DOMAIN_PYTHON);
    own = vbt_tree.own_node;
}

int interval_begin(void **state) {
    world_reset(state);
    thread = vbt_thread_begin();
    fresh += 100;
    return 0;
}

uint32_t group_count(void) { return vbt_interval_groups.groups.count; }
const struct vbt_interval_group *group_of(enum vbt_interval_kind kind, uint32_t from, uint32_t to, uint32_t label) {
    const struct vbt_interval_group *found = NULL;
    for (uint32_t id = 1; id < group_count(); id++) {
        const struct vbt_interval_group *group = vbt_interval_group_at(id);
        if (group != NULL && group->kind == kind && group->from == from && group->to == to && group->label == label &&
            group->count > 0) {
            assert_null(found);
            found = group;
        }
    }
    return found;
}

struct vbt_flow flow_at(const struct vbt_interval_group *group, uint32_t node) {
    for (uint32_t id = 1; id < vbt_interval_groups.sites.count; id++) {
        const struct vbt_interval_site *site = vbt_interval_site_at(id);
        if (site != NULL && vbt_interval_group_at(site->group) == group && site->node == node)
            return site->flow;
    }
    return (struct vbt_flow){0, 0, 0, 0};
}

void assert_flow(const struct vbt_interval_group *group, uint32_t node, uint64_t allocs, uint64_t frees, uint64_t allocated,
                 uint64_t freed) {
    struct vbt_flow flow = flow_at(group, node);
    assert_int_equal(flow.allocs, allocs);
    assert_int_equal(flow.frees, frees);
    assert_int_equal(flow.allocated, allocated);
    assert_int_equal(flow.freed, freed);
}

void assert_stats(const struct vbt_interval_group *group, enum vbt_quantity quantity, int64_t min, int64_t max, int64_t total) {
    assert_non_null(group);
    assert_int_equal(group->stats[quantity].min, min);
    assert_int_equal(group->stats[quantity].max, max);
    assert_int_equal(group->stats[quantity].total, total);
}

void reading(uint32_t site, int64_t time) { world_reading(&thread->ledger, site, time); }

void open_section(uint32_t site, uint32_t label, uint64_t iterations, int64_t time) {
    vbt_intervals_section_begin(&thread->ledger, site, label, iterations, time);
}

void close_section(uint32_t site, uint32_t label, int64_t time) { vbt_intervals_section_end(&thread->ledger, site, label, time); }
