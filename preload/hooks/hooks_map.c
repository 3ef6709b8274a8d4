/* Mapped memory: mmap, munmap, mremap, madvise, brk, sbrk. libc's internal calls (for malloc, for
 * stacks, of the loader) do not come here.
 *
 * What a call is about to unmap is taken out of the books before the call, see ledger/maps.h. A
 * call from inside an allocator or an interpreter that is serving a request maps an arena: it is
 * put under [arena] in the call tree, since its bytes hold the blocks, and are not a cost of their
 * own. */
#include "hook.h"
#include "preload/ledger/maps.h"
#include "preload/python/python_deep.h"
#include "preload/thread/trim.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>

#ifndef MREMAP_DONTUNMAP /* glibc 2.32 */
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MADV_DONTNEED_LOCKED /* glibc 2.36 */
#define MADV_DONTNEED_LOCKED 24
#endif

enum { HUGE_PAGE_SHIFT = 26, HUGE_PAGE_MASK = 63, USUAL_HUGE_PAGE = 21 }; /* of mmap's flags, see MAP_HUGE_2MB */

/* A call that is being recorded; thread is NULL if it is only passed on. */
struct map_call {
    struct vbt_thread *thread;
    bool inside;                /* a request to an allocator */
    enum vbt_standing standing; /* then: where the thread is in it */
    bool paused;                /* only what ends is booked */
};

static struct map_call enter(uintptr_t caller) {
    struct map_call call = {.thread = vbt_self};
    if (call.thread != NULL)
        call.standing = (enum vbt_standing)atomic_load_explicit(&call.thread->standing, memory_order_relaxed);
    call.inside = (call.standing == VBT_IN_CALL || (call.standing == VBT_IN_REAL && vbt_real_calls_back(caller))) &&
                  atomic_load_explicit(&vbt_recording, memory_order_relaxed) != VBT_STOPPED;
    if (!call.inside && (call.thread = vbt_enter()) == NULL)
        call.paused = (call.thread = vbt_enter_paused()) != NULL;
    return call;
}

static void leave(struct map_call call) {
    if (call.thread != NULL)
        vbt_stand(call.thread, call.inside ? call.standing : VBT_IDLE);
}

/* The books are about to change. False: the recording stopped during the system call. */
static bool open_ledger(struct vbt_thread *thread) {
    vbt_stand(thread, VBT_IN_LEDGER);
    return atomic_load(&vbt_recording) != VBT_STOPPED;
}

static void close_ledger(struct vbt_thread *thread) { vbt_stand(thread, VBT_IN_CALL); }

static void retire(struct map_call call, uintptr_t start, uintptr_t end) {
    vbt_trim(start, end);
    if (call.thread != NULL && open_ledger(call.thread))
        vbt_maps_retire(&call.thread->ledger, start, end);
    if (call.thread != NULL)
        close_ledger(call.thread);
}

static uint32_t arena_site(void) {
    static _Atomic uint32_t known;
    uint32_t site = atomic_load(&known);
    if (site != 0)
        return site;
    vbt_lock(&vbt_tree_lock);
    site = vbt_intern_special_site("[arena]");
    vbt_unlock(&vbt_tree_lock);
    atomic_store(&known, site);
    return site;
}

static void add(struct map_call call, struct vbt_registers caller, enum vbt_map_kind kind, uintptr_t start, uintptr_t end) {
    if (call.paused)
        return;
    if (call.inside)
        kind = VBT_MAP_ARENA;
    vbt_maps_add(&call.thread->ledger, vbt_map_place(call.thread, caller, kind == VBT_MAP_ARENA ? arena_site() : 0), kind, start,
                 end);
}

/* With huge pages, sizes are rounded up to those. */
static uintptr_t mapped_size(size_t size, int flags) {
    if (!(flags & MAP_HUGETLB))
        return vbt_page_up(size);
    unsigned shift = (unsigned)flags >> HUGE_PAGE_SHIFT & HUGE_PAGE_MASK;
    uintptr_t page = (uintptr_t)1 << (shift != 0 ? shift : USUAL_HUGE_PAGE);
    return (size + page - 1) & ~(page - 1);
}

static void find_real(void) {
    if (VBT_UNLIKELY(vbt_real.mmap == NULL))
        vbt_real_find();
}

VBT_INLINE void *map(void *hint, size_t size, int protection, int flags, int file, off_t offset, struct vbt_registers caller) {
    find_real();
    struct map_call call = enter(caller.pc);
    if (flags & MAP_FIXED && !(flags & MAP_FIXED_NOREPLACE))
        retire(call, (uintptr_t)hint, (uintptr_t)hint + mapped_size(size, flags));
    void *start = vbt_real.mmap(hint, size, protection, flags, file, offset);
    if (call.thread != NULL && open_ledger(call.thread)) {
        if (start == MAP_FAILED) {
            vbt_maps_restore(&call.thread->ledger);
        } else {
            enum vbt_map_kind kind = flags & MAP_ANONYMOUS ? VBT_MAP_ANONYMOUS : VBT_MAP_FILE;
            vbt_maps_settle(&call.thread->ledger);
            add(call, caller, kind, (uintptr_t)start, (uintptr_t)start + mapped_size(size, flags));
        }
    }
    leave(call);
    return start;
}

VBT_EXPORT void *mmap(void *hint, size_t size, int protection, int flags, int file, off_t offset) {
    return map(hint, size, protection, flags, file, offset, VBT_CALLER_REGISTERS);
}

VBT_EXPORT void *mmap64(void *hint, size_t size, int protection, int flags, int file, off64_t offset) {
    return map(hint, size, protection, flags, file, offset, VBT_CALLER_REGISTERS);
}

/* Unmapping something unknown is not an error of the books: others map memory, too. */
static void settle_unmapped(struct vbt_ledger *ledger, uint64_t asked) {
    if (vbt_maps_settle(ledger) < asked)
        vbt_maps_unknown();
}

VBT_EXPORT int munmap(void *start, size_t size) {
    find_real();
    vbt_python_unmaps();
    struct map_call call = enter(VBT_CALLER);
    uintptr_t bytes = vbt_page_up(size);
    if (call.thread != NULL)
        vbt_python_stack_unmaps(&call.thread->stack, (uintptr_t)start, (uintptr_t)start + bytes);
    retire(call, (uintptr_t)start, (uintptr_t)start + bytes);
    int result = vbt_real.munmap(start, size);
    if (call.thread != NULL && open_ledger(call.thread)) {
        if (result == 0)
            settle_unmapped(&call.thread->ledger, bytes);
        else
            vbt_maps_restore(&call.thread->ledger);
    }
    leave(call);
    return result;
}

static enum vbt_map_kind kind_at(uintptr_t address) {
    struct vbt_mapped_part part;
    return vbt_maps_find(address, &part) && part.start <= address ? part.kind : VBT_MAP_ANONYMOUS;
}

VBT_EXPORT void *mremap(void *old, size_t old_size, size_t size, int flags, ...) {
    va_list more;
    va_start(more, flags);
    void *target = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? va_arg(more, void *) : NULL;
    va_end(more);
    find_real();
    struct map_call call = enter(VBT_CALLER);
    uintptr_t from = (uintptr_t)old, to = (uintptr_t)target;
    uintptr_t old_bytes = flags & MREMAP_DONTUNMAP ? 0 : vbt_page_up(old_size),
              bytes = vbt_page_up(size); /* 0: the old part stays */
    enum vbt_map_kind kind = call.thread != NULL ? kind_at(from) : VBT_MAP_ANONYMOUS;
    retire(call, from, from + old_bytes);
    if (flags & MREMAP_FIXED && (to + bytes <= from || to >= from + old_bytes)) /* if they overlap, the kernel will refuse */
        retire(call, to, to + bytes);
    void *start = vbt_real.mremap(old, old_size, size, flags, target);
    if (call.thread != NULL && open_ledger(call.thread)) {
        if (start == MAP_FAILED) {
            vbt_maps_restore(&call.thread->ledger);
        } else {
            settle_unmapped(&call.thread->ledger, old_bytes);
            add(call, VBT_CALLER_REGISTERS, kind, (uintptr_t)start, (uintptr_t)start + bytes);
        }
    }
    leave(call);
    return start;
}

/* The addresses stay, their contents go. No event: the mapping is as large as before. */
static bool gives_up(int advice) {
    return advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED || advice == MADV_FREE || advice == MADV_REMOVE;
}

/* posix_madvise gives up nothing. */
VBT_EXPORT int madvise(void *start, size_t size, int advice) {
    find_real();
    int result = vbt_real.madvise(start, size, advice);
    if (result == 0 && gives_up(advice)) /* by the caller's word, it is in use by no other thread until the hook returns */
        vbt_trim((uintptr_t)start, (uintptr_t)start + vbt_page_up(size));
    return result;
}

/* The break moves from one address to another; pages come and go where it crosses their
 * boundaries. */
static void break_to_move(struct map_call call, uintptr_t from, uintptr_t to) { retire(call, vbt_page_up(to), vbt_page_up(from)); }

static void break_moved(struct map_call call, struct vbt_registers caller, bool done, uintptr_t from, uintptr_t to) {
    if (call.thread != NULL && open_ledger(call.thread)) {
        if (done) {
            vbt_maps_settle(&call.thread->ledger);
            add(call, caller, VBT_MAP_ANONYMOUS, vbt_page_up(from), vbt_page_up(to));
        } else {
            vbt_maps_restore(&call.thread->ledger);
        }
    }
    leave(call);
}

static uintptr_t break_now(void) { return (uintptr_t)vbt_sys(SYS_brk, 0); }

VBT_EXPORT int brk(void *address) {
    find_real();
    struct map_call call = enter(VBT_CALLER);
    uintptr_t from = break_now(), to = (uintptr_t)address;
    break_to_move(call, from, to);
    int result = vbt_real.brk(address);
    break_moved(call, VBT_CALLER_REGISTERS, result == 0, from, to);
    return result;
}

VBT_EXPORT void *sbrk(intptr_t increment) {
    find_real();
    if (increment == 0)
        return vbt_real.sbrk(0);
    struct map_call call = enter(VBT_CALLER);
    uintptr_t from = break_now(), to = from + (uintptr_t)increment;
    break_to_move(call, from, to);
    void *result = vbt_real.sbrk(increment);
    break_moved(call, VBT_CALLER_REGISTERS, result != (void *)-1, from, to);
    return result;
}
