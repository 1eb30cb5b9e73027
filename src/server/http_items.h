/* http_items.h -- operations, conditions and lines of an import, read from JSON.
 *
 *     {"op":"put","key":"k","value":"v"}        {"op":"delete","key_base64":"AP8="}     an
 * operation
 *     {"key":"k","value":"v"}                   {"key":"k","absent":true}               a condition
 *     {"key":"k","value":"v","valid_from":"2026-11-21T10:00:00Z","kind":"put"}          a line
 */
#ifndef YORE_SERVER_HTTP_ITEMS_H
#define YORE_SERVER_HTTP_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/json.h"

enum http_item_form { HTTP_OPERATION, HTTP_CONDITION, HTTP_LINE };

/* Octets in the list's text. */
struct http_slice {
    bool is_there;
    size_t at;
    size_t size;
};

struct http_item {
    bool is_put;
    bool is_delete;
    bool is_absent; /* of a condition */
    struct http_slice key;
    struct http_slice value;
    struct http_slice from; /* of a line: a moment as text */
    struct http_slice to;
    uint64_t line; /* its number, where whoever reads lines sets it */
};

/* A zeroed struct is an empty list. */
struct http_items {
    struct http_item *items;
    size_t count;
    size_t capacity;
    struct buffer text;
};

void http_items_release(struct http_items *items);
void http_items_clear(struct http_items *items);
/* Read one object; false: the reader's problem says why, or memory ran out (text.is_nomem). */
bool http_items_read(struct json_reader *r, struct http_items *items, enum http_item_form form);
struct yore_bytes http_items_bytes(const struct http_items *items, struct http_slice slice);

#endif
