/* Names of functions as people write them. */
#ifndef VBT_DEMANGLE_H
#define VBT_DEMANGLE_H

/* A linkage name without its symbol version and without suffixes of the compiler (".llvm.123"),
 * demangled if it is C++, Rust (legacy and v0) or Cython's, otherwise unchanged. The caller frees
 * it. */
char *vbt_demangle(const char *linked);

#endif
