/* bound_test.c -- bounds within the engine, where the times of files, erasures and snapshots meet.
 *
 * edge_test.c asks through the public face alone; here states are made that a run of events hardly
 * ever makes, or none but damage.
 */
#include <stdio.h>
#include <string.h>

#include "engine/catalogue.h"
#include "engine/db_internal.h"
#include "engine/erase.h"
#include "support/store.h"
#include "unit/engine/bed.h"

/* ---- the description of what there is ---- */

TEST(a_slice_that_holds_no_time_is_no_slice)
{
    struct yore_error error;
    for (int64_t size = 0; size < 2; size++) {
        struct forest_slice slice = {.t0 = AT(1), .t1 = AT(1) + size, .known = AT(9)};
        struct forest_region region = {.slices = &slice, .slice_count = 1};
        struct forest_tree tree = {.keyspace = 1, .regions = &region, .region_count = 1};
        struct forest_tree *trees[1] = {&tree};
        struct forest forest = {.serial = 1, .trees = trees, .tree_count = 1};
        CHECK_STATUS(forest_check(&forest, &error), size == 0 ? YORE_CORRUPT : YORE_OK);
    }
}

TEST(a_slice_that_knows_less_than_the_one_before_it_is_none)
{
    struct yore_error error;
    for (int64_t known = 8; known < 11; known++) {
        struct forest_slice slices[2] = {{.t0 = AT(1), .t1 = AT(2), .known = AT(9)},
                                         {.t0 = AT(2), .t1 = AT(3), .known = AT(known)}};
        struct forest_region region = {.slices = slices, .slice_count = 2};
        struct forest_tree tree = {.keyspace = 1, .regions = &region, .region_count = 1};
        struct forest_tree *trees[1] = {&tree};
        struct forest forest = {.serial = 1, .trees = trees, .tree_count = 1};
        CHECK_STATUS(forest_check(&forest, &error), known < 9 ? YORE_CORRUPT : YORE_OK);
    }
}

/* ---- verification ---- */

static char told[1024];

static void note_line(void *arg, const char *line)
{
    (void)arg;
    snprintf(told, sizeof told, "%s", line);
}

static bool is_told(struct bed *bed, const char *what)
{
    told[0] = '\0';
    enum yore_status st = yore_verify(bed->db, note_line, NULL, NULL, NULL);
    CHECK_EQ_INT(st == YORE_OK, told[0] == '\0');
    return strstr(told, what) != NULL;
}

static struct forest_slice *last_slice(struct bed *bed)
{
    struct superview *view = atomic_load(&bed->db->view);
    const struct forest_tree *tree = forest_tree(view->forest, 1);
    CHECK(tree != NULL && tree->region_count > 0 && tree->regions[0].slice_count > 0);
    return &tree->regions[0].slices[tree->regions[0].slice_count - 1];
}

TEST(a_version_at_the_end_of_its_slice_is_outside)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_at(bed.db, "k", "1", AT(1), YORE_FOREVER);
    (void)put_at(bed.db, "k", "2", AT(2), YORE_FOREVER);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    struct forest_slice *slice = last_slice(&bed);
    int64_t t1 = slice->t1;
    CHECK_EQ_INT(t1, AT(2) + 1);
    CHECK(!is_told(&bed, "outside"));
    slice->t1 = AT(2);
    CHECK(is_told(&bed, "outside the time of its slice"));
    slice->t1 = t1;
    bed_close(&bed);
}

/* Every seal makes slices of its own. */
static void open_sealing(struct bed *bed)
{
    struct yore_options options;
    bed->disk = sim_disk_new(1);
    sim_disk_set_wall(bed->disk, BED_T0);
    store_options_tiny(&options);
    options.seal_bytes_min = 1;
    options.seal_versions_per_key = 1;
    CHECK_OK(db_open_inline(sim_disk_env(bed->disk), "db", &options, &bed->db, NULL));
}

TEST(a_copy_at_the_begin_of_its_slice_is_none)
{
    struct bed bed;
    open_sealing(&bed);
    (void)put_at(bed.db, "k", "1 is longer than all others are", AT(1), YORE_FOREVER);
    (void)put_at(bed.db, "k", "2", AT(2), YORE_FOREVER);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    (void)put_at(bed.db, "other", "1", AT(3), YORE_FOREVER);
    (void)put_at(bed.db, "other", "2", AT(4), YORE_FOREVER);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(store_stat(bed.db, "carried_versions") > 0);
    struct forest_slice *slice = last_slice(&bed);
    int64_t t0 = slice->t0;
    CHECK(!is_told(&bed, "copy"));
    slice->t0 = AT(2);
    CHECK(is_told(&bed, "a carried copy that begins inside its slice"));
    slice->t0 = t0;
    bed_close(&bed);
}

/* No more than one seal: seals are put off when it has ended. */
static void put_off(void *arg, const struct yore_event *event)
{
    struct bed *bed = arg;
    if (event->kind == YORE_EVENT_SEAL && !event->is_begin) {
        bed->db->options.seal_bytes_min = 1ull << 40;
    }
}

/* A key with many versions, and another whose only one begins at `other`, sealed as far as one seal
 * goes. */
static int64_t seal_once(struct bed *bed, int64_t other)
{
    struct yore_options options;
    bed->disk = sim_disk_new(1);
    sim_disk_set_wall(bed->disk, BED_T0);
    store_options_tiny(&options);
    options.seal_bytes_min = 1ull << 40; /* not yet */
    options.seal_versions_per_key = 1;
    options.on_event = put_off;
    options.event_arg = bed;
    CHECK_OK(db_open_inline(sim_disk_env(bed->disk), "db", &options, &bed->db, NULL));
    (void)put_at(bed->db, "other", "1", other, YORE_FOREVER);
    for (int i = 1; i <= 8 * (int)SEAL_SLICES_MAX; i++) {
        (void)put_at(bed->db, "k", "v", AT(i), YORE_FOREVER);
    }
    bed->db->options.seal_bytes_min = 1;
    CHECK_OK(yore_flush(bed->db, NULL));
    CHECK_EQ_UINT(store_stat(bed->db, "history_slices"), SEAL_SLICES_MAX);
    return last_slice(bed)->t1;
}

TEST(what_begins_where_a_seal_ended_stays_when_it_is_superseded)
{
    struct bed bed;
    int64_t t1 = seal_once(&bed, AT(0));
    bed_close(&bed);
    CHECK_EQ_INT(seal_once(&bed, t1), t1);
    (void)put_at(bed.db, "other", "2", AT(1000), YORE_FOREVER);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_STR(get_at(bed.db, "other", t1, YORE_NOW), "1");
    CHECK_EQ_STR(get_at(bed.db, "other", t1 - 1, YORE_NOW), "-");
    bed_close(&bed);
}

/* More slices than one seal may make: it ends where a version begins, which is of the next one. */
TEST(a_seal_that_ends_early_leaves_what_begins_at_its_end)
{
    struct bed bed;
    bed_open(&bed);
    bed.db->options.seal_bytes_min = 1ull << 40; /* not yet */
    for (int i = 1; i <= 4 * (int)SEAL_SLICES_MAX; i++) {
        (void)put_at(bed.db, "k", "v", AT(i), YORE_FOREVER);
    }
    CHECK_OK(yore_flush(bed.db, NULL));
    bed.db->options.seal_bytes_min = 1;
    bed.db->options.seal_versions_per_key = 1;
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(store_stat(bed.db, "history_slices") > SEAL_SLICES_MAX);
    CHECK_OK(yore_verify(bed.db, NULL, NULL, NULL, NULL));
    bed_close(&bed);
}

static void set_seen(void *arg, struct forest_file *file)
{
    file->erase_seen = *(const int64_t *)arg;
}

/* A value that an erasure should have taken: told once the file, or the whole database, is said to
 * have seen the erasure, which was the last. */
TEST(a_value_that_the_last_erasure_left_over_is_found)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "k", "secret");
    CHECK_OK(yore_flush(bed.db, NULL));
    int64_t commit = erase_key(bed.db, "k", YORE_TIME_MIN, YORE_FOREVER);
    CHECK(!is_told(&bed, "erased"));
    bed.db->is_erase_pending = false;
    CHECK(is_told(&bed, "erased, and its value is still there"));
    bed.db->is_erase_pending = true;
    struct superview *view = atomic_load(&bed.db->view);
    tree_each_file(forest_tree(view->forest, 1), set_seen, &commit);
    CHECK(is_told(&bed, "erased, and its value is still there"));
    commit--;
    tree_each_file(forest_tree(view->forest, 1), set_seen, &commit);
    CHECK(!is_told(&bed, "erased"));
    bed_close(&bed);
}

TEST(a_value_is_no_rest_of_an_erasure_that_ends_where_it_begins)
{
    struct bed bed;
    struct yore_verify_report report;
    bed_open(&bed);
    (void)put_at(bed.db, "k", "secret", AT(20), YORE_FOREVER);
    CHECK_OK(yore_flush(bed.db, NULL));
    (void)erase_key(bed.db, "k", AT(10), AT(20));
    CHECK_OK(yore_compact(bed.db, NULL, NULL)); /* there was nothing of it */
    (void)erase_key(bed.db, "k", AT(20), AT(30));
    CHECK_OK(yore_verify(bed.db, NULL, NULL, &report, NULL));
    CHECK_EQ_UINT(report.erasures_pending, 1);
    bed_close(&bed);
}

/* What a cursor opened now holds, `erase` is purged from beside it: how many erasures are pending
 * for its sake? */
static uint64_t pending_beside_reader(struct bed *bed, void (*erase)(struct yore_db *db))
{
    struct yore_cursor *cursor = NULL;
    struct yore_verify_report report;
    CHECK_OK(yore_cursor_open(bed->db, NULL, NULL, &cursor, NULL));
    CHECK_OK(yore_cursor_next(cursor));
    erase(bed->db);
    CHECK_OK(yore_compact(bed->db, NULL, NULL));
    CHECK_OK(yore_verify(bed->db, NULL, NULL, &report, NULL));
    yore_cursor_close(cursor);
    bed_close(bed);
    return report.erasures_pending;
}

static void erase_b(struct yore_db *db)
{
    (void)erase_key(db, "b", YORE_TIME_MIN, YORE_FOREVER);
}

TEST(a_reader_does_not_hold_what_its_tables_have_seen_erased)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "a", "secret");
    (void)put(bed.db, "b", "secret");
    CHECK_OK(yore_flush(bed.db, NULL));
    (void)erase_key(bed.db, "a", YORE_TIME_MIN, YORE_FOREVER);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(pending_beside_reader(&bed, erase_b), 1);
}

TEST(a_reader_does_not_hold_what_its_tables_have_seen_erased_over_a_span)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_at(bed.db, "a", "secret", AT(10), YORE_FOREVER);
    (void)put(bed.db, "b", "secret");
    CHECK_OK(yore_flush(bed.db, NULL));
    (void)erase_key(bed.db, "a", AT(10), AT(20));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(pending_beside_reader(&bed, erase_b), 1);
}

static void erase_from_its_begin(struct yore_db *db)
{
    (void)erase_key(db, "k", AT(10), AT(20));
}

TEST(a_reader_holds_a_version_that_begins_with_the_erased_span)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_at(bed.db, "k", "secret", AT(10), YORE_FOREVER);
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_EQ_UINT(pending_beside_reader(&bed, erase_from_its_begin), 1);
}

static void erase_up_to_its_begin(struct yore_db *db)
{
    (void)erase_key(db, "k", AT(10), AT(20));
    erase_b(db);
}

TEST(a_reader_holds_nothing_of_a_span_that_ends_where_its_versions_begin)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_at(bed.db, "b", "secret", AT(20), YORE_FOREVER);
    (void)put_at(bed.db, "k", "public", AT(20), YORE_FOREVER);
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_EQ_UINT(pending_beside_reader(&bed, erase_up_to_its_begin), 1);
}

/* ---- restoring what was erased since ---- */

static void back_up(struct bed *bed)
{
    struct yore_backup_info info;
    CHECK_OK(yore_backup(bed->db, "backup", NULL, NULL, &info, NULL));
}

static struct yore_db *restored(struct bed *bed, uint64_t id, int64_t to_commit)
{
    struct os_env *env = sim_disk_env(bed->disk);
    struct yore_db *db = NULL;
    struct yore_options options;
    struct yore_restore restore = {
        .backup_path = "backup", .target_path = "restored", .id = id, .to_commit = to_commit};
    store_options_tiny(&options);
    CHECK_OK(db_restore(env, &restore, NULL));
    CHECK_OK(db_open_inline(env, "restored", &options, &db, NULL));
    return db;
}

/* To the very commit of what held there. */
TEST(rewinding_to_what_an_erased_span_copied_keeps_the_copy)
{
    struct bed bed;
    bed_open(&bed);
    int64_t commit = put_at(bed.db, "key", "inside", AT(22), YORE_FOREVER);
    (void)erase_key(bed.db, "key", AT(20), AT(30));
    back_up(&bed);
    struct yore_db *db = restored(&bed, 0, commit);
    CHECK_EQ_STR(get_at(db, "key", AT(25), YORE_NOW), "!");
    CHECK_EQ_STR(get_at(db, "key", AT(35), YORE_NOW), "inside");
    CHECK_OK(yore_close(db, NULL));
    bed_close(&bed);
}

/* When it was erased the key was absent; in the restored state it is there.  The clock may stand
 * before that commit or behind it. */
TEST(an_erasure_from_its_own_commit_on_is_made_again)
{
    for (int is_behind = 0; is_behind < 2; is_behind++) {
        struct bed bed;
        bed_open(&bed);
        (void)put(bed.db, "key", "a secret of somebody");
        back_up(&bed);
        (void)delete_at(bed.db, "key", YORE_NOW);
        int64_t now = yore_now(bed.db);
        sim_disk_set_wall(bed.disk,
                          BED_T0 - 1000 * BED_SECOND); /* a nanosecond from commit to commit */
        CHECK_EQ_INT(erase_key(bed.db, "key", now + 1, YORE_FOREVER), now + 1);
        back_up(&bed);
        if (is_behind != 0) {
            sim_disk_set_wall(bed.disk, BED_T0 + 1000 * BED_SECOND);
        }
        struct yore_db *db = restored(&bed, 1, YORE_FOREVER);
        CHECK_EQ_STR(get_at(db, "key", now + 1, YORE_NOW), "!");
        CHECK_OK(yore_close(db, NULL));
        bed_close(&bed);
    }
}

/* Their rules have one commit time, which only the first can have once more. */
TEST(all_that_one_transaction_erased_is_erased_again)
{
    struct bed bed;
    struct yore_txn *txn = NULL;
    const struct yore_bytes keys[] = {text("a"), text("b")};
    bed_open(&bed);
    (void)put(bed.db, "a", "secret");
    (void)put(bed.db, "b", "secret");
    back_up(&bed);
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    CHECK_OK(txn_erase_keys(txn, NULL, keys, 2, NULL));
    CHECK_OK(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL));
    back_up(&bed);
    struct yore_db *db = restored(&bed, 1, YORE_FOREVER);
    CHECK_EQ_STR(get(db, "a"), "!");
    CHECK_EQ_STR(get(db, "b"), "!");
    CHECK_OK(yore_close(db, NULL));
    bed_close(&bed);
}

/* ---- a drop that is not visible yet ---- */

/* As a leader carries out a drop; a transaction begins when it is applied, and not yet visible. */
static struct yore_txn *begin_amid_drop(struct bed *bed)
{
    const struct commit_write drop = {.keyspace = KEYSPACE_SYSTEM,
                                      .kind = YORE_KIND_DELETE,
                                      .key = text(KEYSPACE_RECORD_PREFIX "q")};
    struct yore_txn *txn;
    int64_t commit;
    int64_t before;
    commit_lead_alone(bed->db);
    CHECK_OK(commit_assign(bed->db, &commit, &before, NULL));
    CHECK_OK(catalogue_apply(bed->db, &drop, commit, NULL));
    CHECK_OK(yore_begin(bed->db, &txn, NULL));
    atomic_store(&bed->db->visible, commit);
    commit_lead_no_more(bed->db);
    return txn;
}

TEST(a_transaction_that_began_amid_a_drop_conflicts_if_it_read_what_was_dropped)
{
    for (int is_reading = 0; is_reading < 2; is_reading++) {
        struct bed bed;
        struct yore_keyspace *q;
        struct yore_value value;
        bed_open(&bed);
        CHECK_OK(yore_keyspace_create(bed.db, "q", NULL, &q, NULL));
        CHECK_OK(yore_put(bed.db, q, text("a"), text("1"), NULL, NULL));
        struct yore_txn *txn = begin_amid_drop(&bed);
        if (is_reading) { /* what was before the drop: the transaction must come before it too */
            CHECK_OK(yore_txn_get(txn, q, text("a"), NULL, &value, NULL));
            yore_value_release(&value);
        } else {
            CHECK_EQ_STR(txn_get(txn, "a"), "-");
        }
        CHECK_OK(yore_txn_put(txn, NULL, text("b"), text("2"), NULL, NULL));
        CHECK_STATUS(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL),
                     is_reading ? YORE_CONFLICT : YORE_OK);
        CHECK_EQ_STR(get(bed.db, "b"), is_reading ? "-" : "2");
        bed_close(&bed);
    }
}

TEST_MAIN(a_reader_does_not_hold_what_its_tables_have_seen_erased_over_a_span,
          what_begins_where_a_seal_ended_stays_when_it_is_superseded,
          a_value_is_no_rest_of_an_erasure_that_ends_where_it_begins,
          a_slice_that_knows_less_than_the_one_before_it_is_none,
          a_seal_that_ends_early_leaves_what_begins_at_its_end,
          a_reader_holds_nothing_of_a_span_that_ends_where_its_versions_begin,
          all_that_one_transaction_erased_is_erased_again, a_slice_that_holds_no_time_is_no_slice,
          a_version_at_the_end_of_its_slice_is_outside, a_copy_at_the_begin_of_its_slice_is_none,
          a_value_that_the_last_erasure_left_over_is_found,
          a_reader_does_not_hold_what_its_tables_have_seen_erased,
          a_reader_holds_a_version_that_begins_with_the_erased_span,
          rewinding_to_what_an_erased_span_copied_keeps_the_copy,
          an_erasure_from_its_own_commit_on_is_made_again,
          a_transaction_that_began_amid_a_drop_conflicts_if_it_read_what_was_dropped)
