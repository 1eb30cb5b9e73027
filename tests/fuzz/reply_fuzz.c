/* Replies of a server that may send anything: whole and in pieces the same, everything inside. */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "client/reply_reader.h"
#include "support/fuzz.h"

static void check(const struct reply_reader *reader, const unsigned char *data, size_t size)
{
    YORE_ASSERT(reader->count > 0 && reader->values[0].next == reader->count);
    for (size_t i = 0; i < reader->count; i++) {
        const struct yore_client_value *value = &reader->values[i];
        const unsigned char *at = value->bytes.data;
        YORE_ASSERT(value->bytes.size == 0 ||
                    (at >= data && at + value->bytes.size <= data + size));
        YORE_ASSERT(value->next > i && value->next <= reader->count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    size_t step = 1 + (size_t)(data[0] & 7);
    unsigned char *text = mem_copy(data + 1, size - 1);
    size--;
    struct reply_reader whole = {0};
    struct reply_reader parts = {0};
    size_t whole_size = 0;
    size_t part_size = 0;
    enum reply_result result = reply_read(&whole, bytes_of(text, size), &whole_size);
    enum reply_result part_result = REPLY_MORE;
    for (size_t end = 0; part_result == REPLY_MORE && end < size;) {
        end = end + step < size ? end + step : size;
        part_result = reply_read(&parts, bytes_of(text, end), &part_size);
    }
    YORE_ASSERT(size == 0 || result == part_result);
    if (result == REPLY_WHOLE) {
        YORE_ASSERT(whole_size == part_size && whole.count == parts.count);
        check(&whole, text, size);
        check(&parts, text, size);
    }
    reply_reader_release(&whole);
    reply_reader_release(&parts);
    mem_free(text);
    return 0;
}
