#include "base/coding.h"

#define EACH_OCTET UINT64_C(0x0101010101010101)

static const unsigned char no_octets[1];

size_t varint_encode_long(unsigned char *to, uint64_t v)
{
    size_t n = 0;
    while (v >= 0x80) {
        to[n++] = (unsigned char)(v | 0x80);
        v >>= 7;
    }
    to[n++] = (unsigned char)v;
    return n;
}

size_t varint_size(uint64_t v)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(v | 1);
    return (bits + 6) / 7;
}

void decoder_init(struct decoder *d, const void *data, size_t size)
{
    d->at = data != NULL ? data : no_octets; /* arithmetic on NULL is undefined, even by zero */
    d->end = d->at + size;
    d->is_bad = false;
}

static void decoder_fail(struct decoder *d)
{
    d->is_bad = true;
    d->at = d->end;
}

const unsigned char *decode_run(struct decoder *d, size_t size)
{
    if (d->is_bad || size > decoder_left(d)) {
        decoder_fail(d);
        return NULL;
    }
    const unsigned char *run = d->at;
    d->at += size;
    return run;
}

/* Seven bits of each of eight octets, put together. */
static uint64_t gather_sevens(uint64_t word)
{
    word = (word & UINT64_C(0x7f007f007f007f00)) >> 1 | (word & UINT64_C(0x007f007f007f007f));
    word = (word & UINT64_C(0x3fff00003fff0000)) >> 2 | (word & UINT64_C(0x00003fff00003fff));
    return (word & UINT64_C(0x0fffffff00000000)) >> 4 | (word & UINT64_C(0x000000000fffffff));
}

static uint64_t decode_by_octets(struct decoder *d)
{
    uint64_t v = 0;
    for (unsigned shift = 0; d->at < d->end && shift < 70; shift += 7) {
        unsigned octet = *d->at++;
        v |= (uint64_t)(octet & 0x7f) << shift;
        if (octet < 0x80) {
            bool is_over_64_bits = shift == 63 && octet > 1;
            bool is_longer_than_needed = octet == 0 && shift > 0; /* one number, one encoding */
            if (is_over_64_bits || is_longer_than_needed) {
                break;
            }
            return v;
        }
    }
    decoder_fail(d);
    return 0;
}

uint64_t decode_varint_long(struct decoder *d)
{
    uint64_t word = decoder_left(d) >= 8 ? get_u64(d->at) : 0;
    if ((word & 0x8080) == 0x80 && (word & 0x7f00) != 0) { /* of two octets: most of these */
        d->at += 2;
        return (word & 0x7f) | (word & 0x7f00) >> 1;
    }
    uint64_t ends = ~word & 0x80 * EACH_OCTET;
    if (word == 0 || ends == 0) {
        return decode_by_octets(d);
    }
    unsigned end = (unsigned)__builtin_ctzll(ends); /* the top bit of the last octet */
    word &= UINT64_MAX >> (63 - end);
    if (end > 7 && word >> (end - 7) == 0) { /* longer than needed */
        decoder_fail(d);
        return 0;
    }
    d->at += end / 8 + 1;
    return gather_sevens(word);
}

void decode_past(struct decoder *d, uint64_t count)
{
    while (count > 0 && decoder_left(d) >= 8) {
        uint64_t ends = ~get_u64(d->at) & 0x80 * EACH_OCTET; /* the last octet of each ends it */
        uint64_t here = (ends >> 7) * EACH_OCTET >> 56;      /* how many of them */
        if (here < count) {
            count -= here;
            d->at += 8;
            continue;
        }
        while (--count > 0) {
            ends &= ends - 1;
        }
        d->at += (size_t)__builtin_ctzll(ends) / 8 + 1;
        return;
    }
    while (count > 0 && !d->is_bad) {
        (void)decode_varint(d);
        count--;
    }
}
