/* bed.h -- a database with tiny limits on a simulated disk, and short words to write to it and look
 * at it.
 *
 * Everything runs inside the calls (db_open_inline).  The clock stands at BED_T0 and goes on by a
 * microsecond a look; explicit times are given in seconds after BED_BASE, long before.
 */
#ifndef YORE_TEST_ENGINE_BED_H
#define YORE_TEST_ENGINE_BED_H

#include <yore/yore.h>

#include "engine/db.h"
#include "os/sim_disk.h"
#include "support/test.h"

#define BED_BASE 1000000000000000000ll
#define BED_SECOND 1000000000ll
#define BED_T0 (BED_BASE + 1000000 * BED_SECOND)
#define AT(seconds) (BED_BASE + (int64_t)(seconds)*BED_SECOND)

struct bed {
    struct sim_disk *disk;
    struct yore_db *db;
    uint64_t table_bytes;
};

void bed_open(struct bed *bed);
/* With tables of up to so many octets, for many pages each. */
void bed_open_tables(struct bed *bed, uint64_t table_bytes);
void bed_reopen(struct bed *bed);
void bed_close(struct bed *bed);
/* What happens to data as it ages: nothing, a flush, a flush and full compaction, and opening again
 * after that. */
#define BED_AGES 4
void bed_age(struct bed *bed, int age);

struct yore_bytes text(const char *text);

/* From now on. */
int64_t put(struct yore_db *db, const char *key, const char *value);
/* From `from` on, ends at `to` (YORE_FOREVER: never). */
int64_t put_at(struct yore_db *db, const char *key, const char *value, int64_t from, int64_t to);
int64_t put_span(struct yore_db *db, const char *key, const char *value, int64_t from, int64_t to);
int64_t delete_at(struct yore_db *db, const char *key, int64_t from);
int64_t delete_span(struct yore_db *db, const char *key, int64_t from, int64_t to);
int64_t erase_key(struct yore_db *db, const char *key, int64_t from, int64_t to);

/* The value as text: "-" absent, "!" erased. */
const char *get(struct yore_db *db, const char *key);
const char *get_at(struct yore_db *db, const char *key, int64_t valid, int64_t known);
const char *txn_get(struct yore_txn *txn, const char *key);
const char *txn_get_at(struct yore_txn *txn, const char *key, int64_t valid);

#endif
