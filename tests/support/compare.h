/* compare.h -- one read of a database, and the same read of the model: equal, or a text that says
 * where not.
 *
 * Every function returns true when both answers are the same, row by row and field by field.  After
 * false `compare->text` says what was asked, what the database said and what the model says.
 */
#ifndef YORE_TEST_SUPPORT_COMPARE_H
#define YORE_TEST_SUPPORT_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/yore.h>

#include "support/model.h"

struct compare {
    struct yore_db *db;
    const struct model *model;
    struct yore_keyspace *keyspaces[MODEL_KEYSPACES_MAX]; /* NULL: the default keyspace */
    /* Retention may have dropped what ended before: the feed may leave versions out. */
    bool may_forget[MODEL_KEYSPACES_MAX];
    uint64_t reads; /* answers compared */
    char text[1024];
};

/* What the database is asked, and the moment that stands for (YORE_NOW resolved). */
struct compare_at {
    const struct yore_time *asked; /* NULL allowed */
    struct yore_time moment;
};

bool compare_get(struct compare *compare, unsigned keyspace, struct yore_bytes key,
                 const struct compare_at *at);
/* The same by yore_get_in_memory(), where it answers. */
bool compare_get_in_memory(struct compare *compare, unsigned keyspace, struct yore_bytes key,
                           const struct compare_at *at);
bool compare_get_many(struct compare *compare, unsigned keyspace,
                      const struct yore_get_many *request, const struct compare_at *at);
/* Every row of the range, in one direction. */
bool compare_scan(struct compare *compare, unsigned keyspace,
                  const struct yore_cursor_options *options, const struct compare_at *at,
                  bool is_backward);
/* `moves` random moves (seek, seek back, next, previous, first, last) chosen by `seed`. */
bool compare_walk(struct compare *compare, unsigned keyspace,
                  const struct yore_cursor_options *options, const struct compare_at *at,
                  uint64_t seed);
/* The same in several ranges, one after the other, by one cursor. */
struct compare_parts {
    const struct yore_range *ranges;
    size_t count;
};
bool compare_parts(struct compare *compare, unsigned keyspace, const struct compare_parts *parts,
                   const struct compare_at *at, uint64_t seed);
bool compare_timeline(struct compare *compare, unsigned keyspace, struct yore_bytes key,
                      const struct yore_timeline_options *options);
/* The rest of an open timeline. */
bool compare_timeline_rows(struct compare *compare, const char *what,
                           struct yore_timeline *timeline, const struct model_rows *rows);
/* `options->to` YORE_NOW is resolved with `now`. */
bool compare_changes(struct compare *compare, unsigned keyspace,
                     const struct yore_changes_options *options, int64_t now);
/* The feed after `after`: the same commits, and the versions each of them made. */
bool compare_feed(struct compare *compare, int64_t after);
/* The same by a watch, up to where it would wait. */
bool compare_watch(struct compare *compare, int64_t after);
/* Every version that is kept, by key: all that were committed after the horizon, and of those
 * before it none that was not written. */
bool compare_feed_kept(struct compare *compare, unsigned keyspace, const struct yore_range *range);
/* Every version of every key of one keyspace, both ways round, and nothing but them. */
bool compare_versions(struct compare *compare, unsigned keyspace);

/* Two rows of one answer. */
bool compare_row(struct compare *compare, const char *what, const struct model_row *want,
                 const struct yore_row *got);

/* Note a difference: always false. */
bool compare_fail(struct compare *compare, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A short printable form of a key; lives in `text`. */
#define COMPARE_KEY_TEXT_BYTES 80
const char *compare_key_text(struct yore_bytes key, char text[COMPARE_KEY_TEXT_BYTES]);

#endif
