/* backup_record.h -- what a backup directory says of its backups: one checked file `backup-<16 hex
 * id>` each.
 *
 *     <dir>/files/table-... values-...   the pool: each file once, whichever backups name it
 *     <dir>/backup-<id>                  one backup; there once it is whole
 *
 * Bytes: docs/format.md, "Backup".
 */
#ifndef YORE_ENGINE_BACKUP_RECORD_H
#define YORE_ENGINE_BACKUP_RECORD_H

#include "engine/stored_files.h"

#define BACKUP_POOL_NAME "files"

struct backup_keyspace {
    uint32_t id;
    uint32_t keep; /* enum yore_keep */
    int64_t horizon;
    int64_t commit_max; /* of its tables and of what left them without a trace; INT64_MIN: none */
};

struct backup_record {
    uint64_t id;
    uint64_t database;
    int64_t commit; /* last one inside */
    uint64_t bytes;
    uint64_t new_bytes;
    struct stored_list files;
    struct backup_keyspace *keyspaces;
    size_t keyspace_count;
    struct erase_rule *rules; /* all known then; keys owned */
    size_t rule_count;
    size_t rule_capacity;
    struct buffer edit; /* edit_encode(): makes the forest from nothing */
};
void backup_record_release(struct backup_record *record);

/* Everything but id, new_bytes and the sums of value files. */
enum yore_status backup_record_of(struct yore_db *db, const struct frozen *frozen,
                                  struct backup_record *record_out, struct yore_error *error_out);
/* Write it whole: new file, sync, rename, directory sync. */
enum yore_status backup_record_write(struct os_env *env, const char *dir,
                                     const struct backup_record *record,
                                     struct yore_error *error_out);

struct backup_set {
    struct backup_record *records; /* by id */
    size_t count;
};
void backup_set_release(struct backup_set *set);
/* Errors: YORE_NOT_FOUND (no such directory), YORE_CORRUPT, YORE_BAD_FORMAT (file named). */
enum yore_status backup_set_read(struct os_env *env, const char *dir, struct backup_set *set_out,
                                 struct yore_error *error_out);

#endif
