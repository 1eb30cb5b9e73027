/* packstream.h -- PackStream version 1: values as octets and back, of the values of the query
 * language.
 *
 *     marker          what follows
 *     C0 C2 C3        nothing: null, false, true
 *     F0..FF 00..7F   nothing: an integer from -16 to 127
 *     C8 C9 CA CB     an integer of 1, 2, 4, 8 octets, big-endian two's complement
 *     C1              a float of 8 octets, big-endian
 *     CC CD CE        octets, their count in 1, 2, 4
 *     80..8F D0 D1 D2 a string in UTF-8: its octets' count in the marker, or in 1, 2, 4
 *     90..9F D4 D5 D6 a list: its items' count likewise, then the items
 *     A0..AF D8 D9 DA a map: its entries' count likewise, then name and value in turn
 *     B0..BF          a structure: its fields' count, a signature, then the fields
 *
 * What is packed has the shortest form; every form is read.  Structures are those of Bolt: elements
 * and paths are written only (a client cannot give one), temporal values both ways.
 *
 * Reading trusts nothing: counts are held against the octets that are there before anything is
 * allocated, depth and memory are bounded, names of a map come once.  No I/O but for the files of
 * time zones; any thread, one at a time.
 */
#ifndef YORE_BOLT_PACKSTREAM_H
#define YORE_BOLT_PACKSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/graph.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

struct zone_cache;

/* What differs between versions of the protocol. */
struct pack_dialect {
    bool has_utc;         /* moments count from 1970 UTC; otherwise from 1970 local time */
    bool has_element_ids; /* elements are told by text, too */
};

/* ---- packing (pack.c); out of memory is told by the buffer ---- */

void pack_null(struct buffer *to);
void pack_bool(struct buffer *to, bool boolean);
void pack_int(struct buffer *to, int64_t integer);
void pack_float(struct buffer *to, double real);
void pack_string(struct buffer *to, struct yore_bytes string);
void pack_text(struct buffer *to, const char *text);
/* The head of what `count` items (twice as many of a map) follow. */
void pack_list(struct buffer *to, size_t count);
void pack_map(struct buffer *to, size_t count);
void pack_structure(struct buffer *to, unsigned fields, uint8_t signature);

/* Any value; elements have to be whole.  `scratch` lends room; what it had before stays.
 * Errors: YORE_NOMEM; YORE_TOO_BIG (more than 2^32 - 1 octets or items). */
enum yore_status pack_value(struct buffer *to, const struct pack_dialect *dialect,
                            struct arena *scratch, const struct yore_graph_value *value);

/* ---- unpacking (unpack.c) ---- */

struct unpacker {
    struct yore_bytes input; /* what is left of it */
    struct arena *arena;     /* values are made in it, strings too: the input may go */
    uint64_t memory_left;    /* octets that values may still take */
    struct pack_dialect dialect;
    struct zone_cache **zones; /* of the caller */
};

/* The head of a structure.  Errors: YORE_INVALID (it is none). */
enum yore_status unpack_structure(struct unpacker *from, unsigned *fields_out,
                                  uint8_t *signature_out, struct yore_error *error_out);
/* One value with all that is in it.  Bounds of temporal values, and whether strings are UTF-8, are
 * for value_check() to say.
 * Errors: YORE_INVALID (no PackStream: cut short, an unknown marker or structure, a name that is no
 * string or comes twice); YORE_UNSUPPORTED (a value that a graph does not have: octets, points,
 * elements, an unknown time zone; the text says which); YORE_TOO_BIG (depth, memory); YORE_NOMEM.
 */
enum yore_status unpack_value(struct unpacker *from, struct yore_graph_value *value_out,
                              struct yore_error *error_out);

/* Signatures of structures that are values. */
enum pack_signature {
    PACK_NODE = 0x4E,
    PACK_RELATIONSHIP = 0x52,
    PACK_UNBOUND_RELATIONSHIP = 0x72,
    PACK_PATH = 0x50,
    PACK_DATE = 0x44,
    PACK_TIME = 0x54,
    PACK_LOCAL_TIME = 0x74,
    PACK_DATETIME = 0x49,
    PACK_DATETIME_ZONE = 0x69,
    PACK_DATETIME_LEGACY = 0x46,
    PACK_DATETIME_ZONE_LEGACY = 0x66,
    PACK_LOCAL_DATETIME = 0x64,
    PACK_DURATION = 0x45,
    PACK_POINT_2D = 0x58,
    PACK_POINT_3D = 0x59
};

#endif
