/* json_tree.h -- a JSON text as a tree, for what tests are told in.  Not for texts of strangers:
 * depth is bounded, everything else is trusted to be what its authors meant. */
#ifndef YORE_TEST_JSON_TREE_H
#define YORE_TEST_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"

enum json_tree_kind { TREE_NULL, TREE_BOOL, TREE_NUMBER, TREE_STRING, TREE_ARRAY, TREE_OBJECT };

struct json_tree {
    enum json_tree_kind kind;
    bool boolean;
    struct yore_bytes text;  /* of a string, unescaped; of a number, as written */
    struct json_tree *items; /* of an array; the values of an object */
    struct yore_bytes *names;
    size_t count;
};

/* NULL: not JSON, too deep, or out of memory. */
const struct json_tree *json_tree_parse(struct yore_bytes text, struct arena *arena);
/* NULL: no such member. */
const struct json_tree *json_tree_member(const struct json_tree *object, const char *name);
/* The text of a string member; empty when it is missing. */
struct yore_bytes json_tree_text(const struct json_tree *object, const char *name);

#endif
