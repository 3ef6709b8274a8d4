/* See hooks_python.c. */
#ifndef VBT_HOOKS_PYTHON_H
#define VBT_HOOKS_PYTHON_H

/* Wraps the allocators that vbt_python uses now; does nothing if they are wrapped already. */
void vbt_hooks_python_wrap(void);

#endif
