/* See process_chunks.h. */
#include "process_chunks.h"

#include "preload/base/memory.h"
#include "preload/base/proc.h"
#include "preload/base/sys.h"
#include "preload/lines/line_sources.h"
#include "preload/process/process.h"
#include "preload/process/run_notes.h"
#include "preload/python/python.h"
#include "preload/shared/options.h"
#include "preload/shared/say.h"
#include "preload/stream/helper/helper.h"
#include "preload/stream/trace_path.h"
#include "preload/thread/full_stack.h"

#include <gnu/libc-version.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { PAGE = 4096 };

static void put_pair(struct vbt_writer *w, uint64_t *count, const char *key, const char *value) {
    vbt_put_string(w, key, strlen(key));
    vbt_put_string(w, value, strlen(value));
    ++*count;
}

static void put_number(struct vbt_writer *w, uint64_t *count, const char *key, int64_t value) {
    char digits[32];
    vbt_format(digits, sizeof digits, "%ld", (long)value);
    put_pair(w, count, key, digits);
}

/* The command line; of one that is longer than a chunk, the first arguments. A program that
 * overwrites it with a title leaves zeros after it. */
static void put_arguments(struct vbt_writer *w, uint64_t *count) {
    enum { MEANT = 3 };          /* empty arguments at the end that may have been given */
    enum { OTHERS = 64 * 1024 }; /* room for the rest of the chunk: paths, options, notes */
    size_t length, end;
    const char *text = vbt_proc_text("/proc/self/cmdline", &length);
    end = length;
    while (end > 1 && text[end - 1] == '\0' && text[end - 2] == '\0')
        end--;
    if (length - end > MEANT)
        length = end;
    for (const char *argument = text; argument < text + length; argument += strlen(argument) + 1) {
        if (strlen(argument) + OTHERS > (size_t)(w->end - w->at)) {
            put_pair(w, count, "note", "The command line is too long for the trace: its last arguments are left out.");
            break;
        }
        put_pair(w, count, "arg", argument);
    }
}

void vbt_write_process(struct vbt_chunk_writer *writer) {
    struct vbt_writer *w = vbt_chunk_begin(writer);
    uint8_t *start = vbt_chunk_counted_begin(writer);
    uint64_t count = 0;
    char libc[64];
    vbt_format(libc, sizeof libc, "glibc %s", gnu_get_libc_version());
    put_pair(w, &count, "vbtrace", VBT_VERSION);
    put_pair(w, &count, "exe", vbt_program_path());
    put_arguments(w, &count);
    put_pair(w, &count, "cwd", vbt_program_directory());
    put_pair(w, &count, "host", vbt_host_name());
    if (vbt_trace_rank()[0] != '\0')
        put_pair(w, &count, "rank", vbt_trace_rank());
    put_number(w, &count, "pid", vbt_pid);
    put_number(w, &count, "ppid", vbt_parent_pid);
    put_number(w, &count, "started", vbt_started);
    put_pair(w, &count, "libc", libc);
    put_pair(w, &count, "native", vbt_stacks != VBT_STACKS_LEAF ? "full" : "leaf");
    put_number(w, &count, "tick_ns", vbt_options.tick);
    put_number(w, &count, "page_size", PAGE);
    if (vbt_python.minor != 0) {
        put_pair(w, &count, "python", vbt_python.version);
        put_pair(w, &count, "python_status", vbt_python.trouble != NULL ? vbt_python.trouble : "ok");
    }
    for (const char *entry = vbt_process_options(); *entry != '\0'; entry += strlen(entry) + 1)
        put_pair(w, &count, "option", entry);
    for (unsigned i = 0; vbt_note_at(i) != NULL; i++)
        put_pair(w, &count, "note", vbt_note_at(i));
    for (uint32_t i = 0; vbt_line_source_at(i) != NULL; i++)
        put_pair(w, &count, "source", vbt_line_source_at(i));
    if (vbt_helper_is_impossible())
        put_pair(
            w, &count, "note",
            "Nothing could be written while the program ran (under Valgrind, an emulator or a system call filter), so there is "
            "no timeline.");
    vbt_chunk_counted_end(writer, start, count);
    vbt_chunk_end(writer, VBT_CHUNK_PROCESS);
}

/* Code that is mapped from a file. */
struct mapped_code {
    uint64_t from, to, offset;
    const char *path; /* not terminated */
    size_t path_size;
};

/* One line of /proc/self/maps: "start-end perms offset device inode   path"; false if it is no
 * code, or of no file. */
static bool take_mapping(const char *line, const char *end, struct mapped_code *out) {
    const char *at = line;
    out->from = vbt_hexadecimal(&at);
    at++;
    out->to = vbt_hexadecimal(&at);
    at++;
    bool executable = at[2] == 'x';
    at += 5;
    out->offset = vbt_hexadecimal(&at);
    out->path = memchr(at, '/', (size_t)(end - at));
    out->path_size = out->path != NULL ? (size_t)(end - out->path) : 0;
    return executable && out->path != NULL;
}

/* Advances *at behind the next one; false if there is none. */
static bool next_line(const char **at, const char *end, struct mapped_code *out) {
    while (*at < end) {
        const char *line = *at, *line_end = memchr(line, '\n', (size_t)(end - line));
        if (line_end == NULL)
            return false;
        *at = line_end + 1;
        if (take_mapping(line, line_end, out))
            return true;
    }
    return false;
}

/* The text as it was before the helper moved. */
static struct { const char *text, *end; } kept;

void vbt_mappings_keep(void) {
    size_t length;
    const char *text = vbt_proc_text("/proc/self/maps", &length);
    char *copy = kept.text == NULL && length > 0 ? vbt_map(length) : NULL;
    if (copy == NULL)
        return;
    kept.text = memcpy(copy, text, length);
    kept.end = copy + length;
}

/* What is left of both texts. */
struct mappings {
    const char *at, *end, *kept;
};

/* The next one, with the path that it had before the helper moved, if it was there. */
static bool next_mapping(struct mappings *left, struct mapped_code *out) {
    struct mapped_code was;
    const char *at = left->kept;
    if (!next_line(&left->at, left->end, out))
        return false;
    while (at != NULL && next_line(&at, kept.end, &was) && was.from <= out->from) {
        left->kept = at;
        if (was.from == out->from && was.to == out->to && was.offset == out->offset)
            *out = was;
    }
    return true;
}

static uint64_t hash_of(struct mappings left) {
    struct mapped_code mapping;
    uint64_t hash = 1;
    while (next_mapping(&left, &mapping)) {
        uint64_t numbers[] = {mapping.from, mapping.to, mapping.offset};
        hash = XXH3_64bits_withSeed(numbers, sizeof numbers, hash);
        hash = XXH3_64bits_withSeed(mapping.path, mapping.path_size, hash);
    }
    return hash;
}

void vbt_write_mappings(struct vbt_chunk_writer *writer, uint64_t *written) {
    enum { NUMBERS = 4 * VBT_VARINT_MAX };
    size_t length;
    const char *text = vbt_proc_text("/proc/self/maps", &length);
    struct mappings left = {text, text + length, kept.text};
    uint64_t hash = hash_of(left);
    if (hash == *written)
        return;
    *written = hash;
    struct mapped_code mapping;
    for (bool more = next_mapping(&left, &mapping); more;) {
        struct vbt_writer *w = vbt_chunk_begin(writer);
        vbt_put_varint(w, 0);
        uint8_t *start = vbt_chunk_counted_begin(writer);
        uint64_t count = 0;
        for (; more && (size_t)(w->end - w->at) > mapping.path_size + NUMBERS; more = next_mapping(&left, &mapping)) {
            vbt_put_varint(w, mapping.from);
            vbt_put_varint(w, mapping.to);
            vbt_put_varint(w, mapping.offset);
            vbt_put_string(w, mapping.path, mapping.path_size);
            count++;
        }
        vbt_chunk_counted_end(writer, start, count);
        vbt_chunk_end(writer, VBT_CHUNK_MODULES);
    }
}
