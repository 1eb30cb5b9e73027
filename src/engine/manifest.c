/* manifest.c -- see manifest.h. */
#include "engine/manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "journal/record_log.h"

#define CURRENT_NAME "CURRENT"
#define CURRENT_NEW_NAME "CURRENT.new"
#define CURRENT_BYTES 128 /* fixed length, see current_format() */
#define RECORD_EDIT 1u

struct manifest {
    struct os_env *env;
    struct record_log_writer *log;
    uint64_t number;
    uint64_t base_bytes;
    struct buffer scratch;
};

/* ---- names ---- */

bool dir_join(char path[PATH_BYTES], const char *dir, const char *name)
{
    int size = snprintf(path, PATH_BYTES, "%s/%s", dir, name);
    return size > 0 && size < PATH_BYTES;
}

bool db_file_path(char path[PATH_BYTES], const char *dir, enum db_file_kind kind, uint64_t number,
                  uint64_t generation)
{
    int size = -1;
    switch (kind) {
    case DB_FILE_TABLE:
        size = snprintf(path, PATH_BYTES, "%s/table-%016" PRIx64, dir, number);
        break;
    case DB_FILE_VALUES:
        size = snprintf(path, PATH_BYTES, "%s/values-%016" PRIx64 "-%04" PRIx64, dir, number,
                        generation);
        break;
    case DB_FILE_MANIFEST:
        size = snprintf(path, PATH_BYTES, "%s/manifest-%016" PRIx64, dir, number);
        break;
    }
    return size > 0 && size < PATH_BYTES;
}

bool db_file_parse(const char *name, enum db_file_kind *kind_out, uint64_t *number_out,
                   uint64_t *generation_out)
{
    char again[PATH_BYTES];
    *generation_out = 0;
    if (sscanf(name, "table-%16" SCNx64, number_out) == 1) {
        *kind_out = DB_FILE_TABLE;
    } else if (sscanf(name, "values-%16" SCNx64 "-%" SCNx64, number_out, generation_out) == 2) {
        *kind_out = DB_FILE_VALUES;
    } else if (sscanf(name, "manifest-%16" SCNx64, number_out) == 1) {
        *kind_out = DB_FILE_MANIFEST;
    } else {
        return false;
    }
    /* Only the exact spelling is ours, and no number from which counting on would come to 0. */
    return *number_out <= FILE_NUMBER_MAX &&
           db_file_path(again, "", *kind_out, *number_out, *generation_out) &&
           strcmp(again + 1, name) == 0;
}

/* ---- CURRENT ---- */

/* "yore 1 <database> <manifest> <its bytes> <journal> <its bytes> <crc>\n", blanks to
 * CURRENT_BYTES. */
static void current_format(struct manifest_current current, char out[CURRENT_BYTES])
{
    char text[CURRENT_BYTES + 1];
    int head =
        snprintf(text, sizeof text,
                 "yore 1 %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64,
                 current.database, current.number, current.manifest_bytes, current.journal_number,
                 current.journal_bytes);
    uint32_t crc = crc32c(0, text, (size_t)head);
    snprintf(text + head, sizeof text - (size_t)head, " %08" PRIx32 "%*s\n", crc,
             CURRENT_BYTES - head - 10, "");
    memcpy(out, text, CURRENT_BYTES);
}

enum yore_status manifest_read_current(struct os_env *env, const char *dir,
                                       struct manifest_current *current_out,
                                       struct yore_error *error_out)
{
    char path[PATH_BYTES];
    struct os_file *file;
    if (!dir_join(path, dir, CURRENT_NAME)) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", dir);
    }
    enum yore_status st = os_file_open(env, path, OS_OPEN_READ, &file, error_out);
    if (st != YORE_OK) {
        return st;
    }
    char text[CURRENT_BYTES + 1] = {0};
    char expected[CURRENT_BYTES];
    size_t size = 0;
    st = os_file_read(file, 0, text, CURRENT_BYTES, &size, error_out);
    os_file_close(file);
    if (st != YORE_OK) {
        return st;
    }
    unsigned version = 0;
    int fields =
        sscanf(text, "yore %u %16" SCNx64 " %16" SCNx64 " %16" SCNx64 " %16" SCNx64 " %16" SCNx64,
               &version, &current_out->database, &current_out->number, &current_out->manifest_bytes,
               &current_out->journal_number, &current_out->journal_bytes);
    if (fields >= 1 && version != 1 && size == CURRENT_BYTES) {
        return error_set(
            error_out, YORE_BAD_FORMAT,
            "%s: offset 5: format version %u is not known to this program (it knows 1)", path,
            version);
    }
    current_format(*current_out, expected);
    if (size != CURRENT_BYTES || fields != 6 || memcmp(text, expected, CURRENT_BYTES) != 0) {
        return error_set(error_out, YORE_CORRUPT,
                         "%s: offset 0: the file is damaged; restore it from a backup", path);
    }
    return YORE_OK;
}

static enum yore_status write_current(struct os_env *env, const char *dir,
                                      struct manifest_current current, struct yore_error *error_out)
{
    char path[PATH_BYTES];
    char fresh[PATH_BYTES];
    char text[CURRENT_BYTES];
    struct os_file *file = NULL;
    if (!dir_join(path, dir, CURRENT_NAME) || !dir_join(fresh, dir, CURRENT_NEW_NAME)) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", dir);
    }
    enum yore_status st = os_path_unlink(env, fresh, error_out); /* left by a crash */
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        return st;
    }
    current_format(current, text);
    st = os_file_open(env, fresh, OS_OPEN_CREATE, &file, error_out);
    if (st == YORE_OK) {
        st = os_file_write(file, 0, text, CURRENT_BYTES, error_out);
    }
    if (st == YORE_OK) {
        st = os_file_sync(file, error_out);
    }
    os_file_close(file);
    if (st == YORE_OK) {
        st = os_path_rename(env, fresh, path, error_out);
    }
    if (st == YORE_OK) {
        st = os_dir_sync(env, dir, error_out);
    }
    return os_missing_is_io(st, error_out);
}

/* ---- reading ---- */

static enum yore_status apply_record(const struct record *record, const char *path,
                                     const struct forest_opener *opener, struct forest **forest,
                                     struct yore_error *error_out)
{
    struct edit edit;
    if (record->type != RECORD_EDIT) {
        return error_set(error_out, YORE_BAD_FORMAT,
                         "%s: offset %" PRIu64 ": record type %u is not known to this program",
                         path, record->offset, record->type);
    }
    enum yore_status st = edit_decode(record->payload, opener, &edit, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct forest *next;
    st = forest_apply(*forest, &edit, &next, error_out);
    edit_release(&edit);
    if (st == YORE_OK) {
        forest_unref(*forest);
        *forest = next;
    }
    return st;
}

/* ---- sizes after a clean close ---- */

static bool journal_path(char path[PATH_BYTES], const char *dir, uint64_t number)
{
    char name[32];
    (void)snprintf(name, sizeof name, "journal-%016" PRIx64 ".log", number);
    return dir_join(path, dir, name);
}

static enum yore_status check_size(struct os_env *env, const char *path, uint64_t bytes,
                                   struct yore_error *error_out)
{
    uint64_t size = 0;
    bool is_dir = false;
    enum yore_status st = os_path_stat(env, path, &size, &is_dir, error_out);
    if (st == YORE_NOT_FOUND) {
        return error_set(error_out, YORE_CORRUPT, "%s: is missing; restore it from a backup", path);
    }
    if (st == YORE_OK && size < bytes) {
        return error_set(error_out, YORE_CORRUPT,
                         "%s: offset %" PRIu64 ": the file was cut here: it had %" PRIu64
                         " bytes when it was closed; restore it from a backup",
                         path, size, bytes);
    }
    return st;
}

enum yore_status manifest_check_size(struct os_env *env, const char *dir,
                                     const struct manifest_current *current,
                                     struct yore_error *error_out)
{
    char path[PATH_BYTES];
    bool is_noted = current->manifest_bytes > 0 &&
                    db_file_path(path, dir, DB_FILE_MANIFEST, current->number, 0);
    return is_noted ? check_size(env, path, current->manifest_bytes, error_out) : YORE_OK;
}

enum yore_status manifest_check_journal(struct os_env *env, const char *dir,
                                        const struct manifest_current *current,
                                        struct yore_error *error_out)
{
    char path[PATH_BYTES];
    bool is_noted = current->journal_bytes > 0 && journal_path(path, dir, current->journal_number);
    return is_noted ? check_size(env, path, current->journal_bytes, error_out) : YORE_OK;
}

enum yore_status manifest_note_sizes(struct os_env *env, const char *dir,
                                     struct manifest_current current, struct yore_error *error_out)
{
    char path[PATH_BYTES];
    bool is_dir = false;
    struct manifest_current named;
    enum yore_status st = manifest_read_current(env, dir, &named, error_out);
    if (st != YORE_OK || named.number != current.number) {
        return st; /* a rewind has named another meanwhile */
    }
    if (!db_file_path(path, dir, DB_FILE_MANIFEST, current.number, 0)) {
        return YORE_INVALID;
    }
    st = os_path_stat(env, path, &current.manifest_bytes, &is_dir, error_out);
    if (st == YORE_OK && journal_path(path, dir, current.journal_number)) {
        st = os_path_stat(env, path, &current.journal_bytes, &is_dir, error_out);
    }
    return st == YORE_OK ? write_current(env, dir, current, error_out) : st;
}

/* ---- loading ---- */

enum yore_status manifest_load(struct os_env *env, const char *dir, struct manifest_current current,
                               const struct forest_opener *opener, struct forest **forest_out,
                               struct yore_error *error_out)
{
    char path[PATH_BYTES];
    struct record_log_reader *reader;
    struct record_log_identity identity = {current.database, current.number, RECORD_LOG_MANIFEST};
    if (!db_file_path(path, dir, DB_FILE_MANIFEST, current.number, 0)) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", dir);
    }
    enum yore_status st = record_log_open(env, path, identity, &reader, error_out);
    if (st == YORE_NOT_FOUND) {
        return error_set(error_out, YORE_CORRUPT, "%s: the file that CURRENT names is missing",
                         path);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct forest *forest = NULL;
    uint64_t records = 0;
    st = forest_new(&forest);
    while (st == YORE_OK) {
        struct record record;
        st = record_log_next(reader, &record, error_out);
        if (st == YORE_OK) {
            st = apply_record(&record, path, opener, &forest, error_out);
            records++;
        }
    }
    record_log_reader_close(reader);
    if (st == YORE_NOT_FOUND && records > 0) {
        *forest_out = forest; /* a torn last edit was never acted upon */
        return YORE_OK;
    }
    forest_unref(forest);
    if (st == YORE_NOT_FOUND) {
        return error_set(error_out, YORE_CORRUPT, "%s: offset 0: no description inside", path);
    }
    return st;
}

/* ---- writing ---- */

enum yore_status manifest_append(struct manifest *manifest, const struct edit *edit,
                                 struct yore_error *error_out)
{
    buffer_clear(&manifest->scratch);
    manifest->scratch.is_nomem = edit->is_nomem;
    edit_encode(edit, &manifest->scratch);
    if (manifest->scratch.is_nomem) {
        manifest->scratch.is_nomem = false;
        return error_plain(error_out, YORE_NOMEM);
    }
    struct record record = {.type = RECORD_EDIT, .payload = buffer_bytes(&manifest->scratch)};
    enum yore_status st = record_log_append(manifest->log, &record, 1, error_out);
    return st == YORE_OK ? record_log_sync(manifest->log, error_out) : st;
}

enum yore_status manifest_create(struct os_env *env, const char *dir, uint64_t database,
                                 uint64_t number, const struct forest *forest,
                                 struct manifest **manifest_out, struct yore_error *error_out)
{
    char path[PATH_BYTES];
    struct edit edit = {0};
    struct record_log_options options = {.identity = {database, number, RECORD_LOG_MANIFEST},
                                         .first_sequence = 1};
    if (!db_file_path(path, dir, DB_FILE_MANIFEST, number, 0)) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", dir);
    }
    struct manifest *manifest = mem_zalloc(sizeof *manifest);
    enum yore_status st = manifest != NULL ? forest_snapshot(forest, &edit) : YORE_NOMEM;
    if (st != YORE_OK) {
        mem_free(manifest);
        return error_plain(error_out, st);
    }
    manifest->env = env;
    manifest->number = number;
    st = os_path_unlink(env, path, error_out); /* of a run that crashed before it became current */
    if (st == YORE_OK || st == YORE_NOT_FOUND) {
        st = record_log_create(env, path, &options, &manifest->log, error_out);
    }
    if (st == YORE_OK) {
        st = manifest_append(manifest, &edit, error_out);
    }
    if (st == YORE_OK) {
        manifest->base_bytes = record_log_bytes(manifest->log);
        struct manifest_current current = {.database = database, .number = number};
        /* write_current syncs the directory, and with it the new manifest's entry, but only after
         * the rename: sync it before too, or a crash could leave CURRENT naming a file that is not
         * there. */
        st = os_missing_is_io(os_dir_sync(env, dir, error_out), error_out);
        if (st == YORE_OK) {
            st = write_current(env, dir, current, error_out);
        }
    }
    edit_release(&edit);
    if (st != YORE_OK) {
        (void)manifest_close(manifest, NULL);
        return st;
    }
    *manifest_out = manifest;
    return YORE_OK;
}

uint64_t manifest_bytes(const struct manifest *manifest)
{
    return record_log_bytes(manifest->log);
}

uint64_t manifest_base_bytes(const struct manifest *manifest)
{
    return manifest->base_bytes;
}

uint64_t manifest_number(const struct manifest *manifest)
{
    return manifest->number;
}

enum yore_status manifest_close(struct manifest *manifest, struct yore_error *error_out)
{
    if (manifest == NULL) {
        return YORE_OK;
    }
    enum yore_status st = YORE_OK;
    if (manifest->log != NULL) {
        st = record_log_mark(manifest->log, error_out);
        enum yore_status closed =
            record_log_close(manifest->log, true, st == YORE_OK ? error_out : NULL);
        st = st == YORE_OK ? closed : st;
    }
    buffer_release(&manifest->scratch);
    mem_free(manifest);
    return st;
}
