/* index_value.h -- property values as octets that sort as openCypher orders values of one kind.
 *
 * A value begins with the octet of its class and says itself where it ends, so that another value
 * never begins with it.  An integer and a float of the same number are the same octets.
 * docs/format-graph.md, "Index keys".
 */
#ifndef YORE_TOPOLOGY_INDEX_VALUE_H
#define YORE_TOPOLOGY_INDEX_VALUE_H

#include "base/buffer.h"
#include "base/coding.h"

/* Numbered for ever. */
enum index_class {
    INDEX_BOOL = 0x10,
    INDEX_NUMBER = 0x20,
    INDEX_NAN = 0x21,
    INDEX_STRING = 0x30,
    INDEX_DATE = 0x40,
    INDEX_LOCAL_TIME = 0x41,
    INDEX_TIME = 0x42,
    INDEX_LOCAL_DATETIME = 0x43,
    INDEX_DATETIME = 0x44,
    INDEX_DURATION = 0x45,
    INDEX_LIST = 0x50,
    INDEX_MAP = 0x51,
    INDEX_NULL = 0x60 /* inside lists and maps */
};

/* Append the index form of a value as it stands in a record.  False: it is malformed.  NOMEM is
 * left in the buffer. */
bool index_value_append(struct buffer *to, struct decoder *from);
/* The octets of a string without its end: every string that begins so begins with them. */
void index_value_prefix(struct buffer *to, struct yore_bytes prefix);

#endif
