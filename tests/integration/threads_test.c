/* threads_test.c -- writers, transactions, readers, cursors, flushes and compactions on one handle
 * at once.
 *
 *     YORE_THREADS_OPS=n   commits per writer (default 1,500; soak 60,000)
 *
 * Accounts move money in transactions: every view of every moment holds the same sum.  Writers note
 * what they committed; afterwards the notes, sorted by commit time, are the model.  Meant to run
 * under the thread sanitizer too.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "engine/db.h"
#include "os/thread.h"
#include "support/compare.h"
#include "support/model.h"
#include "support/store.h"
#include "support/test.h"

#define WRITERS 3u
#define MOVERS 2u
#define READERS 3u
#define THREADS (WRITERS + MOVERS + READERS + 1u)
#define ACCOUNTS 16u
#define MONEY 1000

struct note {
    int64_t commit;
    struct model_write writes[2];
    size_t count;
};

struct notes {
    struct note *notes;
    size_t count;
    size_t capacity;
};

struct bank {
    struct sim_disk *disk;
    struct yore_db *db;
    struct yore_keyspace *accounts;
    atomic_uint running; /* writers and movers that are not done; partner: is_over() */
    atomic_uint_fast64_t reads;
    atomic_uint_fast64_t conflicts;
    atomic_bool has_failed;
    char text[512]; /* the first failure: written by the thread that set has_failed */
};

struct worker {
    struct bank *bank;
    unsigned index;
    uint64_t ops;
    struct test_rand rand;
    struct notes notes;
};

static void bank_fail(struct bank *bank, const char *what, const char *text)
{
    if (!atomic_exchange(&bank->has_failed, true)) {
        (void)snprintf(bank->text, sizeof bank->text, "%s: %s", what, text);
    }
}

static bool is_over(struct bank *bank)
{
    return atomic_load(&bank->running) == 0 || atomic_load(&bank->has_failed);
}

static void note(struct worker *worker, int64_t commit, const struct model_write *writes,
                 size_t count)
{
    struct notes *notes = &worker->notes;
    if (notes->count == notes->capacity) {
        notes->capacity = notes->capacity == 0 ? 64 : notes->capacity * 2;
        notes->notes = realloc(notes->notes, notes->capacity * sizeof *notes->notes);
        if (notes->notes == NULL) {
            exit(2);
        }
    }
    struct note *entry = &notes->notes[notes->count++];
    *entry = (struct note){.commit = commit, .count = count};
    for (size_t i = 0; i < count; i++) {
        entry->writes[i] = writes[i];
        entry->writes[i].key = model_bytes_copy(writes[i].key);
        entry->writes[i].value = model_bytes_copy(writes[i].value);
    }
}

/* ---- writers: any fact at any time ---------------------------------------------------------- */

static void write_once(struct worker *worker)
{
    struct bank *bank = worker->bank;
    char key[32];
    unsigned char value[64];
    int64_t commit = INT64_MIN;
    struct yore_error error = {0};
    uint64_t draw = test_rand_u64(&worker->rand);
    struct model_write write = {
        .kind = draw % 5 == 0 ? MODEL_DELETE : MODEL_PUT, .from = YORE_NOW, .to = YORE_FOREVER};
    int length = snprintf(key, sizeof key, "k/%02u", (unsigned)(draw >> 8) % 60);
    write.key = bytes_of(key, (size_t)length);
    test_rand_fill(&worker->rand, value, sizeof value);
    if (write.kind == MODEL_PUT) {
        write.value = bytes_of(value, 1 + (draw >> 20) % sizeof value);
    }
    if ((draw >> 32) % 3 == 0) { /* late */
        write.from = yore_now(bank->db) - 1 - (int64_t)test_rand_below(&worker->rand, 20000000);
    }
    struct yore_write options = {write.from, write.to, false, YORE_DURABILITY_NONE, &commit};
    enum yore_status status =
        write.kind == MODEL_PUT ? yore_put(bank->db, NULL, write.key, write.value, &options, &error)
                                : yore_delete(bank->db, NULL, write.key, &options, &error);
    if (status != YORE_OK) {
        bank_fail(bank, "write", error.text);
        return;
    }
    note(worker, commit, &write, 1);
}

/* Two keys in one load. */
static void load_once(struct worker *worker)
{
    struct bank *bank = worker->bank;
    char keys[2][32];
    unsigned char value[64];
    int64_t commit = INT64_MIN;
    struct yore_load *load = NULL;
    struct yore_error error = {0};
    unsigned first = (unsigned)test_rand_below(&worker->rand, 59);
    struct model_write writes[2] = {{.kind = MODEL_PUT, .from = YORE_NOW, .to = YORE_FOREVER},
                                    {.kind = MODEL_PUT, .from = YORE_NOW, .to = YORE_FOREVER}};
    test_rand_fill(&worker->rand, value, sizeof value);
    enum yore_status status = yore_load_open(bank->db, NULL, &load, &error);
    for (unsigned i = 0; i < 2 && status == YORE_OK; i++) {
        int length = snprintf(keys[i], sizeof keys[i], "k/%02u", i == 0 ? first : 59u);
        writes[i].key = bytes_of(keys[i], (size_t)length);
        writes[i].value = bytes_of(value + 8 * i, 20);
        status = yore_load_put(load, writes[i].key, writes[i].value, &error);
    }
    if (status == YORE_OK) {
        status = yore_load_commit(load, &commit, &error);
    } else {
        yore_load_abort(load);
    }
    if (status != YORE_OK) {
        bank_fail(bank, "load", error.text);
        return;
    }
    note(worker, commit, writes, 2);
}

static void run_writer(void *arg)
{
    struct worker *worker = arg;
    for (uint64_t i = 0; i < worker->ops && !atomic_load(&worker->bank->has_failed); i++) {
        if (i % 32 == 7) {
            load_once(worker);
        } else {
            write_once(worker);
        }
    }
    atomic_fetch_sub(&worker->bank->running, 1);
}

/* ---- movers: money from account to account -------------------------------------------------- */

static struct yore_bytes account_key(unsigned index, char storage[16])
{
    int length = snprintf(storage, 16, "account/%02u", index);
    return bytes_of(storage, (size_t)length);
}

static enum yore_status read_account(struct yore_txn *txn, struct yore_keyspace *space,
                                     struct yore_bytes key, int64_t *money_out,
                                     struct yore_error *error)
{
    struct yore_value value = {0};
    enum yore_status status = yore_txn_get(txn, space, key, NULL, &value, error);
    if (status == YORE_OK) {
        memcpy(money_out, value.data, sizeof *money_out);
        yore_value_release(&value);
    }
    return status;
}

static void move_once(struct worker *worker)
{
    struct bank *bank = worker->bank;
    char keys[2][16];
    int64_t money[2];
    int64_t commit = INT64_MIN;
    struct yore_txn *txn = NULL;
    struct yore_error error = {0};
    struct model_write writes[2];
    unsigned from = (unsigned)test_rand_below(&worker->rand, ACCOUNTS);
    unsigned to = (from + 1 + (unsigned)test_rand_below(&worker->rand, ACCOUNTS - 1)) % ACCOUNTS;
    int64_t sum = (int64_t)test_rand_below(&worker->rand, 50);
    enum yore_status status = yore_begin(bank->db, &txn, &error);
    if (status != YORE_OK) {
        bank_fail(bank, "begin", error.text);
        return;
    }
    for (unsigned i = 0; i < 2 && status == YORE_OK; i++) {
        writes[i] = (struct model_write){
            .kind = MODEL_PUT, .keyspace = 1, .from = YORE_NOW, .to = YORE_FOREVER};
        writes[i].key = account_key(i == 0 ? from : to, keys[i]);
        status = read_account(txn, bank->accounts, writes[i].key, &money[i], &error);
        money[i] += i == 0 ? -sum : sum;
        writes[i].value = bytes_of(&money[i], sizeof money[i]);
        if (status == YORE_OK) {
            status =
                yore_txn_put(txn, bank->accounts, writes[i].key, writes[i].value, NULL, &error);
        }
    }
    if (status != YORE_OK) {
        yore_txn_abort(txn);
        bank_fail(bank, "transaction", error.text);
        return;
    }
    status = yore_txn_commit(txn, YORE_DURABILITY_NONE, &commit, &error);
    if (status == YORE_OK) {
        note(worker, commit, writes, 2);
    } else if (status == YORE_CONFLICT) {
        atomic_fetch_add(&bank->conflicts, 1);
    } else {
        bank_fail(bank, "commit", error.text);
    }
}

static void run_mover(void *arg)
{
    struct worker *worker = arg;
    for (uint64_t i = 0; i < worker->ops && !atomic_load(&worker->bank->has_failed); i++) {
        move_once(worker);
    }
    atomic_fetch_sub(&worker->bank->running, 1);
}

/* ---- readers -------------------------------------------------------------------------------- */

/* The sum of all accounts at one moment, forward or backward; INT64_MIN: an error, or accounts are
 * missing. */
static int64_t sum_accounts(struct bank *bank, const struct yore_time *at, bool is_backward)
{
    struct yore_cursor_options options = {.at = at};
    struct yore_cursor *cursor = NULL;
    struct yore_error error = {0};
    enum yore_status status = yore_cursor_open(bank->db, bank->accounts, &options, &cursor, &error);
    int64_t sum = 0;
    unsigned count = 0;
    while (status == YORE_OK) {
        status = is_backward ? yore_cursor_prev(cursor) : yore_cursor_next(cursor);
        if (status == YORE_OK) {
            int64_t money = 0;
            memcpy(&money, yore_cursor_row(cursor)->value.data, sizeof money);
            sum += money;
            count++;
        }
    }
    yore_cursor_close(cursor);
    return status == YORE_NOT_FOUND && count == ACCOUNTS ? sum : INT64_MIN;
}

static void check_sum(struct worker *worker, const struct yore_time *at, const char *what)
{
    int64_t sum = sum_accounts(worker->bank, at, test_rand_one_in(&worker->rand, 2));
    atomic_fetch_add(&worker->bank->reads, 1);
    if (sum != (int64_t)ACCOUNTS * MONEY) {
        char text[64];
        (void)snprintf(text, sizeof text, "the accounts hold %" PRId64, sum);
        bank_fail(worker->bank, what, text);
    }
}

/* The same moment asked twice gives the same bytes. */
static void check_repeated(struct worker *worker)
{
    struct bank *bank = worker->bank;
    char storage[32];
    struct yore_value first = {0};
    struct yore_value second = {0};
    int64_t now = yore_now(bank->db);
    struct yore_time at = {now - (int64_t)test_rand_below(&worker->rand, 10000000), now};
    int length =
        snprintf(storage, sizeof storage, "k/%02u", (unsigned)test_rand_below(&worker->rand, 60));
    struct yore_bytes key = bytes_of(storage, (size_t)length);
    enum yore_status a = yore_get(bank->db, NULL, key, &at, &first, NULL);
    if (test_rand_one_in(&worker->rand, 8)) {
        test_pause();
    }
    enum yore_status b = yore_get(bank->db, NULL, key, &at, &second, NULL);
    bool is_same = a == b && (a != YORE_OK || (first.commit == second.commit &&
                                               bytes_equal(bytes_of(first.data, first.size),
                                                           bytes_of(second.data, second.size))));
    if (!is_same || (a != YORE_OK && a != YORE_NOT_FOUND)) {
        bank_fail(bank, "a read asked twice", yore_status_name(a));
    }
    if (a == YORE_OK) {
        yore_value_release(&first);
    }
    if (b == YORE_OK) {
        yore_value_release(&second);
    }
    atomic_fetch_add(&bank->reads, 2);
}

static void run_reader(void *arg)
{
    struct worker *worker = arg;
    struct bank *bank = worker->bank;
    while (!is_over(bank)) {
        struct yore_snapshot *snapshot = NULL;
        int64_t now = yore_now(bank->db);
        struct yore_time known = {now, now};
        check_sum(worker, NULL, "now");
        check_sum(worker, &known, "known now");
        for (unsigned i = 0; i < 8; i++) {
            check_repeated(worker);
        }
        if (yore_snapshot_take(bank->db, &snapshot, NULL) == YORE_OK) {
            struct yore_time held = yore_snapshot_time(snapshot);
            check_sum(worker, &held, "a snapshot");
            yore_snapshot_release(snapshot);
        }
    }
}

static void run_upkeep(void *arg)
{
    struct worker *worker = arg;
    struct bank *bank = worker->bank;
    while (!is_over(bank)) {
        struct yore_error error = {0};
        enum yore_status status = test_rand_one_in(&worker->rand, 4)
                                      ? yore_compact(bank->db, NULL, &error)
                                      : yore_flush(bank->db, &error);
        if (status != YORE_OK) {
            bank_fail(bank, "upkeep", error.text);
        }
        test_pause();
    }
}

/* ---- the whole ------------------------------------------------------------------------------ */

static int compare_notes(const void *a, const void *b)
{
    const struct note *left = a;
    const struct note *right = b;
    return left->commit < right->commit ? -1 : left->commit > right->commit;
}

/* Everything that was committed, in commit order. */
static struct model *model_of(struct worker *workers, size_t count, struct model *model)
{
    struct notes all = {0};
    for (size_t i = 0; i < count; i++) {
        all.count += workers[i].notes.count;
    }
    all.notes = model_alloc((all.count + 1) * sizeof *all.notes);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (workers[i].notes.count > 0) {
            memcpy(&all.notes[used], workers[i].notes.notes,
                   workers[i].notes.count * sizeof *all.notes);
        }
        used += workers[i].notes.count;
        free(workers[i].notes.notes);
    }
    qsort(all.notes, all.count, sizeof *all.notes, compare_notes);
    for (size_t i = 0; i < all.count; i++) {
        CHECK(i == 0 || all.notes[i - 1].commit < all.notes[i].commit);
        model_apply(model, all.notes[i].commit, all.notes[i].writes, all.notes[i].count);
        for (size_t j = 0; j < all.notes[i].count; j++) {
            model_bytes_release(all.notes[i].writes[j].key);
            model_bytes_release(all.notes[i].writes[j].value);
        }
    }
    free(all.notes);
    return model;
}

static void open_accounts(struct bank *bank, struct model *model)
{
    struct yore_batch *batch = NULL;
    struct model_write writes[ACCOUNTS];
    char keys[ACCOUNTS][16];
    static const int64_t money = MONEY;
    int64_t commit = INT64_MIN;
    CHECK_OK(yore_keyspace_create(bank->db, "bank", NULL, &bank->accounts, NULL));
    CHECK_OK(yore_batch_new(bank->db, &batch, NULL));
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        writes[i] = (struct model_write){
            .kind = MODEL_PUT, .keyspace = 1, .from = YORE_NOW, .to = YORE_FOREVER};
        writes[i].key = account_key(i, keys[i]);
        writes[i].value = bytes_of(&money, sizeof money);
        CHECK_OK(yore_batch_put(batch, bank->accounts, writes[i].key, writes[i].value, NULL, NULL));
    }
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_SYNC, &commit, NULL));
    model_apply(model, commit, writes, ACCOUNTS);
    yore_batch_free(batch);
}

static void run_threads(struct bank *bank, struct worker *workers, uint64_t ops)
{
    struct os_thread *threads[THREADS];
    atomic_store(&bank->running, WRITERS + MOVERS);
    for (unsigned i = 0; i < THREADS; i++) {
        void (*run)(void *arg) = i < WRITERS                      ? run_writer
                                 : i < WRITERS + MOVERS           ? run_mover
                                 : i < WRITERS + MOVERS + READERS ? run_reader
                                                                  : run_upkeep;
        workers[i] = (struct worker){.bank = bank, .index = i, .ops = ops};
        workers[i].rand = test_rand_new(i);
        CHECK_OK(os_thread_start(run, &workers[i], "test", &threads[i], NULL));
    }
    for (unsigned i = 0; i < THREADS; i++) {
        os_thread_join(threads[i]);
    }
}

TEST(many_threads_on_one_handle)
{
    uint64_t ops = test_number("YORE_THREADS_OPS", test_scale(1500, 60000));
    static struct bank bank;
    static struct worker workers[THREADS];
    struct yore_options options;
    struct model *model = model_new();
    store_options_tiny(&options);
    options.background_threads = 2;
    bank.disk = sim_disk_new(test_seed());
    CHECK_OK(db_open(sim_disk_env(bank.disk), STORE_PATH, &options, &bank.db, NULL));
    open_accounts(&bank, model);
    run_threads(&bank, workers, ops);
    CHECK_MSG(!atomic_load(&bank.has_failed), "%s", bank.text);
    (void)model_of(workers, THREADS, model);
    struct compare compare = {.db = bank.db, .model = model, .keyspaces = {NULL, bank.accounts}};
    bool is_same = compare_versions(&compare, 0) && compare_versions(&compare, 1);
    CHECK_MSG(is_same, "%s", compare.text);
    CHECK_OK(yore_close(bank.db, NULL));
    CHECK_OK(db_open(sim_disk_env(bank.disk), STORE_PATH, &options, &compare.db, NULL));
    CHECK_OK(yore_keyspace_open(compare.db, "bank", NULL, &compare.keyspaces[1], NULL));
    is_same = compare_versions(&compare, 0) && compare_versions(&compare, 1);
    CHECK_MSG(is_same, "after opening again: %s", compare.text);
    CHECK_OK(yore_close(compare.db, NULL));
    printf("  %zu commits, %" PRIu64 " conflicts, %" PRIu64 " reads beside them\n",
           model->commit_count, (uint64_t)atomic_load(&bank.conflicts),
           (uint64_t)atomic_load(&bank.reads));
    test_count(model->commit_count + (uint64_t)atomic_load(&bank.reads));
    sim_disk_free(bank.disk);
    model_free(model);
}

/* ---- large loads, whole to every reader ----------------------------------------------------- */

#define LOAD_ROWS 4000u
#define LOAD_ROUNDS 6u

static struct yore_bytes load_key(unsigned index, char storage[16])
{
    int length = snprintf(storage, 16, "l/%05u", index);
    return bytes_of(storage, (size_t)length);
}

/* Every round replaces every row; a value begins with its round. */
static void run_loader(void *arg)
{
    struct worker *worker = arg;
    struct bank *bank = worker->bank;
    enum yore_status status = YORE_OK;
    struct yore_error error = {0};
    for (unsigned round = 1; round <= LOAD_ROUNDS && status == YORE_OK; round++) {
        struct yore_load *load = NULL;
        status = yore_load_open(bank->db, NULL, &load, &error);
        for (unsigned i = 0; i < LOAD_ROWS && status == YORE_OK; i++) {
            char key[16];
            unsigned char value[60];
            test_rand_fill(&worker->rand, value, sizeof value);
            value[0] = (unsigned char)round;
            status = yore_load_put(load, load_key(i, key), bytes_of(value, sizeof value), &error);
        }
        if (status == YORE_OK && round % 3 != 0) {
            status = yore_load_commit(load, NULL, &error);
        } else {
            yore_load_abort(load);
        }
    }
    if (status != YORE_OK) {
        bank_fail(bank, "load", error.text);
    }
    atomic_fetch_sub(&bank->running, 1);
}

/* Some rows of one moment: all of one round, and of none that was aborted. */
static void look_at_load(struct worker *worker)
{
    struct bank *bank = worker->bank;
    struct yore_txn *txn = NULL;
    struct yore_error error = {0};
    int seen[3] = {-1, -1, -1};
    enum yore_status status = yore_begin(bank->db, &txn, &error);
    for (unsigned i = 0; i < 3 && status == YORE_OK; i++) {
        char key[16];
        struct yore_value value;
        unsigned index = i == 0   ? 0
                         : i == 1 ? LOAD_ROWS - 1
                                  : (unsigned)test_rand_below(&worker->rand, LOAD_ROWS);
        status = yore_txn_get(txn, NULL, load_key(index, key), NULL, &value, &error);
        if (status == YORE_OK) {
            seen[i] = ((const unsigned char *)value.data)[0];
            yore_value_release(&value);
        }
        status = status == YORE_NOT_FOUND ? YORE_OK : status;
    }
    yore_txn_abort(txn);
    if (status != YORE_OK) {
        bank_fail(bank, "read", error.text);
    } else if (seen[0] != seen[1] || seen[0] != seen[2] || seen[0] % 3 == 0) {
        bank_fail(bank, "read", "a load was seen in part");
    }
    atomic_fetch_add(&bank->reads, 1);
}

static void run_looker(void *arg)
{
    struct worker *worker = arg;
    while (!is_over(worker->bank)) {
        look_at_load(worker);
    }
}

TEST(a_load_is_seen_whole_or_not_at_all)
{
    static struct worker workers[4];
    void (*const runs[4])(void *) = {run_loader, run_writer, run_looker, run_looker};
    struct os_thread *threads[4];
    struct bank bank = {.disk = sim_disk_new(2)};
    struct yore_options options;
    store_options_tiny(&options);
    CHECK_OK(db_open(sim_disk_env(bank.disk), STORE_PATH, &options, &bank.db, NULL));
    atomic_init(&bank.running, 2);
    for (unsigned i = 0; i < 4; i++) {
        workers[i] = (struct worker){.bank = &bank, .index = i, .ops = 200, .rand = {i + 1}};
        CHECK_OK(os_thread_start(runs[i], &workers[i], "test", &threads[i], NULL));
    }
    for (unsigned i = 0; i < 4; i++) {
        os_thread_join(threads[i]);
    }
    struct model *model = model_new();
    CHECK_MSG(!atomic_load(&bank.has_failed), "%s", bank.text);
    (void)model_of(workers, 4, model); /* frees the notes */
    CHECK_EQ_INT(store_stat(bank.db, "loads") >= 4, 1);
    CHECK_OK(yore_close(bank.db, NULL));
    test_count((uint64_t)atomic_load(&bank.reads));
    sim_disk_free(bank.disk);
    model_free(model);
}

/* ---- a keyspace that keeps only now ---------------------------------------------------------- */

#define PRESENT_KEYS 4
#define PRESENT_READERS 12
#define PRESENT_COMMITS 2000

struct present {
    struct yore_db *db;
    struct yore_keyspace *keyspace;
    atomic_bool is_over;
    atomic_uint missed;
};

/* Every key has had a value since the beginning. */
static void read_present(void *arg)
{
    struct present *present = arg;
    for (unsigned i = 0; !atomic_load(&present->is_over); i++) {
        unsigned char key = (unsigned char)('a' + i % PRESENT_KEYS);
        struct yore_value value;
        struct yore_cursor *cursor;
        unsigned rows = 0;
        if (yore_get(present->db, present->keyspace, bytes_of(&key, 1), NULL, &value, NULL) !=
            YORE_OK) {
            atomic_fetch_add(&present->missed, 1);
        }
        yore_value_release(&value);
        if (yore_cursor_open(present->db, present->keyspace, NULL, &cursor, NULL) == YORE_OK) {
            while (yore_cursor_next(cursor) == YORE_OK) {
                rows++;
            }
            yore_cursor_close(cursor);
        }
        if (rows != PRESENT_KEYS) {
            atomic_fetch_add(&present->missed, 1);
        }
    }
}

/* A reader that is held up between what is visible and where it lies must not miss what was
 * superseded, flushed and given back meanwhile. */
TEST(what_is_superseded_while_it_is_read_is_not_missed)
{
    static unsigned char value[30000];
    struct present present = {.db = NULL};
    struct os_thread *threads[PRESENT_READERS];
    struct yore_options options;
    struct yore_keyspace_options now = {.keep = YORE_KEEP_NOW};
    struct sim_disk *disk = sim_disk_new(1);
    store_options_tiny(&options);
    options.value_apart_bytes = 1u << 20;
    CHECK_OK(db_open(sim_disk_env(disk), STORE_PATH, &options, &present.db, NULL));
    CHECK_OK(yore_keyspace_create(present.db, "now", &now, &present.keyspace, NULL));
    for (unsigned i = 0; i < PRESENT_COMMITS; i++) {
        unsigned char key = (unsigned char)('a' + i % PRESENT_KEYS);
        CHECK_OK(yore_put(present.db, present.keyspace, bytes_of(&key, 1),
                          bytes_of(value, sizeof value), NULL, NULL));
        for (unsigned j = 0; i + 1 == PRESENT_KEYS && j < PRESENT_READERS; j++) {
            CHECK_OK(os_thread_start(read_present, &present, "reader", &threads[j], NULL));
        }
    }
    atomic_store(&present.is_over, true);
    for (unsigned j = 0; j < PRESENT_READERS; j++) {
        os_thread_join(threads[j]);
    }
    CHECK_EQ_UINT(atomic_load(&present.missed), 0);
    CHECK_OK(yore_close(present.db, NULL));
    sim_disk_free(disk);
}

/* ---- an erasure while somebody reads behind its span ---- */

#define ERASED_KEYS 4000u

struct erased {
    struct yore_db *db;
    atomic_uint key; /* the one to be read; ERASED_KEYS: no more */
    atomic_uint_fast64_t misses;
};

static struct yore_bytes erased_key(unsigned index, char storage[16])
{
    return bytes_of(storage, (size_t)snprintf(storage, 16, "k%u", index));
}

static void read_erased(void *arg)
{
    struct erased *erased = arg;
    unsigned index;
    while ((index = atomic_load(&erased->key)) < ERASED_KEYS) {
        char storage[16];
        struct yore_value value;
        struct yore_bytes key = erased_key(index, storage);
        if (yore_get(erased->db, NULL, key, NULL, &value, NULL) == YORE_OK) {
            yore_value_release(&value);
        } else if (index > 0) {
            atomic_fetch_add(&erased->misses, 1);
        }
    }
}

/* What holds behind an erased span holds all the time, also while the erasure is committed. */
TEST(what_holds_behind_an_erased_span_is_never_missed)
{
    struct sim_disk *disk = sim_disk_new(3);
    struct yore_options options;
    struct erased erased = {.db = NULL};
    struct os_thread *threads[2];
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    CHECK_OK(db_open(sim_disk_env(disk), STORE_PATH, &options, &erased.db, NULL));
    int64_t past = yore_now(erased.db) - 1000;
    for (unsigned i = 0; i < 2; i++) {
        CHECK_OK(os_thread_start(read_erased, &erased, "test", &threads[i], NULL));
    }
    for (unsigned i = 1; i < ERASED_KEYS; i++) {
        char storage[16];
        struct yore_bytes key = erased_key(i, storage);
        struct yore_write write = {.from = past, .to = YORE_FOREVER};
        struct yore_erase erase = {.key = key, .from = past - 10, .to = past + 10};
        CHECK_OK(yore_put(erased.db, NULL, key, bytes_of("v", 1), &write, NULL));
        atomic_store(&erased.key, i);
        CHECK_OK(yore_erase(erased.db, NULL, &erase, NULL));
    }
    atomic_store(&erased.key, ERASED_KEYS);
    for (unsigned i = 0; i < 2; i++) {
        os_thread_join(threads[i]);
    }
    CHECK_EQ_UINT(atomic_load(&erased.misses), 0);
    CHECK_OK(yore_close(erased.db, NULL));
    sim_disk_free(disk);
}

/* ---- large values that leave ----------------------------------------------------------------- */

#define COMPACTORS 3

struct garbage {
    struct yore_db *db;
    struct yore_keyspace *keyspace;
    atomic_bool is_over;
    atomic_int status; /* the first failure */
};

static void note_status(struct garbage *garbage, enum yore_status st)
{
    int none = YORE_OK;
    if (st != YORE_OK) {
        (void)atomic_compare_exchange_strong(&garbage->status, &none, (int)st);
    }
}

static void compact_all_the_time(void *arg)
{
    struct garbage *garbage = arg;
    while (!atomic_load(&garbage->is_over)) {
        note_status(garbage, yore_compact(garbage->db, NULL, NULL));
    }
}

TEST(large_values_leave_once_however_many_compact)
{
    static unsigned char value[30000];
    struct garbage garbage = {.db = NULL};
    struct os_thread *threads[COMPACTORS];
    struct yore_options options;
    struct yore_keyspace_options now = {.keep = YORE_KEEP_NOW};
    struct sim_disk *disk = sim_disk_new(1);
    store_options_tiny(&options);
    options.value_apart_bytes = 256;
    CHECK_OK(db_open(sim_disk_env(disk), STORE_PATH, &options, &garbage.db, NULL));
    CHECK_OK(yore_keyspace_create(garbage.db, "now", &now, &garbage.keyspace, NULL));
    for (unsigned i = 0; i < COMPACTORS; i++) {
        CHECK_OK(os_thread_start(compact_all_the_time, &garbage, "compact", &threads[i], NULL));
    }
    for (unsigned i = 0; i < 2000 && atomic_load(&garbage.status) == YORE_OK; i++) {
        unsigned char key = (unsigned char)('a' + i % 20);
        struct yore_bytes bytes = bytes_of(&key, 1);
        struct yore_value read;
        CHECK_OK(yore_put(garbage.db, garbage.keyspace, bytes, bytes_of(value, sizeof value), NULL,
                          NULL));
        note_status(&garbage, yore_get(garbage.db, garbage.keyspace, bytes, NULL, &read, NULL));
        yore_value_release(&read);
    }
    atomic_store(&garbage.is_over, true);
    for (unsigned i = 0; i < COMPACTORS; i++) {
        os_thread_join(threads[i]);
    }
    CHECK_STATUS((enum yore_status)atomic_load(&garbage.status), YORE_OK);
    CHECK_OK(yore_close(garbage.db, NULL));
    sim_disk_free(disk);
}

TEST_MAIN(many_threads_on_one_handle, a_load_is_seen_whole_or_not_at_all,
          large_values_leave_once_however_many_compact,
          what_is_superseded_while_it_is_read_is_not_missed,
          what_holds_behind_an_erased_span_is_never_missed)
