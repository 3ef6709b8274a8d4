/* Allocations under known names, each with its own size; //@ marks the lines on its stack. */
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 2048 };

void *volatile kept;
static volatile int stays; /* keeps calls from being tail calls */

#define OF_ITS_OWN __attribute__((noipa)) /* neither inlined nor cloned */
#define INLINED static inline __attribute__((always_inline))

OF_ITS_OWN void baz(size_t size) {
    kept = malloc(size); //@ baz
    stays++;
}

OF_ITS_OWN void bar(size_t size) {
    baz(size + 1); //@ bar
    stays++;
}

OF_ITS_OWN void foo(size_t size) {
    bar(size); //@ foo
    stays++;
}

INLINED void innermost(size_t size) {
    kept = malloc(size); //@ innermost
}

INLINED void middle(size_t size) {
    innermost(size + 2); //@ middle
}

INLINED void outermost(size_t size) {
    middle(size); //@ outermost
}

OF_ITS_OWN void trio(size_t size) {
    outermost(size); //@ trio
    stays++;
}

OF_ITS_OWN void down(int levels) {
    if (levels > 1)
        down(levels - 1); //@ down
    else
        kept = malloc(3003); //@ bottom
    stays++;
}

OF_ITS_OWN static void hidden(size_t size) { /* in no dynamic symbol table */
    kept = malloc(size);                     //@ hidden
    stays++;
}

int main(void) {
    foo(1000);    //@ main foo
    trio(2000);   //@ main trio
    down(DEPTH);  //@ main down
    hidden(4004); //@ main hidden
    return 0;
}
