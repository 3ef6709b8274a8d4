/* See call_counts.h. What can be told from other measures is packed as the difference from that. */
#include "call_counts.h"

#include "analyzer/base/allocate.h"
#include "format/varint.h"

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
static int64_t minus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }

/* The numbers of a row. */
enum { ALLOCS, BYTES, BLOCKS, LEAKS, PEAK, TEMPORARY, LIVE, LIVE_BLOCKS, GROWN, NUMBERS };

/* What is live if nothing was freed, or everything. */
static int64_t likely_leaks(int64_t allocs, int64_t bytes, int64_t blocks) { return blocks != 0 && blocks == allocs ? bytes : 0; }

struct vbt_measures vbt_measures_of(const struct vbt_packed_rows *rows, uint32_t row) {
    uint64_t v[NUMBERS];
    vbt_packed_get(rows, row, v, NUMBERS);
    int64_t blocks = vbt_unzigzag(v[BLOCKS]);
    int64_t leaks = plus(vbt_unzigzag(v[LEAKS]), likely_leaks((int64_t)v[ALLOCS], (int64_t)v[BYTES], blocks));
    return (struct vbt_measures){{
        [VBT_MEASURE_BYTES] = (int64_t)v[BYTES],
        [VBT_MEASURE_ALLOCS] = (int64_t)v[ALLOCS],
        [VBT_MEASURE_PEAK] = plus(vbt_unzigzag(v[PEAK]), leaks),
        [VBT_MEASURE_LEAKS] = leaks,
        [VBT_MEASURE_TEMPORARY] = (int64_t)v[TEMPORARY],
        [VBT_MEASURE_BLOCKS] = blocks,
        [VBT_MEASURE_LIVE] = plus(vbt_unzigzag(v[LIVE]), leaks),
        [VBT_MEASURE_LIVE_BLOCKS] = plus(vbt_unzigzag(v[LIVE_BLOCKS]), blocks),
        [VBT_MEASURE_GROWN] = plus(vbt_unzigzag(v[GROWN]), leaks),
    }};
}

int64_t vbt_measure_of(const struct vbt_packed_rows *rows, uint32_t row, enum vbt_measure measure) {
    if (row == 0)
        return 0;
    if (measure == VBT_MEASURE_ALLOCS || measure == VBT_MEASURE_BYTES)
        return (int64_t)vbt_packed_one(rows, row, measure == VBT_MEASURE_ALLOCS ? ALLOCS : BYTES);
    return vbt_measures_of(rows, row).of[measure];
}

uint32_t vbt_measures_put(struct vbt_packed_rows *rows, uint32_t row, const struct vbt_measures *measures) {
    const int64_t *of = measures->of;
    int64_t leaks = of[VBT_MEASURE_LEAKS], blocks = of[VBT_MEASURE_BLOCKS];
    int64_t likely = likely_leaks(of[VBT_MEASURE_ALLOCS], of[VBT_MEASURE_BYTES], blocks);
    const uint64_t v[NUMBERS] = {
        [ALLOCS] = (uint64_t)of[VBT_MEASURE_ALLOCS],
        [BYTES] = (uint64_t)of[VBT_MEASURE_BYTES],
        [BLOCKS] = vbt_zigzag(blocks),
        [LEAKS] = vbt_zigzag(minus(leaks, likely)),
        [PEAK] = vbt_zigzag(minus(of[VBT_MEASURE_PEAK], leaks)),
        [TEMPORARY] = (uint64_t)of[VBT_MEASURE_TEMPORARY],
        [LIVE] = vbt_zigzag(minus(of[VBT_MEASURE_LIVE], leaks)),
        [LIVE_BLOCKS] = vbt_zigzag(minus(of[VBT_MEASURE_LIVE_BLOCKS], blocks)),
        [GROWN] = vbt_zigzag(minus(of[VBT_MEASURE_GROWN], leaks)),
    };
    row = vbt_packed_put(rows, row, v, NUMBERS);
    if (row == 0)
        vbt_out_of_memory();
    return row;
}

static struct vbt_measures sum_of(struct vbt_measures sum, const struct vbt_measures *more) {
    for (int i = 0; i < VBT_MEASURES; i++)
        sum.of[i] = plus(sum.of[i], more->of[i]);
    return sum;
}

uint32_t vbt_measures_add(struct vbt_packed_rows *rows, uint32_t row, const struct vbt_measures *more) {
    const struct vbt_measures sum = sum_of(vbt_measures_of(rows, row), more);
    return vbt_measures_put(rows, row, &sum);
}

uint32_t vbt_measures_put_sum(struct vbt_packed_rows *rows, uint32_t row, const struct vbt_measures *more) {
    const struct vbt_measures sum = sum_of(vbt_measures_of(rows, row), more);
    return vbt_measures_put(rows, 0, &sum);
}

static int64_t own_live(const struct vbt_model_counters *c, int64_t live, uint64_t inherited) {
    return c->without_inherited ? (live > 0 ? live : 0) : vbt_own_live(live, inherited);
}

struct vbt_measures vbt_measures_of_counters(const struct vbt_model_counters *c) {
    return (struct vbt_measures){{
        [VBT_MEASURE_BYTES] = (int64_t)c->allocated,
        [VBT_MEASURE_ALLOCS] = (int64_t)c->allocs,
        [VBT_MEASURE_PEAK] = c->at_peak_bytes,
        [VBT_MEASURE_LEAKS] = own_live(c, c->live_bytes, c->inherited_bytes),
        [VBT_MEASURE_TEMPORARY] = (int64_t)c->temporary,
        [VBT_MEASURE_BLOCKS] = own_live(c, c->live_blocks, c->inherited_blocks),
        [VBT_MEASURE_LIVE] = c->live_bytes,
        [VBT_MEASURE_LIVE_BLOCKS] = c->live_blocks,
        [VBT_MEASURE_GROWN] = vbt_counters_grown(c->live_bytes, c->start_bytes),
    }};
}
