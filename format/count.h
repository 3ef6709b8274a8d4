/* The number of items of an array. */
#ifndef VBT_COUNT_H
#define VBT_COUNT_H

#define VBT_COUNT(array) (sizeof(array) / sizeof *(array))

#endif
