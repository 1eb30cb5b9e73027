/* nearest.h -- which known word did the user mean? */
#ifndef YORE_BASE_NEAREST_H
#define YORE_BASE_NEAREST_H

#include <stddef.h>

/* A candidate may be NULL: it is passed over. */
typedef const char *(*nearest_word_fn)(const void *arg, size_t index);

/* The candidate with the smallest edit distance (insert, delete, replace, swap of neighbours) to
 * `word`, or NULL when none is near: at most a third of its length away, and at least one edit is
 * allowed. `word` that a candidate begins with counts as near. */
const char *nearest_word(const char *word, nearest_word_fn candidate, const void *arg,
                         size_t count);

#endif
