/* Bolt from outside: PackStream and requests.  The first octet says what the rest is.
 *
 * A value that is read is packed again and read back: the same value.  A stream of messages gives
 * the same requests whole and cut in two, and the watcher of RESETs sees what the reader reads. */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "bolt/frame.h"
#include "bolt/message.h"
#include "bolt/packstream.h"
#include "bolt/place.h"
#include "query/value.h"
#include "query/value_check.h"
#include "query/zone.h"
#include "support/fuzz.h"

#define MEMORY_MAX (4u << 20)

struct reading {
    struct arena arena;
    struct zone_cache *zones;
    struct unpacker unpacker;
    unsigned char *exact; /* of the input's size, so that a read behind it is noticed */
};

static void begin(struct reading *reading, const uint8_t *data, size_t size, bool is_old)
{
    *reading = (struct reading){0};
    reading->exact = mem_copy(data, size);
    reading->unpacker =
        (struct unpacker){.input = bytes_of(reading->exact, size),
                          .arena = &reading->arena,
                          .memory_left = MEMORY_MAX,
                          .dialect = {.has_utc = !is_old, .has_element_ids = !is_old},
                          .zones = &reading->zones};
}

static void end(struct reading *reading)
{
    arena_release(&reading->arena);
    zone_cache_free(reading->zones);
    mem_free(reading->exact);
}

static void read_value(const uint8_t *data, size_t size, bool is_old)
{
    struct reading first;
    struct reading second;
    struct buffer packed = {0};
    struct yore_graph_value value;
    struct yore_graph_value back;
    struct yore_error error = {0};
    begin(&first, data, size, is_old);
    enum yore_status st = unpack_value(&first.unpacker, &value, &error);
    YORE_ASSERT((st == YORE_OK) == (error.text[0] == '\0'));
    if (st == YORE_OK) {
        YORE_ASSERT(pack_value(&packed, &first.unpacker.dialect, &first.arena, &value) == YORE_OK);
        begin(&second, packed.data, packed.size, is_old);
        st = unpack_value(&second.unpacker, &back, &error);
        YORE_ASSERT(st == YORE_OK && second.unpacker.input.size == 0);
        /* Times out of bounds, which value_check() refuses, have no order to compare by. */
        YORE_ASSERT(value_check(&value, &error) != YORE_OK || value_is_same(&value, &back));
        end(&second);
    }
    buffer_release(&packed);
    end(&first);
}

static void read_request(const uint8_t *data, size_t size, bool is_old)
{
    struct reading reading;
    struct bolt_request request;
    struct yore_error error = {0};
    struct place place;
    struct bolt_version version = {is_old ? 4 : 5, 4};
    begin(&reading, data, size, is_old);
    enum yore_status st = bolt_request_decode(&reading.unpacker, version, &request, &error);
    YORE_ASSERT((st == YORE_OK) == (error.text[0] == '\0'));
    if (st == YORE_OK) {
        YORE_ASSERT(bolt_request_name((uint8_t)request.kind) != NULL);
        st = place_parse(request.scope.database, INT64_C(1763719200000000000), &place, &error);
        YORE_ASSERT(st != YORE_OK || place.name_size <= place.text_size);
    }
    end(&reading);
}

struct stream {
    struct frame_reader reader;
    unsigned messages;
    unsigned resets;
    uint64_t sum;
    bool is_over;
};

static void feed(struct stream *stream, const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at < size && !stream->is_over) {
        size_t consumed = 0;
        enum frame_result result =
            frame_read(&stream->reader, bytes_of(data + at, size - at), 1000, &consumed);
        YORE_ASSERT(consumed <= size - at);
        at += consumed;
        stream->is_over = result == FRAME_TOO_BIG || result == FRAME_NOMEM;
        if (result != FRAME_WHOLE) {
            YORE_ASSERT(stream->is_over || at == size);
            continue;
        }
        struct yore_bytes message = buffer_bytes(&stream->reader.message);
        YORE_ASSERT(message.size > 0 && message.size <= 1000);
        stream->messages++;
        stream->resets += message.size == 2 && memcmp(message.data, "\xB0\x0F", 2) == 0 ? 1 : 0;
        for (size_t i = 0; i < message.size; i++) {
            stream->sum = stream->sum * 31 + stream->reader.message.data[i];
        }
    }
}

static void read_stream(const uint8_t *data, size_t size)
{
    struct stream whole = {0};
    struct stream parts = {0};
    struct frame_watch watch = {.preamble = FRAME_PREAMBLE_BYTES};
    size_t cut = size > 0 ? data[0] % size : 0;
    feed(&whole, data, size);
    feed(&parts, data, cut);
    feed(&parts, data + cut, size - cut);
    YORE_ASSERT(whole.messages == parts.messages && whole.sum == parts.sum);
    frame_watch_see(&watch, bytes_of(data, cut));
    frame_watch_see(&watch, bytes_of(data + cut, size - cut));
    YORE_ASSERT(whole.is_over ? watch.resets >= whole.resets : watch.resets == whole.resets);
    frame_reader_release(&whole.reader);
    frame_reader_release(&parts.reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    bool is_old = (data[0] & 1) != 0;
    switch (data[0] >> 1 & 3) {
    case 0:
        read_value(data + 1, size - 1, is_old);
        break;
    case 1:
        read_stream(data + 1, size - 1);
        break;
    default:
        read_request(data + 1, size - 1, is_old);
        break;
    }
    return 0;
}
