/* See symbols.h. */
#include "analyzer/base/hash.h"

#include "symbols.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"
#include "analyzer/symbols/native/address_map.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What all modules that are the same file share: those with one path and build id. */
struct image {
    const struct vbt_model_module *module; /* one of them */
    enum vbt_binary_state state;
    struct vbt_known_binary *known; /* NULL: no one has asked yet */
    bool nameless;                  /* functions without a name were asked for */
};

struct owned_text {
    char *text;
    struct owned_text *next;
};

struct vbt_symbols {
    const struct vbt_model *model;
    struct vbt_binaries *binaries, *own_binaries;
    struct vbt_address_map map;
    struct image *images;
    size_t image_count;
    uint32_t *image_of;       /* by row of the model's modules */
    struct owned_text *names; /* strings that were allocated here */
    struct vbt_symbol *found;
    size_t found_capacity;
    int64_t started_ns;
};

enum { NAMELESS_SHOWN = 3, MOST_THREADS = 64, WORTH_THREADS = 200 };

static int compare(const struct vbt_model_module *a, const struct vbt_model_module *b) {
    int order = strcmp(a->path, b->path);
    if (order == 0)
        order = (int)a->build_id_size - (int)b->build_id_size;
    return order != 0 ? order : memcmp(a->build_id, b->build_id, a->build_id_size);
}

static int by_file(const void *left, const void *right, void *modules) {
    const struct vbt_model_module *rows = modules;
    return compare(&rows[*(const uint32_t *)left], &rows[*(const uint32_t *)right]);
}

struct vbt_symbols *vbt_symbols_new(const struct vbt_model *model, struct vbt_binaries *binaries) {
    struct vbt_symbols *s = vbt_new(1, sizeof *s);
    s->model = model;
    s->own_binaries = binaries == NULL ? vbt_binaries_new() : NULL;
    s->binaries = binaries == NULL ? s->own_binaries : binaries;
    s->started_ns = vbt_model_process_number(model, "started");
    vbt_address_map_build(&s->map, model->modules, model->module_count);

    size_t count = model->module_count;
    uint32_t *order = vbt_new(count, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, count, sizeof *order, by_file, model->modules);
    s->images = vbt_new(count, sizeof *s->images);
    s->image_of = vbt_new(count, sizeof *s->image_of);
    for (size_t i = 0; i < count; i++) {
        const struct vbt_model_module *module = &model->modules[order[i]];
        if (s->image_count == 0 || compare(s->images[s->image_count - 1].module, module) != 0)
            s->images[s->image_count++].module = module;
        s->image_of[order[i]] = (uint32_t)s->image_count - 1;
    }
    free(order);
    return s;
}

void vbt_symbols_free(struct vbt_symbols *s) {
    if (s == NULL)
        return;
    vbt_binaries_free(s->own_binaries);
    while (s->names != NULL) {
        struct owned_text *next = s->names->next;
        free(s->names->text);
        free(s->names);
        s->names = next;
    }
    vbt_address_map_free(&s->map);
    free(s->images);
    free(s->image_of);
    free(s->found);
    free(s);
}

static const char *own(struct vbt_symbols *s, char *text) {
    struct owned_text *name = vbt_new(1, sizeof *name);
    *name = (struct owned_text){.text = text, .next = s->names};
    s->names = name;
    return text;
}

/* Returns zeroed room for so many symbols. */
static struct vbt_symbol *make_room(struct vbt_symbols *s, size_t count) {
    s->found = vbt_grow(s->found, &s->found_capacity, count, sizeof *s->found);
    memset(s->found, 0, count * sizeof *s->found);
    return s->found;
}

static struct vbt_symbolized from_trace(struct vbt_symbols *s, const struct vbt_named_site *named, struct image *image) {
    const struct vbt_model *m = s->model;
    struct vbt_symbol *symbols = make_room(s, named->count);
    for (uint32_t i = 0; i < named->count; i++) {
        const struct vbt_named_frame *frame = &m->named_frames[named->first + i];
        symbols[i] =
            (struct vbt_symbol){.function = vbt_model_string(m, frame->function),
                                .file = frame->file != 0 ? vbt_model_string(m, frame->file) : NULL,
                                .declared_file = frame->declared_file != 0 ? vbt_model_string(m, frame->declared_file) : NULL,
                                .line = frame->line,
                                .declared_line = frame->declared_line};
    }
    if (image != NULL)
        image->state = named->state;
    return (struct vbt_symbolized){.symbols = symbols, .count = named->count, .state = named->state};
}

ptrdiff_t vbt_symbols_module(const struct vbt_symbols *s, uint32_t id) {
    const struct vbt_model_site *site = &s->model->sites[id];
    return site->module != 0 ? (ptrdiff_t)s->model->module_by_id[site->module] : vbt_address_map_find(&s->map, site->a - 1);
}

static struct vbt_known_binary *binary_of(struct vbt_symbols *s, struct image *image) {
    if (image->known == NULL)
        image->known = vbt_binaries_get(s->binaries, image->module);
    return image->known;
}

/* Files and their sites, for several threads. */
struct reading {
    struct vbt_symbols *symbols;
    uint32_t *sites;   /* file by file */
    size_t *begin;     /* by number of an image, and one more: its first site */
    size_t next_image; /* no thread has taken this one yet */
};

/* Looks up the sites of one file after another until all are taken. */
static void *read_files(void *argument) {
    struct reading *reading = argument;
    struct vbt_symbols *s = reading->symbols;
    const struct vbt_model *m = s->model;
    for (;;) {
        size_t image = __atomic_fetch_add(&reading->next_image, 1, __ATOMIC_RELAXED), frames;
        if (image >= s->image_count)
            return NULL;
        for (size_t i = reading->begin[image]; i < reading->begin[image + 1]; i++) {
            uint32_t site = reading->sites[i];
            vbt_known_binary_find(s->images[image].known, &m->modules[vbt_symbols_module(s, site)], m->sites[site].a - 1, &frames);
        }
    }
}

/* The image of a site that is to be looked up in a file that was not asked yet; NULL: there is no
 * need. */
static struct image *unread(struct vbt_symbols *s, uint32_t site) {
    const struct vbt_model *m = s->model;
    ptrdiff_t row =
        m->sites[site].kind == VBT_SITE_NATIVE && vbt_model_named_site(m, site) == NULL ? vbt_symbols_module(s, site) : -1;
    struct image *image = row >= 0 ? &s->images[s->image_of[row]] : NULL;
    return image != NULL && !vbt_known_binary_is_open(binary_of(s, image)) ? image : NULL;
}

static void run_threads(struct reading *reading, size_t count) {
    pthread_t threads[MOST_THREADS];
    size_t started = 0;
    while (started < count && started < MOST_THREADS && pthread_create(&threads[started], NULL, read_files, reading) == 0)
        started++;
    read_files(reading);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}

void vbt_symbols_read_ahead(struct vbt_symbols *s) {
    const struct vbt_model *m = s->model;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors < 2 || vbt_binary_asks_network())
        return;
    size_t files = 0, sites = 0;
    struct reading reading = {.symbols = s, .begin = vbt_new(s->image_count + 2, sizeof *reading.begin)};
    size_t *end = reading.begin + 1; /* counts first, then where the next site of an image goes */
    for (uint32_t site = 1; site <= m->site_count; site++) {
        struct image *image = unread(s, site);
        if (image == NULL)
            continue;
        sites++;
        files += end[image - s->images + 1]++ == 0;
    }
    for (size_t i = 1; i <= s->image_count; i++)
        end[i] += end[i - 1];
    reading.sites = vbt_new(sites, sizeof *reading.sites);
    for (uint32_t site = 1; site <= m->site_count; site++) {
        struct image *image = unread(s, site);
        if (image != NULL)
            reading.sites[end[image - s->images]++] = site;
    }
    vbt_hash_key(); /* chosen once, before there are threads */
    if (files >= 2 && sites >= WORTH_THREADS)
        run_threads(&reading, (size_t)processors < files ? (size_t)processors - 1 : files - 1);
    free(reading.begin);
    free(reading.sites);
}

struct vbt_symbolized vbt_symbols_find(struct vbt_symbols *s, uint32_t id) {
    const struct vbt_model *m = s->model;
    const struct vbt_model_site *site = &m->sites[id];
    uint64_t address = site->a - 1;
    ptrdiff_t row = vbt_symbols_module(s, id);
    struct image *image = row >= 0 ? &s->images[s->image_of[row]] : NULL;
    const struct vbt_named_site *named = vbt_model_named_site(m, id);
    struct vbt_symbolized found = {.count = 1};
    if (named != NULL) {
        found = from_trace(s, named, image);
    } else if (image != NULL) {
        found.symbols = vbt_known_binary_find(binary_of(s, image), &m->modules[row], address, &found.count);
        found.state = image->state = vbt_known_binary_state(image->known, s->started_ns);
    } else {
        make_room(s, 1)->function = own(s, vbt_text("0x%" PRIx64, address));
        found.symbols = s->found;
    }
    if (image != NULL && image->state == VBT_BINARY_SAME)
        image->nameless = image->nameless || vbt_binaries_is_address(found.symbols[found.count - 1].function, image->module->path);
    found.module = row >= 0 ? m->modules[row].path : "";
    return found;
}

/* NULL: its debug information is all there. */
static char *incomplete_of(const struct image *image) {
    static const char *const sentences[] = {
        [VBT_INLINES_PACKED] = "%s has debug information that is compressed with zstd, which this elfutils cannot read: lines and "
                               "inlined functions are missing.",
        [VBT_INLINES_SPLIT] = "%s has debug information in split files (.dwo), and not all were found: inlined functions and some "
                              "names are missing.",
    };
    enum vbt_inlines_trouble trouble = image->known != NULL ? vbt_known_binary_trouble(image->known) : VBT_INLINES_READ;
    return trouble != VBT_INLINES_READ ? vbt_text(sentences[trouble], image->module->path) : NULL;
}

char *vbt_symbols_incomplete(const struct vbt_symbols *s, size_t number) {
    for (size_t i = 0; i < s->image_count; i++) {
        char *sentence = incomplete_of(&s->images[i]);
        if (sentence != NULL && number-- == 0)
            return sentence;
        free(sentence);
    }
    return NULL;
}

char *vbt_symbols_trouble(const struct vbt_symbols *s, size_t number) {
    static const char *const sentences[] = {
        [VBT_BINARY_NEWER] = "%s was changed after the trace began: its functions and lines may be wrong.",
        [VBT_BINARY_GONE] = "%s is gone: its functions are shown as addresses.",
        [VBT_BINARY_REPLACED] = "%s is not the file that ran (another build id): its functions are shown as addresses.",
    };
    for (size_t i = 0; i < s->image_count; i++) {
        const struct image *image = &s->images[i];
        if (image->state != VBT_BINARY_SAME && number-- == 0)
            return vbt_text(sentences[image->state], image->module->path);
        char *incomplete = incomplete_of(image);
        if (incomplete != NULL && number-- == 0)
            return incomplete;
        free(incomplete);
    }
    return NULL;
}

char *vbt_symbols_nameless(const struct vbt_symbols *s) {
    char *list = NULL;
    size_t count = 0;
    for (size_t i = 0; i < s->image_count; i++)
        if (s->images[i].nameless && count++ < NAMELESS_SHOWN) {
            char *longer =
                vbt_text("%s%s%s", list != NULL ? list : "", list != NULL ? ", " : "", vbt_file_name(s->images[i].module->path));
            free(list);
            list = longer;
        }
    if (count > NAMELESS_SHOWN) {
        char *longer = vbt_text("%s and %zu more", list, count - NAMELESS_SHOWN);
        free(list);
        list = longer;
    }
    return list;
}
