/* forest_internal.h -- shared by the files that make up the forest. */
#ifndef YORE_ENGINE_FOREST_INTERNAL_H
#define YORE_ENGINE_FOREST_INTERNAL_H

#include "engine/forest.h"

void slice_release(struct forest_slice *slice);
void region_release(struct forest_region *region);
void tree_unref(struct forest_tree *tree);
/* F1..F3 of one tree. */
enum yore_status tree_check(const struct forest_tree *tree, struct yore_error *error_out);
size_t tree_region_index(const struct forest_tree *tree, struct yore_bytes key);

#endif
