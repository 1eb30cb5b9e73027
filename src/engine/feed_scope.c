/* feed_scope.c -- which writes a feed tells: those of one keyspace or all, in a range of keys. */
#include "engine/feed.h"
#include "engine/key_range.h"

enum yore_status feed_scope_init(struct feed_scope *scope, const struct yore_keyspace *keyspace,
                                 const struct yore_range *range, struct yore_error *error_out)
{
    *scope = (struct feed_scope){.keyspace = keyspace};
    enum yore_status st = key_range_bounds(range, &scope->low, &scope->high, error_out);
    if (st != YORE_OK) {
        feed_scope_release(scope);
    }
    return st;
}

void feed_scope_release(struct feed_scope *scope)
{
    buffer_release(&scope->low);
    buffer_release(&scope->high);
}

static bool has_range(const struct feed_scope *scope)
{
    return scope->low.size > 0 || scope->high.size > 0;
}

bool feed_scope_is_all(const struct feed_scope *scope)
{
    return scope->keyspace == NULL && !has_range(scope);
}

bool feed_scope_has_keyspace(const struct feed_scope *scope, uint32_t keyspace)
{
    if (scope->keyspace != NULL) {
        return scope->keyspace->id == keyspace;
    }
    return keyspace != KEYSPACE_SYSTEM || !has_range(scope);
}

struct source_range feed_scope_range(const struct feed_scope *scope)
{
    struct source_range range = source_range_all;
    range.low = buffer_bytes(&scope->low);
    range.high = buffer_bytes(&scope->high);
    return range;
}

bool feed_scope_has_key(const struct feed_scope *scope, struct yore_bytes key)
{
    struct yore_bytes high = buffer_bytes(&scope->high);
    return bytes_compare(key, buffer_bytes(&scope->low)) >= 0 &&
           (high.size == 0 || bytes_compare(key, high) < 0);
}
