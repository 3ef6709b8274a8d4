/* Live blocks of one size. Arguments: the size, how many. Prints how many KiB of the resident set
 * are mapped as the library maps its own memory, before and after they were made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is mapped without a reservation, and kept out of core dumps. */
static long library_kib(void) {
    static char line[8192];
    long sum = 0, resident = 0;
    FILE *file = fopen("/proc/self/smaps", "r");
    if (file == NULL)
        exit(1);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "Rss:", 4) == 0)
            resident = atol(line + 4);
        else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " nr") != NULL && strstr(line, " dd") != NULL)
            sum += resident;
    }
    fclose(file);
    return sum;
}

int main(int count, char **arguments) {
    if (count != 3)
        return 2;
    size_t size = (size_t)atol(arguments[1]);
    long number = atol(arguments[2]);
    void **blocks = malloc((size_t)number * sizeof *blocks);
    for (long i = 0; blocks != NULL && i < number; i++)
        blocks[i] = NULL;
    long before = library_kib();
    for (long i = 0; i < number; i++)
        if ((blocks[i] = malloc(size)) == NULL) // as many as asked for
            return 1;
    printf("%ld %ld\n", before, library_kib());
    for (long i = 0; i < number; i++)
        free(blocks[i]);
    return 0;
}
