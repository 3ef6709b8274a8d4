/* See line_follow.h. */
#include "line_follow.h"

#include "preload/ledger/shadow.h"
#include "line_choice.h"
#include "line_mode.h"
#include "line_sources.h"
#include "preload/shared/options.h"
#include "preload/python/python_code.h"

/* Lines that one piece of code may span: only generated code needs more. */
enum { SPAN = 1 << 20 };

void (*vbt_line_code_chosen)(void *code);

static bool is_chosen(uint32_t code) {
    const struct vbt_code *known = vbt_code_at(code);
    const struct vbt_string *file = vbt_string_at(known->file), *name = vbt_string_at(known->name);
    return vbt_line_choice_takes(file->bytes, file->size, name->bytes, name->size, known->flags);
}

enum how { BY_CHOICE, PART, DECORATED };

/* Needs the tree's lock. *fresh: it was not chosen before, and is now. */
static uint32_t index_of(const char *code, enum how how, bool *fresh) {
    int32_t smallest, largest;
    uint32_t id = vbt_python_code_of(code, &smallest, &largest);
    *fresh = false;
    if (id == 0)
        return 0;
    uint32_t count = (uint32_t)(largest - smallest) < SPAN ? (uint32_t)(largest - smallest) + 1 : SPAN;
    uint32_t index = vbt_line_code_find(id);
    if (index == 0) {
        *fresh = how != BY_CHOICE || is_chosen(id);
        return vbt_line_code_add(id, smallest, *fresh ? count : 0, how == DECORATED);
    }
    struct vbt_line_code *known = vbt_line_code_at(index);
    if (how != BY_CHOICE && known->count == 0 &&
        (known->known = vbt_arena_alloc(&vbt_tree.arena, count * sizeof *known->known)) != NULL) {
        known->count = count;
        *fresh = true;
        atomic_fetch_add(&vbt_python_generations, VBT_PYTHON_CODE_DIED); /* what the caches say of the code is outdated */
    }
    known->decorated |= how == DECORATED;
    return index;
}

/* "<lambda>", "<listcomp>" and the like, which no pattern names. */
static bool is_expression(const char *code) {
    int32_t smallest, largest;
    uint32_t id = vbt_python_code_of(code, &smallest, &largest);
    const struct vbt_string *name = id != 0 ? vbt_string_at(vbt_code_at(id)->name) : NULL;
    return name != NULL && name->size > 0 && name->bytes[name->size - 1] == '>';
}

/* Code inside chosen code is a part of it: all of it, or the expressions alone. Needs the tree's
 * lock. */
static void choose_parts(const char *code, bool all, int level) {
    size_t at = 0;
    bool fresh;
    for (const char *inner; level < VBT_PYTHON_NESTED && (inner = vbt_python_inner_code(code, &at)) != NULL;)
        if (all || is_expression(inner)) {
            index_of(inner, PART, &fresh);
            choose_parts(inner, all, level + 1);
        }
}

struct vbt_line_block *vbt_line_look_up(struct vbt_line_thread *lines, const char *code, bool *is_new) {
    uint32_t slot = (uint32_t)((uintptr_t)code >> 4 ^ (uintptr_t)code >> 12) % VBT_LINE_CACHE;
    uint32_t generation = vbt_python_code_generation(atomic_load(&vbt_python_generations));
    vbt_lock(&vbt_tree_lock);
    bool fresh;
    uint32_t index = index_of(code, BY_CHOICE, &fresh);
    if (fresh && vbt_options.functions[0] != '\0')
        choose_parts(code, false, 0);
    vbt_unlock(&vbt_tree_lock);
    struct vbt_line_block *block = index != 0 ? vbt_line_block(lines, index) : NULL;
    lines->cache[slot].code = (uintptr_t)code;
    lines->cache[slot].generation = generation;
    lines->cache[slot].block = block;
    *is_new = true;
    if (fresh && block != NULL)
        vbt_line_sources_keep(vbt_self, vbt_code_at(vbt_line_code_at(index)->code)->file);
    return block;
}

static void start_events_within(const char *code, int level) {
    size_t at = 0;
    vbt_line_code_chosen((void *)code);
    for (const char *inner; level < VBT_PYTHON_NESTED && (inner = vbt_python_inner_code(code, &at)) != NULL;)
        start_events_within(inner, level + 1);
}

void vbt_line_choose(const char *code) {
    bool fresh;
    vbt_lock(&vbt_tree_lock);
    uint32_t index = index_of(code, DECORATED, &fresh);
    if (index != 0 && vbt_code_at(vbt_line_code_at(index)->code)->flags & VBT_CODE_OWN)
        vbt_line_code_at(index)->hidden = true;
    if (index != 0)
        choose_parts(code, true, 0);
    vbt_unlock(&vbt_tree_lock);
    if (index != 0)
        vbt_line_sources_keep(vbt_self, vbt_code_at(vbt_line_code_at(index)->code)->file);
    if (index != 0 && vbt_line_code_chosen != NULL)
        start_events_within(code, 0);
}

bool vbt_line_is_back(struct vbt_line_thread *lines, const void *frame) {
    const struct vbt_line_frame *found = lines->top;
    while (found > lines->frames && found->frame != frame)
        found--;
    if (found == lines->frames)
        return false;
    while (!vbt_line_is_top(lines, frame))
        vbt_line_leave(lines, lines->top->frame);
    return true;
}

void vbt_line_begin_unentered(struct vbt_line_thread *lines, const char *code, const void *frame, int32_t line) {
    bool is_new;
    struct vbt_line_block *block = vbt_line_block_of(lines, code, &is_new);
    if (block == NULL)
        return;
    if (!vbt_line_is_back(lines, frame))
        vbt_line_enter(lines, frame, block, line);
    vbt_line_begin_slow(lines, frame, line);
}

bool vbt_line_code_points_at(const char *code, const void *block) {
    for (int offset = 0; block != NULL && offset < vbt_python.abi.code_start; offset += (int)sizeof block)
        if (vbt_load_pointer(code, offset) == block)
            return true;
    return false;
}

bool vbt_line_disown(struct vbt_line_thread *lines, const void *block) {
    struct vbt_ledger *ledger = lines->ledger;
    if (!vbt_ledger_move(ledger, block, vbt_tree.line_node))
        return false;
    lines->last.allocs++;
    if (vbt_line_allocs(lines) == lines->last.allocs)
        ledger->last_block = vbt_shadow_holds(lines->last.block) ? lines->last.block : NULL;
    return true;
}

struct vbt_line_sums vbt_line_own_work_begin(struct vbt_thread *thread) {
    vbt_python_override(&thread->stack, vbt_tree.own_node);
    return thread->lines != NULL ? vbt_line_now(thread->lines) : (struct vbt_line_sums){0};
}

void vbt_line_own_work_end(struct vbt_thread *thread, const struct vbt_line_sums *begun) {
    vbt_python_override(&thread->stack, 0);
    if (thread->lines != NULL)
        vbt_line_forget_since(thread->lines, begun);
}
