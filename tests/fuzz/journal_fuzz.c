/* The reader of record logs, and the journal's recovery on top, over a segment of any bytes.
 *
 * The first octet says what is mended first (mend.h).  Whatever the bytes: no crash, records in
 * order, and an opening that succeeds once succeeds again with the same commits.
 */
#include <stdlib.h>
#include <string.h>

#include "base/coding.h"
#include "fuzz/mend.h"
#include "journal/commit_codec.h"
#include "journal/journal.h"
#include "os/sim_disk.h"
#include "support/fuzz.h"

#define FILE_BYTES_MAX 8192u
#define PATH "journal-0000000000000001.log"

static const struct record_log_identity identity = {
    .database = 1, .epoch = 1, .kind = RECORD_LOG_JOURNAL};

static void require(bool is_so)
{
    if (!is_so) {
        abort();
    }
}

static void read_log(struct os_env *env)
{
    struct record_log_reader *reader;
    struct record record;
    uint64_t next = 0;
    uint64_t end;
    uint64_t last;
    if (record_log_open(env, PATH, identity, &reader, NULL) != YORE_OK) {
        return;
    }
    enum yore_status st;
    while ((st = record_log_next(reader, &record, NULL)) == YORE_OK) {
        require(record.offset >= next && record.type != RECORD_TYPE_MARK);
        require(record.payload.size <= FILE_BYTES_MAX);
        next = record.offset + RECORD_HEADER_BYTES + record.payload.size;
    }
    require(st == YORE_NOT_FOUND || st == YORE_CORRUPT);
    require(record_log_next(reader, &record, NULL) == st);
    if (st == YORE_NOT_FOUND) {
        (void)record_log_end(reader, &end, &last);
        require(end >= next);
    }
    record_log_reader_close(reader);
}

struct replayed {
    uint64_t commits;
    int64_t last;
};

static enum yore_status replay(void *arg, struct yore_bytes payload, struct yore_error *error_out)
{
    struct replayed *replayed = arg;
    int64_t commit = (int64_t)get_u64(payload.data);
    (void)error_out;
    require(replayed->commits == 0 || commit > replayed->last);
    replayed->last = commit;
    replayed->commits++;
    return YORE_OK;
}

static enum yore_status open_journal(struct os_env *env, struct replayed *replayed)
{
    const struct journal_options options = {.database = 1,
                                            .segment_bytes = 4096,
                                            .first_segment = 1,
                                            .next_segment = 1,
                                            .commit_before = INT64_MIN};
    struct journal_recovery recovery;
    struct journal *journal;
    *replayed = (struct replayed){0};
    enum yore_status st =
        journal_open(env, ".", &options, replay, replayed, &recovery, &journal, NULL);
    if (st == YORE_OK) {
        require(journal_close(journal, NULL) == YORE_OK);
    }
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char bytes[FILE_BYTES_MAX];
    struct replayed first;
    struct replayed second;
    struct os_file *file;
    if (size < 1 || size > FILE_BYTES_MAX) {
        return 0;
    }
    memcpy(bytes, data + 1, size - 1);
    mend_record_log(&identity, bytes, size - 1, data[0]);
    struct sim_disk *disk = sim_disk_new(1);
    struct os_env *env = sim_disk_env(disk);
    require(os_file_open(env, PATH, OS_OPEN_CREATE, &file, NULL) == YORE_OK);
    require(os_file_write(file, 0, bytes, size - 1, NULL) == YORE_OK);
    os_file_close(file);
    read_log(env);
    enum yore_status st = open_journal(env, &first);
    require(st == YORE_OK || st == YORE_CORRUPT || st == YORE_BAD_FORMAT);
    if (st == YORE_OK) {
        require(open_journal(env, &second) == YORE_OK);
        require(first.commits == second.commits && first.last == second.last);
    }
    sim_disk_free(disk);
    return 0;
}
