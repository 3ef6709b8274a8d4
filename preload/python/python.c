/* See python.h. */
#include "python.h"

struct vbt_python vbt_python;
void (*vbt_python_file_seen)(uint32_t file);
struct vbt_python_others vbt_python_others;
