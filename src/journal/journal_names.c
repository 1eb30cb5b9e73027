/* What the journal's files are called, and the small records in them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/coding.h"
#include "base/mem.h"
#include "journal/commit_codec.h"
#include "journal/journal_internal.h"

char *journal_path_room(const struct journal *journal)
{
    return mem_alloc(strlen(journal->dir) + 48);
}

void journal_path_write(const struct journal *journal, const char *stem, uint64_t number,
                        char *room)
{
    (void)snprintf(room, strlen(journal->dir) + 48, "%s/%s%016" PRIx64 ".log", journal->dir, stem,
                   number);
}

static char *path_of(const struct journal *journal, const char *stem, uint64_t number)
{
    char *path = journal_path_room(journal);
    if (path != NULL) {
        journal_path_write(journal, stem, number, path);
    }
    return path;
}

char *journal_segment_path(const struct journal *journal, uint64_t number)
{
    return path_of(journal, JOURNAL_SEGMENT_STEM, number);
}

char *journal_spare_path(const struct journal *journal, uint64_t number)
{
    return path_of(journal, JOURNAL_SPARE_STEM, number);
}

struct record_log_identity journal_identity(const struct journal *journal, uint64_t number)
{
    return (struct record_log_identity){
        .database = journal->options.database, .epoch = number, .kind = RECORD_LOG_JOURNAL};
}

void journal_begin_encode(const struct journal_begin *begin, unsigned char out[JOURNAL_BEGIN_BYTES])
{
    put_u64(out, begin->copied_from);
    put_u64(out + 8, (uint64_t)begin->commit_before);
}

bool journal_begin_decode(const struct record *record, struct journal_begin *begin_out)
{
    if (record->type != JOURNAL_TYPE_BEGIN || record->payload.size != JOURNAL_BEGIN_BYTES) {
        return false;
    }
    const unsigned char *from = record->payload.data;
    begin_out->copied_from = get_u64(from);
    begin_out->commit_before = (int64_t)get_u64(from + 8);
    return true;
}

bool journal_commit_time(struct yore_bytes payload, int64_t *commit_out)
{
    if (payload.size < COMMIT_HEADER_BYTES) {
        return false;
    }
    *commit_out = (int64_t)get_u64(payload.data);
    return true;
}
