/* word_fuzz.c -- a line of JSON as a word of a source; what is read is written and read again. */
#include <string.h>

#include "base/assert.h"
#include "query/value.h"
#include "query/word_json.h"
#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct yore_graph_word word;
    struct yore_graph_value value;
    struct yore_graph_value again;
    struct buffer written = {0};
    struct yore_error error;
    struct yore_bytes text = {data, size};
    if (word_json_read(text, 0, &arena, &word, &error) == YORE_OK) {
        YORE_ASSERT(word.element == YORE_GRAPH_ELEMENT_NODE ||
                    word.element == YORE_GRAPH_ELEMENT_RELATIONSHIP);
    }
    if (word_json_read_value(text, &arena, &value, &error) == YORE_OK) {
        word_json_value(&written, &value);
        YORE_ASSERT(word_json_read_value(buffer_bytes(&written), &arena, &again, &error) ==
                    YORE_OK);
        YORE_ASSERT(value_is_same(&value, &again));
    }
    buffer_release(&written);
    arena_release(&arena);
    return 0;
}
