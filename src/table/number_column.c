#include "table/number_column.h"

#include <string.h>

#include "base/coding.h"
#include "table/int_column.h"
#include "table/table_format.h"

#define FORM_BIG_ENDIAN 1u
#define FORM_FLOAT 2u
#define SCALE_MAX 12
#define NUMBERS_MIN 8                  /* fewer are not worth a column of their own */
#define EXACT_LIMIT 9007199254740992.0 /* 2^53: integers below it are exact in a double */

static const double powers_of_ten[SCALE_MAX + 1] = {1e0, 1e1, 1e2, 1e3,  1e4,  1e5, 1e6,
                                                    1e7, 1e8, 1e9, 1e10, 1e11, 1e12};

static uint64_t load_number(const unsigned char *at, unsigned form)
{
    return (form & FORM_BIG_ENDIAN) != 0 ? get_u64_big_endian(at) : get_u64(at);
}

static void store_number(unsigned char *at, unsigned form, uint64_t v)
{
    put_u64(at, (form & FORM_BIG_ENDIAN) != 0 ? __builtin_bswap64(v) : v);
}

static double as_double(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

static uint64_t as_bits(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

/* ---- encoding ---- */

/* Is the double exactly integer / 10^scale? */
static bool scaled_integer(uint64_t bits, unsigned scale, int64_t *integer_out)
{
    double product = as_double(bits) * powers_of_ten[scale];
    if (!(product < EXACT_LIMIT && product > -EXACT_LIMIT)) {
        return false;
    }
    *integer_out = (int64_t)(product < 0 ? product - 0.5 : product + 0.5);
    return as_bits((double)*integer_out / powers_of_ten[scale]) == bits;
}

/* The least scale that makes integers of all but a few; false: there is none. */
static bool choose_scale(const unsigned char *values, size_t count, unsigned form,
                         unsigned *scale_out)
{
    unsigned scale = 0;
    size_t exceptions = 0;
    int64_t integer;
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = load_number(values + 8 * i, form);
        unsigned s = scale;
        while (s <= SCALE_MAX && !scaled_integer(bits, s, &integer)) {
            s++;
        }
        if (s <= SCALE_MAX) {
            scale = s;
        } else if (++exceptions > count / 16) {
            return false;
        }
    }
    *scale_out = scale;
    return true;
}

/* Integers for one form; exceptions repeat the integer before them and go to `patches`. */
static size_t make_integers(const unsigned char *values, size_t count, unsigned form,
                            unsigned scale, int64_t *integers, struct buffer *patches)
{
    size_t exceptions = 0;
    size_t last = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = load_number(values + 8 * i, form);
        if ((form & FORM_FLOAT) == 0) {
            integers[i] = (int64_t)bits;
        } else if (!scaled_integer(bits, scale, &integers[i])) {
            integers[i] = i > 0 ? integers[i - 1] : 0;
            buffer_append_varint(patches, i - last);
            buffer_append(patches, values + 8 * i, 8);
            last = i;
            exceptions++;
        }
    }
    return exceptions;
}

static void append_decimals(const unsigned char *values, size_t count, unsigned form,
                            struct buffer scratch[2], struct buffer *out)
{
    unsigned scale = 0;
    if ((form & FORM_FLOAT) != 0 && !choose_scale(values, count, form, &scale)) {
        return;
    }
    struct buffer patches = {0};
    buffer_clear(&scratch[1]);
    int64_t *integers = (int64_t *)(void *)buffer_extend(&scratch[1], 8 * count);
    if (integers == NULL) {
        out->is_nomem = true;
        return;
    }
    size_t exceptions = make_integers(values, count, form, scale, integers, &patches);
    buffer_append_u8(out, (uint8_t)form);
    buffer_append_u8(out, (uint8_t)scale);
    size_t at = out->size;
    buffer_append_u8(out, 0);
    uint8_t encoding = 0;
    int_column_encode(integers, count, &scratch[0], out, &encoding);
    buffer_append_varint(out, exceptions);
    buffer_append_bytes(out, buffer_bytes(&patches));
    out->is_nomem = out->is_nomem || patches.is_nomem;
    if (!out->is_nomem) {
        out->data[at] = encoding;
    }
    buffer_release(&patches);
}

/* Octets that are zero when each number is taken exclusive-or the one before it. */
static size_t count_zero_octets(const unsigned char *values, size_t count)
{
    size_t zeros = 0;
    for (size_t i = 8; i < 8 * count; i++) {
        zeros += values[i] == values[i - 8];
    }
    return zeros;
}

static void append_planes(const unsigned char *values, size_t count, unsigned form,
                          struct buffer *out)
{
    buffer_append_u8(out, (uint8_t)form);
    unsigned char *to = buffer_extend(out, 8 * count);
    if (to == NULL) {
        return;
    }
    uint64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t v = load_number(values + 8 * i, form);
        uint64_t changed = v ^ before;
        before = v;
        for (unsigned plane = 0; plane < 8; plane++) {
            to[(7 - plane) * count + i] = (unsigned char)(changed >> (8 * plane));
        }
    }
}

/* In which order do the octets lie?  The most significant one changes least. */
static unsigned guess_endianness(const unsigned char *values, size_t count)
{
    size_t first = 0;
    size_t last = 0;
    for (size_t i = 8; i < 8 * count; i += 8) {
        first += values[i] != values[i - 8];
        last += values[i + 7] != values[i - 1];
    }
    return first < last ? FORM_BIG_ENDIAN : 0;
}

bool number_column_encode(const unsigned char *values, size_t count, struct buffer scratch[2],
                          struct buffer *out, uint8_t *encoding_out)
{
    if (count < NUMBERS_MIN) {
        return false;
    }
    unsigned endianness = guess_endianness(values, count);
    size_t start = out->size;
    append_decimals(values, count, endianness | FORM_FLOAT, scratch, out);
    size_t float_bytes = out->size > start ? out->size - start : SIZE_MAX;
    if (float_bytes > 6 * count) { /* not decimal: perhaps whole numbers */
        out->size = start;
        append_decimals(values, count, endianness, scratch, out);
    }
    if (out->is_nomem) {
        return false;
    }
    *encoding_out = OCTETS_DECIMALS;
    if (out->size - start <= 6 * count) {
        return true;
    }
    out->size = start;
    if (count_zero_octets(values, count) < 2 * count) {
        return false;
    }
    *encoding_out = OCTETS_PLANES;
    append_planes(values, count, endianness, out);
    return !out->is_nomem;
}

/* ---- decoding ---- */

static bool decode_decimals(struct decoder *d, size_t count, int64_t *integers,
                            unsigned char *values_out)
{
    unsigned form = decode_u8(d);
    unsigned scale = decode_u8(d);
    uint8_t encoding = decode_u8(d);
    if (d->is_bad || form > (FORM_BIG_ENDIAN | FORM_FLOAT) || scale > SCALE_MAX ||
        !int_column_decode(d, encoding, count, integers)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = (form & FORM_FLOAT) != 0
                            ? as_bits((double)integers[i] / powers_of_ten[scale])
                            : (uint64_t)integers[i];
        store_number(values_out + 8 * i, form, bits);
    }
    uint64_t exceptions = decode_varint(d);
    uint64_t at = 0;
    for (uint64_t i = 0; i < exceptions; i++) {
        uint64_t distance = decode_varint(d);
        const unsigned char *octets = decode_run(d, 8);
        if (octets == NULL || distance >= count - at) {
            return false;
        }
        at += distance;
        memcpy(values_out + 8 * at, octets, 8);
    }
    return !d->is_bad && decoder_left(d) == 0;
}

static bool decode_planes(struct decoder *d, size_t count, unsigned char *values_out)
{
    unsigned form = decode_u8(d);
    const unsigned char *planes = decode_run(d, 8 * count);
    if (d->is_bad || planes == NULL || form > FORM_BIG_ENDIAN || decoder_left(d) != 0) {
        return false;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < count; i++) {
        for (unsigned plane = 0; plane < 8; plane++) {
            v ^= (uint64_t)planes[(7 - plane) * count + i] << (8 * plane);
        }
        store_number(values_out + 8 * i, form, v);
    }
    return true;
}

bool number_column_decode(struct yore_bytes data, uint8_t encoding, size_t count, int64_t *scratch,
                          unsigned char *values_out)
{
    struct decoder d;
    decoder_init(&d, data.data, data.size);
    if (count == 0) {
        return false;
    }
    return encoding == OCTETS_DECIMALS ? decode_decimals(&d, count, scratch, values_out)
                                       : decode_planes(&d, count, values_out);
}
