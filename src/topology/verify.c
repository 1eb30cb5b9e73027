/* verify.c -- is a graph whole, at every time?
 *
 * The records are the truth: for each, the line of every entry that follows from it is compared
 * with the line the entry has.  That finds what is missing or wrong; what is too much shows when
 * all entries are counted.  External ids are shared by incarnations and are looked at from both
 * sides.
 *
 * A line is compared as a list of stretches: those of equal value that touch are one.
 */
#include "topology/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topology/claims.h"
#include "topology/entries.h"
#include "topology/ever.h"
#include "topology/graph_internal.h"

struct stretch {
    int64_t from;
    int64_t to;
    struct yore_bytes value; /* in the arena */
};
struct stretches {
    struct stretch *items;
    size_t count;
    size_t capacity;
};

struct verifier {
    struct graph *graph;
    struct yore_time span; /* from the begin of time, as known at its begin */
    struct graph_rules *rules;
    void (*problem)(void *arg, const char *line);
    void *arg;
    const struct stop *stop;
    struct arena arena; /* of one element */
    struct graph_verify_report report;
    uint64_t expected; /* entries that follow from records, external ids apart */
};

__attribute__((format(printf, 2, 3))) static void tell(struct verifier *v, const char *format, ...)
{
    char line[YORE_ERROR_TEXT_BYTES];
    va_list args;
    int size = snprintf(line, sizeof line, "graph %s: ", v->graph->name);
    va_start(args, format);
    vsnprintf(line + size, sizeof line - (size_t)size, format, args);
    va_end(args);
    v->report.problems++;
    if (v->problem != NULL) {
        v->problem(v->arg, line);
    }
}

/* ---- stretches ---- */

static enum yore_status add_stretch(struct verifier *v, struct stretches *s, int64_t from,
                                    int64_t to, struct yore_bytes value)
{
    if (s->count > 0 && s->items[s->count - 1].to == from &&
        bytes_equal(s->items[s->count - 1].value, value)) {
        s->items[s->count - 1].to = to;
        return YORE_OK;
    }
    if (s->count == s->capacity) {
        size_t capacity = s->capacity == 0 ? 4 : s->capacity * 2;
        struct stretch *items = arena_alloc(&v->arena, capacity * sizeof *items);
        if (items == NULL) {
            return YORE_NOMEM;
        }
        if (s->count > 0) {
            memcpy(items, s->items, s->count * sizeof *items);
        }
        s->items = items;
        s->capacity = capacity;
    }
    s->items[s->count++] = (struct stretch){from, to, value};
    return YORE_OK;
}

/* A key's line; *is_erased_out: in part it is not known any more. */
static enum yore_status read_line(struct verifier *v, struct yore_bytes key, struct stretches *s,
                                  bool *is_erased_out, struct yore_error *error_out)
{
    struct yore_timeline_options options = {
        .from = v->span.valid, .to = YORE_FOREVER, .known = v->span.known, .with_in_force = true};
    struct yore_timeline *timeline = NULL;
    struct yore_version version;
    struct stretch open = {0};
    bool is_open = false;
    *s = (struct stretches){0};
    *is_erased_out = false;
    enum yore_status st =
        yore_timeline_open(v->graph->db, v->graph->keyspace, key, &options, &timeline, error_out);
    while (st == YORE_OK && (st = yore_timeline_next(timeline, &version, error_out)) == YORE_OK) {
        int64_t from = version.valid_from > v->span.valid ? version.valid_from : v->span.valid;
        *is_erased_out |= version.kind == YORE_KIND_ERASED;
        if (is_open && open.to > from) {
            open.to = from;
        }
        if (is_open && open.to > open.from &&
            add_stretch(v, s, open.from, open.to, open.value) != YORE_OK) {
            st = error_plain(error_out, YORE_NOMEM);
            break;
        }
        is_open = version.kind == YORE_KIND_PUT && version.valid_to > from;
        void *copy = arena_copy(&v->arena, version.value.data, version.value.size);
        open = (struct stretch){from, version.valid_to, bytes_of(copy, version.value.size)};
        st = copy == NULL ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
    }
    yore_timeline_close(timeline);
    if (st == YORE_NOT_FOUND && is_open) {
        st = add_stretch(v, s, open.from, open.to, open.value);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static bool are_same(const struct stretches *a, const struct stretches *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (a->items[i].from != b->items[i].from || a->items[i].to != b->items[i].to ||
            !bytes_equal(a->items[i].value, b->items[i].value)) {
            return false;
        }
    }
    return true;
}

/* ---- one element ---- */

static const char *kind_of(struct graph_id id)
{
    return id.element == GRAPH_NODE ? "node" : "relationship";
}

/* Compare one entry's line with what the records say of it. */
static enum yore_status check_entry(struct verifier *v, struct graph_id id, struct yore_bytes key,
                                    const struct stretches *want, struct yore_error *error_out)
{
    struct stretches have;
    bool is_erased = false;
    enum yore_status st = read_line(v, key, &have, &is_erased, error_out);
    if (st == YORE_OK && !are_same(&have, want)) {
        char text[KEY_TEXT_BYTES];
        tell(v, "entry %s of %s %" PRIu64 " is not there exactly when it should be",
             key_text(key, text), kind_of(id), id.id);
    }
    v->expected++;
    return st;
}

/* An entry is to be there for a while. */
struct due {
    struct yore_bytes key;
    int64_t from;
    int64_t to;
};
struct dues {
    struct due *items; /* in the arena */
    size_t count;
    size_t capacity;
};

static enum yore_status add_dues(struct verifier *v, struct dues *dues,
                                 const struct entry_list *entries, const struct stretch *stretch)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (dues->count == dues->capacity) {
            size_t capacity = dues->capacity == 0 ? 8 : dues->capacity * 2;
            struct due *items = arena_alloc(&v->arena, capacity * sizeof *items);
            if (items == NULL) {
                return YORE_NOMEM;
            }
            if (dues->count > 0) {
                memcpy(items, dues->items, dues->count * sizeof *items);
            }
            dues->items = items;
            dues->capacity = capacity;
        }
        dues->items[dues->count++] = (struct due){entries->keys[i], stretch->from, stretch->to};
    }
    return YORE_OK;
}

static int compare_dues(const void *a, const void *b)
{
    const struct due *x = a;
    const struct due *y = b;
    int order = bytes_compare(x->key, y->key);
    return order != 0 ? order : (x->from > y->from) - (x->from < y->from);
}

/* Compare each entry's line with all that is due of it. */
static enum yore_status check_dues(struct verifier *v, struct graph_id id, struct dues *dues,
                                   struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    size_t next = 0;
    if (dues->count > 1) {
        qsort(dues->items, dues->count, sizeof *dues->items, compare_dues);
    }
    while (st == YORE_OK && next < dues->count) {
        struct yore_bytes key = dues->items[next].key;
        struct stretches want = {0};
        for (; st == YORE_OK && next < dues->count && bytes_equal(dues->items[next].key, key);
             next++) {
            st = add_stretch(v, &want, dues->items[next].from, dues->items[next].to,
                             bytes_of("", 0));
        }
        st = st == YORE_OK ? check_entry(v, id, key, &want, error_out) : error_plain(error_out, st);
    }
    return st;
}

/* The entries of an element along its life. */
static enum yore_status check_entries(struct verifier *v, struct graph_id id,
                                      const struct stretches *life,
                                      const struct element_state *states,
                                      struct yore_error *error_out)
{
    struct dues dues = {0};
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < life->count; i++) {
        struct entry_list entries;
        st = id.element == GRAPH_NODE
                 ? entries_of_state(&states[i], id.id, v->rules, &v->arena, &entries, error_out)
                 : entries_of_ends(&states[i], id.id, &v->arena, &entries);
        if (st == YORE_OK) {
            st = add_dues(v, &dues, &entries, &life->items[i]);
        }
    }
    return st == YORE_OK ? check_dues(v, id, &dues, error_out) : st;
}

/* The external id names the element while it is there. */
static enum yore_status check_external(struct verifier *v, struct graph_id id,
                                       const struct stretches *life,
                                       const struct element_state *state,
                                       struct yore_error *error_out)
{
    struct buffer key = {0};
    struct stretches have = {0};
    bool is_erased = false;
    bool is_found = false;
    int64_t from = life->items[0].from;
    int64_t to = life->items[life->count - 1].to;
    graph_key_external(&key, id.element, state->external_id);
    enum yore_status st = buffer_status(&key) != YORE_OK
                              ? error_plain(error_out, YORE_NOMEM)
                              : read_line(v, buffer_bytes(&key), &have, &is_erased, error_out);
    for (size_t i = 0; st == YORE_OK && i < have.count; i++) {
        struct decoder octets;
        decoder_init(&octets, have.items[i].value.data, have.items[i].value.size);
        if (decode_varint(&octets) == id.id) {
            is_found |= have.items[i].from == from && have.items[i].to == to;
        }
    }
    if (st == YORE_OK && !is_found) {
        char text[KEY_TEXT_BYTES];
        tell(v, "external id %s does not name %s %" PRIu64 " exactly while it is there",
             key_text(state->external_id, text), kind_of(id), id.id);
    }
    buffer_release(&key);
    return st;
}

static enum yore_status check_end(struct verifier *v, struct graph_id id, uint64_t node,
                                  int64_t from, int64_t to, struct yore_error *error_out)
{
    struct graph_key key = graph_key_element((struct graph_id){GRAPH_NODE, node});
    struct stretches have;
    bool is_erased = false;
    enum yore_status st = read_line(v, graph_key_bytes(&key), &have, &is_erased, error_out);
    if (st == YORE_OK &&
        (have.count == 0 || have.items[0].from > from || have.items[have.count - 1].to < to)) {
        tell(v, "relationship %" PRIu64 " is there while its end, node %" PRIu64 ", is not", id.id,
             node);
    }
    return st;
}

static enum yore_status check_life(struct verifier *v, struct graph_id id,
                                   const struct stretches *life, struct yore_error *error_out)
{
    struct element_state *states = arena_alloc(&v->arena, life->count * sizeof *states);
    enum yore_status st = states == NULL ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < life->count; i++) {
        st = element_state_decode(life->items[i].value, id.element, &v->arena, &states[i]);
        if (st == YORE_CORRUPT) {
            tell(v, "the record of %s %" PRIu64 " is malformed", kind_of(id), id.id);
            return YORE_OK;
        }
        bool goes_on = i == 0 || (life->items[i - 1].to == life->items[i].from &&
                                  bytes_equal(states[0].external_id, states[i].external_id) &&
                                  states[0].type == states[i].type &&
                                  states[0].start_id == states[i].start_id &&
                                  states[0].end_id == states[i].end_id);
        if (st == YORE_OK && !goes_on) {
            tell(v, "%s %" PRIu64 " is not one incarnation", kind_of(id), id.id);
        }
    }
    if (st == YORE_OK) {
        st = check_external(v, id, life, &states[0], error_out);
    }
    if (st == YORE_OK) {
        st = check_entries(v, id, life, states, error_out);
    }
    int64_t from = life->items[0].from;
    int64_t to = life->items[life->count - 1].to;
    if (st == YORE_OK && id.element == GRAPH_RELATIONSHIP) {
        st = check_end(v, id, states[0].start_id, from, to, error_out);
        if (st == YORE_OK) {
            st = check_end(v, id, states[0].end_id, from, to, error_out);
        }
    }
    return st;
}

/* ---- walks ---- */

typedef enum yore_status (*check_fn)(struct verifier *v, struct yore_bytes key,
                                     struct yore_error *error_out);

/* Each key with a prefix that was ever there, once. */
static enum yore_status walk_keys(struct verifier *v, struct yore_bytes prefix, check_fn check,
                                  struct yore_error *error_out)
{
    struct ever_walk walk = {0};
    struct buffer last = {0};
    struct yore_bytes key;
    enum yore_status st = ever_open(&walk, v->graph, prefix, &v->span, error_out);
    while (st == YORE_OK && (st = ever_next(&walk, &key, error_out)) == YORE_OK) {
        if (bytes_equal(key, buffer_bytes(&last))) {
            continue; /* it went and came again */
        }
        if (stop_is_asked(v->stop)) {
            st = error_plain(error_out, YORE_CANCELLED);
            break;
        }
        buffer_clear(&last);
        buffer_append_bytes(&last, key);
        struct yore_value value = {0};
        enum yore_status there = walk.cursor != NULL ? YORE_NOT_FOUND
                                                     : yore_get(v->graph->db, v->graph->keyspace,
                                                                key, &v->span, &value, NULL);
        yore_value_release(&value);
        if (buffer_status(&last) != YORE_OK) {
            st = error_plain(error_out, YORE_NOMEM);
        } else if (there != YORE_OK) { /* the first part of the walk has told it otherwise */
            arena_reset(&v->arena);
            st = check(v, key, error_out);
        }
    }
    ever_close(&walk);
    buffer_release(&last);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status check_element(struct verifier *v, struct yore_bytes key,
                                      struct yore_error *error_out)
{
    struct graph_id id = {
        *(const unsigned char *)key.data == GRAPH_KEY_NODE ? GRAPH_NODE : GRAPH_RELATIONSHIP, 0};
    struct stretches life;
    bool is_erased = false;
    if (!graph_key_numbers(key, &id.id, 1)) {
        char text[KEY_TEXT_BYTES];
        tell(v, "key %s is malformed", key_text(key, text));
        return YORE_OK;
    }
    v->report.nodes += id.element == GRAPH_NODE;
    v->report.relationships += id.element == GRAPH_RELATIONSHIP;
    enum yore_status st = read_line(v, key, &life, &is_erased, error_out);
    if (st != YORE_OK || life.count == 0 || is_erased) {
        return st;
    }
    return check_life(v, id, &life, error_out);
}

static enum yore_status count_entry(struct verifier *v, struct yore_bytes key,
                                    struct yore_error *error_out)
{
    (void)key;
    (void)error_out;
    v->report.entries++;
    return YORE_OK;
}

/* Each time an external id names something, that is there and has this id. */
static enum yore_status check_named(struct verifier *v, struct yore_bytes key,
                                    struct yore_error *error_out)
{
    struct stretches named;
    bool is_erased = false;
    enum graph_element element =
        key.size > 1 ? (enum graph_element)((const unsigned char *)key.data)[1] : GRAPH_NODE;
    char text[KEY_TEXT_BYTES];
    enum yore_status st = read_line(v, key, &named, &is_erased, error_out);
    for (size_t i = 0; st == YORE_OK && i < named.count; i++) {
        struct decoder octets;
        struct stretches life;
        struct element_record record;
        decoder_init(&octets, named.items[i].value.data, named.items[i].value.size);
        struct graph_id id = {element, decode_varint(&octets)};
        struct graph_key element_key = graph_key_element(id);
        st = read_line(v, graph_key_bytes(&element_key), &life, &is_erased, error_out);
        bool is_right = st == YORE_OK && life.count > 0 &&
                        life.items[0].from == named.items[i].from &&
                        life.items[life.count - 1].to == named.items[i].to &&
                        element_record_read(life.items[0].value, element, &record) &&
                        bytes_equal(record.external_id, bytes_behind(key, 2));
        if (st == YORE_OK && !is_right && !is_erased) {
            tell(v, "%s names %s %" PRIu64 " when that is not there", key_text(key, text),
                 kind_of(id), id.id);
        }
    }
    return st;
}

/* ---- claims ---- */

/* The claims on one element: their entries are there exactly while they hold. */
static enum yore_status check_claims(struct verifier *v, struct yore_bytes key,
                                     struct yore_error *error_out)
{
    struct stretches line;
    bool is_erased = false;
    struct graph_id id = {GRAPH_NODE, 0};
    struct yore_bytes external_id;
    struct dues dues = {0};
    char text[KEY_TEXT_BYTES];
    if (!claim_key_tail(bytes_behind(key, 1), &id.element, &external_id)) {
        tell(v, "key %s is malformed", key_text(key, text));
        return YORE_OK;
    }
    enum yore_status st = read_line(v, key, &line, &is_erased, error_out);
    if (st != YORE_OK) {
        return st;
    }
    for (size_t i = 0; st == YORE_OK && i < line.count; i++) {
        struct claims claims;
        struct entry_list entries;
        st = claims_decode(line.items[i].value, id.element, &v->arena, &claims);
        if (st == YORE_CORRUPT) {
            tell(v, "the claims on %s are malformed", key_text(key, text));
            return YORE_OK;
        }
        if (st == YORE_OK &&
            (!claims_entries(&claims, id.element, external_id, &v->arena, &entries) ||
             add_dues(v, &dues, &entries, &line.items[i]) != YORE_OK)) {
            st = YORE_NOMEM;
        }
        st = st == YORE_OK ? st : error_plain(error_out, st);
    }
    return st == YORE_OK ? check_dues(v, id, &dues, error_out) : st;
}

/* The mark of an end follows from no single claim. */
static enum yore_status count_claim_end(struct verifier *v, struct yore_bytes key,
                                        struct yore_error *error_out)
{
    struct yore_bytes relationship = {0};
    bool is_read = claim_end_key_decode(key, &relationship);
    return is_read && relationship.size == 0 ? YORE_OK : count_entry(v, key, error_out);
}

static bool do_overlap(const struct stretches *a, const struct stretches *b)
{
    for (size_t i = 0; i < a->count; i++) {
        for (size_t k = 0; k < b->count; k++) {
            if (a->items[i].from < b->items[k].to && b->items[k].from < a->items[i].to) {
                return true;
            }
        }
    }
    return false;
}

/* A relationship is pending only while it is not there. */
static enum yore_status check_pending(struct verifier *v, struct yore_bytes key,
                                      struct yore_error *error_out)
{
    struct stretches pending;
    struct stretches there;
    struct buffer external = {0};
    bool is_erased = false;
    graph_key_external(&external, GRAPH_RELATIONSHIP, bytes_behind(key, 1));
    enum yore_status st = external.is_nomem ? error_plain(error_out, YORE_NOMEM)
                                            : read_line(v, key, &pending, &is_erased, error_out);
    if (st == YORE_OK) {
        st = read_line(v, buffer_bytes(&external), &there, &is_erased, error_out);
    }
    if (st == YORE_OK && do_overlap(&pending, &there)) {
        char text[KEY_TEXT_BYTES];
        tell(v, "relationship %s is pending while it is there",
             key_text(bytes_behind(key, 1), text));
    }
    buffer_release(&external);
    return st;
}

static enum yore_status walk_kind(struct verifier *v, enum graph_key_kind kind, check_fn check,
                                  struct yore_error *error_out)
{
    struct graph_key prefix;
    graph_key_begin(&prefix, kind);
    return walk_keys(v, graph_key_bytes(&prefix), check, error_out);
}

/* Entries of the indexes there are; what dropped ones left behind says nothing. */
static enum yore_status walk_rules(struct verifier *v, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < v->rules->count; i++) {
        const struct graph_rule *rule = &v->rules->rules[i];
        struct yore_error cause;
        struct buffer prefix = {0};
        graph_key_index(&prefix, rule->number);
        st = buffer_status(&prefix) != YORE_OK
                 ? error_plain(error_out, YORE_NOMEM)
                 : walk_keys(v, buffer_bytes(&prefix), count_entry, error_out);
        buffer_release(&prefix);
        if (st == YORE_OK && rule->schema.is_unique) {
            st = graph_check_unique(v->graph, rule, NULL, &cause);
            if (st == YORE_EXISTS) {
                tell(v, "%s", cause.text);
                st = YORE_OK;
            }
        }
    }
    return st;
}

/* An index that is being made has not all of its past yet: nothing can be said of it. */
static void drop_unfinished(struct graph_rules *rules)
{
    for (size_t i = 0; i < rules->count;) {
        if (rules->rules[i].is_online) {
            i++;
        } else {
            rules->rules[i] = rules->rules[--rules->count];
        }
    }
}

static enum yore_status walk_claims(struct verifier *v, struct yore_error *error_out)
{
    enum yore_status st = walk_kind(v, GRAPH_KEY_CLAIMS, check_claims, error_out);
    if (st == YORE_OK) {
        st = walk_kind(v, GRAPH_KEY_CLAIMED, count_entry, error_out);
    }
    if (st == YORE_OK) {
        st = walk_kind(v, GRAPH_KEY_CLAIM_END, count_claim_end, error_out);
    }
    return st == YORE_OK ? walk_kind(v, GRAPH_KEY_PENDING, check_pending, error_out) : st;
}

static enum yore_status run(struct verifier *v, struct yore_error *error_out)
{
    enum yore_status st = graph_rules_known(v->graph, v->span.known, &v->rules, error_out);
    if (st == YORE_OK) {
        drop_unfinished(v->rules);
        st = graph_begin_of_time(v->graph, &v->span.valid, error_out);
    }
    if (st == YORE_OK) {
        st = walk_kind(v, GRAPH_KEY_NODE, check_element, error_out);
    }
    if (st == YORE_OK) {
        st = walk_kind(v, GRAPH_KEY_RELATIONSHIP, check_element, error_out);
    }
    if (st == YORE_OK) {
        st = walk_kind(v, GRAPH_KEY_ADJACENCY, count_entry, error_out);
    }
    if (st == YORE_OK) {
        st = walk_kind(v, GRAPH_KEY_LABEL, count_entry, error_out);
    }
    if (st == YORE_OK) {
        st = walk_rules(v, error_out);
    }
    if (st == YORE_OK) {
        st = walk_claims(v, error_out);
    }
    if (st == YORE_OK && v->report.entries != v->expected && v->report.problems == 0) {
        tell(v, "%" PRIu64 " entries of indexes follow from the elements, but there are %" PRIu64,
             v->expected, v->report.entries);
    }
    return st == YORE_OK ? walk_kind(v, GRAPH_KEY_EXTERNAL, check_named, error_out) : st;
}

enum yore_status graph_verify(struct graph *graph, void (*problem)(void *arg, const char *line),
                              void *arg, struct graph_verify_report *report_out,
                              struct yore_error *error_out)
{
    return graph_verify_unless(graph, problem, arg, NULL, report_out, error_out);
}

enum yore_status graph_verify_unless(struct graph *graph,
                                     void (*problem)(void *arg, const char *line), void *arg,
                                     const struct stop *stop,
                                     struct graph_verify_report *report_out,
                                     struct yore_error *error_out)
{
    struct verifier v = {.graph = graph, .problem = problem, .arg = arg, .stop = stop};
    struct yore_snapshot *snapshot = NULL;
    error_clear(error_out);
    enum yore_status st = yore_snapshot_take(graph->db, &snapshot, error_out);
    if (st == YORE_OK) {
        v.span.known = yore_snapshot_time(snapshot).known;
        st = run(&v, error_out);
    }
    yore_snapshot_release(snapshot);
    graph_rules_free(v.rules);
    arena_release(&v.arena);
    if (report_out != NULL) {
        *report_out = v.report;
    }
    if (st == YORE_OK && v.report.problems > 0) {
        return error_set(error_out, YORE_CORRUPT, "graph %s is not whole: %" PRIu64 " problems",
                         graph->name, v.report.problems);
    }
    return st;
}
