/* See hooks_python.c. */
#ifndef VBT_HOOKS_PYTHON_H
#define VBT_HOOKS_PYTHON_H

/* Puts the wrappers before the allocators that vbt_python uses now; does nothing where they stand already. */
void vbt_hooks_python_wrap(void);

#endif
