#include "server/settler.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "os/thread.h"
#include "topology/ingest.h"

struct settler {
    struct yore_db *db;
    struct graph_pool *graphs;
    struct log *log;
    int64_t interval_ns;
    struct buffer failing; /* names that failed in the last round, each with its closing zero */
    struct os_thread *thread;
    struct os_mutex lock;
    struct os_cond wake;
    bool is_ending; /* GUARDED_BY(lock) */
};

static bool is_ending(struct settler *settler)
{
    os_mutex_lock(&settler->lock);
    bool ending = settler->is_ending;
    os_mutex_unlock(&settler->lock);
    return ending;
}

static bool has_name(const struct buffer *names, const char *name)
{
    size_t at = 0;
    while (at < names->size && strcmp((const char *)names->data + at, name) != 0) {
        at += strlen((const char *)names->data + at) + 1;
    }
    return at < names->size;
}

/* Each graph is told when it begins to fail, not in every round.  "": the listing of graphs. */
static void note_failure(struct settler *settler, struct buffer *failing, const char *name,
                         enum yore_status status, const struct yore_error *error)
{
    char text[sizeof error->text + 512];
    if (!has_name(&settler->failing, name)) {
        snprintf(text, sizeof text, "graph%s%.253s cannot be %s, and is tried again: %s",
                 *name != '\0' ? " " : "s", name, *name != '\0' ? "settled" : "listed",
                 *error->text != '\0' ? error->text : yore_status_message(status));
        log_text(settler->log, LOG_WARN, text);
    }
    buffer_append(failing, name, strlen(name) + 1);
}

static int note_source(void *arg, uint32_t token, struct yore_bytes name)
{
    (void)token;
    (void)name;
    *(bool *)arg = true;
    return 1;
}

static enum yore_status settle(struct settler *settler, const char *name,
                               struct yore_error *error_out)
{
    struct graph *graph = NULL;
    bool has_sources = false;
    enum yore_status st = graph_pool_get(settler->graphs, bytes_of(name, strlen(name)), false, NULL,
                                         &graph, error_out);
    if (st == YORE_OK) {
        graph_tokens(graph, GRAPH_SOURCE, note_source, &has_sources);
    }
    if (st == YORE_OK && has_sources) {
        st = graph_settle(graph, NULL, error_out);
    }
    graph_pool_put(settler->graphs, graph);
    return st == YORE_NOT_FOUND ? YORE_OK : st; /* it was dropped meanwhile */
}

static int note_name(void *arg, const char *name)
{
    struct buffer *names = arg;
    buffer_append(names, name, strlen(name) + 1);
    return names->is_nomem ? 1 : 0;
}

/* The names are listed first: nothing of a listing may be held while a graph is written. */
static void settle_all(struct settler *settler)
{
    struct buffer names = {0};
    struct buffer failing = {0};
    struct yore_error error = {.text = ""};
    enum yore_status st = graph_each(settler->db, NULL, note_name, &names, &error);
    if (st != YORE_OK) {
        note_failure(settler, &failing, "", st, &error);
    }
    for (size_t at = 0; st == YORE_OK && at < names.size && !is_ending(settler);) {
        const char *name = (const char *)names.data + at;
        error_clear(&error);
        enum yore_status settled = settle(settler, name, &error);
        if (settled != YORE_OK) {
            note_failure(settler, &failing, name, settled, &error);
        }
        at += strlen(name) + 1;
    }
    buffer_release(&settler->failing);
    settler->failing = failing;
    buffer_release(&names);
}

static void run(void *arg)
{
    struct settler *settler = arg;
    os_mutex_lock(&settler->lock);
    while (!settler->is_ending) {
        os_mutex_unlock(&settler->lock);
        settle_all(settler);
        os_mutex_lock(&settler->lock);
        if (!settler->is_ending) {
            os_cond_wait_for(&settler->wake, &settler->lock, settler->interval_ns);
        }
    }
    os_mutex_unlock(&settler->lock);
}

enum yore_status settler_start(struct yore_db *db, struct graph_pool *graphs, struct log *log,
                               int64_t interval_ns, struct settler **settler_out,
                               struct yore_error *error_out)
{
    struct settler *settler = mem_zalloc(sizeof *settler);
    *settler_out = NULL;
    if (settler == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    settler->db = db;
    settler->graphs = graphs;
    settler->log = log;
    settler->interval_ns = interval_ns;
    os_mutex_init(&settler->lock);
    os_cond_init(&settler->wake);
    enum yore_status st = os_thread_start(run, settler, "yore-settle", &settler->thread, error_out);
    if (st != YORE_OK) {
        settler_stop(settler);
        return st;
    }
    *settler_out = settler;
    return YORE_OK;
}

void settler_stop(struct settler *settler)
{
    if (settler == NULL) {
        return;
    }
    if (settler->thread != NULL) {
        os_mutex_lock(&settler->lock);
        settler->is_ending = true;
        os_cond_broadcast(&settler->wake);
        os_mutex_unlock(&settler->lock);
        os_thread_join(settler->thread);
    }
    os_cond_release(&settler->wake);
    os_mutex_release(&settler->lock);
    buffer_release(&settler->failing);
    mem_free(settler);
}
