/* See page_template.h. */
#include "page_template.h"

#include <stddef.h>

#ifdef VBT_PAGE
__asm__(".pushsection .rodata\n"
        "vbt_page_html: .incbin \"" VBT_PAGE "\"\n.byte 0\n"
        ".popsection");
extern const char vbt_page_html[];
const char *const vbt_page_template = vbt_page_html;
#else
const char *const vbt_page_template = NULL;
#endif
