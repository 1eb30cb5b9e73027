/* Requests in HTTP: given whole and cut in two, head and body are the same; all lies inside. */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "net/http.h"
#include "support/fuzz.h"

static bool is_inside(struct yore_bytes part, const unsigned char *data, size_t size)
{
    const unsigned char *at = part.data;
    return part.size == 0 || (at >= data && at + part.size <= data + size);
}

static void check_head(const struct http_head *head, const unsigned char *data, size_t size)
{
    YORE_ASSERT(is_inside(head->method, data, size) && is_inside(head->path, data, size) &&
                is_inside(head->query, data, size) && is_inside(head->host, data, size));
    YORE_ASSERT(head->header_count <= HTTP_HEADERS_MAX);
    for (size_t i = 0; i < head->header_count; i++) {
        YORE_ASSERT(is_inside(head->headers[i].name, data, size) &&
                    is_inside(head->headers[i].value, data, size));
    }
    struct buffer out = {0};
    struct yore_bytes value;
    http_decode(head->path, false, &out);
    if (http_query_find(head->query, "at", &value)) {
        YORE_ASSERT(is_inside(value, data, size));
        http_decode(value, true, &out);
    }
    buffer_release(&out);
}

static uint64_t take_body(const struct http_head *head, const unsigned char *data, size_t size,
                          size_t step)
{
    struct http_body body;
    http_body_init(&body, head);
    uint64_t sum = 0;
    size_t at = 0;
    size_t end = 0;
    for (;;) {
        struct yore_bytes payload;
        size_t taken = 0;
        enum http_result result =
            http_body_take(&body, bytes_of(data + at, end - at), &payload, &taken);
        YORE_ASSERT(taken <= end - at && is_inside(payload, data, size));
        const unsigned char *octets = payload.data;
        for (size_t i = 0; i < payload.size; i++) {
            sum = sum * 31 + octets[i];
        }
        at += taken;
        if (result != HTTP_MORE) {
            return sum * 31 + (uint64_t)result + (result == HTTP_WHOLE ? at : 0);
        }
        if (taken == 0) {
            if (end == size) {
                return sum;
            }
            end = end + step < size ? end + step : size;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    size_t step = 1 + (size_t)(data[0] & 15);
    unsigned char *text = mem_copy(data + 1, size - 1);
    size--;
    struct http_head whole = {0};
    struct http_head parts = {0};
    size_t scanned = 0;
    size_t head_size = 0;
    enum http_result result = http_head_parse(bytes_of(text, size), &scanned, &whole, &head_size);
    enum http_result part_result = HTTP_MORE;
    size_t part_size = 0;
    scanned = 0;
    for (size_t end = 0; part_result == HTTP_MORE && end < size;) {
        end = end + step < size ? end + step : size;
        part_result = http_head_parse(bytes_of(text, end), &scanned, &parts, &part_size);
    }
    YORE_ASSERT(size == 0 || result == part_result);
    if (result == HTTP_WHOLE) {
        YORE_ASSERT(head_size == part_size && head_size <= size);
        check_head(&whole, text, size);
        YORE_ASSERT(take_body(&whole, text + head_size, size - head_size, 1) ==
                    take_body(&whole, text + head_size, size - head_size, size));
    }
    mem_free(text);
    return 0;
}
