/* See json_rows.h. */
#include "json_rows.h"

#include "analyzer/analysis/threads.h"

#include <stdlib.h>

json_t *vbt_json_place(const struct vbt_source_place *place, struct vbt_sources *sources) {
    static const char *const kinds[] = {
        [VBT_PLACE_PYTHON] = "python", [VBT_PLACE_NATIVE] = "native", [VBT_PLACE_SPECIAL] = "special"};
    json_t *row = json_object();
    json_object_set_new(row, "file", vbt_json_text(place->file));
    json_object_set_new(row, "line", json_integer(place->line));
    json_object_set_new(row, "function", vbt_json_text(place->function));
    if (sources == NULL)
        return row;
    size_t size;
    const char *source = vbt_source_of_place(sources, place, &size);
    json_object_set_new(row, "source", source != NULL ? vbt_json_bytes(source, size) : json_null());
    json_object_set_new(row, "kind", json_string(kinds[place->kind]));
    json_object_set_new(row, "user", json_boolean(place->user));
    if (place->module != NULL)
        json_object_set_new(row, "module", vbt_json_text(place->module));
    return row;
}

json_t *vbt_json_measure(enum vbt_measure measure, int64_t value) {
    return vbt_measure_is_known(measure) ? json_integer(value) : json_null();
}

/* [[smallest size of the bucket, allocations], ...] for the buckets that have any. */
static json_t *sizes_of(const uint64_t *sizes) {
    json_t *list = json_array();
    for (int i = 0; i < VBT_SIZE_BUCKETS; i++)
        if (sizes[i] != 0) {
            json_t *pair = json_array();
            json_array_append_new(pair, vbt_json_unsigned(i == 0 ? 0 : UINT64_C(1) << (i - 1)));
            json_array_append_new(pair, vbt_json_unsigned(sizes[i]));
            json_array_append_new(list, pair);
        }
    return list;
}

json_t *vbt_json_line(const struct vbt_line_row *line, struct vbt_sources *sources) {
    const struct vbt_sums *s = &line->sums;
    bool any = s->smallest <= s->largest;
    json_t *row = vbt_json_place(line->place, sources);
    json_object_set_new(row, "allocs", vbt_json_unsigned(s->allocs));
    json_object_set_new(row, "frees", vbt_json_unsigned(s->frees));
    json_object_set_new(row, "allocated_bytes", vbt_json_unsigned(s->allocated));
    json_object_set_new(row, "freed_bytes", vbt_json_unsigned(s->freed));
    json_object_set_new(row, "live_blocks", json_integer(s->live_blocks));
    json_object_set_new(row, "live_bytes", json_integer(s->live_bytes));
    json_object_set_new(row, "grown_bytes", json_integer(s->grown_bytes));
    json_object_set_new(row, "at_peak_bytes", vbt_json_measure(VBT_MEASURE_PEAK, s->at_peak_bytes));
    json_object_set_new(row, "temporary_allocs", vbt_json_unsigned(s->temporary));
    json_object_set_new(row, "min_bytes", any ? vbt_json_unsigned(s->smallest) : json_null());
    json_object_set_new(row, "max_bytes", any ? vbt_json_unsigned(s->largest) : json_null());
    json_object_set_new(row, "max_rss_bytes", s->max_rss_bytes > 0 ? vbt_json_unsigned(s->max_rss_bytes) : json_null());
    json_object_set_new(row, "hits", line->hits > 0 ? vbt_json_unsigned(line->hits) : json_null());
    if (line->sizes != NULL)
        json_object_set_new(row, "sizes", sizes_of(line->sizes));
    return row;
}

void vbt_json_completeness(struct vbt_json *json, const struct vbt_model *m) {
    json_t *damage = json_null();
    if (m->damage != NULL) {
        damage = json_object();
        json_object_set_new(damage, "byte", vbt_json_unsigned(m->damage_offset));
        json_object_set_new(damage, "what", vbt_json_text(m->damage));
    }
    vbt_json_member(json, "complete", json_boolean(vbt_model_complete(m)));
    vbt_json_member(json, "damage", damage);
    if (!m->window.asked)
        return;
    json_t *part = json_object();
    json_object_set_new(part, "from_ns", vbt_json_unsigned(m->window.from));
    json_object_set_new(part, "to_ns", vbt_json_unsigned(m->window.to));
    vbt_json_member(json, "part", part);
}

json_t *vbt_json_threads(const struct vbt_model *m) {
    json_t *list = json_array();
    bool known = !m->window.is_part || vbt_part_knows(&m->window, VBT_DETAIL_THREADS);
    for (uint32_t i = 1; known && i <= m->thread_count; i++) {
        const struct vbt_model_thread *thread = &m->threads[i];
        const struct vbt_model_thread_totals *heap = &thread->totals[VBT_DOMAIN_HEAP], *python = &thread->totals[VBT_DOMAIN_PYTHON];
        char *label = vbt_thread_label(m, i);
        json_t *row = json_object();
        json_object_set_new(row, "thread", json_integer(i));
        json_object_set_new(row, "label", vbt_json_text(label));
        json_object_set_new(row, "name", vbt_json_text(thread->name));
        json_object_set_new(row, "tid", json_integer(thread->tid));
        json_object_set_new(row, "threads", vbt_json_unsigned(thread->threads));
        json_object_set_new(row, "begun_ns", vbt_json_unsigned(thread->begun));
        json_object_set_new(row, "ended_ns", thread->ended != 0 ? vbt_json_unsigned(thread->ended) : json_null());
        json_object_set_new(row, "allocs", vbt_json_unsigned(heap->allocs + python->allocs));
        json_object_set_new(row, "frees", vbt_json_unsigned(heap->frees + python->frees));
        json_object_set_new(row, "allocated_bytes", vbt_json_unsigned(heap->allocated + python->allocated));
        json_object_set_new(row, "freed_bytes", vbt_json_unsigned(heap->freed + python->freed));
        json_object_set_new(row, "temporary_allocs", vbt_json_unsigned(heap->temporary + python->temporary));
        json_array_append_new(list, row);
        free(label);
    }
    return list;
}
