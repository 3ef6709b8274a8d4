/* gzip, for formats that want it: what is written goes compressed to a stream. The same input gives
 * the same bytes. */
#ifndef VBT_GZIP_H
#define VBT_GZIP_H

#include <stddef.h>
#include <stdio.h>

struct vbt_gzip;

struct vbt_gzip *vbt_gzip_new(FILE *out);
void vbt_gzip_write(struct vbt_gzip *gzip, const char *bytes, size_t size);

/* Writes the end, and frees it; the stream stays open. */
void vbt_gzip_finish(struct vbt_gzip *gzip);

#endif
