// Asks vbtrace what it allocated, through vbtrace.h, and prints it: as it runs untraced, too.
#include "vbtrace.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static struct vbtrace_counters before[8], after[8];
static int counted[8];
static void *volatile kept[100];

static void show(const char *what, int i) {
    fprintf(stderr, "%s %d: %llu allocations of %llu, %llu frees of %llu, live %lld, peak %lld\n", what, counted[i],
            (unsigned long long)(after[i].allocations - before[i].allocations),
            (unsigned long long)(after[i].allocated_bytes - before[i].allocated_bytes),
            (unsigned long long)(after[i].frees - before[i].frees),
            (unsigned long long)(after[i].freed_bytes - before[i].freed_bytes),
            (long long)(after[i].live_bytes - before[i].live_bytes), (long long)(after[i].peak_bytes - before[i].peak_bytes));
}

static void *in_thread(void *unused) {
    vbtrace_thread_counters(&before[3]);
    kept[50] = malloc(11);
    free(kept[0]);
    counted[3] = vbtrace_thread_counters(&after[3]);
    return unused;
}

int main(void) {
    kept[99] = malloc(100000); // the peak so far
    free(kept[99]);
    counted[0] = vbtrace_process_counters(&before[0]);
    vbtrace_process_counters(&after[0]);

    vbtrace_process_counters(&before[1]);
    for (int i = 0; i < 10; i++)
        kept[i] = malloc(100);
    kept[10] = realloc(NULL, 200000);
    free(kept[10]);
    counted[1] = vbtrace_process_counters(&after[1]);

    vbtrace_begin("section", 1);
    kept[11] = malloc(500);
    free(kept[11]);
    free(kept[1]);
    vbtrace_end_counted("section", &after[2], &counted[2]);

    pthread_t thread;
    vbtrace_thread_counters(&before[4]);
    kept[12] = malloc(1);
    counted[4] = vbtrace_thread_counters(&after[4]);
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);

    vbtrace_stop();
    counted[5] = vbtrace_process_counters(&after[5]);
    vbtrace_start();
    vbtrace_end_counted("no such section", &after[6], &counted[6]);

    show("nothing", 0);
    show("blocks", 1);
    show("section", 2);
    show("thread", 3);
    show("one", 4);
    show("stopped", 5);
    show("no section", 6);
    return 0;
}
