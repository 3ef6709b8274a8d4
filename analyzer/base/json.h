/* JSON, written member by member and row by row: a report of many lines is never held in memory as
 * a tree. */
#ifndef VBT_JSON_H
#define VBT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct vbt_json {
    FILE *out;
    bool first; /* nothing was written at this level yet */
    char *text; /* of one value; jansson returns it in tiny pieces */
    size_t size, capacity;
};

/* The members that all reports have: "schema", "vbtrace", and "view", the command. */
void vbt_json_begin(struct vbt_json *json, FILE *out, const char *view);
void vbt_json_end(struct vbt_json *json);

/* A member of the outermost object; takes ownership of the value. */
void vbt_json_member(struct vbt_json *json, const char *name, json_t *value);

/* A member that is an array. Its items are written between begin and end, each on its own line. */
void vbt_json_array_begin(struct vbt_json *json, const char *name);
void vbt_json_item(struct vbt_json *json, json_t *value);
/* Starts an item that the caller prints to json->out. */
void vbt_json_begin_item(struct vbt_json *json);
void vbt_json_array_end(struct vbt_json *json);

/* Values. Text is made valid UTF-8, NULL becomes null; an integer that JSON cannot hold becomes the
 * nearest one, a real number that it cannot hold becomes null. Real numbers are printed with as few
 * digits as give the same number again. */
json_t *vbt_json_text(const char *text);
json_t *vbt_json_bytes(const char *bytes, size_t size); /* a text that needs no terminating zero */
json_t *vbt_json_unsigned(uint64_t n);
json_t *vbt_json_real(double x);

#endif
