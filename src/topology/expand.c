/* expand.c -- the relationships of a node, without reading one of them.
 *
 * The keys of a node's adjacency lie together: outgoing before incoming, each by type, other end
 * and relationship.  One cursor goes from node to node, bounded at each to just the keys that may
 * be wanted: else it would, as of a time when a node had nothing, walk on over whatever later lay
 * behind it.  In a transaction each node gets a cursor of its own, since one for all would note
 * what lies between.
 *
 * Where the other end is given, the walk leaps: from a key whose other end is smaller to that end
 * within the same type, from a greater one to the next type.
 */
#include "base/mem.h"
#include "engine/cursor.h"
#include "topology/graph_internal.h"

struct graph_expand {
    struct graph_view *view;
    struct yore_cursor *cursor;
    uint64_t node;
    uint64_t other;
    enum graph_direction direction;
    bool is_incoming; /* the half that is walked now */
    bool is_placed;   /* the cursor stands on the next candidate */
    bool is_ended;
    uint32_t *types; /* ascending; none: every type */
    size_t type_count;
    size_t type_at; /* of `types`: the range that is walked */
};

/* ---- places ---- */

/* Seek the first key that may be wanted, from (type, other) of the half on. */
static enum yore_status seek(struct graph_expand *expand, uint32_t type, uint64_t other)
{
    struct graph_adjacency place = {
        .node = expand->node, .is_incoming = expand->is_incoming, .type = type, .other = other};
    struct graph_key key = graph_key_adjacency(&place, ADJACENCY_OF_OTHER);
    expand->is_placed = true;
    return yore_cursor_seek(expand->cursor, graph_key_bytes(&key));
}

/* Does the walk take every key of the cursor's range, one after the other? */
static bool takes_all(const struct graph_expand *expand)
{
    return expand->type_count == 0 && expand->other == 0;
}

static enum yore_status seek_half(struct graph_expand *expand)
{
    if (takes_all(expand)) {
        expand->is_placed = true;
        return yore_cursor_first(expand->cursor);
    }
    expand->type_at = 0;
    return seek(expand, expand->type_count > 0 ? expand->types[0] : 0,
                expand->type_count > 0 ? expand->other : 0);
}

/* The half is over: go on with the other one where both are wanted. */
static enum yore_status end_half(struct graph_expand *expand)
{
    if (expand->is_incoming || expand->direction != GRAPH_BOTH) {
        expand->is_ended = true;
        return YORE_NOT_FOUND;
    }
    expand->is_incoming = true;
    return seek_half(expand);
}

/* The type is over: the next one wanted. */
static enum yore_status end_type(struct graph_expand *expand, uint32_t type)
{
    if (expand->type_count == 0) {
        return type == UINT32_MAX ? end_half(expand) : seek(expand, type + 1, expand->other);
    }
    expand->type_at++;
    if (expand->type_at == expand->type_count) {
        return end_half(expand);
    }
    return seek(expand, expand->types[expand->type_at], expand->other);
}

/* ---- opening ---- */

/* As much of a key as all that is wanted has in common. */
static struct graph_key wanted_prefix(const struct graph_expand *expand)
{
    struct graph_adjacency place = {.node = expand->node,
                                    .is_incoming = expand->direction == GRAPH_INCOMING,
                                    .other = expand->other};
    enum graph_adjacency_depth depth = ADJACENCY_OF_DIRECTION;
    if (expand->direction == GRAPH_BOTH) {
        depth = ADJACENCY_OF_NODE;
    } else if (expand->type_count == 1) {
        place.type = expand->types[0];
        depth = expand->other != 0 ? ADJACENCY_OF_OTHER : ADJACENCY_OF_TYPE;
    }
    return graph_key_adjacency(&place, depth);
}

static enum yore_status open_cursor(struct graph_expand *expand, struct yore_error *error_out)
{
    struct graph_key prefix = wanted_prefix(expand);
    struct yore_range wanted = {.prefix = graph_key_bytes(&prefix)};
    struct yore_range all = {.prefix = bytes_of(prefix.octets, 1)};
    bool is_kept = expand->view->txn == NULL;
    enum yore_status st = YORE_OK;
    if (!is_kept || expand->cursor == NULL || !cursor_is_current(expand->cursor)) {
        yore_cursor_close(expand->cursor);
        expand->cursor = NULL;
        st = view_cursor(expand->view, is_kept ? &all : &wanted, &expand->cursor, error_out);
    }
    if (st == YORE_OK && is_kept) {
        st = cursor_set_part(expand->cursor, &wanted);
        if (st != YORE_OK && error_out != NULL) {
            *error_out = *yore_cursor_error(expand->cursor);
        }
    }
    return st;
}

static bool copy_types(struct graph_expand *expand, const struct graph_expand_options *options)
{
    expand->types = mem_array(options->type_count + 1, sizeof *expand->types);
    if (expand->types == NULL) {
        return false;
    }
    for (size_t i = 0; i < options->type_count; i++) {
        size_t at = expand->type_count;
        while (at > 0 && expand->types[at - 1] > options->types[i]) {
            at--;
        }
        if (at > 0 && expand->types[at - 1] == options->types[i]) {
            continue;
        }
        for (size_t j = expand->type_count; j > at; j--) {
            expand->types[j] = expand->types[j - 1];
        }
        expand->types[at] = options->types[i];
        expand->type_count++;
    }
    return true;
}

enum yore_status graph_expand_open(struct graph_view *view,
                                   const struct graph_expand_options *options,
                                   struct graph_expand **expand_out, struct yore_error *error_out)
{
    error_clear(error_out);
    *expand_out = NULL;
    struct graph_expand *expand = mem_zalloc(sizeof *expand);
    if (expand == NULL || !copy_types(expand, options)) {
        graph_expand_close(expand);
        return error_plain(error_out, YORE_NOMEM);
    }
    expand->view = view;
    expand->direction = options->direction;
    enum yore_status st = graph_expand_restart(expand, options->node, options->other, error_out);
    if (st != YORE_OK) {
        graph_expand_close(expand);
        return st;
    }
    *expand_out = expand;
    return YORE_OK;
}

enum yore_status graph_expand_restart(struct graph_expand *expand, uint64_t node, uint64_t other,
                                      struct yore_error *error_out)
{
    error_clear(error_out);
    expand->node = node;
    expand->other = other;
    expand->is_incoming = expand->direction == GRAPH_INCOMING;
    expand->is_ended = false;
    enum yore_status st = open_cursor(expand, error_out);
    if (st != YORE_OK) {
        expand->is_ended = true;
        return st;
    }
    st = seek_half(expand);
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        expand->is_ended = true;
        if (error_out != NULL) {
            *error_out = *yore_cursor_error(expand->cursor);
        }
        return st;
    }
    return YORE_OK;
}

/* ---- walking ---- */

/* What the key under the cursor is to the walk. */
enum judgement { KEY_FITS, KEY_PASSED, KEY_MOVED };

static bool is_type_over(const struct graph_expand *expand, const struct graph_adjacency *found)
{
    return expand->type_count > 0 && found->type != expand->types[expand->type_at];
}

/* Move past a key that is not wanted, or say that it is. */
static enum judgement judge(struct graph_expand *expand, const struct graph_adjacency *found,
                            enum yore_status *st)
{
    bool is_elsewhere = found->node != expand->node || found->is_incoming != expand->is_incoming;
    *st = YORE_OK;
    if (is_elsewhere && takes_all(expand)) { /* no other half lies in a range of one */
        expand->is_incoming = true;
        is_elsewhere = false;
    }
    if (is_elsewhere) {
        *st = end_half(expand);
    } else if (is_type_over(expand, found)) {
        *st = end_type(expand, found->type);
    } else if (expand->other != 0 && found->other < expand->other) {
        *st = seek(expand, found->type, expand->other);
    } else if (expand->other != 0 && found->other > expand->other) {
        *st = end_type(expand, found->type);
    } else if (found->is_incoming && expand->direction == GRAPH_BOTH &&
               found->other == found->node) {
        return KEY_PASSED; /* a loop was told as outgoing */
    } else {
        return KEY_FITS;
    }
    return KEY_MOVED;
}

static enum yore_status walk(struct graph_expand *expand, struct graph_adjacency *found,
                             struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    while (!expand->is_ended) {
        if (!expand->is_placed) {
            st = yore_cursor_next(expand->cursor);
        }
        const struct yore_row *row = yore_cursor_row(expand->cursor);
        if (row == NULL) {
            if (st != YORE_OK && st != YORE_NOT_FOUND) {
                return st;
            }
            expand->is_incoming |= takes_all(expand);
            st = end_half(expand); /* no key beyond, in the cursor's range */
            continue;
        }
        expand->is_placed = false;
        if (!graph_key_adjacency_decode(row->key, found)) {
            char text[KEY_TEXT_BYTES];
            return error_set(error_out, YORE_CORRUPT, "graph %s: key %s is malformed",
                             expand->view->graph->name, key_text(row->key, text));
        }
        if (judge(expand, found, &st) == KEY_FITS) {
            return YORE_OK;
        }
        if (st != YORE_OK && st != YORE_NOT_FOUND) {
            return st;
        }
    }
    return YORE_NOT_FOUND;
}

enum yore_status graph_expand_next(struct graph_expand *expand, struct graph_hop *hop_out,
                                   struct yore_error *error_out)
{
    struct graph_adjacency found;
    error_clear(error_out);
    enum yore_status st = walk(expand, &found, error_out);
    if (st == YORE_OK) {
        *hop_out = (struct graph_hop){.relationship = found.relationship,
                                      .other = found.other,
                                      .type = found.type,
                                      .is_outgoing = !found.is_incoming};
    } else if (st != YORE_NOT_FOUND) {
        expand->is_ended = true;
        if (error_out != NULL && error_out->status == YORE_OK) {
            *error_out = *yore_cursor_error(expand->cursor);
        }
    }
    return st;
}

void graph_expand_close(struct graph_expand *expand)
{
    if (expand != NULL) {
        yore_cursor_close(expand->cursor);
        mem_free(expand->types);
        mem_free(expand);
    }
}
