/* See resident.h.
 *
 * The kernel reports how much of each of its areas is resident. Most areas are of one class; an
 * area of several classes (the kernel merges adjacent areas that look alike) is split, and its
 * pages are looked up one by one. */
#include "resident.h"

#include "preload/base/clock.h"
#include "preload/base/memory.h"
#include "preload/base/proc.h"
#include "preload/base/sys.h"
#include "preload/ledger/maps.h"
#include "preload/ledger/shadow.h"
#include "preload/thread/thread.h"

#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>

/* In pagemap's word for each page. */
#define PRESENT (UINT64_C(1) << 63)
#define SWAPPED (UINT64_C(1) << 62)

enum { BUFFER = 64 * 1024, WORDS = 512, LINE = 4096 + 128, NAME = 4096 };

struct area {
    uintptr_t start, end;
    uint64_t resident; /* bytes */
    bool ours;         /* by the flags that vbt_map sets */
    char name[NAME];   /* a path, a name in brackets, or empty */
};

static VBT_CHANGED_BY_FORK struct {
    struct vbt_resident *out;
    int pagemap;
    struct area area;
    uintptr_t file_end;  /* of the latest area of a file: what follows directly is the rest of its data */
    uintptr_t block_end; /* of the latest block that was found */
    uint64_t words[WORDS];
    char buffer[BUFFER];
} * work;

/* Defined by the linker: where this library begins and ends in memory. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

static uintptr_t page_size(void) { return vbt_page_up(1); }

/* Fills work->words with the kernel's words for the pages from `start` on, at most up to `end`;
 * returns how many. */
static unsigned read_pages(uintptr_t start, uintptr_t end) {
    uintptr_t count = (end - start + page_size() - 1) / page_size();
    count = count < WORDS ? count : WORDS;
    long size = vbt_sys(SYS_pread64, work->pagemap, work->words, count * 8, start / page_size() * 8);
    return size > 0 ? (unsigned)size / 8 : 0;
}

static uint64_t count_present(uintptr_t start, uintptr_t end) {
    uint64_t bytes = 0;
    while (start < end) {
        unsigned count = read_pages(start, end);
        if (count == 0)
            break;
        for (unsigned i = 0; i < count; i++)
            bytes += (work->words[i] & PRESENT) != 0 ? page_size() : 0;
        start += count * page_size();
    }
    return bytes;
}

/* The last of these shadow cells that is in use; NULL if none is. */
static const vbt_cell *last_cell(const vbt_cell *from, const vbt_cell *to) {
    while (to > from)
        if (atomic_load_explicit(--to, memory_order_relaxed) != 0)
            return to;
    return NULL;
}

/* The same for many cells: pages of them that were never written are skipped. */
static const vbt_cell *last_cell_written(const vbt_cell *from, const vbt_cell *to) {
    uintptr_t first = (uintptr_t)from & ~(page_size() - 1), end = ((uintptr_t)to + page_size() - 1) & ~(page_size() - 1);
    while (end > first) {
        uintptr_t start = end - first > WORDS * page_size() ? end - WORDS * page_size() : first;
        unsigned count = read_pages(start, end);
        for (uintptr_t page = end; page > start; page -= page_size()) {
            uintptr_t i = (page - page_size() - start) / page_size();
            if (i < count && (work->words[i] & (PRESENT | SWAPPED)) == 0)
                continue;
            const vbt_cell *low = (const vbt_cell *)(page - page_size()), *high = (const vbt_cell *)page;
            const vbt_cell *found = last_cell(low > from ? low : from, high < to ? high : to);
            if (found != NULL)
                return found;
        }
        end = start;
    }
    return NULL;
}

/* Are there blocks in it? One may have begun in the part before: madvise(MADV_HUGEPAGE) splits a
 * large one in the middle. */
static bool holds_blocks(uintptr_t start, uintptr_t end) {
    uintptr_t last = vbt_shadow_last_end(start, end, last_cell_written);
    bool inside = start < work->block_end;
    if (last > work->block_end)
        work->block_end = last;
    return inside || last != 0;
}

/* Does a known thread have its stack there? */
static bool holds_stack(uintptr_t start, uintptr_t end) {
    for (struct vbt_thread *thread = atomic_load(&vbt_threads); thread != NULL; thread = thread->next)
        if (thread->on_stack >= start && thread->on_stack < end)
            return true;
    return false;
}

/* Does a heap of one of glibc's arenas for threads begin there? It is aligned, and says itself
 * whose it is and how much of it is accessible. It may hold no block any more. Read by a system
 * call, since the program may unmap it at any time. */
static bool is_arena(uintptr_t start, uintptr_t end) {
    enum { ALIGNED = 64 * 1024 * 1024, OF_ARENA = 256 }; /* the arena's state follows the first of its heaps' heads */
    struct {
        uintptr_t arena, previous;
        size_t used, accessible;
    } head;
    struct iovec to = {&head, sizeof head}, from = {(void *)start, sizeof head};
    if (start % ALIGNED != 0 || vbt_sys(SYS_process_vm_readv, vbt_sys(SYS_getpid), &to, 1, &from, 1, 0) != (long)sizeof head)
        return false;
    return head.arena >= ALIGNED && head.arena % ALIGNED < OF_ARENA && head.used > 0 && head.used <= head.accessible &&
           head.accessible <= end - start && head.accessible % page_size() == 0 && head.previous % ALIGNED == 0;
}

static bool is_anonymous(const struct area *area) { return area->name[0] == '\0' || strncmp(area->name, "[anon", 5) == 0; }

/* The class of what the books of mapped memory do not know. */
static enum vbt_resident_class class_of_unknown(const struct area *area, uintptr_t start, uintptr_t end) {
    if (area->ours || (start >= (uintptr_t)__ehdr_start && start < (uintptr_t)_end))
        return VBT_RESIDENT_OURS;
    if (area->name[0] == '/')
        return VBT_RESIDENT_PROGRAM;
    if (strcmp(area->name, "[heap]") == 0)
        return VBT_RESIDENT_HEAP;
    if (strncmp(area->name, "[stack", 6) == 0)
        return VBT_RESIDENT_STACK;
    if (!is_anonymous(area))
        return VBT_RESIDENT_PROGRAM; /* of the kernel: [vdso] and the like */
    if (holds_blocks(start, end) || is_arena(start, end))
        return VBT_RESIDENT_HEAP;
    if (holds_stack(start, end))
        return VBT_RESIDENT_STACK;
    return start == work->file_end ? VBT_RESIDENT_PROGRAM : VBT_RESIDENT_UNKNOWN;
}

static enum vbt_resident_class class_of_known(enum vbt_map_kind kind, uintptr_t start, uintptr_t end) {
    if (kind == VBT_MAP_FILE)
        return VBT_RESIDENT_FILE;
    return kind == VBT_MAP_ARENA || holds_blocks(start, end) ? VBT_RESIDENT_HEAP : VBT_RESIDENT_ANONYMOUS;
}

/* The class of the memory at `start`; *end: where another class may begin. */
static enum vbt_resident_class class_at(const struct area *area, uintptr_t start, uintptr_t *end) {
    struct vbt_mapped_part part;
    *end = area->end;
    if (!vbt_maps_find(start, &part) || part.start >= area->end)
        return class_of_unknown(area, start, area->end);
    if (part.start > start) {
        *end = part.start;
        return class_of_unknown(area, start, part.start);
    }
    *end = part.end < area->end ? part.end : area->end;
    return class_of_known(part.kind, start, *end);
}

static void add(enum vbt_resident_class class, uint64_t bytes) {
    work->out->bytes[class] += bytes;
    work->out->total += bytes;
}

/* More pages may be present than are resident (the zero page never is), so the largest share takes
 * the remainder. */
static void add_shares(const struct area *area) {
    uint64_t shares[VBT_RESIDENT_CLASSES] = {0}, left = area->resident;
    int largest = 0;
    for (uintptr_t start = area->start, end; start < area->end; start = end) {
        enum vbt_resident_class class = class_at(area, start, &end);
        shares[class] += count_present(start, end);
    }
    for (int class = 0; class < VBT_RESIDENT_CLASSES; class ++)
        if (shares[class] > shares[largest])
            largest = class;
    for (int class = 0; class < VBT_RESIDENT_CLASSES; class ++) {
        uint64_t share = class == largest ? 0 : shares[class] < left ? shares[class] : left;
        add((enum vbt_resident_class) class, share);
        left -= share;
    }
    add((enum vbt_resident_class)largest, left);
}

static void add_area(const struct area *area) {
    uintptr_t end;
    if (area->end == 0)
        return;
    if (area->name[0] == '/')
        work->file_end = area->end;
    if (area->resident == 0)
        return;
    enum vbt_resident_class class = class_at(area, area->start, &end);
    if (end >= area->end)
        add(class, area->resident);
    else
        add_shares(area);
}

/* "start-end perms offset device inode   name" */
static void begin_area(const char *line) {
    struct area *area = &work->area;
    const char *at = line;
    area->start = vbt_hexadecimal(&at);
    at++;
    area->end = vbt_hexadecimal(&at);
    area->resident = 0;
    area->ours = false;
    for (int field = 0; field < 4; field++) {
        at += strspn(at, " ");
        at += strcspn(at, " ");
    }
    at += strspn(at, " ");
    size_t size = strnlen(at, NAME - 1);
    memcpy(area->name, at, size);
    area->name[size] = '\0';
}

/* What vbt_map asks the kernel for: no reservation, not in core dumps. Other code rarely asks for
 * both. */
static bool flags_are_ours(const char *flags) { return strstr(flags, " nr") != NULL && strstr(flags, " dd") != NULL; }

static void read_line(const char *line) {
    if (line[0] < 'A' || line[0] > 'Z') {
        add_area(&work->area);
        begin_area(line);
    } else if (strncmp(line, "Rss:", 4) == 0) {
        const char *at = line + 4 + strspn(line + 4, " ");
        for (; *at >= '0' && *at <= '9'; at++)
            work->area.resident = work->area.resident * 10 + (uint64_t)(*at - '0');
        work->area.resident *= 1024;
    } else if (strncmp(line, "VmFlags:", 8) == 0) {
        work->area.ours = is_anonymous(&work->area) && flags_are_ours(line);
    }
}

static void read_areas(int file) {
    size_t held = 0;
    long got;
    while ((got = vbt_sys(SYS_read, file, work->buffer + held, BUFFER - 1 - held)) > 0) {
        held += (size_t)got;
        work->buffer[held] = '\0';
        char *line = work->buffer, *end;
        while ((end = strchr(line, '\n')) != NULL) {
            *end = '\0';
            read_line(line);
            line = end + 1;
        }
        held = (size_t)(work->buffer + held - line);
        memmove(work->buffer, line, held);
    }
    add_area(&work->area);
}

bool vbt_resident_reserve(void) {
    if (work == NULL)
        work = vbt_map_for_helper(sizeof *work);
    return work != NULL;
}

bool vbt_resident_read(struct vbt_resident *out) {
    *out = (struct vbt_resident){0};
    if (!vbt_resident_reserve())
        return false;
    long file = vbt_proc_open("/proc/self/smaps");
    if (vbt_sys_failed(file))
        return false;
    long pagemap = vbt_proc_open("/proc/self/pagemap");
    int64_t start = vbt_clock_read(CLOCK_THREAD_CPUTIME_ID);
    work->out = out;
    work->pagemap = vbt_sys_failed(pagemap) ? -1 : (int)pagemap;
    work->area = (struct area){0};
    work->file_end = work->block_end = 0;
    read_areas((int)file);
    vbt_sys(SYS_close, file);
    if (work->pagemap >= 0)
        vbt_sys(SYS_close, work->pagemap);
    out->took = vbt_clock_read(CLOCK_THREAD_CPUTIME_ID) - start;
    return out->total > 0;
}

static long statm; /* descriptor */

void vbt_rss_open(void) { statm = vbt_sys(SYS_openat, AT_FDCWD, "/proc/self/statm", O_RDONLY | O_CLOEXEC, 0); }

void vbt_rss_close(void) {
    if (!vbt_sys_failed(statm))
        vbt_sys(SYS_close, statm);
}

int64_t vbt_rss_now(void) {
    enum { PAGE = 4096 };
    return vbt_proc_second_of(statm) * PAGE;
}

int64_t vbt_rss_highest(void) {
    const char *at = strstr(vbt_proc_text("/proc/self/status", NULL), "VmHWM:");
    int64_t kib = 0;
    for (at = at != NULL ? at + 6 + strspn(at + 6, " \t") : ""; *at >= '0' && *at <= '9'; at++)
        kib = kib * 10 + (*at - '0');
    return kib * 1024;
}

void vbt_resident_after_fork(void) { work = NULL; }
