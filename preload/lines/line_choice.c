/* See line_choice.h. */
#include "line_choice.h"

#include "format/format.h"
#include "preload/shared/options.h"
#include "preload/shared/patterns.h"

bool vbt_line_choice_takes(const char *file, size_t file_size, const char *name, size_t name_size, uint32_t flags) {
    const char *functions = vbt_options.functions, *files = vbt_options.files;
    if ((flags & VBT_CODE_OWN) != 0 || vbt_options.lines != VBT_LINES_CHOSEN)
        return false;
    if (functions[0] == '\0' && files[0] == '\0')
        return (flags & VBT_CODE_USER) != 0 && file_size > 0 && file[0] != '<';
    return (functions[0] == '\0' || vbt_patterns_match(functions, name, name_size, '.')) &&
           (files[0] == '\0' || vbt_patterns_match(files, file, file_size, '/'));
}
