/* erase.c -- destroying values: the record of it, and what must go on holding behind an erased
 * span.
 *
 * An erasure is one commit: a rule in the catalogue, which takes effect when it becomes visible;
 * and for a span of a key an erased version at its begin, and the copy at its end of what held
 * there, whose own bytes may lie inside the span.  The bytes leave the files in the background.
 */
#include "engine/erase.h"
#include "engine/catalogue.h"
#include "engine/key_range.h"
#include "engine/purge.h"
#include "engine/refuse.h"
#include "engine/span.h"
#include "engine/txn.h"

static enum yore_status check_span(struct yore_db *db, const struct yore_keyspace *keyspace,
                                   const struct yore_erase *erase, struct yore_error *error_out)
{
    if (erase->from == INT64_MIN || erase->from >= erase->to) {
        char texts[2][MOMENT_TEXT_BYTES];
        return error_set(
            error_out, YORE_INVALID,
            "the span from %s to %s is empty; YORE_TIME_MIN to YORE_FOREVER is the whole timeline",
            moment_told(erase->from, texts[0]), moment_told(erase->to, texts[1]));
    }
    if (erase->from == YORE_TIME_MIN && erase->to == YORE_FOREVER) {
        return YORE_OK;
    }
    if (erase->is_prefix) {
        return error_set(error_out, YORE_INVALID,
                         "keys with a prefix are erased whole, not over a span");
    }
    if (atomic_load_explicit(&keyspace->keep, memory_order_relaxed) == YORE_KEEP_NOW) {
        return error_set(error_out, YORE_READ_ONLY,
                         "keyspace %s keeps only now: its keys are erased whole", keyspace->name);
    }
    if (erase->to == YORE_FOREVER) {
        return YORE_OK;
    }
    /* At `to` a fact may have to be written.  `from` is free: the rule covers what lies behind it,
     * and a fact there is written only where one may begin (span.c). */
    int64_t horizon = atomic_load_explicit(&keyspace->horizon, memory_order_acquire);
    if (erase->to < horizon) {
        return refuse_before_horizon(keyspace, "the end of the span,", erase->to, horizon,
                                     error_out);
    }
    if (erase->to > db_latest_begin(db)) {
        char told[MOMENT_TEXT_BYTES];
        return error_set(error_out, YORE_IN_FUTURE,
                         "the span ends at %s, later than now; let it end by now, or never",
                         moment_told(erase->to, told));
    }
    return YORE_OK;
}

/* The keys of the rule: one, or all with the prefix. */
static enum yore_status rule_high(const struct yore_erase *erase, struct buffer *high)
{
    if (erase->is_prefix) {
        return prefix_end(erase->key, high);
    }
    buffer_append_bytes(high, erase->key);
    buffer_append_u8(high, 0);
    return buffer_status(high);
}

static enum yore_status add_record(struct yore_txn *txn, const struct erase_rule *rule,
                                   struct yore_error *error_out)
{
    struct buffer key = {0};
    struct buffer value = {0};
    enum yore_status st = catalogue_erase_fact(txn->db, rule, &key, &value);
    if (st == YORE_OK) {
        struct fact record = {.keyspace = txn->db->system_keyspace,
                              .kind = YORE_KIND_PUT,
                              .key = buffer_bytes(&key),
                              .value = buffer_bytes(&value),
                              .from = YORE_NOW,
                              .to = YORE_FOREVER};
        st = txn_add_fact(txn, &record, error_out);
    } else {
        error_plain(error_out, st);
    }
    buffer_release(&key);
    buffer_release(&value);
    return st;
}

/* The rule's commit is the one it must have; 0: the next one. */
static enum yore_status erase_once(struct yore_db *db, const struct erase_rule *rule,
                                   bool is_prefix, enum yore_durability durability,
                                   int64_t *commit_out, struct yore_error *error_out)
{
    struct yore_txn txn;
    struct fact span = {.keyspace = db_keyspace(db, rule->keyspace),
                        .key = forest_key_bytes(&rule->low),
                        .from = rule->from,
                        .to = rule->to};
    enum yore_status st = YORE_OK;
    txn_init(&txn, db);
    txn.fixed_commit = rule->commit;
    if (!is_prefix && span.keyspace != NULL) {
        st = txn_add_erasure(&txn, &span, error_out);
    }
    if (st == YORE_OK) {
        st = add_record(&txn, rule, error_out);
    }
    if (st == YORE_OK) {
        st = txn_commit(&txn, durability, commit_out, error_out);
    }
    txn_release(&txn);
    return st;
}

enum yore_status erase_by_rule(struct yore_db *db, const struct erase_rule *rule,
                               struct yore_error *error_out)
{
    struct yore_bytes low = forest_key_bytes(&rule->low);
    struct yore_bytes high = forest_key_bytes(&rule->high);
    bool is_key =
        high.size == low.size + 1 && bytes_starts_with(high, low) && rule->high.data[low.size] == 0;
    return erase_once(db, rule, !is_key, YORE_DURABILITY_SYNC, NULL, error_out);
}

static size_t rules_held(struct yore_db *db)
{
    struct superview *view = superview_acquire(db);
    size_t count = erase_set_count(view->erased);
    superview_release(view);
    return count;
}

static bool has_room(const struct yore_db *db, size_t held, size_t more)
{
    return more <= db->erasures_max && held <= db->erasures_max - more;
}

/* Room for rules in memory.  Those over the whole of their keys leave when their bytes have. */
static enum yore_status make_room(struct yore_db *db, size_t more, struct yore_error *error_out)
{
    if (has_room(db, rules_held(db), more)) {
        return YORE_OK;
    }
    enum yore_status st = purge_pending(db, error_out);
    if (st != YORE_OK) {
        return st;
    }
    size_t held = rules_held(db);
    if (has_room(db, held, more)) {
        error_clear(error_out);
        return YORE_OK;
    }
    return error_set(
        error_out, YORE_TOO_BIG,
        "the database holds %zu erasures of %zu, of spans or with bytes that readers "
        "keep, and this needs %zu; end old cursors and transactions, or erase by prefix",
        held, db->erasures_max, more);
}

static enum yore_status add_key_rule(struct yore_txn *txn, const struct yore_keyspace *keyspace,
                                     struct yore_bytes key, struct yore_error *error_out)
{
    struct buffer low = {0};
    struct buffer high = {0};
    struct yore_erase erase = {.key = key, .from = YORE_TIME_MIN, .to = YORE_FOREVER};
    buffer_append_bytes(&low, key);
    enum yore_status st = rule_high(&erase, &high);
    if (st != YORE_OK || buffer_status(&low) != YORE_OK) {
        st = error_plain(error_out, YORE_NOMEM);
    } else {
        struct erase_rule rule = {.keyspace = keyspace->id,
                                  .low = {low.data, low.size},
                                  .high = {high.data, high.size},
                                  .from = erase.from,
                                  .to = erase.to};
        st = add_record(txn, &rule, error_out);
    }
    buffer_release(&low);
    buffer_release(&high);
    return st;
}

enum yore_status txn_erase_keys(struct yore_txn *txn, struct yore_keyspace *keyspace,
                                const struct yore_bytes *keys, size_t count,
                                struct yore_error *error_out)
{
    enum yore_status st = make_room(txn->db, count, error_out);
    keyspace = keyspace_or_default(txn->db, keyspace);
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        st = key_check(keys[i], error_out);
        if (st == YORE_OK) {
            st = txn_note_key(txn, keyspace, keys[i], error_out);
        }
        if (st == YORE_OK) {
            st = add_key_rule(txn, keyspace, keys[i], error_out);
        }
    }
    return st;
}

static enum yore_status erase_with_rule(struct yore_db *db, struct yore_keyspace *keyspace,
                                        const struct yore_erase *erase,
                                        struct yore_error *error_out)
{
    struct buffer low = {0};
    struct buffer high = {0};
    struct erase_rule rule = {.keyspace = keyspace->id, .from = erase->from, .to = erase->to};
    buffer_append_bytes(&low, erase->key);
    enum yore_status st = buffer_status(&low);
    if (st == YORE_OK) {
        st = rule_high(erase, &high);
    }
    if (st != YORE_OK) {
        error_plain(error_out, st);
    } else {
        rule.low = (struct forest_key){low.data, low.size};
        rule.high = (struct forest_key){high.data, high.size};
        st = YORE_CONFLICT;
    }
    for (int i = 0; st == YORE_CONFLICT && i < SPAN_TRIES_MAX; i++) {
        st = erase_once(db, &rule, erase->is_prefix, erase->durability, erase->commit_out,
                        error_out);
    }
    if (st == YORE_CONFLICT) {
        st =
            error_set(error_out, YORE_BUSY, "the key is written by others all the time; try again");
    }
    buffer_release(&low);
    buffer_release(&high);
    return st;
}

enum yore_status yore_erase(struct yore_db *db, struct yore_keyspace *keyspace,
                            const struct yore_erase *erase, struct yore_error *error_out)
{
    if (db == NULL || erase == NULL) {
        return error_null(error_out, __func__, "db, erase");
    }
    error_clear(error_out);
    keyspace = keyspace_or_default(db, keyspace);
    bool is_all = erase->is_prefix && erase->key.size == 0; /* the empty prefix */
    enum yore_status st = is_all ? YORE_OK : key_check(erase->key, error_out);
    if (st == YORE_OK) {
        st = check_span(db, keyspace, erase, error_out);
    }
    if (st == YORE_OK) {
        st = make_room(db, 1, error_out);
        if (st == YORE_TOO_BIG && erase->is_prefix) { /* the way out */
            error_clear(error_out);
            st = YORE_OK;
        }
    }
    return st == YORE_OK ? erase_with_rule(db, keyspace, erase, error_out) : st;
}
