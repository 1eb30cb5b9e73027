/* json_values.h -- what readers of JSON into values of the language share: texts, lists and members
 * in an arena.
 *
 * What a value is, and what stands for what, is the reader's own: it is called for each item or
 * member.  Every call returns false after a fault; `json.problem` says which, or `is_nomem` is set.
 */
#ifndef YORE_QUERY_JSON_VALUES_H
#define YORE_QUERY_JSON_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include <yore/graph.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"

struct json_values {
    struct json_reader json;
    struct arena *arena; /* borrowed: what was read lives there */
    struct buffer text;  /* of the name, string or number at hand; the caller releases it */
    bool is_nomem;
    unsigned depth; /* the reader's own */
};

/* There is no memory; returns false. */
bool json_values_nomem(struct json_values *v);
/* What `text` holds, in the arena. */
bool json_values_take(struct json_values *v, struct yore_bytes *text_out);
/* Room for one more of `size` octets at the pointer at `items_at`, which has `count`: doubled at
 * powers of two. */
bool json_values_room(struct json_values *v, void *items_at, size_t count, size_t size);

/* An array as a list: `read` reads each item. */
bool json_values_list(struct json_values *v,
                      bool (*read)(struct json_values *v, struct yore_graph_value *value_out),
                      struct yore_graph_value *list_out);
/* The members of an object as they stand: `read` reads the value of each, whose name it has. */
bool json_values_entries(struct json_values *v,
                         bool (*read)(struct json_values *v, struct yore_graph_entry *entry),
                         struct yore_graph_entry **entries_out, size_t *count_out);

#endif
