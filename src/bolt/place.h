/* place.h -- what a client calls a database: a graph, and the moment it is looked at.
 *
 *     name                  the graph as it is
 *     name@moment           as it was; every form of base/moment.h: topo@-1h, topo@2026-11-20
 *     name@moment@known     as it was, as far as was known then
 *
 * A moment of the form @1763719200s keeps its own @: topo@@1763719200s.  A place in the past is
 * read only.  And bookmarks, which say how much a client has seen: "yore:" and a commit time.
 */
#ifndef YORE_BOLT_PLACE_H
#define YORE_BOLT_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/yore.h>

#include "base/bytes.h"
#include "base/status.h"
#include "bolt/limits.h"

struct place {
    char text[BOLT_DATABASE_BYTES_MAX + 1]; /* as the client wrote it */
    size_t text_size;
    size_t name_size; /* of the graph's name, the begin of it */
    bool is_past;
    struct yore_time at; /* YORE_NOW twice unless is_past */
};

static inline struct yore_bytes place_text(const struct place *place)
{
    return bytes_of(place->text, place->text_size);
}
static inline struct yore_bytes place_name(const struct place *place)
{
    return bytes_of(place->text, place->name_size);
}

/* Relative moments count from `now`.  Errors: YORE_INVALID (the text says where and why). */
enum yore_status place_parse(struct yore_bytes text, int64_t now, struct place *place_out,
                             struct yore_error *error_out);

#define BOOKMARK_TEXT_BYTES 32
char *bookmark_format(int64_t commit, char text[BOOKMARK_TEXT_BYTES]);
/* False: it is none of ours. */
bool bookmark_parse(struct yore_bytes text, int64_t *commit_out);

#endif
