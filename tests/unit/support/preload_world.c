/* See preload_world.h. */
#include "preload_world.h"

#include "preload/ledger/ledger.h"
#include "preload/lines/books/line_books.h"
#include "preload/base/real.h"
#include "preload/process/process.h"
#include "preload/process/run_notes.h"
#include "preload/shared/say.h"
#include "preload/tree/main_program.h"
#include "preload/python/python.h"
#include "preload/python/python_code.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(int good, const char *what) {
    if (!good) {
        perror(what);
        abort();
    }
}

void world_init(void) {
    vbt_real_find();
    vbt_pid = (int)getpid();
    vbt_say_init();
    vbt_main_program_init();
    must(vbt_tree_init() && vbt_python_code_init() && vbt_shadow_init(), "world_init");
}

uint32_t world_init_lines(void) {
    world_init();
    uint32_t heap_node = world_node(0, "test", VBT_DOMAIN_HEAP);
    vbt_tree.line_node = world_node(0, "[line events]", VBT_DOMAIN_PYTHON);
    vbt_line_books_init();
    return heap_node;
}

void world_without_options(void) {
    for (char **entry = environ; *entry != NULL;) {
        char *name = strndup(*entry, strcspn(*entry, "="));
        if (strncmp(name, "VBTRACE_", 8) == 0)
            unsetenv(name); /* the next one moves up */
        else
            entry++;
        free(name);
    }
}

int world_reset(void **state) {
    (void)state;
    vbt_self = NULL;
    atomic_store(&vbt_threads, NULL);
    atomic_store(&vbt_ledgers, NULL);
    vbt_threads_after_fork();
    memset(&vbt_peak, 0, sizeof vbt_peak);
    must(vbt_shadow_init(), "world_reset");
    return 0;
}

uint32_t world_node(uint32_t parent, const char *name, enum vbt_domain domain) {
    vbt_lock(&vbt_tree_lock);
    uint32_t site = vbt_intern_special_site(name);
    vbt_unlock(&vbt_tree_lock);
    return vbt_node_of(parent, site, domain);
}

struct vbt_place world_place(struct vbt_thread *thread, uint32_t node) {
    return vbt_place_of(&thread->ledger, node);
}

static enum vbt_domain domain_of(uint32_t node) { return (enum vbt_domain)vbt_node_at(node)->domain; }

void world_reading(struct vbt_ledger *ledger, uint32_t site, int64_t time) {
    vbt_intervals_reading(ledger, site, time);
    vbt_intervals_confirm(ledger);
}

void world_alloc(struct vbt_thread *thread, uint32_t node, uintptr_t block, size_t size) {
    struct vbt_place place = world_place(thread, node);
    if (place.counters == NULL || !vbt_ledger_alloc_usual(&thread->ledger, domain_of(node), place, (const void *)block, size))
        vbt_ledger_alloc(&thread->ledger, domain_of(node), place, (const void *)block, size);
}

uint64_t world_free(struct vbt_thread *thread, uintptr_t block) {
    uint64_t cell;
    if (vbt_ledger_free_usual(&thread->ledger, VBT_DOMAIN_HEAP, (const void *)block, &cell))
        return cell;
    return vbt_ledger_free(&thread->ledger, VBT_DOMAIN_HEAP, (const void *)block);
}

uint64_t world_random(uint64_t *seed) {
    uint64_t z = *seed += 0x9E3779B97F4A7C15ULL;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
    return z ^ z >> 31;
}

void world_in_thread(void *(*function)(void *), void *argument) {
    pthread_t thread;
    must(pthread_create(&thread, NULL, function, argument) == 0, "pthread_create");
    pthread_join(thread, NULL);
}

static int real_stderr = -1;
static FILE *heard;

void world_listen(void) {
    heard = tmpfile();
    must(heard != NULL, "tmpfile");
    real_stderr = dup(STDERR_FILENO);
    must(real_stderr >= 0 && dup2(fileno(heard), STDERR_FILENO) >= 0, "dup2");
    vbt_say_init();
}

const char *world_said(void) {
    static char text[16384];
    must(dup2(real_stderr, STDERR_FILENO) >= 0, "dup2");
    close(real_stderr);
    rewind(heard);
    text[fread(text, 1, sizeof text - 1, heard)] = '\0';
    fclose(heard);
    vbt_say_init();
    return text;
}

bool world_noted(const char *part) {
    const char *note;
    for (unsigned i = 0; (note = vbt_note_at(i)) != NULL; i++)
        if (strstr(note, part) != NULL)
            return true;
    return false;
}
