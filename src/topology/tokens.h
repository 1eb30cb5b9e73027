/* tokens.h -- names of one kind and their numbers, in memory: 1, 2, 3, ... in the order they were
 * made.  Names live until the table is released; the owner's lock guards it. */
#ifndef YORE_TOPOLOGY_TOKENS_H
#define YORE_TOPOLOGY_TOKENS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"

/* A zeroed table is empty. */
struct token_table {
    struct yore_bytes *names; /* names[token - 1]; an empty one is not known yet */
    uint32_t count;
    uint32_t capacity;
    uint32_t *slots;     /* open addressing by hash: token; 0: free */
    uint32_t slot_count; /* a power of two, or 0 */
    struct arena bytes;
};

void token_table_release(struct token_table *table);
/* 0: none of that name. */
uint32_t token_table_find(const struct token_table *table, struct yore_bytes name);
/* An empty run: none of that token. */
struct yore_bytes token_table_name(const struct token_table *table, uint32_t token);
/* Enter a name under its token; entering it again changes nothing.  False: out of memory. */
bool token_table_add(struct token_table *table, uint32_t token, struct yore_bytes name);

#endif
