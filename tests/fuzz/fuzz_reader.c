/* The harness: from a recipe to a trace file, the decoder or one subcommand run on it, and checks
 * that must hold for any trace.
 *
 * Status 2 comes with one line on stderr and no output; of info and symbolize also with warnings
 * and with output. Status 0 comes with output. It is valid: JSON that can be parsed, CSV with as
 * many cells in each row as there are titles, text without control characters. The output of
 * symbolize is a trace with the same call tree. Memory and time are bounded by libFuzzer's options.
 *
 * No file of the machine matters: names that end in .py or .c are one source file, all others do
 * not exist. */
#include "format/count.h"
#include "analyzer/trace/load.h"
#include "analyzer/commands/options/query_parse.h"
#include "recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

const char *__asan_default_options(void); /* NOLINT(bugprone-reserved-identifier) */
int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
_Noreturn void __real_exit(int status);                          /* NOLINT(bugprone-reserved-identifier): the linker's names */
_Noreturn void __wrap__exit(int status);                         /* NOLINT(bugprone-reserved-identifier) */
_Noreturn void __wrap_exit(int status);                          /* NOLINT(bugprone-reserved-identifier) */
FILE *__real_fopen(const char *path, const char *mode);          /* NOLINT(bugprone-reserved-identifier) */
FILE *__wrap_fopen(const char *path, const char *mode);          /* NOLINT(bugprone-reserved-identifier) */
int __real_open(const char *path, int flags, ...);               /* NOLINT(bugprone-reserved-identifier) */
int __wrap_open(const char *path, int flags, ...);               /* NOLINT(bugprone-reserved-identifier) */
int __wrap_access(const char *path, int mode);                   /* NOLINT(bugprone-reserved-identifier) */
ssize_t __wrap_getrandom(void *to, size_t size, unsigned flags); /* NOLINT(bugprone-reserved-identifier) */

enum { ARGUMENTS = 6 };

static const struct {
    const char *command;
    const char *arguments[ARGUMENTS]; /* up to the first NULL */
} command_lines[] = {
    {"report", {NULL}},
    {"report", {"--format=json"}},
    {"report", {"--format=csv", "--by=leaf", "--sort=net"}},
    {"report", {"--by=leaf", "--filter=e", "--limit=0", "--per=7"}},
    {"lines", {"--limit=0"}},
    {"lines", {"--format=json", "--by=leaf", "--filter=function=[a-m]"}},
    {"lines", {"--format=csv", "--filter=file!=^/usr", "--sort=file"}},
    {"functions", {"--limit=0"}},
    {"functions", {"--format=json", "--sort=cum-peak", "--filter=domain=heap"}},
    {"functions", {"--format=csv", "--by=module"}},
    {"intervals", {"--sites", "--limit=0"}},
    {"intervals", {"--format=json", "--per=18446744073709551615", "--sort=time"}},
    {"intervals", {"--format=csv", "--filter=module!=lib"}},
    {"timeline", {NULL}},
    {"timeline", {"--format=json"}},
    {"timeline", {"--format=csv"}},
    {"info", {NULL}},
    {"info", {"--format=json"}},
    {"info", {"--format=csv"}},
    {"tree", {NULL}},
    {"tree", {"--limit=0", "--min=0", "--measure=allocs"}},
    {"tree", {"--format=json", "--by=module"}},
    {"tree", {"--format=csv", "--by=domain", "--measure=leaks", "--frames=function"}},
    {"tree", {"--reverse", "--measure=peak", "--limit=0"}},
    {"tree", {"--reverse", "--format=json", "--min=1%"}},
    {"peak", {"--limit=0"}},
    {"peak", {"--format=json", "--by=module"}},
    {"peak", {"--format=csv", "--by=domain"}},
    {"leaks", {NULL}},
    {"leaks", {"--format=json", "--ungroup"}},
    {"leaks", {"--format=csv", "--frames=function"}},
    {"temporary", {"--depth=0", "--by=domain", "--limit=0"}},
    {"temporary", {"--format=json"}},
    {"temporary", {"--format=csv"}},
    {"flamegraph", {NULL}},
    {"flamegraph", {"--reverse", "--min=0", "--measure=allocs", "--by=module"}},
    {"flamegraph", {"--format=collapsed", "--by=domain"}},
    {"flamegraph", {"--format=collapsed", "--reverse", "--frames=function"}},
    {"symbolize", {NULL}},
    {"export", {NULL}},
    {"lines", {"--like=memory_profiler"}},
    {"lines", {"--like=line_profiler"}},
    {"lines", {"--own", "--limit=0"}},
    {"functions", {"--by=thread", "--limit=0"}},
    {"tree", {"--by=thread", "--limit=0", "--filter=domain=map"}},
    {"leaks", {"--by=thread", "--format=json", "--filter=domain=map"}},
    {"flamegraph", {"--by=thread", "--format=collapsed"}},
    {"report", {"--format=json", "--from=30%", "--to=80%"}},
    {"lines", {"--format=json", "--from=1ns"}},
    {"tree", {"--at=50%", "--limit=0"}},
    {"timeline", {"--from=10%", "--to=-1ns"}},
    {"export", {"--format=pprof", "--by=thread"}},
    {"export", {"--format=callgrind", "--measure=leaks"}},
    {"export", {"--format=speedscope", "--by=domain"}},
    {"export", {"--format=massif"}},
    {"export", {"--format=heaptrack", "--by=thread"}},
    {"export", {"--format=dhat"}},
    {"export", {"--format=sqlite"}},
    {"export", {"--format=chrome"}},
    {"list", {NULL}},
    {"list", {"--format=json"}},
    {"list", {"--format=csv"}},
    {"functions", {"--by=process", "--limit=0"}},
    {"tree", {"--by=rank", "--format=json", "--process=1000"}},
    {"merge", {NULL}},
    {"lines", {"--from=turn", "--to=turn#3"}},
    {"export", {"--format=csv", "--by=module"}},
    {"export", {"--format=perfetto"}},
    {"flamegraph", {"--root=bottom", "--imports", "--frames=function"}},
    {"flamegraph", {"--diff", "--min=0", "--measure=peak"}},
    {"check", {"--limit=peak <= 1MiB", "--limit=function e*: allocs == 0"}},
    {"check", {"--format=json", "--budgets", "--limit=own: bytes < 100*n"}},
    {"check", {"--format=github", "--self-test", "--limit=section *: allocs/iter <= 5"}},
    {"diff", {NULL}},
    {"diff", {"--format=json", "--by=leaf"}},
    {"diff", {"--format=csv", "--table=tree"}},
    {"diff", {"--format=markdown", "--sort=peak", "--limit=0"}},
    {"intervals", {"--from=30%", "--to=90%", "--format=json"}},
    {"functions", {"--by=thread", "--from=20%"}},
    {"html", {NULL}},
    {"html", {"--from=20%", "--to=90%", "--filter=e", "--no-source"}},
};

enum { COMMAND_LINES = VBT_COUNT(command_lines), DECODER_ONLY = 128 };

_Static_assert((int)COMMAND_LINES <= (int)DECODER_ONLY, "each command line has its number");

static char folder[64], trace_path[80], output_path[80], source_path[80];
static char compared[96];       /* what --diff stands for: with the trace itself */
static bool decoder_only;       /* FUZZ_DECODER is set: ignore the recipe's command line; many times as fast */
static jmp_buf leave;           /* where exit goes ... */
static bool command_is_running; /* ... while this holds */
static FILE *said;              /* takes the place of stderr */
static char *said_text;
static size_t said_size;

/* The analyzer may exit on errors. What it has allocated by then is leaked. */
_Noreturn void __wrap_exit(int status) {
    if (!command_is_running)
        __real_exit(status);
    longjmp(leave, status + 1);
}

_Noreturn void __wrap__exit(int status) { __wrap_exit(status); }

/* The same hash key in every run, so that a finding can be reproduced. */
ssize_t __wrap_getrandom(void *to, size_t size, unsigned flags) {
    (void)flags;
    memset(to, 0x5a, size);
    return (ssize_t)size;
}

static bool ends_with(const char *text, const char *end) {
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

int __wrap_open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (command_is_running && strncmp(path, folder, strlen(folder)) != 0) {
        if (!ends_with(path, ".py") && !ends_with(path, ".c")) {
            errno = ENOENT;
            return -1;
        }
        path = source_path;
    }
    return __real_open(path, flags, mode);
}

/* The trace, for readers that need no path: opened once. */
static FILE *in_memory;

FILE *__wrap_fopen(const char *path, const char *mode) {
    FILE *opened = in_memory;
    in_memory = NULL;
    return opened != NULL ? opened : __real_fopen(path, mode);
}

int __wrap_access(const char *path, int mode) {
    (void)path, (void)mode;
    errno = ENOENT;
    return -1;
}

const char *__asan_default_options(void) { return "malloc_context_size=2:quarantine_size_mb=2:max_malloc_fill_size=64"; }

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk) {
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static void remove_folder(void) { nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

static void write_file(const char *path, const uint8_t *bytes, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort();
    close(fd);
}

static const char source[] = "import os\n\ndef work(n):\n\tx = [0] * n  # \xce\xa9\n    return \xff\x1b[31m\n"
                             "last";

int LLVMFuzzerInitialize(int *count, char ***arguments) {
    (void)count, (void)arguments;
    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TZ", "UTC", 1);
    unsetenv("DEBUGINFOD_URLS");
    decoder_only = getenv("FUZZ_DECODER") != NULL;
    strcpy(folder, "/dev/shm/vbtrace-fuzz-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        strcpy(folder, "/tmp/vbtrace-fuzz-XXXXXX");
        if (mkdtemp(folder) == NULL)
            abort();
    }
    atexit(remove_folder);
    snprintf(trace_path, sizeof trace_path, "%s/trace", folder);
    snprintf(compared, sizeof compared, "--diff=%s", trace_path);
    snprintf(output_path, sizeof output_path, "%s/output", folder);
    snprintf(source_path, sizeof source_path, "%s/source", folder);
    write_file(source_path, (const uint8_t *)source, strlen(source));
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nowhere, STDOUT_FILENO);
    said = open_memstream(&said_text, &said_size);
    return said != NULL ? 0 : -1;
}

/* A file's text; the caller frees it. */
static char *read_file(const char *path, size_t *size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t length = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    char *text = malloc((size_t)length + 1);
    if (text == NULL || (length > 0 && pread(fd, text, (size_t)length, 0) != length))
        abort();
    text[length] = '\0';
    *size = (size_t)length;
    if (fd >= 0)
        close(fd);
    return text;
}

/* Is the trace compared with itself? Then what is wrong with it may be said of both. */
static bool reads_twice(const struct vbt_command *command, const char *const *given) {
    bool twice = command->sides;
    for (int i = 0; i < ARGUMENTS && given[i] != NULL; i++)
        twice = twice || strcmp(given[i], "--diff") == 0;
    return twice;
}

/* Runs the command; its messages are in said_text. */
static int run(const struct vbt_command *command, const char *const *given) {
    char *arguments[ARGUMENTS + 6] = {(char *)(uintptr_t)command->name};
    int count = 1;
    for (; count <= ARGUMENTS && given[count - 1] != NULL; count++)
        arguments[count] = strcmp(given[count - 1], "--diff") == 0 ? compared : (char *)(uintptr_t)given[count - 1];
    arguments[count++] = (char *)(uintptr_t) "--output";
    arguments[count++] = output_path;
    arguments[count++] = trace_path;
    if (command->sides) /* the trace with itself */
        arguments[count++] = trace_path;

    FILE *real = stderr;
    rewind(said);
    stderr = said;
    command_is_running = true;
    int status = setjmp(leave); /* NOLINT(cert-err52-cpp) */
    if (status > 0) {
        status--;
    } else {
        struct vbt_query query;
        status = vbt_query_parse(command, count, arguments, &query);
        if (status < 0)
            status = command->run(&query);
    }
    command_is_running = false;
    stderr = real;
    fputc('\0', said);
    fflush(said);
    return status;
}

static _Noreturn void wrong(const char *what, const char *text) {
    fprintf(stderr, "== %s\n%.4000s\n", what, text);
    abort();
}

/* Printable UTF-8, newlines, and one more character, or 0. */
__attribute__((no_sanitize("coverage"))) static void check_characters(const char *text, size_t size, unsigned char more) {
    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    while (at < end) {
        unsigned length = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;
        if (length == 1 ? (at[0] < 0x20 && at[0] != '\n' && at[0] != more) || at[0] == 0x7f
                        : length == 0 || length > (size_t)(end - at))
            wrong("a character that cannot be printed", (const char *)at);
        unsigned character = length == 1 ? at[0] : at[0] & (0xffU >> (length + 1));
        for (unsigned i = 1; i < length; i++) {
            if ((at[i] & 0xc0) != 0x80)
                wrong("text that is not UTF-8", (const char *)at);
            character = character << 6 | (at[i] & 0x3fU);
        }
        if ((character >= 0x80 && character < 0xa0) || (character >= 0xd800 && character < 0xe000) || character > 0x10ffff)
            wrong("a character that cannot be printed", (const char *)at);
        at += length;
    }
}

static void check_text(const char *text, size_t size) { check_characters(text, size, 0); }

/* Is this line among those before it? */
static bool is_repeated(const char *line) {
    size_t size = (size_t)(strchr(line, '\n') + 1 - line);
    for (const char *at = said_text; at < line; at = strchr(at, '\n') + 1)
        if (strncmp(at, line, size) == 0)
            return true;
    return false;
}

/* Why there is no output, in one line; otherwise warnings, a line each, and none of them twice.
 * many: for each file one, and files of a trace may have the same name, or both sides be one. */
static void check_said(bool refused, bool many) {
    const char *start = refused ? "vbtrace: " : "vbtrace: warning: ";
    size_t lines = 0;
    check_text(said_text, strlen(said_text));
    for (const char *at = said_text; *at != '\0'; at = strchr(at, '\n') + 1, lines++) {
        if (strncmp(at, start, strlen(start)) != 0 || strchr(at, '\n') == NULL)
            wrong("no message in one line", said_text);
        if (!many && is_repeated(at))
            wrong("the same line twice", said_text);
    }
    if (refused && lines != 1)
        wrong("not exactly one line", said_text);
}

static void check_json(const char *text, size_t size) {
    json_error_t error;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        wrong(error.text, text + (error.position > 200 ? error.position - 200 : 0));
    json_decref(root);
}

__attribute__((no_sanitize("coverage"))) static void check_csv(const char *text) {
    size_t cells = 1, titles = 0;
    bool quoted = false;
    for (; *text != '\0'; text++) {
        quoted ^= *text == '"';
        if (quoted)
            continue;
        cells += *text == ',';
        if (*text == '\n') {
            titles = titles > 0 ? titles : cells;
            if (cells != titles)
                wrong("a row that has not as many cells as there are titles", text);
            cells = 1;
        }
    }
    if (quoted || cells != 1)
        wrong("the last row has no end", "");
}

/* The output of symbolize has the same call tree, and is not damaged. */
static void check_symbolized(void) {
    struct vbt_model before, after;
    char *problem = vbt_model_load(&before, trace_path, false);
    if (problem != NULL)
        wrong("symbolized what cannot be read", problem);
    problem = vbt_model_load(&after, output_path, false);
    if (problem != NULL || after.damage != NULL)
        wrong("symbolize wrote what cannot be read", problem != NULL ? problem : after.damage);
    if (before.node_count != after.node_count || before.site_count != after.site_count || before.code_count != after.code_count ||
        before.interval_count != after.interval_count || vbt_model_complete(&before) != vbt_model_complete(&after) ||
        !after.symbolized)
        wrong("symbolize changed the trace", "");
    vbt_model_free(&before);
    vbt_model_free(&after);
}

static bool is_one_of(const char *format, const char *const *formats) {
    while (*formats != NULL && (format == NULL || strcmp(format, *formats) != 0))
        formats++;
    return *formats != NULL;
}

/* The output of merge can be read, and says whose it is. */
static void check_merged(void) {
    struct vbt_model merged;
    char *problem = vbt_model_load(&merged, output_path, true);
    if (problem != NULL || merged.damage != NULL)
        wrong("merge wrote what cannot be read", problem != NULL ? problem : merged.damage);
    if (!vbt_model_is_merged(&merged))
        wrong("merge wrote no processes", "");
    vbt_model_free(&merged);
}

static void check_output(const struct vbt_command *command, const char *const *arguments) {
    const char *format = arguments[0];
    unsigned char more = 0;
    for (; *arguments != NULL; arguments++) {
        if (strncmp(*arguments, "--format=", 9) == 0)
            format = *arguments;
        if (strncmp(*arguments, "--like=", 7) == 0)
            more = '\t'; /* source as it is, as those print it */
    }
    if (strcmp(command->name, "symbolize") == 0) {
        check_symbolized();
        return;
    }
    if (strcmp(command->name, "merge") == 0) {
        check_merged();
        return;
    }
    size_t size;
    char *text = read_file(output_path, &size);
    static const char *const json[] = {"--format=json", "--format=speedscope", "--format=dhat", "--format=chrome", NULL};
    static const char *const binary[] = {"--format=pprof", "--format=perfetto", NULL};
    if (is_one_of(format, json))
        check_json(text, size);
    else if (format != NULL && strcmp(format, "--format=csv") == 0)
        check_csv(text);
    else if (!is_one_of(format, binary))
        check_characters(text, size, more);
    else if (strcmp(format, "--format=pprof") == 0 && (size < 2 || memcmp(text, "\037\213", 2) != 0))
        wrong("what is not gzip", text);
    free(text);
}

/* Only the decoder, including histograms. */
static void load(const uint8_t *trace, size_t size) {
    struct vbt_model model;
    in_memory = fmemopen((void *)(uintptr_t)trace, size, "rb");
    char *problem = vbt_model_load(&model, trace_path, true);
    if (problem != NULL)
        check_text(problem, strlen(problem));
    else if (model.damage != NULL)
        check_text(model.damage, strlen(model.damage));
    free(problem);
    vbt_model_free(&model);
}

/* Does it end with status 2 where part could not be done, and say so in a warning? */
static bool is_partly_done(const struct vbt_command *command) {
    return (strcmp(command->name, "symbolize") == 0 || strcmp(command->name, "info") == 0) && said_text[0] != '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static struct recipe recipe;
    static char columns[] = "COLUMNS=0000";
    recipe_read(&recipe, bytes, size);
    size_t trace_size;
    const uint8_t *trace = recipe_trace(&recipe, &trace_size);
    if (decoder_only || recipe.command >= DECODER_ONLY) {
        load(trace, trace_size);
        return 0;
    }
    write_file(trace_path, trace, trace_size);
    unlink(output_path);
    snprintf(columns, sizeof columns, "COLUMNS=%04u", recipe.columns < 40 ? 1000U : recipe.columns);
    putenv(columns);

    const struct vbt_command *command = vbt_command_find(command_lines[recipe.command % COMMAND_LINES].command);
    const char *const *arguments = command_lines[recipe.command % COMMAND_LINES].arguments;
    int status = run(command, arguments);
    if (status == 1 && strcmp(command->name, "check") == 0)
        status = 0; /* a limit does not hold */
    if (status != 0 && status != 2)
        wrong("neither status 0 nor 2", said_text);
    struct stat output;
    bool several = strcmp(command->name, "symbolize") == 0 || reads_twice(command, arguments);
    bool has_output = stat(output_path, &output) == 0;
    check_said(!has_output, several);
    if (status == 0 ? !has_output : has_output && !is_partly_done(command))
        wrong(status == 0 ? "no output" : "output despite an error", said_text);
    if (has_output)
        check_output(command, arguments);
    return 0;
}
