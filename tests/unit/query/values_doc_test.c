/* docs/query-values.md: in tables of two columns in code, the left expression is worth the right.
 */
#include <stdio.h>
#include <string.h>

#include "support/test.h"
#include "unit/query/eval_bed.h"

#define LINE_BYTES_MAX 1024

/* "| `a` | `b` |": both codes, cut out in place. */
static bool cut_row(char *line, char **left_out, char **right_out)
{
    char *left = strncmp(line, "| `", 3) == 0 ? line + 3 : NULL;
    char *middle = left == NULL ? NULL : strstr(left, "` | `");
    char *end = middle == NULL ? NULL : strstr(middle + 5, "` |");
    if (end == NULL || strcmp(end, "` |\n") != 0) {
        return false;
    }
    *middle = '\0';
    *end = '\0';
    *left_out = left;
    *right_out = middle + 5;
    return true;
}

TEST(every_example_is_true)
{
    if (!test_has_long_double()) {
        SKIP("long double is no longer than double here");
    }
    FILE *file = fopen(VALUES_DOC, "r");
    char line[LINE_BYTES_MAX];
    size_t count = 0;
    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL) {
        char *expression = NULL;
        char *value = NULL;
        if (cut_row(line, &expression, &value)) {
            bed_check(expression, value);
            count++;
        }
    }
    (void)fclose(file);
    CHECK_MSG(count >= 70, "%zu examples", count);
}

TEST_MAIN(every_example_is_true)
