/* See python.h. */
#include "python.h"

struct vbt_python vbt_python;
struct vbt_python_others vbt_python_others;
