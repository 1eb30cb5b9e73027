#include "unit/engine/bed.h"

#include <stdio.h>
#include <string.h>

static void open_db(struct bed *bed)
{
    struct yore_options options;
    struct yore_error error = {.text = ""};
    yore_options_init(&options);
    options.cache_bytes = 1u << 20;
    options.memtable_bytes = 64u << 10;
    options.segment_bytes = 64u << 10;
    options.table_bytes = bed->table_bytes;
    options.page_bytes = 512;
    options.seal_versions_per_key = 2;
    options.seal_bytes_min = 4u << 10;
    options.value_apart_bytes = 256;
    options.open_files_max = 64;
    enum yore_status st = db_open_inline(sim_disk_env(bed->disk), "db", &options, &bed->db, &error);
    CHECK_MSG(st == YORE_OK, "open: %s", error.text);
}

void bed_open(struct bed *bed)
{
    bed_open_tables(bed, 16u << 10);
}

void bed_open_tables(struct bed *bed, uint64_t table_bytes)
{
    bed->table_bytes = table_bytes;
    bed->disk = sim_disk_new(1);
    CHECK(bed->disk != NULL);
    sim_disk_set_wall(bed->disk, BED_T0);
    open_db(bed);
}

void bed_reopen(struct bed *bed)
{
    CHECK_OK(yore_close(bed->db, NULL));
    open_db(bed);
}

void bed_close(struct bed *bed)
{
    CHECK_OK(yore_close(bed->db, NULL));
    sim_disk_free(bed->disk);
}

void bed_age(struct bed *bed, int age)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = YORE_OK;
    if (age == 1) {
        st = yore_flush(bed->db, &error);
    } else if (age >= 2) {
        st = yore_compact(bed->db, NULL, &error);
    }
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    if (age == 3) {
        bed_reopen(bed);
    }
}

struct yore_bytes text(const char *text)
{
    return (struct yore_bytes){text, strlen(text)};
}

static int64_t write_fact(struct yore_db *db, const char *key, const char *value,
                          struct yore_write *write)
{
    struct yore_error error = {.text = ""};
    int64_t commit = 0;
    write->commit_out = &commit;
    enum yore_status st = value != NULL ? yore_put(db, NULL, text(key), text(value), write, &error)
                                        : yore_delete(db, NULL, text(key), write, &error);
    CHECK_MSG(st == YORE_OK, "write of %s: %s", key, error.text);
    return commit;
}

int64_t put(struct yore_db *db, const char *key, const char *value)
{
    struct yore_write write = {.from = YORE_NOW, .to = YORE_FOREVER};
    return write_fact(db, key, value, &write);
}

int64_t put_at(struct yore_db *db, const char *key, const char *value, int64_t from, int64_t to)
{
    struct yore_write write = {.from = from, .to = to};
    return write_fact(db, key, value, &write);
}

int64_t put_span(struct yore_db *db, const char *key, const char *value, int64_t from, int64_t to)
{
    struct yore_write write = {.from = from, .to = to, .is_span = true};
    return write_fact(db, key, value, &write);
}

int64_t delete_at(struct yore_db *db, const char *key, int64_t from)
{
    struct yore_write write = {.from = from, .to = YORE_FOREVER};
    return write_fact(db, key, NULL, &write);
}

int64_t delete_span(struct yore_db *db, const char *key, int64_t from, int64_t to)
{
    struct yore_write write = {.from = from, .to = to, .is_span = true};
    return write_fact(db, key, NULL, &write);
}

int64_t erase_key(struct yore_db *db, const char *key, int64_t from, int64_t to)
{
    struct yore_error error = {.text = ""};
    int64_t commit = 0;
    struct yore_erase erase = {.key = text(key), .from = from, .to = to, .commit_out = &commit};
    enum yore_status st = yore_erase(db, NULL, &erase, &error);
    CHECK_MSG(st == YORE_OK, "erase of %s: %s", key, error.text);
    return commit;
}

/* A few answers are kept at a time, so that two can be compared. */
static const char *answer(enum yore_status st, struct yore_value *value,
                          const struct yore_error *error)
{
    static char answers[8][4096];
    static unsigned next;
    char *to = answers[next++ % 8];
    CHECK_MSG(st == YORE_OK || st == YORE_NOT_FOUND || st == YORE_ERASED, "get: %s", error->text);
    if (st == YORE_OK) {
        CHECK(value->size < sizeof answers[0]);
        memcpy(to, value->data, value->size);
        to[value->size] = '\0';
        yore_value_release(value);
    } else {
        (void)snprintf(to, sizeof answers[0], "%s", st == YORE_ERASED ? "!" : "-");
    }
    return to;
}

const char *get_at(struct yore_db *db, const char *key, int64_t valid, int64_t known)
{
    struct yore_value value;
    struct yore_error error = {.text = ""};
    struct yore_time at = {valid, known};
    enum yore_status st = yore_get(db, NULL, text(key), &at, &value, &error);
    return answer(st, &value, &error);
}

const char *get(struct yore_db *db, const char *key)
{
    return get_at(db, key, YORE_NOW, YORE_NOW);
}

const char *txn_get_at(struct yore_txn *txn, const char *key, int64_t valid)
{
    struct yore_value value;
    struct yore_error error = {.text = ""};
    struct yore_time at = {valid, YORE_NOW};
    enum yore_status st = yore_txn_get(txn, NULL, text(key), &at, &value, &error);
    return answer(st, &value, &error);
}

const char *txn_get(struct yore_txn *txn, const char *key)
{
    return txn_get_at(txn, key, YORE_NOW);
}
