/* When the sections of a run ran, as SECTION_TIMES chunks say: the first runs and the latest of
 * each name. */
#ifndef VBT_SECTION_TIMES_H
#define VBT_SECTION_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_payload;
struct vbt_reader;

struct vbt_section_run {
    uint64_t number;       /* of the runs of this name in the order in which they began, from 1; 0: not known */
    uint64_t begun, ended; /* ns since the start; UINT64_MAX: it did not end */
};

/* A name. */
struct vbt_section_name;

struct vbt_sections {
    struct vbt_section_name *names; /* a hash table, in order of their first mention */
    size_t count, runs;             /* names; runs that are kept of all of them */
};

/* Reads a SECTION_TIMES payload: a name replaces what was known of it. Returns NULL, or why it
 * cannot be read, for the caller to free; nothing has changed then. */
char *vbt_sections_read(struct vbt_sections *sections, struct vbt_reader *reader);

/* The same of a model that is loaded: a decoder, see decode/decode_payload.h. */
char *vbt_decode_section_times(struct vbt_payload *payload);

void vbt_sections_free(struct vbt_sections *sections);

/* Adds the runs of a process that began `offset` ns after the first of several, and lasted until
 * `end`, counted from there. */
void vbt_sections_add(struct vbt_sections *sum, const struct vbt_sections *of, uint64_t offset, uint64_t end);

/* After the last process: the runs of a name are numbered over all processes, as far as it is known
 * which number they have. */
void vbt_sections_number(struct vbt_sections *sum);

/* Finds the time that a text stands for, ns since the start: the beginning of a section's first
 * run, or the end of its last one; with "#3" behind the name, of its third. *time is UINT64_MAX if
 * it did not end. Returns NULL, or why there is none, for the caller to free. */
char *vbt_sections_time(const struct vbt_sections *sections, const char *text, bool end, uint64_t *time);

/* A name, and where its runs lie. */
struct vbt_section_place {
    const char *name; /* lives as long as the sections */
    size_t inside;    /* 1 + the index of the innermost section that has all its runs in its own; 0: none has */
};

/* Which sections lie in which, for the caller to free. NULL if that is not known: not all runs are
 * kept, or they overlap in some other way, as those of several threads do, or of one name in
 * itself. */
struct vbt_section_place *vbt_sections_nest(const struct vbt_sections *sections, size_t *count);

#endif
