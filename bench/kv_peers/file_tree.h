/* file_tree.h -- make, measure and remove the directories that databases live in. */
#ifndef YORE_FILE_TREE_H
#define YORE_FILE_TREE_H

#include <stdint.h>

/* Octets allocated under `dir`: of a sparse file only what it holds. */
uint64_t file_tree_bytes(const char *dir);
void file_tree_remove(const char *dir);
void file_tree_make(const char *dir); /* and its parents */

#endif
