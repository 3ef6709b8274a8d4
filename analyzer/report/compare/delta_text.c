/* See delta_text.h. */
#include "delta_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum vbt_delta_unit vbt_counted_unit(int kind) {
    return kind == VBT_C_BYTES || kind == VBT_C_PEAK || kind == VBT_C_LEFT ? VBT_DELTA_BYTES : VBT_DELTA_COUNT;
}

const char *vbt_counted_title(int kind) {
    static const char *const titles[VBT_C_KINDS] = {
        [VBT_C_ALLOCS] = "Allocs", [VBT_C_BYTES] = "Bytes",        [VBT_C_PEAK] = "At peak",
        [VBT_C_LEFT] = "Left",     [VBT_C_BLOCKS] = "Blocks left", [VBT_C_TEMPORARY] = "Temp"};
    return titles[kind];
}

/* The nearest whole number that fits. */
static int64_t whole(double x) { return x >= 0x1p63 ? INT64_MAX : x <= -0x1p63 ? INT64_MIN : (int64_t)llround(x); }

struct vbt_unit vbt_mean_text(enum vbt_delta_unit unit, double mean) {
    if (unit == VBT_DELTA_TIME)
        return vbt_time(mean);
    if (unit == VBT_DELTA_BYTES)
        return vbt_bytes(whole(mean));
    struct vbt_unit text = vbt_count(whole(mean));
    if (fabs(mean) < 100 && mean != round(mean))
        snprintf(text.text, sizeof text.text, "%.1f", mean);
    return text;
}

struct vbt_unit vbt_delta_text(enum vbt_delta_unit unit, double difference) {
    struct vbt_unit size = vbt_mean_text(unit, fabs(difference)), text;
    snprintf(text.text, sizeof text.text, "%s%.46s", difference > 0 ? "+" : difference < 0 ? "-" : "", size.text);
    return text;
}

struct vbt_unit vbt_delta_share(const struct vbt_delta *change) {
    double old = vbt_delta_old(change), new = vbt_delta_new(change), share = old != 0 ? 100 * (new - old) / fabs(old) : 0;
    struct vbt_unit text = {""};
    if (old == 0 || new == 0)
        strcpy(text.text, new != old ? old == 0 ? "new" : "gone" : "");
    else if (share >= 900)
        snprintf(text.text, sizeof text.text, "×%.*f", share >= 9900 ? 0 : 1, new / old);
    else if (share != 0 && fabs(share) < 0.005)
        strcpy(text.text, share > 0 ? "+<0.01%" : "-<0.01%");
    else if (share != 0)
        snprintf(text.text, sizeof text.text, "%+.*f%%", fabs(share) < 0.95 ? 2 : 1, share);
    return text;
}

struct vbt_unit vbt_delta_cell(enum vbt_delta_unit unit, const struct vbt_delta *change, bool counts) {
    double difference = vbt_delta_difference(change);
    struct vbt_unit delta = vbt_delta_text(unit, difference), text = {""};
    if (difference != 0)
        snprintf(text.text, sizeof text.text, "%s%.46s", counts ? "" : "~", delta.text);
    return text;
}
