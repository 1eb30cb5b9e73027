/* series.h -- time series: what TS.* commands keep of one, and its samples.
 *
 * A series is a key whose value begins with a mark and says the rest: an id, retention, what to do
 * with duplicates, labels.  So whatever works on keys works on series (EXISTS, DEL, EXPIRE, RENAME,
 * KEYS, DBSIZE), as of any moment; what reads strings refuses them (WRONGTYPE).  Samples are the
 * versions of one key of the keyspace "<database>.series", named by the id: valid time is the
 * sample's time, the value a float64.  So who could write such a value at a key of his own would
 * have the samples: a value that begins with the mark is refused from clients, in every keyspace,
 * which may be a database one day, and told only to who may read every key.  Beside the samples
 * stands a row for each key that was ever written as a series, which is where label filters look; a
 * row whose key is none any more is passed over.
 *
 * The value of a series is the mark {0, "yore.ts", version}, id (16), retention, chunk size
 * (varints), policy (1), with version 2 the size of what it has to do with other series and that
 * (series_rule.h), then how many labels there are (varint), and of each name and value, each behind
 * its size (varint).  Version 2 is written for those that have a rule or a source.
 *
 *     key in "<database>.series"   value
 *     's' id (16)                  float64, little-endian; a version a sample
 *     'i' name of a key            empty
 *
 * A time is milliseconds since 1970, as clients of TS.* count, from 0 to half a second after now.
 */
#ifndef YORE_COMMAND_SERIES_H
#define YORE_COMMAND_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/yore.h>

#include "base/buffer.h"
#include "command/access.h"

struct acl_rules;
struct call;
struct command;

#define SERIES_ID_BYTES 16
#define SERIES_MS_NS 1000000
#define SERIES_MS_MAX (INT64_MAX / SERIES_MS_NS - 1)

/* What is done with a sample of a time that has one. */
enum series_policy {
    SERIES_NONE = 0, /* not said: as BLOCK */
    SERIES_BLOCK = 1,
    SERIES_FIRST = 2,
    SERIES_LAST = 3,
    SERIES_MIN = 4,
    SERIES_MAX = 5,
    SERIES_SUM = 6
};
/* "block"; NULL: not said.  And back; false: none of them. */
const char *series_policy_name(enum series_policy policy);
bool series_policy_find(struct yore_bytes name, enum series_policy *policy_out);

struct series_meta {
    unsigned char id[SERIES_ID_BYTES];
    int64_t retention_ms; /* 0: none */
    int64_t chunk_bytes;  /* kept for clients that ask; changes nothing */
    enum series_policy policy;
    struct yore_bytes source; /* key of the series whose buckets it keeps; size 0: none; borrowed */
    unsigned char source_id[SERIES_ID_BYTES];
    struct yore_bytes rules; /* whose buckets others keep (series_rule.h); borrowed */
    uint64_t label_count;
    struct yore_bytes labels; /* name and value of each, each behind its size; borrowed */
};

/* Is it the value of a series? */
bool series_is(struct yore_bytes value);
/* Does it begin with the mark, of whatever version?  No client may write it. */
bool series_is_marked(struct yore_bytes value);
/* And is it kept from a user of these rules, who runs `command`?  He is told NULL. */
bool series_is_hidden(const struct acl_rules *rules, const struct command *command,
                      struct yore_bytes value);
/* False: it is none. */
bool series_decode(struct yore_bytes value, struct series_meta *meta_out);
/* The next label of `*left`, which begins as meta->labels; false: no more. */
bool series_label(struct yore_bytes *left, struct yore_bytes *name_out,
                  struct yore_bytes *value_out);
void series_label_append(struct buffer *labels, struct yore_bytes name, struct yore_bytes value);

/* ---- one series in the database ---- */

struct series {
    struct entry entry; /* its key; the caller releases it */
    struct series_meta meta;
    struct yore_keyspace *samples; /* NULL: nothing was ever written */
    int64_t known;                 /* walks see what was known when it was looked up */
    unsigned char name[1 + SERIES_ID_BYTES];
};

struct sample {
    int64_t ms;
    double value;
};

/* Look up `key` of the client's database.  YORE_NOT_FOUND: no such key; YORE_INVALID: no series. */
enum yore_status series_open(struct call *call, struct yore_bytes key, struct series *series_out,
                             struct yore_error *error_out);
void series_close(struct series *series);
/* Write what it is, and the row that finds it; in the access's transaction, which has begun. */
enum yore_status series_save(struct call *call, struct series *series,
                             struct yore_error *error_out);
/* Keep a row for `key`, whose value is becoming one of a series; in the transaction. */
enum yore_status series_note(struct access *access, struct database *database,
                             struct yore_bytes key, struct yore_error *error_out);

/* The sample at `ms` exactly, or the last one; YORE_NOT_FOUND: none. */
enum yore_status series_at(struct call *call, const struct series *series, int64_t ms,
                           struct sample *sample_out, struct yore_error *error_out);
enum yore_status series_last(struct call *call, const struct series *series,
                             struct sample *sample_out, struct yore_error *error_out);
/* Put a sample, or take one away, in the transaction. */
enum yore_status series_put(struct call *call, struct series *series, struct sample sample,
                            struct yore_error *error_out);
enum yore_status series_delete(struct call *call, struct series *series, int64_t ms,
                               struct yore_error *error_out);

/* Walk samples of [from_ms, to_ms]. */
struct series_walk {
    struct yore_timeline *timeline; /* NULL: there are none */
};
enum yore_status series_walk_open(struct call *call, const struct series *series, int64_t from_ms,
                                  int64_t to_ms, bool is_backward, struct series_walk *walk_out,
                                  struct yore_error *error_out);
/* YORE_NOT_FOUND: no more. */
enum yore_status series_walk_next(struct series_walk *walk, struct sample *sample_out,
                                  struct yore_error *error_out);
void series_walk_close(struct series_walk *walk);

/* The keyspace of a database's samples; NULL: nothing was ever written. */
struct yore_keyspace *series_keyspace(struct access *access, struct database *database);

#endif
