/* A condition that ends the program where it does not hold. */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

#include <stdio.h>

#include "rust_workers.h"

#define CHECK(condition)                                                    \
  do {                                                                      \
    if (!(condition)) {                                                     \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);       \
      exit(1);                                                              \
    }                                                                       \
  } while (0)

#endif
