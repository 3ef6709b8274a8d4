/* The payload of a chunk on its way into the model, and the files that read one: each knows the chunks of one subject.
 *
 * A decoder returns NULL, or what is wrong with the payload, for the caller to free; the model is then as it was before. */
#ifndef VBT_DECODE_PAYLOAD_H
#define VBT_DECODE_PAYLOAD_H

#include "analyzer/trace/model.h"
#include "format/varint.h"

struct vbt_payload {
    struct vbt_model *model;
    struct vbt_reader r;
    const char *chunk; /* its name, for messages */
};

char *vbt_payload_too_short(const struct vbt_payload *p);

/* A count of rows that take at least `least` bytes each: NULL if the payload has room for them, and the model for `limit` less the
 * `have` that it has. */
char *vbt_get_count(struct vbt_payload *p, uint64_t *count, size_t least, uint64_t have, uint64_t limit);

/* The two numbers a definition chunk begins with. */
char *vbt_get_definitions(struct vbt_payload *p, uint64_t *count, size_t least, uint64_t have, uint64_t limit);

/* An id that must be one of 0 … highest; of a column's ids that are not, the first goes into *foreign, which starts as 0. */
uint32_t vbt_get_id(struct vbt_payload *p, uint64_t highest, uint64_t *foreign);

/* What became of a column or row of ids. */
char *vbt_check_ids(struct vbt_payload *p, uint64_t foreign, const char *what);

/* A line number; 0 for what cannot be one. */
int64_t vbt_get_line(struct vbt_payload *p);

/* decode_process.c */
char *vbt_decode_process(struct vbt_payload *p);
char *vbt_decode_end(struct vbt_payload *p);

/* decode_definitions.c; begin gives definitions the rows that id 0 names. */
void vbt_decode_definitions_begin(struct vbt_model *m);
char *vbt_decode_strings(struct vbt_payload *p);
char *vbt_decode_codes(struct vbt_payload *p);
char *vbt_decode_sites(struct vbt_payload *p);
char *vbt_decode_nodes(struct vbt_payload *p);
char *vbt_decode_modules(struct vbt_payload *p);

/* decode_ticks.c; finish makes the ticks of both chunks one timeline. */
char *vbt_decode_state(struct vbt_payload *p);
char *vbt_decode_timeline(struct vbt_payload *p);
void vbt_decode_ticks_finish(struct vbt_model *m);

/* decode_counters.c; finish settles what was live at the peak. */
void vbt_decode_counters_begin(struct vbt_model *m);
char *vbt_decode_counters(struct vbt_payload *p);
void vbt_decode_counters_finish(struct vbt_model *m);

/* decode_threads.c; finish settles what was live at the peak. */
char *vbt_decode_threads(struct vbt_payload *p);
char *vbt_decode_thread_counters(struct vbt_payload *p);
void vbt_decode_threads_finish(struct vbt_model *m);

/* decode_intervals.c; finish puts rows in order, and leaves the newest. */
char *vbt_decode_intervals(struct vbt_payload *p);
char *vbt_decode_interval_sites(struct vbt_payload *p);
void vbt_decode_intervals_finish(struct vbt_model *m);

/* decode_lines.c */
char *vbt_decode_lines(struct vbt_payload *p);

/* decode_maps.c */
char *vbt_decode_maps(struct vbt_payload *p);

/* decode_names.c */
char *vbt_decode_frames(struct vbt_payload *p);
char *vbt_decode_sources(struct vbt_payload *p);

#endif
