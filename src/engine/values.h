/* values.h -- the value store: large values in files of their own (table/value_file.h), and which
 * of them are wanted.
 *
 * One file is being appended to; it is closed at VALUE_FILE_BYTES_MAX or when the database closes,
 * then listed in the manifest with its size.  After a restart appending begins with a new file.
 * Writers may call from any thread.
 */
#ifndef YORE_ENGINE_VALUES_H
#define YORE_ENGINE_VALUES_H

#include "base/buffer.h"
#include "engine/forest.h"
#include "engine/value_holds.h"
#include "table/value_file.h"

#define VALUE_FILE_BYTES_MAX (256u << 20)
#define VALUE_READERS_MAX 64u

struct values;

/* `take_number` hands out file numbers; `record` is called with a file that was begun (bytes 0) or
 * closed, before a reference into it can be committed, and makes the manifest name it; `drop`
 * unlinks a file that `record` refused, unless the manifest may name it all the same. */
struct values_port {
    uint64_t (*take_number)(void *arg);
    enum yore_status (*record)(void *arg, const struct value_file_info *info,
                               struct yore_error *error_out);
    void (*drop)(void *arg, const char *path);
    void *arg;
};
enum yore_status values_open(struct os_env *env, const char *dir, uint64_t database,
                             const struct values_port *port, struct values **values_out);
/* Close the open file (recording its size) and every reader. */
enum yore_status values_close(struct values *values, struct yore_error *error_out);
/* Append a value of a commit that is yet to come; fills `ref_out` (VALUE_REF_BYTES octets).
 * `*hold`, NULL before the commit's first value, holds them all until values_let_go(), when the
 * commit is in the memtable or given up; that makes it NULL again. */
struct value_entry {
    uint32_t keyspace;
    struct yore_bytes key;
    struct yore_bytes value;
};
enum yore_status values_append(struct values *values, struct value_hold **hold,
                               const struct value_entry *entry,
                               unsigned char ref_out[VALUE_REF_BYTES],
                               struct yore_error *error_out);
void values_let_go(struct values *values, struct value_hold **hold); /* NULL is accepted */
/* The commit is being made, or has failed and may be made again.  NULL is ignored. */
void values_commit(struct values *values, struct value_hold *hold, bool is_committing);
/* The records in files up to `file`, of which none is being appended to, that commits yet to come
 * may refer to; the caller releases them.  With `waits` only when no such commit is on its way: of
 * what is told then none was ever referred to.  Errors: YORE_NOMEM. */
enum yore_status values_held(struct values *values, uint64_t file, bool waits,
                             struct value_spans *spans_out, struct yore_error *error_out);
/* Close the file if it is the one being appended to. */
enum yore_status values_end(struct values *values, uint64_t file, struct yore_error *error_out);
/* Make everything appended so far durable; cheap when nothing is pending. */
enum yore_status values_sync(struct values *values, struct yore_error *error_out);
/* Read a referenced value into a fresh heap block (mem_free).  `generation` comes from the forest's
 * value_files. */
enum yore_status values_get(struct values *values, const struct forest *forest,
                            struct yore_bytes ref, struct yore_bytes key, void **data_out,
                            size_t *size_out, struct yore_error *error_out);
/* The size without reading. */
size_t value_ref_size(struct yore_bytes ref);
/* Forget readers of a file that was thinned or dropped. */
void values_forget(struct values *values, uint64_t file);
/* The file being appended to and how long it is; 0: none.  Returns only when no file is between
 * being made and being named by the manifest. */
uint64_t values_writing(struct values *values, uint64_t *bytes_out);
/* What the forest says of a value file; NULL: it names none of that number. */
const struct value_file_info *forest_value_file(const struct forest *forest, uint64_t file);

#endif
