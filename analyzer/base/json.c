/* See json.h. */
#include "json.h"

#include "allocate.h"
#include "units.h"
#include "utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Raised if a member is ever renamed or removed, or means something else: not if one is added. */
enum { SCHEMA = 1 };

void vbt_json_begin(struct vbt_json *json, FILE *out, const char *view) {
    *json = (struct vbt_json){.out = out, .first = true};
    fputs("{\n", out);
    vbt_json_member(json, "schema", json_integer(SCHEMA));
    vbt_json_member(json, "vbtrace", json_string(VBT_VERSION));
    vbt_json_member(json, "view", json_string(view));
}

void vbt_json_end(struct vbt_json *json) {
    fputs("\n}\n", json->out);
    free(json->text);
}

static int collect(const char *piece, size_t size, void *data) {
    struct vbt_json *json = data;
    json->text = vbt_grow(json->text, &json->capacity, json->size + size, 1);
    memcpy(json->text + json->size, piece, size);
    json->size += size;
    return 0;
}

static void put(struct vbt_json *json, const char *text) { collect(text, strlen(text), json); }

static void put_real(struct vbt_json *json, double x) {
    const struct vbt_unit text = vbt_real(x);
    put(json, text.text);
    if (strpbrk(text.text, ".e") == NULL)
        put(json, ".0"); /* so that readers that tell them apart take it for one */
}

/* What jansson would write, but for real numbers, which have 17 digits there. */
static void put_value(struct vbt_json *json, json_t *value) {
    const char *key, *comma = "";
    json_t *item;
    size_t i;
    if (json_is_object(value)) {
        json_object_foreach(value, key, item) {
            json_t *name = json_string(key);
            put(json, comma[0] == '\0' ? "{" : comma);
            json_dump_callback(name, collect, json, JSON_ENCODE_ANY);
            json_decref(name);
            put(json, ": ");
            put_value(json, item);
            comma = ", ";
        }
        put(json, comma[0] == '\0' ? "{}" : "}");
    } else if (json_is_array(value)) {
        put(json, "[");
        json_array_foreach(value, i, item) {
            put(json, i > 0 ? ", " : "");
            put_value(json, item);
        }
        put(json, "]");
    } else if (json_is_real(value)) {
        put_real(json, json_real_value(value));
    } else {
        json_dump_callback(value, collect, json, JSON_ENCODE_ANY);
    }
}

static void dump(struct vbt_json *json, json_t *value) {
    json->size = 0;
    put_value(json, value);
    fwrite(json->text, 1, json->size, json->out);
    json_decref(value);
}

static void name_member(struct vbt_json *json, const char *name) {
    fprintf(json->out, "%s\"%s\": ", json->first ? "" : ",\n", name);
    json->first = false;
}

void vbt_json_member(struct vbt_json *json, const char *name, json_t *value) {
    name_member(json, name);
    dump(json, value);
}

void vbt_json_array_begin(struct vbt_json *json, const char *name) {
    name_member(json, name);
    putc('[', json->out);
    json->first = true;
}

void vbt_json_begin_item(struct vbt_json *json) {
    fputs(json->first ? "\n " : ",\n ", json->out);
    json->first = false;
}

void vbt_json_item(struct vbt_json *json, json_t *value) {
    vbt_json_begin_item(json);
    dump(json, value);
}

void vbt_json_array_end(struct vbt_json *json) {
    fputs(json->first ? "]" : "\n]", json->out);
    json->first = false;
}

json_t *vbt_json_bytes(const char *bytes, size_t size) {
    json_t *as_it_is = json_stringn(bytes, size); /* NULL if it is not UTF-8 */
    if (as_it_is != NULL)
        return as_it_is;
    char *valid = vbt_utf8_valid(bytes, size);
    json_t *value = json_string(valid);
    free(valid);
    return value;
}

json_t *vbt_json_text(const char *text) { return text != NULL ? vbt_json_bytes(text, strlen(text)) : json_null(); }

json_t *vbt_json_unsigned(uint64_t n) { return json_integer(n <= INT64_MAX ? (json_int_t)n : INT64_MAX); }

json_t *vbt_json_real(double x) { return isfinite(x) ? json_real(x) : json_null(); }
