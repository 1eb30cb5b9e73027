/* value_wanted.h -- which records of value files are wanted.
 *
 * A record is wanted while some version of its key refers to it that no erasure hides.  It does not
 * say which version that is, so records are gathered, and the versions of each key walked once for
 * all its records in the batch, up to the last one that is found.
 */
#ifndef YORE_ENGINE_VALUE_WANTED_H
#define YORE_ENGINE_VALUE_WANTED_H

#include "base/arena.h"
#include "engine/db_internal.h"

#define WANTED_BATCH_BYTES (8u << 20) /* records and keys of one batch, and one key more */

struct wanted_record {
    uint32_t keyspace;
    bool is_wanted;
    struct yore_bytes key;
    uint64_t file;
    uint64_t offset;
};

/* Zeroed is empty. */
struct wanted_batch {
    struct wanted_record *records;
    size_t count;
    size_t capacity;
    struct arena keys;
    uint64_t walked; /* versions looked at, by all batches */
    /* Asked between versions now and then, may sleep.  False: give up.  NULL: go on. */
    bool (*goes_on)(void *arg);
    void *arg;
};
void wanted_batch_release(struct wanted_batch *batch);
/* Copies the record.  Errors: YORE_NOMEM. */
enum yore_status wanted_batch_add(struct wanted_batch *batch, const struct value_record *record);
bool wanted_batch_is_full(const struct wanted_batch *batch);
/* Set `is_wanted` of every record as `view` has it; afterwards they stand by (file, offset).
 * Errors: those of reading; YORE_CANCELLED. */
enum yore_status wanted_batch_judge(struct wanted_batch *batch, struct superview *view,
                                    struct yore_error *error_out);
/* Begin the next batch. */
void wanted_batch_clear(struct wanted_batch *batch);

#endif
