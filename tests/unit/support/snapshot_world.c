#include "snapshot_world.h"

#include "preload/ledger/interval.h"
#include "preload/ledger/ledger.h"
#include "preload/thread/books.h"
#include "preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct vbt_thread *thread;
struct vbt_chunk_writer writer;
struct vbt_dictionary written;
struct vbt_tick tick;
uint32_t nodes[3];
uintptr_t next_block = 0x10000;

static char path[64];

void snapshot_world_init(void) {
    static const char *const names[] = {"first", "second", "third"};
    world_init();
    for (int i = 0; i < 3; i++)
        nodes[i] = world_node(i > 0 ? nodes[i - 1] : 0, names[i], i == 1 ? VBT_DOMAIN_HEAP : VBT_DOMAIN_PYTHON);
}

int snapshot_begin(void **state) {
    world_reset(state);
    thread = vbt_thread_begin();
    strcpy(path, "/tmp/vbt-snapshot-XXXXXX");
    close(mkstemp(path));
    written = (struct vbt_dictionary){0};
    tick = (struct vbt_tick){0};
    vbt_snapshot_after_fork();
    vbt_interval_groups_forget();
    return !(vbt_chunk_writer_init(&writer) && vbt_chunk_writer_open(&writer, path));
}

/* Frees all live blocks, so that the next test inherits nothing. */
int snapshot_end(void **state) {
    (void)state;
    for (uintptr_t block = 0x10000; block < next_block; block += BLOCK_ROOM)
        world_free(vbt_self, block);
    vbt_books_inherit(true);
    vbt_chunk_writer_close(&writer);
    return unlink(path);
}

uintptr_t alloc(uint32_t node, size_t size) {
    uintptr_t block = next_block;
    next_block += BLOCK_ROOM;
    world_alloc(thread, node, block, size);
    return block;
}

uint64_t write_tick(uint64_t since) {
    uint64_t now = atomic_fetch_add(&vbt_epoch, 1) + 1;
    struct vbt_books books;
    vbt_books_read(&books);
    struct vbt_dictionary defined = vbt_dictionary_now();
    vbt_dictionary_write(&writer, &written, defined);
    vbt_snapshot_counters(&writer, &books, &tick, &defined, since);
    vbt_snapshot_intervals(&writer, &defined, since);
    vbt_snapshot_state(&writer, &books, &tick);
    assert_int_equal(writer.error, 0);
    assert_int_equal(writer.lost, 0);
    return now;
}

const struct trace *read_trace(void) {
    const struct trace *trace = trace_read(path);
    assert_int_equal(trace->bytes_read, writer.file_size);
    return trace;
}
