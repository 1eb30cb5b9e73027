#include "topology/index_range.h"

#include "topology/graph_key.h"
#include "topology/index_value.h"
#include "topology/property_value.h"

void index_range_release(struct index_range *range)
{
    buffer_release(&range->low);
    buffer_release(&range->high);
}

static enum yore_status append_value(struct buffer *to, const struct yore_graph_value *value,
                                     struct yore_error *error_out)
{
    struct buffer octets = {0};
    struct decoder from;
    enum yore_status st = property_value_encode(&octets, value, error_out);
    if (st == YORE_OK && buffer_status(&octets) != YORE_OK) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    decoder_init(&from, octets.data, octets.size);
    if (st == YORE_OK && !index_value_append(to, &from)) {
        st = error_plain(error_out, YORE_INVALID);
    }
    buffer_release(&octets);
    return st;
}

/* Make a key the first that does not begin with it.  Index keys begin with GRAPH_KEY_PROPERTY, so
 * there is always one. */
static void pass_prefix(struct buffer *key)
{
    while (key->size > 0 && key->data[key->size - 1] == 0xff) {
        key->size--;
    }
    if (key->size > 0) {
        key->data[key->size - 1]++;
    }
}

static enum yore_status set_bounds(struct index_range *range, size_t head,
                                   const struct graph_scan_options *options,
                                   struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (options->low != NULL) {
        st = append_value(&range->low, options->low, error_out);
    }
    if (st == YORE_OK && options->high != NULL) {
        st = append_value(&range->high, options->high, error_out);
    }
    if (st != YORE_OK || range->low.is_nomem || range->high.is_nomem) {
        return st;
    }
    unsigned low_class = options->low != NULL ? range->low.data[head] : range->high.data[head];
    unsigned high_class = options->high != NULL ? range->high.data[head] : low_class;
    range->is_empty = low_class != high_class || low_class == INDEX_NAN;
    if (options->low == NULL) {
        buffer_append_u8(&range->low, (uint8_t)low_class);
    } else if (options->low_exclusive) {
        pass_prefix(&range->low);
    }
    if (options->high == NULL) {
        buffer_append_u8(&range->high, (uint8_t)(high_class + 1));
    } else if (!options->high_exclusive) {
        pass_prefix(&range->high);
    }
    return YORE_OK;
}

enum yore_status index_range_make(struct index_range *range, uint32_t index,
                                  const struct graph_scan_options *options,
                                  struct yore_error *error_out)
{
    *range = (struct index_range){0};
    graph_key_index(&range->low, index);
    graph_key_index(&range->high, index);
    size_t head = range->low.size;
    enum yore_status st = YORE_OK;
    if (options->is_prefix) {
        if (options->low == NULL || options->low->kind != YORE_GRAPH_STRING) {
            return error_set(error_out, YORE_INVALID, "a prefix to look for must be a string");
        }
        index_value_prefix(&range->low, options->low->as.string);
        index_value_prefix(&range->high, options->low->as.string);
        pass_prefix(&range->high);
    } else if (options->low == NULL && options->high == NULL) {
        pass_prefix(&range->high);
    } else {
        st = set_bounds(range, head, options, error_out);
    }
    if (st == YORE_OK && (range->low.is_nomem || range->high.is_nomem)) {
        return error_plain(error_out, YORE_NOMEM);
    }
    range->is_empty |= bytes_compare(buffer_bytes(&range->low), buffer_bytes(&range->high)) >= 0;
    return st;
}
