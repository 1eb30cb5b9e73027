/* db.h -- opening a database on any os_env: the system's, or the simulated disk of tests. */
#ifndef YORE_ENGINE_DB_H
#define YORE_ENGINE_DB_H

#include <stdbool.h>

#include <yore/yore.h>

#include "base/stop.h"
#include "os/env.h"

/* yore_open() on `env`. */
enum yore_status db_open(struct os_env *env, const char *path, const struct yore_options *options,
                         struct yore_db **db_out, struct yore_error *error_out);

/* The same without background threads: flushes, merges and seals run inside the calls that make
 * them necessary, so that a scripted run does the same I/O every time; memtables, segments and
 * tables may be tiny (limits.h). */
enum yore_status db_open_inline(struct os_env *env, const char *path,
                                const struct yore_options *options, struct yore_db **db_out,
                                struct yore_error *error_out);

/* Hold so many rules of erasures at a time instead of ERASURES_MAX. */
void db_bound_erasures(struct yore_db *db, size_t count);

/* Open to read, inline, past whatever is damaged: each failure is told to `findings`. */
struct db_findings;
enum yore_status db_open_damaged(struct os_env *env, const char *path, struct db_findings *findings,
                                 struct yore_db **db_out, struct yore_error *error_out);

/* yore_verify() and yore_compact() for who may want them no more: YORE_CANCELLED soon after `stop`
 * (which may be NULL) has said so.  What was merged until then stays merged. */
enum yore_status db_verify(struct yore_db *db, void (*problem)(void *arg, const char *line),
                           void *arg, const struct stop *stop,
                           struct yore_verify_report *report_out, struct yore_error *error_out);
enum yore_status db_compact(struct yore_db *db, struct yore_keyspace *keyspace,
                            const struct stop *stop, struct yore_error *error_out);

/* yore_verify_path() on `env`. */
enum yore_status db_verify_path(struct os_env *env, const char *path,
                                void (*problem)(void *arg, const char *line), void *arg,
                                struct yore_verify_report *report_out,
                                struct yore_error *error_out);

/* The commit port: apply one commit record (commit_codec.h) that was decided elsewhere, at its own
 * commit time, which must be greater than any before.  Reads no clock.  Not mixed with local
 * writes. */
enum yore_status db_apply(struct yore_db *db, struct yore_bytes payload,
                          enum yore_durability durability, struct yore_error *error_out);

/* yore_restore() and yore_backup_list() on `env`. */
enum yore_status db_restore(struct os_env *env, const struct yore_restore *restore,
                            struct yore_error *error_out);
enum yore_status db_backup_list(struct os_env *env, const char *path,
                                int (*each)(void *arg, const struct yore_backup_info *info),
                                void *arg, struct yore_error *error_out);

#endif
