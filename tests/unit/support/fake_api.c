/* See fake_api.h. */
#include "fake_api.h"

#include "preload/python/python.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS = 4096, ONE_DIGIT = 1 << 30 };

FAKE_EXPORT uint64_t PyCFunction_Type[2]; /* only its address matters */

static void *objects[OBJECTS];
static unsigned object_count;
static struct {
    const void *object;
    const char *name;
    void *value;
} attributes[OBJECTS];
static unsigned attribute_count;
static bool error;
static void *none, *stop_iteration, *generator_exit;

static void *of_size(size_t size) {
    void *made = calloc(1, size);
    if (made == NULL || object_count == OBJECTS)
        abort();
    return objects[object_count++] = made;
}

void *fake_object(void) { return of_size(FAKE_OBJECT_SIZE); }

void *fake_attribute(void *object, const char *name) {
    for (unsigned i = attribute_count; i-- > 0;)
        if (attributes[i].object == object && strcmp(attributes[i].name, name) == 0)
            return attributes[i].value;
    return NULL;
}

void fake_attribute_set(void *object, const char *name, void *value) {
    if (attribute_count == OBJECTS)
        abort();
    attributes[attribute_count].object = object;
    attributes[attribute_count].name = name;
    attributes[attribute_count++].value = value;
}

bool fake_error(void) { return error; }

static void *raise_error(void) {
    error = true;
    return NULL;
}

/* ---- functions and ints ---- */

static struct vbt_py_function *inside(void *builtin) { return (void *)((char *)builtin + vbt_python.abi.var_size); }

static void *new_function(struct vbt_py_method *method, void *self, void *module) {
    char *made = fake_object();
    const void *type = PyCFunction_Type;
    memcpy(made + vbt_python.abi.object_type, &type, sizeof type);
    *inside(made) = (struct vbt_py_function){method, self, module};
    return made;
}

void *fake_builtin(const char *name, void *function, int flags) {
    struct vbt_py_method *method = of_size(sizeof *method);
    *method = (struct vbt_py_method){name, function, flags, "what it does"};
    return new_function(method, fake_object(), fake_object());
}

const struct vbt_py_function *fake_builtin_of(const void *object) { return inside((void *)object); }

void *fake_call_two(void *builtin, void *first, void *second) {
    void *(*function)(void *, void *const *, long);
    void *const arguments[] = {first, second};
    *(void **)&function = inside(builtin)->method->function;
    return function(inside(builtin)->self, arguments, 2);
}

void *fake_call_one(void *builtin, void *argument) {
    void *(*function)(void *, void *);
    *(void **)&function = inside(builtin)->method->function;
    return function(inside(builtin)->self, argument);
}

/* The tag and the digit as in the interpreter, then the value. */
struct int_body {
    uintptr_t tag;
    int32_t digit, unused;
    long value;
};

void *fake_int(long value) {
    char *made = fake_object();
    struct int_body body = {.value = value};
    bool one_digit = value > 0 && value < ONE_DIGIT;
    body.tag = one_digit ? 1 << 3 : value == 0 ? 1 : 2 << 3;
    if (value > 0 && value <= VBT_PY_LAST_SMALL_INT && vbt_python.minor >= 14)
        body.tag |= VBT_PY_INT_IMMORTAL;
    body.digit = one_digit ? (int32_t)value : -1;
    memcpy(made + vbt_python.abi.var_size, &body, sizeof body);
    return made;
}

unsigned fake_conversions;

static long as_long(void *object) {
    struct int_body body;
    fake_conversions++;
    memcpy(&body, (char *)object + vbt_python.abi.var_size, sizeof body);
    return body.value;
}

/* ---- sys.monitoring ---- */

struct fake_tool fake_tools[FAKE_TOOLS];
static void *monitoring, *disable;
static struct {
    const void *code;
    int tool, events;
} local[64];
static unsigned local_count;

void *fake_disable(void) { return disable; }

int fake_local_events(const void *code, int tool) {
    for (unsigned i = local_count; i-- > 0;)
        if (local[i].code == code && local[i].tool == tool)
            return local[i].events;
    return 0;
}

static int index_of(int event) {
    int index = 0;
    while (index < FAKE_EVENTS && event != 1 << index)
        index++;
    if (index == FAKE_EVENTS)
        abort();
    return index;
}

static void *call_method(void *object, const char *name, const char *format, ...) {
    (void)format;
    void *result = none;
    va_list arguments;
    va_start(arguments, format);
    int number = va_arg(arguments, int);
    if (object != monitoring || number < 0 || number >= FAKE_TOOLS)
        abort();
    struct fake_tool *tool = &fake_tools[number];
    if (strcmp(name, "use_tool_id") == 0) {
        result = tool->taken ? raise_error() : none;
        tool->taken = true;
    } else if (strcmp(name, "set_events") == 0) {
        tool->events = va_arg(arguments, int);
    } else if (strcmp(name, "register_callback") == 0) {
        int event = va_arg(arguments, int);
        tool->callbacks[index_of(event)] = va_arg(arguments, void *);
    } else if (strcmp(name, "set_local_events") == 0) {
        const void *code = va_arg(arguments, void *);
        local[local_count].code = code;
        local[local_count].tool = number;
        local[local_count++].events = va_arg(arguments, int);
    } else {
        abort();
    }
    va_end(arguments);
    return result;
}

void *fake_monitoring(void) {
    static const char *const names[FAKE_EVENTS] = {
        [FAKE_PY_START] = "PY_START", [FAKE_PY_RESUME] = "PY_RESUME", [FAKE_PY_RETURN] = "PY_RETURN",
        [FAKE_PY_YIELD] = "PY_YIELD", [FAKE_LINE] = "LINE",           [FAKE_JUMP] = "JUMP",
        [FAKE_PY_THROW] = "PY_THROW", [FAKE_PY_UNWIND] = "PY_UNWIND",
    };
    void *events = fake_object();
    monitoring = fake_object();
    disable = fake_object();
    for (int i = 0; i < FAKE_EVENTS; i++)
        fake_attribute_set(events, names[i], fake_int(1 << i));
    fake_attribute_set(monitoring, "events", events);
    fake_attribute_set(monitoring, "DISABLE", disable);
    fake_attribute_set(fake_module("sys"), "monitoring", monitoring);
    return monitoring;
}

void *fake_report(int tool, enum fake_event event, void *code, void *second, void *third) {
    void *callback = fake_tools[tool].callbacks[event];
    int wanted = fake_tools[tool].events | fake_local_events(code, tool);
    if (callback == NULL || (wanted & 1 << event) == 0)
        return NULL;
    void *(*function)(void *, void *const *, long);
    void *const arguments[] = {code, second, third};
    *(void **)&function = inside(callback)->method->function;
    return function(inside(callback)->self, arguments, third != NULL ? 3 : 2);
}

/* ---- the rest of vbt_line_api ---- */

static void *get_attribute(void *object, const char *name) {
    void *value = fake_attribute(object, name);
    return value != NULL ? value : raise_error();
}

static int set_attribute(void *object, const char *name, void *value) {
    fake_attribute_set(object, name, value);
    return 0;
}

void *fake_module(const char *name) {
    static char modules; /* has them as attributes */
    void *module = fake_attribute(&modules, name);
    if (module == NULL)
        fake_attribute_set(&modules, name, module = fake_object());
    return module;
}

static void ignore(void *object) { (void)object; }
static void *error_occurred(void) { return error ? none : NULL; }
static void clear_error(void) { error = false; }

void fake_api_begin(void) {
    error = false;
    none = fake_object();
    stop_iteration = fake_object();
    generator_exit = fake_object();
    memset(fake_tools, 0, sizeof fake_tools);
    local_count = 0;
    vbt_python.library = NULL;
    vbt_line_api = (struct vbt_line_api){
        .get_attribute = get_attribute,
        .set_attribute = set_attribute,
        .call_method = call_method,
        .new_function = new_function,
        .import = (void *(*)(const char *))fake_module,
        .as_long = as_long,
        .incref = ignore,
        .decref = ignore,
        .error_occurred = error_occurred,
        .clear_error = clear_error,
        .none = none,
        .stop_iteration = &stop_iteration,
        .generator_exit = &generator_exit,
    };
}

void fake_api_end(void) {
    for (unsigned i = 0; i < object_count; i++)
        free(objects[i]);
    object_count = attribute_count = 0;
    vbt_line_api = (struct vbt_line_api){0};
}
