/* forks N HOW: N children, one after the other. HOW: what a child does: "nothing", or "allocate",
 * a hundred blocks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 2000, IN_CHILD = 100 };

int main(int count, char **arguments) {
    static void *volatile blocks[BLOCKS], *volatile more[IN_CHILD];
    if (count != 3)
        return 2;
    int children = atoi(arguments[1]), allocates = strcmp(arguments[2], "allocate") == 0;
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = malloc((size_t)(20 + i % 50));
    for (int i = 0; i < children; i++) {
        pid_t child = fork();
        if (child == 0) {
            for (int k = 0; allocates && k < IN_CHILD; k++)
                more[k] = malloc((size_t)(100 + k));
            _exit(0);
        }
        int status = 1;
        if (waitpid(child, &status, 0) != child || status != 0)
            return 1;
    }
    return 0;
}
