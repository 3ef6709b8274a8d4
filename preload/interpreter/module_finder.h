/* `import vbtrace` under `vbtrace run`, in an interpreter in which the module is not installed. No
 * path is added for that: a program that lists its paths, or is kept from the environment's
 * (python -I), imports it all the same. */
#ifndef VBT_MODULE_FINDER_H
#define VBT_MODULE_FINDER_H

/* Adds the finder to the interpreter that the calling thread runs, if `vbtrace run` says where the
 * module is. Call it with the GIL, before the script runs; what is allocated must be known as
 * vbtrace's own. Where it fails, the module is not found, as without it. */
void vbt_module_finder_add(void);

#endif
