/* Prints the dynamic linker's latest error; there is none. */
#include <dlfcn.h>
#include <stdio.h>

int main(void) {
    const char *error = dlerror();
    puts(error != NULL ? error : "none");
    return 0;
}
