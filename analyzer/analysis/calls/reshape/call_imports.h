/* Python's import machinery, of which every stack below an import has a dozen frames, as one
 * call. */
#ifndef VBT_CALL_IMPORTS_H
#define VBT_CALL_IMPORTS_H

#include "analyzer/analysis/calls/call_tree.h"

/* What that call is named. */
#define VBT_IMPORTS_NAME "[Python imports]"

/* Puts frames of the import machinery that call each other together, with the native ones between
 * them. What was counted at any of them is counted at the one call. Before the tree is reversed. */
void vbt_call_tree_fold_imports(struct vbt_call_tree *tree);

#endif
