/* kit_procedure.h -- the procedures that a scenario brings along: a signature and a table. */
#ifndef YORE_TESTS_TCK_KIT_PROCEDURE_H
#define YORE_TESTS_TCK_KIT_PROCEDURE_H

#include <stdbool.h>

#include "base/arena.h"
#include "query/procedure.h"
#include "support/json_tree.h"

/* Made in `arena`.  False: a signature is not understood. */
bool kit_procedures(const struct json_tree *tree, struct arena *arena,
                    struct procedure_set *set_out);

#endif
