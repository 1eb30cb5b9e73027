/* graph_story.h -- what happens to a graph, in steps, on a simulated disk where the power goes at
 * every operation in turn, and the judge of what is left.
 *
 * A plot tells the same story at every run.  Judged is what is found after the crash: the graph is
 * open and whole when the plot's judge is called.
 */
#ifndef YORE_TEST_GRAPH_STORY_H
#define YORE_TEST_GRAPH_STORY_H

#include <stdbool.h>
#include <stddef.h>

#include <yore/yore.h>

#include "os/sim_disk.h"
#include "support/test.h"
#include "topology/graph.h"

#define GRAPH_STORY_WALL INT64_C(1700000000000000000) /* when it begins */

struct graph_story {
    struct sim_disk *disk;
    struct yore_options options;
    struct yore_db *db;
    struct graph *graph;
    struct test_rand rand;
    unsigned acked; /* steps that were acknowledged, all of them durable */
    size_t words_max;
};

struct graph_plot {
    unsigned step_count;
    /* False: the database said no, and the story ends. */
    bool (*take_step)(struct graph_story *s, unsigned step);
    bool (*after_step)(struct graph_story *s, unsigned step); /* NULL: nothing */
    void (*judge)(struct graph_story *s);
    size_t words_max; /* of one transaction of a snapshot; 0: as ever */
};

/* Tell it once to the end, then crash at each operation (of which a short run leaves some out). */
void graph_story_crash_everywhere(const struct graph_plot *plot);

/* Every problem that verifying finds is told, and fails the test. */
void graph_story_check_whole(struct graph_story *s);

#endif
