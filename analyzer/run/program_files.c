/* See program_files.h. */
#include "program_files.h"

#include "analyzer/base/allocate.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool vbt_is_program(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

char *vbt_search_path(const char *name) {
    const char *list = getenv("PATH");
    char *directories = vbt_text("%s", list != NULL ? list : "/bin:/usr/bin");
    char *found = NULL;
    for (char *rest = directories, *directory; found == NULL && (directory = strsep(&rest, ":")) != NULL;) {
        found = vbt_text("%s/%s", directory[0] != '\0' ? directory : ".", name);
        if (!vbt_is_program(found)) {
            free(found);
            found = NULL;
        }
    }
    free(directories);
    return found;
}

void vbt_read_start(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, size - 1) : 0;
    text[got > 0 ? got : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

bool vbt_read_first_line(char *line, char **interpreter, char **argument) {
    static const char blanks[] = " \t";
    if (strncmp(line, "#!", 2) != 0)
        return false;
    line[strcspn(line, "\n")] = '\0';
    *interpreter = line + 2 + strspn(line + 2, blanks);
    char *end = *interpreter + strcspn(*interpreter, blanks);
    *argument = end + strspn(end, blanks);
    if (**argument == '\0')
        *argument = NULL;
    *end = '\0';
    return true;
}

char *vbt_program_of_env(char *arguments, const char **options) {
    for (char *word; (word = strsep(&arguments, " \t")) != NULL;)
        if (word[0] != '\0' && word[0] != '-' && strchr(word, '=') == NULL) {
            *options = arguments != NULL ? arguments + strspn(arguments, " \t") : "";
            return strchr(word, '/') != NULL ? vbt_text("%s", word) : vbt_search_path(word);
        }
    return NULL;
}
