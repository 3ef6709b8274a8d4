/* JSON, written member by member and row by row: a report of many lines is never in memory as a tree. */
#ifndef VBT_JSON_H
#define VBT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct vbt_json {
    FILE *out;
    bool first; /* nothing was written yet at this level */
    char *text; /* of one value; jansson hands it out in tiny pieces */
    size_t size, capacity;
};

void vbt_json_begin(struct vbt_json *json, FILE *out);
void vbt_json_end(struct vbt_json *json);

/* A member of the outermost object; takes the value over. */
void vbt_json_member(struct vbt_json *json, const char *name, json_t *value);

/* A member that is an array: its items, each on a line of its own, come in between. */
void vbt_json_array_begin(struct vbt_json *json, const char *name);
void vbt_json_item(struct vbt_json *json, json_t *value);
/* An item that is printed to json->out by the caller. */
void vbt_json_begin_item(struct vbt_json *json);
void vbt_json_array_end(struct vbt_json *json);

/* Values. Text is made valid UTF-8, NULL becomes null; what a JSON number cannot hold becomes the nearest (integers) or null. */
json_t *vbt_json_text(const char *text);
json_t *vbt_json_bytes(const char *bytes, size_t size); /* a text that needs no terminating zero */
json_t *vbt_json_unsigned(uint64_t n);
json_t *vbt_json_real(double x);

#endif
