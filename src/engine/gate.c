#include "engine/gate.h"

#include "base/assert.h"
#include "engine/db_internal.h"

#define CLOSED (-1)

bool gate_enter(struct yore_keyspace *keyspace)
{
    int32_t inside = atomic_load(&keyspace->gate);
    while (inside != CLOSED) {
        if (atomic_compare_exchange_weak(&keyspace->gate, &inside, inside + 1)) {
            return true;
        }
    }
    return false;
}

void gate_leave(struct yore_keyspace *keyspace)
{
    int32_t before = atomic_fetch_sub(&keyspace->gate, 1);
    YORE_ASSERT(before > 0);
}

bool gate_close(struct yore_keyspace *keyspace)
{
    int32_t nobody = 0;
    return atomic_compare_exchange_strong(&keyspace->gate, &nobody, CLOSED);
}

void gate_reopen(struct yore_keyspace *keyspace)
{
    YORE_ASSERT(atomic_load(&keyspace->gate) == CLOSED);
    atomic_store(&keyspace->gate, 0);
}
