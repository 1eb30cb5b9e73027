/* mutant.h -- comparisons that the environment flips; compiled into every file of the copy that
 * tools/time_mutants makes, and into nothing else.
 *
 *     YORE_MUTANT=n            flip comparison n
 *     YORE_MUTANT_REACHED=path append the numbers of those that were evaluated, at the end
 *
 * Weak definitions: every object has them, a program has one.
 */
#ifndef YORE_MUTATION_MUTANT_H
#define YORE_MUTATION_MUTANT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MUTANTS_MAX 4096u

__attribute__((weak)) unsigned mutant_chosen;
__attribute__((weak)) unsigned char mutant_reached[MUTANTS_MAX];

__attribute__((weak, constructor)) void mutant_begin(void);
__attribute__((weak, destructor)) void mutant_end(void);

__attribute__((weak, constructor)) void mutant_begin(void)
{
    const char *text = getenv("YORE_MUTANT");
    mutant_chosen = text == NULL ? 0 : (unsigned)strtoul(text, NULL, 10);
}

__attribute__((weak, destructor)) void mutant_end(void)
{
    const char *path = getenv("YORE_MUTANT_REACHED");
    FILE *file = path == NULL ? NULL : fopen(path, "a");
    for (unsigned i = 0; i < MUTANTS_MAX && file != NULL; i++) {
        if (mutant_reached[i] != 0) {
            fprintf(file, "%u\n", i);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static inline bool mutant_is(unsigned number)
{
    mutant_reached[number] = 1;
    return mutant_chosen == number;
}

#define MUTANT_LT(n, a, b) (mutant_is(n) ? (a) <= (b) : (a) < (b))
#define MUTANT_LE(n, a, b) (mutant_is(n) ? (a) < (b) : (a) <= (b))
#define MUTANT_GT(n, a, b) (mutant_is(n) ? (a) >= (b) : (a) > (b))
#define MUTANT_GE(n, a, b) (mutant_is(n) ? (a) > (b) : (a) >= (b))

#endif
