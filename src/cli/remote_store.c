/* Keyspaces, single keys, upkeep: one command each. */
#include <stdio.h>
#include <string.h>

#include "base/keep.h"
#include "base/mem.h"
#include "cli/remote_internal.h"

static void add_keyspace(struct remote_words *words, const char *keyspace)
{
    if (keyspace != NULL) {
        remote_word(words, "KEYSPACE");
        remote_word(words, keyspace);
    }
}

/* Of a command that answers with a commit time. */
static enum yore_status call_commit(struct remote *remote, const struct remote_words *words,
                                    int64_t *commit_out, struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    enum yore_status st = remote_call(remote, words, &reply, error_out);
    if (st == YORE_OK && reply->values[0].kind != YORE_CLIENT_INTEGER) {
        st = remote_strange(error_out);
    }
    if (st == YORE_OK && commit_out != NULL) {
        *commit_out = reply->values[0].integer;
    }
    return st;
}

enum yore_status remote_now(struct remote *remote, int64_t *now_out, struct yore_error *error_out)
{
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.NOW");
    return call_commit(remote, &words, now_out, error_out);
}

/* ---- keyspaces ---- */

static bool read_count(const struct yore_client_reply *reply, size_t map, const char *name,
                       uint64_t *count_out)
{
    const struct yore_client_value *value = remote_member(reply, map, name);
    bool is_good = value != NULL && value->kind == YORE_CLIENT_INTEGER && value->integer >= 0;
    *count_out = is_good ? (uint64_t)value->integer : 0;
    return is_good;
}

static bool read_moment(const struct yore_client_reply *reply, size_t map, const char *name,
                        int64_t otherwise, int64_t *moment_out)
{
    const struct yore_client_value *value = remote_member(reply, map, name);
    return value != NULL && remote_take_moment(value, otherwise, moment_out);
}

static bool read_info(const struct yore_client_reply *reply, size_t map,
                      struct yore_keyspace_info *info)
{
    struct yore_error error;
    const struct yore_client_value *name = remote_member(reply, map, "name");
    const struct yore_client_value *keep = remote_member(reply, map, "keep");
    const struct yore_client_value *compression = remote_member(reply, map, "compression");
    uint64_t id = 0;
    uint64_t is_dropped = 0;
    *info = (struct yore_keyspace_info){.id = 0};
    if (name == NULL || keep == NULL || compression == NULL ||
        name->bytes.size >= sizeof(info->name) || !read_count(reply, map, "id", &id) ||
        id > UINT32_MAX || !read_count(reply, map, "dropped", &is_dropped) ||
        !read_moment(reply, map, "horizon", YORE_TIME_MIN, &info->horizon) ||
        keep_of_text(keep->bytes, &info->options, &error) != YORE_OK ||
        compression_of_text(compression->bytes, &info->options.compression, &error) != YORE_OK) {
        return false;
    }
    if (name->bytes.size > 0) {
        memcpy(info->name, name->bytes.data, name->bytes.size);
    }
    info->name[name->bytes.size] = '\0';
    info->id = (uint32_t)id;
    info->is_dropped = is_dropped != 0;
    return true;
}

enum yore_status remote_keyspace_find(struct remote *remote, const char *name,
                                      const struct yore_time *at,
                                      struct yore_keyspace_info *info_out,
                                      struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.KEYSPACE");
    remote_word(&words, "INFO");
    remote_word(&words, name);
    remote_at(&words, at);
    enum yore_status st = remote_call(remote, &words, &reply, error_out);
    return st == YORE_OK && !read_info(reply, 0, info_out) ? remote_strange(error_out) : st;
}

enum yore_status remote_keyspace_change(struct remote *remote, const char *order, const char *name,
                                        const struct yore_keyspace_options *options,
                                        struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    char keep[KEEP_TEXT_BYTES];
    remote_word(&words, "YORE.KEYSPACE");
    remote_word(&words, order);
    remote_word(&words, name);
    remote_word(&words, "KEEP");
    remote_word(&words, keep_format(options, keep));
    remote_word(&words, "COMPRESSION");
    remote_word(&words, compression_word(options->compression));
    return remote_call(remote, &words, &reply, error_out);
}

enum yore_status remote_keyspace_drop(struct remote *remote, const char *name,
                                      struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.KEYSPACE");
    remote_word(&words, "DROP");
    remote_word(&words, name);
    return remote_call(remote, &words, &reply, error_out);
}

enum yore_status remote_keyspace_list(struct remote *remote, const struct yore_time *at,
                                      int (*each)(void *arg, const struct yore_keyspace_info *info),
                                      void *arg, struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.KEYSPACE");
    remote_word(&words, "LIST");
    remote_at(&words, at);
    enum yore_status st = remote_call(remote, &words, &reply, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct yore_client_value *values = reply->values;
    for (size_t i = 1; i < values[0].next; i = values[i].next) {
        struct yore_keyspace_info info;
        if (!read_info(reply, i, &info)) {
            return remote_strange(error_out);
        }
        if (each(arg, &info) != 0) {
            break;
        }
    }
    return YORE_OK;
}

enum yore_status remote_keyspace_usage(struct remote *remote, const char *name,
                                       struct yore_keyspace_usage *usage_out,
                                       struct yore_error *error_out)
{
    struct yore_keyspace_usage *usage = usage_out;
    const struct {
        const char *name;
        uint64_t *count_out;
    } counts[] = {{"memory_bytes", &usage->memory_bytes},
                  {"memory_versions", &usage->memory_versions},
                  {"present_bytes", &usage->present_bytes},
                  {"present_versions", &usage->present_versions},
                  {"past_bytes", &usage->past_bytes},
                  {"past_versions", &usage->past_versions},
                  {"past_copies", &usage->past_copies},
                  {"freeable_bytes", &usage->freeable_bytes},
                  {"freeable_versions", &usage->freeable_versions}};
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.KEYSPACE");
    remote_word(&words, "USAGE");
    remote_word(&words, name);
    enum yore_status st = remote_call(remote, &words, &reply, error_out);
    if (st != YORE_OK) {
        return st;
    }
    bool is_good = read_moment(reply, 0, "oldest", YORE_TIME_MIN, &usage->oldest);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        is_good = read_count(reply, 0, counts[i].name, counts[i].count_out) && is_good;
    }
    return is_good ? YORE_OK : remote_strange(error_out);
}

enum yore_status remote_trim(struct remote *remote, const char *name, int64_t horizon,
                             struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.KEYSPACE");
    remote_word(&words, "TRIM");
    remote_word(&words, name);
    remote_moment(&words, NULL, horizon);
    return remote_call(remote, &words, &reply, error_out);
}

/* ---- one key ---- */

static enum yore_status take_value(const struct yore_client_reply *reply,
                                   struct store_value *value_out, struct yore_error *error_out)
{
    struct yore_value *value = &value_out->value;
    const struct yore_client_value *bytes = remote_member(reply, 0, "value");
    const struct yore_client_value *commit = remote_member(reply, 0, "commit");
    if (bytes == NULL || bytes->kind != YORE_CLIENT_STRING || commit == NULL ||
        !read_moment(reply, 0, "from", YORE_TIME_MIN, &value->valid_from) ||
        !read_moment(reply, 0, "to", YORE_FOREVER, &value->valid_to)) {
        return remote_strange(error_out);
    }
    value_out->owned = mem_copy(bytes->bytes.data, bytes->bytes.size);
    if (value_out->owned == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    value->data = value_out->owned;
    value->size = bytes->bytes.size;
    value->commit = commit->integer;
    return YORE_OK;
}

enum yore_status remote_get(struct remote *remote, const char *keyspace, struct yore_bytes key,
                            const struct yore_time *at, struct store_value *value_out,
                            struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    remote_bytes(&words, "YORE.GET", key);
    remote_at(&words, at);
    remote_word(&words, "WITHTIMES");
    add_keyspace(&words, keyspace);
    enum yore_status st = remote_call(remote, &words, &reply, error_out);
    if (st != YORE_OK) {
        return st;
    }
    return reply->values[0].kind == YORE_CLIENT_NULL ? error_plain(error_out, YORE_NOT_FOUND)
                                                     : take_value(reply, value_out, error_out);
}

enum yore_status remote_write(struct remote *remote, const char *keyspace, struct yore_bytes key,
                              const struct yore_bytes *value, const struct yore_write *write,
                              struct yore_error *error_out)
{
    struct remote_words words = {.count = 0};
    remote_bytes(&words, value != NULL ? "YORE.PUT" : "YORE.DEL", key);
    if (value != NULL) {
        words.items[words.count++] = *value;
    }
    if (write->is_span) {
        remote_moment(&words, "FROM", write->from);
        remote_moment(&words, "TO", write->to);
    } else {
        if (write->from != YORE_NOW) {
            remote_moment(&words, "AT", write->from);
        }
        if (write->to != YORE_FOREVER) {
            remote_moment(&words, "UNTIL", write->to);
        }
    }
    add_keyspace(&words, keyspace);
    return call_commit(remote, &words, write->commit_out, error_out);
}

enum yore_status remote_erase(struct remote *remote, const char *keyspace,
                              const struct yore_erase *erase, struct yore_error *error_out)
{
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.ERASE");
    if (erase->is_prefix && erase->key.size == 0) {
        remote_word(&words, "ALL");
    } else {
        remote_bytes(&words, erase->is_prefix ? "PREFIX" : "KEY", erase->key);
    }
    if (!erase->is_prefix && erase->from != YORE_TIME_MIN) {
        remote_moment(&words, "FROM", erase->from);
    }
    if (!erase->is_prefix && erase->to != YORE_FOREVER) {
        remote_moment(&words, "TO", erase->to);
    }
    add_keyspace(&words, keyspace);
    return call_commit(remote, &words, erase->commit_out, error_out);
}

/* ---- upkeep ---- */

enum yore_status remote_compact(struct remote *remote, const char *keyspace,
                                struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.COMPACT");
    if (keyspace != NULL) {
        remote_word(&words, keyspace);
    }
    return remote_call(remote, &words, &reply, error_out);
}

/* name, kind, value, sum, p50, p95, p99, max, help */
#define STAT_VALUES 9u
#define STAT_TEXT_BYTES 400

struct stat_row {
    struct yore_stat stat;
    char name[STAT_TEXT_BYTES];
    char help[STAT_TEXT_BYTES];
};

static void copy_text(char to[STAT_TEXT_BYTES], struct yore_bytes text)
{
    int size = text.size < STAT_TEXT_BYTES ? (int)text.size : STAT_TEXT_BYTES - 1;
    snprintf(to, STAT_TEXT_BYTES, "%.*s", size, (const char *)text.data);
}

/* `values` is an array of STAT_VALUES, none of them an array. */
static bool read_stat(const struct yore_client_value *values, struct stat_row *row)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    struct yore_stat *stat = &row->stat;
    uint64_t *const numbers[] = {&stat->value, &stat->sum, &stat->p50,
                                 &stat->p95,   &stat->p99, &stat->max};
    *stat = (struct yore_stat){.name = row->name, .help = row->help};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (remote_is_text(&values[2], kinds[i])) {
            stat->kind = (enum yore_stat_kind)(i + 1);
        }
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        *numbers[i] = (uint64_t)values[3 + i].integer;
    }
    copy_text(row->name, values[1].bytes);
    copy_text(row->help, values[STAT_VALUES].bytes);
    return stat->kind != 0;
}

enum yore_status remote_stats(struct remote *remote,
                              void (*each)(void *arg, const struct yore_stat *stat), void *arg,
                              struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.STATS");
    enum yore_status st = remote_call(remote, &words, &reply, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct yore_client_value *values = reply->values;
    for (size_t i = 1; i < values[0].next; i = values[i].next) {
        struct stat_row row;
        if (values[i].kind != YORE_CLIENT_ARRAY || values[i].next != i + 1 + STAT_VALUES ||
            !read_stat(&values[i], &row)) {
            return remote_strange(error_out);
        }
        each(arg, &row.stat);
    }
    return YORE_OK;
}

enum yore_status remote_check(struct remote *remote, void (*problem)(void *arg, const char *line),
                              void *arg, struct whole_check *check_out,
                              struct yore_error *error_out)
{
    struct whole_check_figure figures[WHOLE_CHECK_FIGURES];
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.CHECK");
    enum yore_status st = remote_call(remote, &words, &reply, error_out);
    if (st != YORE_OK) {
        return st;
    }
    bool is_good = true;
    whole_check_figures(check_out, figures);
    for (size_t i = 0; i < WHOLE_CHECK_FIGURES; i++) {
        is_good = read_count(reply, 0, figures[i].name, figures[i].count) && is_good;
    }
    const struct yore_client_value *findings = remote_member(reply, 0, "findings");
    for (size_t i = 0; findings != NULL && i < findings->count; i++) {
        char line[STAT_TEXT_BYTES];
        copy_text(line, findings[1 + i].bytes);
        problem(arg, line);
    }
    if (!is_good || findings == NULL) {
        return remote_strange(error_out);
    }
    return check_out->store.problems > 0 ? error_plain(error_out, YORE_CORRUPT) : YORE_OK;
}

static bool read_backup(const struct yore_client_reply *reply, size_t map,
                        struct yore_backup_info *info_out)
{
    uint64_t commit = 0;
    bool is_good = read_count(reply, map, "id", &info_out->id) &&
                   read_count(reply, map, "commit", &commit) &&
                   read_count(reply, map, "bytes", &info_out->bytes) &&
                   read_count(reply, map, "new_bytes", &info_out->new_bytes);
    info_out->commit = (int64_t)commit;
    return is_good;
}

enum yore_status remote_backup(struct remote *remote, const char *name,
                               struct yore_backup_info *info_out, struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.BACKUP");
    remote_word(&words, name);
    enum yore_status st = remote_call(remote, &words, &reply, error_out);
    return st == YORE_OK && !read_backup(reply, 0, info_out) ? remote_strange(error_out) : st;
}

enum yore_status remote_backups(struct remote *remote, const char *name,
                                int (*each)(void *arg, struct yore_bytes name,
                                            const struct yore_backup_info *info),
                                void *arg, struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.BACKUPS");
    if (name != NULL) {
        remote_word(&words, name);
    }
    enum yore_status st = remote_call(remote, &words, &reply, error_out);
    const struct yore_client_value *values = st == YORE_OK ? reply->values : NULL;
    for (size_t i = 1; st == YORE_OK && i < values[0].next; i = values[i].next) {
        struct yore_backup_info info;
        const struct yore_client_value *told = remote_member(reply, i, "name");
        if (told == NULL || !read_backup(reply, i, &info)) {
            st = remote_strange(error_out);
        } else if (each(arg, told->bytes, &info) != 0) {
            break;
        }
    }
    return st;
}
