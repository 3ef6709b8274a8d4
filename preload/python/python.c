/* See python.h. */
#include "python.h"

struct vbt_python vbt_python;
