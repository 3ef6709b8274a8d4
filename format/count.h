/* How many items an array has. */
#ifndef VBT_COUNT_H
#define VBT_COUNT_H

#define VBT_COUNT(array) (sizeof(array) / sizeof *(array))

#endif
