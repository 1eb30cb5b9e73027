/* catalogue.h -- what the database knows of itself, kept as ordinary keys of keyspace 0, hence
 * journaled, versioned and replicated.
 *
 *   "keyspace/<name>"          id, keep, keep_ns, compression; a delete is a drop
 *   "horizon/<id, 4 octets>"   the horizon of a keyspace, 8 octets
 *   "erase/<16 random octets>" one erasure: keyspace, low, high, from, to; its commit is the
 * record's own
 *
 * Bytes: docs/format.md, "Catalogue".
 */
#ifndef YORE_ENGINE_CATALOGUE_H
#define YORE_ENGINE_CATALOGUE_H

#include "engine/db_internal.h"

#define KEYSPACE_RECORD_PREFIX "keyspace/"

struct keyspace_record {
    uint32_t id;
    struct yore_keyspace_options options;
};

/* "default" as every database is made with it. */
extern const struct keyspace_record keyspace_record_default;

/* Errors: YORE_CORRUPT, YORE_BAD_FORMAT. */
enum yore_status keyspace_record_decode(struct yore_bytes value, struct keyspace_record *record_out,
                                        struct yore_error *error_out);
/* Commit a keyspace's record; NULL drops it.  Afterwards it is in memory.  Takes no lock: what is
 * decided from the keyspaces there are is decided under catalogue_lock, held over this call. */
enum yore_status catalogue_put_keyspace(struct yore_db *db, const char *name,
                                        const struct keyspace_record *record,
                                        struct yore_error *error_out);
/* Encode the record that makes an erasure; rule->commit is not part of it. */
enum yore_status catalogue_erase_fact(struct yore_db *db, const struct erase_rule *rule,
                                      struct buffer *key_out, struct buffer *value_out);
/* Call `each` for the erasures with a commit > `after`, in no order, also those that need no rule
 * any more; a status other than YORE_OK ends the walk and is returned.  What it is given is
 * borrowed. */
enum yore_status catalogue_each_erasure(struct superview *view, int64_t after,
                                        enum yore_status (*each)(void *arg,
                                                                 const struct erase_rule *rule),
                                        void *arg, struct yore_error *error_out);
/* Commit a new horizon; what is not later than the present one changes nothing. */
enum yore_status catalogue_set_horizon(struct yore_db *db, struct yore_keyspace *keyspace,
                                       int64_t horizon, struct yore_error *error_out);
/* The same of several, each of another keyspace, as one commit. */
struct horizon_move {
    struct yore_keyspace *keyspace;
    int64_t horizon;
};
enum yore_status catalogue_set_horizons(struct yore_db *db, const struct horizon_move *moves,
                                        size_t count, struct yore_error *error_out);
/* Is it a record of a horizon?  Only the last one of a keyspace is ever read. */
bool catalogue_is_horizon(struct yore_bytes key);
/* Commit the keyspaces every database has.  When a database is made. */
enum yore_status catalogue_begin(struct yore_db *db, struct yore_error *error_out);
/* The keyspaces that are there before anything is read: the catalogue itself and "default". */
enum yore_status catalogue_init(struct yore_db *db);

#endif
