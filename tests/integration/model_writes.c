/* model_writes.c -- puts, deletes, spans, batches and erasures at any time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "integration/model_run.h"

#define SECOND 1000000000

struct yore_write run_write_options(const struct model_write *write, int64_t *commit_out)
{
    struct yore_write options = {write->from, write->to, write->is_span, YORE_DURABILITY_DEFAULT,
                                 commit_out};
    return options;
}

/* Facts dated ahead take now along, so the wall clock bounds them. */
static int64_t latest_begin(struct run *run, int64_t now)
{
    int64_t latest = os_wall_ns(run->env) + run->options.clock_skew_max_ns;
    return latest > now ? latest : now;
}

enum yore_status run_write_status(struct run *run, const struct model_write *write, int64_t now)
{
    if (write->keyspace == RUN_NOW && (write->from != YORE_NOW || write->is_span)) {
        return YORE_READ_ONLY;
    }
    if (write->from == YORE_NOW) {
        return YORE_OK;
    }
    if (write->from < run->horizon[write->keyspace]) {
        return YORE_BEFORE_HORIZON;
    }
    return write->from > latest_begin(run, now) ? YORE_IN_FUTURE : YORE_OK;
}

static void run_count_write(struct run *run, const struct model_write *write, int64_t now)
{
    struct model_version version;
    struct yore_time at = {now, INT64_MAX};
    run->counts->writes++;
    bool was_written = model_find(run->model, write->keyspace, write->key) != NULL;
    if (was_written &&
        model_get(run->model, write->keyspace, write->key, at, &version) == YORE_NOT_FOUND) {
        run->counts->on_deleted += version.kind == YORE_KIND_DELETE;
        run->counts->on_expired += version.kind == YORE_KIND_PUT;
    }
    if (write->from != YORE_NOW && write->from < now) {
        run->counts->back_dated++;
        run->counts->before_slices += write->from < run->sealed_at;
    }
}

void run_trace(int64_t commit, const struct model_write *writes, size_t count)
{
    static const char *const kinds[] = {"put", "delete", "erase"};
    printf("commit %" PRId64 "\n", commit);
    for (size_t i = 0; i < count; i++) {
        char key[COMPARE_KEY_TEXT_BYTES];
        printf("    %s%s%s keyspace %u %s from %" PRId64 " to %" PRId64 " (%zu octets)\n",
               kinds[writes[i].kind], writes[i].is_span ? " span" : "",
               writes[i].is_prefix ? " prefix" : "", writes[i].keyspace,
               compare_key_text(writes[i].key, key), writes[i].from, writes[i].to,
               writes[i].value.size);
    }
}

bool run_committed(struct run *run, int64_t commit, const struct model_write *writes, size_t count)
{
    if (commit <= model_last_commit(run->model)) {
        return run_fail(run, "commit %" PRId64 " is not after %" PRId64, commit,
                        model_last_commit(run->model));
    }
    for (size_t i = 0; i < count; i++) {
        if (writes[i].kind != MODEL_ERASE && writes[i].from != YORE_NOW &&
            writes[i].from > commit) {
            return run_fail(run, "commit %" PRId64 " is before its fact from %" PRId64, commit,
                            writes[i].from);
        }
        if (writes[i].kind != MODEL_ERASE) {
            run_count_write(run, &writes[i], commit);
        }
    }
    run->counts->commits++;
    if (run->is_traced) {
        run_trace(commit, writes, count);
    }
    model_apply(run->model, commit, writes, count);
    return true;
}

/* The commit time of the put just made, from the version it left. */
static bool run_read_commit(struct run *run, const struct model_write *write, int64_t *commit_out)
{
    struct yore_value value = {0};
    struct yore_error error = {0};
    enum yore_status status = yore_get(run->compare.db, run->compare.keyspaces[write->keyspace],
                                       write->key, NULL, &value, &error);
    if (status != YORE_OK) {
        return run_fail(run, "a read of what was just written: %s [%s]", yore_status_name(status),
                        error.text);
    }
    *commit_out = value.commit;
    yore_value_release(&value);
    return true;
}

/* Write one fact by itself and expect what the interface says. */
static bool run_submit(struct run *run, const struct model_write *write)
{
    int64_t commit = INT64_MIN;
    struct yore_write options = run_write_options(write, &commit);
    bool is_plain = write->kind == MODEL_PUT && write->from == YORE_NOW &&
                    write->to == YORE_FOREVER && !write->is_span;
    const struct yore_write *given = is_plain && test_rand_one_in(&run->rand, 8) ? NULL : &options;
    enum yore_status expected = run_write_status(run, write, run_now(run));
    struct yore_keyspace *space = run->compare.keyspaces[write->keyspace];
    struct yore_error error = {0};
    enum yore_status status =
        write->kind == MODEL_PUT
            ? yore_put(run->compare.db, space, write->key, write->value, given, &error)
            : yore_delete(run->compare.db, space, write->key, given, &error);
    if (status != expected) {
        char key[COMPARE_KEY_TEXT_BYTES];
        return run_fail(
            run, "write of keyspace %u %s from %" PRId64 " to %" PRId64 ": %s, expected %s [%s]",
            write->keyspace, compare_key_text(write->key, key), write->from, write->to,
            yore_status_name(status), yore_status_name(expected), error.text);
    }
    if (status != YORE_OK) {
        return true;
    }
    if (given == NULL && !run_read_commit(run, write, &commit)) {
        return false;
    }
    return run_committed(run, commit, write, 1);
}

static struct model_write run_new_write(struct run *run, enum model_write_kind kind,
                                        unsigned keyspace, unsigned char *key, unsigned char *value)
{
    struct model_write write = {
        .kind = kind, .keyspace = keyspace, .from = YORE_NOW, .to = YORE_FOREVER};
    write.key = run_key(run, key);
    if (kind == MODEL_PUT) {
        write.value = run_value(run, value);
    }
    return write;
}

struct run_storage {
    unsigned char key[RUN_KEY_BYTES_MAX];
    unsigned char value[RUN_VALUE_BYTES_MAX];
};

bool run_put_now(struct run *run)
{
    struct run_storage storage;
    unsigned keyspace = run_space(run);
    struct model_write write = run_new_write(run, MODEL_PUT, keyspace, storage.key, storage.value);
    return run_submit(run, &write);
}

bool run_put_back_dated(struct run *run)
{
    struct run_storage storage;
    unsigned keyspace = run_space_with_past(run);
    struct model_write write = run_new_write(run, MODEL_PUT, keyspace, storage.key, storage.value);
    write.from = run_moment(run, keyspace);
    if (test_rand_one_in(&run->rand, 8)) {
        write.to = write.from + 1 + (int64_t)test_rand_below(&run->rand, 20 * (uint64_t)SECOND);
    }
    return run_submit(run, &write);
}

/* A back-dated write to a key that is deleted or expired now, where one is met soon. */
bool run_put_on_gone(struct run *run)
{
    struct run_storage storage;
    unsigned keyspace = run_space_with_past(run);
    const struct model_keyspace *space = &run->model->keyspaces[keyspace];
    struct model_write write = run_new_write(run, MODEL_PUT, keyspace, storage.key, storage.value);
    struct yore_time now = {run_now(run), INT64_MAX};
    for (unsigned i = 0; i < 20 && space->count > 0; i++) {
        const struct model_key *key = &space->keys[test_rand_below(&run->rand, space->count)];
        struct model_version version;
        if (model_get(run->model, keyspace, key->key, now, &version) == YORE_NOT_FOUND) {
            write.key = key->key;
            break;
        }
    }
    write.from = run_moment(run, keyspace);
    return run_submit(run, &write);
}

bool run_put_ttl(struct run *run)
{
    struct run_storage storage;
    unsigned keyspace = run_space(run);
    struct model_write write = run_new_write(run, MODEL_PUT, keyspace, storage.key, storage.value);
    write.to = run_now(run) + (int64_t)SECOND / 20 +
               (int64_t)test_rand_below(&run->rand, 5 * (uint64_t)SECOND);
    return run_submit(run, &write);
}

/* Writes that must be refused, and facts dated slightly ahead, which must wait for their moment. */
bool run_put_refused(struct run *run)
{
    struct run_storage storage;
    unsigned keyspace = run_space(run);
    struct model_write write = run_new_write(run, MODEL_PUT, keyspace, storage.key, storage.value);
    int64_t now = run_now(run);
    uint64_t form = test_rand_below(&run->rand, 3);
    if (form == 0 && keyspace != RUN_NOW) {
        write.from = now + run->options.clock_skew_max_ns +
                     (int64_t)test_rand_below(&run->rand, 100 * (uint64_t)SECOND) + SECOND;
    } else if (form == 1) {
        write.from = now + (latest_begin(run, now) - now) / 2;
    } else if (keyspace == RUN_TRIMMED && run->trimmed_to != YORE_TIME_MIN) {
        write.from = run->trimmed_to - 1 - (int64_t)test_rand_below(&run->rand, SECOND);
    } else if (keyspace == RUN_FOR && run_horizon(run, RUN_FOR) != YORE_TIME_MIN) {
        write.from = run_horizon(run, RUN_FOR) - 1;
    } else {
        write.from = run_moment(run, keyspace);
    }
    return run_submit(run, &write);
}

bool run_delete_now(struct run *run)
{
    struct run_storage storage;
    unsigned keyspace = run_space(run);
    struct model_write write =
        run_new_write(run, MODEL_DELETE, keyspace, storage.key, storage.value);
    return run_submit(run, &write);
}

bool run_delete_back_dated(struct run *run)
{
    struct run_storage storage;
    unsigned keyspace = run_space_with_past(run);
    struct model_write write =
        run_new_write(run, MODEL_DELETE, keyspace, storage.key, storage.value);
    write.from = run_moment(run, keyspace);
    return run_submit(run, &write);
}

static void run_make_span(struct run *run, struct model_write *write)
{
    int64_t a = run_moment(run, write->keyspace);
    int64_t b = run_moment(run, write->keyspace);
    write->is_span = true;
    write->from = a < b ? a : b;
    write->to = a < b ? b : a;
    if (write->to == write->from) {
        write->from--;
    }
    if (write->from < run->horizon[write->keyspace]) {
        write->from = run->horizon[write->keyspace];
        write->to = write->from + 1;
    }
}

bool run_span(struct run *run)
{
    struct run_storage storage;
    unsigned keyspace = run_space_with_past(run);
    enum model_write_kind kind = test_rand_one_in(&run->rand, 3) ? MODEL_DELETE : MODEL_PUT;
    struct model_write write = run_new_write(run, kind, keyspace, storage.key, storage.value);
    run_make_span(run, &write);
    return run_submit(run, &write);
}

/* ---- batches -------------------------------------------------------------------------------- */

#define RUN_BATCH_MAX 30u

static bool run_batch_fill(struct run *run, struct yore_batch *batch, struct model_write *writes,
                           struct run_storage *storage, size_t count)
{
    bool has_spans = test_rand_one_in(&run->rand, 3);
    for (size_t i = 0; i < count; i++) {
        enum model_write_kind kind = test_rand_one_in(&run->rand, 5) ? MODEL_DELETE : MODEL_PUT;
        unsigned keyspace = run_space(run);
        writes[i] = run_new_write(run, kind, keyspace, storage[i].key, storage[i].value);
        if (i > 0 && test_rand_one_in(&run->rand, 6)) { /* twice the same key */
            writes[i].key = writes[i - 1].key;
            writes[i].keyspace = writes[i - 1].keyspace;
        }
        if (writes[i].keyspace == RUN_DEFAULT && test_rand_one_in(&run->rand, 2)) {
            writes[i].from = run_moment(run, RUN_DEFAULT);
        }
        if (has_spans && writes[i].keyspace == RUN_DEFAULT && test_rand_one_in(&run->rand, 3)) {
            run_make_span(run, &writes[i]);
        }
        struct yore_write options = run_write_options(&writes[i], NULL);
        struct yore_keyspace *space = run->compare.keyspaces[writes[i].keyspace];
        struct yore_error error = {0};
        enum yore_status status =
            kind == MODEL_PUT
                ? yore_batch_put(batch, space, writes[i].key, writes[i].value, &options, &error)
                : yore_batch_delete(batch, space, writes[i].key, &options, &error);
        if (status != YORE_OK) {
            return run_fail(run, "adding to a batch: %s [%s]", yore_status_name(status),
                            error.text);
        }
    }
    return true;
}

bool run_batch(struct run *run)
{
    size_t count = 1 + test_rand_below(&run->rand, RUN_BATCH_MAX);
    struct model_write *writes = model_alloc(count * sizeof *writes);
    struct run_storage *storage = model_alloc(count * sizeof *storage);
    struct yore_batch *batch = NULL;
    struct yore_error error = {0};
    int64_t commit = INT64_MIN;
    bool is_right = true;
    enum yore_status status = yore_batch_new(run->compare.db, &batch, &error);
    if (status != YORE_OK) {
        is_right = run_fail(run, "new batch: %s [%s]", yore_status_name(status), error.text);
        goto out;
    }
    is_right = run_batch_fill(run, batch, writes, storage, count);
    if (is_right && yore_batch_count(batch) != count) {
        is_right = run_fail(run, "a batch of %zu counts %zu", count, yore_batch_count(batch));
    }
    if (!is_right) {
        goto out;
    }
    status = yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, &commit, &error);
    if (status != YORE_OK) {
        is_right = run_fail(run, "batch commit: %s [%s]", yore_status_name(status), error.text);
        goto out;
    }
    is_right = run_committed(run, commit, writes, count);
out:
    yore_batch_free(batch);
    free(storage);
    free(writes);
    return is_right;
}

/* ---- erase ---------------------------------------------------------------------------------- */

/* Transactions with a copy of their own of what may be erased. */
static void run_outdate_txns(struct run *run, const struct model_write *erase)
{
    for (unsigned i = 0; i < RUN_TXNS; i++) {
        struct run_txn *txn = &run->txns[i];
        for (size_t j = 0; j < txn->write_count; j++) {
            const struct model_write *write = &txn->writes[j];
            bool is_met = erase->is_prefix
                              ? write->key.size >= erase->key.size &&
                                    memcmp(write->key.data, erase->key.data, erase->key.size) == 0
                              : bytes_equal(write->key, erase->key);
            txn->is_outdated |= write->is_span && write->keyspace == erase->keyspace && is_met;
        }
    }
}

bool run_erase(struct run *run)
{
    struct run_storage storage;
    unsigned keyspace = run_space(run);
    struct model_write write = run_new_write(run, MODEL_ERASE, keyspace, storage.key, NULL);
    write.from = YORE_TIME_MIN;
    uint64_t form = test_rand_below(&run->rand, 8);
    if (form == 0) { /* the long keys, the n/12*, ... */
        write.is_prefix = true;
        write.key.size = write.key.size > 4 ? 4 : write.key.size;
    } else if (form < 5 && keyspace == RUN_DEFAULT) {
        run_make_span(run, &write);
        write.is_span = false;
    }
    int64_t commit = INT64_MIN;
    struct yore_erase erase = {write.key, write.is_prefix,         write.from,
                               write.to,  YORE_DURABILITY_DEFAULT, &commit};
    struct yore_error error = {0};
    enum yore_status status =
        yore_erase(run->compare.db, run->compare.keyspaces[keyspace], &erase, &error);
    if (status != YORE_OK) {
        return run_fail(run, "erase of keyspace %u: %s [%s]", keyspace, yore_status_name(status),
                        error.text);
    }
    run_outdate_txns(run, &write);
    return run_committed(run, commit, &write, 1);
}
