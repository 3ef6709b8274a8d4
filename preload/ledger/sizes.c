/* See sizes.h. */
#include "sizes.h"

#include "shadow.h"

#define FEW (UINT64_C(1) << 63)
#define FEW_LIMIT ((UINT64_C(1) << VBT_FEW_SIZE_BITS) - 1) /* sizes below it fit */

/* The sizes that are kept in place of a pointer. */
struct few {
    uint64_t sizes[VBT_FEW_SIZES];
    uint32_t count;
};

static struct few few_of(uint64_t word) {
    struct few few = {{0}, 0};
    for (; few.count < VBT_FEW_SIZES && (word & FEW_LIMIT) != 0; word = (word & ~FEW) >> VBT_FEW_SIZE_BITS)
        few.sizes[few.count++] = (word & FEW_LIMIT) - 1;
    return few;
}

static struct vbt_sizes *pack(const struct few *few) {
    uint64_t word = 0;
    for (uint32_t i = few->count; i-- > 0;)
        word = word << VBT_FEW_SIZE_BITS | (few->sizes[i] + 1);
    return few->count == 0 ? NULL : (struct vbt_sizes *)(uintptr_t)(word | FEW); /* no address is as high */
}

static struct few read_few(const struct vbt_sizes *sizes) { return few_of((intptr_t)sizes < 0 ? (uint64_t)(uintptr_t)sizes : 0); }

struct vbt_sizes *vbt_sizes_pack(const uint16_t *requests, uint32_t count) {
    struct few few = {{0}, 0};
    for (uint32_t i = 1; i < count; i++)
        if (requests[i] != requests[0])
            few.sizes[few.count++] = requests[i];
    return pack(&few);
}

bool vbt_sizes_unpack(const struct vbt_counters *counters, uint16_t *requests) {
    struct few few = read_few(counters->sizes);
    if (vbt_sizes_of(counters) != NULL || few.count > counters->allocs)
        return false;
    uint64_t usual = counters->allocs - few.count;
    for (uint64_t i = 0; i < counters->allocs; i++) {
        uint64_t size = i < usual ? counters->usual_size : few.sizes[i - usual];
        if (size > UINT16_MAX)
            return false;
        requests[i] = (uint16_t)size;
    }
    return true;
}

static void set_range(struct vbt_sizes *sizes, uint64_t min, uint64_t max) {
    uint64_t end = max < VBT_CELL_SIZES ? max + 1 : VBT_CELL_SIZES;
    sizes->min = min;
    sizes->max = max;
    sizes->span = min < end ? end - min : 0;
}

/* Makes cells for the buckets from `first` to `last`, besides those that exist. Readers see the old
 * cells or the new ones. False: there is no memory. */
static bool make_cells(struct vbt_ledger *ledger, struct vbt_sizes *sizes, uint64_t first, uint64_t last) {
    const struct vbt_size_cells *old = sizes->cells;
    if (old != NULL) {
        uint64_t old_last = old->first + old->count - 1;
        if (first >= old->first && last <= old_last)
            return true;
        first = first < old->first ? first : old->first;
        last = last > old_last ? last : old_last;
    }
    struct vbt_size_cells *fresh = vbt_arena_alloc(&ledger->arena, sizeof *fresh + (last - first + 1) * sizeof fresh->allocs[0]);
    if (fresh == NULL)
        return false;
    fresh->first = first;
    fresh->count = last - first + 1;
    for (uint64_t i = 0; old != NULL && i < old->count; i++)
        fresh->allocs[old->first + i - first] = old->allocs[i];
    atomic_thread_fence(memory_order_release);
    sizes->cells = fresh;
    sizes->allocs = fresh->allocs - first;
    return true;
}

static uint64_t counted_in(const struct vbt_sizes *sizes) {
    uint64_t counted = 0;
    for (uint64_t i = 0; sizes->cells != NULL && i < sizes->cells->count; i++)
        counted += sizes->cells->allocs[i];
    return counted;
}

static void count_size(struct vbt_ledger *ledger, struct vbt_sizes *sizes, uint64_t size, uint64_t times) {
    if (times == 0)
        return;
    if (!make_cells(ledger, sizes, vbt_size_bucket(size), vbt_size_bucket(size))) {
        ledger->lost[VBT_LOST_MEMORY]++;
        return;
    }
    sizes->allocs[vbt_size_bucket(size)] += times;
    if (size < sizes->min || size > sizes->max) {
        sizes->min_before = sizes->min;
        sizes->max_before = sizes->max;
        set_range(sizes, size < sizes->min ? size : sizes->min, size > sizes->max ? size : sizes->max);
    }
}

static struct vbt_sizes *new_sizes(struct vbt_ledger *ledger, struct vbt_counters *counters, size_t size) {
    struct few few = read_few(counters->sizes);
    struct vbt_sizes *sizes = vbt_arena_alloc(&ledger->arena, sizeof *sizes);
    if (sizes == NULL) {
        ledger->lost[VBT_LOST_MEMORY]++;
        return NULL;
    }
    sizes->min = UINT64_MAX;
    unsigned first = vbt_size_bucket(size), last = first;
    for (uint32_t i = 0; i < few.count; i++) {
        unsigned bucket = vbt_size_bucket(few.sizes[i]);
        first = bucket < first ? bucket : first;
        last = bucket > last ? bucket : last;
    }
    make_cells(ledger, sizes, first, last); /* those of the usual size only when that changes */
    for (uint32_t i = 0; i < few.count; i++)
        count_size(ledger, sizes, few.sizes[i], 1);
    atomic_thread_fence(memory_order_release); /* published before the pointer, which the stream's thread follows */
    counters->sizes = sizes;
    return sizes;
}

static bool is_among_few(struct vbt_counters *counters, size_t size) {
    enum { ALL_BITS = VBT_FEW_SIZES * VBT_FEW_SIZE_BITS };
    uint64_t word = (uint64_t)(uintptr_t)counters->sizes;
    unsigned shift = 0;
    if (vbt_sizes_of(counters) != NULL || size >= FEW_LIMIT)
        return false;
    while (shift < ALL_BITS && (word >> shift & FEW_LIMIT) != 0)
        shift += VBT_FEW_SIZE_BITS;
    if (shift == ALL_BITS)
        return false;
    counters->sizes = (struct vbt_sizes *)(uintptr_t)(word | FEW | (uint64_t)(size + 1) << shift);
    return true;
}

void vbt_sizes_count(struct vbt_ledger *ledger, struct vbt_counters *counters, size_t size) {
    if (counters->allocs == 1 && size < UINT32_MAX) {
        counters->usual_size = (uint32_t)size;
        return;
    }
    if (is_among_few(counters, size))
        return;
    struct vbt_sizes *sizes = vbt_sizes_of(counters);
    if (sizes == NULL && (sizes = new_sizes(ledger, counters, size)) == NULL)
        return;
    count_size(ledger, sizes, size, 1);
    if (sizes->cells == NULL || sizes->allocs[vbt_size_bucket(size)] % VBT_SIZES_LOOK != 1)
        return;
    uint64_t counted = counted_in(sizes);
    if ((uint32_t)counted - sizes->looked_counted > ((uint32_t)counters->allocs - sizes->looked) / 2 && size < UINT32_MAX) {
        count_size(ledger, sizes, counters->usual_size, counters->allocs - counted);
        counters->usual_size = (uint32_t)size;
        counted = counters->allocs;
    }
    sizes->looked = (uint32_t)counters->allocs;
    sizes->looked_counted = (uint32_t)counted;
}

static void uncount_few(struct vbt_counters *counters, size_t size) {
    struct few few = read_few(counters->sizes);
    if (few.count == 0 || few.sizes[few.count - 1] != size)
        return;
    few.count--;
    counters->sizes = pack(&few);
}

/* The smallest and largest size before the latest request are not always known: then what remains
 * of the two. */
void vbt_sizes_uncount(struct vbt_counters *counters, size_t size) {
    struct vbt_sizes *sizes = vbt_sizes_of(counters);
    if (sizes == NULL && size != counters->usual_size)
        uncount_few(counters, size);
    if (sizes == NULL || (size == counters->usual_size && counters->allocs + 1 > counted_in(sizes)))
        return; /* it was not counted here */
    if (--sizes->allocs[vbt_size_bucket(size)] > 0)
        return;
    if (size == sizes->min)
        set_range(sizes, sizes->min_before != size ? sizes->min_before : sizes->max, sizes->max);
    if (size == sizes->max)
        set_range(sizes, sizes->min, sizes->max_before != size ? sizes->max_before : sizes->min);
}

/* Where a histogram is to be added to. */
struct sum {
    uint64_t *allocs, *min, *max;
};

static void add_range(const struct sum *sum, uint64_t min, uint64_t max) {
    if (min < *sum->min)
        *sum->min = min;
    if (max > *sum->max)
        *sum->max = max;
}

static void add_size(const struct sum *sum, uint64_t size, uint64_t times) {
    if (times == 0)
        return;
    sum->allocs[vbt_size_bucket(size)] += times;
    add_range(sum, size, size);
}

/* By now, what is counted by size may be more than the account's allocations that are read here. */
static void add_usual(const struct sum *sum, const struct vbt_counters *counters, uint64_t counted) {
    uint64_t allocs = counters->allocs;
    add_size(sum, counters->usual_size, counted < allocs ? allocs - counted : 0);
}

void vbt_sizes_read(const struct vbt_counters *counters, uint64_t allocs[VBT_SIZE_BUCKETS], uint64_t *min, uint64_t *max) {
    const struct sum sum = {allocs, min, max};
    const struct vbt_sizes *sizes = *(struct vbt_sizes *const volatile *)&counters->sizes;
    if ((intptr_t)sizes <= 0) {
        struct few few = read_few(sizes);
        add_usual(&sum, counters, few.count);
        for (uint32_t i = 0; i < few.count; i++)
            add_size(&sum, few.sizes[i], 1);
        return;
    }
    const struct vbt_size_cells *cells = *(struct vbt_size_cells *const volatile *)&sizes->cells;
    uint64_t counted = 0;
    for (uint64_t i = 0; cells != NULL && i < cells->count; i++) {
        allocs[cells->first + i] += cells->allocs[i];
        counted += cells->allocs[i];
    }
    add_usual(&sum, counters, counted);
    add_range(&sum, sizes->min, sizes->max);
}
