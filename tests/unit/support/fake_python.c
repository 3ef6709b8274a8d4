/* See fake_python.h. */
#include "fake_python.h"

#include "preload/python/python_stack.h"
#include "preload_world.h"

#include <stdlib.h>
#include <string.h>

enum { OBJECTS = 100000, FRAME_SIZE = 112, STATE_SIZE = 128, LINE_TABLE_SIZE = 2 * FAKE_INSTRUCTIONS };

/* Types, and the tagged None that frames of evaluation loops have as code: only their addresses
 * matter. */
static uint64_t code_type[2], string_type[2], bytes_type[2], tuple_type[2], none[8];

static struct vbt_thread *booker;
static struct {
    char *block;
    bool booked;
} objects[OBJECTS];
static uint32_t object_count;
static char *state;
static char *cframe;

static const struct vbt_python_abi *abi(void) { return &vbt_python.abi; }

static void put_word(char *base, int offset, uintptr_t value) { memcpy(base + offset, &value, sizeof value); }
static void put_pointer(char *base, int offset, const void *value) { put_word(base, offset, (uintptr_t)value); }
static void put_int(char *base, int offset, int32_t value) { memcpy(base + offset, &value, sizeof value); }

/* Zeroed memory of the interpreter's. booked: its allocation was seen, as of those that come after
 * the library woke. */
static char *object(size_t size, bool booked) {
    char *block = calloc(1, size);
    if (block == NULL || object_count == OBJECTS)
        abort();
    if (booked)
        world_alloc(booker, world_node(0, "the interpreter", VBT_DOMAIN_PYTHON), (uintptr_t)block, size);
    objects[object_count].block = block;
    objects[object_count++].booked = booked;
    return block;
}

static void *state_of_this_thread(void) { return state; }

static void begin(int minor, struct vbt_thread *thread) {
    booker = thread;
    vbt_python.minor = minor;
    vbt_python.known = vbt_cpython_known(minor);
    vbt_python.trouble = NULL;
    vbt_python.code_type = code_type;
    vbt_python.unicode_type = string_type;
    vbt_python.bytes_type = bytes_type;
    vbt_python.tuple_type = tuple_type;
    vbt_python.this_thread = state_of_this_thread;
    vbt_python.current_thread = state_of_this_thread; /* it has the GIL */
    state = object(STATE_SIZE, true);
    cframe = object(16, false);
    if (abi()->kind == VBT_FRAME_CFRAME)
        put_pointer(state, abi()->tstate_frame, cframe);
    vbt_python_stack_use(false);
}

void fake_python_begin(int minor, struct vbt_thread *thread) {
    vbt_python.abi = vbt_cpython_known(minor)->abi;
    begin(minor, thread);
}

void fake_python_begin_free_threaded(struct vbt_thread *thread) {
    struct vbt_python_abi *offsets = &vbt_python.abi;
    *offsets = vbt_cpython_known(FAKE_FREE_THREADED)->abi;
    offsets->frame_owner = 78;
    offsets->frame_tlbc = 72;
    offsets->code_tlbc = 224;
    offsets->code_filename = 128;
    offsets->code_qualname = 144;
    offsets->code_lines = 152;
    offsets->code_first_line = 84;
    offsets->code_start = 232;
    offsets->object_type = 24;
    offsets->var_size = offsets->string_length = 32;
    offsets->bytes_data = offsets->string_state = offsets->tuple_items = 48;
    offsets->code_constants = 40;
    offsets->ascii_data = 56;
    offsets->compact_data = 72;
    offsets->kind_shift = 8;
    begin(FAKE_FREE_THREADED, thread);
}

void fake_python_end(void) {
    vbt_python_stack_forget();
    for (uint32_t i = object_count; i-- > 0;) {
        if (objects[i].booked)
            world_free(booker, (uintptr_t)objects[i].block);
        free(objects[i].block);
    }
    object_count = 0;
    vbt_python.minor = 0;
}

char *fake_string(enum fake_string_kind kind, const void *characters, size_t length) {
    static const unsigned width[] = {1, 1, 2, 4, 1};
    unsigned bits = width[kind] | (kind != FAKE_NOT_COMPACT ? 8 : 0) | (kind == FAKE_ASCII ? 16 : 0);
    int data = kind == FAKE_ASCII ? abi()->ascii_data : abi()->compact_data;
    char *string = object((size_t)data + length * width[kind], false);
    put_pointer(string, abi()->object_type, string_type);
    put_word(string, abi()->string_length, length);
    put_int(string, abi()->string_state, (int32_t)(bits << abi()->kind_shift));
    memcpy(string + data, characters, length * width[kind]);
    return string;
}

/* Instruction i on line first_line + i, in the format of the version. */
static char *line_table(void) {
    uint8_t table[LINE_TABLE_SIZE];
    for (int i = 0; i < FAKE_INSTRUCTIONS; i++) {
        uint8_t step = i > 0;
        uint8_t location[] = {0x80 | 13 << 3, (uint8_t)(step << 1)}; /* one unit of code, no columns */
        uint8_t range[] = {2, step};
        uint8_t lnotab[] = {step ? 2 : 0, step};
        memcpy(table + 2 * i,
               abi()->lines == VBT_LINES_LOCATIONS ? location
               : abi()->lines == VBT_LINES_RANGES  ? range
                                                   : lnotab,
               2);
    }
    char *bytes = object((size_t)abi()->bytes_data + sizeof table, false);
    put_pointer(bytes, abi()->object_type, bytes_type);
    put_word(bytes, abi()->var_size, sizeof table);
    memcpy(bytes + abi()->bytes_data, table, sizeof table);
    return bytes;
}

static void fill_code(char *code, char *file, char *name, int first_line) {
    put_pointer(code, abi()->object_type, code_type);
    put_pointer(code, abi()->code_filename, file);
    put_pointer(code, abi()->code_qualname, name);
    put_int(code, abi()->code_first_line, first_line);
    put_pointer(code, abi()->code_lines, line_table());
    if (abi()->code_tlbc != 0) { /* copies of the bytecode, of which this thread runs the second */
        char *copies = object(3 * sizeof(void *), false);
        put_word(copies, 0, 2);
        put_pointer(copies, 8, code + abi()->code_start);
        put_pointer(copies, 16, object(2 * FAKE_INSTRUCTIONS, false));
        put_pointer(code, abi()->code_tlbc, copies);
    }
}

static size_t code_size(void) { return (size_t)(abi()->code_start != 0 ? abi()->code_start : 136) + 2 * FAKE_INSTRUCTIONS; }

char *fake_code_of(char *file, char *name, int first_line) {
    char *code = object(code_size(), true);
    fill_code(code, file, name, first_line);
    return code;
}

void fake_code_contains(char *code, char *const *inner, size_t count) {
    size_t size = (count + 1) * sizeof *inner;
    char *tuple = object((size_t)abi()->tuple_items + size, false);
    put_pointer(tuple, abi()->object_type, tuple_type);
    put_word(tuple, abi()->var_size, count + 1);
    put_pointer(tuple, abi()->tuple_items, none); /* as the constant that most code has */
    memcpy(tuple + abi()->tuple_items + sizeof *inner, inner, count * sizeof *inner);
    put_pointer(code, abi()->code_constants, tuple);
}

static char *ascii(const char *text) { return fake_string(FAKE_ASCII, text, strlen(text)); }

char *fake_code(const char *file, const char *name, int first_line) { return fake_code_of(ascii(file), ascii(name), first_line); }

void fake_code_reborn(char *code, const char *file, const char *name, int first_line) {
    world_free(booker, (uintptr_t)code);
    world_alloc(booker, world_node(0, "the interpreter", VBT_DOMAIN_PYTHON), (uintptr_t)code, code_size());
    fill_code(code, ascii(file), ascii(name), first_line);
}

char *fake_frame(void) { return object(FRAME_SIZE, false); }

void fake_frame_step(char *frame, const char *code, int instruction) {
    if (abi()->kind == VBT_FRAME_OBJECT) {
        put_int(frame, abi()->frame_instruction, 2 * instruction / abi()->lasti_unit);
    } else if (abi()->code_tlbc != 0) {
        const char *copy = vbt_load_pointer(vbt_load_pointer(code, abi()->code_tlbc), 16);
        put_pointer(frame, abi()->frame_instruction, copy + 2 * instruction);
        put_int(frame, abi()->frame_tlbc, 1);
    } else {
        put_pointer(frame, abi()->frame_instruction, code + abi()->code_start + 2 * instruction);
    }
}

void fake_frame_set(char *frame, const char *caller, const char *code, int instruction) {
    memset(frame, 0, FRAME_SIZE);
    put_pointer(frame, abi()->frame_previous, caller);
    put_pointer(frame, abi()->frame_code, code + (vbt_python.minor >= 14)); /* from 3.14 on with a tag bit */
    fake_frame_step(frame, code, instruction);
}

void fake_frame_set_entry(char *frame, const char *caller) {
    memset(frame, 0, FRAME_SIZE);
    put_pointer(frame, abi()->frame_previous, caller);
    put_pointer(frame, abi()->frame_code, none);
    put_pointer(frame, abi()->frame_instruction, none + 4);
    frame[abi()->frame_owner] = (char)abi()->entry_owner;
}

void fake_python_run(const char *frame) {
    if (abi()->kind == VBT_FRAME_CFRAME)
        put_pointer(cframe, abi()->cframe_current, frame);
    else
        put_pointer(state, abi()->tstate_frame, frame);
}

void fake_state_replace(void) {
    char *fresh = object(STATE_SIZE, true);
    memcpy(fresh, state, STATE_SIZE);
    world_free(booker, (uintptr_t)state);
    memset(state, 0xff, STATE_SIZE); /* reading it now fails */
    state = fresh;
}
