/* shell.h -- between the shell that runs lines and the one that edits them. */
#ifndef YORE_CLI_SHELL_H
#define YORE_CLI_SHELL_H

#include "base/buffer.h"
#include "cli/cli.h"
#include "cli/shell_words.h"

struct shell {
    struct cli *cli;
    struct shell_words words;
    struct buffer line; /* what was read so far of a line that goes on */
    bool is_over;       /* exit or quit was typed */
};

/* Add one read line (without its newline) to `line`.  True when it is complete: it does not end
 * with an odd number of backslashes. */
bool shell_take_line(struct shell *shell, struct yore_bytes line);

/* Run the complete line, which is emptied; the command's exit code. */
int shell_run_line(struct shell *shell);

/* "db at 2019-03-01> " */
#define SHELL_PROMPT_BYTES 512
char *shell_prompt(const struct shell *shell, char text[SHELL_PROMPT_BYTES]);

/* shell_edit.c: read lines from the terminal until the end. */
int shell_edit(struct shell *shell);

#endif
