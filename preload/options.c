/* See options.h. */
#include "options.h"

#include "say.h"

#include <stdlib.h>
#include <string.h>

struct vbt_options vbt_options = {.output = "vbtrace.%e.%p.vbt", .tick = 10 * 1000 * 1000};

extern char **environ;

static bool refuse(const char *name, const char *value, const char *expected) {
    enum { ENOUGH = 200 }; /* bytes of a value to know it by */
    vbt_say("%s=%.*s: expected %s; running untraced", name, ENOUGH, value, expected);
    return false;
}

static bool read_output(const char *name, const char *value) {
    if (value[0] == '\0' || strlen(value) >= sizeof vbt_options.output)
        return refuse(name, value, "the path of a file");
    for (const char *at = value; (at = strchr(at, '%')) != NULL; at += 2)
        if (at[1] == '\0' || strchr("pehr%", at[1]) == NULL)
            return refuse(name, value, "%p, %e, %h, %r or %% behind a percent sign");
    strcpy(vbt_options.output, value);
    return true;
}

static bool read_tick(const char *name, const char *value) {
    char *end;
    long milliseconds = strtol(value, &end, 10);
    if (end == value || *end != '\0' || milliseconds < 1 || milliseconds > 3600 * 1000)
        return refuse(name, value, "whole milliseconds from 1 to 3600000");
    vbt_options.tick = milliseconds * 1000 * 1000;
    return true;
}

static bool read_quiet(const char *name, const char *value) {
    if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
        return refuse(name, value, "0 or 1");
    vbt_options.quiet = value[0] == '1';
    return true;
}

static bool read_follow(const char *name, const char *value) {
    if (strcmp(value, "programs") != 0 && strcmp(value, "all") != 0)
        return refuse(name, value, "programs or all");
    vbt_options.follow_all = value[0] == 'a';
    return true;
}

static bool read_native(const char *name, const char *value) { return strcmp(value, "leaf") == 0 || refuse(name, value, "leaf"); }

bool vbt_options_read(void) {
    static const struct {
        const char *name;
        bool (*read)(const char *name, const char *value);
    } known[] = {
        {"VBTRACE_OUTPUT", read_output}, {"VBTRACE_TICK", read_tick},     {"VBTRACE_QUIET", read_quiet},
        {"VBTRACE_FOLLOW", read_follow}, {"VBTRACE_NATIVE", read_native},
    };
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        if (strncmp(*entry, "VBTRACE_", 8) != 0)
            continue;
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0] && !found; i++) {
            size_t length = strlen(known[i].name);
            if (strncmp(*entry, known[i].name, length) != 0 || (*entry)[length] != '=')
                continue;
            found = true;
            if (!known[i].read(known[i].name, *entry + length + 1))
                return false;
        }
        if (!found)
            vbt_say("%.*s: no such option; ignored", (int)strcspn(*entry, "="), *entry);
    }
    return true;
}
