#include "base/coding.h"

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

uint64_t decode_varint_long(struct decoder *d)
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
