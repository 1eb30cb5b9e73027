#include <string.h>

#include "base/coding.h"
#include "journal_support.h"

static void open_settled(struct world *w)
{
    CHECK_OK(world_open(w));
    CHECK_OK(world_settle(w));
}

TEST(a_new_journal_replays_nothing)
{
    struct world w;
    world_init(&w, 1);
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.recovery.records, 0);
    CHECK(!w.recovery.is_torn);
    CHECK_EQ_UINT(w.recovery.first_live_segment, journal_segment(w.journal));
    CHECK_EQ_INT(journal_appended_commit(w.journal), INT64_MIN);
    world_free(&w);
}

TEST(what_was_appended_is_replayed_after_a_close)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_OK(world_append(&w, 3, 0));
    CHECK_OK(world_append(&w, 1, 100));
    CHECK_OK(world_close(&w));
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.replayed_first, 1);
    CHECK_EQ_UINT(w.replayed_last, 4);
    CHECK(!w.recovery.is_torn);
    world_free(&w);
}

TEST(a_sync_makes_durable_what_was_appended_before)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_OK(world_append(&w, 3, 0));
    CHECK_EQ_INT(journal_appended_commit(w.journal), 30);
    CHECK_EQ_INT(journal_durable_commit(w.journal), INT64_MIN);
    CHECK_OK(world_sync(&w));
    CHECK_EQ_INT(journal_durable_commit(w.journal), 30);
    world_crash(&w, SIM_CRASH_DROP_ALL, 1);
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.replayed_last, 3);
    world_free(&w);
}

TEST(a_killed_process_loses_nothing)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_OK(world_append(&w, 5, 0));
    world_crash(&w, SIM_CRASH_KEEP_ALL, 1);
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.replayed_last, 5);
    CHECK(!w.recovery.is_torn);
    world_free(&w);
}

TEST(an_append_is_one_write)
{
    struct world w;
    world_init(&w, 1);
    w.options.segment_bytes = 1 << 20;
    open_settled(&w);
    uint64_t before = sim_disk_op_count(w.disk);
    CHECK_OK(world_append(&w, 16, 0));
    CHECK_EQ_UINT(sim_disk_op_count(w.disk), before + 1);
    world_free(&w);
}

TEST(a_full_segment_is_followed_by_the_next)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    uint64_t first = journal_segment(w.journal);
    for (int i = 0; i < 30; i++) {
        CHECK_OK(world_append(&w, 1, 200));
    }
    CHECK_EQ_UINT(journal_segment(w.journal), first + 3);
    CHECK_EQ_UINT(journal_next_segment(w.journal), first + 4);
    CHECK_OK(world_close(&w));
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.replayed_first, 1);
    CHECK_EQ_UINT(w.replayed_last, 30);
    CHECK_EQ_UINT(w.recovery.segments, 4);
    world_free(&w);
}

TEST(a_group_larger_than_a_segment_is_written_whole)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_OK(world_append(&w, 1, 60000));
    CHECK_OK(world_append(&w, 1, 10));
    CHECK_OK(world_close(&w));
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.replayed_last, 2);
    world_free(&w);
}

TEST(segments_below_the_first_live_one_are_not_replayed)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_OK(world_append(&w, 4, 0));
    CHECK_OK(world_flush(&w));
    CHECK_OK(world_append(&w, 2, 0));
    CHECK_OK(world_close(&w));
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.replayed_first, 5);
    CHECK_EQ_UINT(w.replayed_last, 6);
    world_free(&w);
}

TEST(rotating_an_empty_segment_changes_nothing)
{
    struct world w;
    uint64_t segment;
    world_init(&w, 1);
    open_settled(&w);
    uint64_t before = journal_segment(w.journal);
    CHECK_OK(journal_rotate(w.journal, &segment, NULL));
    CHECK_EQ_UINT(segment, before);
    CHECK_OK(world_append(&w, 1, 0));
    CHECK_OK(journal_rotate(w.journal, &segment, NULL));
    CHECK_EQ_UINT(segment, before + 1);
    world_free(&w);
}

static int count_names(void *arg, const char *name)
{
    int *counts = arg;
    counts[strncmp(name, "journal-free-", 13) == 0]++;
    return 0;
}

/* Segments and spares in the directory. */
static void count_files(struct world *w, int counts[2])
{
    counts[0] = counts[1] = 0;
    CHECK_OK(os_dir_list(w->env, WORLD_DIR, count_names, counts, NULL));
}

TEST(released_segments_are_recycled)
{
    struct world w;
    int files[2];
    world_init(&w, 1);
    open_settled(&w);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(world_append(&w, 2, 400));
        CHECK_OK(world_flush(&w));
        count_files(&w, files);
        CHECK(files[0] == 1 && files[1] <= 2);
    }
    uint64_t bytes;
    int64_t first;
    journal_usage(w.journal, &bytes, &first);
    CHECK(bytes <= 4 * w.options.segment_bytes);
    CHECK_EQ_INT(first, INT64_MAX);
    CHECK_OK(world_close(&w));
    count_files(&w, files);
    CHECK_EQ_INT(files[0], 1);
    CHECK_EQ_INT(files[1], 0);
    CHECK(world_file_size(&w, world_segment(w.options.first_segment)) < 200);
    world_free(&w);
}

TEST(without_recycling_released_segments_are_unlinked)
{
    struct world w;
    int files[2];
    world_init(&w, 1);
    w.options.recycle_count_max = 0;
    open_settled(&w);
    for (int i = 0; i < 5; i++) {
        CHECK_OK(world_append(&w, 2, 400));
        CHECK_OK(world_flush(&w));
    }
    count_files(&w, files);
    CHECK_EQ_INT(files[0], 1);
    CHECK_EQ_INT(files[1], 0);
    world_free(&w);
}

TEST(released_segments_are_kept_for_readers_within_their_bytes)
{
    struct world w;
    uint64_t bytes;
    int64_t first;
    world_init(&w, 1);
    w.options.keep_bytes = 5 * 2048;
    open_settled(&w);
    for (int i = 0; i < 40; i++) {
        CHECK_OK(world_append(&w, 1, 500));
    }
    CHECK_OK(world_flush(&w));
    journal_usage(w.journal, &bytes, &first);
    CHECK(first > 10 && first <= 300);
    uint32_t held = (uint32_t)(first / 10);
    CHECK_EQ_UINT(world_read_after(&w, held - 1), 40 - held + 1);
    struct journal_reader *reader;
    CHECK_STATUS(journal_reader_open(w.journal, 0, &reader, &w.error), YORE_BEFORE_HORIZON);
    /* And over a restart. */
    CHECK_OK(world_close(&w));
    open_settled(&w);
    int64_t first_again;
    journal_usage(w.journal, &bytes, &first_again);
    CHECK(first_again >= first &&
          first_again <= first + 60); /* the segment that was closed counts too */
    held = (uint32_t)(first_again / 10);
    CHECK_EQ_UINT(world_read_after(&w, held - 1), 40 - held + 1);
    CHECK_STATUS(journal_reader_open(w.journal, 0, &reader, &w.error), YORE_BEFORE_HORIZON);
    world_free(&w);
}

TEST(a_reader_sees_each_commit_once_although_recovery_copies)
{
    struct world w;
    world_init(&w, 1);
    w.options.keep_bytes = 1 << 20;
    open_settled(&w);
    CHECK_OK(world_append(&w, 10, 0));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(world_close(&w));
        open_settled(&w);
        CHECK_OK(world_append(&w, 5, 100));
        CHECK_EQ_UINT(world_read_after(&w, 0), w.appended);
        CHECK_EQ_UINT(world_read_after(&w, 7), w.appended - 7);
        CHECK_EQ_UINT(world_read_after(&w, w.appended), 0);
    }
    world_free(&w);
}

TEST(a_reader_ends_where_the_journal_ended_when_it_was_opened)
{
    struct world w;
    struct journal_reader *reader;
    struct yore_bytes payload;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_OK(world_append(&w, 3, 0));
    CHECK_OK(journal_reader_open(w.journal, 0, &reader, &w.error));
    for (int i = 0; i < 20; i++) {
        CHECK_OK(world_append(&w, 1, 300));
    }
    for (int i = 0; i < 3; i++) {
        CHECK_OK(journal_reader_next(reader, &payload, &w.error));
    }
    CHECK_STATUS(journal_reader_next(reader, &payload, &w.error), YORE_NOT_FOUND);
    CHECK_STATUS(journal_reader_next(reader, &payload, &w.error), YORE_NOT_FOUND);
    journal_reader_close(reader);
    world_free(&w);
}

TEST(a_segment_being_read_is_kept)
{
    struct world w;
    struct journal_reader *reader;
    struct yore_bytes payload;
    int files[2];
    world_init(&w, 1);
    open_settled(&w);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(world_append(&w, 1, 300));
    }
    CHECK_OK(journal_reader_open(w.journal, 0, &reader, &w.error));
    CHECK_OK(world_flush(&w));
    CHECK_OK(journal_purge(w.journal, &w.error));
    for (int i = 0; i < 20; i++) {
        CHECK_OK(world_append(&w, 1, 300)); /* would overwrite what was recycled */
        CHECK_OK(world_flush(&w));
    }
    for (int i = 0; i < 20; i++) {
        CHECK_OK(journal_reader_next(reader, &payload, &w.error));
        CHECK_EQ_INT((int64_t)get_u64(payload.data), (i + 1) * 10);
    }
    CHECK_STATUS(journal_reader_next(reader, &payload, &w.error), YORE_NOT_FOUND);
    journal_reader_close(reader);
    count_files(&w, files);
    CHECK_EQ_INT(files[0], 1);
    world_free(&w);
}

TEST(a_purge_leaves_no_octet_of_what_was_released)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    world_append_octets(&w, 1, 'a');
    world_append_octets(&w, 2, 'S');
    CHECK_OK(world_flush(&w));
    CHECK_OK(world_append(&w, 1, 0)); /* into a new file, while the old one is a spare */
    CHECK_OK(world_flush(&w));        /* the spare is in use again, its end still as it was */
    CHECK(world_is_on_disk(&w, 'S'));
    CHECK_OK(journal_purge(w.journal, &w.error));
    CHECK(!world_is_on_disk(&w, 'S'));
    world_crash(&w, SIM_CRASH_DROP_ALL, 1);
    CHECK(!world_is_on_disk(&w, 'S'));
    world_free(&w);
}

TEST(a_mark_is_written_only_after_new_commits)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_OK(world_append(&w, 1, 0));
    CHECK_OK(journal_mark(w.journal, &w.error));
    uint64_t ops = sim_disk_op_count(w.disk);
    CHECK_OK(journal_mark(w.journal, &w.error));
    CHECK_EQ_UINT(sim_disk_op_count(w.disk), ops);
    CHECK_EQ_INT(journal_durable_commit(w.journal), 10);
    world_free(&w);
}

/* The now that the next opening tells after a note of `now` and, if `is_closed`, a close, else a
 * mark and a kill. */
static int64_t now_after(struct world *w, int64_t now, bool is_closed)
{
    journal_note_now(w->journal, now);
    if (is_closed) {
        CHECK_OK(world_close(w));
    } else {
        CHECK_OK(journal_mark(w->journal, &w->error));
        world_crash(w, SIM_CRASH_DROP_ALL, 1);
    }
    CHECK_OK(world_open(w));
    CHECK_OK(world_settle(w));
    return w->recovery.now;
}

TEST(the_noted_now_is_told_after_a_restart)
{
    for (int is_closed = 0; is_closed < 2; is_closed++) {
        struct world w;
        world_init(&w, 1);
        open_settled(&w);
        CHECK_EQ_INT(w.recovery.now, INT64_MIN);
        CHECK_OK(world_append(&w, 2, 100));
        CHECK_EQ_INT(now_after(&w, 25, is_closed), 25);
        CHECK_EQ_INT(now_after(&w, 24, is_closed), 25);
        CHECK_OK(world_append(&w, 1, 100)); /* 30 */
        CHECK_EQ_INT(now_after(&w, 28, true), 25);
        CHECK_EQ_INT(now_after(&w, 33, true), 33);
        CHECK_EQ_UINT(w.replayed_last, 3);
        world_free(&w);
    }
}

TEST(a_close_without_commits_records_the_now)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_EQ_INT(now_after(&w, 7, true), 7);
    CHECK_EQ_INT(now_after(&w, 9, true), 9);
    CHECK_OK(world_append(&w, 1, 100));
    CHECK_OK(journal_mark(w.journal, &w.error));
    CHECK_EQ_INT(now_after(&w, 12, true), 12); /* although nothing was left to mark */
    world_free(&w);
}

TEST(a_marked_now_does_not_go_with_its_segment)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_OK(world_append(&w, 1, 100));
    journal_note_now(w.journal, 17);
    CHECK_OK(journal_mark(w.journal, &w.error));
    CHECK_OK(world_flush(&w));
    CHECK_OK(world_flush(&w));
    world_crash(&w, SIM_CRASH_DROP_ALL, 1);
    CHECK_OK(world_open(&w));
    CHECK_EQ_INT(w.recovery.now, 17);
    CHECK_EQ_UINT(w.recovery.records, 0);
    world_free(&w);
}

TEST(verify_counts_every_commit)
{
    struct world w;
    uint64_t records;
    uint64_t bytes;
    world_init(&w, 1);
    open_settled(&w);
    for (int i = 0; i < 12; i++) {
        CHECK_OK(world_append(&w, 1, 500));
    }
    CHECK_OK(journal_verify(w.journal, &records, &bytes, &w.error));
    CHECK_EQ_UINT(records, 12);
    CHECK(bytes > 6000);
    world_free(&w);
}

TEST(after_a_failed_sync_everything_repeats_the_error)
{
    struct world w;
    struct yore_error first;
    uint64_t segment;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_OK(world_append(&w, 1, 0));
    sim_disk_fail(w.disk, SIM_FAULT_SYNC, 1, false);
    CHECK_STATUS(world_sync(&w), YORE_IO);
    first = w.error;
    CHECK_STATUS(world_sync(&w), YORE_IO);
    CHECK_EQ_STR(w.error.text, first.text);
    CHECK_STATUS(world_append(&w, 1, 0), YORE_IO);
    CHECK_EQ_STR(w.error.text, first.text);
    CHECK_STATUS(journal_rotate(w.journal, &segment, &w.error), YORE_IO);
    CHECK_STATUS(journal_mark(w.journal, &w.error), YORE_IO);
    CHECK_STATUS(world_close(&w), YORE_IO);
    CHECK_EQ_STR(w.error.text, first.text);
    CHECK_OK(world_open(&w));
    world_free(&w);
}

TEST(a_full_disk_stops_the_journal_and_reopening_mends_it)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_OK(world_append(&w, 4, 100));
    CHECK_OK(world_sync(&w));
    sim_disk_set_capacity(w.disk, sim_disk_used(w.disk) + 300);
    enum yore_status st = YORE_OK;
    while (st == YORE_OK) {
        st = world_append(&w, 1, 150);
    }
    CHECK_STATUS(st, YORE_NO_SPACE);
    CHECK_STATUS(world_sync(&w), YORE_NO_SPACE);
    CHECK_STATUS(world_close(&w), YORE_NO_SPACE);
    CHECK_STATUS(world_open(&w), YORE_NO_SPACE);
    sim_disk_set_capacity(w.disk, 1 << 20);
    open_settled(&w);
    CHECK(w.replayed_last >= 4);
    CHECK_OK(world_append(&w, 4, 100));
    CHECK_OK(world_close(&w));
    CHECK_OK(world_open(&w));
    world_free(&w);
}

TEST(an_opening_that_fails_on_a_full_disk_gives_the_room_of_its_copy_back)
{
    struct world w;
    enum yore_status st = YORE_NO_SPACE;
    world_init(&w, 1);
    open_settled(&w);
    for (int i = 0; i < 40; i++) {
        CHECK_OK(world_append(&w, 1, 100));
    }
    CHECK_OK(world_sync(&w));
    world_crash(&w, SIM_CRASH_KEEP_ALL, 1);
    uint64_t used = sim_disk_used(w.disk);
    for (uint64_t room = 0; st == YORE_NO_SPACE; room += 13) {
        sim_disk_set_capacity(w.disk, used + room);
        st = world_open(&w);
        CHECK_EQ_UINT(st == YORE_OK ? used : sim_disk_used(w.disk), used);
    }
    CHECK_OK(st);
    CHECK_EQ_UINT(w.replayed_last, 40);
    world_free(&w);
}

TEST(an_opening_that_fails_on_a_full_disk_gives_back_a_copy_of_several_segments)
{
    struct world w;
    enum yore_status st = YORE_NO_SPACE;
    world_init(&w, 1);
    open_settled(&w);
    for (int i = 0; i < 40; i++) {
        CHECK_OK(world_append(&w, 1, 60000));
    }
    CHECK_OK(world_sync(&w));
    world_crash(&w, SIM_CRASH_KEEP_ALL, 1);
    uint64_t used = sim_disk_used(w.disk);
    for (uint64_t room = 1000; st == YORE_NO_SPACE; room += 30011) {
        sim_disk_set_capacity(w.disk, used + room);
        st = world_open(&w);
        CHECK_EQ_UINT(st == YORE_OK ? used : sim_disk_used(w.disk), used);
    }
    CHECK_OK(st);
    CHECK(journal_next_segment(w.journal) > w.recovery.first_live_segment + 1);
    CHECK_EQ_UINT(w.replayed_last, 40);
    world_free(&w);
}

TEST(a_copy_of_large_commits_goes_on_in_segment_after_segment)
{
    struct world w;
    const uint64_t large = 1200000;
    world_init(&w, 1);
    w.options.segment_bytes = 100000;
    open_settled(&w);
    for (int i = 0; i < 6; i++) {
        CHECK_OK(world_append(&w, 1, large));
        CHECK_OK(world_append(&w, 1, 1000));
    }
    CHECK_OK(world_close(&w));
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.replayed_last, 12);
    for (uint64_t i = w.recovery.first_live_segment; i < journal_next_segment(w.journal); i++) {
        CHECK(world_file_size(&w, world_segment(i)) < large + 2 * w.options.segment_bytes);
    }
    CHECK_OK(world_settle(&w));
    CHECK_EQ_UINT(world_read_after(&w, 0), 12);
    world_free(&w);
}

TEST(spares_make_room_for_the_copy_on_a_full_disk)
{
    struct world w;
    int files[2];
    world_init(&w, 1);
    open_settled(&w);
    for (int i = 0; i < 6; i++) {
        CHECK_OK(world_append(&w, 2, 400));
        CHECK_OK(world_flush(&w));
    }
    CHECK_OK(world_append(&w, 1, 400));
    CHECK_OK(world_sync(&w));
    world_crash(&w, SIM_CRASH_KEEP_ALL, 1);
    count_files(&w, files);
    CHECK(files[1] > 0);
    sim_disk_set_capacity(w.disk, sim_disk_used(w.disk));
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.replayed_last, 13);
    sim_disk_set_capacity(w.disk, UINT64_MAX);
    world_free(&w);
}

static enum yore_status refuse(void *arg, struct yore_bytes payload, struct yore_error *error_out)
{
    (void)payload;
    (*(int *)arg)++;
    return error_set(error_out, YORE_NOMEM, "refused");
}

TEST(a_replay_that_fails_ends_the_opening_and_changes_nothing)
{
    struct world w;
    struct journal *journal;
    struct journal_recovery recovery;
    int calls = 0;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_OK(world_append(&w, 3, 0));
    CHECK_OK(world_close(&w));
    uint64_t used = sim_disk_used(w.disk);
    CHECK_STATUS(
        journal_open(w.env, WORLD_DIR, &w.options, refuse, &calls, &recovery, &journal, &w.error),
        YORE_NOMEM);
    CHECK_EQ_STR(w.error.text, "refused");
    CHECK_EQ_INT(calls, 1);
    CHECK(journal == NULL);
    CHECK_EQ_UINT(sim_disk_used(w.disk), used);
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.replayed_last, 3);
    world_free(&w);
}

TEST(commits_acknowledged_before_the_manifest_names_the_copy_are_kept)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_OK(world_append(&w, 3, 0));
    for (int i = 0; i < 4; i++) {
        CHECK_OK(world_close(&w));
        CHECK_OK(world_open(&w)); /* never settled */
        CHECK_OK(world_append(&w, 9, 200));
        CHECK_OK(world_sync(&w));
    }
    world_crash(&w, SIM_CRASH_DROP_ALL, 1);
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.replayed_first, 1);
    CHECK_EQ_UINT(w.replayed_last, 39);
    world_free(&w);
}

TEST(a_copy_may_begin_where_the_segments_before_it_end)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    CHECK_OK(world_close(&w));
    CHECK_OK(world_open(&w)); /* never settled; there is nothing to copy */
    CHECK_OK(world_append(&w, 2, 0));
    CHECK_OK(world_sync(&w));
    world_crash(&w, SIM_CRASH_DROP_ALL, 1);
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.replayed_last, 2);
    world_free(&w);
}

TEST(a_copy_of_several_segments_may_be_left_behind_by_a_crash)
{
    struct world w;
    world_init(&w, 1);
    open_settled(&w);
    for (int i = 0; i < 60; i++) {
        CHECK_OK(world_append(&w, 1, 60000));
    }
    CHECK_OK(world_sync(&w));
    for (int i = 0; i < 2; i++) {
        world_crash(&w, SIM_CRASH_DROP_ALL, 1);
        CHECK_OK(world_open(&w)); /* never settled */
        CHECK(journal_segment(w.journal) > w.recovery.first_live_segment);
        CHECK_EQ_UINT(w.replayed_last, 60);
    }
    world_free(&w);
}

/* Fill a segment without a sync, so that it is sealed without one, and go on in the next. */
static uint64_t close_unsynced(struct world *w)
{
    world_init(w, 1);
    open_settled(w);
    uint64_t first = journal_segment(w->journal);
    for (int i = 0; i < 9; i++) {
        CHECK_OK(world_append(w, 1, 200));
    }
    CHECK_EQ_UINT(journal_segment(w->journal), first + 1);
    CHECK_EQ_INT(journal_durable_commit(w->journal), INT64_MIN);
    return first;
}

TEST(a_closed_segment_whose_tail_never_became_durable_is_cut)
{
    struct world w;
    uint64_t first = close_unsynced(&w);
    world_crash(&w, SIM_CRASH_KEEP_ALL, 1);
    w.acked = 0; /* the power went, and took the tail of the first segment but not the second one */
    CHECK(sim_disk_flip_bit(w.disk, world_segment(first), 1500, 0));
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.replayed_last, 5);
    CHECK(w.recovery.is_torn);
    CHECK_EQ_UINT(w.recovery.torn_segment, first);
    CHECK(w.recovery.torn_offset > 1000 && w.recovery.torn_offset < 1500);
    /* And what lay behind the cut stays away. */
    CHECK_OK(world_append(&w, 3, 100));
    CHECK_OK(world_close(&w));
    CHECK_OK(world_open(&w));
    CHECK_EQ_UINT(w.replayed_last, 8);
    CHECK(!w.recovery.is_torn);
    world_free(&w);
}

TEST(a_closed_segment_that_the_next_one_calls_durable_is_never_cut)
{
    struct world w;
    uint64_t first = close_unsynced(&w);
    CHECK_OK(world_sync(&w));
    CHECK_OK(world_append(&w, 1, 10));
    world_crash(&w, SIM_CRASH_KEEP_ALL, 1);
    CHECK(sim_disk_flip_bit(w.disk, world_segment(first), 1500, 0));
    CHECK_STATUS(world_open(&w), YORE_CORRUPT);
    CHECK(strstr(w.error.text, world_segment(first)) != NULL);
    world_free(&w);
}

/* The worked example of docs/format.md. */
TEST(the_bytes_are_those_of_the_format_page)
{
    static const unsigned char want[] = {
        0x59, 0x4f, 0x52, 0x45, 0x6c, 0x6f, 0x67, 0x0a, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
        0x00, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x65, 0x68, 0x87, 0xc5, 0x90, 0x5c, 0x1b, 0xbd, 0x14, 0xf7, 0xbd, 0x7b, 0x10, 0x00, 0x00,
        0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0xf7,
        0xf4, 0xc0, 0x32, 0x6b, 0x8c, 0x0c, 0x84, 0x20, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
        0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x40, 0x89, 0x8f, 0x44, 0xfd, 0x79,
        0x18, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x01, 0x04, 0x08, 0x63, 0x61,
        0x72, 0x74, 0x33, 0x20, 0x61, 0x70, 0x70, 0x6c, 0x65, 0x73, 0xf1, 0x8f, 0xda, 0x91, 0xdc,
        0x72, 0x53, 0x34, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
        0x02, 0x00, 0x00, 0x00,
    };
    struct world w;
    struct buffer writes = {0};
    unsigned char header[COMMIT_HEADER_BYTES];
    const struct commit_write write = {.keyspace = 1,
                                       .kind = YORE_KIND_PUT,
                                       .is_from_commit = true,
                                       .valid_to = YORE_FOREVER,
                                       .key = {"cart", 4},
                                       .value = {"3 apples", 8}};
    world_init(&w, 1);
    w.options.database = 0x0123456789abcdef;
    CHECK_OK(world_open(&w));
    commit_write_encode(&writes, &write);
    commit_header_encode(header, 1763719200000000000, 1);
    const struct journal_entry entry = {.commit = 1763719200000000000,
                                        .header = bytes_of(header, sizeof(header)),
                                        .writes = buffer_bytes(&writes)};
    CHECK_OK(journal_append(w.journal, &entry, 1, &w.error));
    CHECK_OK(world_close(&w));
    unsigned char got[sizeof(want) + 1];
    size_t size;
    struct os_file *file;
    CHECK_OK(os_file_open(w.env, world_segment(1), OS_OPEN_READ, &file, NULL));
    CHECK_OK(os_file_read(file, 0, got, sizeof(got), &size, NULL));
    CHECK_EQ_BYTES(got, size, want, sizeof(want));
    os_file_close(file);
    buffer_release(&writes);
    world_free(&w);
}

TEST_MAIN(a_copy_may_begin_where_the_segments_before_it_end, a_new_journal_replays_nothing,
          what_was_appended_is_replayed_after_a_close,
          a_sync_makes_durable_what_was_appended_before, a_killed_process_loses_nothing,
          an_append_is_one_write, a_full_segment_is_followed_by_the_next,
          a_group_larger_than_a_segment_is_written_whole,
          segments_below_the_first_live_one_are_not_replayed,
          rotating_an_empty_segment_changes_nothing, released_segments_are_recycled,
          without_recycling_released_segments_are_unlinked,
          released_segments_are_kept_for_readers_within_their_bytes,
          a_reader_sees_each_commit_once_although_recovery_copies,
          a_reader_ends_where_the_journal_ended_when_it_was_opened, a_segment_being_read_is_kept,
          a_purge_leaves_no_octet_of_what_was_released, a_mark_is_written_only_after_new_commits,
          the_noted_now_is_told_after_a_restart, a_close_without_commits_records_the_now,
          a_marked_now_does_not_go_with_its_segment, verify_counts_every_commit,
          after_a_failed_sync_everything_repeats_the_error,
          a_full_disk_stops_the_journal_and_reopening_mends_it,
          an_opening_that_fails_on_a_full_disk_gives_the_room_of_its_copy_back,
          an_opening_that_fails_on_a_full_disk_gives_back_a_copy_of_several_segments,
          a_copy_of_large_commits_goes_on_in_segment_after_segment,
          spares_make_room_for_the_copy_on_a_full_disk,
          a_replay_that_fails_ends_the_opening_and_changes_nothing,
          commits_acknowledged_before_the_manifest_names_the_copy_are_kept,
          a_copy_of_several_segments_may_be_left_behind_by_a_crash,
          a_closed_segment_whose_tail_never_became_durable_is_cut,
          a_closed_segment_that_the_next_one_calls_durable_is_never_cut,
          the_bytes_are_those_of_the_format_page)
