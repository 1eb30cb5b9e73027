#include "topology/conflict.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/txn.h"
#include "topology/graph_internal.h"
#include "topology/rules.h"

#define WORDS_BYTES 320
#define SHOWN_OCTETS_MAX 64 /* of a name */

static const char *node_or_relationship(uint64_t element)
{
    return element == GRAPH_NODE ? "node" : "relationship";
}

/* "the nodes labelled Host" */
static void say_label(struct graph *graph, uint64_t label, char words[WORDS_BYTES])
{
    struct yore_bytes name = graph_token_name(graph, GRAPH_LABEL, (uint32_t)label);
    snprintf(words, WORDS_BYTES, "the nodes labelled %.*s",
             (int)(name.size < SHOWN_OCTETS_MAX ? name.size : SHOWN_OCTETS_MAX),
             (const char *)name.data);
}

static void say_index(const struct graph_txn *txn, uint64_t number, char words[WORDS_BYTES])
{
    for (size_t i = 0; txn->rules != NULL && i < txn->rules->count; i++) {
        const struct graph_rule *rule = &txn->rules->rules[i];
        if (rule->number == number) {
            struct yore_bytes label = graph_token_name(txn->graph, GRAPH_LABEL, rule->schema.label);
            struct yore_bytes property =
                graph_token_name(txn->graph, GRAPH_PROPERTY, rule->schema.property);
            snprintf(words, WORDS_BYTES, "an entry of the index on %.*s.%.*s",
                     (int)(label.size < SHOWN_OCTETS_MAX ? label.size : SHOWN_OCTETS_MAX),
                     (const char *)label.data,
                     (int)(property.size < SHOWN_OCTETS_MAX ? property.size : SHOWN_OCTETS_MAX),
                     (const char *)property.data);
            return;
        }
    }
    snprintf(words, WORDS_BYTES, "an entry of an index");
}

/* Keys of an element's octet and an external id. */
static void say_external(const char *what, struct yore_bytes key, char words[WORDS_BYTES])
{
    char id[KEY_TEXT_BYTES];
    const unsigned char *octets = key.data;
    snprintf(words, WORDS_BYTES, "%s %s %s", what,
             node_or_relationship(key.size > 1 ? octets[1] : 0),
             key_text(bytes_behind(key, key.size > 2 ? 2 : key.size), id));
}

/* What `key` stands for, or where a range begins; of a range the octets may end anywhere. */
static void say(const struct graph_txn *txn, struct yore_bytes key, char words[WORDS_BYTES])
{
    const unsigned char *at = key.data;
    const unsigned char *end = at + key.size;
    enum graph_key_kind kind = key.size > 0 ? (enum graph_key_kind) * at++ : GRAPH_KEY_META;
    uint64_t number = 0;
    bool is_rules = kind == GRAPH_KEY_META && at < end && *at == GRAPH_META_RULES;
    bool has_number = at != NULL && key_number_decode(&at, end, &number);
    switch (kind) {
    case GRAPH_KEY_NODE:
    case GRAPH_KEY_RELATIONSHIP:
        snprintf(words, WORDS_BYTES, has_number ? "%s %" PRIu64 : "%ss",
                 node_or_relationship(kind == GRAPH_KEY_NODE ? GRAPH_NODE : GRAPH_RELATIONSHIP),
                 number);
        return;
    case GRAPH_KEY_ADJACENCY:
        snprintf(words, WORDS_BYTES, "the relationships of node %" PRIu64, number);
        return;
    case GRAPH_KEY_LABEL:
        say_label(txn->graph, number, words);
        return;
    case GRAPH_KEY_PROPERTY:
        say_index(txn, number, words);
        return;
    case GRAPH_KEY_EXTERNAL:
        say_external("the external id of", key, words);
        return;
    case GRAPH_KEY_CLAIMS:
        say_external("what sources say of", key, words);
        return;
    case GRAPH_KEY_META:
        snprintf(words, WORDS_BYTES, "%s",
                 is_rules ? "the list of indexes and constraints" : "the numbering of ids");
        return;
    default:
        snprintf(words, WORDS_BYTES, "%s",
                 kind >= GRAPH_KEY_CLAIMS ? "what is known of sources" : "the list of names");
        return;
    }
}

static void explain(void *arg, struct yore_bytes key, struct yore_error *error_out)
{
    const struct graph_txn *txn = arg;
    char words[WORDS_BYTES];
    say(txn, key, words);
    error_set(error_out, YORE_CONFLICT,
              "graph %s: %s changed meanwhile; begin the transaction again", txn->graph->name,
              words);
}

void graph_txn_explain_conflicts(struct graph_txn *txn)
{
    txn_explain_conflicts(txn->engine, txn->graph->keyspace, explain, txn);
}
