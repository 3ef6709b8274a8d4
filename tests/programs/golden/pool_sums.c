/* Four workers that keep what they made until they end, and a parent that waits for them. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 4, TABLE = 1 << 18 };

static char *make_row(size_t size) {
    char *row = malloc(size);
    row[0] = 'a';
    return row;
}

static void work(int number) {
    char *rows[100];
    for (int i = 0; i < 100; i++)
        rows[i] = make_row(1000 * (size_t)number);
    for (int i = 0; i < 100; i++)
        if (i % 10 != 0)
            free(rows[i]);
    usleep(50000);
}

int main(void) {
    char *table = make_row(TABLE); /* before it forks: inherited */
    for (int number = 1; number <= WORKERS; number++)
        if (fork() == 0) {
            work(number);
            _exit(0);
        }
    while (wait(NULL) > 0) {
    }
    free(table);
    puts("done");
}
