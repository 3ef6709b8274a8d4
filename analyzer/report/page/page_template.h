/* The page without its data, as the build bundles it of web/. */
#ifndef VBT_PAGE_TEMPLATE_H
#define VBT_PAGE_TEMPLATE_H

/* NULL if vbtrace was built without it. */
extern const char *const vbt_page_template;

/* Where the data go; each is there once. */
#define VBT_PAGE_DATA "{{data}}"
#define VBT_PAGE_AGAINST "{{against}}"

#endif
