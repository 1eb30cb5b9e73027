#include "base/nearest.h"

#include <string.h>

#define WORD_BYTES_MAX 40

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance in three rows; words longer than the bound are far from
 * everything. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][WORD_BYTES_MAX + 1];
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    if (a_size > WORD_BYTES_MAX || b_size > WORD_BYTES_MAX) {
        return WORD_BYTES_MAX;
    }
    for (size_t j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t replace = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = min_size(replace, min_size(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = min_size(row[j], two_above[j - 2] + 1);
            }
        }
    }
    return rows[a_size % 3][b_size];
}

const char *nearest_word(const char *word, nearest_word_fn candidate, const void *arg, size_t count)
{
    size_t size = strlen(word);
    size_t best_distance = size / 3 > 1 ? size / 3 : 1;
    const char *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const char *other = candidate(arg, i);
        if (other == NULL) {
            continue;
        }
        size_t distance = edit_distance(word, other);
        if (size >= 2 && strncmp(word, other, size) == 0) {
            distance = 0;
        }
        if (distance < best_distance || (distance == best_distance && best == NULL)) {
            best_distance = distance;
            best = other;
        }
    }
    return best;
}
