/* word_reader.h -- elements of a file as words of a source, whatever the file's format. */
#ifndef YORE_CLI_WORD_READER_H
#define YORE_CLI_WORD_READER_H

#include <yore/graph.h>

#include "base/arena.h"
#include "cli/line_source.h"

enum word_format { WORDS_GUESSED = 0, WORDS_NDJSON = 1, WORDS_CSV = 2, WORDS_GRAPHML = 3 };

struct word_reader;

/* Read from `source`, which must outlive the reader.  A guessed format is told by the first
 * line: one that begins with `{` is NDJSON, with `<` GraphML, any other the header of CSV.  Errors:
 * YORE_INVALID (a header that cannot be read), those of the source. */
enum yore_status word_reader_open(struct line_source *source, enum word_format format, int64_t now,
                                  struct word_reader **reader_out, struct yore_error *error_out);
void word_reader_close(struct word_reader *reader);
/* The next word; what it points to is in `arena`.  YORE_NOT_FOUND: no more.  Errors: the text names
 * file, line and column. */
enum yore_status word_reader_next(struct word_reader *reader, struct arena *arena,
                                  struct yore_graph_word *word_out, struct yore_error *error_out);

#endif
