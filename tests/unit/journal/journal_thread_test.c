/* One thread appends and rotates, others sync, read and ask, a third releases. */
#include <stdatomic.h>

#include "base/coding.h"
#include "journal_support.h"
#include "os/thread.h"

struct shared {
    struct world *w;
    _Atomic bool is_done;
    _Atomic uint32_t syncs;
    _Atomic uint32_t reads;
    _Atomic uint64_t releasable;
};

static void run_syncs(void *arg)
{
    struct shared *s = arg;
    while (!atomic_load(&s->is_done)) {
        int64_t appended = journal_appended_commit(s->w->journal);
        CHECK_OK(journal_sync(s->w->journal, NULL));
        CHECK(journal_durable_commit(s->w->journal) >= appended);
        atomic_fetch_add(&s->syncs, 1);
    }
}

/* Each walk gives consecutive commits up to at least the last appended when it began. */
static void run_reads(void *arg)
{
    struct shared *s = arg;
    while (!atomic_load(&s->is_done)) {
        struct journal_reader *reader;
        struct yore_bytes payload;
        uint64_t bytes;
        int64_t first;
        journal_usage(s->w->journal, &bytes, &first);
        int64_t appended = journal_appended_commit(s->w->journal);
        enum yore_status st = first == INT64_MAX
                                  ? YORE_BEFORE_HORIZON
                                  : journal_reader_open(s->w->journal, first - 10, &reader, NULL);
        if (st == YORE_BEFORE_HORIZON) {
            continue; /* it was released meanwhile */
        }
        CHECK_OK(st);
        int64_t at = first - 10;
        while ((st = journal_reader_next(reader, &payload, NULL)) == YORE_OK) {
            CHECK_EQ_INT((int64_t)get_u64(payload.data), at + 10);
            at += 10;
        }
        CHECK_STATUS(st, YORE_NOT_FOUND);
        CHECK(at >= appended);
        journal_reader_close(reader);
        atomic_fetch_add(&s->reads, 1);
    }
}

static void run_releases(void *arg)
{
    struct shared *s = arg;
    while (!atomic_load(&s->is_done)) {
        CHECK_OK(journal_release(s->w->journal, atomic_load(&s->releasable), NULL));
        os_thread_yield();
    }
}

static void append_one(struct world *w, int64_t number)
{
    unsigned char header[COMMIT_HEADER_BYTES];
    unsigned char writes[100] = {1};
    commit_header_encode(header, number * 10, 0);
    const struct journal_entry entry = {.commit = number * 10,
                                        .header = bytes_of(header, sizeof(header)),
                                        .writes = bytes_of(writes, sizeof(writes))};
    CHECK_OK(journal_append(w->journal, &entry, 1, NULL));
}

static void run_all(struct world *w, int64_t commits)
{
    struct shared s = {.w = w};
    struct os_thread *threads[4];
    void (*const runs[4])(void *) = {run_syncs, run_syncs, run_reads, run_releases};
    w->options.keep_bytes = 6000;
    CHECK_OK(world_open(w));
    CHECK_OK(world_settle(w));
    for (int i = 0; i < 4; i++) {
        CHECK_OK(os_thread_start(runs[i], &s, "journal", &threads[i], NULL));
    }
    for (int64_t i = 1; i <= commits || atomic_load(&s.reads) < 3 || atomic_load(&s.syncs) < 3;
         i++) {
        append_one(w, i);
        if (i % 50 == 0) {
            uint64_t segment;
            CHECK_OK(journal_rotate(w->journal, &segment, NULL));
            atomic_store(&s.releasable, segment);
        }
        if (i % 333 == 0) {
            CHECK_OK(journal_mark(w->journal, NULL));
        }
        if (i % 1000 == 0) {
            CHECK_OK(journal_purge(w->journal, NULL));
        }
    }
    atomic_store(&s.is_done, true);
    for (int i = 0; i < 4; i++) {
        os_thread_join(threads[i]);
    }
    CHECK_OK(journal_close(w->journal, NULL));
    w->journal = NULL;
}

TEST(syncs_reads_and_releases_run_beside_appends_and_rotations)
{
    struct world w;
    world_init(&w, 1);
    run_all(&w, (int64_t)test_scale(3000, 200000));
    world_free(&w);
}

static enum yore_status count_commits(void *arg, struct yore_bytes payload,
                                      struct yore_error *error_out)
{
    (void)payload;
    (void)error_out;
    ++*(uint64_t *)arg;
    return YORE_OK;
}

TEST(the_real_file_system_serves_as_well)
{
    struct world w;
    uint64_t commits = 0;
    world_init(&w, 1);
    w.options.segment_bytes = 4096;
    for (int64_t life = 0; life < 3; life++) {
        struct journal *journal;
        commits = 0;
        CHECK_OK(journal_open(os_env_posix(), test_tmpdir(), &w.options, count_commits, &commits,
                              &w.recovery, &journal, &w.error));
        CHECK_EQ_UINT(commits, life * 60);
        CHECK(!w.recovery.is_torn);
        w.journal = journal;
        for (int64_t i = 1; i <= 60; i++) {
            append_one(&w, life * 60 + i);
        }
        CHECK_OK(journal_sync(journal, &w.error));
        w.options.first_segment = w.recovery.first_live_segment;
        w.options.next_segment = journal_next_segment(journal);
        CHECK_OK(journal_release(journal, w.options.first_segment, &w.error));
        CHECK_OK(journal_close(journal, &w.error));
    }
    w.journal = NULL;
    world_free(&w);
}

TEST_MAIN(syncs_reads_and_releases_run_beside_appends_and_rotations,
          the_real_file_system_serves_as_well)
