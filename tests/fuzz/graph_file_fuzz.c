/* graph_file_fuzz.c -- any octets are a file of elements (NDJSON, CSV or GraphML) or refused; every
 * word that is told is whole. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "cli/word_reader.h"
#include "support/fuzz.h"

static void read_all(struct line_source *lines, enum word_format format)
{
    struct arena arena = {0};
    struct word_reader *reader = NULL;
    struct yore_graph_word word;
    struct yore_error error;
    if (word_reader_open(lines, format, 0, &reader, &error) == YORE_OK) {
        while (word_reader_next(reader, &arena, &word, &error) == YORE_OK) {
            YORE_ASSERT(word.element == YORE_GRAPH_ELEMENT_NODE ||
                        word.element == YORE_GRAPH_ELEMENT_RELATIONSHIP);
            for (size_t i = 1; i < word.properties.count; i++) {
                YORE_ASSERT(bytes_compare(word.properties.entries[i - 1].name,
                                          word.properties.entries[i].name) < 0);
            }
            arena_reset(&arena);
        }
    }
    word_reader_close(reader);
    arena_release(&arena);
}

/* The first octet chooses the format, or leaves it to be guessed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct line_source *lines = NULL;
    struct yore_error error;
    if (size < 2) {
        return 0;
    }
    FILE *stream = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "rb");
    if (stream == NULL) {
        abort();
    }
    if (line_source_open(stream, "fuzz", &lines, &error) == YORE_OK) {
        read_all(lines, (enum word_format)(data[0] % 4));
        line_source_close(lines);
    }
    fclose(stream);
    return 0;
}
