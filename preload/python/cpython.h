/* CPython as vbtrace knows it: everything that depends on the interpreter's version, in one row a
 * version, vbt_cpythons.
 *
 * To support another version:
 *   1. Here: raise VBT_PYTHON_LAST and add the row. If no older version has the same frames and
 *      code objects, add the version to VBT_FOR_EACH_WALKER, too. Every message, walker, allocator
 *      wrapper and test follows from these. Check the numbers below the table, which are the same
 *      in all versions so far.
 *   2. cpython.c: the members of _Py_DebugOffsets, if their order within a group has changed.
 *   3. Only for what works differently: python_walk.h (frames), python_code.c and python_lines.c
 *      (code objects, line tables), thread/joined/joined_runs.c (runs of the evaluation loop),
 *      lines/line_monitoring.c (line events), lines/line_objects.c (objects).
 *   4. tests/unit/python/test_preload_cpython.c: the offsets as the interpreter's own headers have
 *      them, and the first words of its _PyRuntime. Run tests/unit/python/python_line_cases.py:
 *      it compiles its sample with the new interpreter, too.
 *   5. README.md and docs/limits.md, which name the range of versions (a test compares them).
 * Then run the end-to-end tests with the new interpreter (VBTRACE_PYTHONS). At run time a
 * self-check compares what is read with the interpreter's own answers (python_check.c) and switches
 * Python attribution off where they differ.
 *
 * The offsets are those of the interpreters' headers on x86-64 and aarch64; both are LP64 with the
 * same alignments. From 3.13 on the interpreter states most of them itself, in _Py_DebugOffsets at
 * the start of _PyRuntime, and these are used: that is how free-threaded builds are read. */
#ifndef VBT_CPYTHON_H
#define VBT_CPYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The oldest and the newest 3.x that are known. The tests read these two lines. */
#define VBT_PYTHON_FIRST 8
#define VBT_PYTHON_LAST 14

/* The versions for which the walk over the frames is compiled; see walked_as. */
#define VBT_FOR_EACH_WALKER(DO) DO(8) DO(10) DO(11) DO(12) DO(13) DO(14)

/* The versions whose line events come from a trace function; see enum vbt_line_events. */
#define VBT_FOR_EACH_TRACING_PYTHON(DO) DO(8) DO(9) DO(10) DO(11)

enum vbt_frame_kind {
    VBT_FRAME_OBJECT,  /* up to 3.10: a heap object; what it executes is (code, f_lasti) */
    VBT_FRAME_CFRAME,  /* 3.11, 3.12: reached through tstate->cframe; what it executes is an instruction's address */
    VBT_FRAME_CURRENT, /* 3.13 on: reached through tstate->current_frame; likewise */
};

enum vbt_line_table { VBT_LINES_LNOTAB, VBT_LINES_RANGES, VBT_LINES_LOCATIONS }; /* up to 3.9; 3.10; 3.11 on */

/* What is read so that events can be attributed to Python code. */
struct vbt_python_abi {
    enum vbt_frame_kind kind;
    enum vbt_line_table lines;
    int entry_owner; /* frames whose owner is at least this are the evaluation loop's, not Python code's; 0: none are */
    int lasti_unit;  /* bytes of code in one unit of f_lasti */
    int tstate_frame, cframe_current;
    int tstate_cframe, cframe_previous; /* 3.10, 3.11 */
    int frame_previous, frame_code, frame_instruction, frame_owner, frame_tlbc;
    int code_filename, code_qualname, code_first_line, code_lines, code_start, code_tlbc, code_constants;
    int object_type, var_size, bytes_data, tuple_items;
    int string_length, string_state, ascii_data, compact_data, kind_shift;
};

/* How _Py_DebugOffsets is laid out: the number of members of each group, all of 64 bits, as of
 * Include/internal/pycore_debug_offsets.h. All 0: this version states nothing. */
struct vbt_stated_offsets {
    int runtime, interpreter, thread, frame, code;
    bool by_thread; /* free-threaded: each thread runs a copy of the bytecode, and a string's kind is stored from bit 8 on */
};

/* Where line events come from. */
enum vbt_line_events {
    VBT_LINE_EVENTS_TRACED,    /* a trace function, see struct vbt_trace_abi */
    VBT_LINE_EVENTS_MONITORED, /* sys.monitoring */
};

/* What VBT_LINE_EVENTS_TRACED reads and writes besides. */
struct vbt_trace_abi {
    int tstate_function;     /* the thread's trace function, right after its profile function */
    int tstate_tracing;      /* the byte that says whether there is one of them; -1: it begins the cframe */
    int frame_inner;         /* in a frame object: the frame that struct vbt_python_abi describes; 0: the object is that frame */
    int frame_line;          /* in a frame object: f_lineno, which is right while a trace function runs */
    int interpreter_tracers; /* in the interpreter's state: the number of trace functions; 0: it has none, or all share one */
    int code_flags;          /* co_flags */
    int code_bytes;          /* co_code; 0: the bytecode is read at the instruction's address */
    /* A StopIteration's value, where the interpreter makes some of these objects in any case; 0:
     * all are made for the trace function. */
    int stop_iteration_value;
    bool evaluates_frame_alone; /* the function that evaluates a frame takes no thread state, and no call sets it */
    bool calls_without_c_stack; /* a call from Python to Python takes no room on the C stack */
};

/* How objects from free lists, for which no allocator is called, are seen. */
enum vbt_object_events {
    VBT_OBJECT_EVENTS_NONE,
    VBT_OBJECT_EVENTS_FREE_LISTS, /* free lists are kept empty, so that the allocator is asked; see struct vbt_free_lists_abi */
    VBT_OBJECT_EVENTS_REPORTED,   /* the reference tracer reports each object */
};

/* Free lists in the interpreter's state. */
struct vbt_free_lists_abi {
    int smallest_tuple; /* the size that the first of the lists of tuples is for */
    bool side_by_side;  /* the arrays of dicts and of key tables come first, then their two counts */
};

/* Where the frames of functions lie, see python_deep.h. */
enum vbt_data_stack {
    VBT_DATA_STACK_NONE,      /* in objects */
    VBT_DATA_STACK_UNMAPPED,  /* in chunks of memory that are unmapped when they are empty */
    VBT_DATA_STACK_ONE_SPARED /* the same, but one may be kept */
};

/* How an object keeps its attributes. */
enum vbt_attributes {
    VBT_ATTRIBUTES_UNKNOWN,
    VBT_ATTRIBUTES_DICT,   /* in a dict, whose place the type names */
    VBT_ATTRIBUTES_APART,  /* by the type's keys, in a block; it and a dict are named in front of the object */
    VBT_ATTRIBUTES_TAGGED, /* the same; one word names either */
    VBT_ATTRIBUTES_INLINE, /* by the type's keys, after the object; a dict is named in front of it */
};

/* Where a threading.Thread has its name; see python_thread_name.c. From 3.14 on Python tells the
 * kernel. */
struct vbt_thread_name_abi {
    enum vbt_attributes attributes;
    int frame_locals; /* in a frame: its variables */
    int cached_keys;  /* in a type: the keys of its objects */
    int values;       /* in the values of an object: the first */
    bool old_keys;    /* a dict's table of keys states its size, and each entry has the hash */
};

/* A version. */
struct vbt_cpython {
    struct vbt_python_abi abi; /* of the build with the GIL */
    int walked_as;             /* this version, or an older one with the same offsets */
    enum vbt_data_stack data_stack;
    const char *code_name; /* the attribute that abi.code_qualname is the place of */
    struct vbt_stated_offsets stated;
    enum vbt_line_events line_events;
    struct vbt_trace_abi trace;
    enum vbt_object_events object_events;
    struct vbt_free_lists_abi free_lists;
    struct vbt_thread_name_abi thread_name;
};

/* clang-format off */

/* Objects and strings are the same in all builds but the free-threaded ones. */
#define VBT_OBJECTS .object_type = 8, .var_size = 16, .bytes_data = 32, .string_length = 16, .string_state = 32, .kind_shift = 2
#define VBT_OLD_STRINGS .ascii_data = 48, .compact_data = 72
#define VBT_NEW_STRINGS .ascii_data = 40, .compact_data = 56

/* Up to 3.10. */
#define VBT_FRAME_OBJECTS                                                                                              \
    .kind = VBT_FRAME_OBJECT, .tstate_frame = 24, .frame_previous = 24, .frame_code = 32, .code_filename = 104,        \
    .code_qualname = 112, .code_first_line = 40, .code_lines = 120, .code_constants = 56, .tuple_items = 24

/* The compiler sees the offsets as constants and specializes the walkers by them. */
static const struct vbt_cpython vbt_cpythons[] = {
    [8] = {
        .abi = {VBT_FRAME_OBJECTS, .lines = VBT_LINES_LNOTAB, .lasti_unit = 1, .frame_instruction = 104, VBT_OBJECTS,
                VBT_OLD_STRINGS},
        .walked_as = 8,
        .code_name = "co_name",
        .trace = {.tstate_function = 64, .tstate_tracing = 48, .frame_line = 108, .code_flags = 36, .code_bytes = 48,
                  .stop_iteration_value = 64, .evaluates_frame_alone = true},
        .thread_name = {.attributes = VBT_ATTRIBUTES_DICT, .frame_locals = 360, .old_keys = true},
    },
    [9] = {
        .abi = {VBT_FRAME_OBJECTS, .lines = VBT_LINES_LNOTAB, .lasti_unit = 1, .frame_instruction = 104, VBT_OBJECTS,
                VBT_OLD_STRINGS},
        .walked_as = 8,
        .code_name = "co_name",
        .trace = {.tstate_function = 64, .tstate_tracing = 48, .frame_line = 108, .interpreter_tracers = 68, .code_flags = 36,
                  .code_bytes = 48, .stop_iteration_value = 64},
        .thread_name = {.attributes = VBT_ATTRIBUTES_DICT, .frame_locals = 360, .old_keys = true},
    },
    [10] = {
        .abi = {VBT_FRAME_OBJECTS, .lines = VBT_LINES_RANGES, .lasti_unit = 2, .frame_instruction = 96, .tstate_cframe = 48,
                .cframe_previous = 8, VBT_OBJECTS, VBT_OLD_STRINGS},
        .walked_as = 10,
        .code_name = "co_name",
        .trace = {.tstate_function = 64, .tstate_tracing = -1, .frame_line = 100, .code_flags = 36, .code_bytes = 48},
        .object_events = VBT_OBJECT_EVENTS_FREE_LISTS,
        .free_lists = {.smallest_tuple = 0},
        .thread_name = {.attributes = VBT_ATTRIBUTES_DICT, .frame_locals = 352, .old_keys = true},
    },
    [11] = {
        .abi = {.kind = VBT_FRAME_CFRAME, .lines = VBT_LINES_LOCATIONS, .lasti_unit = 1, .tstate_frame = 56,
                .cframe_current = 8, .tstate_cframe = 56, .cframe_previous = 16, .frame_previous = 48, .frame_code = 32,
                .frame_instruction = 56, .frame_owner = 69, .code_filename = 112, .code_qualname = 128, .code_first_line = 72,
                .code_lines = 136, .code_start = 184, .code_constants = 24, .tuple_items = 24, VBT_OBJECTS, VBT_OLD_STRINGS},
        .walked_as = 11,
        .data_stack = VBT_DATA_STACK_UNMAPPED,
        .code_name = "co_qualname",
        .trace = {.tstate_function = 72, .tstate_tracing = -1, .frame_inner = 24, .frame_line = 40, .code_flags = 48,
                  .calls_without_c_stack = true},
        .object_events = VBT_OBJECT_EVENTS_FREE_LISTS,
        .free_lists = {.smallest_tuple = 1},
        .thread_name = {.attributes = VBT_ATTRIBUTES_APART, .frame_locals = 72, .cached_keys = 872},
    },
    [12] = {
        .abi = {.kind = VBT_FRAME_CFRAME, .lines = VBT_LINES_LOCATIONS, .entry_owner = 3, .lasti_unit = 1, .tstate_frame = 56,
                .cframe_current = 0, .frame_previous = 8, .frame_code = 0, .frame_instruction = 56, .frame_owner = 70,
                .code_filename = 112, .code_qualname = 128, .code_first_line = 68, .code_lines = 136, .code_start = 192,
                .code_constants = 24, .tuple_items = 24, VBT_OBJECTS, VBT_NEW_STRINGS},
        .walked_as = 12,
        .data_stack = VBT_DATA_STACK_UNMAPPED,
        .code_name = "co_qualname",
        .line_events = VBT_LINE_EVENTS_MONITORED,
        .object_events = VBT_OBJECT_EVENTS_FREE_LISTS,
        .free_lists = {.smallest_tuple = 1, .side_by_side = true},
        .thread_name = {.attributes = VBT_ATTRIBUTES_TAGGED, .frame_locals = 72, .cached_keys = 880},
    },
    [13] = {
        .abi = {.kind = VBT_FRAME_CURRENT, .lines = VBT_LINES_LOCATIONS, .entry_owner = 3, .lasti_unit = 1, .tstate_frame = 72,
                .frame_previous = 8, .frame_code = 0, .frame_instruction = 56, .frame_owner = 70, .code_filename = 112,
                .code_qualname = 128, .code_first_line = 68, .code_lines = 136, .code_start = 200, .code_constants = 24,
                .tuple_items = 24, VBT_OBJECTS, VBT_NEW_STRINGS},
        .walked_as = 13,
        .data_stack = VBT_DATA_STACK_ONE_SPARED,
        .code_name = "co_qualname",
        .stated = {.runtime = 3, .interpreter = 13, .thread = 9, .frame = 6, .code = 10},
        .line_events = VBT_LINE_EVENTS_MONITORED,
        .object_events = VBT_OBJECT_EVENTS_REPORTED,
        .thread_name = {.attributes = VBT_ATTRIBUTES_INLINE, .frame_locals = 72, .cached_keys = 880, .values = 8},
    },
    [14] = {
        .abi = {.kind = VBT_FRAME_CURRENT, .lines = VBT_LINES_LOCATIONS, .entry_owner = 3, .lasti_unit = 1, .tstate_frame = 72,
                .frame_previous = 8, .frame_code = 0, .frame_instruction = 56, .frame_owner = 74, .code_filename = 112,
                .code_qualname = 128, .code_first_line = 68, .code_lines = 136, .code_start = 208, .code_constants = 24,
                .tuple_items = 32, VBT_OBJECTS, VBT_NEW_STRINGS},
        .walked_as = 14,
        .data_stack = VBT_DATA_STACK_ONE_SPARED,
        .code_name = "co_qualname",
        .stated = {.runtime = 3, .interpreter = 16, .thread = 9, .frame = 8, .code = 11, .by_thread = true},
        .line_events = VBT_LINE_EVENTS_MONITORED,
        .object_events = VBT_OBJECT_EVENTS_REPORTED,
    },
};

/* clang-format on */

_Static_assert(sizeof vbt_cpythons / sizeof *vbt_cpythons == VBT_PYTHON_LAST + 1, "a row for each version");

/* "3.8 to 3.14" */
#define VBT_PYTHON_TEXT(minor) VBT_PYTHON_QUOTED(minor)
#define VBT_PYTHON_QUOTED(minor) "3." #minor
#define VBT_PYTHON_RANGE VBT_PYTHON_TEXT(VBT_PYTHON_FIRST) " to " VBT_PYTHON_TEXT(VBT_PYTHON_LAST)

/* The row for 3.minor; NULL for a version that is not known. */
const struct vbt_cpython *vbt_cpython_known(int minor);

/* Reads what _PyRuntime of 3.minor states of itself. False, and *abi unchanged, where there is none
 * or it is another version's. */
bool vbt_cpython_stated(const void *runtime, int minor, struct vbt_python_abi *abi);

/* ---- what is the same in all versions that it is used with ---- */

/* PyMemAllocatorEx. */
struct vbt_py_allocator {
    void *context;
    void *(*malloc)(void *context, size_t size);
    void *(*calloc)(void *context, size_t count, size_t size);
    void *(*realloc)(void *context, void *block, size_t size);
    void (*free)(void *context, void *block);
};

/* PyMemAllocatorDomain. */
enum vbt_py_domain { VBT_PY_RAW, VBT_PY_MEM, VBT_PY_OBJ };

/* PyMethodDef. */
struct vbt_py_method {
    const char *name;
    void *function;
    int flags;
    const char *doc;
};

/* METH_FASTCALL: void *function(void *self, void *const *arguments, long count). */
enum { VBT_PY_METH_FASTCALL = 0x80 };

/* PyCFunctionObject, after the header of all objects. */
struct vbt_py_function {
    struct vbt_py_method *method;
    void *self, *module;
};

/* Py_file_input, for Py_CompileString. */
enum { VBT_PY_FILE_INPUT = 257 };

/* An object that the garbage collector tracks starts this many bytes after the start of its
 * block. */
enum { VBT_PY_GC_HEADER = 16 };

/* PyTypeObject: tp_flags, with Py_TPFLAGS_TUPLE_SUBCLASS and Py_TPFLAGS_BASE_EXC_SUBCLASS;
 * tp_descr_get. */
enum { VBT_PY_TYPE_FLAGS = 168, VBT_PY_TYPE_DESCRIPTOR_GET = 272 };
enum { VBT_PY_TUPLES = 1 << 26, VBT_PY_EXCEPTIONS = 1 << 30 };

/* Of a PyThreadState: interp. */
enum { VBT_PY_TSTATE_INTERPRETER = 16 };

/* What a Py_tracefunc is called for: PyTrace_CALL and so on. */
enum vbt_py_trace_event { VBT_PY_TRACE_CALL, VBT_PY_TRACE_EXCEPTION, VBT_PY_TRACE_LINE, VBT_PY_TRACE_RETURN };

/* co_flags: CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR. */
enum { VBT_PY_CODE_YIELDS = 0x20 | 0x80 | 0x200 };

/* Up to 3.11: the opcode by which a frame returns. */
enum { VBT_PY_RETURN_VALUE = 83 };

/* From 3.12 on an int has a tag after its header: the number of digits that follow, from bit 3 on;
 * below that the sign and, from 3.14 on, whether it is immortal. Ints up to the last small one
 * exist from the start. */
enum { VBT_PY_INT_IMMORTAL = 4, VBT_PY_INT_ONE_DIGIT = 8, VBT_PY_LAST_SMALL_INT = 256 };

/* The event of a PyRefTracer for an object that has just been created. */
enum { VBT_PY_REF_TRACER_CREATE = 0 };

/* VBT_OBJECT_EVENTS_FREE_LISTS: how many objects a list holds, and how many lists of tuples there
 * are. */
enum { VBT_PY_FREE_FLOATS = 100, VBT_PY_FREE_TUPLES = 2000, VBT_PY_FREE_OBJECTS = 80, VBT_PY_TUPLE_LISTS = 20 };

#endif
