/* shell_complete.h -- what may stand where the cursor is: commands, options, their words, keys. */
#ifndef YORE_CLI_SHELL_COMPLETE_H
#define YORE_CLI_SHELL_COMPLETE_H

#include "base/buffer.h"
#include "cli/cli.h"

#define COMPLETION_SHOWN_MAX 60u

struct completion {
    size_t word_begin; /* the word under the cursor begins here in the line */
    struct buffer
        replacement;     /* what it becomes, quoted; with a blank behind when it is the only one */
    struct buffer shown; /* the candidates, each with a closing NUL; at most COMPLETION_SHOWN_MAX */
    size_t count;        /* of candidates, those not shown included (keys: at least) */
};

/* Complete the end of `line` (the text before the cursor).  False: out of memory. */
bool shell_complete(struct cli *cli, struct yore_bytes line, struct completion *completion);
void completion_release(struct completion *completion);

#endif
