#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void assert_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "yore: %s:%d: must hold: %s\n", file, line, expression);
    abort();
}
