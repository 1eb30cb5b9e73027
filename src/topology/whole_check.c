#include "topology/whole_check.h"

#include <string.h>

#include "base/buffer.h"
#include "topology/verify.h"

void whole_check_figures(struct whole_check *check,
                         struct whole_check_figure figures_out[WHOLE_CHECK_FIGURES])
{
    struct yore_verify_report *store = &check->store;
    const struct whole_check_figure figures[WHOLE_CHECK_FIGURES] = {
        {"files", &store->files},
        {"bytes", &store->bytes},
        {"pages", &store->pages},
        {"journal_records", &store->journal_records},
        {"keys", &store->keys},
        {"versions", &store->versions},
        {"copies", &store->copies},
        {"values_apart", &store->values_apart},
        {"erasures_pending", &store->erasures_pending},
        {"graphs", &check->graphs},
        {"graph_elements", &check->graph_elements},
        {"problems", &store->problems},
    };
    memcpy(figures_out, figures, sizeof(figures));
}

struct graphs_walk {
    struct whole_check *check;
    struct yore_db *db;
    void (*problem)(void *arg, const char *line);
    void *arg;
    enum yore_status status;
    struct yore_error *error;
};

static int check_graph(void *arg, const char *name)
{
    struct graphs_walk *walk = arg;
    struct graph_verify_report report = {0};
    struct graph *graph = NULL;
    enum yore_status st =
        graph_open(walk->db, bytes_of(name, strlen(name)), false, NULL, &graph, walk->error);
    if (st == YORE_OK) {
        st = graph_verify_unless(graph, walk->problem, walk->arg, walk->check->stop, &report,
                                 walk->error);
    }
    graph_close(graph);
    walk->check->graphs++;
    walk->check->graph_elements += report.nodes + report.relationships;
    walk->check->store.problems += report.problems;
    walk->status = st == YORE_CORRUPT && report.problems > 0 ? YORE_OK : st;
    return walk->status != YORE_OK;
}

enum yore_status whole_check_graphs(struct whole_check *check, struct yore_db *db,
                                    void (*problem)(void *arg, const char *line), void *arg,
                                    struct yore_error *error_out)
{
    struct graphs_walk walk = {
        .check = check, .db = db, .problem = problem, .arg = arg, .error = error_out};
    enum yore_status st = graph_each(db, NULL, check_graph, &walk, error_out);
    return st == YORE_OK ? walk.status : st;
}
