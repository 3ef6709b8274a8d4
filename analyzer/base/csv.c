/* See csv.h. */
#include "csv.h"

#include "units.h"
#include "utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static char more_titles[64], more_values[64];

void vbt_csv_end_rows_with(const char *titles, const char *values) {
    snprintf(more_titles, sizeof more_titles, "%s", titles);
    snprintf(more_values, sizeof more_values, "%s", values);
}

void vbt_csv_begin(struct vbt_csv *csv, FILE *out, const char *titles) {
    *csv = (struct vbt_csv){.out = out};
    fprintf(out, "%s%s\n", titles, more_titles);
}

static void separate(struct vbt_csv *csv) {
    if (csv->column++ > 0)
        putc(',', csv->out);
}

void vbt_csv_text(struct vbt_csv *csv, const char *text) {
    separate(csv);
    if (text == NULL)
        return;
    char *valid = vbt_utf8_valid(text, strlen(text));
    if (strpbrk(valid, ",\"\r\n") == NULL) {
        fputs(valid, csv->out);
    } else {
        putc('"', csv->out);
        for (const char *at = valid; *at != '\0'; at++) {
            if (*at == '"')
                putc('"', csv->out);
            putc(*at, csv->out);
        }
        putc('"', csv->out);
    }
    free(valid);
}

void vbt_csv_integer(struct vbt_csv *csv, int64_t n) {
    separate(csv);
    fprintf(csv->out, "%" PRId64, n);
}

void vbt_csv_unsigned(struct vbt_csv *csv, uint64_t n) {
    separate(csv);
    fprintf(csv->out, "%" PRIu64, n);
}

void vbt_csv_real(struct vbt_csv *csv, double x) {
    separate(csv);
    if (!isnan(x))
        fputs(vbt_real(x).text, csv->out);
}

void vbt_csv_end_row(struct vbt_csv *csv) {
    fprintf(csv->out, "%s\n", more_values);
    csv->column = 0;
}
