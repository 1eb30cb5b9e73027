/* A rotation that wants for a file handle or for memory: it is refused, nothing has changed, and it
 * is done when there is one.  What a crash in between leaves: journal_crash_test.c, "starved". */
#include <string.h>

#include "base/mem.h"
#include "journal_support.h"

#define LATER 1000000

/* With a spare, or without. */
static void open_settled(struct world *w, bool has_spare)
{
    world_init(w, 1);
    CHECK_OK(world_open(w));
    CHECK_OK(world_settle(w));
    if (has_spare) {
        CHECK_OK(world_append(w, 2, 400));
        CHECK_OK(world_flush(w));
    }
}

static int count_name(void *arg, const char *name)
{
    *(unsigned *)arg += strncmp(name, "journal-", 8) == 0;
    return 0;
}

static unsigned count_files(struct world *w)
{
    unsigned count = 0;
    CHECK_OK(os_dir_list(w->env, WORLD_DIR, count_name, &count, NULL));
    return count;
}

/* Handles are refused from now on, but for `more`. */
static void starve(struct world *w, uint64_t more)
{
    (void)sim_disk_handles_peak(w->disk);
    sim_disk_set_handles(w->disk, sim_disk_handles_peak(w->disk) + more);
}

static void check_whole(struct world *w)
{
    uint64_t records;
    uint64_t bytes;
    uint32_t appended = w->appended;
    CHECK_OK(journal_verify(w->journal, &records, &bytes, &w->error));
    CHECK_EQ_UINT(world_read_after(w, w->flushed), appended - w->flushed);
    CHECK_OK(world_close(w));
    CHECK_OK(world_open(w));
    CHECK(!w->recovery.is_torn);
    CHECK_EQ_UINT(w->appended, appended);
}

/* One handle more is enough for the segment's file, but not for its directory. */
#define MORE_MAX 1u

TEST(an_append_that_is_refused_a_handle_changes_nothing_and_is_done_later)
{
    for (uint64_t more = 0; more <= MORE_MAX; more++) {
        for (unsigned has_spare = 0; has_spare < 2; has_spare++) {
            struct world w;
            test_note("%u more handles, spare %u", (unsigned)more, has_spare);
            open_settled(&w, has_spare == 1);
            CHECK_OK(world_append(&w, 3, 500));
            uint64_t segment = journal_segment(w.journal);
            starve(&w, more);
            for (int i = 0; i < 3; i++) {
                CHECK_STATUS(world_append(&w, 1, 500), YORE_NO_FILES);
                CHECK(strstr(w.error.text, "too many open files") != NULL);
                CHECK(!journal_has_failed(w.journal));
                CHECK_EQ_UINT(journal_segment(w.journal), segment);
                CHECK_EQ_UINT(journal_next_segment(w.journal), segment + 1);
            }
            CHECK_OK(world_sync(&w));
            CHECK_OK(world_append(&w, 1, 100)); /* the old segment has room for it */
            CHECK_OK(journal_mark(w.journal, &w.error));
            sim_disk_set_handles(w.disk, 0);
            CHECK_OK(world_append(&w, 1, 500));
            CHECK_EQ_UINT(journal_segment(w.journal), segment + 1);
            CHECK_OK(world_append(&w, 8, 500));
            check_whole(&w);
            world_free(&w);
        }
    }
}

TEST(a_rotation_that_is_refused_a_handle_leaves_no_file)
{
    for (uint64_t more = 0; more <= MORE_MAX; more++) {
        struct world w;
        uint64_t segment;
        open_settled(&w, false);
        CHECK_OK(world_append(&w, 1, 500));
        uint64_t before = journal_segment(w.journal);
        unsigned files = count_files(&w);
        starve(&w, more);
        CHECK_STATUS(journal_rotate(w.journal, &segment, &w.error), YORE_NO_FILES);
        CHECK_EQ_UINT(segment, before);
        sim_disk_set_handles(w.disk, 0);
        CHECK_EQ_UINT(count_files(&w), files);
        CHECK_OK(world_flush(&w));
        CHECK_EQ_UINT(journal_segment(w.journal), before + 1);
        CHECK_OK(world_append(&w, 1, 500));
        check_whole(&w);
        world_free(&w);
    }
}

/* A spare that was to be overwritten is no place where erased octets could stay. */
TEST(what_a_spare_held_is_gone_after_a_purge_also_when_it_was_to_become_a_segment)
{
    for (uint64_t more = 0; more <= MORE_MAX; more++) {
        struct world w;
        uint64_t segment;
        open_settled(&w, false);
        world_append_octets(&w, 1, 'S');
        CHECK_OK(journal_sync(w.journal, NULL));
        CHECK_OK(world_flush(&w));
        CHECK(world_is_on_disk(&w, 'S'));
        world_append_octets(&w, 2, 'a');
        starve(&w, more);
        CHECK_STATUS(journal_rotate(w.journal, &segment, &w.error), YORE_NO_FILES);
        sim_disk_set_handles(w.disk, 0);
        CHECK_OK(journal_purge(w.journal, &w.error));
        CHECK(!world_is_on_disk(&w, 'S'));
        (void)journal_close(w.journal, NULL);
        w.journal = NULL;
        world_free(&w);
    }
}

/* The nth allocation of a rotation fails.  False: it has none of that number. */
static bool rotate_without_memory(uint64_t nth)
{
    struct world w;
    uint64_t segment;
    test_note("allocation %llu", (unsigned long long)nth);
    open_settled(&w, nth % 2 == 0);
    uint64_t before = journal_segment(w.journal);
    CHECK_OK(world_append(&w, 2, 300));
    journal_note_now(w.journal, LATER);
    CHECK_OK(journal_mark(w.journal, &w.error));
    mem_fail_at(nth, false);
    enum yore_status st = journal_rotate(w.journal, &segment, &w.error);
    mem_fail_at(0, false);
    if (st != YORE_OK) {
        CHECK_STATUS(st, YORE_NOMEM);
        CHECK(!journal_has_failed(w.journal));
        CHECK_OK(journal_rotate(w.journal, &segment, &w.error));
    }
    CHECK_EQ_UINT(segment, before + 1);
    CHECK_OK(world_sync(&w));
    w.flushed = w.appended;
    w.options.first_segment = segment;
    w.options.next_segment = journal_next_segment(w.journal);
    CHECK_OK(journal_release(w.journal, segment, &w.error));
    CHECK_OK(world_append(&w, 1, 300));
    CHECK_OK(world_sync(&w));
    world_crash(&w, SIM_CRASH_DROP_ALL, nth);
    CHECK_OK(world_open(&w));
    CHECK_EQ_INT(w.recovery.now, LATER);
    world_free(&w);
    return st != YORE_OK;
}

TEST(a_rotation_that_wants_for_memory_is_done_later)
{
    uint64_t missed = 0;
    uint64_t nth = 1;
    for (; missed < 10; nth++) {
        missed = rotate_without_memory(nth) ? 0 : missed + 1;
    }
    CHECK(nth > 15);
}

TEST(after_a_reserve_an_append_takes_no_memory)
{
    static const size_t sizes[] = {10, 3000, 60000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct world w;
        struct journal_entry entries[16];
        open_settled(&w, false);
        for (size_t j = 0; j < 16; j++) {
            entries[j] = (struct journal_entry){.header = bytes_of(NULL, COMMIT_HEADER_BYTES),
                                                .writes = bytes_of(NULL, sizes[i])};
        }
        uint32_t count = sizes[i] > 10000 ? 1 : 16;
        CHECK_OK(journal_reserve(w.journal, entries, count, &w.error));
        mem_fail_at(1, true);
        enum yore_status st = world_append(&w, count, sizes[i]);
        mem_fail_at(0, false);
        CHECK_STATUS(st, YORE_OK);
        check_whole(&w);
        world_free(&w);
    }
}

TEST_MAIN(an_append_that_is_refused_a_handle_changes_nothing_and_is_done_later,
          a_rotation_that_is_refused_a_handle_leaves_no_file,
          what_a_spare_held_is_gone_after_a_purge_also_when_it_was_to_become_a_segment,
          a_rotation_that_wants_for_memory_is_done_later, after_a_reserve_an_append_takes_no_memory)
