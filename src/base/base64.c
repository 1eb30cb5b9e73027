#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buffer *to, struct yore_bytes bytes)
{
    const unsigned char *in = bytes.data;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)in[i] << 16;
        group |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        group |= left > 2 ? in[i + 2] : 0;
        char text[4] = {digits[group >> 18], digits[group >> 12 & 63], digits[group >> 6 & 63],
                        digits[group & 63]};
        if (left < 3) {
            text[3] = '=';
        }
        if (left < 2) {
            text[2] = '=';
        }
        buffer_append(to, text, sizeof(text));
    }
}

/* 0..63, or 64 for a character that is no digit. */
static uint32_t digit_of(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (uint32_t)(c - 'A');
    }
    if (c >= 'a' && c <= 'z') {
        return (uint32_t)(c - 'a') + 26;
    }
    if (c >= '0' && c <= '9') {
        return (uint32_t)(c - '0') + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

static bool decode_group(struct buffer *to, const unsigned char *in, size_t digit_count)
{
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t digit = i < digit_count ? digit_of(in[i]) : 0;
        if (digit > 63) {
            return false;
        }
        group = group << 6 | digit;
    }
    uint32_t spare = digit_count == 4 ? 0 : digit_count == 3 ? 0xff : 0xffff;
    if ((group & spare) != 0) {
        return false;
    }
    unsigned char out[3] = {(unsigned char)(group >> 16), (unsigned char)(group >> 8),
                            (unsigned char)group};
    buffer_append(to, out, digit_count - 1);
    return true;
}

bool base64_decode(struct buffer *to, struct yore_bytes text)
{
    const unsigned char *in = text.data;
    size_t before = to->size;
    if (text.size % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.size; i += 4) {
        size_t count = 4;
        if (i + 4 == text.size && in[i + 3] == '=') {
            count = in[i + 2] == '=' ? 2 : 3;
        }
        if (!decode_group(to, in + i, count)) {
            to->size = before;
            return false;
        }
    }
    return true;
}
