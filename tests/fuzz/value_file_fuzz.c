/* value_file_fuzz.c -- value files of any bytes, and filters.
 *
 * The first octet chooses.  Bit 7 set: the rest are hashes, half of which go into a filter, which
 * must let all of those through.  Else the rest are a value file: bit 0 puts a valid header in
 * front, bit 1 mends the checks of records as far as their sizes lead, bit 2 leaves every fourth as
 * it is.  What a walk shows must be readable or named as damaged; a thinned copy must hold the same
 * values.
 */
#include <string.h>

#include "base/assert.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "os/sim_disk.h"
#include "support/fuzz.h"
#include "table/filter.h"
#include "table/value_file.h"

#define BYTES_MAX 8192u
#define HEADER_BYTES 64u
#define RECORD_BYTES 40u
#define HOLE 2u

static const struct file_identity identity = {77, 5};

/* ---- filters ---- */

static void fuzz_filter(const uint8_t *data, size_t size)
{
    static unsigned char lines[BYTES_MAX * 4];
    size_t count = size / 8;
    size_t bytes = filter_bytes(count);
    YORE_ASSERT(bytes <= sizeof lines && bytes % FILTER_LINE_BYTES == 0);
    memset(lines, 0, bytes);
    for (size_t i = 0; i < count; i += 2) {
        filter_add(lines, bytes, get_u64(data + 8 * i));
    }
    for (size_t i = 0; i < count; i++) {
        bool may_hold = filter_may_hold(lines, bytes, get_u64(data + 8 * i));
        YORE_ASSERT(may_hold || i % 2 != 0);
    }
}

/* ---- value files ---- */

/* A valid file header with another file's checks right, made by the writer itself. */
static void mend_header(struct os_env *env, unsigned char *file)
{
    struct value_writer *writer = NULL;
    struct os_file *made = NULL;
    size_t read = 0;
    YORE_ASSERT(value_writer_open(env, "header", identity, &writer, NULL) == YORE_OK);
    value_writer_close(writer);
    YORE_ASSERT(os_file_open(env, "header", OS_OPEN_READ, &made, NULL) == YORE_OK);
    YORE_ASSERT(os_file_read(made, 0, file, HEADER_BYTES, &read, NULL) == YORE_OK);
    YORE_ASSERT(read == HEADER_BYTES);
    os_file_close(made);
}

static uint32_t place_of(uint64_t offset)
{
    unsigned char bytes[24];
    put_u64(bytes, identity.database);
    put_u64(bytes + 8, identity.file);
    put_u64(bytes + 16, offset);
    return crc32c(0, bytes, sizeof bytes);
}

static void mend_records(unsigned char *file, size_t size, bool leaves_some)
{
    size_t at = HEADER_BYTES;
    for (unsigned i = 0; at + RECORD_BYTES <= size; i++) {
        unsigned char *record = file + at;
        uint32_t place = place_of(at);
        uint64_t value = get_u64(record + 16) % BYTES_MAX; /* sizes that can fit */
        uint32_t key = get_u32(record + 24) % 64;
        bool is_hole = get_u32(record + 8) == HOLE;
        size_t left = size - at - RECORD_BYTES;
        size_t span = is_hole ? (size_t)value / 8 * 8 : (size_t)(key + value);
        put_u64(record + 16, is_hole ? span : value);
        put_u32(record + 24, key);
        if (!leaves_some || i % 4 != 3) {
            put_u32(record + 4, crc32c(place, record + RECORD_BYTES, span < left ? span : left));
            put_u32(record, crc32c(place, record + 4, RECORD_BYTES - 4));
        }
        at += is_hole ? (span >= RECORD_BYTES ? span : RECORD_BYTES)
                      : RECORD_BYTES + (span + 7) / 8 * 8;
    }
}

struct shown {
    struct value_reader *reader;
    struct value_reader *thinned; /* NULL: not yet */
    uint64_t count;
    uint64_t end;
};

/* Values that the walk shows are whole; the thinned file has every second. */
static int look(void *arg, const struct value_record *record)
{
    struct shown *shown = arg;
    struct buffer value = {0};
    struct buffer again = {0};
    struct yore_error error = {0};
    YORE_ASSERT(record->ref.offset >= shown->end && record->ref.offset % 8 == 0);
    shown->end = record->ref.offset + RECORD_BYTES + record->ref.value_size + record->ref.key_size;
    enum yore_status st =
        value_reader_get(shown->reader, &record->ref, record->key, &value, &error);
    YORE_ASSERT(st == YORE_OK && value.size == record->ref.value_size);
    if (shown->thinned != NULL) {
        st = value_reader_get(shown->thinned, &record->ref, record->key, &again, &error);
        YORE_ASSERT((st == YORE_OK) == (shown->count % 2 == 0));
        YORE_ASSERT(st != YORE_OK || bytes_equal(buffer_bytes(&value), buffer_bytes(&again)));
    }
    shown->count++;
    buffer_release(&value);
    buffer_release(&again);
    return 0;
}

static int keep_every_second(void *arg, const struct value_record *record)
{
    uint64_t *count = arg;
    (void)record;
    return (*count)++ % 2 == 0;
}

static void check_thinned(struct os_env *env, struct shown *shown)
{
    uint64_t end = 0;
    uint64_t kept = 0;
    uint64_t count = 0;
    YORE_ASSERT(value_file_thin(env, shown->reader, "thinned", keep_every_second, &count, &kept,
                                NULL) == YORE_OK);
    YORE_ASSERT(count == shown->count);
    YORE_ASSERT(value_reader_open(env, "thinned", identity, &shown->thinned, NULL) == YORE_OK);
    shown->count = 0;
    shown->end = 0;
    YORE_ASSERT(value_reader_walk(shown->reader, look, shown, &end, NULL) == YORE_OK);
    value_reader_close(shown->thinned);
}

static void fuzz_file(struct os_env *env, const uint8_t *data, size_t size, unsigned how)
{
    static unsigned char bytes[BYTES_MAX];
    struct os_file *file = NULL;
    struct yore_error error = {0};
    struct shown shown = {.reader = NULL};
    uint64_t end = 0;
    memcpy(bytes, data, size);
    if ((how & 1u) != 0 && size >= HEADER_BYTES) {
        mend_header(env, bytes);
    }
    if ((how & 2u) != 0) {
        mend_records(bytes, size, (how & 4u) != 0);
    }
    YORE_ASSERT(os_file_open(env, "values", OS_OPEN_CREATE, &file, NULL) == YORE_OK);
    YORE_ASSERT(os_file_write(file, 0, bytes, size, NULL) == YORE_OK);
    os_file_close(file);
    enum yore_status st = value_reader_open(env, "values", identity, &shown.reader, &error);
    if (st != YORE_OK) {
        YORE_ASSERT((st == YORE_CORRUPT || st == YORE_BAD_FORMAT) && error.text[0] != '\0');
        return;
    }
    st = value_reader_walk(shown.reader, look, &shown, &end, &error);
    YORE_ASSERT(st == YORE_OK || (st == YORE_CORRUPT && error.text[0] != '\0'));
    YORE_ASSERT(end >= HEADER_BYTES);
    if (st == YORE_OK) {
        check_thinned(env, &shown);
    }
    value_reader_close(shown.reader);
}

/* Any octets as a reference: refused, or found to be damaged, or a value. */
static void fuzz_reference(const uint8_t *data, size_t size)
{
    struct value_ref ref;
    unsigned char again[VALUE_REF_BYTES];
    if (size >= VALUE_REF_BYTES &&
        value_ref_decode(bytes_of(data, VALUE_REF_BYTES), &ref) == YORE_OK) {
        value_ref_encode(&ref, again);
        YORE_ASSERT(memcmp(again, data, VALUE_REF_BYTES) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > BYTES_MAX) {
        return 0;
    }
    fuzz_reference(data + 1, size - 1);
    if ((data[0] & 0x80) != 0) {
        fuzz_filter(data + 1, size - 1);
        return 0;
    }
    struct sim_disk *disk = sim_disk_new(1);
    YORE_ASSERT(disk != NULL);
    fuzz_file(sim_disk_env(disk), data + 1, size - 1, data[0]);
    sim_disk_free(disk);
    return 0;
}
