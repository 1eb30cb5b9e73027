/* versioned.h -- history of any engine: its native one, or (key, ~ts) composite keys.
 *
 * Composite keys are how histories are kept over engines that have none: the user key, then the
 * complement of the time, big-endian, so that a key's newest version comes first.  Values carry no
 * kind (the workloads delete nothing).
 */
#ifndef YORE_VERSIONED_H
#define YORE_VERSIONED_H

#include "kvp.h"

struct versioned {
    const struct kvp_engine *engine;
    void *thread;
    void *point_iter; /* kept between as-of gets: the past does not change */
    unsigned point_uses;
    char *scratch;
    size_t scratch_size;
};

/* Takes nothing: `db` stays the caller's. */
void versioned_begin(struct versioned *v, const struct kvp_engine *engine, void *db);
void versioned_end(struct versioned *v);

int versioned_batch(struct versioned *v, const struct kvp_pair *pairs, size_t count);
int versioned_get(struct versioned *v, const char *key, uint64_t ts, char *buffer, size_t capacity,
                  size_t *size_out);
/* Rows as of span->t1; returns how many, < 0 when it failed. */
long versioned_scan(struct versioned *v, const struct kvp_span *span, kvp_emit_fn emit, void *arg);
long versioned_history(struct versioned *v, const char *key, kvp_emit_fn emit, void *arg);
long versioned_diff(struct versioned *v, const struct kvp_span *span, kvp_diff_fn emit, void *arg);

#endif
