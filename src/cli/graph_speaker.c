#include "cli/graph_speaker.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/graph_name.h"
#include "cli/graph_remote.h"
#include "cli/remote.h"
#include "query/word_json.h"
#include "topology/erase.h"
#include "topology/ingest.h"

struct graph_speaker {
    struct cli *cli;
    const char *name;
    struct yore_bytes source;
    struct graph *graph; /* NULL: behind a server */
};

/* ---- opening -------------------------------------------------------------------------------- */

static enum yore_status open_speaker(struct graph_speaker speaker, bool creates,
                                     const struct yore_time *at, struct graph_speaker **speaker_out,
                                     struct yore_error *error_out)
{
    enum yore_status st =
        speaker.cli->server != NULL
            ? YORE_OK
            : cli_graph(speaker.cli, speaker.name, creates, at, &speaker.graph, error_out);
    *speaker_out = st == YORE_OK ? mem_alloc(sizeof(speaker)) : NULL;
    if (*speaker_out != NULL) {
        **speaker_out = speaker;
    } else if (st == YORE_OK) {
        st = error_plain(error_out, YORE_NOMEM);
        graph_close(speaker.graph);
    }
    return st;
}

enum yore_status graph_speaker_open(struct cli *cli, const char *name, struct yore_bytes source,
                                    bool creates, struct graph_speaker **speaker_out,
                                    struct yore_error *error_out)
{
    const struct graph_speaker speaker = {.cli = cli, .name = name, .source = source};
    const struct yore_time now = {YORE_NOW, YORE_NOW};
    return open_speaker(speaker, creates, &now, speaker_out, error_out);
}

enum yore_status graph_speaker_open_at(struct cli *cli, const char *name,
                                       const struct yore_time *at,
                                       struct graph_speaker **speaker_out,
                                       struct yore_error *error_out)
{
    const struct graph_speaker speaker = {.cli = cli, .name = name};
    return open_speaker(speaker, false, at, speaker_out, error_out);
}

void graph_speaker_close(struct graph_speaker *speaker)
{
    if (speaker == NULL) {
        return;
    }
    graph_close(speaker->graph);
    mem_free(speaker);
}

/* ---- with a server -------------------------------------------------------------------------- */

static void ask(const struct graph_speaker *speaker, const char *command,
                struct remote_words *words)
{
    words->count = 0;
    words->text_count = 0;
    remote_word(words, command);
    remote_word(words, speaker->name);
}

static void say_number(struct remote_words *words, uint64_t number)
{
    char *text = words->texts[words->text_count++];
    snprintf(text, sizeof(words->texts[0]), "%" PRIu64, number);
    remote_word(words, text);
}

/* GRAPH.INGEST graph source action */
static void ask_ingest(const struct graph_speaker *speaker, const char *action,
                       struct remote_words *words)
{
    ask(speaker, "GRAPH.INGEST", words);
    words->items[words->count++] = speaker->source;
    remote_word(words, action);
}

static enum yore_status call(const struct graph_speaker *speaker, const struct remote_words *words,
                             const struct yore_client_reply **reply_out,
                             struct yore_error *error_out)
{
    enum yore_status st =
        remote_call(store_remote(speaker->cli->store), words, reply_out, error_out);
    return graph_remote_told(speaker->cli, speaker->name, st, error_out);
}

/* What changes something, where that may be. */
static enum yore_status call_write(const struct graph_speaker *speaker,
                                   const struct remote_words *words,
                                   const struct yore_client_reply **reply_out,
                                   struct yore_error *error_out)
{
    return speaker->cli->reads_only
               ? error_set(error_out, YORE_READ_ONLY,
                           "the database was opened to read only: leave --read-only out to write")
               : call(speaker, words, reply_out, error_out);
}

static bool take_count(const struct yore_client_reply *reply, const char *name, uint64_t *count_out)
{
    const struct yore_client_value *value = remote_member(reply, 0, name);
    bool is_count = value != NULL && value->kind == YORE_CLIENT_INTEGER;
    *count_out += is_count ? (uint64_t)value->integer : 0;
    return is_count;
}

static enum yore_status add_tally(const struct yore_client_reply *reply,
                                  struct yore_graph_ingest_tally *tally,
                                  struct yore_error *error_out)
{
    bool is_tally = take_count(reply, "words", &tally->words) &&
                    take_count(reply, "unchanged", &tally->unchanged) &&
                    take_count(reply, "nodes_created", &tally->nodes_created) &&
                    take_count(reply, "nodes_deleted", &tally->nodes_deleted) &&
                    take_count(reply, "relationships_created", &tally->relationships_created) &&
                    take_count(reply, "relationships_deleted", &tally->relationships_deleted) &&
                    take_count(reply, "pending_added", &tally->pending_added) &&
                    take_count(reply, "pending_resolved", &tally->pending_resolved);
    return is_tally ? YORE_OK : remote_strange(error_out);
}

/* The words as lines, behind what `words` has. */
static enum yore_status call_lines(const struct graph_speaker *speaker, struct remote_words *words,
                                   const struct yore_graph_word *said, size_t count,
                                   const struct yore_client_reply **reply_out,
                                   struct yore_error *error_out)
{
    struct buffer lines = {0};
    for (size_t i = 0; i < count; i++) {
        word_json_word(&lines, &said[i]);
        buffer_append(&lines, "\n", 1);
    }
    words->items[words->count++] = buffer_bytes(&lines);
    enum yore_status st = lines.is_nomem ? error_plain(error_out, YORE_NOMEM)
                                         : call_write(speaker, words, reply_out, error_out);
    buffer_release(&lines);
    return st;
}

/* ---- what is said --------------------------------------------------------------------------- */

static void add(struct yore_graph_ingest_tally *tally, const struct yore_graph_ingest_tally *more)
{
    tally->words += more->words;
    tally->unchanged += more->unchanged;
    tally->nodes_created += more->nodes_created;
    tally->nodes_deleted += more->nodes_deleted;
    tally->relationships_created += more->relationships_created;
    tally->relationships_deleted += more->relationships_deleted;
    tally->pending_added += more->pending_added;
    tally->pending_resolved += more->pending_resolved;
}

enum yore_status graph_speaker_say(struct graph_speaker *speaker,
                                   const struct yore_graph_word *words, size_t count,
                                   enum yore_durability durability,
                                   struct yore_graph_ingest_tally *tally,
                                   struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words asked;
    if (speaker->graph != NULL) {
        const struct graph_speech speech = {speaker->source, words, count, durability};
        struct yore_graph_ingest_tally more = {0};
        enum yore_status st = graph_ingest(speaker->graph, &speech, &more, error_out);
        add(tally, &more);
        return st;
    }
    ask_ingest(speaker, "APPLY", &asked);
    enum yore_status st = call_lines(speaker, &asked, words, count, &reply, error_out);
    return st == YORE_OK ? add_tally(reply, tally, error_out) : st;
}

enum yore_status graph_speaker_start(struct graph_speaker *speaker, int64_t at,
                                     uint64_t *snapshot_out, struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words;
    if (speaker->graph != NULL) {
        return graph_sync_start(speaker->graph, speaker->source, at, snapshot_out, error_out);
    }
    ask_ingest(speaker, "START", &words);
    if (at != YORE_NOW) {
        remote_moment(&words, NULL, at);
    }
    enum yore_status st = call_write(speaker, &words, &reply, error_out);
    if (st == YORE_OK && reply->values[0].kind != YORE_CLIENT_INTEGER) {
        st = remote_strange(error_out);
    }
    *snapshot_out = st == YORE_OK ? (uint64_t)reply->values[0].integer : 0;
    return st;
}

enum yore_status graph_speaker_send(struct graph_speaker *speaker, uint64_t snapshot,
                                    const struct yore_graph_word *words, size_t count,
                                    enum yore_durability durability, struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words asked;
    if (speaker->graph != NULL) {
        const struct graph_speech speech = {speaker->source, words, count, durability};
        return graph_sync_send(speaker->graph, &speech, snapshot, error_out);
    }
    ask_ingest(speaker, "SEND", &asked);
    say_number(&asked, snapshot);
    return call_lines(speaker, &asked, words, count, &reply, error_out);
}

enum yore_status graph_speaker_stop(struct graph_speaker *speaker, uint64_t snapshot,
                                    enum yore_durability durability,
                                    struct yore_graph_ingest_tally *tally_out,
                                    struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words;
    if (speaker->graph != NULL) {
        return graph_sync_stop(speaker->graph, speaker->source, snapshot, durability, tally_out,
                               error_out);
    }
    ask_ingest(speaker, "STOP", &words);
    say_number(&words, snapshot);
    *tally_out = (struct yore_graph_ingest_tally){0};
    enum yore_status st = call_write(speaker, &words, &reply, error_out);
    return st == YORE_OK ? add_tally(reply, tally_out, error_out) : st;
}

enum yore_status graph_speaker_abort(struct graph_speaker *speaker, uint64_t snapshot,
                                     struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words;
    if (speaker->graph != NULL) {
        return graph_sync_abort(speaker->graph, speaker->source, snapshot, error_out);
    }
    ask_ingest(speaker, "ABORT", &words);
    say_number(&words, snapshot);
    return call_write(speaker, &words, &reply, error_out);
}

enum yore_status graph_speaker_settle(struct graph_speaker *speaker,
                                      struct yore_graph_ingest_tally *tally_out,
                                      struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words;
    if (speaker->graph != NULL) {
        return graph_settle(speaker->graph, tally_out, error_out);
    }
    ask(speaker, "GRAPH.SETTLE", &words);
    *tally_out = (struct yore_graph_ingest_tally){0};
    enum yore_status st = call_write(speaker, &words, &reply, error_out);
    return st == YORE_OK ? add_tally(reply, tally_out, error_out) : st;
}

enum yore_status graph_speaker_set(struct graph_speaker *speaker, int64_t rank, int64_t ttl_ns,
                                   struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words;
    char texts[2][32];
    if (speaker->graph != NULL) {
        const struct yore_graph_source source = {
            .name = speaker->source, .rank = rank, .ttl_ns = ttl_ns};
        return graph_source_set(speaker->graph, &source, error_out);
    }
    ask_ingest(speaker, "SET", &words);
    snprintf(texts[0], sizeof(texts[0]), "%" PRId64, rank);
    snprintf(texts[1], sizeof(texts[1]), "%" PRId64 "%s", ttl_ns, ttl_ns != 0 ? "ns" : "");
    remote_word(&words, texts[0]);
    remote_word(&words, texts[1]);
    return call_write(speaker, &words, &reply, error_out);
}

/* ---- of the graph --------------------------------------------------------------------------- */

static struct yore_bytes member_bytes(const struct yore_client_reply *reply, size_t map,
                                      const char *name, bool *is_fine)
{
    const struct yore_client_value *value = remote_member(reply, map, name);
    *is_fine = *is_fine && value != NULL && value->kind == YORE_CLIENT_STRING;
    return *is_fine ? value->bytes : bytes_of("", 0);
}

static int64_t member_number(const struct yore_client_reply *reply, size_t map, const char *name,
                             bool *is_fine)
{
    const struct yore_client_value *value = remote_member(reply, map, name);
    *is_fine = *is_fine && value != NULL && value->kind == YORE_CLIENT_INTEGER;
    return *is_fine ? value->integer : 0;
}

static int64_t member_moment(const struct yore_client_reply *reply, size_t map, const char *name,
                             bool *is_fine)
{
    int64_t moment = YORE_TIME_MIN;
    const struct yore_client_value *value = remote_member(reply, map, name);
    *is_fine = *is_fine && value != NULL && remote_take_moment(value, YORE_TIME_MIN, &moment);
    return moment;
}

static bool read_source(const struct yore_client_reply *reply, size_t map,
                        struct yore_graph_source *source_out)
{
    bool is_fine = true;
    *source_out = (struct yore_graph_source){
        .name = member_bytes(reply, map, "name", &is_fine),
        .rank = member_number(reply, map, "rank", &is_fine),
        .ttl_ns = member_number(reply, map, "ttl_ns", &is_fine),
        .last_word = member_moment(reply, map, "last_word", &is_fine),
        .expired_at = member_moment(reply, map, "expired_at", &is_fine),
        .snapshot = (uint64_t)member_number(reply, map, "snapshot", &is_fine),
        .refusal = member_bytes(reply, map, "refusal", &is_fine),
        .nodes = (uint64_t)member_number(reply, map, "nodes", &is_fine),
        .relationships = (uint64_t)member_number(reply, map, "relationships", &is_fine),
        .pending = (uint64_t)member_number(reply, map, "pending", &is_fine)};
    return is_fine;
}

static bool read_pending(const struct yore_client_reply *reply, size_t map,
                         struct yore_graph_pending *pending_out)
{
    bool is_fine = true;
    *pending_out = (struct yore_graph_pending){
        .external_id = member_bytes(reply, map, "id", &is_fine),
        .type = member_bytes(reply, map, "type", &is_fine),
        .start = member_bytes(reply, map, "start", &is_fine),
        .end = member_bytes(reply, map, "end", &is_fine),
        .start_is_missing = member_number(reply, map, "start_missing", &is_fine) != 0,
        .end_is_missing = member_number(reply, map, "end_missing", &is_fine) != 0,
        .source = member_bytes(reply, map, "source", &is_fine),
        .since = member_moment(reply, map, "since", &is_fine)};
    return is_fine;
}

enum yore_status graph_speaker_sources(struct graph_speaker *speaker,
                                       int (*each)(void *arg,
                                                   const struct yore_graph_source *source),
                                       void *arg, struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words;
    struct yore_graph_source source;
    if (speaker->graph != NULL) {
        return graph_sources(speaker->graph, each, arg, error_out);
    }
    ask(speaker, "GRAPH.SOURCES", &words);
    enum yore_status st = call(speaker, &words, &reply, error_out);
    bool goes_on = true;
    for (size_t i = 1; st == YORE_OK && goes_on && i < reply->values[0].next;
         i = reply->values[i].next) {
        st = read_source(reply, i, &source) ? YORE_OK : remote_strange(error_out);
        goes_on = st == YORE_OK && each(arg, &source) == 0;
    }
    return st;
}

/* As they are read. */
static enum yore_status each_row(struct yore_client *client,
                                 int (*each)(void *arg, const struct yore_graph_pending *pending),
                                 void *arg, struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct yore_graph_pending pending;
    enum yore_status st = YORE_OK;
    while (st == YORE_OK && (st = yore_client_next_row(client, &reply, error_out)) == YORE_OK) {
        if (!read_pending(reply, 0, &pending)) {
            st = remote_strange(error_out);
        } else if (each(arg, &pending) != 0) {
            return YORE_OK;
        }
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

enum yore_status graph_speaker_pending(struct graph_speaker *speaker, const struct yore_time *at,
                                       int (*each)(void *arg,
                                                   const struct yore_graph_pending *pending),
                                       void *arg, struct yore_error *error_out)
{
    struct remote *remote = store_remote(speaker->cli->store);
    struct yore_client *client = NULL;
    struct remote_words words;
    if (speaker->graph != NULL) {
        return graph_pending(speaker->graph, at, each, arg, error_out);
    }
    ask(speaker, "GRAPH.PENDING", &words);
    remote_at(&words, at);
    enum yore_status st = remote_rows(remote, &words, &client, error_out);
    if (st == YORE_OK) {
        st = each_row(client, each, arg, error_out);
        remote_give_back(remote, client);
    }
    return graph_remote_told(speaker->cli, speaker->name, st, error_out);
}

enum yore_status graph_speaker_erase(struct graph_speaker *speaker,
                                     const struct graph_erasure *erasure, uint64_t *count_out,
                                     struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words;
    if (speaker->graph != NULL) {
        return graph_erase(speaker->graph, erasure, count_out, error_out);
    }
    ask(speaker, "GRAPH.ERASE", &words);
    remote_bytes(&words, erasure->element == GRAPH_NODE ? "NODE" : "RELATIONSHIP",
                 erasure->external_id);
    if (erasure->property.size > 0) {
        words.items[words.count++] = erasure->property;
    }
    enum yore_status st = call_write(speaker, &words, &reply, error_out);
    if (st == YORE_OK && reply->values[0].kind != YORE_CLIENT_INTEGER) {
        st = remote_strange(error_out);
    }
    *count_out = st == YORE_OK ? (uint64_t)reply->values[0].integer : 0;
    return st;
}
