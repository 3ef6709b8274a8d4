/* See stack_frames.h. */
#include "stack_frames.h"

#include "call_report.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/short_name.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "preload/shared/base_name.h"

#include <stdlib.h>
#include <string.h>

/* How many of the outermost frames, and of the user's own, are shown of a stack that is cut. */
enum { OUTER_SHOWN = 3, USERS_SHOWN = 3 };

void vbt_cut_line_print(struct vbt_output *output, char *line) {
    char *printable = vbt_utf8_cut_end(vbt_utf8_printable(line, strlen(line)), output->width);
    fprintf(output->stream, "%s\n", printable);
    free(printable);
    free(line);
}

static void print_frame(struct vbt_output *output, const struct vbt_call_tree *tree, uint32_t call) {
    static const char inlined[] = ", inlined", indent[] = "      ";
    const struct vbt_source_place *place = vbt_call_place(tree, call);
    bool is_inlined = tree->calls[call].inlined;
    char *position = vbt_place_position(place), *function = vbt_copy(place->function, strlen(place->function));
    if (vbt_place_is_address(place)) { /* "/usr/lib/libfoo.so+0x1a40" says both */
        char *both = vbt_text("%.*s%s", (int)(vbt_base_name(position) - position), position, function);
        free(position);
        position = both;
        function[0] = '\0';
    }
    size_t others = strlen(indent) + (is_inlined ? strlen(inlined) : 0) + (position[0] != '\0' ? 2 : 0);
    vbt_fit_name(&function, &position, output->width > others ? output->width - others : 1);
    vbt_cut_line_print(output, vbt_text("%s%s%s%s%s", indent, function, is_inlined ? inlined : "",
                                        position[0] != '\0' && function[0] != '\0' ? "  " : "", position));
    free(function);
    free(position);
}

/* A line that is printed of a stack: a frame, or several of Python's import machinery. */
struct stack_line {
    uint32_t call; /* the innermost of them */
    uint32_t frames;
};

/* The lines of a stack, innermost first, for the caller to free. fold: runs of Python's import
 * machinery, which are the same wherever something is imported, take one line. */
static struct stack_line *lines_of(const struct vbt_call_tree *tree, uint32_t end, bool fold, size_t *count) {
    struct stack_line *lines = vbt_new(tree->calls[end].depth, sizeof *lines);
    *count = 0;
    bool importing = false;
    for (uint32_t call = end; call != 0 && !tree->calls[call].group; call = tree->calls[call].parent) {
        bool imports = fold && vbt_place_imports(vbt_call_place(tree, call));
        if (imports && importing)
            lines[*count - 1].frames++;
        else
            lines[(*count)++] = (struct stack_line){call, 1};
        importing = imports;
    }
    return lines;
}

void vbt_stack_frames_print(struct vbt_output *output, const struct vbt_call_tree *tree, uint32_t end, uint64_t depth) {
    size_t count, left_out = 0, users = 0;
    struct stack_line *lines = lines_of(tree, end, depth != UINT64_MAX, &count);
    uint64_t outer = depth > 2 * OUTER_SHOWN ? OUTER_SHOWN : 0, inner = count <= depth ? count : depth - outer;
    for (size_t i = 0; i < count; i++) {
        bool users_own = outer > 0 && vbt_call_place(tree, lines[i].call)->user && users < USERS_SHOWN;
        users += users_own;
        if (i >= inner && i < count - outer && !users_own) {
            left_out += lines[i].frames;
            continue;
        }
        if (left_out > 0)
            fprintf(output->stream, "      ⋮ %s\n", vbt_counted((int64_t)left_out, "more frame").text);
        left_out = 0;
        if (lines[i].frames > 1)
            fprintf(output->stream, "      ⋮ %s of Python's import\n", vbt_counted(lines[i].frames, "frame").text);
        else
            print_frame(output, tree, lines[i].call);
    }
    if (left_out > 0)
        fprintf(output->stream, "      ⋮ %s\n", vbt_counted((int64_t)left_out, "more frame").text);
    free(lines);
}
