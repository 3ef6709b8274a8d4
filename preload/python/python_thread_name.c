/* See python_thread_name.h. Such a thread's first frame is that of Thread._bootstrap(self); the
 * object's attribute is _name. */
#include "python_thread_name.h"

#include "python_check.h"
#include "python_code.h"

#include <string.h>

enum { TYPE_BASIC_SIZE = 32, TYPE_DICT_OFFSET = 288, DICT_KEYS = 32, DICT_VALUES = 40, MOST_ATTRIBUTES = 1000 };
enum { HAS_INLINE_VALUES = 1 << 2 }; /* of a type's flags */

/* 0: it cannot be read. */
static uintptr_t word_at(uintptr_t base, int64_t offset) {
    uintptr_t word;
    return base != 0 && vbt_python_read((const void *)(base + (uintptr_t)offset), &word, sizeof word) ? word : 0;
}

static uint8_t byte_at(uintptr_t base, int offset) {
    uint8_t byte = 0;
    return vbt_python_read((const void *)(base + (uintptr_t)offset), &byte, 1) ? byte : 0;
}

static bool is_string(uintptr_t object) {
    return object != 0 && word_at(object, vbt_python.abi.object_type) == (uintptr_t)vbt_python.unicode_type;
}

static bool is_name(uintptr_t key) {
    static const char name[] = "_name";
    char text[sizeof name - 1];
    return is_string(key) && word_at(key, vbt_python.abi.string_length) == sizeof text &&
           vbt_python_read((const void *)(key + (uintptr_t)vbt_python.abi.ascii_data), text, sizeof text) &&
           memcmp(text, name, sizeof text) == 0;
}

/* A table of keys: `count` entries of `size` bytes, each a key and a value, a hash before them or
 * none. */
struct keys {
    uintptr_t entries, count;
    int size, key;
};

static struct keys keys_at(uintptr_t table) {
    if (vbt_python.known->thread_name.old_keys) {
        uintptr_t size = word_at(table, 8), width = size <= 0xff ? 1 : size <= 0xffff ? 2 : 4;
        return (struct keys){table + 40 + size * width, word_at(table, 32), 24, 8};
    }
    bool with_hash = byte_at(table, 10) == 0;
    uintptr_t entries = table + 32 + (UINT64_C(1) << (byte_at(table, 9) & 31));
    return (struct keys){entries, word_at(table, 24), with_hash ? 24 : 16, with_hash ? 8 : 0};
}

/* The value under the key; values: those of one object, where the keys are a type's, else 0. */
static uintptr_t value_of(uintptr_t table, uintptr_t values) {
    struct keys keys = table != 0 ? keys_at(table) : (struct keys){0, 0, 0, 0};
    for (uintptr_t i = 0; i < keys.count && i < MOST_ATTRIBUTES; i++) {
        uintptr_t entry = keys.entries + i * (uintptr_t)keys.size;
        if (is_name(word_at(entry, keys.key)))
            return values != 0 ? word_at(values, (int64_t)i * 8) : word_at(entry, keys.key + 8);
    }
    return 0;
}

static uintptr_t name_in_dict(uintptr_t dict) {
    uintptr_t values = word_at(dict, DICT_VALUES);
    return value_of(word_at(dict, DICT_KEYS), values != 0 ? values + (uintptr_t)vbt_python.known->thread_name.values : 0);
}

/* Where an object keeps its attributes; see enum vbt_attributes. */
static uintptr_t name_of(uintptr_t object) {
    const struct vbt_thread_name_abi *abi = &vbt_python.known->thread_name;
    uintptr_t type = word_at(object, vbt_python.abi.object_type);
    uintptr_t keys = abi->cached_keys != 0 ? word_at(type, abi->cached_keys) : 0, before = word_at(object, -24);
    switch (abi->attributes) {
    case VBT_ATTRIBUTES_DICT:
        return name_in_dict(word_at(object, (int64_t)word_at(type, TYPE_DICT_OFFSET)));
    case VBT_ATTRIBUTES_APART:
        if (word_at(object, -32) != 0)
            return value_of(keys, word_at(object, -32));
        return name_in_dict(before);
    case VBT_ATTRIBUTES_TAGGED:
        return (before & 1) != 0 ? value_of(keys, before + 1) : name_in_dict(before);
    case VBT_ATTRIBUTES_INLINE: {
        enum { VALID = 3 };
        uintptr_t values = object + word_at(type, TYPE_BASIC_SIZE);
        if ((word_at(type, VBT_PY_TYPE_FLAGS) & HAS_INLINE_VALUES) != 0 && byte_at(values, VALID) != 0)
            return value_of(keys, values + (uintptr_t)abi->values);
        return name_in_dict(before);
    }
    default:
        return 0;
    }
}

static bool ends(const char *text, const char *end) {
    size_t size = strlen(text), length = strlen(end);
    return size >= length && strcmp(text + size - length, end) == 0;
}

/* The Thread whose _bootstrap the frame is; 0: it is another function's. */
static uintptr_t thread_of(const char *frame) {
    char file[512], function[sizeof file];
    int32_t first_line, line;
    const char *code = (const char *)(vbt_load_word(frame, vbt_python.abi.frame_code) & ~(uintptr_t)7);
    if (!vbt_python_describe(code, 0, file, function, sizeof file, &first_line, &line))
        return 0;
    return ends(function, "_bootstrap") && ends(file, "/threading.py")
               ? word_at((uintptr_t)frame, vbt_python.known->thread_name.frame_locals)
               : 0;
}

bool vbt_python_thread_name(const struct vbt_python_stack *stack, char *name, size_t size) {
    bool is_usual = vbt_python.abi.object_type == vbt_python.known->abi.object_type;
    uintptr_t found = 0;
    if (vbt_python.known->thread_name.attributes == VBT_ATTRIBUTES_UNKNOWN || !is_usual)
        return false;
    for (uint32_t i = 0; i < 2 && i < stack->depth && found == 0; i++) /* the first may be the evaluation loop's own */
        found = name_of(thread_of(stack->frames[i].frame));
    if (!is_string(found))
        return false;
    name[vbt_python_text((const char *)found, name, size - 1)] = '\0';
    return true;
}
