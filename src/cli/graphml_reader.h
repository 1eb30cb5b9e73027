/* graphml_reader.h -- GraphML as words of a source, element by element, by expat.
 *
 * Keys with attr.name are properties (attr.type boolean, int, long, float, double, string; with
 * yore.type="json" a value as word_json.h has it); defaults, ports and hyperedges are refused,
 * graphs inside nodes too.  Labels stand in the attribute `labels` of a node (":A:B", a `:` or `\`
 * of their own behind a `\`), the type of a relationship in `label` of its edge, or else in data of
 * keys called labels and label; an edge without an id is "e0", "e1", ... by its place, one without
 * a type RELATED.  A document type declaration is refused, and with it entities of any kind.
 */
#ifndef YORE_CLI_GRAPHML_READER_H
#define YORE_CLI_GRAPHML_READER_H

#include <yore/graph.h>

#include "base/arena.h"
#include "base/status.h"

#define GRAPHML_DEPTH_MAX 16u
#define GRAPHML_DATA_BYTES_MAX (64u << 20) /* of one data element */
#define GRAPHML_KEYS_MAX 4096u

struct graphml_reader;

enum yore_status graphml_reader_new(struct graphml_reader **reader_out,
                                    struct yore_error *error_out);
void graphml_reader_free(struct graphml_reader *reader);
/* More of the document (empty: it is over), once all words of what was given before are taken. */
void graphml_reader_feed(struct graphml_reader *reader, struct yore_bytes octets, bool is_last);
/* YORE_OK: a word, in `arena`.  YORE_NOT_FOUND: feed more, or that was all.  Errors: YORE_INVALID,
 * the text names line and column. */
enum yore_status graphml_reader_next(struct graphml_reader *reader, struct arena *arena,
                                     struct yore_graph_word *word_out,
                                     struct yore_error *error_out);

#endif
