/* recover.h -- the steps of opening a database that read what the last run left, in this order. */
#ifndef YORE_ENGINE_RECOVER_H
#define YORE_ENGINE_RECOVER_H

#include "engine/db_internal.h"

/* May a database be made in the directory, should there be none?  YORE_EXISTS: it holds files of
 * somebody else, and nothing of a database. */
enum yore_status recover_check_directory(struct yore_db *db, struct yore_error *error_out);
/* The forest that CURRENT leads to, with every table open; db->database is set.  Where no database
 * is yet `*is_new_out`, an empty forest and a new identity.  Errors: YORE_EXISTS and YORE_NOT_FOUND
 * as the options ask; YORE_CORRUPT also when there are files of a database but no CURRENT. */
enum yore_status recover_forest(struct yore_db *db, bool *is_new_out, struct forest **forest_out,
                                struct manifest_current *current_out, struct yore_error *error_out);
/* Make a new database exist, from CURRENT on. */
enum yore_status recover_begin_new(struct yore_db *db, struct forest *forest,
                                   struct manifest_current *current, struct yore_error *error_out);
/* Unlink what nothing names, replay the journal, begin this run's manifest, read the catalogue. */
enum yore_status recover_tail(struct yore_db *db, struct forest *forest,
                              struct manifest_current current, struct yore_error *error_out);
/* In its place for a database that is opened to be checked: nothing is unlinked, begun or released,
 * and what cannot be read is a finding. */
enum yore_status recover_to_check(struct yore_db *db, struct forest *forest,
                                  struct yore_error *error_out);

#endif
