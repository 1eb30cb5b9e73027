/* Running out of memory at every allocation of a life of a journal: a status, nothing leaked,
 * nothing lost. */
#include "base/mem.h"
#include "journal_support.h"

static enum yore_status use(struct world *w)
{
    struct journal_reader *reader;
    struct yore_bytes payload;
    uint64_t records;
    uint64_t bytes;
    enum yore_status st = world_open(w);
    st = st == YORE_OK ? world_settle(w) : st;
    for (int i = 0; i < 4 && st == YORE_OK; i++) {
        st = world_append(w, 3, 300);
        st = st == YORE_OK ? world_sync(w) : st;
        st = st == YORE_OK && i == 2 ? world_flush(w) : st;
    }
    st = st == YORE_OK ? journal_verify(w->journal, &records, &bytes, &w->error) : st;
    st = st == YORE_OK
             ? journal_reader_open(w->journal, (int64_t)w->appended * 10 - 10, &reader, &w->error)
             : st;
    if (st == YORE_OK) {
        do {
            st = journal_reader_next(reader, &payload, &w->error);
        } while (st == YORE_OK);
        journal_reader_close(reader);
        st = st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    return st == YORE_OK ? journal_purge(w->journal, &w->error) : st;
}

/* Fail allocation `nth`; true when it was reached. */
static bool run(uint64_t nth, bool is_sticky)
{
    struct world w;
    test_note("allocation %llu%s", (unsigned long long)nth, is_sticky ? " and all after" : "");
    world_init(&w, 1);
    CHECK_OK(world_open(&w));
    CHECK_OK(world_append(&w, 8, 200));
    CHECK_OK(world_close(&w));
    mem_fail_at(nth, is_sticky);
    enum yore_status st = use(&w);
    bool is_reached = st != YORE_OK;
    CHECK(st == YORE_OK || st == YORE_NOMEM);
    (void)journal_close(w.journal, NULL);
    w.journal = NULL;
    mem_fail_at(0, false);
    CHECK_OK(world_open(&w));
    world_free(&w);
    test_count(1);
    return is_reached;
}

TEST(every_failed_allocation_is_a_status)
{
    uint64_t missed = 0;
    for (uint64_t nth = 1; missed < 60; nth++) {
        missed = run(nth, false) ? 0 : missed + 1;
    }
}

TEST(lasting_want_of_memory_is_a_status)
{
    uint64_t nth = 1;
    while (run(nth, true)) {
        nth++;
    }
    CHECK(nth > 20);
}

TEST_MAIN(every_failed_allocation_is_a_status, lasting_want_of_memory_is_a_status)
