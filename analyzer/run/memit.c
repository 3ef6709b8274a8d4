/* See memit.h. */
#include "memit.h"

#include "python_command.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "analyzer/base/units.h"
#include "analyzer/trace/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The text of memit.py, which lies beside this file. */
__asm__(".pushsection .rodata\n"
        "vbt_memit_py: .incbin \"" VBT_MEMIT_PY "\"\n.byte 0\n"
        ".popsection");
extern const char vbt_memit_py[];

static const char label[] = "memit"; /* of the statement's section */

void vbt_memit_add(char **text, const char *line) {
    char *all = *text != NULL ? vbt_text("%s\n%s", *text, line) : vbt_text("%s", line);
    free(*text);
    *text = all;
}

char *vbt_memit_begin(struct vbt_memit *memit) {
    size_t size = strlen(vbt_memit_py);
    memit->fd = memfd_create("vbtrace-memit", 0);
    if (memit->fd < 0 || write(memit->fd, vbt_memit_py, size) != (ssize_t)size || lseek(memit->fd, 0, SEEK_SET) != 0)
        return vbt_text("--memit: cannot make a file for the statement: %s", strerror(errno));
    memit->boot = vbt_text("exec(compile(open(%d, closefd=False).read(), '<vbtrace>', 'exec'), {'out': %d})", memit->fd, memit->fd);
    memit->found = memit->python == NULL ? vbt_python_find() : NULL;
    const char *program[] = {memit->python != NULL ? memit->python : memit->found,
                             "-c",
                             memit->boot,
                             memit->statement,
                             memit->setup != NULL ? memit->setup : "",
                             NULL};
    memcpy(memit->program, program, sizeof program);
    return NULL;
}

static const struct vbt_model_interval *find_section(const struct vbt_model *model) {
    for (size_t i = 0; i < model->interval_count; i++)
        if (model->intervals[i].kind == VBT_INTERVAL_SECTION && model->intervals[i].count == 1 &&
            strcmp(vbt_model_string(model, model->intervals[i].label), label) == 0)
            return &model->intervals[i];
    return NULL;
}

/* Prints what threads other than the first did, in the whole run. */
static void print_other_threads(const struct vbt_model *model, FILE *out) {
    uint64_t allocs = 0, allocated = 0;
    for (size_t t = 2; t <= model->thread_count; t++)
        for (int domain = VBT_DOMAIN_HEAP; domain <= VBT_DOMAIN_PYTHON; domain++) {
            allocs += model->threads[t].totals[domain].allocs;
            allocated += model->threads[t].totals[domain].allocated;
        }
    if (allocs > 0)
        fprintf(out, "not counted: %s of %s B in other threads\n", vbt_counted((int64_t)allocs, "allocation").text,
                vbt_count((int64_t)allocated).text);
}

static bool print_heap(const char *path, pid_t pid, int64_t before, FILE *out) {
    struct vbt_model model;
    char *problem = vbt_model_load(&model, path, false);
    const struct vbt_model_interval *found =
        problem == NULL && vbt_model_process_number(&model, "pid") == pid ? find_section(&model) : NULL;
    if (found != NULL) {
        const struct vbt_model_quantities *of = found->of;
        fprintf(out, "peak heap: %s B, increment: %s B, kept: %s B\n", vbt_count(before + of[VBT_Q_HIGH].total).text,
                vbt_count(of[VBT_Q_HIGH].total).text, vbt_count(of[VBT_Q_NET].total).text);
        fprintf(out, "allocations: %s of %s B, freed: %s of %s B\n", vbt_count(of[VBT_Q_ALLOCS].total).text,
                vbt_count(of[VBT_Q_ALLOCATED].total).text, vbt_count(of[VBT_Q_FREES].total).text,
                vbt_count(of[VBT_Q_FREED].total).text);
        print_other_threads(&model, out);
    }
    free(problem);
    vbt_model_free(&model);
    return found != NULL;
}

bool vbt_memit_print(const struct vbt_memit *memit, const struct vbt_session *session, pid_t pid) {
    char text[128] = "";
    int64_t before, peak, heap;
    ssize_t size = pread(memit->fd, text, sizeof text - 1, (off_t)strlen(vbt_memit_py));
    text[size > 0 ? size : 0] = '\0';
    if (sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64, &before, &peak, &heap) != 3) {
        vbt_fail("run: the statement ended the interpreter, so there is nothing to report");
        return false;
    }
    struct vbt_output output;
    vbt_output_begin(&output, NULL);
    const double mib = 1024 * 1024;
    fprintf(output.stream, "peak memory: %.02f MiB, increment: %.02f MiB\n", (double)peak / mib, (double)(peak - before) / mib);
    bool found = false;
    for (size_t i = 0; i < session->count && !found; i++)
        found = print_heap(session->traces[i], pid, heap, output.stream);
    if (vbt_output_finish(&output) != 0)
        return false;
    if (!found)
        vbt_warn("the statement was not recorded");
    return true;
}

void vbt_memit_free(struct vbt_memit *memit) {
    free(memit->found);
    free(memit->statement);
    free(memit->setup);
    free(memit->boot);
    if (memit->fd >= 0)
        close(memit->fd);
}
