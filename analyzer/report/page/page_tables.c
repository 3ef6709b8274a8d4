/* See page_tables.h. */
#include "page_tables.h"

#include "analyzer/analysis/measure.h"

#include <stdlib.h>

/* A column of a table: what a row has in it. */
struct column {
    const char *name;
    enum vbt_page_coding coding;
    uint64_t (*value)(const void *row);
};

static void write_column(struct vbt_page_columns *columns, const struct column *column, const void *rows, size_t count,
                         size_t size) {
    const char *at = rows;
    vbt_page_column_begin(columns, column->name, column->coding);
    for (size_t i = 0; i < count; i++)
        vbt_page_column_put(columns, column->value(at + i * size));
    vbt_page_column_end(columns);
}

#define VALUE(name, type, member)                                                                                                  \
    static uint64_t name(const void *row) { return (uint64_t)(((const type *)row)->member); }

VALUE(cell_node, struct vbt_cell, call)
VALUE(cell_domain, struct vbt_cell, domain)
VALUE(cell_leaf, struct vbt_cell, leaf)
VALUE(cell_user, struct vbt_cell, user)
VALUE(cell_start_blocks, struct vbt_cell, start_blocks)
VALUE(cell_start_bytes, struct vbt_cell, start_bytes)
VALUE(cell_inherited_blocks, struct vbt_cell, inherited_blocks)
VALUE(cell_inherited_bytes, struct vbt_cell, inherited_bytes)
VALUE(cell_at_peak, struct vbt_cell, at_peak_bytes)
VALUE(cell_owner, struct vbt_cell, owner)

static void write_cells(struct vbt_page_columns *columns, const struct vbt_cells *cells) {
    static const struct column of_cells[] = {
        {"cell.node", VBT_PAGE_DELTA, cell_node},
        {"cell.domain", VBT_PAGE_PLAIN, cell_domain},
        {"cell.leaf", VBT_PAGE_PLAIN, cell_leaf},
        {"cell.user", VBT_PAGE_PLAIN, cell_user},
        {"cell.start_blocks", VBT_PAGE_SIGNED, cell_start_blocks},
        {"cell.start_bytes", VBT_PAGE_SIGNED, cell_start_bytes},
        {"cell.inherited_blocks", VBT_PAGE_PLAIN, cell_inherited_blocks},
        {"cell.inherited_bytes", VBT_PAGE_PLAIN, cell_inherited_bytes},
    };
    static const struct column at_peak = {"cell.at_peak_bytes", VBT_PAGE_SIGNED, cell_at_peak};
    static const struct column owner = {"cell.owner", VBT_PAGE_PLAIN, cell_owner};
    for (size_t i = 0; i < sizeof of_cells / sizeof *of_cells; i++)
        write_column(columns, &of_cells[i], cells->rows, cells->count, sizeof *cells->rows);
    if (vbt_measure_is_known(VBT_MEASURE_PEAK))
        write_column(columns, &at_peak, cells->rows, cells->count, sizeof *cells->rows);
    if (cells->owned)
        write_column(columns, &owner, cells->rows, cells->count, sizeof *cells->rows);
}

VALUE(change_step, struct vbt_change, step)
VALUE(change_cell, struct vbt_change, node)
VALUE(change_allocs, struct vbt_change, allocs)
VALUE(change_bytes, struct vbt_change, allocated)
VALUE(change_frees, struct vbt_change, frees)
VALUE(change_freed, struct vbt_change, freed)
VALUE(change_temporary, struct vbt_change, temporary)
VALUE(change_kept_blocks, struct vbt_change, kept_blocks)
VALUE(change_kept_bytes, struct vbt_change, kept_bytes)

/* Counts only grow, but in damaged traces. */
static void write_changes(struct vbt_page_columns *columns, const struct vbt_cells *cells) {
    static const struct column of_changes[] = {
        {"change.step", VBT_PAGE_DELTA, change_step},
        {"change.cell", VBT_PAGE_DELTA, change_cell},
        {"change.allocs", VBT_PAGE_PLAIN, change_allocs},
        {"change.bytes", VBT_PAGE_PLAIN, change_bytes},
        {"change.frees", VBT_PAGE_PLAIN, change_frees},
        {"change.freed_bytes", VBT_PAGE_PLAIN, change_freed},
        {"change.temporary", VBT_PAGE_PLAIN, change_temporary},
        {"change.kept_blocks", VBT_PAGE_SIGNED, change_kept_blocks},
        {"change.kept_bytes", VBT_PAGE_SIGNED, change_kept_bytes},
    };
    for (size_t i = 0; i < sizeof of_changes / sizeof *of_changes; i++)
        write_column(columns, &of_changes[i], cells->changes, cells->change_count, sizeof *cells->changes);
}

VALUE(part_cell, struct vbt_cell_share, cell)
VALUE(part_owner, struct vbt_cell_share, whose + 1)
VALUE(part_allocs, struct vbt_cell_share, allocs)
VALUE(part_bytes, struct vbt_cell_share, allocated)
VALUE(part_frees, struct vbt_cell_share, frees)
VALUE(part_freed, struct vbt_cell_share, freed)
VALUE(part_temporary, struct vbt_cell_share, temporary)
VALUE(part_live_blocks, struct vbt_cell_share, live_blocks)
VALUE(part_live_bytes, struct vbt_cell_share, live_bytes)
VALUE(part_at_peak, struct vbt_cell_share, at_peak_bytes)

static void write_parts(struct vbt_page_columns *columns, const struct vbt_cells *cells) {
    static const struct column of_parts[] = {
        {"part.cell", VBT_PAGE_DELTA, part_cell},
        {"part.owner", VBT_PAGE_PLAIN, part_owner},
        {"part.allocs", VBT_PAGE_PLAIN, part_allocs},
        {"part.bytes", VBT_PAGE_PLAIN, part_bytes},
        {"part.frees", VBT_PAGE_PLAIN, part_frees},
        {"part.freed_bytes", VBT_PAGE_PLAIN, part_freed},
        {"part.temporary", VBT_PAGE_PLAIN, part_temporary},
        {"part.live_blocks", VBT_PAGE_SIGNED, part_live_blocks},
        {"part.live_bytes", VBT_PAGE_SIGNED, part_live_bytes},
        {"part.at_peak_bytes", VBT_PAGE_SIGNED, part_at_peak},
    };
    for (size_t i = 0; i < sizeof of_parts / sizeof *of_parts; i++)
        write_column(columns, &of_parts[i], cells->shares, cells->share_count, sizeof *cells->shares);
}

VALUE(frame_name, struct vbt_page_frame, name)
VALUE(frame_file, struct vbt_page_frame, file)
VALUE(frame_line, struct vbt_page_frame, line)
VALUE(frame_start, struct vbt_page_frame, start)
VALUE(frame_module, struct vbt_page_frame, module)
VALUE(frame_group, struct vbt_page_frame, group)
VALUE(frame_kind, struct vbt_page_frame, kind)
VALUE(frame_flags, struct vbt_page_frame, flags)

static void write_frames(struct vbt_page_columns *columns, const struct vbt_page_frames *frames) {
    static const struct column of_frames[] = {
        {"frame.name", VBT_PAGE_DELTA, frame_name},     {"frame.file", VBT_PAGE_DELTA, frame_file},
        {"frame.line", VBT_PAGE_PLAIN, frame_line},     {"frame.start", VBT_PAGE_PLAIN, frame_start},
        {"frame.module", VBT_PAGE_PLAIN, frame_module}, {"frame.group", VBT_PAGE_PLAIN, frame_group},
        {"frame.kind", VBT_PAGE_PLAIN, frame_kind},     {"frame.flags", VBT_PAGE_PLAIN, frame_flags},
    };
    for (size_t i = 0; i < sizeof of_frames / sizeof *of_frames; i++)
        write_column(columns, &of_frames[i], frames->rows, frames->count, sizeof *frames->rows);
}

static void write_nodes(struct vbt_page_columns *columns, const struct vbt_call_tree *tree, const struct vbt_page_frames *frames) {
    vbt_page_column_begin(columns, "node.parent", VBT_PAGE_DELTA);
    for (uint32_t i = 0; i < tree->count; i++)
        vbt_page_column_put(columns, tree->calls[i].parent);
    vbt_page_column_end(columns);
    vbt_page_column_begin(columns, "node.frame", VBT_PAGE_DELTA);
    for (uint32_t i = 0; i < tree->count; i++)
        vbt_page_column_put(columns, frames->of_call[i]);
    vbt_page_column_end(columns);
}

json_t *vbt_page_tables_write(struct vbt_page_columns *columns, const struct vbt_page_frames *frames,
                              const struct vbt_cells *cells) {
    write_frames(columns, frames);
    write_nodes(columns, &cells->tree, frames);
    write_cells(columns, cells);
    write_changes(columns, cells);
    write_parts(columns, cells);
    json_t *counts = json_object();
    json_object_set_new(counts, "frame", json_integer((json_int_t)frames->count));
    json_object_set_new(counts, "node", json_integer((json_int_t)cells->tree.count));
    json_object_set_new(counts, "cell", json_integer((json_int_t)cells->count));
    json_object_set_new(counts, "change", json_integer((json_int_t)cells->change_count));
    json_object_set_new(counts, "part", json_integer((json_int_t)cells->share_count));
    return counts;
}
