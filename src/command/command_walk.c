/* command_walk.c -- walks that leave as they are made: a range of one moment, the feed of commits.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/call.h"
#include "command/commands.h"
#include "command/moments.h"
#include "command/place.h"
#include "command/rows.h"

/* ---- a range of one moment ---- */

struct range_request {
    struct yore_range range;
    struct yore_time at;
    int64_t limit;
    size_t keyspace; /* where its name stands; 0: the session's database */
    bool is_reverse;
    bool keys_only;
};

static bool take_range(struct call *call, struct range_request *request)
{
    for (size_t i = 1; i < call->count; i++) {
        bool has_next = i + 1 < call->count;
        bool is_fine = true;
        if (call_is(call, i, "rev")) {
            request->is_reverse = true;
        } else if (call_is(call, i, "keys")) {
            request->keys_only = true;
        } else if (has_next && call_is(call, i, "prefix")) {
            request->range.prefix = call->args[++i];
        } else if (has_next && call_is(call, i, "low")) {
            request->range.low = call->args[++i];
        } else if (has_next && call_is(call, i, "high")) {
            request->range.high = call->args[++i];
        } else if (has_next && call_is(call, i, "limit")) {
            is_fine = call_int_between(call, ++i, 0, INT64_MAX, &request->limit);
        } else if (has_next && call_is(call, i, "at")) {
            is_fine = moments_take_read(call, ++i, &request->at.valid);
        } else if (has_next && call_is(call, i, "known")) {
            is_fine = moments_take_known(call, ++i, &request->at.known);
        } else if (has_next && call_is(call, i, "keyspace")) {
            request->keyspace = ++i;
        } else {
            call_syntax(call);
            return false;
        }
        if (!is_fine) {
            return false;
        }
    }
    return true;
}

static void tell_row(struct call *call, const struct yore_row *row, bool keys_only)
{
    reply_array(call->reply, 5);
    reply_bulk(call->reply, row->key);
    moments_reply(call->reply, row->valid_from);
    moments_reply(call->reply, row->valid_to);
    reply_int(call->reply, row->commit);
    if (keys_only) {
        reply_null(call->reply);
    } else {
        call_bulk(call, row->value);
    }
}

/* The cursor keeps its moment, so both walks see the same. */
static enum yore_status walk_range(struct call *call, const struct range_request *request,
                                   struct yore_cursor *cursor, struct rows *rows,
                                   struct yore_error *error)
{
    enum yore_status st =
        request->is_reverse ? yore_cursor_last(cursor) : yore_cursor_first(cursor);
    while (st == YORE_OK && (int64_t)rows->count < request->limit) {
        const struct yore_row *row = yore_cursor_row(cursor);
        if (acl_rules_allow_key(call->client->rules, call->command, row->key, KEY_READ) &&
            rows_want(rows)) {
            tell_row(call, row, request->keys_only);
            st = rows_told(rows, error);
            if (st != YORE_OK) {
                return st;
            }
        }
        st = request->is_reverse ? yore_cursor_prev(cursor) : yore_cursor_next(cursor);
    }
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        *error = *yore_cursor_error(cursor);
    }
    return st;
}

void cmd_yore_range(struct call *call)
{
    struct range_request request = {.at = {YORE_NOW, YORE_NOW}, .limit = INT64_MAX};
    struct yore_error error = {.text = ""};
    struct yore_cursor *cursor = NULL;
    struct place place;
    struct rows rows;
    if (call->access->at != NULL) {
        request.at = *call->access->at;
    }
    if (!take_range(call, &request) ||
        !place_find(call, request.keyspace, PLACE_READ, &request.at, &place)) {
        return;
    }
    const struct yore_cursor_options options = {
        .range = request.range, .at = &request.at, .keys_only = request.keys_only};
    enum yore_status st = YORE_NOT_FOUND;
    if (place.keyspace != NULL && place.database != NULL) {
        st = access_range(call->access, place.keyspace, &options, &cursor, &error);
    } else if (place.keyspace != NULL) { /* transactions write to none of these */
        st = yore_cursor_open(call->server->db, place.keyspace, &options, &cursor, &error);
    }
    rows_begin(&rows, call);
    do {
        st = cursor != NULL ? walk_range(call, &request, cursor, &rows, &error) : st;
    } while (rows_again(&rows, st, &error));
    yore_cursor_close(cursor);
}

/* ---- the feed ----
 * Who may read every key is told every write.  Anybody else is told the writes to keys that he may
 * read, of keyspaces that are there and that the server does not keep for itself; commits that
 * leave nothing to tell are passed over. */

struct feed_sight {
    bool is_whole;
    uint32_t *ids; /* of the keyspaces, in order */
    size_t count;
    size_t capacity;
};

struct sight_walk {
    struct call *call;
    struct feed_sight *sight;
    bool is_nomem;
};

static int add_keyspace(void *arg, const struct yore_keyspace_info *info)
{
    struct sight_walk *walk = arg;
    struct feed_sight *sight = walk->sight;
    if (!place_may_read(walk->call, args_text(info->name))) {
        return 0;
    }
    uint32_t *grown = mem_grow(sight->ids, sight->count, &sight->capacity, sizeof(*grown));
    walk->is_nomem = grown == NULL;
    if (grown != NULL) {
        sight->ids = grown;
        grown[sight->count++] = info->id;
    }
    return walk->is_nomem ? 1 : 0;
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a;
    uint32_t second = *(const uint32_t *)b;
    return first < second ? -1 : first > second ? 1 : 0;
}

static enum yore_status sight_init(struct call *call, struct feed_sight *sight,
                                   struct yore_error *error)
{
    struct sight_walk walk = {.call = call, .sight = sight};
    sight->is_whole = acl_rules_allow_every_key(call->client->rules, call->command, KEY_READ);
    if (sight->is_whole) {
        return YORE_OK;
    }
    enum yore_status st = yore_keyspace_list(call->server->db, NULL, add_keyspace, &walk, error);
    if (walk.is_nomem) {
        return error_plain(error, YORE_NOMEM);
    }
    if (sight->count > 0) {
        qsort(sight->ids, sight->count, sizeof(*sight->ids), compare_ids);
    }
    return st;
}

static bool is_seen(const struct call *call, const struct feed_sight *sight,
                    const struct yore_feed_write *write)
{
    return sight->is_whole ||
           (sight->count > 0 &&
            bsearch(&write->keyspace_id, sight->ids, sight->count, sizeof(*sight->ids),
                    compare_ids) != NULL &&
            acl_rules_allow_key(call->client->rules, call->command, write->key, KEY_READ));
}

static size_t count_seen(const struct call *call, const struct feed_sight *sight,
                         const struct yore_feed_commit *commit)
{
    size_t count = 0;
    for (size_t i = 0; i < commit->write_count; i++) {
        count += is_seen(call, sight, &commit->writes[i]) ? 1 : 0;
    }
    return count;
}

struct feed_request {
    int64_t after;
    int64_t limit; /* of commits */
    int64_t until; /* the last commit that both walks may tell */
    size_t kept;   /* where the name of the keyspace stands whose versions are asked for; 0: none */
    struct feed_sight sight;
};

static bool take_feed(struct call *call, struct feed_request *request)
{
    bool is_after = false;
    for (size_t i = 1; i < call->count; i++) {
        bool has_next = i + 1 < call->count;
        bool is_fine = false;
        if (has_next && call_is(call, i, "after")) {
            is_fine = moments_take_commit(call, ++i, &request->after);
            is_after = true;
        } else if (has_next && call_is(call, i, "kept")) {
            request->kept = ++i;
            request->until = YORE_FOREVER; /* the feed's view ends by itself */
            is_fine = true;
        } else if (has_next && call_is(call, i, "limit")) {
            is_fine = call_int_between(call, ++i, 0, INT64_MAX, &request->limit);
        } else {
            call_syntax(call);
        }
        if (!is_fine) {
            return false;
        }
    }
    if (is_after && request->kept != 0) {
        call_syntax(call);
        return false;
    }
    return true;
}

static void tell_write(struct call *call, const struct yore_feed_write *write)
{
    static const char *const kinds[] = {"", "put", "delete", "erased"};
    reply_array(call->reply, 6);
    reply_int(call->reply, write->keyspace_id);
    reply_text(call->reply, kinds[write->kind]);
    moments_reply(call->reply, write->valid_from);
    moments_reply(call->reply, write->valid_to);
    reply_bulk(call->reply, write->key);
    if (write->kind == YORE_KIND_PUT) {
        call_bulk(call, write->value);
    } else {
        reply_null(call->reply);
    }
}

/* `count` of its writes are seen. */
static void tell_commit(struct call *call, const struct feed_sight *sight,
                        const struct yore_feed_commit *commit, size_t count)
{
    reply_array(call->reply, 3);
    reply_int(call->reply, commit->commit);
    reply_int(call->reply, commit->has_more ? 1 : 0);
    reply_array(call->reply, count);
    for (size_t i = 0; i < commit->write_count; i++) {
        if (is_seen(call, sight, &commit->writes[i])) {
            tell_write(call, &commit->writes[i]);
        }
    }
}

/* Of what is kept both walks are of one feed; any other has an order to be opened anew in. */
static enum yore_status open_kept(struct call *call, const struct feed_request *request,
                                  struct yore_feed **feed_out, struct yore_error *error)
{
    struct yore_keyspace *keyspace = NULL;
    if (request->kept == 0) {
        return YORE_OK;
    }
    enum yore_status st = place_open(call, call->args[request->kept], NULL, &keyspace, error);
    return st == YORE_OK ? yore_feed_open_kept(call->server->db, keyspace, NULL, feed_out, error)
                         : st;
}

static enum yore_status walk_feed(struct call *call, const struct feed_request *request,
                                  struct yore_feed *kept, struct rows *rows,
                                  struct yore_error *error)
{
    struct yore_feed *feed = kept;
    struct yore_feed_commit commit;
    const struct feed_sight *sight = &request->sight;
    int64_t count = 0;
    bool is_begun = false; /* a part was told: so is its end */
    enum yore_status st = YORE_OK;
    if (kept != NULL) {
        yore_feed_rewind(kept);
    } else {
        st = yore_feed_open(call->server->db, request->after, &feed, error);
    }
    while (st == YORE_OK && count < request->limit) {
        st = yore_feed_next(feed, &commit, error);
        if (st != YORE_OK || commit.commit > request->until) {
            break;
        }
        size_t seen = count_seen(call, sight, &commit);
        is_begun |= sight->is_whole || seen > 0;
        if (is_begun && rows_want(rows)) {
            tell_commit(call, sight, &commit, seen);
            st = rows_told(rows, error);
        }
        count += is_begun && !commit.has_more ? 1 : 0;
        is_begun &= commit.has_more;
    }
    if (kept == NULL) {
        yore_feed_close(feed);
    }
    return st;
}

void cmd_yore_feed(struct call *call)
{
    struct feed_request request = {
        .after = YORE_TIME_MIN, .limit = INT64_MAX, .until = access_now(call->access)};
    struct yore_error error = {.text = ""};
    struct yore_feed *kept = NULL;
    struct rows rows;
    if (!take_feed(call, &request) ||
        (request.kept != 0 && !place_check_read(call, call->args[request.kept]))) {
        return;
    }
    request.after = request.after == YORE_NOW ? access_now(call->access) : request.after;
    if (!acl_allows_moment(call->client, request.after, access_now(call->access))) {
        reply_error(call->reply, "NOPERM this user has no permissions to look at that moment");
        return;
    }
    enum yore_status st = sight_init(call, &request.sight, &error);
    if (st == YORE_OK) {
        st = open_kept(call, &request, &kept, &error);
    }
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
        mem_free(request.sight.ids);
        return;
    }
    rows_begin(&rows, call);
    do {
        st = walk_feed(call, &request, kept, &rows, &error);
    } while (rows_again(&rows, st, &error));
    yore_feed_close(kept);
    mem_free(request.sight.ids);
}
