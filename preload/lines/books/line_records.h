/* Line mode's records: the pieces of code that it knows, and what each thread counts at their
 * lines. */
#ifndef VBT_LINE_RECORDS_H
#define VBT_LINE_RECORDS_H

#include "preload/base/memory.h"
#include "line_sums.h"

#include <stdbool.h>
#include <stdint.h>

struct vbt_ledger;

enum { VBT_LINE_CODES = 1 << 16 };

/* One thread's record of a line. */
struct vbt_line {
    uint64_t hits;
    uint64_t entries; /* calls that began or resumed at it */
    int64_t high;     /* the highest live bytes of the process */
    int64_t rss;      /* the largest resident set */
    uint32_t site;    /* 0: never executed */
    uint32_t active;  /* executions that wait for a call */
    bool quiet;       /* an execution left the heap as it was; least and most do not include it */
    struct vbt_line_sums own, called;
    int64_t least, most; /* of the heap's change in one execution */
};

/* A piece of code as line mode knows it; numbered from 1. */
struct vbt_line_code {
    uint32_t code;   /* of the call tree */
    int32_t first;   /* its smallest line */
    uint32_t count;  /* lines from there on; 0: not chosen */
    bool decorated;  /* chosen by @profile */
    bool hidden;     /* vbtrace's own: not written */
    uint64_t *known; /* by line, for the stream: events that were written last */
};

extern struct vbt_vector vbt_line_codes;

static inline struct vbt_line_code *vbt_line_code_at(uint32_t index) { return vbt_vector_at(&vbt_line_codes, index); }

/* Registers code, chosen if count > 0; its index, 0 when there is no room. Needs the tree's
 * lock. */
uint32_t vbt_line_code_add(uint32_t code, int32_t first, uint32_t count, bool decorated);

/* The index of a code of the call tree, 0 if it was not added. Needs the tree's lock. */
uint32_t vbt_line_code_find(uint32_t code);

/* A thread's records for one piece of code. */
struct vbt_line_block {
    uint32_t index; /* of its struct vbt_line_code */
    int32_t first;
    uint32_t count;
    enum { VBT_LINE_ENTRY_UNKNOWN, VBT_LINE_ENTRY_APART, VBT_LINE_ENTRY_SAME } entry; /* is the first line that of the entry? */
    struct vbt_line lines[];
};

/* Makes a block for a chosen code, where the ledger's thread has none yet: blocks[index]. NULL if
 * there is no memory, or the code is not chosen. */
struct vbt_line_block *vbt_line_block_make(struct vbt_line_block **blocks, uint32_t index, struct vbt_ledger *ledger);

/* In the child of a fork: all that a thread's blocks have counted starts at 0; nothing of it is
 * written. */
void vbt_line_blocks_clear(struct vbt_line_block **blocks);
void vbt_line_codes_clear(void);

#endif
