/* erase.h -- erasures made again, when a database is restored. */
#ifndef YORE_ENGINE_ERASE_H
#define YORE_ENGINE_ERASE_H

#include "engine/db_internal.h"

/* Commit the erasure that the rule stands for, with what must hold again behind its span, at the
 * rule's own commit time (0: the next one), which must be greater than any before. */
enum yore_status erase_by_rule(struct yore_db *db, const struct erase_rule *rule,
                               struct yore_error *error_out);

#endif
