/* See python_lines.h. */
#include "python_lines.h"

enum { NO_LINE = -1 };

/* Pairs (bytes of code, lines), both relative; an instruction belongs to the last pair that starts
 * at or before it. */
static int32_t from_lnotab(const uint8_t *table, size_t size, int32_t line, int32_t lasti) {
    int32_t offset = 0;
    for (size_t i = 0; i + 1 < size; i += 2) {
        offset += table[i];
        if (offset > lasti)
            break;
        line += (int8_t)table[i + 1];
    }
    return line;
}

/* Pairs (bytes of code that the entry covers, lines since the last entry that had one); -128 lines:
 * no line. */
static int32_t from_ranges(const uint8_t *table, size_t size, int32_t line, int32_t lasti) {
    int32_t end = 0;
    for (size_t i = 0; i + 1 < size; i += 2) {
        int32_t lines = (int8_t)table[i + 1];
        if (lines != -128)
            line += lines;
        end += table[i];
        if (lasti < end)
            return lines == -128 ? NO_LINE : line;
    }
    return NO_LINE;
}

/* Six bits a byte, lowest first; bit 6: more follow. */
static uint32_t location_varint(const uint8_t **at, const uint8_t *end) {
    uint32_t value = 0;
    for (unsigned shift = 0; *at < end; shift += 6) {
        uint8_t byte = *(*at)++;
        if (shift < 32)
            value |= (uint32_t)(byte & 63) << shift;
        if (!(byte & 64))
            break;
    }
    return value;
}

/* An entry is a first byte (bit 7 set, four bits of code, three bits of length - 1 in code units of
 * two bytes), followed by what its code asks for. */
static int32_t from_locations(const uint8_t *table, size_t size, int32_t first_line, int32_t lasti,
                              struct vbt_line_cursor *cursor) {
    enum { SHORT_FORMS = 10, ONE_LINE_FORMS = 13, NO_COLUMNS = 13, LONG = 14, NONE = 15 };
    if (lasti < cursor->covered)
        *cursor = (struct vbt_line_cursor){0, 0, 0};
    const uint8_t *at = table + cursor->offset;
    const uint8_t *end = table + size;
    uint32_t line = (uint32_t)first_line + (uint32_t)cursor->lines; /* unsigned, so that garbage cannot overflow it */
    int32_t covered = cursor->covered;
    while (at < end) {
        *cursor = (struct vbt_line_cursor){covered, (int32_t)(line - (uint32_t)first_line), (uint32_t)(at - table)};
        uint8_t first = *at++;
        unsigned code = first >> 3 & 15;
        covered += ((first & 7) + 1) * 2;
        if (code == NO_COLUMNS || code == LONG) {
            uint32_t lines = location_varint(&at, end);
            line += lines & 1 ? -(lines >> 1) : lines >> 1;
            for (int i = 0; code == LONG && i < 3; i++) /* end line and two columns */
                location_varint(&at, end);
        } else if (code >= SHORT_FORMS && code < ONE_LINE_FORMS) {
            line += code - SHORT_FORMS;
            at += 2;
        } else if (code != NONE) {
            at += 1;
        }
        if (lasti < covered)
            return code == NONE ? NO_LINE : (int32_t)line;
    }
    return NO_LINE;
}

int32_t vbt_python_line(enum vbt_line_table kind, const uint8_t *table, size_t size, int32_t first_line, int32_t lasti,
                        struct vbt_line_cursor *cursor) {
    if (lasti < 0)
        return first_line;
    switch (kind) {
    case VBT_LINES_LNOTAB:
        return from_lnotab(table, size, first_line, lasti);
    case VBT_LINES_RANGES:
        return from_ranges(table, size, first_line, lasti);
    default:
        return from_locations(table, size, first_line, lasti, cursor);
    }
}

/* The line of the entry at the cursor, and the first byte of code after it. */
static int32_t next_location(const uint8_t *table, size_t size, int32_t first_line, int32_t *lasti,
                             struct vbt_line_cursor *cursor) {
    int32_t line = from_locations(table, size, first_line, *lasti, cursor);
    *lasti = cursor->covered + ((table[cursor->offset] & 7) + 1) * 2;
    return line;
}

void vbt_python_line_span(enum vbt_line_table kind, const uint8_t *table, size_t size, int32_t first_line, int32_t *smallest,
                          int32_t *largest) {
    struct vbt_line_cursor cursor = {0, 0, 0};
    int32_t line = first_line, lasti = 0, before = -1;
    *smallest = *largest = first_line;
    for (size_t i = 0; kind == VBT_LINES_LOCATIONS ? size > 0 && lasti > before : i + 1 < size; i += 2) {
        int32_t here;
        if (kind == VBT_LINES_LOCATIONS) {
            before = lasti;
            here = next_location(table, size, first_line, &lasti, &cursor);
        } else {
            int32_t lines = (int8_t)table[i + 1];
            here = line += kind == VBT_LINES_RANGES && lines == -128 ? 0 : lines;
        }
        if (here >= 0 && here < *smallest)
            *smallest = here;
        if (here > *largest)
            *largest = here;
    }
}
