/* A library that calls back through a function named NAME: compiled with different names, to be
 * loaded one after another. */
void visit(void (*function)(void));
void NAME(void (*function)(void));

__attribute__((noinline)) void NAME(void (*function)(void)) {
    function();
    __asm__ volatile("" ::: "memory");
}

void visit(void (*function)(void)) {
    NAME(function);
    __asm__ volatile("" ::: "memory");
}
