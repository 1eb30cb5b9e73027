/* whole_check.h -- what the check of a whole database has looked at: the store, and the graphs in
 * it. One list of its figures for who prints them, sends them and reads them. */
#ifndef YORE_TOPOLOGY_WHOLE_CHECK_H
#define YORE_TOPOLOGY_WHOLE_CHECK_H

#include <yore/yore.h>

#include "base/stop.h"

struct whole_check {
    struct yore_verify_report store; /* its problems: those of graphs as well */
    uint64_t graphs;
    uint64_t graph_elements; /* nodes and relationships, ever */
    const struct stop *stop; /* whether the check is wanted still; NULL: it is */
};

#define WHOLE_CHECK_FIGURES 12

struct whole_check_figure {
    const char *name; /* static; as `yore check` prints it and YORE.CHECK replies it */
    uint64_t *count;  /* within the report */
};

void whole_check_figures(struct whole_check *check,
                         struct whole_check_figure figures_out[WHOLE_CHECK_FIGURES]);

/* graph_verify() of every graph of `db`, added to `check`, which yore_verify() has filled: what is
 * damaged below should not be looked at from above.  Findings are no error: they count as problems;
 * a graph that could not be verified to its end is one.
 * YORE_CANCELLED: check->stop was asked for. */
enum yore_status whole_check_graphs(struct whole_check *check, struct yore_db *db,
                                    void (*problem)(void *arg, const char *line), void *arg,
                                    struct yore_error *error_out);

#endif
