/* Numbers as people read them. Results are returned by value: vbt_bytes(n).text lives until the end
 * of its expression. */
#ifndef VBT_UNITS_H
#define VBT_UNITS_H

#include <stdint.h>

struct vbt_unit {
    char text[48];
};

/* 1,234,567 */
struct vbt_unit vbt_count(int64_t n);

/* 1 block, 1,234 blocks: a number with its noun, whose plural ends in "s" or "es" */
struct vbt_unit vbt_counted(int64_t n, const char *noun);

/* 24 B, 1.2 KiB, 48.0 MiB; negative ones too */
struct vbt_unit vbt_bytes(int64_t bytes);

/* A mean, exact to a tenth of a byte as long as that fits: 48 B, 48.3 B, 1,031.5 B, 1.2 MiB */
struct vbt_unit vbt_mean_bytes(double bytes);

/* 46.863 MiB, as memory_profiler writes it */
struct vbt_unit vbt_mib(int64_t bytes);

/* 850 ns, 1.02 µs, 12.3 ms, 1.20 s, 3 min 20 s, 2 h 5 min */
struct vbt_unit vbt_time(double ns);

/* 0.1, 1e+300: as few digits as give the same number again */
struct vbt_unit vbt_real(double x);

/* 2.000, 1,048,576.000 */
struct vbt_unit vbt_rate(double per_iteration);

/* ns since 1970: 2026-01-31 09:05:00 UTC, and 2026-01-31T09:05:00.123456789Z. No local time: a
 * report reads the same wherever it is made. */
struct vbt_unit vbt_date(int64_t ns);
struct vbt_unit vbt_iso_date(int64_t ns);

#endif
