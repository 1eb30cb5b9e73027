/* txn.c -- optimistic transactions: a held moment, facts to come, and what was read meanwhile. */
#include "engine/txn.h"

#include "base/mem.h"
#include "engine/key_range.h"
#include "engine/refuse.h"

/* What a fact costs beside its key and value, in journal and memory. */
#define FACT_OVERHEAD_BYTES 64u

/* ---- life ---- */

void txn_init(struct yore_txn *txn, struct yore_db *db)
{
    *txn = (struct yore_txn){
        .db = db, .expiry_min = YORE_FOREVER, .refusals = atomic_load(&db->refusals)};
    snapshot_hold(db, &txn->snapshot);
}

static uint64_t bytes_of_fact(const struct fact *fact)
{
    return fact->key.size + fact->value.size + FACT_OVERHEAD_BYTES;
}

void txn_drop_facts(struct yore_txn *txn, size_t count)
{
    while (txn->fact_count > count) {
        struct fact *fact = &txn->facts[--txn->fact_count];
        txn->fact_bytes -= bytes_of_fact(fact);
        union {
            const void *borrowed;
            void *owned;
        } block = {fact->key.data};
        mem_free(block.owned);
    }
}

bool txn_met_erasure(const struct yore_txn *txn)
{
    struct superview *view = superview_acquire(txn->db);
    bool has_met = erase_set_commit_max(view->erased) > txn->snapshot.commit;
    superview_release(view);
    return has_met;
}

void txn_explain_conflicts(struct yore_txn *txn, const struct yore_keyspace *keyspace,
                           txn_explain_fn *explain, void *arg)
{
    txn->explain = explain;
    txn->explain_arg = arg;
    txn->explained_keyspace = keyspace->id;
}

void txn_release(struct yore_txn *txn)
{
    txn_forget_walks(txn);
    txn_drop_facts(txn, 0);
    mem_free(txn->facts);
    mem_free(txn->savepoints);
    memtable_unref(txn->overlay);
    read_set_release(&txn->reads);
    snapshot_drop(&txn->snapshot);
}

enum yore_status yore_begin(struct yore_db *db, struct yore_txn **txn_out,
                            struct yore_error *error_out)
{
    if (db == NULL || txn_out == NULL) {
        return error_null(error_out, __func__, "db, txn_out");
    }
    error_clear(error_out);
    *txn_out = NULL;
    struct yore_txn *txn = mem_alloc(sizeof *txn);
    if (txn == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    txn_init(txn, db);
    handles_add(&db->handles, HANDLE_txn, 1);
    *txn_out = txn;
    return YORE_OK;
}

struct yore_time yore_txn_time(const struct yore_txn *txn)
{
    return txn != NULL ? (struct yore_time){txn->snapshot.now, txn->snapshot.commit}
                       : (struct yore_time){0};
}

static void txn_free(struct yore_txn *txn)
{
    handles_add(&txn->db->handles, HANDLE_txn, -1);
    txn_release(txn);
    mem_free(txn);
}

void yore_txn_abort(struct yore_txn *txn)
{
    if (txn != NULL) {
        txn_free(txn);
    }
}

/* ---- facts ---- */

static bool grow_facts(struct yore_txn *txn)
{
    struct fact *facts = mem_grow(txn->facts, txn->fact_count, &txn->fact_capacity, sizeof *facts);
    if (facts == NULL) {
        return false;
    }
    txn->facts = facts;
    return true;
}

bool txn_has_room(const struct yore_txn *txn, const struct fact *fact, size_t count)
{
    return count <= (YORE_BATCH_BYTES_MAX - txn->fact_bytes) / bytes_of_fact(fact);
}

enum yore_status txn_add_fact(struct yore_txn *txn, const struct fact *fact,
                              struct yore_error *error_out)
{
    size_t bytes = fact->key.size + fact->value.size;
    if (!txn_has_room(txn, fact, 1)) {
        return error_set(
            error_out, YORE_TOO_BIG,
            "the transaction's writes would take more than %u bytes; use several transactions",
            YORE_BATCH_BYTES_MAX);
    }
    unsigned char *block = mem_alloc(bytes);
    if (block == NULL || !grow_facts(txn)) {
        mem_free(block);
        return error_plain(error_out, YORE_NOMEM);
    }
    memcpy(block, fact->key.data, fact->key.size);
    if (fact->value.size > 0) {
        memcpy(block + fact->key.size, fact->value.data, fact->value.size);
    }
    struct fact *copy = &txn->facts[txn->fact_count++];
    *copy = *fact;
    copy->key.data = block;
    copy->value.data = block + fact->key.size;
    txn->fact_bytes += bytes_of_fact(fact);
    return YORE_OK;
}

/* A fact as the overlay has it. */
static struct version overlay_version(const struct yore_txn *txn, size_t index)
{
    const struct fact *fact = &txn->facts[index];
    return (struct version){.key = fact->key,
                            .valid_from = fact->from == YORE_NOW ? txn->snapshot.now : fact->from,
                            .commit = OVERLAY_COMMIT_MIN + (int64_t)index,
                            .valid_to = fact->to,
                            .kind = fact->kind,
                            .flags = fact->is_apart ? VERSION_APART : 0,
                            .value = fact->value};
}

enum yore_status txn_make_overlay(struct yore_txn *txn, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (txn->fact_count == 0 || txn->overlay_count == txn->fact_count) {
        return YORE_OK;
    }
    if (txn->overlay == NULL) {
        st = memtable_new(txn->db->options.memtable_bytes, &txn->overlay);
    }
    while (st == YORE_OK && txn->overlay_count < txn->fact_count) {
        struct version version = overlay_version(txn, txn->overlay_count);
        st = memtable_add(txn->overlay, txn->facts[txn->overlay_count].keyspace->id, &version);
        if (st == YORE_OK) {
            txn->overlay_count++;
        }
    }
    return st == YORE_OK ? st : error_plain(error_out, st);
}

/* ---- savepoints ---- */

enum yore_status yore_txn_savepoint(struct yore_txn *txn, size_t *savepoint_out,
                                    struct yore_error *error_out)
{
    if (txn == NULL || savepoint_out == NULL) {
        return error_null(error_out, __func__, "txn, savepoint_out");
    }
    error_clear(error_out);
    if (txn->savepoint_count == TXN_SAVEPOINTS_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "savepoints nest to %u levels",
                         TXN_SAVEPOINTS_MAX);
    }
    size_t *savepoints = mem_grow(txn->savepoints, txn->savepoint_count, &txn->savepoint_capacity,
                                  sizeof *savepoints);
    if (savepoints == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    txn->savepoints = savepoints;
    *savepoint_out = txn->savepoint_count;
    txn->savepoints[txn->savepoint_count++] = txn->fact_count;
    return YORE_OK;
}

static enum yore_status check_savepoint(const struct yore_txn *txn, size_t savepoint,
                                        struct yore_error *error_out)
{
    error_clear(error_out);
    if (savepoint >= txn->savepoint_count) {
        return error_set(error_out, YORE_INVALID,
                         "savepoint %zu does not exist: the transaction has %zu", savepoint,
                         txn->savepoint_count);
    }
    return YORE_OK;
}

enum yore_status yore_txn_rollback_to(struct yore_txn *txn, size_t savepoint,
                                      struct yore_error *error_out)
{
    if (txn == NULL) {
        return error_null(error_out, __func__, "txn");
    }
    enum yore_status st = check_savepoint(txn, savepoint, error_out);
    if (st == YORE_OK) {
        txn->savepoint_count = savepoint + 1;
        txn_rewind(txn, txn->savepoints[savepoint]);
    }
    return st;
}

enum yore_status yore_txn_release_savepoint(struct yore_txn *txn, size_t savepoint,
                                            struct yore_error *error_out)
{
    if (txn == NULL) {
        return error_null(error_out, __func__, "txn");
    }
    enum yore_status st = check_savepoint(txn, savepoint, error_out);
    if (st == YORE_OK) {
        txn->savepoint_count = savepoint;
    }
    return st;
}

/* Take the facts from number `count` on out of the overlay.  False: it has to be given up. */
static bool take_back(struct yore_txn *txn, size_t count)
{
    uint64_t bytes = 0;
    for (size_t i = count; i < txn->fact_count; i++) {
        bytes += bytes_of_fact(&txn->facts[i]);
    }
    txn->overlay_waste += bytes;
    bool is_kept =
        txn->overlay_waste <= txn->fact_bytes - bytes && !memtable_is_shared(txn->overlay);
    while (is_kept && txn->overlay_count > count) {
        struct version version = overlay_version(txn, --txn->overlay_count);
        uint32_t keyspace = txn->facts[txn->overlay_count].keyspace->id;
        is_kept = memtable_take_back(txn->overlay, keyspace, &version) == YORE_OK;
    }
    return is_kept;
}

void txn_rewind(struct yore_txn *txn, size_t count)
{
    if (txn->overlay_count > count && !take_back(txn, count)) {
        memtable_unref(txn->overlay);
        txn->overlay = NULL;
        txn->overlay_count = 0;
        txn->overlay_waste = 0;
    }
    txn_drop_facts(txn, count);
}

/* ---- reading ---- */

enum yore_status txn_note_key(struct yore_txn *txn, const struct yore_keyspace *keyspace,
                              struct yore_bytes key, struct yore_error *error_out)
{
    struct commit_read read = {.keyspace = keyspace->id, .key = key};
    return read_set_add(&txn->reads, &read, txn->db->txn_reads_max, error_out);
}

void txn_note_expiry(struct yore_txn *txn, int64_t valid_to)
{
    if (valid_to < txn->expiry_min) {
        txn->expiry_min = valid_to;
    }
}

enum yore_status txn_read_begin(struct yore_txn *txn, struct yore_keyspace *keyspace,
                                const struct yore_time *at, struct txn_moment *moment_out,
                                struct superview **view_out, struct yore_error *error_out)
{
    int64_t now = txn->snapshot.now;
    int64_t begin = txn->snapshot.commit;
    int64_t valid = at == NULL || at->valid == YORE_NOW ? now : at->valid;
    bool sees_own = at == NULL || at->known >= begin;
    if (at != NULL && at->known != YORE_NOW && at->known > now) {
        int64_t latest = db_now(txn->db); /* as for any read: the transaction's own may be older */
        if (at->known > latest) {
            return refuse_known(at->known, latest, error_out);
        }
    }
    *moment_out = (struct txn_moment){.moment = {.valid = now, .known = begin, .now = now},
                                      .is_own_now = valid == now && sees_own,
                                      .sees_own = sees_own};
    if (moment_out->is_own_now) {
        if (begin >= atomic_load_explicit(&keyspace->dropped_at, memory_order_acquire)) {
            return refuse_dropped(keyspace, error_out);
        }
        /* Held: no horizon can have passed it, also where only now is kept. */
        *view_out = superview_acquire(txn->db);
        return YORE_OK;
    }
    struct yore_time asked = {valid, sees_own ? YORE_NOW : at->known};
    struct read_moment *moment = &moment_out->moment;
    enum yore_status st = read_begin(txn->db, keyspace, &asked, moment, view_out, error_out);
    if (st == YORE_OK && moment->known > begin) {
        moment->known = begin;
    }
    return st;
}

/* An own version's bytes must outlive the overlay. */
static enum yore_status keep_own(struct version *own, struct read_pin *pin,
                                 struct yore_error *error_out)
{
    void *heap = mem_alloc(own->value.size);
    if (heap == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (own->value.size > 0) {
        memcpy(heap, own->value.data, own->value.size);
    }
    pin->heap = heap;
    own->value.data = heap;
    return YORE_OK;
}

/* A slice carries no key that was dead at its start, so an own fact from before it may be
 * superseded by a version that only an earlier slice has (R4 of read.c).  *version_inout is the own
 * one, or what beats it, kept by *pin. */
static enum yore_status look_back(struct superview *view, const struct yore_keyspace *keyspace,
                                  const struct read_moment *moment, struct version *version_inout,
                                  struct read_pin *pin, struct yore_error *error_out)
{
    const struct forest_tree *tree = forest_tree(view->forest, keyspace->id);
    const struct forest_region *region =
        tree != NULL ? tree_region(tree, version_inout->key) : NULL;
    int64_t as_of = moment->valid < moment->known ? moment->valid : moment->known;
    size_t index = region != NULL ? region_slice_at(region, as_of) : 0;
    if (region == NULL || index >= region->slice_count ||
        version_inout->valid_from >= region->slices[index].t0) {
        return YORE_OK;
    }
    return read_look_back(view, region, index, version_inout->key, moment, version_inout, pin,
                          error_out);
}

bool txn_is_from_now(const struct yore_txn *txn, const struct version *version)
{
    return version->commit >= OVERLAY_COMMIT_MIN &&
           txn->facts[version->commit - OVERLAY_COMMIT_MIN].from == YORE_NOW;
}

static enum yore_status find_own(struct yore_txn *txn, const struct yore_keyspace *keyspace,
                                 struct yore_bytes key, const struct txn_moment *moment,
                                 struct version *own_out, bool *has_own_out,
                                 struct yore_error *error_out)
{
    int64_t valid = moment->moment.valid;
    struct iter_view every = {.known = INT64_MAX, .commit_after = INT64_MIN};
    struct version_place place = {key, valid, INT64_MAX};
    struct version_iter *it = NULL;
    if (!moment->is_dated) {
        *has_own_out = memtable_get(txn->overlay, keyspace->id, key, valid, INT64_MAX, own_out);
        return YORE_OK;
    }
    enum yore_status st = memtable_iter_new(txn->overlay, keyspace->id, &every, &it);
    if (st == YORE_OK) {
        version_iter_seek(it, &place);
        while (it->is_valid && bytes_equal(it->at.key, key) && txn_is_from_now(txn, &it->at)) {
            version_iter_next(it);
        }
        *has_own_out = it->is_valid && bytes_equal(it->at.key, key);
        *own_out = it->at;
        version_iter_free(it);
    }
    return st == YORE_OK ? YORE_OK : error_plain(error_out, st);
}

/* style: parameters because the winner comes with its pin and whose it is. */
enum yore_status txn_winner(struct yore_txn *txn, struct superview *view,
                            struct yore_keyspace *keyspace, struct yore_bytes key,
                            const struct txn_moment *moment, struct version *version_out,
                            struct read_pin *pin, bool *is_own_out, struct yore_error *error_out)
{
    struct version own;
    bool has_own = false;
    enum yore_status st = moment->sees_own ? txn_make_overlay(txn, error_out) : YORE_OK;
    *is_own_out = false;
    *pin = (struct read_pin){0};
    if (st == YORE_OK && moment->sees_own && txn->overlay != NULL) {
        st = find_own(txn, keyspace, key, moment, &own, &has_own, error_out);
    }
    struct read_moment asked = moment->moment;
    asked.wants_any |= has_own; /* a delete may beat the own version */
    if (st == YORE_OK) {
        st = read_winner(view, keyspace, key, &asked, version_out, pin, error_out);
    }
    bool is_own =
        has_own && (st == YORE_NOT_FOUND || (st == YORE_OK && version_is_newer(&own, version_out)));
    if (is_own) {
        read_pin_release(pin);
        *version_out = own;
        version_out->key = key;
        st = look_back(view, keyspace, &moment->moment, version_out, pin, error_out);
        if (st == YORE_OK && version_out->commit == own.commit) {
            st = keep_own(version_out, pin, error_out);
            *is_own_out = st == YORE_OK;
        }
    }
    if (st != YORE_OK) {
        read_pin_release(pin);
    }
    return st;
}

static enum yore_status get_version(struct yore_txn *txn, struct superview *view,
                                    struct yore_keyspace *keyspace, struct yore_bytes key,
                                    struct txn_moment *moment, struct yore_value *value_out,
                                    struct yore_error *error_out)
{
    struct version version;
    struct read_pin pin;
    bool is_own;
    enum yore_status st =
        txn_winner(txn, view, keyspace, key, moment, &version, &pin, &is_own, error_out);
    if (st == YORE_OK) {
        st = read_judge(view, keyspace, &moment->moment, &version);
    }
    if (st == YORE_OK) {
        st = read_fetch(view, &version, &pin, error_out);
    }
    if (st != YORE_OK) {
        read_pin_release(&pin);
        return st;
    }
    if (moment->is_own_now && !is_own) {
        txn_note_expiry(txn, version.valid_to);
    }
    *value_out = (struct yore_value){.data = version.value.data,
                                     .size = version.value.size,
                                     .valid_from = version.valid_from,
                                     .valid_to = version.valid_to,
                                     .commit = is_own ? YORE_FOREVER : version.commit,
                                     .pin = {pin.page.frame, pin.view, pin.heap}};
    return YORE_OK;
}

enum yore_status yore_txn_get(struct yore_txn *txn, struct yore_keyspace *keyspace,
                              struct yore_bytes key, const struct yore_time *at,
                              struct yore_value *value_out, struct yore_error *error_out)
{
    if (txn == NULL || value_out == NULL) {
        return error_null(error_out, __func__, "txn, value_out");
    }
    struct txn_moment moment;
    struct superview *view = NULL;
    error_clear(error_out);
    *value_out = (struct yore_value){0};
    keyspace = keyspace_or_default(txn->db, keyspace);
    enum yore_status st = key_check(key, error_out);
    if (st == YORE_OK) {
        st = txn_note_key(txn, keyspace, key, error_out);
    }
    if (st == YORE_OK) {
        st = txn_read_begin(txn, keyspace, at, &moment, &view, error_out);
    }
    if (st == YORE_OK) {
        stats_add(&txn->db->stats, STAT_reads, 1);
        st = get_version(txn, view, keyspace, key, &moment, value_out, error_out);
        stats_add(&txn->db->stats, STAT_reads_absent, st == YORE_NOT_FOUND);
    }
    superview_release(view);
    if (st != YORE_OK && error_out != NULL && error_out->text[0] == '\0') {
        error_plain(error_out, st);
    }
    return st;
}

/* ---- writing ---- */

static enum yore_status txn_write(struct yore_txn *txn, struct fact *fact,
                                  const struct yore_write *write, struct yore_error *error_out)
{
    bool is_span = write != NULL && write->is_span;
    error_clear(error_out);
    fact->keyspace = keyspace_or_default(txn->db, fact->keyspace);
    fact->from = write != NULL ? write->from : YORE_NOW;
    fact->to = write != NULL ? write->to : YORE_FOREVER;
    enum yore_status st = fact_check(txn->db, fact, is_span, error_out);
    if (st == YORE_OK) {
        st = is_span ? txn_add_span(txn, fact, error_out) : txn_add_fact(txn, fact, error_out);
    }
    return st;
}

enum yore_status yore_txn_put(struct yore_txn *txn, struct yore_keyspace *keyspace,
                              struct yore_bytes key, struct yore_bytes value,
                              const struct yore_write *write, struct yore_error *error_out)
{
    if (txn == NULL) {
        return error_null(error_out, __func__, "txn");
    }
    struct fact fact = {.keyspace = keyspace, .kind = YORE_KIND_PUT, .key = key, .value = value};
    return txn_write(txn, &fact, write, error_out);
}

enum yore_status yore_txn_delete(struct yore_txn *txn, struct yore_keyspace *keyspace,
                                 struct yore_bytes key, const struct yore_write *write,
                                 struct yore_error *error_out)
{
    if (txn == NULL) {
        return error_null(error_out, __func__, "txn");
    }
    struct fact fact = {.keyspace = keyspace, .kind = YORE_KIND_DELETE, .key = key};
    return txn_write(txn, &fact, write, error_out);
}

/* ---- the end ---- */

enum yore_status yore_txn_commit(struct yore_txn *txn, enum yore_durability durability,
                                 int64_t *commit_out, struct yore_error *error_out)
{
    if (txn == NULL) {
        return error_null(error_out, __func__, "txn");
    }
    error_clear(error_out);
    enum yore_status st = txn_commit(txn, durability, commit_out, error_out);
    txn_free(txn);
    return st;
}
