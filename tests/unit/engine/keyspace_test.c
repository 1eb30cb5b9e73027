/* keyspace_test.c -- the catalogue as of a moment. */
#include <stdio.h>
#include <string.h>

#include "unit/engine/bed.h"

struct listed {
    char names[128];
    int most; /* stop after so many */
};

static int add_name(void *arg, const struct yore_keyspace_info *info)
{
    struct listed *listed = arg;
    size_t size = strlen(listed->names);
    (void)snprintf(listed->names + size, sizeof listed->names - size, "%s ", info->name);
    CHECK_EQ_INT(info->options.keep,
                 strcmp(info->name, "now") == 0 ? YORE_KEEP_NOW : YORE_KEEP_ALL);
    return --listed->most == 0;
}

static const char *list(struct bed *bed, int64_t valid, int most)
{
    static struct listed listed;
    struct yore_time at = {valid, YORE_NOW};
    listed = (struct listed){.most = most};
    CHECK_OK(yore_keyspace_list(bed->db, &at, add_name, &listed, NULL));
    return listed.names;
}

static int64_t create(struct bed *bed, const char *name, enum yore_keep keep)
{
    struct yore_keyspace *space;
    struct yore_keyspace_options options = {.keep = keep};
    CHECK_OK(yore_keyspace_create(bed->db, name, &options, &space, NULL));
    return yore_now(bed->db);
}

TEST(the_default_keyspace_is_listed_at_any_moment)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        (void)put_at(bed.db, "k", "a", AT(0), YORE_FOREVER);
        int64_t first = create(&bed, "now", YORE_KEEP_NOW);
        int64_t second = create(&bed, "alpha", YORE_KEEP_ALL);
        bed_age(&bed, age);
        CHECK_EQ_STR(list(&bed, AT(0), 0), "default ");
        CHECK_EQ_STR(list(&bed, YORE_TIME_MIN, 0), "default ");
        CHECK_EQ_STR(list(&bed, first, 0), "default now ");
        CHECK_EQ_STR(list(&bed, second, 0), "alpha default now ");
        CHECK_EQ_STR(list(&bed, YORE_NOW, 0), "alpha default now ");
        CHECK_EQ_STR(list(&bed, second, 2), "alpha default ");
        CHECK_EQ_STR(list(&bed, AT(0), 1), "default ");
        bed_close(&bed);
    }
}

TEST(the_default_keyspace_is_opened_at_any_moment)
{
    struct bed bed;
    struct yore_keyspace *space;
    struct yore_time at = {AT(0), YORE_NOW};
    bed_open(&bed);
    (void)create(&bed, "other", YORE_KEEP_ALL);
    CHECK_OK(yore_keyspace_open(bed.db, "default", &at, &space, NULL));
    CHECK_EQ_UINT(yore_keyspace_id(space), yore_keyspace_id(NULL));
    CHECK_STATUS(yore_keyspace_open(bed.db, "other", &at, &space, NULL), YORE_NOT_FOUND);
    bed_close(&bed);
}

/* Every way to ask `space` at `at` (NULL: now) gets `wanted`. */
static void check_reads(struct bed *bed, struct yore_keyspace *space, const struct yore_time *at,
                        enum yore_status wanted)
{
    struct yore_time now = {YORE_NOW, YORE_NOW};
    const struct yore_time *moment = at != NULL ? at : &now;
    struct yore_value value;
    struct yore_cursor *cursor = NULL;
    struct yore_timeline *timeline = NULL;
    struct yore_changes *changes = NULL;
    struct yore_txn *txn = NULL;
    struct yore_bytes key = text("k");
    enum yore_status status = YORE_OK;
    struct yore_get_many many = {&key, 1, &value, &status};
    struct yore_cursor_options rows = {.at = at};
    struct yore_timeline_options line = {
        .from = moment->valid, .to = YORE_FOREVER, .known = moment->known};
    struct yore_changes_options steps = {
        .from = moment->valid, .to = YORE_NOW, .known = moment->known};
    CHECK_STATUS(yore_get(bed->db, space, key, at, &value, NULL), wanted);
    yore_value_release(&value);
    CHECK_STATUS(yore_get_many(bed->db, space, &many, at, NULL), wanted);
    if (wanted == YORE_OK) {
        yore_value_release(&value);
    }
    CHECK_STATUS(yore_cursor_open(bed->db, space, &rows, &cursor, NULL), wanted);
    yore_cursor_close(cursor);
    CHECK_STATUS(yore_timeline_open(bed->db, space, key, &line, &timeline, NULL), wanted);
    yore_timeline_close(timeline);
    CHECK_STATUS(yore_changes_open(bed->db, space, &steps, &changes, NULL), wanted);
    yore_changes_close(changes);
    CHECK_OK(yore_begin(bed->db, &txn, NULL));
    CHECK_STATUS(yore_txn_get(txn, space, key, at, &value, NULL), wanted);
    yore_value_release(&value);
    CHECK_STATUS(yore_txn_cursor_open(txn, space, &rows, &cursor, NULL), wanted);
    yore_cursor_close(cursor);
    yore_txn_abort(txn);
}

static struct yore_keyspace *create_with_key(struct bed *bed, const char *name)
{
    struct yore_keyspace *space;
    (void)create(bed, name, YORE_KEEP_ALL);
    CHECK_OK(yore_keyspace_open(bed->db, name, NULL, &space, NULL));
    CHECK_OK(yore_put(bed->db, space, text("k"), text("v"), NULL, NULL));
    return space;
}

TEST(of_a_dropped_keyspace_only_the_past_is_read)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        struct yore_keyspace_info info;
        struct yore_error error;
        struct yore_value value;
        bed_open(&bed);
        struct yore_keyspace *space = create_with_key(&bed, "space");
        struct yore_time before = {yore_now(bed.db), YORE_NOW};
        CHECK_OK(yore_keyspace_info(bed.db, space, &info, NULL));
        CHECK_EQ_INT(info.dropped_at, YORE_FOREVER);
        CHECK_OK(yore_keyspace_drop(bed.db, "space", NULL));
        bed_age(&bed, age);
        CHECK_OK(yore_keyspace_open(bed.db, "space", &before, &space, NULL));
        CHECK_OK(yore_keyspace_info(bed.db, space, &info, NULL));
        CHECK(info.is_dropped && info.dropped_at > before.valid);
        test_note("age %d", age);
        check_reads(&bed, space, NULL, YORE_NOT_FOUND);
        check_reads(&bed, space, &(struct yore_time){info.dropped_at, YORE_NOW}, YORE_NOT_FOUND);
        check_reads(&bed, space, &(struct yore_time){info.dropped_at - 1, YORE_NOW}, YORE_OK);
        check_reads(&bed, space, &(struct yore_time){YORE_NOW, info.dropped_at - 1}, YORE_OK);
        check_reads(&bed, space, &before, YORE_OK);
        CHECK_STATUS(yore_get(bed.db, space, text("k"), NULL, &value, &error), YORE_NOT_FOUND);
        CHECK_MSG(strstr(error.text, "keyspace space was dropped at 20") != NULL, "%s", error.text);
        bed_close(&bed);
    }
}

TEST(what_was_opened_before_a_drop_goes_on)
{
    struct bed bed;
    struct yore_cursor *cursor = NULL;
    struct yore_txn *txn = NULL;
    struct yore_snapshot *snapshot = NULL;
    struct yore_value value;
    bed_open(&bed);
    struct yore_keyspace *space = create_with_key(&bed, "space");
    CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
    CHECK_OK(yore_cursor_open(bed.db, space, NULL, &cursor, NULL));
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    CHECK_OK(yore_keyspace_drop(bed.db, "space", NULL));
    CHECK_OK(yore_cursor_next(cursor));
    CHECK_OK(yore_txn_get(txn, space, text("k"), NULL, &value, NULL));
    yore_value_release(&value);
    struct yore_time then = yore_snapshot_time(snapshot);
    CHECK_OK(yore_get(bed.db, space, text("k"), &then, &value, NULL));
    yore_value_release(&value);
    yore_cursor_close(cursor);
    yore_snapshot_release(snapshot);
    yore_txn_abort(txn);
    bed_close(&bed);
}

TEST(a_keyspace_made_anew_is_another_than_the_dropped_one)
{
    struct bed bed;
    struct yore_keyspace_info first, second;
    bed_open(&bed);
    struct yore_keyspace *old = create_with_key(&bed, "space");
    CHECK_OK(yore_keyspace_drop(bed.db, "space", NULL));
    struct yore_keyspace *new = create_with_key(&bed, "space");
    check_reads(&bed, old, NULL, YORE_NOT_FOUND);
    check_reads(&bed, new, NULL, YORE_OK);
    CHECK_OK(yore_keyspace_info(bed.db, old, &first, NULL));
    struct yore_time between = {first.dropped_at - 1, YORE_NOW};
    struct yore_time later = {yore_now(bed.db), YORE_NOW};
    CHECK_OK(yore_keyspace_drop(bed.db, "space", NULL));
    bed_reopen(&bed);
    CHECK_OK(yore_keyspace_open(bed.db, "space", &between, &old, NULL));
    CHECK_OK(yore_keyspace_open(bed.db, "space", &later, &new, NULL));
    CHECK_OK(yore_keyspace_info(bed.db, old, &second, NULL));
    CHECK_EQ_INT(second.dropped_at, first.dropped_at); /* the second drop is not its own */
    check_reads(&bed, old, &between, YORE_OK);
    check_reads(&bed, old, &later, YORE_NOT_FOUND);
    check_reads(&bed, new, &later, YORE_OK);
    bed_close(&bed);
}

TEST(a_full_catalogue_is_told_to_who_may_write)
{
    struct bed bed;
    struct yore_options options;
    struct yore_keyspace *space;
    char name[16];
    bed_open(&bed);
    for (unsigned i = 1; i < YORE_KEYSPACES_MAX; i++) { /* "default" is one */
        (void)snprintf(name, sizeof name, "k%u", i);
        CHECK_OK(yore_keyspace_create(bed.db, name, NULL, &space, NULL));
    }
    CHECK_STATUS(yore_keyspace_create(bed.db, "more", NULL, &space, NULL), YORE_TOO_BIG);
    CHECK_OK(yore_close(bed.db, NULL));
    yore_options_init(&options);
    options.read_only = true;
    CHECK_OK(db_open_inline(sim_disk_env(bed.disk), "db", &options, &bed.db, NULL));
    CHECK_STATUS(yore_keyspace_create(bed.db, "more", NULL, &space, NULL), YORE_READ_ONLY);
    CHECK_STATUS(yore_keyspace_create(bed.db, "k1", NULL, &space, NULL), YORE_EXISTS);
    bed_close(&bed);
}

TEST_MAIN(of_a_dropped_keyspace_only_the_past_is_read, what_was_opened_before_a_drop_goes_on,
          a_keyspace_made_anew_is_another_than_the_dropped_one,
          a_full_catalogue_is_told_to_who_may_write, the_default_keyspace_is_listed_at_any_moment,
          the_default_keyspace_is_opened_at_any_moment)
