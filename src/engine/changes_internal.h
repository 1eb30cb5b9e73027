/* changes_internal.h -- what changes.c, changes_keys.c, changes_net.c and changes_every.c share. */
#ifndef YORE_ENGINE_CHANGES_INTERNAL_H
#define YORE_ENGINE_CHANGES_INTERNAL_H

#include "base/arena.h"
#include "engine/cursor.h"
#include "engine/db_internal.h"
#include "engine/key_walk.h"

/* The keys that may have changed. */
struct changes_keys {
    struct version_iter *it;
    struct table_marks *marks; /* what `it` need not find again */
    struct buffer key;
    bool is_begun;
    bool is_whole;   /* of each key it meets one table has all there is up to `to` */
    int64_t *bounds; /* begins and ends of erasures of the key, ascending */
    size_t bound_count;
    size_t bound_capacity;
    size_t bound_index;
};

/* One side of a change. */
struct changes_side {
    struct version version; /* kind 0: none */
    bool is_present;
    struct buffer bytes; /* its value, if that is not kept by the pin */
    struct read_pin pin;
};

/* The net difference. */
struct changes_net {
    bool is_sparse;               /* key by key, else two cursors side by side */
    struct changes_side sides[2]; /* sparse: the key at `from` and at `to` */
    bool has_winner;              /* the second is known without a read, present or not */
    struct yore_cursor *cursors[2];
    bool must_move[2];
    bool is_at_end[2];
};

/* Every step: key by key, each along its versions. */
struct changes_every {
    bool has_key;
    struct key_walk walk;     /* of the key's versions in (from, to] */
    bool has_upcoming;        /* walk.held is the next one */
    struct changes_side now;  /* the state up to `time` */
    struct changes_side next; /* the state after it, while that is being told */
    bool must_shift;          /* `next` has been told and becomes `now` */
    int64_t time;
};

struct changes_sorted {
    struct yore_change *changes;
    size_t count;
    size_t capacity;
    size_t index;
    uint64_t bytes;
    struct arena arena;
    bool is_ready;
};

struct yore_changes {
    struct yore_db *db;
    struct yore_keyspace *keyspace;
    struct superview *view;
    int64_t from;
    int64_t to;
    int64_t known;
    bool is_known_asked; /* a known time was named */
    bool has_erasures;   /* of any key */
    bool every_version;
    bool in_time_order;
    struct buffer low;
    struct buffer high; /* empty: to the last key */
    struct changes_keys keys;
    struct changes_net net;
    struct changes_every every;
    struct changes_sorted sorted;
    struct yore_error failure;
};

/* Are so few pages changed that reading the keys one by one pays? */
enum yore_status changes_keys_are_few(struct yore_changes *c, bool *are_few_out,
                                      struct yore_error *error_out);
enum yore_status changes_keys_open(struct yore_changes *c, struct yore_error *error_out);
/* Make keys.key the next key that may have changed; the iterator stands at the winner at `to` of
 * those of its versions that begin or end in between, and may be moved where every step is asked
 * for.  YORE_NOT_FOUND: no more. */
enum yore_status changes_keys_next(struct yore_changes *c, struct yore_error *error_out);
void changes_keys_close(struct yore_changes *c);

enum yore_status changes_net_open(struct yore_changes *c, struct yore_error *error_out);
enum yore_status changes_net_next(struct yore_changes *c, struct yore_change *change_out,
                                  struct yore_error *error_out);
void changes_net_close(struct yore_changes *c);

enum yore_status changes_every_next(struct yore_changes *c, struct yore_change *change_out,
                                    struct yore_error *error_out);
void changes_every_close(struct yore_changes *c);

/* Is what the version, the winner at `time`, holds there erased? */
bool changes_is_erased(const struct yore_changes *c, const struct version *version, int64_t time);
/* Is there a value at `time`, where this version is the winner? */
static inline bool changes_is_present(const struct yore_changes *c, const struct version *version,
                                      int64_t time)
{
    return version->kind == YORE_KIND_PUT && version->valid_to > time &&
           !(c->has_erasures && changes_is_erased(c, version, time));
}
/* A value that is there, however empty: never NULL. */
static inline struct yore_bytes changes_value(struct yore_bytes value)
{
    return bytes_of(value.size > 0 ? value.data : "", value.size);
}

#endif
