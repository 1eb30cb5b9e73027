/* element.h -- elements of rows, fetched no sooner than something is asked of them.
 *
 * A row holds YORE_GRAPH_NODE_REF {id, view}; a property, labels, ends are read from the view one
 * by one.  Elements that are whole already (parameters, results of history procedures) answer from
 * what they hold.  An element that this statement deleted is an error of the class EntityNotFound,
 * DeletedEntityAccess; id, type and ends stay readable.
 */
#ifndef YORE_QUERY_ELEMENT_H
#define YORE_QUERY_ELEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/graph.h>

#include "base/arena.h"
#include "base/status.h"
#include "query/ast.h"
#include "query/eval.h"
#include "topology/graph.h"

/* The name by which an element's external id is asked for like a property: given by CREATE and
 * MERGE, read and matched like one; it is none, and cannot be changed. */
bool element_is_external_id(struct yore_bytes name);

/* One property by name, or the external id; missing: null.  `token` may be NULL; else `*token`
 * caches the property's token (GRAPH_NO_TOKEN: not known yet). */
enum yore_status element_property(struct eval *eval, const struct yore_graph_value *element,
                                  struct yore_bytes name, uint32_t *token, struct ast_spot spot,
                                  struct yore_graph_value *value_out);
/* All of them: a map. */
enum yore_status element_properties(struct eval *eval, const struct yore_graph_value *element,
                                    struct ast_spot spot, struct yore_graph_value *map_out);
/* Of a node: a list of strings, ascending. */
enum yore_status element_labels(struct eval *eval, const struct yore_graph_value *node,
                                struct ast_spot spot, struct yore_graph_value *list_out);
/* Whether a node has all labels, or a relationship is of the type (all of `labels` are equal to
 * it).
 */
enum yore_status element_has_labels(struct eval *eval, const struct yore_graph_value *element,
                                    const struct yore_bytes *labels, uint32_t count,
                                    struct ast_spot spot, bool *has_out);
enum yore_status element_type(struct eval *eval, const struct yore_graph_value *relationship,
                              struct ast_spot spot, struct yore_bytes *type_out);
/* Both ends, as references into the same view. */
enum yore_status element_ends(struct eval *eval, const struct yore_graph_value *relationship,
                              struct ast_spot spot, struct yore_graph_value *start_out,
                              struct yore_graph_value *end_out);
enum yore_status element_span(struct eval *eval, const struct yore_graph_value *element,
                              struct ast_spot spot, struct yore_graph_span *span_out);
enum yore_status element_external_id(struct eval *eval, const struct yore_graph_value *element,
                                     struct ast_spot spot, struct yore_bytes *external_id_out);

/* `value` with every reference in it, at any depth and in paths, made NODE or RELATIONSHIP, in
 * eval->arena: for results.  Deleted elements come back with what is known of them: id, type and
 * ends. */
enum yore_status element_whole(struct eval *eval, const struct yore_graph_value *value,
                               struct yore_graph_value *whole_out);

#endif
