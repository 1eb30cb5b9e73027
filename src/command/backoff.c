#include "command/backoff.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/hash.h"

void backoff_init(struct backoff *backoff, uint64_t seed)
{
    memset(backoff->sets, 0, sizeof backoff->sets);
    backoff->seed = seed;
    os_mutex_init(&backoff->lock);
}

void backoff_release(struct backoff *backoff)
{
    os_mutex_release(&backoff->lock);
}

/* The place of `network` in its set, or the one it would take: of whoever owes least. */
static struct backoff_entry *place_of(struct backoff *backoff, uint64_t network)
    REQUIRES(backoff->lock)
{
    struct backoff_entry *set = backoff->sets[hash_u64(network ^ backoff->seed) % BACKOFF_SETS];
    struct backoff_entry *least = &set[0];
    for (size_t i = 0; i < BACKOFF_WAYS; i++) {
        if (set[i].network == network && set[i].owes_until_ns > 0) {
            return &set[i];
        }
        least = set[i].owes_until_ns < least->owes_until_ns ? &set[i] : least;
    }
    return least;
}

void backoff_note(struct backoff *backoff, uint64_t network, int64_t now_ns)
{
    os_mutex_lock(&backoff->lock);
    struct backoff_entry *entry = place_of(backoff, network);
    if (entry->network != network || entry->owes_until_ns <= now_ns) {
        *entry = (struct backoff_entry){network, now_ns, 0};
    }
    int64_t most_ns = now_ns + (BACKOFF_FREE + BACKOFF_DOUBLINGS) * BACKOFF_FORGIVE_NS;
    entry->owes_until_ns += BACKOFF_FORGIVE_NS;
    entry->owes_until_ns = entry->owes_until_ns < most_ns ? entry->owes_until_ns : most_ns;
    int64_t over_ns = entry->owes_until_ns - now_ns - BACKOFF_FREE * BACKOFF_FORGIVE_NS;
    if (over_ns > 0) {
        int64_t over = (over_ns - 1) / BACKOFF_FORGIVE_NS; /* beyond the first that makes it wait */
        entry->waits_until_ns = now_ns + BACKOFF_FIRST_NS * (INT64_C(1) << over);
    }
    os_mutex_unlock(&backoff->lock);
}

int64_t backoff_wait_ns(struct backoff *backoff, uint64_t network, int64_t now_ns)
{
    os_mutex_lock(&backoff->lock);
    const struct backoff_entry *entry = place_of(backoff, network);
    bool waits = entry->network == network && entry->waits_until_ns > now_ns;
    int64_t wait_ns = waits ? entry->waits_until_ns - now_ns : 0;
    os_mutex_unlock(&backoff->lock);
    return wait_ns;
}
