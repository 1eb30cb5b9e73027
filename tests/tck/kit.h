/* kit.h -- the scenarios of the openCypher kit: tests/tck/kit/tck-dev.ndjson.zst, a line each. */
#ifndef YORE_TESTS_TCK_KIT_H
#define YORE_TESTS_TCK_KIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "support/json_tree.h"

enum kit_outcome { KIT_ROWS = 1, KIT_EMPTY, KIT_ERROR };

struct kit_expectation {
    enum kit_outcome outcome;
    bool is_ordered;
    bool lists_unordered;
    const struct json_tree *columns;
    const struct json_tree *rows;
    const struct json_tree *effects; /* what is not named is zero; NULL: not said */
    struct yore_bytes type;
    struct yore_bytes phase;
    struct yore_bytes detail;
};

struct kit_scenario {
    struct yore_bytes id;
    struct yore_bytes category;
    struct yore_bytes graph; /* "empty", "any", "binary-tree-1", ... */
    const struct json_tree *setup;
    const struct json_tree *parameters;
    const struct json_tree *procedures; /* or NULL */
    struct yore_bytes query;
    struct kit_expectation expect;
    struct yore_bytes control_query; /* size 0: none */
    struct kit_expectation control;
};

struct kit {
    struct arena arena;
    const struct kit_scenario *scenarios;
    size_t count;
};

/* False: the file is not there or not what it should be; a line on stderr says why. */
bool kit_open(struct kit *kit, const char *directory);
void kit_close(struct kit *kit);
/* A file of the kit as text, in the kit's arena; size 0: not there. */
struct yore_bytes kit_file(struct kit *kit, const char *directory, const char *name);

#endif
