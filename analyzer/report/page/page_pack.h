/* Bytes as text that a page can hold: a raw deflate stream in base64. */
#ifndef VBT_PAGE_PACK_H
#define VBT_PAGE_PACK_H

#include "analyzer/base/arrays/text_buffer.h"

struct vbt_page_pack;

struct vbt_page_pack *vbt_page_pack_begin(void);
void vbt_page_pack_add(struct vbt_page_pack *pack, const void *bytes, size_t size);

/* Returns the text, for the caller to free, and its size. */
struct vbt_text_buffer vbt_page_pack_end(struct vbt_page_pack *pack);

#endif
