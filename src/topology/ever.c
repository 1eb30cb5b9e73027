#include "topology/ever.h"

enum yore_status ever_open(struct ever_walk *walk, struct graph *graph, struct yore_bytes prefix,
                           const struct yore_time *span, struct yore_error *error_out)
{
    struct yore_cursor_options options = {
        .range = {.prefix = prefix}, .at = span, .keys_only = true};
    *walk = (struct ever_walk){.graph = graph,
                               .options = {.range = {.prefix = prefix},
                                           .from = span->valid,
                                           .to = YORE_FOREVER - 1,
                                           .known = span->known,
                                           .every_version = true}};
    return yore_cursor_open(graph_db(graph), graph_keyspace(graph), &options, &walk->cursor,
                            error_out);
}

static enum yore_status next_there(struct ever_walk *walk, struct yore_bytes *key_out,
                                   struct yore_error *error_out)
{
    enum yore_status st = yore_cursor_next(walk->cursor);
    if (st == YORE_OK) {
        *key_out = yore_cursor_row(walk->cursor)->key;
        return st;
    }
    if (st != YORE_NOT_FOUND) {
        if (error_out != NULL) {
            *error_out = *yore_cursor_error(walk->cursor);
        }
        return st;
    }
    yore_cursor_close(walk->cursor);
    walk->cursor = NULL;
    st = yore_changes_open(graph_db(walk->graph), graph_keyspace(walk->graph), &walk->options,
                           &walk->changes, error_out);
    return st == YORE_OK ? YORE_NOT_FOUND : st;
}

enum yore_status ever_next(struct ever_walk *walk, struct yore_bytes *key_out,
                           struct yore_error *error_out)
{
    if (walk->cursor != NULL) {
        enum yore_status st = next_there(walk, key_out, error_out);
        if (st != YORE_NOT_FOUND) {
            return st;
        }
    }
    struct yore_change change;
    enum yore_status st;
    do {
        st = yore_changes_next(walk->changes, &change, error_out);
    } while (st == YORE_OK && change.kind != YORE_CHANGE_ADDED);
    *key_out = change.key;
    return st;
}

void ever_close(struct ever_walk *walk)
{
    yore_cursor_close(walk->cursor);
    yore_changes_close(walk->changes);
    *walk = (struct ever_walk){0};
}
