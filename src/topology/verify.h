/* verify.h -- graph_verify() for who may want it no more. */
#ifndef YORE_TOPOLOGY_VERIFY_H
#define YORE_TOPOLOGY_VERIFY_H

#include "base/stop.h"
#include "topology/graph.h"

/* YORE_CANCELLED: `stop` (may be NULL) was asked for; the rest as graph_verify(). */
enum yore_status graph_verify_unless(struct graph *graph,
                                     void (*problem)(void *arg, const char *line), void *arg,
                                     const struct stop *stop,
                                     struct graph_verify_report *report_out,
                                     struct yore_error *error_out);

#endif
