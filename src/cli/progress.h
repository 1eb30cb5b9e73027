/* progress.h -- one line on standard error while long work runs: how far, how fast, how long still.
 * Shown only where standard error is a terminal, and never with --quiet. */
#ifndef YORE_CLI_PROGRESS_H
#define YORE_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"

struct progress {
    struct cli *cli;
    const char *label;
    const char *unit; /* what is counted: "events" */
    bool is_shown;
    int64_t begin_ns;
    int64_t shown_ns;
};

/* `unit` may be NULL: nothing is counted but the whole. */
void progress_begin(struct progress *p, struct cli *cli, const char *label, const char *unit);

/* `done` of `total` (0: unknown) and `count` units so far.  Cheap: asks the clock, and prints at
 * most every tenth of a second. */
void progress_show(struct progress *p, uint64_t done, uint64_t total, uint64_t count);

/* Take the line away. */
void progress_end(struct progress *p);

double progress_seconds(const struct progress *p);

/* A yore_progress_fn whose `arg` is a struct progress; ^C cancels. */
int progress_callback(void *arg, uint64_t done_bytes, uint64_t total_bytes);

/* "0:07", "1:02:33" */
#define SPAN_TEXT_BYTES 32
char *span_format(double seconds, char text[SPAN_TEXT_BYTES]);

#endif
