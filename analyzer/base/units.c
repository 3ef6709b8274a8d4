/* See units.h. */
#include "units.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct vbt_unit vbt_count(int64_t n) {
    struct vbt_unit digits, out;
    uint64_t size = n < 0 ? -(uint64_t)n : (uint64_t)n;
    int length = snprintf(digits.text, sizeof digits.text, "%" PRIu64, size);
    char *at = out.text;
    if (n < 0)
        *at++ = '-';
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits.text[i];
    }
    *at = '\0';
    return out;
}

struct vbt_unit vbt_counted(int64_t n, const char *noun) {
    struct vbt_unit out;
    snprintf(out.text, sizeof out.text, "%.26s %.18s%s", vbt_count(n).text, noun,
             n == 1                          ? ""
             : noun[strlen(noun) - 1] == 's' ? "es"
                                             : "s");
    return out;
}

struct vbt_unit vbt_real(double x) {
    enum { ENOUGH_FOR_MOST = 15, ALWAYS_ENOUGH = 17 };
    struct vbt_unit out;
    int digits = isnormal(x) ? ENOUGH_FOR_MOST : 1; /* numbers next to 0 have fewer */
    do
        snprintf(out.text, sizeof out.text, "%.*g", digits, x);
    while (digits++ < ALWAYS_ENOUGH && strtod(out.text, NULL) != x);
    return out;
}

static const char *const byte_units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

/* Scales down until it would print as less than 1024.0. */
static int scale_bytes(double *bytes) {
    int unit = 0;
    while (fabs(*bytes) >= (unit == 0 ? 1024 : 1023.95) && unit < 6) {
        *bytes /= 1024;
        unit++;
    }
    return unit;
}

struct vbt_unit vbt_bytes(int64_t bytes) {
    struct vbt_unit out;
    double scaled = (double)bytes;
    int unit = scale_bytes(&scaled);
    snprintf(out.text, sizeof out.text, "%.*f %s", unit == 0 ? 0 : 1, scaled, byte_units[unit]);
    return out;
}

struct vbt_unit vbt_mean_bytes(double bytes) {
    struct vbt_unit out;
    if (!(fabs(bytes) < 99999.95))
        return vbt_bytes(fabs(bytes) < 9e18 ? (int64_t)bytes : bytes > 0 ? INT64_MAX : bytes < 0 ? INT64_MIN : 0);
    int64_t tenths = llround(fabs(bytes) * 10);
    struct vbt_unit whole = vbt_count(tenths / 10);
    const char *sign = bytes < 0 && tenths > 0 ? "-" : "";
    if (tenths % 10 == 0)
        snprintf(out.text, sizeof out.text, "%s%.30s B", sign, whole.text);
    else
        snprintf(out.text, sizeof out.text, "%s%.30s.%d B", sign, whole.text, (int)(tenths % 10));
    return out;
}

struct vbt_unit vbt_mib(int64_t bytes) {
    struct vbt_unit out;
    snprintf(out.text, sizeof out.text, "%.3f MiB", (double)bytes / (1 << 20));
    return out;
}

struct vbt_unit vbt_time(double ns) {
    static const struct {
        double size;
        const char *name;
    } units[] = {{1, "ns"}, {1e3, "µs"}, {1e6, "ms"}, {1e9, "s"}};
    struct vbt_unit out;
    double size = fabs(ns);
    if (size >= 3600e9) {
        snprintf(out.text, sizeof out.text, "%.0f h %d min", trunc(ns / 3600e9), (int)fmod(size / 60e9, 60));
    } else if (size >= 119.5e9) {
        snprintf(out.text, sizeof out.text, "%.0f min %d s", trunc(ns / 60e9), (int)fmod(size / 1e9, 60));
    } else {
        int unit = 0;
        while (unit < 3 && size >= 999.5 * units[unit].size)
            unit++;
        double scaled = ns / units[unit].size;
        int decimals = fabs(scaled) < 9.995 ? 2 : fabs(scaled) < 99.95 ? 1 : 0;
        if (unit == 0 && scaled == floor(scaled))
            decimals = 0;
        snprintf(out.text, sizeof out.text, "%.*f %s", decimals, scaled, units[unit].name);
    }
    return out;
}

struct vbt_unit vbt_rate(double n) {
    struct vbt_unit out;
    if (!(fabs(n) < 1e15)) {
        snprintf(out.text, sizeof out.text, "%.3g", n);
        return out;
    }
    double thousandths = round(fabs(n) * 1000);
    struct vbt_unit whole = vbt_count((int64_t)(thousandths / 1000));
    snprintf(out.text, sizeof out.text, "%s%.30s.%03u", n < 0 && thousandths > 0 ? "-" : "", whole.text,
             (unsigned)fmod(thousandths, 1000) % 1000);
    return out;
}

static struct tm broken_down(int64_t ns) {
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm tm = {0};
    gmtime_r(&seconds, &tm);
    return tm;
}

struct vbt_unit vbt_date(int64_t ns) {
    struct vbt_unit out;
    struct tm tm = broken_down(ns);
    strftime(out.text, sizeof out.text, "%Y-%m-%d %H:%M:%S UTC", &tm);
    return out;
}

struct vbt_unit vbt_iso_date(int64_t ns) {
    struct vbt_unit seconds, out;
    if (ns < 0)
        ns = 0;
    struct tm tm = broken_down(ns);
    strftime(seconds.text, sizeof seconds.text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out.text, sizeof out.text, "%.32s.%09dZ", seconds.text, (int)(ns % 1000000000));
    return out;
}
