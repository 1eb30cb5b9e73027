#include "engine/gaps.h"

#include <string.h>

void gaps_init(struct gaps *gaps, int64_t (*last_assigned)(void *arg), void *arg)
{
    os_mutex_init(&gaps->lock);
    gaps->last_assigned = last_assigned;
    gaps->arg = arg;
}

void gaps_release(struct gaps *gaps)
{
    os_mutex_release(&gaps->lock);
}

/* ---- bounds ---- */

static void set_key(struct gap_key *to, struct yore_bytes key)
{
    to->is_end = false;
    to->size = (uint32_t)(key.size < GAP_KEY_BYTES ? key.size : GAP_KEY_BYTES);
    if (to->size > 0) {
        memcpy(to->octets, key.data, to->size);
    }
}

/* A key against a bound. */
static int compare(struct yore_bytes key, const struct gap_key *bound)
{
    return bound->is_end ? -1 : bytes_compare(key, bytes_of(bound->octets, bound->size));
}

static bool is_less(const struct gap_key *a, const struct gap_key *b)
{
    return !a->is_end && compare(bytes_of(a->octets, a->size), b) < 0;
}

/* ---- gaps ---- */

static void let_go(struct gaps *gaps, struct gap *gap) REQUIRES(gaps->lock)
{
    gap->is_watched = false;
    atomic_fetch_sub(&gaps->watched, 1);
}

static void want(struct gaps *gaps, struct gap *gap) REQUIRES(gaps->lock)
{
    gap->used = ++gaps->turn;
    gap->told = gaps->told;
}

/* That which `key` lies in, or just behind. */
static struct gap *find(struct gaps *gaps, uint32_t keyspace, struct yore_bytes key)
    REQUIRES(gaps->lock)
{
    for (size_t i = 0; i < GAPS_MAX; i++) {
        struct gap *gap = &gaps->items[i];
        if (gap->is_watched && gap->keyspace == keyspace && compare(key, &gap->low) >= 0 &&
            compare(key, &gap->high) <= 0) {
            want(gaps, gap);
            return gap;
        }
    }
    return NULL;
}

bool gaps_find(struct gaps *gaps, uint32_t keyspace, struct yore_bytes from,
               const struct gap_moment *moment, struct gap_key *high_out)
{
    if (atomic_load_explicit(&gaps->watched, memory_order_relaxed) == 0) {
        return false;
    }
    os_mutex_lock(&gaps->lock);
    const struct gap *gap = find(gaps, keyspace, from);
    bool is_found = gap != NULL && compare(from, &gap->high) < 0 && gap->known <= moment->known &&
                    gap->instant <= moment->instant;
    if (is_found) {
        *high_out = gap->high;
    }
    os_mutex_unlock(&gaps->lock);
    return is_found;
}

/* The one that was wanted longest ago. */
static struct gap *make_room(struct gaps *gaps) REQUIRES(gaps->lock)
{
    struct gap *oldest = &gaps->items[0];
    for (size_t i = 0; i < GAPS_MAX; i++) {
        struct gap *gap = &gaps->items[i];
        if (!gap->is_watched) {
            return gap;
        }
        oldest = gap->used < oldest->used ? gap : oldest;
    }
    let_go(gaps, oldest);
    return oldest;
}

/* Watch from here on, with nothing known to be empty. */
static struct gap *watch(struct gaps *gaps, uint32_t keyspace, struct yore_bytes from)
    REQUIRES(gaps->lock)
{
    struct gap *gap = make_room(gaps);
    gap->is_watched = true;
    gap->keyspace = keyspace;
    set_key(&gap->low, from);
    set_key(&gap->high, from);
    gap->known = INT64_MIN;
    gap->instant = INT64_MIN;
    want(gaps, gap);
    atomic_fetch_add(&gaps->watched, 1); /* before the last assigned commit is looked at */
    return gap;
}

static void widen(struct gap *gap, const struct gap_key *high, const struct gap_moment *moment)
{
    const struct gap_key *end = is_less(&gap->least, high) ? &gap->least : high;
    if (is_less(&gap->high, end)) {
        gap->high = *end;
        gap->known = moment->known > gap->known ? moment->known : gap->known;
        gap->instant = moment->instant > gap->instant ? moment->instant : gap->instant;
    }
}

void gaps_note(struct gaps *gaps, uint32_t keyspace, struct yore_bytes from, struct yore_bytes high,
               const struct gap_moment *moment)
{
    struct gap_key end = {.is_end = high.size == 0};
    if (from.size > GAP_KEY_BYTES) {
        return;
    }
    if (!end.is_end) {
        set_key(&end, high);
    }
    os_mutex_lock(&gaps->lock);
    struct gap *gap = find(gaps, keyspace, from);
    if (gap != NULL && gap->instant > moment->instant) { /* of a walk in the future */
        let_go(gaps, gap);
        gap = NULL;
    }
    bool is_new = gap == NULL;
    gap = is_new ? watch(gaps, keyspace, from) : gap;
    if (!is_new && moment->known >= gap->since) {
        widen(gap, &end, moment);
    }
    /* What was put since bounds it, and may have left again: the next walk shows. */
    if (is_new || (moment->known >= gap->since && is_less(&gap->least, &end))) {
        gap->least.is_end = true;
        gap->since = gaps->last_assigned(gaps->arg);
    }
    os_mutex_unlock(&gaps->lock);
}

void gaps_tell_locked(struct gaps *gaps, uint32_t keyspace, struct yore_bytes key)
{
    os_mutex_lock(&gaps->lock);
    gaps->told++;
    for (size_t i = 0; i < GAPS_MAX; i++) {
        struct gap *gap = &gaps->items[i];
        if (!gap->is_watched) {
            continue;
        }
        if (gaps->told - gap->told > GAP_PUTS_IDLE_MAX) {
            let_go(gaps, gap);
        } else if (gap->keyspace == keyspace && compare(key, &gap->low) >= 0) {
            if (compare(key, &gap->high) < 0) {
                set_key(&gap->high, key);
            }
            if (compare(key, &gap->least) < 0) {
                set_key(&gap->least, key);
            }
        }
    }
    os_mutex_unlock(&gaps->lock);
}

void gaps_forget(struct gaps *gaps, uint32_t keyspace)
{
    os_mutex_lock(&gaps->lock);
    for (size_t i = 0; i < GAPS_MAX; i++) {
        struct gap *gap = &gaps->items[i];
        if (gap->is_watched && gap->keyspace == keyspace) {
            let_go(gaps, gap);
        }
    }
    os_mutex_unlock(&gaps->lock);
}
