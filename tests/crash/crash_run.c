/* crash_run.c -- see crash_run.h. */
#include "crash/crash_run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "engine/db.h"
#include "os/env.h"

#define CRASH_START 1700000000000000000
#define CRASH_MS 1000000
#define CRASH_VALUE_BYTES_MAX 40000u
#define CRASH_KEY_BYTES 16u
#define CRASH_BATCH_MAX 64u

static bool crash_fail(struct crash_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool crash_fail(struct crash_run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(run->text, sizeof run->text, format, args);
    va_end(args);
    return false;
}

/* ---- running -------------------------------------------------------------------------------- */

void crash_run_init(struct crash_run *run, const struct crash_workload *workload)
{
    memset(run, 0, sizeof *run);
    run->disk = sim_disk_new(1);
    sim_disk_set_wall(run->disk, CRASH_START);
    run->model = model_new();
    run->rand.state = 1;
    store_options_tiny(&run->options);
    run->options.seal_bytes_min = 256;
    run->durability = YORE_DURABILITY_SYNC;
    run->space_states[0] = CRASH_SPACE_THERE;
    for (unsigned i = 0; i < MODEL_KEYSPACES_MAX; i++) {
        run->horizon[i] = YORE_TIME_MIN;
    }
    run->is_each_flushed = workload->is_each_flushed;
    if (workload->tune != NULL) {
        workload->tune(&run->options);
    }
}

/* Look at the outcome of one call; true when it had its effect. */
static bool crash_ok(struct crash_run *run, const char *what, enum yore_status status,
                     const struct yore_error *error)
{
    if (status == YORE_OK) {
        return true;
    }
    if (!run->is_stopped) {
        run->failed_status = status;
        (void)crash_fail(run, "%s: %s [%s]", what, yore_status_name(status), error->text);
    }
    run->is_stopped = !run->is_tolerant;
    return false;
}

void crash_run_open(struct crash_run *run)
{
    struct yore_error error = {0};
    enum yore_status status =
        db_open_inline(sim_disk_env(run->disk), STORE_PATH, &run->options, &run->db, &error);
    if (status != YORE_OK) {
        run->db = NULL;
        (void)crash_ok(run, "open", status, &error);
        run->is_stopped = true;
        return;
    }
    for (unsigned i = 1; i < MODEL_KEYSPACES_MAX && !run->is_stopped; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "space-%u", i);
        if (run->space_states[i] == CRASH_SPACE_THERE) {
            status = yore_keyspace_open(run->db, name, NULL, &run->keyspaces[i], &error);
            (void)crash_ok(run, "keyspace open", status, &error);
        }
    }
}

void crash_run_close(struct crash_run *run)
{
    if (run->db != NULL) {
        struct yore_error error = {0};
        store_add_cuts(run->db, &run->cuts);
        enum yore_status status = yore_close(run->db, &error);
        run->db = NULL;
        memset(run->keyspaces, 0, sizeof run->keyspaces);
        if (crash_ok(run, "close", status, &error)) {
            run->durable_count = run->model->commit_count;
        }
    }
}

void crash_run_script(struct crash_run *run, const struct crash_workload *workload)
{
    crash_run_open(run);
    workload->script(run);
    crash_run_close(run);
}

static void crash_add_erased(struct crash_run *run, struct yore_bytes value)
{
    struct yore_bytes *grown = realloc(run->erased, (run->erased_count + 1) * sizeof *grown);
    if (grown == NULL) {
        exit(2);
    }
    run->erased = grown;
    run->erased[run->erased_count++] = model_bytes_copy(value);
}

void crash_run_fork(const struct crash_run *from, struct crash_run *to)
{
    YORE_ASSERT(from->unsure == NULL);
    *to = *from;
    to->disk = sim_disk_clone(from->disk, 2); /* with other random numbers than were drawn */
    to->db = NULL;
    to->model = model_prefix(from->model, from->model->commit_count);
    to->cuts = (struct store_cuts){0};
    memset(to->keyspaces, 0, sizeof to->keyspaces);
    to->erased = NULL;
    to->erased_count = 0;
    for (size_t i = 0; i < from->erased_count; i++) {
        crash_add_erased(to, from->erased[i]);
    }
}

static void crash_free_unsure(struct crash_run *run)
{
    for (size_t i = 0; i < run->unsure_count; i++) {
        model_bytes_release(run->unsure[i].key);
        model_bytes_release(run->unsure[i].value);
    }
    free(run->unsure);
    run->unsure = NULL;
    run->unsure_count = 0;
}

void crash_run_release(struct crash_run *run)
{
    crash_run_close(run);
    crash_free_unsure(run);
    for (size_t i = 0; i < run->erased_count; i++) {
        model_bytes_release(run->erased[i]);
    }
    free(run->erased);
    model_free(run->model);
    sim_disk_free(run->disk);
    memset(run, 0, sizeof *run);
}

/* ---- what the scripts do -------------------------------------------------------------------- */

void crash_advance(struct crash_run *run, int64_t ms)
{
    sim_disk_advance(run->disk, ms * CRASH_MS);
}

static int64_t crash_now(struct crash_run *run)
{
    return run->db == NULL ? CRASH_START : yore_now(run->db);
}

static struct yore_bytes crash_key(unsigned key, char storage[CRASH_KEY_BYTES])
{
    int length = snprintf(storage, CRASH_KEY_BYTES, "%c/%04u", (char)('a' + key % 3), key);
    return bytes_of(storage, (size_t)length);
}

/* A value told by its writer's number. */
static struct yore_bytes crash_value(struct crash_run *run, size_t size)
{
    static unsigned char storage[CRASH_VALUE_BYTES_MAX];
    struct test_rand rand = {test_rand_u64(&run->rand)};
    test_rand_fill(&rand, storage, size);
    return bytes_of(storage, size);
}

/* A commit was asked for: acknowledged, or the one that nobody knows about. */
static void crash_submitted(struct crash_run *run, enum yore_status status,
                            const struct yore_error *error, int64_t commit,
                            const struct model_write *writes, size_t count)
{
    if (crash_ok(run, "write", status, error)) {
        model_apply(run->model, commit, writes, count);
        if (run->durability == YORE_DURABILITY_SYNC) {
            run->durable_count = run->model->commit_count;
        }
        if (run->is_each_flushed) {
            crash_flush(run);
        }
        return;
    }
    if (status == YORE_NOMEM) {
        return; /* promised: nothing has changed */
    }
    crash_free_unsure(run);
    run->unsure = model_alloc(count * sizeof *run->unsure);
    run->unsure_count = count;
    for (size_t i = 0; i < count; i++) {
        run->unsure[i] = writes[i];
        run->unsure[i].key = model_bytes_copy(writes[i].key);
        run->unsure[i].value = model_bytes_copy(writes[i].value);
    }
}

static void crash_write(struct crash_run *run, const struct model_write *write)
{
    int64_t commit = INT64_MIN;
    struct yore_write options = {write->from, write->to, write->is_span, run->durability, &commit};
    struct yore_error error = {0};
    if (run->is_stopped) {
        return;
    }
    sim_disk_advance(run->disk, CRASH_MS);
    struct yore_keyspace *space = run->keyspaces[write->keyspace];
    enum yore_status status =
        write->kind == MODEL_PUT
            ? yore_put(run->db, space, write->key, write->value, &options, &error)
            : yore_delete(run->db, space, write->key, &options, &error);
    crash_submitted(run, status, &error, commit, write, 1);
}

static bool crash_has_space(const struct crash_run *run, unsigned keyspace)
{
    return keyspace == 0 ||
           (run->space_states[keyspace] == CRASH_SPACE_THERE && run->keyspaces[keyspace] != NULL);
}

void crash_put(struct crash_run *run, unsigned keyspace, unsigned key, size_t value_bytes)
{
    char storage[CRASH_KEY_BYTES];
    struct model_write write = {
        .kind = MODEL_PUT, .keyspace = keyspace, .from = YORE_NOW, .to = YORE_FOREVER};
    write.key = crash_key(key, storage);
    write.value = crash_value(run, value_bytes);
    if (crash_has_space(run, keyspace)) {
        crash_write(run, &write);
    }
}

void crash_delete(struct crash_run *run, unsigned keyspace, unsigned key)
{
    char storage[CRASH_KEY_BYTES];
    struct model_write write = {
        .kind = MODEL_DELETE, .keyspace = keyspace, .from = YORE_NOW, .to = YORE_FOREVER};
    write.key = crash_key(key, storage);
    if (crash_has_space(run, keyspace)) {
        crash_write(run, &write);
    }
}

void crash_put_at(struct crash_run *run, unsigned key, int64_t ago_ms, int64_t for_ms)
{
    char storage[CRASH_KEY_BYTES];
    struct model_write write = {.kind = MODEL_PUT, .to = YORE_FOREVER};
    write.key = crash_key(key, storage);
    write.value = crash_value(run, 24);
    write.from = crash_now(run) - ago_ms * CRASH_MS;
    if (for_ms > 0) {
        write.to = write.from + for_ms * CRASH_MS;
    }
    crash_write(run, &write);
}

void crash_span(struct crash_run *run, unsigned key, int64_t from_ago_ms, int64_t to_ago_ms,
                bool is_delete)
{
    char storage[CRASH_KEY_BYTES];
    struct model_write write = {.kind = is_delete ? MODEL_DELETE : MODEL_PUT, .is_span = true};
    write.key = crash_key(key, storage);
    if (!is_delete) {
        write.value = crash_value(run, 24);
    }
    int64_t now = crash_now(run);
    write.from = now - from_ago_ms * CRASH_MS;
    write.to = now - to_ago_ms * CRASH_MS;
    crash_write(run, &write);
}

void crash_batch(struct crash_run *run, unsigned first_key, size_t count, size_t value_bytes)
{
    char keys[CRASH_BATCH_MAX][CRASH_KEY_BYTES];
    struct model_write writes[CRASH_BATCH_MAX];
    struct yore_batch *batch = NULL;
    struct yore_error error = {0};
    int64_t commit = INT64_MIN;
    if (run->is_stopped) {
        return;
    }
    sim_disk_advance(run->disk, CRASH_MS);
    enum yore_status status = yore_batch_new(run->db, &batch, &error);
    size_t added = 0;
    for (; added < count && added < CRASH_BATCH_MAX && status == YORE_OK; added++) {
        struct model_write *write = &writes[added];
        *write = (struct model_write){.kind = MODEL_PUT, .from = YORE_NOW, .to = YORE_FOREVER};
        write->key = crash_key(first_key + (unsigned)added, keys[added]);
        write->value = model_bytes_copy(crash_value(run, value_bytes));
        struct yore_write options = {write->from, write->to, false, YORE_DURABILITY_DEFAULT, NULL};
        status = yore_batch_put(batch, NULL, write->key, write->value, &options, &error);
    }
    if (status == YORE_OK) {
        status = yore_batch_commit(batch, run->durability, &commit, &error);
        crash_submitted(run, status, &error, commit, writes, added);
    } else {
        (void)crash_ok(run, "batch", status, &error);
    }
    for (size_t i = 0; i < added; i++) {
        model_bytes_release(writes[i].value);
    }
    yore_batch_free(batch);
}

static int crash_compare_writes(const void *a, const void *b)
{
    const struct model_write *left = a;
    const struct model_write *right = b;
    return bytes_compare(left->key, right->key);
}

static enum yore_status crash_fill(struct yore_load *load, const struct model_write *writes,
                                   size_t count, struct yore_error *error)
{
    enum yore_status status = YORE_OK;
    for (size_t i = 0; status == YORE_OK && i < count; i++) {
        status = yore_load_put(load, writes[i].key, writes[i].value, error);
    }
    return status;
}

void crash_load(struct crash_run *run, unsigned keyspace, const struct crash_load *spec)
{
    char keys[CRASH_BATCH_MAX][CRASH_KEY_BYTES];
    struct model_write writes[CRASH_BATCH_MAX];
    struct yore_load *load = NULL;
    struct yore_error error = {0};
    int64_t commit = INT64_MIN;
    if (run->is_stopped || !crash_has_space(run, keyspace)) {
        return;
    }
    run->has_loads = true;
    sim_disk_advance(run->disk, CRASH_MS);
    for (size_t i = 0; i < spec->count; i++) {
        writes[i] = (struct model_write){
            .kind = MODEL_PUT, .keyspace = keyspace, .from = YORE_NOW, .to = YORE_FOREVER};
        writes[i].key = crash_key(spec->first_key + (unsigned)i * spec->step, keys[i]);
        writes[i].value = model_bytes_copy(crash_value(run, spec->value_bytes));
    }
    qsort(writes, spec->count, sizeof writes[0], crash_compare_writes);
    enum yore_status status = yore_load_open(run->db, run->keyspaces[keyspace], &load, &error);
    if (status == YORE_OK) {
        status = crash_fill(load, writes, spec->count, &error);
    }
    if (status != YORE_OK || spec->is_aborted) {
        (void)crash_ok(run, "load", status, &error);
        yore_load_abort(load);
    } else {
        status = yore_load_commit(load, &commit, &error);
        crash_submitted(run, status, &error, commit, writes, spec->count);
        if (status == YORE_OK) { /* in every mode, and with it all before it */
            run->durable_count = run->model->commit_count;
        }
    }
    for (size_t i = 0; i < spec->count; i++) {
        model_bytes_release(writes[i].value);
    }
}

void crash_txn(struct crash_run *run, unsigned read_key, unsigned write_key)
{
    char keys[2][CRASH_KEY_BYTES];
    struct yore_txn *txn = NULL;
    struct yore_value value = {0};
    struct yore_error error = {0};
    if (run->is_stopped) {
        return;
    }
    struct model_write writes[2] = {{.kind = MODEL_PUT, .from = YORE_NOW, .to = YORE_FOREVER},
                                    {.kind = MODEL_DELETE, .from = YORE_NOW, .to = YORE_FOREVER}};
    writes[0].key = crash_key(write_key, keys[0]);
    writes[0].value = crash_value(run, 30);
    writes[1].key = crash_key(read_key, keys[1]);
    enum yore_status status = yore_begin(run->db, &txn, &error);
    if (!crash_ok(run, "begin", status, &error)) {
        return;
    }
    status = yore_txn_get(txn, NULL, writes[1].key, NULL, &value, &error);
    if (status == YORE_OK) {
        yore_value_release(&value);
    }
    if (status == YORE_OK || status == YORE_NOT_FOUND) {
        status = yore_txn_put(txn, NULL, writes[0].key, writes[0].value, NULL, &error);
    }
    if (status == YORE_OK) {
        status = yore_txn_delete(txn, NULL, writes[1].key, NULL, &error);
    }
    if (!crash_ok(run, "transaction", status, &error)) {
        yore_txn_abort(txn);
        return;
    }
    int64_t commit = INT64_MIN;
    status = yore_txn_commit(txn, run->durability, &commit, &error);
    crash_submitted(run, status, &error, commit, writes, 2);
}

/* Remember the values that the erasure of whole keys destroys. */
static void crash_note_erased(struct crash_run *run, const struct model_write *write)
{
    const struct model_keyspace *space = &run->model->keyspaces[0];
    for (size_t i = 0; i < space->count; i++) {
        const struct model_key *key = &space->keys[i];
        bool is_covered = write->is_prefix ? bytes_starts_with(key->key, write->key)
                                           : bytes_equal(key->key, write->key);
        for (size_t j = 0; j < key->count && is_covered; j++) {
            if (key->versions[j].value.size >= 16) {
                crash_add_erased(run, key->versions[j].value);
            }
        }
    }
}

static void crash_erase_write(struct crash_run *run, const struct model_write *write)
{
    struct yore_error error = {0};
    int64_t commit = INT64_MIN;
    struct yore_erase erase = {write->key, write->is_prefix, write->from,
                               write->to,  run->durability,  &commit};
    if (run->is_stopped) {
        return;
    }
    enum yore_status status = yore_erase(run->db, NULL, &erase, &error);
    if (status == YORE_OK && write->to == YORE_FOREVER) {
        crash_note_erased(run, write);
    }
    crash_submitted(run, status, &error, commit, write, 1);
}

void crash_erase(struct crash_run *run, unsigned key, bool is_prefix)
{
    char storage[CRASH_KEY_BYTES];
    struct model_write write = {.kind = MODEL_ERASE, .from = YORE_TIME_MIN, .to = YORE_FOREVER};
    write.key = crash_key(key, storage);
    write.is_prefix = is_prefix;
    write.key.size = is_prefix ? 5 : write.key.size;
    crash_erase_write(run, &write);
}

void crash_erase_span(struct crash_run *run, unsigned key, int64_t from_ago_ms, int64_t to_ago_ms)
{
    char storage[CRASH_KEY_BYTES];
    struct model_write write = {.kind = MODEL_ERASE};
    int64_t now = crash_now(run);
    write.key = crash_key(key, storage);
    write.from = now - from_ago_ms * CRASH_MS;
    write.to = now - to_ago_ms * CRASH_MS;
    crash_erase_write(run, &write);
}

/* ---- upkeep --------------------------------------------------------------------------------- */

/* A flush makes everything committed before it durable. */
static void crash_upkeep(struct crash_run *run, const char *what, enum yore_status status,
                         const struct yore_error *error)
{
    if (crash_ok(run, what, status, error)) {
        run->durable_count = run->model->commit_count;
    }
}

void crash_flush(struct crash_run *run)
{
    struct yore_error error = {0};
    if (!run->is_stopped) {
        crash_upkeep(run, "flush", yore_flush(run->db, &error), &error);
    }
}

void crash_compact(struct crash_run *run)
{
    struct yore_error error = {0};
    if (!run->is_stopped) {
        enum yore_status status = yore_compact(run->db, NULL, &error);
        crash_upkeep(run, "compact", status, &error);
        if (status == YORE_OK) {
            run->erased_gone = run->erased_count;
        }
    }
}

void crash_trim(struct crash_run *run, unsigned keyspace, int64_t ago_ms)
{
    struct yore_error error = {0};
    if (run->is_stopped || !crash_has_space(run, keyspace)) {
        return;
    }
    int64_t horizon = crash_now(run) - ago_ms * CRASH_MS;
    run->horizon[keyspace] = horizon; /* from now on it may be so */
    enum yore_status status = yore_trim(run->db, run->keyspaces[keyspace], horizon, &error);
    (void)crash_ok(run, "trim", status, &error);
}

void crash_reopen(struct crash_run *run)
{
    if (!run->is_stopped) {
        crash_run_close(run);
        crash_run_open(run);
    }
}

void crash_backup(struct crash_run *run)
{
    struct yore_error error = {0};
    struct yore_backup_info info;
    if (run->is_stopped) {
        return;
    }
    enum yore_status status = yore_backup(run->db, "backup", NULL, NULL, &info, &error);
    if (crash_ok(run, "backup", status, &error)) {
        run->backup_id = info.id;
        run->backup_count = run->model->commit_count;
    }
}

void crash_restore(struct crash_run *run, size_t left_out)
{
    struct yore_error error = {0};
    size_t count = run->backup_count - left_out;
    struct yore_restore restore = {
        .backup_path = "backup",
        .target_path = "copy",
        .id = run->backup_id,
        .to_commit = left_out == 0 ? YORE_FOREVER : run->model->commits[count - 1].commit};
    if (!run->is_stopped &&
        crash_ok(run, "restore", db_restore(sim_disk_env(run->disk), &restore, &error), &error)) {
        run->has_restored = true;
        run->restored_count = count;
    }
}

void crash_checkpoint(struct crash_run *run)
{
    struct yore_error error = {0};
    if (!run->is_stopped &&
        crash_ok(run, "checkpoint", yore_checkpoint(run->db, "checkpoint", &error), &error)) {
        run->has_checkpoint = true;
        run->checkpoint_count = run->model->commit_count;
    }
}

void crash_create(struct crash_run *run, unsigned keyspace, enum yore_keep keep)
{
    struct yore_error error = {0};
    char name[16];
    if (run->is_stopped) {
        return;
    }
    struct yore_keyspace_options options = {.keep = keep};
    options.keep_ns = keep == YORE_KEEP_FOR ? 60000ll * CRASH_MS : 0;
    (void)snprintf(name, sizeof name, "space-%u", keyspace);
    run->space_states[keyspace] = CRASH_SPACE_UNSURE;
    run->space_keeps[keyspace] = keep;
    enum yore_status status =
        yore_keyspace_create(run->db, name, &options, &run->keyspaces[keyspace], &error);
    if (crash_ok(run, "keyspace create", status, &error)) {
        run->space_states[keyspace] = CRASH_SPACE_THERE;
    }
}

void crash_drop(struct crash_run *run, unsigned keyspace)
{
    struct yore_error error = {0};
    char name[16];
    if (run->is_stopped || !crash_has_space(run, keyspace)) {
        return;
    }
    (void)snprintf(name, sizeof name, "space-%u", keyspace);
    run->space_states[keyspace] = CRASH_SPACE_UNSURE;
    enum yore_status status = yore_keyspace_drop(run->db, name, &error);
    if (crash_ok(run, "keyspace drop", status, &error)) {
        run->space_states[keyspace] = CRASH_SPACE_DROPPED;
    }
}
