#include "engine/key_range.h"

#include "engine/erase_set.h"

enum yore_status key_check(struct yore_bytes key, struct yore_error *error_out)
{
    if (key.size == 0) {
        return error_set(error_out, YORE_INVALID, "the key is empty: a key is 1 to %u bytes",
                         YORE_KEY_BYTES_MAX);
    }
    if (key.size > YORE_KEY_BYTES_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "the key has %zu bytes: at most %u are allowed",
                         key.size, YORE_KEY_BYTES_MAX);
    }
    if (key.data == NULL) {
        return error_set(error_out, YORE_INVALID, "NULL for the octets of a key");
    }
    return YORE_OK;
}

enum yore_status key_range_bounds(const struct yore_range *range, struct buffer *low,
                                  struct buffer *high, struct yore_error *error_out)
{
    if (range->prefix.size > 0 && (range->low.size > 0 || range->high.size > 0)) {
        return error_set(error_out, YORE_INVALID,
                         "the range has a prefix and bounds: give one or the other");
    }
    if (range->low.size > YORE_KEY_BYTES_MAX || range->high.size > YORE_KEY_BYTES_MAX ||
        range->prefix.size > YORE_KEY_BYTES_MAX) {
        return error_set(error_out, YORE_TOO_BIG,
                         "a bound of the range is longer than a key, %u bytes", YORE_KEY_BYTES_MAX);
    }
    if ((range->prefix.data == NULL && range->prefix.size > 0) ||
        (range->low.data == NULL && range->low.size > 0) ||
        (range->high.data == NULL && range->high.size > 0)) {
        return error_set(error_out, YORE_INVALID, "NULL for the octets of a bound of the range");
    }
    enum yore_status st = YORE_OK;
    if (range->prefix.size > 0) {
        buffer_append_bytes(low, range->prefix);
        st = prefix_end(range->prefix, high);
    } else {
        buffer_append_bytes(low, range->low);
        buffer_append_bytes(high, range->high);
    }
    return st == YORE_OK && !low->is_nomem && !high->is_nomem ? YORE_OK
                                                              : error_plain(error_out, YORE_NOMEM);
}
