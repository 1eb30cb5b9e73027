#include "table/version_iter.h"

#include "base/mem.h"

void version_iter_free(struct version_iter *it)
{
    if (it != NULL) {
        it->ops->release(it);
        mem_free(it);
    }
}
