/* Many writes, one YORE.BATCH. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "cli/remote_internal.h"

/* What a server takes in one request. */
#define BATCH_WORDS_MAX 1000000u

/* A word: octets in the batch's text. */
struct slice {
    size_t at;
    size_t size;
};

struct remote_batch {
    struct remote *remote;
    struct buffer text;
    struct slice *slices;
    size_t slice_count;
    size_t slice_capacity;
    size_t writes;
    char keyspace[YORE_KEYSPACE_NAME_BYTES_MAX + 1]; /* that writes go to now; "": default */
};

enum yore_status remote_batch_new(struct remote *remote, struct remote_batch **batch_out,
                                  struct yore_error *error_out)
{
    struct remote_batch *batch = mem_zalloc(sizeof(*batch));
    if (batch == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    batch->remote = remote;
    *batch_out = batch;
    return YORE_OK;
}

void remote_batch_free(struct remote_batch *batch)
{
    if (batch != NULL) {
        buffer_release(&batch->text);
        mem_free(batch->slices);
        mem_free(batch);
    }
}

size_t remote_batch_count(const struct remote_batch *batch)
{
    return batch->writes;
}

static void clear(struct remote_batch *batch)
{
    buffer_clear(&batch->text);
    batch->slice_count = 0;
    batch->writes = 0;
    batch->keyspace[0] = '\0';
}

static void add_word(struct remote_batch *batch, struct yore_bytes word)
{
    struct slice *grown =
        mem_grow(batch->slices, batch->slice_count, &batch->slice_capacity, sizeof(*grown));
    if (grown == NULL) {
        batch->text.is_nomem = true;
        return;
    }
    batch->slices = grown;
    grown[batch->slice_count++] = (struct slice){batch->text.size, word.size};
    buffer_append_bytes(&batch->text, word);
}

static void add_text(struct remote_batch *batch, const char *text)
{
    add_word(batch, bytes_of(text, strlen(text)));
}

/* A moment, or `*` where it is `otherwise`. */
static void add_moment(struct remote_batch *batch, int64_t moment, int64_t otherwise)
{
    char text[REMOTE_MOMENT_BYTES] = "*";
    if (moment != otherwise) {
        remote_moment_text(moment, text);
    }
    add_text(batch, text);
}

enum yore_status remote_batch_add(struct remote_batch *batch, const char *keyspace,
                                  struct yore_bytes key, const struct yore_bytes *value,
                                  const struct yore_write *write, struct yore_error *error_out)
{
    const char *name = keyspace != NULL ? keyspace : "";
    if (batch->slice_count + 8 > BATCH_WORDS_MAX) {
        return error_set(error_out, YORE_TOO_BIG,
                         "a server takes at most %zu writes in one transaction: write to the "
                         "database's directory instead",
                         batch->writes);
    }
    if (batch->slice_count == 0) {
        add_text(batch, "YORE.BATCH");
    }
    if (strcmp(name, batch->keyspace) != 0) {
        add_text(batch, "KEYSPACE");
        add_text(batch, *name != '\0' ? name : "default");
        snprintf(batch->keyspace, sizeof(batch->keyspace), "%s", name);
    }
    add_text(batch, value != NULL ? "PUT" : "DEL");
    add_word(batch, key);
    if (value != NULL) {
        add_word(batch, *value);
    }
    add_moment(batch, write->from, YORE_NOW);
    if (value != NULL) {
        add_moment(batch, write->to, YORE_FOREVER);
    }
    batch->writes++;
    return batch->text.is_nomem ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
}

enum yore_status remote_batch_commit(struct remote_batch *batch, struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct yore_bytes *words = mem_array(batch->slice_count, sizeof(*words));
    if (words == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    for (size_t i = 0; i < batch->slice_count; i++) {
        words[i] = bytes_of(batch->text.data + batch->slices[i].at, batch->slices[i].size);
    }
    enum yore_status st = remote_run(batch->remote, words, batch->slice_count, &reply, error_out);
    mem_free(words);
    if (st == YORE_OK) {
        clear(batch);
    }
    return st;
}
