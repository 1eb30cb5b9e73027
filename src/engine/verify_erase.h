/* verify_erase.h -- are the bytes of erased values gone?
 *
 * What yore_verify() reads is shown to an erase_check: versions of tables and memtables, commits of
 * the journal, records of value files.  An erasure is *pending* while any of them, or a file that
 * only a reader still holds, has a value it hides.  A value that must have left already, because
 * its file was written when the erasure was known or because the erasure was purged, is a finding.
 */
#ifndef YORE_ENGINE_VERIFY_ERASE_H
#define YORE_ENGINE_VERIFY_ERASE_H

#include "engine/value_wanted.h"

struct erase_check {
    struct superview *view;
    int64_t purged_to; /* erasures up to here were purged before the view was taken */
    struct pending_rule *rules;
    size_t count;
    struct wanted_batch batch; /* records under a rule, not judged yet */
};

/* What was purged by now; the view is taken afterwards. */
int64_t erase_check_purged(struct yore_db *db);
/* Borrows `view`.  Errors: YORE_NOMEM. */
enum yore_status erase_check_init(struct erase_check *check, struct superview *view,
                                  int64_t purged_to);
void erase_check_release(struct erase_check *check);

/* A put with its value, in a file written when erasures up to `seen` were known (INT64_MIN: in
 * memory).  False: an erasure hides it that must have taken it away. */
bool erase_check_value(struct erase_check *check, uint32_t keyspace, const struct version *version,
                       int64_t seen);
/* A record of a value file: one that no version refers to may be of an erased version.  Judged with
 * others: erase_check_records_end() when there are no more. */
enum yore_status erase_check_record(struct erase_check *check, const struct value_record *record,
                                    struct yore_error *error_out);
enum yore_status erase_check_records_end(struct erase_check *check, struct yore_error *error_out);
/* The commits of the journal.  `commit_out`: the last one with a value that must be gone;
 * INT64_MIN: none. */
enum yore_status erase_check_journal(struct erase_check *check, int64_t *commit_out,
                                     struct yore_error *error_out);
/* Files that are no part of the database any more but kept by readers. */
void erase_check_held(struct erase_check *check);
uint64_t erase_check_pending(const struct erase_check *check);

#endif
