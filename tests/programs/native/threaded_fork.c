/* Starts as many threads as its argument says, and a child that allocates beside them. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 100 };

static void *wait_for_ever(void *unused) {
    for (;;)
        pause();
    return unused;
}

int main(int argc, char **argv) {
    void *volatile kept = malloc(1);
    for (int i = 0; argc == 2 && i < atoi(argv[1]); i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
            return 1;
    }
    pid_t child = fork();
    for (int i = 0; child == 0 && i < BLOCKS; i++)
        free((kept = malloc((size_t)i + 1)));
    if (child == 0)
        exit(0);
    int status = 1;
    return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}
