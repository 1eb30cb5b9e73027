/* manifest.h -- the durable description: which manifest is current, and the edits inside it.
 *
 * CURRENT names the database's identity and one `manifest-<16 hex>`, a record log of kind
 * RECORD_LOG_MANIFEST that begins with a snapshot edit.  Switching is atomic: write and sync the
 * new manifest, write and sync CURRENT.new, rename, sync the directory.  Appends come under the
 * manifest lock.  After the first failed write every append returns that error.
 */
#ifndef YORE_ENGINE_MANIFEST_H
#define YORE_ENGINE_MANIFEST_H

#include "engine/forest.h"
#include "os/env.h"

struct manifest;

/* What CURRENT says. */
struct manifest_current {
    uint64_t database;
    uint64_t number; /* of the manifest */
    /* After a clean close the sizes of the manifest and of the last journal segment, so that a file
     * that was cut since is not taken for a torn tail; 0 while the database is open. */
    uint64_t manifest_bytes;
    uint64_t journal_number;
    uint64_t journal_bytes;
};
/* YORE_NOT_FOUND: no CURRENT. */
enum yore_status manifest_read_current(struct os_env *env, const char *dir,
                                       struct manifest_current *current_out,
                                       struct yore_error *error_out);
/* Is the manifest, is the last segment of the journal as long as it was when it was closed?
 * YORE_CORRUPT names the file that is not. */
enum yore_status manifest_check_size(struct os_env *env, const char *dir,
                                     const struct manifest_current *current,
                                     struct yore_error *error_out);
enum yore_status manifest_check_journal(struct os_env *env, const char *dir,
                                        const struct manifest_current *current,
                                        struct yore_error *error_out);
/* The last act of a clean close: note in CURRENT how long the closed, synced files are. */
enum yore_status manifest_note_sizes(struct os_env *env, const char *dir,
                                     struct manifest_current current, struct yore_error *error_out);
/* Replay the current manifest. */
enum yore_status manifest_load(struct os_env *env, const char *dir, struct manifest_current current,
                               const struct forest_opener *opener, struct forest **forest_out,
                               struct yore_error *error_out);
/* Write `forest` as manifest number `number` in `dir` and make it current. */
enum yore_status manifest_create(struct os_env *env, const char *dir, uint64_t database,
                                 uint64_t number, const struct forest *forest,
                                 struct manifest **manifest_out, struct yore_error *error_out);
/* Append one edit and sync. */
enum yore_status manifest_append(struct manifest *manifest, const struct edit *edit,
                                 struct yore_error *error_out);
uint64_t manifest_bytes(const struct manifest *manifest);
uint64_t manifest_base_bytes(const struct manifest *manifest); /* after the snapshot edit */
uint64_t manifest_number(const struct manifest *manifest);
/* Mark and close, so that later damage is told from a torn tail. */
enum yore_status manifest_close(struct manifest *manifest, struct yore_error *error_out);

/* File names: written into `path` of PATH_BYTES; false when the directory's name is too long. */
#define PATH_BYTES 4096
#define FILE_NUMBER_MAX (UINT64_MAX / 2)
enum db_file_kind { DB_FILE_TABLE = 1, DB_FILE_VALUES = 2, DB_FILE_MANIFEST = 3 };
bool db_file_path(char path[PATH_BYTES], const char *dir, enum db_file_kind kind, uint64_t number,
                  uint64_t generation);
/* Is `name` (without directory) one of ours, and which? */
bool db_file_parse(const char *name, enum db_file_kind *kind_out, uint64_t *number_out,
                   uint64_t *generation_out);
bool dir_join(char path[PATH_BYTES], const char *dir, const char *name);

#endif
