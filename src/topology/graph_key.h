/* graph_key.h -- the keys of a graph's keyspace: what they are made of, forwards and back.
 *
 * Numbers in keys sort by value in 1 to 9 octets: a token takes one, an id up to 67,823 three.
 * docs/format-graph.md draws every key.
 */
#ifndef YORE_TOPOLOGY_GRAPH_KEY_H
#define YORE_TOPOLOGY_GRAPH_KEY_H

#include "base/buffer.h"
#include "topology/graph.h"

/* The first octet of a key; numbered for ever. */
enum graph_key_kind {
    GRAPH_KEY_META = 0x01,  /* octet -> see enum graph_meta */
    GRAPH_KEY_TOKEN = 0x02, /* kind, token -> name */
    GRAPH_KEY_NAME = 0x03,  /* kind, name -> token */
    GRAPH_KEY_BLOCK = 0x04, /* type, first id -> count: relationship ids of one type */
    GRAPH_KEY_NODE = 0x10,  /* id -> record */
    GRAPH_KEY_RELATIONSHIP =
        0x11,                   /* id -> record; next to the nodes, so that changes are one walk */
    GRAPH_KEY_ADJACENCY = 0x12, /* node, direction, type, other, relationship -> */
    GRAPH_KEY_LABEL = 0x13,     /* label, node -> */
    GRAPH_KEY_PROPERTY = 0x14,  /* label, property, value, node -> */
    GRAPH_KEY_EXTERNAL = 0x15,  /* element, external id -> id */
    GRAPH_KEY_CLAIMS = 0x20,    /* element, external id -> what sources say of it */
    GRAPH_KEY_CLAIMED = 0x21,   /* source, element, external id -> */
    GRAPH_KEY_CLAIM_END = 0x22, /* size, external id of an end, that of the relationship -> */
    GRAPH_KEY_PENDING = 0x23,   /* external id of a relationship -> which ends are missing */
    GRAPH_KEY_DUE = 0x24,       /* moment, element, external id -> : a claim ends by itself */
    GRAPH_KEY_SOURCE = 0x25     /* source -> what is known of it */
};

enum graph_meta {
    GRAPH_META_FORMAT = 1, /* version of all of this */
    GRAPH_META_TOKENS = 2, /* kind -> how many there are */
    GRAPH_META_IDS = 3,    /* element -> the greatest id handed out */
    GRAPH_META_RULES = 4   /* indexes and constraints; every writer reads it */
};

/* A key of numbers only. */
#define GRAPH_KEY_NUMBERS_MAX 5
#define GRAPH_KEY_SMALL_BYTES 48
struct graph_key {
    unsigned char octets[GRAPH_KEY_SMALL_BYTES];
    size_t size;
};
static inline struct yore_bytes graph_key_bytes(const struct graph_key *key)
{
    return (struct yore_bytes){key->octets, key->size};
}

#define KEY_NUMBER_BYTES_MAX 9
/* Write a number; returns the octets it takes. */
size_t key_number_encode(unsigned char *to, uint64_t number);
/* Read one at *at, before `end`; false: it does not fit. */
bool key_number_decode(const unsigned char **at, const unsigned char *end, uint64_t *number_out);

void graph_key_begin(struct graph_key *key, enum graph_key_kind kind);
void graph_key_number(struct graph_key *key, uint64_t number);

struct graph_key graph_key_meta(enum graph_meta meta, unsigned char which);
struct graph_key graph_key_token(enum graph_token_kind kind, uint32_t token);
struct graph_key graph_key_element(struct graph_id id);
struct graph_key graph_key_label(uint32_t label, uint64_t node);

/* One end's view of a relationship. */
struct graph_adjacency {
    uint64_t node;
    bool is_incoming;
    uint32_t type;
    uint64_t other;
    uint64_t relationship;
};
/* How much of an adjacency key is wanted. */
enum graph_adjacency_depth {
    ADJACENCY_OF_NODE = 1,
    ADJACENCY_OF_DIRECTION = 2,
    ADJACENCY_OF_TYPE = 3,
    ADJACENCY_OF_OTHER = 4,
    ADJACENCY_WHOLE = 5
};
struct graph_key graph_key_adjacency(const struct graph_adjacency *adjacency,
                                     enum graph_adjacency_depth depth);
bool graph_key_adjacency_decode(struct yore_bytes key, struct graph_adjacency *adjacency_out);

/* Keys with outside bytes in them; appended to a buffer. */
void graph_key_name(struct buffer *key, enum graph_token_kind kind, struct yore_bytes name);
void graph_key_external(struct buffer *key, enum graph_element element,
                        struct yore_bytes external_id);

/* A property index: its number, as a prefix; and the whole key behind the value's octets. */
void graph_key_index(struct buffer *key, uint32_t index);
void graph_key_index_node(struct buffer *key, uint64_t node);
/* The node of such a key, and the key without it. */
bool graph_key_index_decode(struct yore_bytes key, uint64_t *node_out,
                            struct yore_bytes *value_out);

/* The `count` numbers behind the first octet of a key that has nothing else. */
bool graph_key_numbers(struct yore_bytes key, uint64_t *numbers, size_t count);

#endif
