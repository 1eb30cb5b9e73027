#include "cli/graph_remote.h"

#include <string.h>

#include "base/buffer.h"
#include "cli/remote.h"
#include "cli/store.h"

/* Lines that are sent at once, but for the transaction that passes it. */
#define SENT_BYTES (1u << 20)

enum yore_status graph_remote_told(const struct cli *cli, const char *name, enum yore_status st,
                                   struct yore_error *error_out)
{
    static const char missing[] = "there is no graph ";
    return st == YORE_NOT_FOUND && strncmp(error_out->text, missing, sizeof(missing) - 1) == 0
               ? error_set(error_out, st,
                           "no graph '%.80s' in %s (yore graph %s list tells those there are; a "
                           "statement that writes makes one)",
                           name, cli->dir, cli->dir)
               : st;
}

/* ---- export --------------------------------------------------------------------------------- */

static enum yore_status take_rows(struct yore_client *client, const struct graph_sink *sink,
                                  struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    uint64_t count = 0;
    enum yore_status st;
    while ((st = yore_client_next_row(client, &reply, error_out)) == YORE_OK) {
        if (reply->values[0].kind != YORE_CLIENT_STRING) {
            return remote_strange(error_out);
        }
        st = sink->line(sink->arg, reply->values[0].bytes, error_out);
        if (st == YORE_OK) {
            st = sink->step(sink->arg, ++count, error_out);
        }
        if (st != YORE_OK) {
            return st;
        }
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

enum yore_status graph_remote_export(struct cli *cli, const char *name,
                                     enum graph_export_format format, bool is_every,
                                     const struct yore_time *at, const struct graph_sink *sink,
                                     struct yore_error *error_out)
{
    struct remote_words words = {.count = 0};
    struct yore_client *client = NULL;
    remote_word(&words, "GRAPH.EXPORT");
    remote_word(&words, name);
    remote_word(&words, "FORMAT");
    remote_word(&words, graph_export_formats[format]);
    if (is_every) {
        remote_word(&words, "EVERY");
    }
    remote_at(&words, at);
    enum yore_status st = remote_rows(store_remote(cli->store), &words, &client, error_out);
    if (st != YORE_OK) {
        return graph_remote_told(cli, name, st, error_out);
    }
    st = take_rows(client, sink, error_out);
    remote_give_back(store_remote(cli->store), client);
    return st;
}

/* ---- import --------------------------------------------------------------------------------- */

static bool take_count(const struct yore_client_reply *reply, const char *name, uint64_t *count)
{
    const struct yore_client_value *value = remote_member(reply, 0, name);
    bool is_count = value != NULL && value->kind == YORE_CLIENT_INTEGER;
    *count += is_count ? (uint64_t)value->integer : 0;
    return is_count;
}

static enum yore_status send(struct graph_remote_import *import, struct yore_error *error_out)
{
    struct graph_import_tally *tally = &import->tally;
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    if (import->lines.is_nomem || import->transaction.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (import->cli->reads_only) {
        return error_set(error_out, YORE_READ_ONLY,
                         "the database was opened to read only: leave --read-only out to write");
    }
    remote_word(&words, "GRAPH.IMPORT");
    remote_word(&words, import->name);
    words.items[words.count++] = buffer_bytes(&import->lines);
    remote_number(&words, "BEHIND", tally->lines);
    if (tally->transactions == 0) { /* so far all was there already */
        remote_word(&words, "RESUME");
    }
    enum yore_status st = remote_call(store_remote(import->cli->store), &words, &reply, error_out);
    if (st == YORE_OK && !(take_count(reply, "events", &tally->lines) &&
                           take_count(reply, "transactions", &tally->transactions) &&
                           take_count(reply, "passed_over", &tally->passed_over))) {
        st = remote_strange(error_out);
    }
    buffer_clear(&import->lines);
    return st;
}

/* The second column; a line without one is the server's to refuse. */
static struct yore_bytes transaction_of(struct yore_bytes line)
{
    const char *begin = memchr(line.data, '\t', line.size);
    if (begin == NULL) {
        return bytes_of("", 0);
    }
    begin++;
    size_t left = line.size - (size_t)(begin - (const char *)line.data);
    const char *end = memchr(begin, '\t', left);
    return bytes_of(begin, end != NULL ? (size_t)(end - begin) : left);
}

enum yore_status graph_remote_import_line(struct graph_remote_import *import,
                                          struct yore_bytes line, struct yore_error *error_out)
{
    struct yore_bytes transaction = transaction_of(line);
    bool is_same = bytes_equal(transaction, buffer_bytes(&import->transaction));
    if (!is_same && import->lines.size >= SENT_BYTES) {
        enum yore_status st = send(import, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    if (!is_same) {
        buffer_clear(&import->transaction);
        buffer_append_bytes(&import->transaction, transaction);
    }
    buffer_append_bytes(&import->lines, line);
    buffer_append(&import->lines, "\n", 1);
    return YORE_OK;
}

enum yore_status graph_remote_import_finish(struct graph_remote_import *import,
                                            struct yore_error *error_out)
{
    return send(import, error_out); /* of no lines at all too: it makes the graph */
}

void graph_remote_import_release(struct graph_remote_import *import)
{
    buffer_release(&import->lines);
    buffer_release(&import->transaction);
}
