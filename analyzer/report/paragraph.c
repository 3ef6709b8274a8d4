/* See paragraph.h. */
#include "paragraph.h"

#include "analyzer/base/utf8.h"

#include <stdlib.h>
#include <string.h>

void vbt_paragraph_print(struct vbt_output *output, const char *mark, const char *text, bool always) {
    char *printable = vbt_utf8_printable(text, strlen(text));
    size_t indent = vbt_utf8_width(mark), used = indent;
    fputs(mark, output->stream);
    for (char *rest = printable, *word; (word = strsep(&rest, " ")) != NULL;) {
        size_t width = vbt_utf8_width(word), gap = used > indent ? 1 : 0;
        if (gap > 0 && used + gap + width > output->width && (always || output->is_limited)) {
            fprintf(output->stream, "\n%*s", (int)indent, "");
            used = indent;
            gap = 0;
        }
        fprintf(output->stream, "%s%s", gap > 0 ? " " : "", word);
        used += gap + width;
    }
    putc('\n', output->stream);
    free(printable);
}
