/* model_txns.c -- transactions with conflicts and savepoints, and snapshots that are held.
 *
 * What a transaction sees is computed by a small model of its own: the versions of commits up to
 * its begin, and its own writes applied as one more commit.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "integration/model_run.h"

#define RUN_PENDING (INT64_MAX - 1) /* the commit time of what is not committed yet */

static struct run_txn *run_pick_txn(struct run *run)
{
    uint64_t first = test_rand_below(&run->rand, RUN_TXNS);
    for (unsigned i = 0; i < RUN_TXNS; i++) {
        struct run_txn *txn = &run->txns[(first + i) % RUN_TXNS];
        if (txn->txn != NULL) {
            return txn;
        }
    }
    return NULL;
}

bool run_txn_begin(struct run *run)
{
    for (unsigned i = 0; i < RUN_TXNS; i++) {
        struct run_txn *txn = &run->txns[i];
        if (txn->txn != NULL) {
            continue;
        }
        struct yore_error error = {0};
        enum yore_status status = yore_begin(run->compare.db, &txn->txn, &error);
        if (status != YORE_OK) {
            return run_fail(run, "begin: %s [%s]", yore_status_name(status), error.text);
        }
        txn->time = yore_txn_time(txn->txn);
        txn->begin_commit = model_last_commit(run->model);
        if (txn->time.known < txn->begin_commit || txn->time.valid > run_now(run)) {
            return run_fail(run, "begin at (%" PRId64 ", %" PRId64 "), after commit %" PRId64,
                            txn->time.valid, txn->time.known, txn->begin_commit);
        }
        return true;
    }
    return true;
}

static void run_release_txn(struct run_txn *txn)
{
    for (size_t i = 0; i < txn->write_count; i++) {
        model_bytes_release(txn->writes[i].key);
        model_bytes_release(txn->writes[i].value);
    }
    for (size_t i = 0; i < txn->read_count; i++) {
        model_bytes_release(txn->reads[i].key);
        model_bytes_release(txn->reads[i].high);
    }
    memset(txn, 0, sizeof *txn);
}

/* What the transaction sees of a keyspace (of one key, unless NULL). */
static struct model *run_txn_view(struct run *run, const struct run_txn *txn, unsigned keyspace,
                                  const struct yore_bytes *key)
{
    struct model *view = model_view(run->model, keyspace, key, txn->time.known);
    for (size_t i = 0; i < txn->write_count; i++) {
        struct model_write write = txn->writes[i];
        if (write.keyspace != keyspace || (key != NULL && !bytes_equal(write.key, *key))) {
            continue;
        }
        if (write.from == YORE_NOW) {
            write.from = txn->time.valid;
        }
        model_apply(view, RUN_PENDING, &write, 1);
    }
    return view;
}

static void run_note_read(struct run_txn *txn, const struct run_read *read)
{
    if (txn->read_count < RUN_TXN_READS_MAX) {
        struct run_read copy = *read;
        copy.key = model_bytes_copy(read->key);
        copy.high = model_bytes_copy(read->high);
        txn->reads[txn->read_count++] = copy;
    }
}

/* ---- reads ---------------------------------------------------------------------------------- */

static bool run_compare_txn_value(struct run *run, struct yore_bytes key, enum yore_status got,
                                  const struct yore_value *value, enum yore_status expected,
                                  const struct model_version *version)
{
    char text[COMPARE_KEY_TEXT_BYTES];
    run->compare.reads++;
    if (got != expected) {
        return run_fail(run,
                        "get of %s in a transaction: %s, the model says %s (from %" PRId64
                        ", commit %" PRId64 ")",
                        compare_key_text(key, text), yore_status_name(got),
                        yore_status_name(expected), version->valid_from, version->commit);
    }
    if (got != YORE_OK) {
        return true;
    }
    bool is_own = version->commit == RUN_PENDING;
    bool is_same =
        bytes_equal(bytes_of(value->data, value->size), version->value) &&
        (is_own || (value->commit == version->commit && value->valid_from == version->valid_from));
    return is_same || run_fail(run, "get of %s in a transaction: wrong value or version",
                               compare_key_text(key, text));
}

bool run_txn_get(struct run *run)
{
    struct run_txn *txn = run_pick_txn(run);
    if (txn == NULL || txn->read_count == RUN_TXN_READS_MAX || txn->is_outdated) {
        return true;
    }
    unsigned char storage[RUN_KEY_BYTES_MAX];
    struct yore_bytes key = run_key(run, storage);
    unsigned keyspace = run_space_of_txn(run);
    if (txn->write_count > 0 && test_rand_one_in(&run->rand, 3)) { /* its own write */
        const struct model_write *own = &txn->writes[test_rand_below(&run->rand, txn->write_count)];
        memcpy(storage, own->key.data, own->key.size);
        key.size = own->key.size;
        keyspace = own->keyspace;
    }
    struct yore_time past = txn->time;
    bool is_past = keyspace == RUN_DEFAULT && test_rand_one_in(&run->rand, 4);
    if (is_past) {
        past.valid = run_moment(run, keyspace);
        past.valid = past.valid >= txn->time.valid ? txn->time.valid - 1 : past.valid;
        past.known = YORE_NOW;
    }
    struct yore_value value = {0};
    struct model_version version = {0};
    struct model *view = run_txn_view(run, txn, keyspace, &key);
    struct yore_time at = {past.valid, INT64_MAX};
    enum yore_status expected = model_get(view, keyspace, key, at, &version);
    enum yore_status status = yore_txn_get(txn->txn, run->compare.keyspaces[keyspace], key,
                                           is_past ? &past : NULL, &value, NULL);
    bool is_right = run_compare_txn_value(run, key, status, &value, expected, &version);
    struct run_read read = {.keyspace = keyspace,
                            .key = key,
                            .expires = YORE_FOREVER,
                            .is_certain = version.commit != RUN_PENDING};
    if (expected == YORE_OK && version.commit != RUN_PENDING && !is_past) {
        read.expires = version.valid_to;
    }
    run_note_read(txn, &read);
    if (status == YORE_OK) {
        yore_value_release(&value);
    }
    model_free(view);
    return is_right;
}

/* The timeline of a key with the transaction's own writes in it, of those to one moment the last;
 * where only now is kept, from its now on. */
bool run_txn_timeline(struct run *run)
{
    struct run_txn *txn = run_pick_txn(run);
    if (txn == NULL || txn->read_count == RUN_TXN_READS_MAX || txn->is_outdated) {
        return true;
    }
    unsigned char storage[RUN_KEY_BYTES_MAX];
    char text[COMPARE_KEY_TEXT_BYTES];
    char what[256];
    struct run_read read = {.keyspace = run_space_of_txn(run), .expires = YORE_FOREVER};
    read.key = run_key(run, storage);
    if (txn->write_count > 0 && test_rand_one_in(&run->rand, 2)) { /* its own write */
        const struct model_write *own = &txn->writes[test_rand_below(&run->rand, txn->write_count)];
        read.keyspace = own->keyspace;
        read.key = own->key;
    }
    struct yore_timeline_options options = {
        .from = read.keyspace == RUN_DEFAULT ? run_moment(run, RUN_DEFAULT) : txn->time.valid,
        .to = YORE_FOREVER,
        .known = YORE_NOW,
        .with_in_force = test_rand_one_in(&run->rand, 2),
        .is_backward = test_rand_one_in(&run->rand, 2)};
    (void)snprintf(what, sizeof what, "timeline of keyspace %u %s in a transaction from %" PRId64,
                   read.keyspace, compare_key_text(read.key, text), options.from);
    struct yore_timeline *timeline = NULL;
    struct yore_error error = {0};
    enum yore_status status = yore_txn_timeline_open(
        txn->txn, run->compare.keyspaces[read.keyspace], read.key, &options, &timeline, &error);
    if (status != YORE_OK) {
        return run_fail(run, "%s: %s [%s]", what, yore_status_name(status), error.text);
    }
    struct model *view = run_txn_view(run, txn, read.keyspace, &read.key);
    struct model_rows rows = model_timeline(view, read.keyspace, read.key, &options);
    for (size_t i = 0; i < rows.count; i++) {
        int64_t *commit = &rows.rows[i].version.commit;
        *commit = *commit == RUN_PENDING ? YORE_FOREVER : *commit; /* its own */
    }
    run->compare.reads++;
    bool is_right = compare_timeline_rows(&run->compare, what, timeline, &rows);
    run_note_read(txn, &read);
    model_rows_release(&rows);
    model_free(view);
    yore_timeline_close(timeline);
    return is_right;
}

/* Walk `steps` rows from `low`; notes the range up to the last row seen. */
static bool run_txn_walk(struct run *run, struct run_txn *txn, unsigned keyspace,
                         struct yore_bytes low, size_t steps)
{
    struct yore_cursor_options options = {.range = {.low = low}};
    struct yore_cursor *cursor = NULL;
    struct yore_error error = {0};
    enum yore_status status =
        yore_txn_cursor_open(txn->txn, run->compare.keyspaces[keyspace], &options, &cursor, &error);
    if (status != YORE_OK) {
        return run_fail(run, "cursor of a transaction: %s [%s]", yore_status_name(status),
                        error.text);
    }
    struct model *view = run_txn_view(run, txn, keyspace, NULL);
    struct yore_time at = {txn->time.valid, INT64_MAX};
    struct model_rows rows = model_scan(view, keyspace, &options.range, at);
    struct run_read read = {.keyspace = keyspace,
                            .key = low,
                            .is_range = true,
                            .expires = YORE_FOREVER,
                            .is_certain = true};
    bool is_right = true;
    for (size_t i = 0; i < steps && is_right; i++) {
        status = yore_cursor_next(cursor);
        const struct yore_row *row = yore_cursor_row(cursor);
        run->compare.reads++;
        if (i >= rows.count) {
            read.high = bytes_of(NULL, 0);
            is_right = status == YORE_NOT_FOUND ||
                       run_fail(run, "scan in a transaction: %s after all %zu rows",
                                yore_status_name(status), rows.count);
            break;
        }
        const struct model_row *want = &rows.rows[i];
        if (status != YORE_OK || row == NULL) {
            is_right = run_fail(run, "scan in a transaction: %s at row %zu of %zu",
                                yore_status_name(status), i, rows.count);
            break;
        }
        struct yore_row got = *row;
        if (want->version.commit == RUN_PENDING) { /* its own: the version is not made yet */
            got.commit = want->version.commit;
            got.valid_from = want->version.valid_from;
            got.valid_to = want->version.valid_to;
        } else if (want->version.valid_to < read.expires) {
            read.expires = want->version.valid_to;
        }
        is_right = compare_row(&run->compare, "scan in a transaction", want, &got);
        read.high = want->key;
    }
    run_note_read(txn, &read);
    model_rows_release(&rows);
    model_free(view);
    yore_cursor_close(cursor);
    return is_right;
}

bool run_txn_scan(struct run *run)
{
    struct run_txn *txn = run_pick_txn(run);
    if (txn == NULL || txn->read_count == RUN_TXN_READS_MAX || txn->is_outdated) {
        return true;
    }
    unsigned char storage[RUN_KEY_BYTES_MAX];
    struct yore_bytes low = run_key(run, storage);
    unsigned keyspace = run_space_of_txn(run);
    return run_txn_walk(run, txn, keyspace, low, 1 + test_rand_below(&run->rand, 6));
}

/* ---- writes, savepoints --------------------------------------------------------------------- */

bool run_txn_write(struct run *run)
{
    struct run_txn *txn = run_pick_txn(run);
    if (txn == NULL || txn->write_count == RUN_TXN_WRITES_MAX ||
        txn->read_count == RUN_TXN_READS_MAX) {
        return true;
    }
    unsigned char key[RUN_KEY_BYTES_MAX];
    unsigned char value[RUN_VALUE_BYTES_MAX];
    struct model_write write = {.kind = test_rand_one_in(&run->rand, 4) ? MODEL_DELETE : MODEL_PUT,
                                .keyspace = run_space_of_txn(run),
                                .from = YORE_NOW,
                                .to = YORE_FOREVER};
    write.key = run_key(run, key);
    if (write.kind == MODEL_PUT) {
        write.value = run_value(run, value);
    }
    if (write.keyspace == RUN_DEFAULT && test_rand_one_in(&run->rand, 4)) {
        write.from = run_moment(run, RUN_DEFAULT);
        write.from = write.from >= txn->time.valid ? txn->time.valid - 1 : write.from;
        if (test_rand_one_in(&run->rand, 3)) {
            write.to = write.from + 1;
            write.is_span = true;
        }
    }
    struct yore_write options = run_write_options(&write, NULL);
    struct yore_keyspace *space = run->compare.keyspaces[write.keyspace];
    struct yore_error error = {0};
    enum yore_status status =
        write.kind == MODEL_PUT
            ? yore_txn_put(txn->txn, space, write.key, write.value, &options, &error)
            : yore_txn_delete(txn->txn, space, write.key, &options, &error);
    if (status != YORE_OK) {
        return run_fail(run, "write in a transaction: %s [%s]", yore_status_name(status),
                        error.text);
    }
    if (write.is_span) { /* what holds after it was read */
        struct run_read read = {.keyspace = write.keyspace,
                                .key = write.key,
                                .expires = YORE_FOREVER,
                                .is_certain = true};
        run_note_read(txn, &read);
    }
    if (run->is_traced) {
        printf("in the transaction of ");
        run_trace(txn->time.valid, &write, 1);
    }
    write.key = model_bytes_copy(write.key);
    write.value = model_bytes_copy(write.value);
    txn->writes[txn->write_count++] = write;
    return true;
}

bool run_txn_savepoint(struct run *run)
{
    struct run_txn *txn = run_pick_txn(run);
    if (txn == NULL) {
        return true;
    }
    struct yore_error error = {0};
    if (txn->savepoint_count > 0 && test_rand_one_in(&run->rand, 6)) {
        txn->savepoint_count = test_rand_below(&run->rand, txn->savepoint_count);
        enum yore_status status =
            yore_txn_release_savepoint(txn->txn, txn->savepoints[txn->savepoint_count], &error);
        return status == YORE_OK || run_fail(run, "releasing a savepoint: %s [%s]",
                                             yore_status_name(status), error.text);
    }
    if (txn->savepoint_count > 0 && test_rand_one_in(&run->rand, 2)) {
        size_t index = test_rand_below(&run->rand, txn->savepoint_count);
        enum yore_status status = yore_txn_rollback_to(txn->txn, txn->savepoints[index], &error);
        if (status != YORE_OK) {
            return run_fail(run, "rollback: %s [%s]", yore_status_name(status), error.text);
        }
        txn->savepoint_count = index + 1;
        while (txn->write_count > txn->savepoint_writes[index]) {
            txn->write_count--;
            model_bytes_release(txn->writes[txn->write_count].key);
            model_bytes_release(txn->writes[txn->write_count].value);
        }
        return true;
    }
    if (txn->savepoint_count == RUN_SAVEPOINTS_MAX) {
        return true;
    }
    size_t index = txn->savepoint_count++;
    txn->savepoint_writes[index] = txn->write_count;
    enum yore_status status = yore_txn_savepoint(txn->txn, &txn->savepoints[index], &error);
    return status == YORE_OK ||
           run_fail(run, "savepoint: %s [%s]", yore_status_name(status), error.text);
}

/* ---- the end -------------------------------------------------------------------------------- */

struct run_verdict {
    bool must_conflict;
    bool may_conflict;
};

/* An erasure counts for keys that were never written too. */
static bool is_erased_since(const struct run *run, unsigned keyspace, const struct run_txn *txn)
{
    const struct model_keyspace *space = &run->model->keyspaces[keyspace];
    return space->erasure_count > 0 &&
           space->erasures[space->erasure_count - 1].commit > txn->begin_commit;
}

static struct run_verdict run_judge(struct run *run, const struct run_txn *txn, int64_t now)
{
    struct run_verdict verdict = {false, false};
    for (size_t i = 0; i < txn->read_count; i++) {
        const struct run_read *read = &txn->reads[i];
        bool is_changed =
            read->is_range
                ? model_is_range_changed(run->model, read->keyspace, read->key, read->high, true,
                                         txn->begin_commit)
                : model_is_key_changed(run->model, read->keyspace, read->key, txn->begin_commit);
        verdict.must_conflict |= is_changed && read->is_certain;
        verdict.may_conflict |= is_changed || is_erased_since(run, read->keyspace, txn);
        /* The commit time is between now and a little later. */
        verdict.must_conflict |= read->expires <= now && read->is_certain && !read->is_range;
        verdict.may_conflict |= read->expires <= now + 1000000;
    }
    return verdict;
}

static bool run_txn_commit(struct run *run, struct run_txn *txn)
{
    struct run_verdict verdict = run_judge(run, txn, run_now(run));
    struct yore_error error = {0};
    int64_t commit = INT64_MIN;
    enum yore_status status = yore_txn_commit(txn->txn, YORE_DURABILITY_DEFAULT, &commit, &error);
    if (status != YORE_OK && status != YORE_CONFLICT) {
        return run_fail(run, "commit: %s [%s]", yore_status_name(status), error.text);
    }
    if (txn->write_count == 0) {
        return status == YORE_OK ||
               run_fail(run, "a transaction without writes: %s", yore_status_name(status));
    }
    if (status == YORE_OK && verdict.must_conflict) {
        return run_fail(run, "a transaction committed although what it read has changed");
    }
    if (status == YORE_CONFLICT && !verdict.must_conflict && !verdict.may_conflict) {
        return run_fail(run, "a conflict although nothing that was read has changed [%s]",
                        error.text);
    }
    if (status == YORE_CONFLICT) {
        run->counts->conflicts++;
        return true;
    }
    return run_committed(run, commit, txn->writes, txn->write_count);
}

bool run_txn_end(struct run *run)
{
    struct run_txn *txn = run_pick_txn(run);
    if (txn == NULL) {
        return true;
    }
    bool is_right = true;
    if (test_rand_one_in(&run->rand, 6)) {
        yore_txn_abort(txn->txn);
    } else {
        is_right = run_txn_commit(run, txn);
    }
    run_release_txn(txn);
    return is_right;
}

void run_release_handles(struct run *run)
{
    for (unsigned i = 0; i < RUN_TXNS; i++) {
        if (run->txns[i].txn != NULL) {
            yore_txn_abort(run->txns[i].txn);
        }
        run_release_txn(&run->txns[i]);
    }
    for (unsigned i = 0; i < RUN_SNAPSHOTS_MAX; i++) {
        if (run->snapshots[i].snapshot != NULL) {
            yore_snapshot_release(run->snapshots[i].snapshot);
            run->snapshots[i].snapshot = NULL;
        }
    }
}

/* ---- snapshots ------------------------------------------------------------------------------ */

bool run_snapshot(struct run *run)
{
    struct run_snapshot *held = &run->snapshots[test_rand_below(&run->rand, run->snapshot_count)];
    if (held->snapshot != NULL) {
        yore_snapshot_release(held->snapshot);
        held->snapshot = NULL;
        return true;
    }
    struct yore_error error = {0};
    enum yore_status status = yore_snapshot_take(run->compare.db, &held->snapshot, &error);
    if (status != YORE_OK) {
        return run_fail(run, "snapshot: %s [%s]", yore_status_name(status), error.text);
    }
    held->time = yore_snapshot_time(held->snapshot);
    return true;
}
