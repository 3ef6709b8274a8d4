/* See options.h. */
#include "options.h"

#include "say.h"
#include "format/count.h"
#include "preload/base/start.h"

#include <stdlib.h>
#include <string.h>

struct vbt_options vbt_options = {.tick = 10 * 1000 * 1000};

static const char *set_output(const char *value) {
    if (value[0] == '\0' || strlen(value) >= sizeof vbt_options.output)
        return "the path of a file, or of a directory with a trailing slash";
    for (const char *at = value; (at = strchr(at, '%')) != NULL; at += 2)
        if (at[1] == '\0' || strchr("pehr%", at[1]) == NULL)
            return "p, e, h, r or % after each percent sign";
    strcpy(vbt_options.output, value);
    return NULL;
}

static const char *set_tick(const char *value) {
    char *end;
    long milliseconds = strtol(value, &end, 10);
    if (end == value || *end != '\0' || milliseconds < 1 || milliseconds > 3600 * 1000)
        return "whole milliseconds from 1 to 3600000";
    vbt_options.tick = milliseconds * 1000 * 1000;
    return NULL;
}

static const char *set_quiet(const char *value) {
    if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
        return "0 or 1";
    vbt_options.quiet = value[0] == '1';
    return NULL;
}

/* Seconds with decimals, in ns; -1 if it is anything else. */
static int64_t seconds(const char *value) {
    enum { MOST = 1000 * 1000 * 1000 };
    char *end;
    double number = strtod(value, &end);
    bool good = value[0] >= '0' && value[0] <= '9' && value[1] != 'x' && *end == '\0' && number <= MOST;
    return good ? (int64_t)(number * 1e9) : -1;
}

/* "64M" in bytes; 0 if it is anything else. */
static uint64_t size_of(const char *value) {
    enum { LEAST = 64 * 1024, DIGITS = 15 };
    char *end;
    uint64_t number = value[0] >= '0' && value[0] <= '9' ? strtoull(value, &end, 10) : 0;
    unsigned shift = 0;
    if (number == 0 || end - value > DIGITS)
        return 0;
    if (*end == 'K' || *end == 'M' || *end == 'G')
        shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 30;
    end += shift != 0;
    return *end == '\0' && (number << shift) >> shift == number && number << shift >= LEAST ? number << shift : 0;
}

static const char *set_max_trace(const char *value) {
    vbt_options.max_trace = size_of(value);
    return vbt_options.max_trace != 0 ? NULL : "a size such as 500K, 64M or 1G, at least 64K";
}

static const char *set_max_memory(const char *value) {
    vbt_options.max_memory = size_of(value);
    return vbt_options.max_memory != 0 ? NULL : "a size such as 500K, 64M or 1G, at least 64K";
}

static const char *set_delay(const char *value) {
    int64_t delay = strcmp(value, "start") == 0 ? INT64_MAX : seconds(value);
    if (delay < 0)
        return "seconds such as 10 or 0.5, or start, to wait for vbtrace_start";
    vbt_options.delay = delay;
    return NULL;
}

static const char *set_duration(const char *value) {
    int64_t duration = seconds(value);
    if (duration <= 0)
        return "seconds above 0, such as 10 or 0.5";
    vbt_options.duration = duration;
    return NULL;
}

static const char *set_follow(const char *value) {
    if (strcmp(value, "programs") != 0 && strcmp(value, "all") != 0)
        return "programs or all";
    vbt_options.follow_all = value[0] == 'a';
    return NULL;
}

static const char *set_exe(const char *value) {
    if (value[0] == '\0' || strlen(value) >= sizeof vbt_options.exe)
        return "patterns of program names, separated by commas";
    strcpy(vbt_options.exe, value);
    return NULL;
}

static const char *set_native(const char *value) {
    static const char *const values[] = {[VBT_NATIVE_LEAF] = "leaf", [VBT_NATIVE_FULL] = "full", [VBT_NATIVE_ONLY] = "only"};
    for (size_t i = VBT_NATIVE_LEAF; i < VBT_COUNT(values); i++)
        if (strcmp(value, values[i]) == 0) {
            vbt_options.native = (enum vbt_native_option)i;
            return NULL;
        }
    return "leaf, full or only";
}

static const char *set_verify(const char *value) {
    char *end;
    long every = strtol(value, &end, 10);
    if (end == value || *end != '\0' || every < 0 || every > 1000 * 1000 * 1000)
        return "a whole number from 0 to 1000000000";
    vbt_options.verify = (uint32_t)every;
    return NULL;
}

static const char *set_lines(const char *value) {
    static const char *const values[] = {[VBT_LINES_NONE] = "0", [VBT_LINES_CHOSEN] = "1", [VBT_LINES_DECORATED] = "profile"};
    for (size_t i = VBT_LINES_NONE; i < VBT_COUNT(values); i++)
        if (strcmp(value, values[i]) == 0) {
            vbt_options.lines = (enum vbt_lines_option)i;
            return NULL;
        }
    return "0, 1 or profile";
}

static const char *set_patterns(char *patterns, const char *value) {
    if (value[0] == '\0' || strlen(value) >= VBT_PATTERNS_MAX)
        return "patterns separated by commas";
    strcpy(patterns, value);
    if (vbt_options.lines == VBT_LINES_DEFAULT)
        vbt_options.lines = VBT_LINES_CHOSEN;
    return NULL;
}

static const char *set_functions(const char *value) { return set_patterns(vbt_options.functions, value); }

static const char *set_files(const char *value) { return set_patterns(vbt_options.files, value); }

static const char *set_user(const char *value) {
    if (value[0] == '\0' || strlen(value) >= sizeof vbt_options.user)
        return "patterns of libraries and source files, separated by commas";
    strcpy(vbt_options.user, value);
    return NULL;
}

static const char *set_objects(const char *value) {
    if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
        return "0 or 1";
    vbt_options.objects = value[0] == '1';
    if (vbt_options.objects && vbt_options.lines == VBT_LINES_DEFAULT)
        vbt_options.lines = VBT_LINES_CHOSEN;
    return NULL;
}

const struct vbt_option vbt_option_list[] = {
    {"OUTPUT", "PATH", "where the trace goes: %p process id, %e program, %h host, %r rank, %% a percent sign", set_output},
    {"TICK", "MS", "milliseconds from one snapshot to the next; default: 10", set_tick},
    {"QUIET", NULL, "no summary at the end", set_quiet},
    {"FOLLOW", "programs|all", "programs (default): skip shells, and small tools started by them or Python; all: trace those, too",
     set_follow},
    {"EXE", "PATTERNS", "which programs are traced, such as 'python*,!/usr/*': by name, or by path if there is a slash", set_exe},
    {"DELAY", "SECONDS|start", "start recording after so long; start: when the program calls vbtrace_start", set_delay},
    {"MAX_TRACE", "SIZE", "limit the trace's size, such as 64M: call paths beyond it are counted together", set_max_trace},
    {"MAX_MEMORY", "SIZE", "likewise, limit the memory of call paths and their counters", set_max_memory},
    {"DURATION", "SECONDS", "stop recording after so long", set_duration},
    {"NATIVE", "leaf|full|only",
     "record the innermost call of a native stack, or all; default: leaf for Python, else full; only: treat Python as any program",
     set_native},
    {"VERIFY", "N", "compare every Nth native call stack with libunwind's; default: 0, none", set_verify},
    {"LINES", NULL, "count each line of your own Python files: hits, time, heap; see vbtrace lines", set_lines},
    {"FUNCTIONS", "PATTERNS", "count the lines of functions with these names instead, such as main,sort_*,Table.*", set_functions},
    {"OBJECTS", NULL, "count the objects that each line creates, including those from Python's free lists", set_objects},
    {"FILES", "PATTERNS", "count the lines of files with these names instead, such as tables.py", set_files},
    {"USER", "PATTERNS", "these libraries and source files are your own, too, after ! they are not: 'libacme*,!*/vendor/*'",
     set_user},
};

const size_t vbt_option_count = VBT_COUNT(vbt_option_list);

/* The option of a variable, given without VBTRACE_, or NULL; *value: what it is set to. */
static const struct vbt_option *find(const char *entry, const char **value) {
    for (size_t i = 0; i < vbt_option_count; i++) {
        size_t length = strlen(vbt_option_list[i].name);
        if (strncmp(entry, vbt_option_list[i].name, length) == 0 && entry[length] == '=') {
            *value = entry + length + 1;
            return &vbt_option_list[i];
        }
    }
    return NULL;
}

const char *vbt_options_contradiction(void) {
    if (vbt_options.native == VBT_NATIVE_ONLY && vbt_options.lines > VBT_LINES_NONE)
        return "VBTRACE_NATIVE=only: expected leaf or full when lines or objects of Python are counted";
    if (vbt_options.lines == VBT_LINES_NONE && vbt_options.objects)
        return "VBTRACE_LINES=0: expected 1 or profile with VBTRACE_OBJECTS=1, which counts objects by line";
    bool chooses = vbt_options.functions[0] != '\0' || vbt_options.files[0] != '\0';
    if (vbt_options.lines == VBT_LINES_NONE && chooses)
        return "VBTRACE_LINES=0: expected 1 with VBTRACE_FUNCTIONS or VBTRACE_FILES, which choose the lines to count";
    if (vbt_options.lines == VBT_LINES_DECORATED && chooses)
        return "VBTRACE_LINES=profile: expected 1 with VBTRACE_FUNCTIONS or VBTRACE_FILES, which choose other lines";
    return NULL;
}

bool vbt_options_read(void) {
    enum { PREFIX = 8, ENOUGH = 200 }; /* bytes of a value that identify it */
    for (char **entry = vbt_environment(); *entry != NULL; entry++) {
        if (strncmp(*entry, "VBTRACE_", PREFIX) != 0)
            continue;
        const char *value;
        const struct vbt_option *option = find(*entry + PREFIX, &value);
        if (option == NULL) {
            vbt_say("%.*s: no such option; ignored", (int)strcspn(*entry, "="), *entry);
            continue;
        }
        const char *expected = option->set(value);
        if (expected != NULL) {
            vbt_say("VBTRACE_%s=%.*s: expected %s; running untraced", option->name, ENOUGH, value, expected);
            return false;
        }
    }
    const char *contradiction = vbt_options_contradiction();
    if (contradiction != NULL)
        vbt_say("%s; running untraced", contradiction);
    return contradiction == NULL;
}
