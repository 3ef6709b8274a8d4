/* See moments.h. */
#include "moments.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/units.h"
#include "analyzer/trace/states.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How a moment is given. */
enum moment_unit { NOT_A_MOMENT, OF_START, OF_END, SHARE, CLOCK, DATE, SECTION };

struct moment {
    enum moment_unit unit;
    double value;     /* ns; SHARE: of the whole, 0 … 1; CLOCK: ns since midnight UTC; DATE: since 1970 */
    const char *name; /* of a SECTION, see vbt_sections_time */
};

#define SECOND 1e9
#define DAY (86400 * SECOND)

static const char expectation[] =
    "expected a time of the run such as 1.5s or 250ms, -2s (before its end), 90%, a time of day in UTC such as 14:03:20, or the "
    "name of a section (section:NAME if that begins with a digit or a sign)";

/* "14:03:20", "14:03", "2026-01-31T14:03:20.5". */
static struct moment read_clock(const char *text) {
    int year = 0, month = 0, day = 0, hour, minute, used = 0;
    double second = 0;
    bool dated = sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3 && (text[used] == 'T' || text[used] == ' ');
    const char *time = dated ? text + used + 1 : text;
    used = 0;
    if (sscanf(time, "%2d:%2d%n", &hour, &minute, &used) != 2 || time[0] == '-' || time[0] == '+')
        return (struct moment){.unit = NOT_A_MOMENT};
    const char *rest = time + used;
    if (*rest == ':') {
        char *end = NULL;
        second = rest[1] >= '0' && rest[1] <= '9' && rest[2] != 'x' ? strtod(rest + 1, &end) : 60;
        rest = end != NULL && second < 60 ? end : rest;
    }
    rest += *rest == 'Z';
    if (*rest != '\0' || hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return (struct moment){.unit = NOT_A_MOMENT};
    double since_midnight = ((hour * 60.0 + minute) * 60 + second) * SECOND;
    if (!dated)
        return (struct moment){.unit = CLOCK, .value = since_midnight};
    struct tm date = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    struct tm given = date;
    time_t midnight = timegm(&date);
    if (date.tm_mon != given.tm_mon || date.tm_mday != given.tm_mday)
        return (struct moment){.unit = NOT_A_MOMENT};
    return (struct moment){.unit = DATE, .value = (double)midnight * SECOND + since_midnight};
}

static struct moment read_moment(const char *text) {
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", SECOND}, {"min", 60 * SECOND}, {"h", 3600 * SECOND}};
    bool of_end = text[0] == '-';
    const char *number = text + of_end;
    char *end;
    static const char prefix[] = "section:";
    if (strncmp(text, prefix, sizeof prefix - 1) == 0)
        return (struct moment){.unit = SECTION, .name = text + sizeof prefix - 1};
    if (number[0] < '0' || number[0] > '9' || number[1] == 'x') {
        bool can_be_name = strchr("+-.", text[0]) == NULL && (text[0] < '0' || text[0] > '9');
        return (struct moment){.unit = can_be_name ? SECTION : NOT_A_MOMENT, .name = text};
    }
    double value = strtod(number, &end);
    if (strcmp(end, "%") == 0 && value <= 100 && !of_end)
        return (struct moment){.unit = SHARE, .value = value / 100};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].name) == 0 && value * units[i].ns < 0x1p62)
            return (struct moment){.unit = of_end ? OF_END : OF_START, .value = value * units[i].ns};
    return of_end ? (struct moment){.unit = NOT_A_MOMENT} : read_clock(text);
}

char *vbt_moment_wrong(const char *text) { return read_moment(text).unit == NOT_A_MOMENT ? vbt_text("%s", expectation) : NULL; }

bool vbt_query_asks_part(const struct vbt_query *query) { return query->from != NULL || query->to != NULL || query->before_exit; }

/* One end of the part that is asked for. */
struct part_end {
    const char *option, *text;
    bool is_end;
    double time;     /* ns since the start of the run */
    bool of_section; /* it is when a section began or ended */
};

/* When a section began or ended. */
static char *time_of_section(struct part_end *end, const char *name, const struct vbt_states *run) {
    uint64_t time;
    char *why = vbt_sections_time(&run->sections, name, end->is_end, &time);
    char *problem = why != NULL ? vbt_text("--%s %s: %s", end->option, end->text, why) : NULL;
    free(why);
    end->time = problem == NULL && time < run->duration ? (double)time : (double)run->duration;
    end->of_section = true;
    return problem;
}

/* Finds the time that a moment is in this run. Returns NULL, or why there is none. */
static char *find_time(struct part_end *end, const struct vbt_states *run) {
    struct moment moment = read_moment(end->text);
    double duration = (double)run->duration, started = (double)run->started;
    bool by_clock = moment.unit == CLOCK || moment.unit == DATE;
    if (by_clock && run->started <= 0)
        return vbt_text("--%s %s: the trace does not say when the program started", end->option, end->text);
    switch (moment.unit) {
    case SECTION:
        return time_of_section(end, moment.name, run);
    case OF_END:
        end->time = duration - moment.value;
        break;
    case SHARE:
        end->time = duration * moment.value;
        break;
    case CLOCK: /* the first such time in the run */
        end->time = moment.value - fmod(started, DAY);
        end->time += end->time < 0 ? DAY : 0;
        break;
    case DATE:
        end->time = moment.value - started;
        break;
    default:
        end->time = moment.value;
        break;
    }
    if (end->time >= 0 && end->time <= duration)
        return NULL;
    if (by_clock)
        return vbt_text("--%s %s: the program ran from %s to %s", end->option, end->text, vbt_date(run->started).text,
                        vbt_date(run->started + (int64_t)run->duration).text);
    return vbt_text("--%s %s: the program ran for %s", end->option, end->text, vbt_time(duration).text);
}

/* The number of states at this time or before it. */
static size_t states_until(const struct vbt_states *run, double time) {
    size_t count = 0;
    while (count < run->count && (double)run->marks[count].time <= time)
        count++;
    return count;
}

static bool is_at_state(const struct vbt_states *run, size_t until, double time) {
    return until > 0 && (double)run->marks[until - 1].time >= time;
}

static char *find(struct vbt_window *window, const struct vbt_query *query, const struct vbt_states *run) {
    struct part_end from = {.option = "from", .text = query->from, .is_end = false, .time = 0};
    struct part_end to = {.option = query->at ? "at" : "to", .text = query->to, .is_end = true, .time = (double)run->duration};
    char *wrong = query->from != NULL ? find_time(&from, run) : NULL;
    if (wrong == NULL && query->to != NULL)
        wrong = find_time(&to, run);
    if (wrong == NULL && from.time > to.time)
        wrong = vbt_text("--from %s is later in the run than --to %s", query->from, query->to);
    if (wrong != NULL)
        return wrong;
    if (query->before_exit && run->shutdown != 0)
        to.time = (double)run->shutdown;
    window->begun = from.of_section ? (uint64_t)from.time : 0;
    window->ended = to.of_section ? (uint64_t)to.time : 0;
    size_t before = states_until(run, from.time), until = states_until(run, to.time);
    if (to.of_section && !query->at && !is_at_state(run, until, to.time) && to.time > (double)run->offset)
        until++; /* the part holds all of the section */
    if (query->from != NULL && before > 0)
        window->from = run->marks[before - 1].chunk + 1;
    if ((query->to != NULL || query->before_exit) && until < run->count)
        window->to = until > 0 ? run->marks[until - 1].chunk + 1 : 0;
    return NULL;
}

/* Counts times from the beginning of several processes. */
static void shift(struct vbt_states *run, const struct vbt_span *whole) {
    uint64_t offset = run->started > whole->started ? (uint64_t)(run->started - whole->started) : 0;
    for (size_t i = 0; i < run->count; i++)
        run->marks[i].time += offset;
    run->shutdown += run->shutdown != 0 ? offset : 0;
    run->offset = offset;
    run->started = whole->started;
    run->duration = whole->duration;
    vbt_sections_free(&run->sections);
    run->sections = whole->sections;
}

char *vbt_window_find(struct vbt_window *window, const struct vbt_query *query, const char *path, const struct vbt_span *whole) {
    *window = VBT_WHOLE_RUN;
    if (!vbt_query_asks_part(query))
        return NULL;
    window->asked = true;
    struct vbt_states run;
    vbt_states_read(&run, path);
    if (whole != NULL)
        shift(&run, whole);
    char *wrong = run.count > 0 ? find(window, query, &run) : NULL;
    if (whole != NULL)
        run.sections = (struct vbt_sections){0};
    vbt_states_free(&run);
    return wrong;
}

/* "--to parse (its end at 1.5 s)". */
static char *option_text(const char *option, const char *value, uint64_t section, const char *what) {
    if (section == 0)
        return vbt_text("--%s %s", option, value);
    return vbt_text("--%s %s (its %s at %s)", option, value, what, vbt_time((double)section).text);
}

static char *text_between(const struct vbt_model_window *part, const struct vbt_query *query, const char *to, const char *all) {
    bool encloses = query->to != NULL && part->ended > 0;
    char *from_text = query->from != NULL ? option_text("from", query->from, part->begun, "beginning") : NULL;
    char *to_text = query->to != NULL ? option_text("to", query->to, part->ended, "end") : NULL;
    struct vbt_unit from = vbt_time((double)part->from);
    const char *begin = part->from > 0 ? from.text : "the start";
    char *text;
    if (from_text == NULL)
        text = vbt_text("From %s to %s of %s, the %s tick in the trace %s %s.", begin, to, all, encloses ? "first" : "latest",
                        encloses ? "after" : "until", to_text);
    else if (to_text == NULL)
        text = vbt_text("From %s to %s of %s, the latest tick in the trace until %s.", begin, to, all, from_text);
    else if (encloses)
        text = vbt_text("From %s to %s of %s, the latest tick in the trace until %s and the first after %s.", begin, to, all,
                        from_text, to_text);
    else
        text = vbt_text("From %s to %s of %s, the latest ticks in the trace until %s and %s.", begin, to, all, from_text, to_text);
    free(from_text);
    free(to_text);
    return text;
}

/* What a view by thread adds. */
static char *text_by_thread(const struct vbt_model *m, const struct vbt_query *query) {
    struct vbt_query others = *query;
    others.by = VBT_BY_NOTHING;
    char *part = vbt_part_text(m, &others);
    char *text = vbt_text("%s Call paths of more than one thread are not known by thread here: [unknown thread].", part);
    free(part);
    return text;
}

char *vbt_part_text(const struct vbt_model *m, const struct vbt_query *query) {
    const struct vbt_model_window *part = &m->window;
    if (!part->asked)
        return NULL;
    struct vbt_unit to = vbt_time((double)part->to), all = vbt_time((double)vbt_model_duration(m));
    if (query->by == VBT_BY_THREAD && m->thread_count > 1)
        return text_by_thread(m, query);
    if (query->before_exit)
        return vbt_text(part->is_part ? "At %s of %s, just before the interpreter began to shut down."
                                      : "At %s of %s: the trace knows no interpreter that began to shut down before that.",
                        to.text, all.text);
    if (!query->at)
        return text_between(part, query, to.text, all.text);
    char *at = option_text("at", query->to, part->ended, "end");
    char *text = vbt_text("At %s of %s, the latest tick in the trace until %s.", to.text, all.text, at);
    free(at);
    return text;
}

char *vbt_part_refusal(const struct vbt_model *m, const struct vbt_query *query) {
    const struct vbt_model_window *part = &m->window;
    bool by_peak = query->measure == VBT_MEASURE_PEAK || (query->sort != NULL && strstr(query->sort, "peak") != NULL);
    if (!part->is_part)
        return NULL;
    if ((query->own || query->like != VBT_LIKE_OURS) && !vbt_part_knows(part, VBT_DETAIL_LINES))
        return vbt_text("this trace has counted lines of the whole run only: --%s does not go with --from, --to or --at",
                        query->own ? "own" : "like");
    if (query->sort != NULL && strcmp(query->sort, "rss") == 0 && part->from > 0)
        return vbt_text("the largest resident set at a line is known from the start only: --sort rss does not go with --from");
    if (by_peak && part->peak_unknown)
        return vbt_text("the heap was higher before %s than between there and %s: what was live at the peak in between is not "
                        "known; see --at for what was live at a moment",
                        vbt_time((double)part->from).text, vbt_time((double)part->to).text);
    return NULL;
}
