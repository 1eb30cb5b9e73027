/* The lines that export writes (record.h). */
#include <stdio.h>
#include <string.h>

#include "cli/import_erased.h"
#include "cli/import_internal.h"
#include "cli/record.h"
#include "cli/server_keyspace.h"
#include "cli/store.h"
#include "command/series.h"

/* Where only now is kept, an end so little ahead counts as passed: it might be when the line is
 * committed, and the commit would be refused. */
#define UNDATED_MARGIN_NS INT64_C(100000000)

/* A keyspace that lines have named; its retention is set when all is written, or old facts would be
 * refused. */
struct named_keyspace {
    char name[YORE_KEYSPACE_NAME_BYTES_MAX + 1];
    struct store_keyspace *handle;
    struct yore_keyspace_options wanted;
    bool is_altered_at_end;
    bool keeps_now;                   /* takes no times of its own */
    enum server_keyspace left_out_as; /* what the server writes itself; NONE: it is written */
    uint64_t left_out_versions;
};

struct ndjson_import {
    struct import_sink *sink;
    struct record record;
    struct buffer group; /* commit text of the transaction in hand */
    bool has_group;
    struct buffer keyspaces; /* struct named_keyspace, at most YORE_KEYSPACES_MAX */
    struct import_erased erased;
    bool keeps_now;           /* of where lines go that name no keyspace */
    uint64_t series_versions; /* that make a key a series, for a server that takes none */
};

static struct named_keyspace *keyspace_at(const struct ndjson_import *import, size_t index)
{
    return (struct named_keyspace *)(void *)import->keyspaces.data + index;
}

static size_t keyspace_count(const struct ndjson_import *import)
{
    return import->keyspaces.size / sizeof(struct named_keyspace);
}

static struct named_keyspace *find_keyspace(const struct ndjson_import *import, const char *name)
{
    for (size_t i = 0; i < keyspace_count(import); i++) {
        if (strcmp(keyspace_at(import, i)->name, name) == 0) {
            return keyspace_at(import, i);
        }
    }
    return NULL;
}

static enum yore_status add_keyspace(struct ndjson_import *import, const char *name,
                                     const struct named_keyspace *keyspace,
                                     struct named_keyspace **keyspace_out,
                                     struct yore_error *error_out)
{
    buffer_append(&import->keyspaces, keyspace, sizeof(*keyspace));
    if (import->keyspaces.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    *keyspace_out = keyspace_at(import, keyspace_count(import) - 1);
    memcpy((*keyspace_out)->name, name, strlen(name) + 1);
    return YORE_OK;
}

static enum yore_status remember_keyspace(struct ndjson_import *import, const char *name,
                                          struct store_keyspace *handle,
                                          struct named_keyspace **keyspace_out,
                                          struct yore_error *error_out)
{
    struct named_keyspace keyspace = {.handle = handle};
    struct yore_keyspace_info info;
    struct yore_error cause;
    enum yore_status st = store_keyspace_info(import->sink->store, handle, &info, &cause);
    if (st != YORE_OK) {
        return import_blame(import->sink, &cause, error_out);
    }
    keyspace.keeps_now = info.options.keep == YORE_KEEP_NOW;
    return add_keyspace(import, name, &keyspace, keyspace_out, error_out);
}

/* A keyspace that the server does not let anybody write by name: nothing of it is. */
static enum yore_status leave_keyspace_out(struct ndjson_import *import, const char *name,
                                           struct yore_error *error_out)
{
    const struct named_keyspace keyspace = {.left_out_as = server_keyspace_of(name)};
    struct named_keyspace *added;
    import->sink->counts.server_lines += keyspace.left_out_as == SERVER_KEYSPACE_OWN;
    return add_keyspace(import, name, &keyspace, &added, error_out);
}

static void leave_version_out(struct ndjson_import *import, struct named_keyspace *keyspace)
{
    import->sink->counts.server_lines += keyspace->left_out_as == SERVER_KEYSPACE_OWN;
    keyspace->left_out_versions++;
}

static bool is_of_series(const struct ndjson_import *import)
{
    return store_remote(import->sink->store) != NULL && import->record.kind == RECORD_PUT &&
           series_is_marked(buffer_bytes(&import->record.value));
}

/* The keyspace a line writes to; NULL for the default one. */
static enum yore_status enter_keyspace(struct ndjson_import *import,
                                       struct named_keyspace **keyspace_out,
                                       struct yore_error *error_out)
{
    const char *name = (const char *)import->record.keyspace.data;
    struct store_keyspace *handle;
    struct yore_error cause;
    *keyspace_out = NULL;
    if (import->record.keyspace.size == 0 || import->sink->options->is_keyspace_forced ||
        strcmp(name, "default") == 0) {
        return YORE_OK;
    }
    *keyspace_out = find_keyspace(import, name);
    if (*keyspace_out != NULL) {
        return YORE_OK;
    }
    enum yore_status st = store_keyspace_open(import->sink->store, name, NULL, &handle, &cause);
    if (st == YORE_NOT_FOUND) {
        return import_refuse(import->sink, error_out,
                             "no keyspace '%s'; make it first, by a line "
                             "{\"kind\":\"keyspace\",\"keyspace\":\"%s\"} or by `yore keyspace`",
                             name, name);
    }
    return st == YORE_OK ? remember_keyspace(import, name, handle, keyspace_out, error_out)
                         : import_blame(import->sink, &cause, error_out);
}

/* A keyspace line: make it unless it is there; one that is there stays as it is. */
static enum yore_status make_keyspace(struct ndjson_import *import, struct yore_error *error_out)
{
    struct import_sink *sink = import->sink;
    const struct yore_keyspace_options *wanted = &import->record.options;
    const char *name = (const char *)import->record.keyspace.data;
    struct yore_keyspace_options options = *wanted;
    struct named_keyspace *keyspace;
    struct store_keyspace *handle;
    struct yore_error cause;
    if (sink->options->is_keyspace_forced || find_keyspace(import, name) != NULL ||
        strcmp(name, "default") == 0) {
        return YORE_OK;
    }
    enum yore_status st = import_sink_commit(sink, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (options.keep == YORE_KEEP_FOR) {
        options.keep = YORE_KEEP_ALL;
        options.keep_ns = 0;
    }
    st = store_keyspace_create(sink->store, name, &options, &handle, &cause);
    bool was_there = st == YORE_EXISTS;
    if (was_there) {
        st = store_keyspace_open(sink->store, name, NULL, &handle, &cause);
    }
    if (st == YORE_READ_ONLY && server_keyspace_of(name) != SERVER_KEYSPACE_NONE) {
        return leave_keyspace_out(import, name, error_out);
    }
    if (st != YORE_OK) {
        return import_blame(sink, &cause, error_out);
    }
    st = remember_keyspace(import, name, handle, &keyspace, error_out);
    if (st == YORE_OK && !was_there && wanted->keep == YORE_KEEP_FOR) {
        keyspace->wanted = *wanted;
        keyspace->is_altered_at_end = true;
    }
    return st;
}

/* Commit the transaction in hand when the line does not belong to it. */
static enum yore_status enter_group(struct ndjson_import *import, struct yore_error *error_out)
{
    const struct record *record = &import->record;
    struct import_sink *sink = import->sink;
    bool is_same = record->has_commit == import->has_group &&
                   bytes_equal(buffer_bytes(&record->commit), buffer_bytes(&import->group));
    bool is_full = !record->has_commit && import_sink_pending(sink) >= sink->options->batch_rows;
    if (is_same && !is_full) {
        return YORE_OK;
    }
    import->has_group = record->has_commit;
    buffer_clear(&import->group);
    buffer_append_bytes(&import->group, buffer_bytes(&record->commit));
    return import->group.is_nomem ? error_plain(error_out, YORE_NOMEM)
                                  : import_sink_commit(sink, error_out);
}

/* Slot 0 is where lines go that name no keyspace. */
static enum yore_status remember_erased(struct ndjson_import *import,
                                        const struct named_keyspace *keyspace,
                                        const struct import_write *write,
                                        struct yore_error *error_out)
{
    if (write->from == YORE_NOW) {
        return import_refuse(import->sink, error_out, "an erased version needs its \"valid_from\"");
    }
    size_t slot = keyspace == NULL ? 0 : (size_t)(keyspace - keyspace_at(import, 0)) + 1;
    return import_erased_add(&import->erased, (uint32_t)slot, write->key, write->from, error_out);
}

/* A version that holds no more when it could begin is written as a delete: nothing else says so.
 * A time to live may have passed before its commit, where the line comes from; in a line without a
 * commit such an end is a mistake.  Where only now is kept it may have passed since. */
static enum yore_status settle_end(struct ndjson_import *import, bool is_undated,
                                   struct yore_error *error_out)
{
    struct record *record = &import->record;
    int64_t begin = record->valid_from;
    enum yore_status st = YORE_OK;
    bool dates_by_commit = import->sink->options->dates_by_commit;
    if (record->kind == RECORD_ERASED && (is_undated || dates_by_commit)) {
        record->kind = RECORD_DELETE; /* from its commit on there was nothing */
        record->valid_to = YORE_FOREVER;
    }
    if (record->valid_to == YORE_FOREVER || dates_by_commit) {
        return YORE_OK;
    }
    if (is_undated) {
        st = store_ask_now(import->sink->store, &begin, error_out);
        begin += UNDATED_MARGIN_NS;
    }
    bool may_be_over = is_undated || (record->has_commit && begin != YORE_NOW);
    if (st == YORE_OK && may_be_over && record->valid_to <= begin) {
        record->kind = RECORD_DELETE;
        record->valid_to = YORE_FOREVER;
    }
    return st;
}

static enum yore_status write_version(struct ndjson_import *import,
                                      const struct named_keyspace *keyspace,
                                      struct yore_error *error_out)
{
    const struct record *record = &import->record;
    struct import_sink *sink = import->sink;
    bool is_undated = keyspace != NULL ? keyspace->keeps_now : import->keeps_now;
    enum yore_status st = settle_end(import, is_undated, error_out);
    bool is_erased = record->kind == RECORD_ERASED;
    const struct import_write write = {
        .keyspace = keyspace != NULL ? keyspace->handle : sink->options->keyspace,
        .key = buffer_bytes(&record->key),
        .value = is_erased ? import_erased_stand_in(&import->erased, sink->store)
                           : buffer_bytes(&record->value),
        .from = is_undated ? YORE_NOW : record->valid_from,
        .to = record->valid_to,
        .is_delete = record->kind == RECORD_DELETE};
    if (st == YORE_OK) {
        st = import_erased_make_way(&import->erased, sink, write.keyspace, write.key, write.from,
                                    error_out);
    }
    if (st == YORE_OK) {
        st = import_sink_write(sink, &write, error_out);
    }
    return st == YORE_OK && is_erased ? remember_erased(import, keyspace, &write, error_out) : st;
}

static enum yore_status take_line(struct ndjson_import *import, struct yore_bytes line,
                                  struct yore_error *error_out)
{
    struct record *record = &import->record;
    struct import_sink *sink = import->sink;
    struct named_keyspace *keyspace;
    struct yore_error cause;
    if (record_parse(record, line, store_now(sink->store), &cause) != YORE_OK) {
        return import_blame(sink, &cause, error_out);
    }
    if (record->kind == RECORD_KEYSPACE) {
        return make_keyspace(import, error_out);
    }
    enum yore_status st = enter_group(import, error_out);
    if (st == YORE_OK) {
        st = enter_keyspace(import, &keyspace, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (keyspace != NULL && keyspace->left_out_as != SERVER_KEYSPACE_NONE) {
        leave_version_out(import, keyspace);
        return YORE_OK;
    }
    if (is_of_series(import)) {
        import->series_versions++;
        return YORE_OK;
    }
    return write_version(import, keyspace, error_out);
}

static struct store_keyspace *keyspace_of_slot(const void *arg, uint32_t slot)
{
    const struct ndjson_import *import = arg;
    return slot == 0 ? import->sink->options->keyspace : keyspace_at(import, slot - 1)->handle;
}

/* An error where versions of graphs or series were left out: who imports has not got all. */
static enum yore_status tell_left_out(const struct ndjson_import *import,
                                      struct yore_error *error_out)
{
    const struct named_keyspace *first = NULL;
    char others[32] = "";
    size_t other_count = 0;
    for (size_t i = 0; i < keyspace_count(import); i++) {
        const struct named_keyspace *keyspace = keyspace_at(import, i);
        if (keyspace->left_out_versions > 0 && keyspace->left_out_as != SERVER_KEYSPACE_OWN) {
            other_count += first != NULL;
            first = first != NULL ? first : keyspace;
        }
    }
    if (other_count > 0) {
        snprintf(others, sizeof(others), " and %zu more", other_count);
    }
    if (first == NULL && import->series_versions > 0) {
        return error_set(error_out, YORE_UNSUPPORTED,
                         "%.80s: all is written but %llu versions of time series: a server writes "
                         "these by TS.* alone; import the file into a new directory and serve that",
                         line_source_name(import->sink->source),
                         (unsigned long long)import->series_versions);
    }
    return first == NULL
               ? YORE_OK
               : error_set(error_out, YORE_UNSUPPORTED,
                           "%.80s: all is written but keyspace %.80s (%llu versions)%s: graphs and "
                           "series a server writes by GRAPH.* and TS.* alone; import "
                           "the file into a new directory and serve that, or restore a backup",
                           line_source_name(import->sink->source), first->name,
                           (unsigned long long)first->left_out_versions, others);
}

/* Now that everything is written: what is erased, and what the keyspaces may forget. */
static enum yore_status finish(struct ndjson_import *import, struct yore_error *error_out)
{
    enum yore_status st = import_sink_commit(import->sink, error_out);
    if (st == YORE_OK) {
        st =
            import_erased_apply(&import->erased, import->sink, keyspace_of_slot, import, error_out);
    }
    for (size_t i = 0; i < keyspace_count(import) && st == YORE_OK; i++) {
        struct named_keyspace *keyspace = keyspace_at(import, i);
        if (keyspace->is_altered_at_end) {
            st = store_keyspace_alter(import->sink->store, keyspace->handle, &keyspace->wanted,
                                      error_out);
        }
    }
    return st == YORE_OK ? tell_left_out(import, error_out) : st;
}

static bool is_blank(struct yore_bytes line)
{
    const char *at = line.data;
    for (size_t i = 0; i < line.size; i++) {
        if (at[i] != ' ' && at[i] != '\t' && at[i] != '\r') {
            return false;
        }
    }
    return true;
}

enum yore_status import_ndjson(struct import_sink *sink, struct yore_error *error_out)
{
    struct ndjson_import import = {.sink = sink};
    struct yore_keyspace_info info;
    struct yore_bytes line;
    enum yore_status st = YORE_OK;
    if (sink->options->keyspace != NULL) {
        st = store_keyspace_info(sink->store, sink->options->keyspace, &info, error_out);
        import.keeps_now = st == YORE_OK && info.options.keep == YORE_KEEP_NOW;
    }
    bool is_end = false;
    while (st == YORE_OK && !is_end) {
        st = line_source_next(sink->source, &line, error_out);
        is_end = st == YORE_NOT_FOUND;
        if (st == YORE_OK && !is_blank(line)) {
            st = take_line(&import, line, error_out);
        }
    }
    if (is_end) {
        st = finish(&import, error_out);
    }
    record_release(&import.record);
    buffer_release(&import.group);
    buffer_release(&import.keyspaces);
    import_erased_release(&import.erased);
    return st;
}
