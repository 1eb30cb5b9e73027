/* All history is the feed: it has every write, in commit order, with its commit.  One moment is a
 * scan. */
#include "cli/export.h"

#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/export_internal.h"
#include "cli/progress.h"
#include "cli/record.h"
#include "cli/server_keyspace.h"
#include "cli/store.h"
#include "cli/words.h"
#include "os/env.h"
#include "os/term.h"

#define TICK_ROWS 1024u
#define PART_SUFFIX ".part" /* of a file that is being written */

/* ---- keyspaces ------------------------------------------------------------------------------- */

const struct yore_keyspace_info *export_info_at(const struct exporter *e, size_t index)
{
    return (const struct yore_keyspace_info *)(const void *)e->keyspaces.data + index;
}

size_t export_info_count(const struct exporter *e)
{
    return e->keyspaces.size / sizeof(struct yore_keyspace_info);
}

static const struct yore_keyspace_info *find_info(const struct exporter *e, uint32_t id)
{
    for (size_t i = 0; i < export_info_count(e); i++) {
        if (export_info_at(e, i)->id == id) {
            return export_info_at(e, i);
        }
    }
    return NULL;
}

static int keep_info(void *arg, const struct yore_keyspace_info *info)
{
    struct exporter *e = arg;
    buffer_append(&e->keyspaces, info, sizeof(*info));
    return e->keyspaces.is_nomem;
}

/* Which database is which keyspace is told by "server", once two were swapped.  The rest is the
 * server's own account of keys that end and how many there are; another one makes its own. */
static enum yore_status is_needed(struct exporter *e, const struct yore_keyspace_info *info,
                                  bool *is_needed_out, struct yore_error *error_out)
{
    const struct store_rows options = {.no_cache_fill = true, .limit = 1};
    struct store_keyspace *keyspace = NULL;
    struct store_walk *rows = NULL;
    struct yore_row row;
    *is_needed_out = strcmp(info->name, "server") == 0;
    if (!*is_needed_out) {
        return YORE_OK;
    }
    enum yore_status st = store_keyspace_open(e->store, info->name, NULL, &keyspace, error_out);
    if (st == YORE_OK) {
        st = store_rows_open(e->store, keyspace, &options, &rows, error_out);
    }
    if (st == YORE_OK) {
        st = store_rows_next(rows, &row, error_out);
        *is_needed_out = st == YORE_OK;
        st = st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    store_walk_close(rows);
    return st;
}

/* Behind a server: what it keeps for itself goes, what it writes itself is counted. */
static enum yore_status sort_out_server(struct exporter *e, struct yore_error *error_out)
{
    size_t kept = 0;
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < export_info_count(e) && st == YORE_OK; i++) {
        const struct yore_keyspace_info info = *export_info_at(e, i);
        enum server_keyspace kind = server_keyspace_of(info.name);
        bool is_written = true;
        if (kind == SERVER_KEYSPACE_OWN && !e->options->is_one_keyspace) {
            st = is_needed(e, &info, &is_written, error_out);
        }
        if (is_written) {
            memcpy(e->keyspaces.data + kept++ * sizeof(info), &info, sizeof(info));
        } else {
            buffer_append(&e->left_out, &info.id, sizeof(info.id));
        }
        e->counts.server_keyspaces +=
            kind == SERVER_KEYSPACE_GRAPH || kind == SERVER_KEYSPACE_SERIES;
    }
    e->keyspaces.size = kept * sizeof(struct yore_keyspace_info);
    return st == YORE_OK && e->left_out.is_nomem ? error_plain(error_out, YORE_NOMEM) : st;
}

static bool is_left_out(const struct exporter *e, uint32_t id)
{
    for (size_t at = 0; at < e->left_out.size; at += sizeof(id)) {
        if (memcmp(e->left_out.data + at, &id, sizeof(id)) == 0) {
            return true;
        }
    }
    return false;
}

static enum yore_status list_keyspaces(struct exporter *e, struct yore_error *error_out)
{
    const struct export_options *options = e->options;
    struct yore_keyspace_info info;
    enum yore_status st = YORE_OK;
    if (options->is_one_keyspace) {
        st = store_keyspace_info(e->store, options->keyspace, &info, error_out);
        if (st == YORE_OK) {
            keep_info(e, &info);
        }
    } else {
        st = store_keyspace_list(e->store, NULL, keep_info, e, error_out);
    }
    if (st == YORE_OK && e->keyspaces.is_nomem) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    return st == YORE_OK && store_remote(e->store) != NULL ? sort_out_server(e, error_out) : st;
}

const char *export_name(const struct yore_keyspace_info *info)
{
    return strcmp(info->name, "default") == 0 ? NULL : info->name;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static enum yore_status pour(struct exporter *e, struct yore_error *error_out)
{
    struct buffer *line = &e->line;
    if (line->is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (line->size > 0 && fwrite(line->data, 1, line->size, e->stream) != line->size) {
        return error_set(error_out, cli_stream_status(), "cannot write the export: %s",
                         strerror(errno));
    }
    e->counts.bytes += line->size;
    buffer_clear(line);
    return YORE_OK;
}

static enum yore_status tick(struct exporter *e, struct yore_error *error_out)
{
    const struct export_options *options = e->options;
    e->counts.rows++;
    if (e->counts.rows % TICK_ROWS == 0 && options->tick != NULL &&
        options->tick(options->tick_arg, e->counts.rows, e->counts.bytes) != 0) {
        return error_set(error_out, YORE_CANCELLED, "stopped after %llu rows",
                         (unsigned long long)e->counts.rows);
    }
    return YORE_OK;
}

enum yore_status export_line(struct exporter *e, struct yore_bytes line,
                             struct yore_error *error_out)
{
    buffer_append_bytes(&e->line, line);
    enum yore_status st = pour(e, error_out);
    return st == YORE_OK ? tick(e, error_out) : st;
}

static enum yore_status put_version(struct exporter *e, const struct record_version *version,
                                    struct yore_error *error_out)
{
    record_append_version(&e->line, version);
    enum yore_status st = pour(e, error_out);
    return st == YORE_OK ? tick(e, error_out) : st;
}

static enum yore_status put_keyspaces(struct exporter *e, struct yore_error *error_out)
{
    for (size_t i = 0; i < export_info_count(e); i++) {
        if (export_name(export_info_at(e, i)) != NULL) {
            record_append_keyspace(&e->line, export_info_at(e, i));
        }
    }
    return pour(e, error_out);
}

bool export_has(const struct exporter *e, struct yore_bytes key)
{
    const struct yore_range *range = &e->options->range;
    return bytes_starts_with(key, range->prefix) && bytes_compare(key, range->low) >= 0 &&
           (range->high.size == 0 || bytes_compare(key, range->high) < 0);
}

/* ---- all history ----------------------------------------------------------------------------- */

enum record_kind export_kind(enum yore_kind kind)
{
    return kind == YORE_KIND_PUT      ? RECORD_PUT
           : kind == YORE_KIND_DELETE ? RECORD_DELETE
                                      : RECORD_ERASED;
}

static enum yore_status put_commit(struct exporter *e, const struct yore_feed_commit *commit,
                                   struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < commit->write_count && st == YORE_OK; i++) {
        const struct yore_feed_write *write = &commit->writes[i];
        const struct yore_keyspace_info *info = find_info(e, write->keyspace_id);
        bool is_ours = write->keyspace_id == 0 || is_left_out(e, write->keyspace_id);
        if (info == NULL && !is_ours && !e->options->is_one_keyspace) {
            e->counts.dropped_rows++;
        }
        if (info == NULL || !export_has(e, write->key)) {
            continue;
        }
        const struct record_version version = {.kind = export_kind(write->kind),
                                               .keyspace = export_name(info),
                                               .key = write->key,
                                               .value = write->value,
                                               .valid_from = write->valid_from,
                                               .valid_to = write->valid_to,
                                               .commit = commit->commit};
        st = put_version(e, &version, error_out);
    }
    return st;
}

static enum yore_status put_history(struct exporter *e, struct yore_error *error_out)
{
    struct yore_feed_commit commit;
    struct store_walk *feed = NULL;
    enum yore_status st = store_feed_open(e->store, YORE_TIME_MIN, UINT64_MAX, &feed, error_out);
    if (st == YORE_BEFORE_HORIZON) {
        return export_kept(e, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    while (st == YORE_OK) {
        st = store_feed_next(feed, &commit, error_out);
        if (st == YORE_OK && commit.commit > e->now) {
            st = YORE_NOT_FOUND; /* its keyspace may not be among those listed */
        }
        if (st == YORE_OK) {
            st = put_commit(e, &commit, error_out);
        }
    }
    store_walk_close(feed);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- one moment ------------------------------------------------------------------------------ */

static enum yore_status put_rows(struct exporter *e, const struct yore_keyspace_info *info,
                                 struct store_walk *rows, struct yore_error *error_out)
{
    struct yore_row row;
    enum yore_status st;
    while ((st = store_rows_next(rows, &row, error_out)) == YORE_OK) {
        const struct record_version version = {.kind = RECORD_PUT,
                                               .keyspace = export_name(info),
                                               .key = row.key,
                                               .value = row.value,
                                               .valid_from = row.valid_from,
                                               .valid_to = row.valid_to,
                                               .commit = YORE_NOW};
        st = put_version(e, &version, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status put_moment_of(struct exporter *e, const struct yore_keyspace_info *info,
                                      struct yore_error *error_out)
{
    const struct yore_time *asked = e->options->at;
    const struct yore_time at = {asked->valid != YORE_NOW ? asked->valid : e->now,
                                 asked->known != YORE_NOW ? asked->known : e->now};
    bool keeps_now = info->options.keep == YORE_KEEP_NOW;
    const struct store_rows options = {.range = e->options->range,
                                       .at = keeps_now ? NULL : &at,
                                       .no_cache_fill = true,
                                       .limit = UINT64_MAX};
    struct store_keyspace *keyspace = NULL;
    struct store_walk *rows = NULL;
    enum yore_status st = YORE_OK;
    bool is_past = asked->valid != YORE_NOW || asked->known != YORE_NOW;
    if (keeps_now && is_past) {
        e->counts.trimmed_keyspaces++; /* it has no past to read */
        return YORE_OK;
    }
    if (export_name(info) != NULL) {
        st = store_keyspace_open(e->store, info->name, NULL, &keyspace, error_out);
    }
    if (st == YORE_OK) {
        st = store_rows_open(e->store, keyspace, &options, &rows, error_out);
    }
    if (st == YORE_OK) {
        st = put_rows(e, info, rows, error_out);
    }
    store_walk_close(rows);
    return st;
}

static enum yore_status put_moment(struct exporter *e, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < export_info_count(e) && st == YORE_OK; i++) {
        st = put_moment_of(e, export_info_at(e, i), error_out);
    }
    return st;
}

enum yore_status export_run(struct store *store, FILE *stream, const struct export_options *options,
                            struct export_counts *counts_out, struct yore_error *error_out)
{
    struct exporter e = {.store = store, .stream = stream, .options = options};
    enum yore_status st = store_ask_now(store, &e.now, error_out);
    if (st == YORE_OK) {
        st = list_keyspaces(&e, error_out);
    }
    if (st == YORE_OK) {
        st = put_keyspaces(&e, error_out);
    }
    if (st == YORE_OK) {
        st = options->at != NULL ? put_moment(&e, error_out) : put_history(&e, error_out);
    }
    if (st == YORE_OK && fflush(stream) != 0) {
        st = error_set(error_out, cli_stream_status(), "cannot write the export: %s",
                       strerror(errno));
    }
    *counts_out = e.counts;
    buffer_release(&e.line);
    buffer_release(&e.keyspaces);
    buffer_release(&e.left_out);
    return st;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int show_tick(void *arg, uint64_t rows, uint64_t bytes)
{
    (void)bytes;
    progress_show(arg, 0, 0, rows);
    return os_interrupt_take();
}

static int export_to(struct cli *cli, FILE *stream, const struct export_options *options)
{
    struct export_counts counts;
    struct yore_error error;
    progress_begin(options->tick_arg, cli, "export", "rows");
    enum yore_status st = export_run(cli->store, stream, options, &counts, &error);
    progress_end(options->tick_arg);
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    if (counts.trimmed_keyspaces > 0 && !cli->is_quiet) {
        fprintf(cli->err, "note: %llu keyspaces no longer keep all; what they keep is exported\n",
                (unsigned long long)counts.trimmed_keyspaces);
    }
    if (counts.dropped_rows > 0 && !cli->is_quiet) {
        fprintf(cli->err, "note: %llu writes into keyspaces that were dropped are left out\n",
                (unsigned long long)counts.dropped_rows);
    }
    if (counts.server_keyspaces > 0 && !cli->is_quiet) {
        fprintf(cli->err,
                "note: %llu keyspaces of graphs and series are in it for an import into a "
                "directory; a server imports none of them\n",
                (unsigned long long)counts.server_keyspaces);
    }
    return EXIT_FOUND;
}

/* A regular file is replaced when its successor is whole.  What cannot be replaced (a device, a
 * pipe) is written as it is: `*direct_out`, else NULL. */
static enum yore_status open_direct(struct cli *cli, const char *name, FILE **direct_out,
                                    struct yore_error *error_out)
{
    uint64_t size = 0;
    bool is_dir = false;
    *direct_out = NULL;
    enum yore_status st = os_path_stat(cli->env, name, &size, &is_dir, error_out);
    if (st != YORE_OK) {
        return st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    /* Not cut, and proof that it may be written; of a pipe it waits for the reader. */
    FILE *stream = fopen(name, "ab");
    if (stream == NULL) {
        return error_set(error_out, YORE_IO, "cannot write %s: %s", name, strerror(errno));
    }
    if (strncmp(name, "/dev/", 5) == 0 || fseek(stream, 0, SEEK_END) != 0) {
        *direct_out = stream;
    } else {
        fclose(stream);
    }
    return YORE_OK;
}

static int close_export(struct cli *cli, FILE *stream, const char *name, int code)
{
    if (fclose(stream) != 0 && code == EXIT_FOUND) {
        return cli_fail_text(cli, cli_stream_status(), "cannot write %s: %s", name,
                             strerror(errno));
    }
    return code;
}

/* Synced first: a power cut must not leave the name with less than the old file had. */
static int put_in_place(struct cli *cli, const char *part, const char *name)
{
    struct os_file *file;
    struct yore_error error;
    if (os_interrupt_take()) {
        return cli_fail_status(cli, YORE_CANCELLED);
    }
    enum yore_status st = os_file_open(cli->env, part, OS_OPEN_WRITE, &file, &error);
    if (st == YORE_OK) {
        st = os_file_sync(file, &error);
        os_file_close(file);
    }
    if (st == YORE_OK) {
        st = os_path_rename(cli->env, part, name, &error);
    }
    return st == YORE_OK ? EXIT_FOUND : cli_fail(cli, &error);
}

static int export_beside(struct cli *cli, const char *name, const struct export_options *options)
{
    struct buffer part = {0};
    struct yore_error error;
    buffer_append(&part, name, strlen(name));
    buffer_append(&part, PART_SUFFIX, sizeof(PART_SUFFIX)); /* with its NUL */
    if (part.is_nomem) {
        buffer_release(&part);
        return cli_fail_status(cli, YORE_NOMEM);
    }
    const char *path = (const char *)part.data;
    FILE *stream = fopen(path, "wb");
    int code;
    if (stream == NULL) {
        code = cli_fail_text(cli, YORE_IO, "cannot write %s: %s", path, strerror(errno));
    } else {
        code = close_export(cli, stream, path, export_to(cli, stream, options));
        code = code == EXIT_FOUND ? put_in_place(cli, path, name) : code;
        if (code != EXIT_FOUND && os_path_unlink(cli->env, path, &error) != YORE_OK) {
            fprintf(cli->err, "%s holds only a part of the export\n", path);
        }
    }
    buffer_release(&part);
    return code;
}

static int export_to_file(struct cli *cli, const char *name, const struct export_options *options)
{
    FILE *direct;
    struct yore_error error;
    if (open_direct(cli, name, &direct, &error) != YORE_OK) {
        return cli_fail(cli, &error);
    }
    if (direct == NULL) {
        return export_beside(cli, name, options);
    }
    int code = close_export(cli, direct, name, export_to(cli, direct, options));
    if (code != EXIT_FOUND) {
        fprintf(cli->err, "%s holds only a part of the export\n", name);
    }
    return code;
}

int command_export(struct cli *cli, const struct args *args)
{
    struct export_options options = {.tick = show_tick};
    struct word_range range = {.prefix = {0}};
    struct progress progress;
    struct yore_time at;
    struct yore_error error;
    int code;
    options.tick_arg = &progress;
    enum yore_status st = cli_time(cli, args, &at, &error);
    if (st == YORE_OK) {
        st = word_range(args, &range, &error);
    }
    if (st == YORE_OK && args->word_count > 0 && args->words[0][0] == '\0') {
        st = error_set(&error, YORE_INVALID, "FILE is empty: name one, or - for standard output");
    }
    if (st != YORE_OK) {
        code = cli_usage_error(cli, &error);
        goto out;
    }
    bool is_moment = args_has(args, OPT_AT) || at.valid != YORE_NOW || at.known != YORE_NOW;
    options.at = is_moment ? &at : NULL;
    options.range = range.range;
    options.is_one_keyspace =
        args_has(args, OPT_KEYSPACE) || (cli->session != NULL && cli->session->keyspace[0] != '\0');
    st = cli_keyspace(cli, args, &at, &options.keyspace, &error);
    if (st != YORE_OK) {
        code = cli_fail(cli, &error);
        goto out;
    }
    bool is_standard = args->word_count == 0 || strcmp(args->words[0], "-") == 0;
    os_interrupt_catch(true);
    code = is_standard ? export_to(cli, cli->out, &options)
                       : export_to_file(cli, args->words[0], &options);
    os_interrupt_catch(cli->session != NULL);
out:
    word_range_release(&range);
    return code;
}
