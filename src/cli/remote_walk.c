/* Walks: a reply whose rows are told as they come. */
#include <string.h>

#include "base/mem.h"
#include "cli/remote_internal.h"

struct remote_walk {
    struct remote *remote;
    struct yore_client *client; /* NULL: it has come to its end */
    struct yore_feed_write *writes;
    size_t write_capacity;
};

static enum yore_status open_walk(struct remote *remote, const struct remote_words *words,
                                  struct remote_walk **walk_out, struct yore_error *error_out)
{
    struct remote_walk *walk = mem_zalloc(sizeof(*walk));
    if (walk == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    walk->remote = remote;
    enum yore_status st = remote_rows(remote, words, &walk->client, error_out);
    if (st != YORE_OK) {
        mem_free(walk);
        return st;
    }
    *walk_out = walk;
    return YORE_OK;
}

void remote_walk_close(struct remote_walk *walk)
{
    if (walk != NULL) {
        remote_give_back(walk->remote, walk->client);
        mem_free(walk->writes);
        mem_free(walk);
    }
}

/* The next row, which has to be of `kind` with `count` values (of a map: pairs). */
static enum yore_status next_row(struct remote_walk *walk, enum yore_client_kind kind, size_t count,
                                 const struct yore_client_reply **reply_out,
                                 struct yore_error *error_out)
{
    if (walk->client == NULL) {
        return error_plain(error_out, YORE_NOT_FOUND);
    }
    enum yore_status st = yore_client_next_row(walk->client, reply_out, error_out);
    if (st == YORE_NOT_FOUND) {
        remote_give_back(walk->remote, walk->client);
        walk->client = NULL;
        return error_plain(error_out, YORE_NOT_FOUND);
    }
    if (st == YORE_OK &&
        ((*reply_out)->values[0].kind != kind || (*reply_out)->values[0].count != count)) {
        return remote_strange(error_out);
    }
    return st;
}

static void add_range(struct remote_words *words, const struct yore_range *range)
{
    if (range->prefix.size > 0) {
        remote_bytes(words, "PREFIX", range->prefix);
    }
    if (range->low.size > 0) {
        remote_bytes(words, "LOW", range->low);
    }
    if (range->high.size > 0) {
        remote_bytes(words, "HIGH", range->high);
    }
}

static void add_rest(struct remote_words *words, const char *keyspace, uint64_t limit)
{
    if (keyspace != NULL) {
        remote_word(words, "KEYSPACE");
        remote_word(words, keyspace);
    }
    if (limit < INT64_MAX) {
        remote_number(words, "LIMIT", limit);
    }
}

/* ---- rows of one moment ---- */

enum yore_status remote_rows_open(struct remote *remote, const char *keyspace,
                                  const struct store_rows *options, struct remote_walk **walk_out,
                                  struct yore_error *error_out)
{
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.RANGE");
    add_range(&words, &options->range);
    remote_at(&words, options->at);
    if (options->is_reverse) {
        remote_word(&words, "REV");
    }
    if (options->keys_only) {
        remote_word(&words, "KEYS");
    }
    add_rest(&words, keyspace, options->limit);
    return open_walk(remote, &words, walk_out, error_out);
}

enum yore_status remote_rows_next(struct remote_walk *walk, struct yore_row *row_out,
                                  struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    enum yore_status st = next_row(walk, YORE_CLIENT_ARRAY, 5, &reply, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct yore_client_value *values = reply->values;
    *row_out = (struct yore_row){
        .key = values[1].bytes, .value = values[5].bytes, .commit = values[4].integer};
    bool is_good = remote_take_moment(&values[2], YORE_TIME_MIN, &row_out->valid_from) &&
                   remote_take_moment(&values[3], YORE_FOREVER, &row_out->valid_to);
    return is_good ? YORE_OK : remote_strange(error_out);
}

/* ---- the timeline of a key ---- */

static bool read_kind(const struct yore_client_value *value, enum yore_kind *kind_out)
{
    static const char *const kinds[] = {"put", "delete", "erased"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (remote_is_text(value, kinds[i])) {
            *kind_out = (enum yore_kind)(i + 1);
            return true;
        }
    }
    return false;
}

enum yore_status remote_timeline_open(struct remote *remote, const char *keyspace,
                                      const struct store_timeline *timeline,
                                      struct remote_walk **walk_out, struct yore_error *error_out)
{
    const struct yore_timeline_options *options = &timeline->options;
    struct remote_words words = {.count = 0};
    remote_bytes(&words, "YORE.TIMELINE", timeline->key);
    if (options->from != YORE_TIME_MIN) {
        remote_moment(&words, "FROM", options->from);
    }
    if (options->to != YORE_FOREVER) {
        remote_moment(&words, "TO", options->to);
    }
    if (options->known != YORE_NOW) {
        remote_moment(&words, "KNOWN", options->known);
    }
    if (options->is_backward) {
        remote_word(&words, "REV");
    }
    if (options->every_commit) {
        remote_word(&words, "EVERY");
    }
    add_rest(&words, keyspace, timeline->limit);
    return open_walk(remote, &words, walk_out, error_out);
}

enum yore_status remote_timeline_next(struct remote_walk *walk, struct yore_version *version_out,
                                      struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    enum yore_status st = next_row(walk, YORE_CLIENT_MAP, 5, &reply, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct yore_client_value *kind = remote_member(reply, 0, "kind");
    const struct yore_client_value *from = remote_member(reply, 0, "from");
    const struct yore_client_value *to = remote_member(reply, 0, "to");
    const struct yore_client_value *commit = remote_member(reply, 0, "commit");
    const struct yore_client_value *value = remote_member(reply, 0, "value");
    *version_out = (struct yore_version){.commit = 0};
    if (kind == NULL || from == NULL || to == NULL || commit == NULL || value == NULL ||
        !read_kind(kind, &version_out->kind) ||
        !remote_take_moment(from, YORE_TIME_MIN, &version_out->valid_from) ||
        !remote_take_moment(to, YORE_FOREVER, &version_out->valid_to)) {
        return remote_strange(error_out);
    }
    version_out->commit = commit->integer;
    version_out->value = value->bytes;
    return YORE_OK;
}

/* ---- changes ---- */

enum yore_status remote_changes_open(struct remote *remote, const char *keyspace,
                                     const struct yore_changes_options *options, uint64_t limit,
                                     struct remote_walk **walk_out, struct yore_error *error_out)
{
    struct remote_words words = {.count = 0};
    struct yore_range bounds = options->range;
    bounds.prefix = bytes_of("", 0);
    remote_bytes(&words, "YORE.CHANGES", options->range.prefix);
    remote_moment(&words, "FROM", options->from);
    remote_moment(&words, "TO", options->to);
    if (options->known != YORE_NOW) {
        remote_moment(&words, "KNOWN", options->known);
    }
    if (options->every_version) {
        remote_word(&words, "EVERY");
    }
    if (options->in_time_order) {
        remote_word(&words, "BYTIME");
    }
    add_range(&words, &bounds);
    add_rest(&words, keyspace, limit);
    return open_walk(remote, &words, walk_out, error_out);
}

static bool read_change_kind(const struct yore_client_value *value, enum yore_change_kind *kind_out)
{
    static const char *const kinds[] = {"added", "changed", "removed"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (remote_is_text(value, kinds[i])) {
            *kind_out = (enum yore_change_kind)(i + 1);
            return true;
        }
    }
    return false;
}

/* An empty value is a value: its data is not NULL. */
static struct yore_bytes side_of(const struct yore_client_value *value)
{
    bool is_there = value->kind == YORE_CLIENT_STRING;
    return !is_there                   ? bytes_of(NULL, 0)
           : value->bytes.data == NULL ? bytes_of("", 0)
                                       : value->bytes;
}

enum yore_status remote_changes_next(struct remote_walk *walk, struct yore_change *change_out,
                                     struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    enum yore_status st = next_row(walk, YORE_CLIENT_MAP, 6, &reply, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct yore_client_value *kind = remote_member(reply, 0, "kind");
    const struct yore_client_value *key = remote_member(reply, 0, "key");
    const struct yore_client_value *time = remote_member(reply, 0, "time");
    const struct yore_client_value *commit = remote_member(reply, 0, "commit");
    const struct yore_client_value *before = remote_member(reply, 0, "before");
    const struct yore_client_value *after = remote_member(reply, 0, "after");
    *change_out = (struct yore_change){.commit = 0};
    if (kind == NULL || key == NULL || time == NULL || commit == NULL || before == NULL ||
        after == NULL || !read_change_kind(kind, &change_out->kind) ||
        !remote_take_moment(time, YORE_TIME_MIN, &change_out->time)) {
        return remote_strange(error_out);
    }
    change_out->key = key->bytes;
    change_out->commit = commit->integer;
    change_out->before = side_of(before);
    change_out->after = side_of(after);
    return YORE_OK;
}

/* ---- the feed ---- */

enum yore_status remote_feed_open(struct remote *remote, int64_t after_commit, uint64_t limit,
                                  struct remote_walk **walk_out, struct yore_error *error_out)
{
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.FEED");
    if (after_commit != YORE_TIME_MIN) {
        remote_moment(&words, "AFTER", after_commit);
    }
    add_rest(&words, NULL, limit);
    return open_walk(remote, &words, walk_out, error_out);
}

enum yore_status remote_feed_open_kept(struct remote *remote, const char *keyspace,
                                       struct remote_walk **walk_out, struct yore_error *error_out)
{
    struct remote_words words = {.count = 0};
    remote_word(&words, "YORE.FEED");
    remote_word(&words, "KEPT");
    remote_word(&words, keyspace);
    return open_walk(remote, &words, walk_out, error_out);
}

/* keyspace id, kind, from, to, key, value */
#define WRITE_VALUES 6u

static bool read_write(const struct yore_client_value *values, struct yore_feed_write *write)
{
    *write = (struct yore_feed_write){.key = values[5].bytes, .value = values[6].bytes};
    write->keyspace_id = (uint32_t)values[1].integer;
    return values[0].kind == YORE_CLIENT_ARRAY && values[0].count == WRITE_VALUES &&
           read_kind(&values[2], &write->kind) &&
           remote_take_moment(&values[3], YORE_TIME_MIN, &write->valid_from) &&
           remote_take_moment(&values[4], YORE_FOREVER, &write->valid_to);
}

enum yore_status remote_feed_next(struct remote_walk *walk, struct yore_feed_commit *commit_out,
                                  struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    enum yore_status st = next_row(walk, YORE_CLIENT_ARRAY, 3, &reply, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct yore_client_value *values = reply->values;
    size_t count = 0;
    for (size_t i = 4; i < values[3].next; i = values[i].next) {
        struct yore_feed_write *grown =
            mem_grow(walk->writes, count, &walk->write_capacity, sizeof(*grown));
        if (grown == NULL) {
            return error_plain(error_out, YORE_NOMEM);
        }
        walk->writes = grown;
        if (values[i].next != i + 1 + WRITE_VALUES || !read_write(&values[i], &grown[count++])) {
            return remote_strange(error_out);
        }
    }
    *commit_out = (struct yore_feed_commit){.commit = values[1].integer,
                                            .writes = walk->writes,
                                            .write_count = count,
                                            .has_more = values[2].integer != 0};
    return YORE_OK;
}
