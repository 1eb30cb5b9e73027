/* value_holds.h -- which records of value files belong to commits that are yet to come.
 *
 * A large value is appended before the commit that will refer to it, and until then no version
 * tells that it is wanted.  A *hold* remembers the records of one commit, as spans of octets: one
 * span for what was appended with nobody in between.
 *
 * Threads: everything under the lock of who has the list (values.c).
 */
#ifndef YORE_ENGINE_VALUE_HOLDS_H
#define YORE_ENGINE_VALUE_HOLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Octets of one file. */
struct value_span {
    uint64_t file;
    uint64_t begin;
    uint64_t end;
};

struct value_hold {
    struct value_hold *prev;
    struct value_hold *next;
    struct value_span *spans; /* ascending */
    size_t count;
    size_t capacity;
    bool is_committing;
};

struct value_holds {
    struct value_hold *first;
};

/* Make room in `*hold` for one more record; NULL is made a new hold of the list first.
 * Errors: YORE_NOMEM. */
enum yore_status value_hold_reserve(struct value_holds *holds, struct value_hold **hold);
/* The record was appended; there is room for it. */
void value_hold_add(struct value_hold *hold, const struct value_span *record);
/* Take it off the list and free it. */
void value_hold_drop(struct value_holds *holds, struct value_hold *hold);

/* Records of holds.  Zeroed: none. */
struct value_spans {
    struct value_span *spans; /* ascending */
    size_t count;
};
void value_spans_release(struct value_spans *spans);
bool value_spans_have(const struct value_spans *spans, uint64_t file, uint64_t offset);
/* Is one of the holds that has records up to `file` in the middle of its commit? */
bool value_holds_commit(const struct value_holds *holds, uint64_t file);
/* What all holds have up to `file`.  Errors: YORE_NOMEM. */
enum yore_status value_holds_copy(const struct value_holds *holds, uint64_t file,
                                  struct value_spans *spans_out);

#endif
