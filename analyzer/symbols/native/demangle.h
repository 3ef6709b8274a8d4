/* Names of functions as people write them. */
#ifndef VBT_DEMANGLE_H
#define VBT_DEMANGLE_H

/* A linked name without a symbol version and without what the compiler appended for its own use (".llvm.123"), C++ and Rust (legacy
 * and v0) demangled; a name of another sort as it is. For the caller to free. */
char *vbt_demangle(const char *linked);

#endif
