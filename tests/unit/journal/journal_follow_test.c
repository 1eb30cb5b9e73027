/* journal_follow_test.c -- reading on where the journal goes on. */
#include <string.h>

#include "base/coding.h"
#include "journal_support.h"

/* A journal of commits 10, 20, 30, ... with `size` octets each. */
struct line {
    struct sim_disk *disk;
    struct journal *journal;
    struct journal_options options;
    int64_t last;
    struct yore_error error;
};

static enum yore_status ignore(void *arg, struct yore_bytes payload, struct yore_error *error_out)
{
    (void)arg;
    (void)payload;
    (void)error_out;
    return YORE_OK;
}

static void line_open(struct line *line, uint64_t segment_bytes)
{
    struct journal_recovery recovery;
    *line = (struct line){.disk = sim_disk_new(1)};
    line->options = (struct journal_options){.commit_before = INT64_MIN,
                                             .database = WORLD_DATABASE,
                                             .segment_bytes = segment_bytes,
                                             .recycle_count_max = 2,
                                             .first_segment = 1,
                                             .next_segment = 1};
    CHECK_OK(os_dir_make(sim_disk_env(line->disk), WORLD_DIR, &line->error));
    CHECK_OK(journal_open(sim_disk_env(line->disk), WORLD_DIR, &line->options, ignore, NULL,
                          &recovery, &line->journal, &line->error));
    CHECK_OK(journal_release(line->journal, recovery.first_live_segment, &line->error));
}

static void line_free(struct line *line)
{
    CHECK_OK(journal_close(line->journal, &line->error));
    sim_disk_free(line->disk);
}

static void append(struct line *line, size_t size)
{
    static unsigned char octets[1u << 20];
    unsigned char header[COMMIT_HEADER_BYTES];
    line->last += 10;
    memset(octets, (int)(line->last & 0xff), size);
    commit_header_encode(header, line->last, 1);
    struct journal_entry entry = {line->last, bytes_of(header, sizeof header),
                                  bytes_of(octets, size)};
    CHECK_OK(journal_append(line->journal, &entry, 1, &line->error));
    if (line->last % 500 == 0) {
        CHECK_OK(journal_sync(line->journal, &line->error));
    }
}

static void flush(struct line *line)
{
    uint64_t segment;
    CHECK_OK(journal_rotate(line->journal, &segment, &line->error));
    CHECK_OK(journal_sync(line->journal, &line->error));
    CHECK_OK(journal_release(line->journal, segment, &line->error));
}

static struct journal_reader *follow(struct line *line, int64_t after)
{
    struct journal_reader *reader = NULL;
    enum yore_status st = journal_reader_follow(line->journal, after, &reader, &line->error);
    CHECK_MSG(st == YORE_OK, "%s", line->error.text);
    return reader;
}

static void check_next(struct line *line, struct journal_reader *reader, int64_t commit)
{
    struct yore_bytes payload;
    enum yore_status st = journal_reader_next(reader, &payload, &line->error);
    CHECK_MSG(st == YORE_OK, "%lld: %s", (long long)commit, line->error.text);
    CHECK_EQ_INT((int64_t)get_u64(payload.data), commit);
}

static void check_end(struct line *line, struct journal_reader *reader)
{
    struct yore_bytes payload;
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(journal_reader_next(reader, &payload, &line->error), YORE_NOT_FOUND);
    }
}

TEST(a_follower_goes_on_with_what_is_appended)
{
    static const size_t sizes[] = {10, 0, 3000, 70000, 8, 200000, 1};
    struct line line;
    line_open(&line, 64u << 10);
    struct journal_reader *reader = follow(&line, 0);
    check_end(&line, reader);
    for (int64_t told = 0, burst = 1; burst < 40; burst++) {
        for (int64_t i = 0; i < burst % 5 + 1; i++) {
            append(&line, sizes[(burst + i) % 7]);
        }
        while (told < line.last) {
            check_next(&line, reader, told += 10);
        }
        if (burst % 3 == 0) {
            CHECK_OK(journal_mark(line.journal, &line.error));
        }
        check_end(&line, reader);
    }
    journal_reader_close(reader);
    line_free(&line);
}

TEST(a_follower_begins_after_any_commit)
{
    struct line line;
    line_open(&line, 48u << 20);
    for (int i = 0; i < 1400; i++) { /* 44 MB: more than there are waymarks */
        append(&line, 31000 + (size_t)i % 900);
    }
    for (int64_t after = 0; after <= line.last; after += 70) {
        struct journal_reader *reader = follow(&line, after + 5);
        for (int64_t commit = after + 10; commit <= line.last && commit < after + 40;
             commit += 10) {
            check_next(&line, reader, commit);
        }
        journal_reader_close(reader);
    }
    struct journal_reader *reader = follow(&line, line.last);
    check_end(&line, reader);
    append(&line, 10);
    check_next(&line, reader, line.last);
    journal_reader_close(reader);
    line_free(&line);
}

TEST(a_follower_keeps_no_segment)
{
    struct line line;
    struct journal_reader *reader = NULL;
    struct yore_bytes payload;
    uint64_t bytes;
    int64_t first;
    line_open(&line, 64u << 10);
    append(&line, 100);
    append(&line, 100);
    struct journal_reader *slow = follow(&line, 0);
    struct journal_reader *quick = follow(&line, 0);
    check_next(&line, slow, 10);
    check_next(&line, quick, 10);
    check_next(&line, quick, 20);
    for (int i = 0; i < 20; i++) {
        flush(&line);
        append(&line, 1000);
    }
    journal_usage(line.journal, &bytes, &first);
    CHECK_EQ_INT(first, line.last);
    CHECK(bytes < 4 * (64u << 10));
    CHECK_STATUS(journal_reader_next(slow, &payload, &line.error), YORE_BEFORE_HORIZON);
    CHECK_STATUS(journal_reader_next(quick, &payload, &line.error), YORE_BEFORE_HORIZON);
    CHECK_STATUS(journal_reader_follow(line.journal, 10, &reader, &line.error),
                 YORE_BEFORE_HORIZON);
    CHECK(reader == NULL);
    journal_reader_close(slow);
    journal_reader_close(quick);
    reader = follow(&line, line.last - 10);
    check_next(&line, reader, line.last);
    journal_reader_close(reader);
    line_free(&line);
}

TEST(a_follower_meets_segments_that_were_closed_meanwhile)
{
    struct line line;
    line_open(&line, 1u << 20);
    struct journal_reader *reader = follow(&line, 0);
    for (int64_t told = 0, round = 0; round < 12; round++) {
        uint64_t segment;
        append(&line, 500);
        append(&line, 500);
        check_next(&line, reader, told += 10);
        if (round % 4 == 0) {
            check_next(&line, reader, told += 10); /* all of it, before it is closed */
        }
        CHECK_OK(journal_rotate(line.journal, &segment, &line.error));
        if (round % 2 == 0) {
            CHECK_OK(journal_rotate(line.journal, &segment, &line.error));
        }
        while (round % 3 == 0 && told < line.last) {
            check_next(&line, reader, told += 10);
        }
        if (round % 3 == 0) {
            check_end(&line, reader);
        }
    }
    journal_reader_close(reader);
    line_free(&line);
}

TEST_MAIN(a_follower_goes_on_with_what_is_appended, a_follower_begins_after_any_commit,
          a_follower_keeps_no_segment, a_follower_meets_segments_that_were_closed_meanwhile)
