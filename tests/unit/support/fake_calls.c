/* See fake_calls.h. */
#include "fake_calls.h"

#include "fake_api.h"
#include "fake_python.h"
#include "preload_world.h"

#include <stdlib.h>
#include <string.h>

enum { FRAMES = 256, BLOCKS = 256, INTERPRETER_SIZE = 64 * 1024, SLOT = 1000, OTHER_OPCODE = 100, GENERATOR = 0x20 };

const char fake_value[] = "a value";

struct fake_run {
    char *frame;
    char *object; /* what the trace function is given; up to 3.10 the frame itself */
    char *code;
    fake_body body;
    int line;
};

static struct fake_run runs[FRAMES];
static unsigned run_count;
static struct fake_run *running;
static struct vbt_thread *booker;
static uintptr_t booked[BLOCKS];
static unsigned booked_count;
static char *tuple; /* in the free list */
static char *interpreter;
static void *evaluator;
static int (*audit_hook)(const char *, void *, void *);
static int (*pending)(void *);

static const struct vbt_cpython *python(void) { return vbt_python.known; }
static char *state(void) { return vbt_python.this_thread(); }

static void put_pointer(char *base, int offset, const void *value) { memcpy(base + offset, &value, sizeof value); }
static void put_int(char *base, int offset, int32_t value) { memcpy(base + offset, &value, sizeof value); }

/* ---- trace functions ---- */

static uint8_t *tracing_byte(void) {
    if (python()->trace.tstate_tracing >= 0)
        return (uint8_t *)state() + python()->trace.tstate_tracing;
    return (uint8_t *)vbt_load_pointer(state(), python()->abi.tstate_cframe);
}

void fake_trace_set(fake_trace_function function) {
    put_pointer(state(), python()->trace.tstate_function, (void *)function);
    *tracing_byte() = function != NULL ? 255 : 0;
}

fake_trace_function fake_trace(void) {
    fake_trace_function function;
    memcpy(&function, state() + python()->trace.tstate_function, sizeof function);
    return function;
}

bool fake_is_traced(void) { return fake_trace() != NULL && *tracing_byte() != 0; }

static char *collected(size_t size) {
    char *block = (char *)fake_object();
    if (VBT_PY_GC_HEADER + size > FAKE_OBJECT_SIZE || booked_count == BLOCKS)
        abort();
    booked[booked_count++] = (uintptr_t)block;
    world_alloc(booker, world_node(0, "the interpreter", VBT_DOMAIN_PYTHON), (uintptr_t)block, VBT_PY_GC_HEADER + size);
    return block + VBT_PY_GC_HEADER;
}

uintptr_t fake_block_of(const void *object) { return (uintptr_t)object - VBT_PY_GC_HEADER; }

static int trace(int what, const void *argument) {
    if (!fake_is_traced())
        return 0;
    if (running->object == NULL) { /* 3.11 */
        running->object = collected(64);
        put_pointer(running->object, python()->trace.frame_inner, running->frame);
    }
    put_int(running->object, python()->trace.frame_line, running->line);
    return fake_trace()(NULL, running->object, what, (void *)argument);
}

void fake_line(int line) {
    running->line = line;
    trace(VBT_PY_TRACE_LINE, vbt_line_api.none);
}

char *fake_exception(void *type, int offset, void *value) {
    char *object = collected(72);
    put_pointer(object, python()->abi.object_type, type);
    if (offset != 0)
        put_pointer(object, offset, value);
    return object;
}

void fake_raise(void *type, void *value, void *traceback) {
    if (tuple == NULL)
        tuple = collected(48);
    put_pointer(tuple, python()->abi.tuple_items, type);
    put_pointer(tuple, python()->abi.tuple_items + 8, value);
    put_pointer(tuple, python()->abi.tuple_items + 16, traceback);
    trace(VBT_PY_TRACE_EXCEPTION, tuple);
}

const void *fake_tuple(void) { return tuple; }

const void *fake_running(void) { return running->object != NULL ? running->object : running->frame; }

/* ---- frames ---- */

static struct fake_run *run_of(const char *frame) {
    for (unsigned i = run_count; i-- > 0;)
        if (runs[i].frame == frame)
            return &runs[i];
    abort();
}

/* What the frame executed last: RETURN_VALUE, or another instruction. */
static void set_opcode(struct fake_run *run, uint8_t opcode) {
    if (python()->abi.kind == VBT_FRAME_OBJECT) {
        char *bytes = fake_object();
        put_int(run->frame, python()->abi.frame_instruction, 6 / python()->abi.lasti_unit);
        bytes[python()->abi.bytes_data + 6] = (char)opcode;
        put_pointer(run->code, python()->trace.code_bytes, bytes);
        return;
    }
    static uint8_t instruction;
    instruction = opcode;
    put_pointer(run->frame, python()->abi.frame_instruction, &instruction);
}

static const void *run_frame(char *frame) {
    struct fake_run *before = running;
    running = run_of(frame);
    fake_python_run(frame);
    trace(VBT_PY_TRACE_CALL, vbt_line_api.none);
    const void *value = running->body();
    trace(VBT_PY_TRACE_RETURN, value);
    running = before;
    fake_python_run(before != NULL ? before->frame : NULL);
    return value;
}

FAKE_EXPORT void *_PyEval_EvalFrameDefault(void *frame, int thrown); /* 3.8 */
FAKE_EXPORT void *_PyInterpreterState_GetEvalFrameFunc(void *of);
FAKE_EXPORT void _PyInterpreterState_SetEvalFrameFunc(void *of, void *function);

void *_PyEval_EvalFrameDefault(void *frame, int thrown) {
    (void)thrown;
    return (void *)run_frame(frame);
}

static void *evaluate_by_default(void *of, void *frame, int thrown) {
    (void)thrown;
    if (of != state())
        abort();
    return (void *)run_frame(frame);
}

void *_PyInterpreterState_GetEvalFrameFunc(void *of) { return of == interpreter ? evaluator : NULL; }

void _PyInterpreterState_SetEvalFrameFunc(void *of, void *function) {
    if (of == interpreter)
        evaluator = function;
}

static void evaluate(char *frame) {
    if (python()->trace.evaluates_frame_alone) {
        void *(*function)(void *, int);
        memcpy(&function, interpreter + SLOT, sizeof function);
        function(frame, 0);
        return;
    }
    void *(*function)(void *, void *, int);
    memcpy(&function, &evaluator, sizeof function);
    function(state(), frame, 0);
}

static struct fake_run *new_run(char *code, const char *caller, int flags) {
    if (run_count == FRAMES)
        abort();
    struct fake_run *run = &runs[run_count++];
    *run = (struct fake_run){.frame = fake_frame(), .code = code, .line = vbt_load_int(code, python()->abi.code_first_line)};
    if (python()->trace.frame_inner == 0)
        run->object = run->frame;
    put_int(code, python()->trace.code_flags, flags);
    fake_frame_set(run->frame, caller, code, 0);
    set_opcode(run, VBT_PY_RETURN_VALUE);
    return run;
}

void fake_call(char *code, fake_body body) {
    struct fake_run *run = new_run(code, running != NULL ? running->frame : NULL, 0);
    run->body = body;
    evaluate(run->frame);
}

void fake_call_on_other_stack(char *code, fake_body body) {
    struct fake_run *run = new_run(code, NULL, 0), *before = running;
    run->body = body;
    running = NULL;
    fake_python_run(NULL);
    evaluate(run->frame);
    running = before;
    fake_python_run(before->frame);
}

char *fake_generator(char *code) { return new_run(code, NULL, GENERATOR)->frame; }

void fake_resume(char *frame, fake_body body, bool ends) {
    struct fake_run *run = run_of(frame);
    run->body = body;
    put_pointer(frame, python()->abi.frame_previous, running != NULL ? running->frame : NULL);
    set_opcode(run, ends ? VBT_PY_RETURN_VALUE : OTHER_OPCODE);
    evaluate(frame);
}

/* ---- the rest of the interpreter ---- */

static void set_trace(int (*function)(void *, void *, int, void *), void *object) {
    (void)object;
    fake_trace_set(function);
}

static int add_audit_hook(int (*hook)(const char *, void *, void *), void *data) {
    (void)data;
    audit_hook = hook;
    return 0;
}

static int add_pending_call(int (*function)(void *), void *argument) {
    (void)argument;
    pending = function;
    return 0;
}

void fake_audit(const char *event) { audit_hook(event, NULL, NULL); }

void fake_run_pending(void) {
    if (pending != NULL)
        pending(NULL);
    pending = NULL;
}

void fake_calls_begin(struct vbt_thread *thread) {
    static char memory[2 * INTERPRETER_SIZE];
    memset(memory, 0, sizeof memory);
    interpreter = memory;
    booker = thread;
    run_count = 0;
    running = NULL;
    pending = NULL;
    tuple = NULL;
    void *by_default = python()->trace.evaluates_frame_alone ? (void *)_PyEval_EvalFrameDefault : (void *)evaluate_by_default;
    put_pointer(interpreter, SLOT, by_default);
    evaluator = by_default;
    put_pointer(state(), VBT_PY_TSTATE_INTERPRETER, interpreter);
    if (python()->trace.tstate_tracing < 0 && vbt_load_pointer(state(), python()->abi.tstate_cframe) == NULL)
        put_pointer(state(), python()->abi.tstate_cframe, fake_object());
    vbt_line_api.set_trace = set_trace;
    vbt_line_api.add_audit_hook = add_audit_hook;
    vbt_python.add_pending_call = add_pending_call;
    vbt_python.current_thread = vbt_python.this_thread; /* the thread runs */
}

void fake_calls_end(void) {
    while (booked_count > 0)
        world_free(booker, booked[--booked_count]);
}
