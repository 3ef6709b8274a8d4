/* While cells are made: which of them are one. For cells.c and cells_fold.c. */
#ifndef VBT_CELLS_JOIN_H
#define VBT_CELLS_JOIN_H

#include "cells.h"

/* What is the same for everything in a cell. */
struct vbt_cell_key {
    uint32_t call, domain, leaf, user;
    bool apart; /* in a cell of its own, whatever others there are */
};

struct vbt_known_cell;

struct vbt_cell_table {
    struct vbt_known_cell *known;
    struct vbt_known_cell *rows; /* each in its place */
};

/* For at most so many cells. */
void vbt_cell_table_begin(struct vbt_cell_table *table, size_t most);
void vbt_cell_table_end(struct vbt_cell_table *table);

/* The number of the cell of a key, created if it does not exist. */
uint32_t vbt_cell_put(struct vbt_cell_table *table, struct vbt_cells *cells, struct vbt_cell_key key);

/* Makes the changes of a cell in one step one; they are in order of step. */
void vbt_cells_join_changes(struct vbt_cells *cells);

/* Makes the shares of one thread or process in a cell one. */
void vbt_cells_join_shares(struct vbt_cells *cells);

#endif
