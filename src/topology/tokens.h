/* tokens.h -- names of one kind and their numbers, in memory: 1, 2, 3, ... in the order they were
 * made.  Names live until the table is released; the owner's lock guards it, but for
 * token_table_name(), which any thread may call beside the others. */
#ifndef YORE_TOPOLOGY_TOKENS_H
#define YORE_TOPOLOGY_TOKENS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"

/* Names by token.  What has grown full is copied into one twice as large, and lives on with the
 * table, for readers that are at it. */
struct token_names {
    struct token_names *before;
    uint32_t capacity;
    _Atomic(const struct yore_bytes *) names[]; /* names[token - 1]; NULL: not known yet */
};

/* A zeroed table is empty. */
struct token_table {
    _Atomic(struct token_names *) names;
    uint32_t count;
    uint32_t *slots;     /* open addressing by hash: token; 0: free */
    uint32_t slot_count; /* a power of two, or 0 */
    struct arena bytes;
};

void token_table_release(struct token_table *table);
/* An empty run: none of that token. */
static inline struct yore_bytes token_table_name(const struct token_table *table, uint32_t token)
{
    /* Acquire: what tokens.c has put there is there as well. */
    const struct token_names *names = atomic_load_explicit(&table->names, memory_order_acquire);
    const struct yore_bytes *name = NULL;
    if (token != 0 && names != NULL && token <= names->capacity) {
        name = atomic_load_explicit(&names->names[token - 1], memory_order_acquire);
    }
    return name != NULL ? *name : bytes_of("", 0);
}

#endif
