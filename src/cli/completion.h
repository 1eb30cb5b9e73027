/* completion.h -- completion of the program's words in bash, zsh and fish. */
#ifndef YORE_CLI_COMPLETION_H
#define YORE_CLI_COMPLETION_H

#include <stdbool.h>
#include <stdio.h>

/* Print what `shell` ("bash", "zsh", "fish") reads; false: none of them, nothing was printed. */
bool completion_print(FILE *out, const char *shell);

#endif
