/* See line_follow.h. */
#include "line_follow.h"

#include "ledger/shadow.h"
#include "line_choice.h"
#include "line_mode.h"
#include "options.h"
#include "where/python_code.h"

/* Lines that one piece of code may span: what would need more is made by a program, not by a person. */
enum { SPAN = 1 << 20 };

void (*vbt_line_code_chosen)(void *code);

static bool is_chosen(uint32_t code) {
    const struct vbt_code *known = vbt_code_at(code);
    const struct vbt_string *file = vbt_string_at(known->file), *name = vbt_string_at(known->name);
    return vbt_line_choice_takes(file->bytes, file->size, name->bytes, name->size, known->flags);
}

/* With the tree's lock. */
static uint32_t index_of(const char *code, bool decorated) {
    int32_t smallest, largest;
    uint32_t id = vbt_python_code_of(code, &smallest, &largest);
    if (id == 0)
        return 0;
    uint32_t count = (uint32_t)(largest - smallest) < SPAN ? (uint32_t)(largest - smallest) + 1 : SPAN;
    uint32_t index = vbt_line_code_find(id);
    if (index == 0)
        return vbt_line_code_add(id, smallest, decorated || is_chosen(id) ? count : 0, decorated);
    struct vbt_line_code *known = vbt_line_code_at(index);
    if (decorated && known->count == 0 && (known->known = vbt_arena_alloc(&vbt_tree.arena, count * sizeof *known->known)) != NULL)
        known->count = count;
    known->decorated |= decorated;
    return index;
}

struct vbt_line_block *vbt_line_meet(struct vbt_line_thread *lines, const char *code, bool *met) {
    uint32_t slot = (uint32_t)((uintptr_t)code >> 4 ^ (uintptr_t)code >> 12) % VBT_LINE_CACHE;
    uint32_t epoch = vbt_python_code_epoch(atomic_load(&vbt_python_epochs));
    vbt_lock(&vbt_tree.lock);
    uint32_t index = index_of(code, false);
    vbt_unlock(&vbt_tree.lock);
    struct vbt_line_block *block = index != 0 ? vbt_line_block(lines, index) : NULL;
    lines->cache[slot].code = (uintptr_t)code;
    lines->cache[slot].epoch = epoch;
    lines->cache[slot].block = block;
    *met = true;
    return block;
}

void vbt_line_choose(const char *code) {
    vbt_lock(&vbt_tree.lock);
    uint32_t index = index_of(code, true);
    if (index != 0 && vbt_code_at(vbt_line_code_at(index)->code)->flags & VBT_CODE_OWN)
        vbt_line_code_at(index)->hidden = true;
    vbt_unlock(&vbt_tree.lock);
    atomic_fetch_add(&vbt_python_epochs, VBT_PYTHON_CODE_DIED); /* what the caches say of the code is no longer so */
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

void vbt_line_begin_anyhow(struct vbt_line_thread *lines, const char *code, const void *frame, int32_t line) {
    bool met;
    struct vbt_line_block *block = vbt_line_block_of(lines, code, &met);
    if (block == NULL)
        return;
    if (!vbt_line_is_back(lines, frame))
        vbt_line_enter(lines, frame, block, line);
    vbt_line_begin_else(lines, frame, line);
}

bool vbt_line_is_part_of(const char *code, const void *block) {
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

struct vbt_line_sums vbt_line_ours_begin(struct vbt_thread *thread) {
    vbt_python_override(&thread->stack, vbt_tree.own_node);
    return thread->lines != NULL ? vbt_line_now(thread->lines) : (struct vbt_line_sums){0};
}

void vbt_line_ours_end(struct vbt_thread *thread, const struct vbt_line_sums *begun) {
    vbt_python_override(&thread->stack, 0);
    if (thread->lines != NULL)
        vbt_line_forget_since(thread->lines, begun);
}
