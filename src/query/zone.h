/* zone.h -- time zones by name: offsets from UTC, out of the system's database (RFC 8536, TZif).
 *
 * A zone is the table of one file below ZONE_FOLDER and, for what comes after its last transition,
 * the rule at the end of the file (POSIX TZ).  Zones are read when they are first named and kept in
 * a cache of their owner.  One thread at a time.
 */
#ifndef YORE_QUERY_ZONE_H
#define YORE_QUERY_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"

#define ZONE_FOLDER "/usr/share/zoneinfo/"
#define ZONE_NAME_BYTES_MAX 64u
#define ZONE_FILE_BYTES_MAX (256u * 1024u)
#define ZONE_CACHE_ZONES_MAX 1024u

struct zone;
struct zone_cache; /* NULL is empty */

/* A zone of the system by name, "Europe/Stockholm"; it lives as long as the cache.
 * Errors: YORE_NOT_FOUND (no such zone), YORE_CORRUPT, YORE_IO, YORE_NOMEM, YORE_TOO_BIG. */
enum yore_status zone_find(struct zone_cache **cache, struct yore_bytes name,
                           const struct zone **zone_out, struct yore_error *error_out);
void zone_cache_free(struct zone_cache *cache);

/* The bytes of a TZif file, copied into `arena`.  YORE_CORRUPT: they are none. */
enum yore_status zone_parse(struct yore_bytes file, struct arena *arena,
                            const struct zone **zone_out);

/* Seconds east of UTC at a moment (seconds since 1970). */
int32_t zone_offset(const struct zone *zone, int64_t seconds);
/* The offset of a local time.  A time that is there twice is the earlier one; one that is skipped
 * is moved on by the length of the gap: `*seconds_out` is the moment meant. */
int32_t zone_local_offset(const struct zone *zone, int64_t local_seconds, int64_t *seconds_out);

#endif
