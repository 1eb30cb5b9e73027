/* values_test.c -- the store of large values, by itself on a simulated disk. */
#include "engine/values.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/manifest.h"
#include "os/sim_disk.h"
#include "support/test.h"

#define DATABASE 77u

/* What the manifest would know. */
struct keeper {
    uint64_t next;
    struct value_file_info infos[256];
    size_t count;
    bool is_failing;
    bool has_failed; /* for good: who knows what was written */
    struct os_env *env;
};

static uint64_t take_number(void *arg)
{
    struct keeper *k = arg;
    return k->next++;
}

static enum yore_status record(void *arg, const struct value_file_info *info,
                               struct yore_error *error_out)
{
    struct keeper *k = arg;
    if (k->is_failing) {
        return error_set(error_out, YORE_IO, "the manifest cannot be written");
    }
    size_t i = 0;
    while (i < k->count && k->infos[i].file != info->file) {
        i++;
    }
    k->infos[i] = *info;
    k->count += i == k->count;
    return YORE_OK;
}

static void drop(void *arg, const char *path)
{
    struct keeper *k = arg;
    if (!k->has_failed) {
        (void)os_path_unlink(k->env, path, NULL);
    }
}

struct store {
    struct sim_disk *disk;
    struct os_env *env;
    struct values *values;
    struct keeper keeper;
    struct forest forest;
};

static void store_open(struct store *s)
{
    struct values_port port = {take_number, record, drop, &s->keeper};
    CHECK_OK(values_open(s->env, "db", DATABASE, &port, &s->values));
}

static void store_begin(struct store *s)
{
    *s = (struct store){.keeper = {.next = 5}};
    s->disk = sim_disk_new(1);
    s->env = sim_disk_env(s->disk);
    s->keeper.env = s->env;
    CHECK_OK(os_dir_make(s->env, "db", NULL));
    CHECK_OK(os_dir_sync(s->env, ".", NULL));
    store_open(s);
}

static void store_end(struct store *s)
{
    CHECK_OK(values_close(s->values, NULL));
    sim_disk_free(s->disk);
}

static const struct forest *forest_of(struct store *s)
{
    s->forest.value_files = s->keeper.infos;
    s->forest.value_file_count = s->keeper.count;
    return &s->forest;
}

static struct yore_bytes key_of(const char *key)
{
    return bytes_of(key, strlen(key));
}

static void fill(unsigned char *value, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++) {
        value[i] = (unsigned char)(i * 31 + seed);
    }
}

/* Of a commit that is over at once. */
static enum yore_status append_one(struct values *values, struct yore_bytes key,
                                   struct yore_bytes value, unsigned char ref[VALUE_REF_BYTES],
                                   struct yore_error *error_out)
{
    struct value_hold *hold = NULL;
    const struct value_entry entry = {1, key, value};
    enum yore_status st = values_append(values, &hold, &entry, ref, error_out);
    values_let_go(values, &hold);
    return st;
}

/* Where the record lies. */
static uint64_t append_held(struct store *s, struct value_hold **hold)
{
    unsigned char ref[VALUE_REF_BYTES];
    struct value_ref place;
    const struct value_entry entry = {1, key_of("k"), key_of("value")};
    CHECK_OK(values_append(s->values, hold, &entry, ref, NULL));
    CHECK_OK(value_ref_decode(bytes_of(ref, sizeof ref), &place));
    return place.offset;
}

static void append(struct store *s, const char *key, size_t size, unsigned seed,
                   unsigned char ref[VALUE_REF_BYTES])
{
    unsigned char *value = mem_alloc(size + 1);
    struct yore_error error = {.text = ""};
    fill(value, size, seed);
    enum yore_status st = append_one(s->values, key_of(key), bytes_of(value, size), ref, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    mem_free(value);
}

static void check_value(struct store *s, const char *key, size_t size, unsigned seed,
                        const unsigned char ref[VALUE_REF_BYTES])
{
    unsigned char *want = mem_alloc(size + 1);
    void *got = NULL;
    size_t got_size = 0;
    struct yore_error error = {.text = ""};
    fill(want, size, seed);
    enum yore_status st = values_get(s->values, forest_of(s), bytes_of(ref, VALUE_REF_BYTES),
                                     key_of(key), &got, &got_size, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    CHECK_EQ_BYTES(got, got_size, want, size);
    mem_free(got);
    mem_free(want);
}

TEST(what_was_appended_is_read_at_once)
{
    struct store s;
    unsigned char ref[3][VALUE_REF_BYTES];
    store_begin(&s);
    append(&s, "a", 5000, 1, ref[0]);
    append(&s, "b", 0, 2, ref[1]);
    append(&s, "c", 1u << 20, 3, ref[2]);
    check_value(&s, "a", 5000, 1, ref[0]);
    check_value(&s, "b", 0, 2, ref[1]);
    check_value(&s, "c", 1u << 20, 3, ref[2]);
    CHECK_EQ_UINT(value_ref_size(bytes_of(ref[2], VALUE_REF_BYTES)), 1u << 20);
    CHECK_EQ_UINT(s.keeper.count, 1);
    CHECK_EQ_UINT(s.keeper.infos[0].bytes, 0);
    store_end(&s);
}

TEST(closing_records_the_size_and_a_new_run_begins_a_new_file)
{
    struct store s;
    unsigned char ref[2][VALUE_REF_BYTES];
    store_begin(&s);
    append(&s, "a", 5000, 1, ref[0]);
    CHECK_OK(values_close(s.values, NULL));
    CHECK(s.keeper.infos[0].bytes > 5000);
    store_open(&s);
    append(&s, "b", 300, 2, ref[1]);
    CHECK_EQ_UINT(s.keeper.count, 2);
    check_value(&s, "a", 5000, 1, ref[0]);
    check_value(&s, "b", 300, 2, ref[1]);
    store_end(&s);
}

TEST(what_was_synced_survives_a_power_cut)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct store s;
        unsigned char ref[2][VALUE_REF_BYTES];
        store_begin(&s);
        append(&s, "a", 9000, 1, ref[0]);
        CHECK_OK(values_sync(s.values, NULL));
        CHECK_OK(os_dir_sync(s.env, "db", NULL)); /* as the manifest does when it names the file */
        append(&s, "b", 9000, 2, ref[1]);
        sim_disk_crash_at(s.disk, sim_disk_op_count(s.disk));
        (void)values_close(s.values, NULL);
        sim_disk_crash(s.disk, SIM_CRASH_RANDOM, seed);
        store_open(&s);
        check_value(&s, "a", 9000, 1, ref[0]);
        store_end(&s);
    }
}

TEST(a_sync_without_anything_pending_does_no_io)
{
    struct store s;
    unsigned char ref[VALUE_REF_BYTES];
    store_begin(&s);
    CHECK_OK(values_sync(s.values, NULL));
    append(&s, "a", 300, 1, ref);
    CHECK_OK(values_sync(s.values, NULL));
    uint64_t ops = sim_disk_op_count(s.disk);
    CHECK_OK(values_sync(s.values, NULL));
    CHECK_EQ_UINT(sim_disk_op_count(s.disk), ops);
    store_end(&s);
}

TEST(a_failed_sync_is_repeated_and_never_tried_again)
{
    struct store s;
    unsigned char ref[VALUE_REF_BYTES];
    struct yore_error error = {.text = ""};
    store_begin(&s);
    append(&s, "a", 300, 1, ref);
    sim_disk_fail(s.disk, SIM_FAULT_SYNC, 1, false);
    CHECK_STATUS(values_sync(s.values, &error), YORE_IO);
    uint64_t syncs = sim_disk_fault_count(s.disk, SIM_FAULT_SYNC);
    CHECK_STATUS(values_sync(s.values, &error), YORE_IO);
    CHECK_EQ_UINT(sim_disk_fault_count(s.disk, SIM_FAULT_SYNC), syncs);
    CHECK(strstr(error.text, "values-") != NULL);
    CHECK_STATUS(values_close(s.values, NULL), YORE_IO);
    sim_disk_free(s.disk);
}

TEST(what_the_disk_takes_of_a_value_is_given_back_when_it_is_full)
{
    static const size_t sizes[] = {9000, 300u << 10}; /* copied, and written from where it lies */
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (uint64_t room = 0; room < sizes[i]; room += sizes[i] / 7) {
            struct store s;
            unsigned char ref[2][VALUE_REF_BYTES];
            struct yore_error error = {.text = ""};
            store_begin(&s);
            append(&s, "a", 5000, 1, ref[0]);
            CHECK_OK(values_sync(s.values, NULL));
            uint64_t used = sim_disk_used(s.disk);
            sim_disk_set_capacity(s.disk, used + room);
            unsigned char *value = mem_zalloc(sizes[i]);
            CHECK_STATUS(
                append_one(s.values, key_of("b"), bytes_of(value, sizes[i]), ref[1], &error),
                YORE_NO_SPACE);
            mem_free(value);
            CHECK(strstr(error.text, "values-") != NULL);
            CHECK_EQ_UINT(sim_disk_used(s.disk), used);
            check_value(&s, "a", 5000, 1, ref[0]);
            store_end(&s);
        }
    }
}

TEST(a_file_that_the_manifest_does_not_take_is_removed)
{
    struct store s;
    unsigned char ref[VALUE_REF_BYTES];
    char path[PATH_BYTES];
    uint64_t size;
    bool is_dir;
    store_begin(&s);
    s.keeper.is_failing = true;
    CHECK_STATUS(append_one(s.values, key_of("a"), key_of("value"), ref, NULL), YORE_IO);
    CHECK(db_file_path(path, "db", DB_FILE_VALUES, 5, 0));
    CHECK_STATUS(os_path_stat(s.env, path, &size, &is_dir, NULL), YORE_NOT_FOUND);
    s.keeper.is_failing = false;
    append(&s, "a", 300, 1, ref);
    check_value(&s, "a", 300, 1, ref);
    store_end(&s);
}

TEST(a_file_that_the_manifest_may_name_all_the_same_stays)
{
    struct store s;
    unsigned char ref[VALUE_REF_BYTES];
    char path[PATH_BYTES];
    uint64_t size;
    bool is_dir;
    store_begin(&s);
    s.keeper.is_failing = true;
    s.keeper.has_failed = true;
    CHECK_STATUS(append_one(s.values, key_of("a"), key_of("value"), ref, NULL), YORE_IO);
    CHECK(db_file_path(path, "db", DB_FILE_VALUES, 5, 0));
    CHECK_OK(os_path_stat(s.env, path, &size, &is_dir, NULL));
    store_end(&s);
}

TEST(a_wrong_reference_is_refused_and_named)
{
    struct store s;
    unsigned char ref[2][VALUE_REF_BYTES];
    void *data;
    size_t size;
    struct yore_error error = {.text = ""};
    store_begin(&s);
    append(&s, "a", 300, 1, ref[0]);
    append(&s, "b", 300, 2, ref[1]);
    struct yore_bytes of_a = bytes_of(ref[0], VALUE_REF_BYTES);
    CHECK_STATUS(values_get(s.values, forest_of(&s), of_a, key_of("b"), &data, &size, &error),
                 YORE_CORRUPT);
    CHECK_STATUS(
        values_get(s.values, forest_of(&s), bytes_of(ref[0], 7), key_of("a"), &data, &size, &error),
        YORE_CORRUPT);
    struct value_ref gone = {.file = 99, .offset = 64, .value_size = 300, .key_size = 1};
    value_ref_encode(&gone, ref[1]);
    CHECK_STATUS(values_get(s.values, forest_of(&s), bytes_of(ref[1], VALUE_REF_BYTES), key_of("a"),
                            &data, &size, &error),
                 YORE_CORRUPT);
    CHECK(strstr(error.text, "values-0000000000000063") != NULL);
    store_end(&s);
}

static int keep_all(void *arg, const struct value_record *value)
{
    (void)arg;
    (void)value;
    return 1;
}

TEST(readers_move_to_the_generation_their_forest_names)
{
    struct store s;
    unsigned char ref[VALUE_REF_BYTES];
    char from[PATH_BYTES];
    char to[PATH_BYTES];
    struct value_reader *reader;
    uint64_t kept;
    store_begin(&s);
    append(&s, "a", 5000, 1, ref);
    uint64_t file = s.keeper.infos[0].file;
    CHECK_OK(values_end(s.values, file, NULL));
    check_value(&s, "a", 5000, 1, ref);
    struct file_identity identity = {DATABASE, file};
    CHECK(db_file_path(from, "db", DB_FILE_VALUES, file, 0));
    CHECK(db_file_path(to, "db", DB_FILE_VALUES, file, 1));
    CHECK_OK(value_reader_open(s.env, from, identity, &reader, NULL));
    CHECK_OK(value_file_thin(s.env, reader, to, keep_all, NULL, &kept, NULL));
    value_reader_close(reader);
    check_value(&s, "a", 5000, 1, ref);
    s.keeper.infos[0].generation = 1;
    values_forget(s.values, file);
    CHECK_OK(os_path_unlink(s.env, from, NULL));
    check_value(&s, "a", 5000, 1, ref);
    store_end(&s);
}

TEST(more_files_than_readers_are_read)
{
    enum { FILES = VALUE_READERS_MAX + 20 };
    struct store s;
    static unsigned char refs[FILES][VALUE_REF_BYTES];
    store_begin(&s);
    for (unsigned i = 0; i < FILES; i++) {
        append(&s, "key", 300, i, refs[i]);
        CHECK_OK(values_end(s.values, s.keeper.infos[i].file, NULL));
    }
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < FILES; i++) {
            check_value(&s, "key", 300, i, refs[i]);
        }
    }
    store_end(&s);
}

/* What may be referred to yet is told record by record. */
TEST(records_of_commits_to_come_are_held)
{
    struct store s;
    struct value_hold *first = NULL;
    struct value_hold *second = NULL;
    struct value_spans held;
    uint64_t at[5];
    store_begin(&s);
    at[0] = append_held(&s, &first);
    at[1] = append_held(&s, &first);
    at[2] = append_held(&s, &second);
    at[3] = append_held(&s, &first);
    uint64_t file = s.keeper.infos[0].file;
    CHECK_OK(values_end(s.values, file, NULL));
    at[4] = append_held(&s, &first); /* into the next file */
    CHECK_OK(values_held(s.values, file, true, &held, NULL));
    CHECK_EQ_UINT(held.count, 3); /* two that follow one another are one span */
    for (size_t i = 0; i < 4; i++) {
        CHECK(value_spans_have(&held, file, at[i]));
        CHECK(!value_spans_have(&held, file + 1, at[i]));
    }
    CHECK(!value_spans_have(&held, file, at[0] - 1));
    value_spans_release(&held);
    values_let_go(s.values, &first);
    CHECK(first == NULL);
    CHECK_OK(values_held(s.values, file + 1, true, &held, NULL));
    for (size_t i = 0; i < 5; i++) {
        CHECK_EQ_INT(value_spans_have(&held, file, at[i]), i == 2);
    }
    value_spans_release(&held);
    values_let_go(s.values, &second);
    values_let_go(s.values, &second); /* none is let go too */
    CHECK_OK(values_held(s.values, UINT64_MAX, true, &held, NULL));
    CHECK_EQ_UINT(held.count, 0);
    store_end(&s);
}

struct asking {
    struct values *values;
    struct value_spans held;
    _Atomic bool is_answered;
};

static void *ask_held(void *arg)
{
    struct asking *asking = arg;
    CHECK_OK(values_held(asking->values, UINT64_MAX, true, &asking->held, NULL));
    atomic_store(&asking->is_answered, true);
    return NULL;
}

TEST(who_asks_what_is_held_waits_for_a_commit_that_is_being_made)
{
    for (int has_failed = 0; has_failed < 2; has_failed++) {
        struct store s;
        struct value_hold *hold = NULL;
        pthread_t thread;
        store_begin(&s);
        (void)append_held(&s, &hold);
        values_commit(s.values, hold, true);
        struct asking asking = {.values = s.values};
        CHECK(pthread_create(&thread, NULL, ask_held, &asking) == 0);
        os_sleep_ns(os_env_posix(), 20000000);
        CHECK(!atomic_load(&asking.is_answered));
        if (has_failed) {
            values_commit(s.values, hold, false);
        } else {
            values_let_go(s.values, &hold);
        }
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK_EQ_UINT(asking.held.count, has_failed ? 1 : 0);
        value_spans_release(&asking.held);
        values_let_go(s.values, &hold);
        store_end(&s);
    }
}

TEST(without_memory_nothing_is_lost)
{
    struct store s;
    unsigned char ref[2][VALUE_REF_BYTES];
    uint64_t failed = 0;
    store_begin(&s);
    append(&s, "a", 5000, 1, ref[0]);
    for (uint64_t nth = 1; nth < 50; nth++) {
        void *data = NULL;
        size_t size;
        mem_fail_at(nth, false);
        enum yore_status st = append_one(s.values, key_of("b"), key_of("value"), ref[1], NULL);
        if (st == YORE_OK) {
            st = values_get(s.values, forest_of(&s), bytes_of(ref[1], VALUE_REF_BYTES), key_of("b"),
                            &data, &size, NULL);
        }
        mem_fail_at(0, false);
        CHECK(st == YORE_OK || st == YORE_NOMEM);
        mem_free(data);
        failed += st == YORE_NOMEM;
        check_value(&s, "a", 5000, 1, ref[0]);
        values_forget(s.values, s.keeper.infos[0].file);
    }
    CHECK(failed > 0);
    store_end(&s);
}

enum { THREADS = 4, ROUNDS = 200 };

struct worker {
    struct store *store;
    struct forest forest;
    unsigned seed;
    bool is_right;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    unsigned char value[700];
    unsigned char ref[VALUE_REF_BYTES];
    char key[32];
    w->is_right = true;
    for (unsigned i = 0; i < ROUNDS; i++) {
        void *data = NULL;
        size_t size = 0;
        (void)snprintf(key, sizeof key, "%u/%u", w->seed, i);
        fill(value, sizeof value, w->seed + i);
        bool is_done = append_one(w->store->values, key_of(key), bytes_of(value, sizeof value), ref,
                                  NULL) == YORE_OK &&
                       (i % 3 != 0 || values_sync(w->store->values, NULL) == YORE_OK) &&
                       values_get(w->store->values, &w->forest, bytes_of(ref, VALUE_REF_BYTES),
                                  key_of(key), &data, &size, NULL) == YORE_OK;
        w->is_right &= is_done && size == sizeof value && memcmp(data, value, size) == 0;
        mem_free(data);
        if (i % 50 == 0) {
            values_forget(w->store->values, 5);
        }
    }
    return NULL;
}

TEST(threads_append_sync_and_read_beside_each_other)
{
    struct store s;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    store_begin(&s);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.store = &s, .seed = i * 1000};
        CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(workers[i].is_right);
    }
    store_end(&s);
}

TEST_MAIN(what_was_appended_is_read_at_once,
          closing_records_the_size_and_a_new_run_begins_a_new_file,
          what_was_synced_survives_a_power_cut, a_sync_without_anything_pending_does_no_io,
          a_failed_sync_is_repeated_and_never_tried_again,
          what_the_disk_takes_of_a_value_is_given_back_when_it_is_full,
          a_file_that_the_manifest_does_not_take_is_removed,
          a_file_that_the_manifest_may_name_all_the_same_stays,
          a_wrong_reference_is_refused_and_named, readers_move_to_the_generation_their_forest_names,
          more_files_than_readers_are_read, records_of_commits_to_come_are_held,
          who_asks_what_is_held_waits_for_a_commit_that_is_being_made,
          without_memory_nothing_is_lost, threads_append_sync_and_read_beside_each_other)
