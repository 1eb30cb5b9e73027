/* table_format.h -- the bytes of a table on disk: docs/format.md, "Table".
 *
 *   header (64) | pages, one after the other | index | filter | meta | footer (96)
 *
 * If this changes, so do the format version and docs/format.md. */
#ifndef YORE_TABLE_TABLE_FORMAT_H
#define YORE_TABLE_TABLE_FORMAT_H

#include <stdint.h>

#include "base/hash.h"
#include "table/table.h"

#define TABLE_FORMAT_VERSION 1u
/* All times are 0 and stand for the one in the manifest's record. */
#define TABLE_FORMAT_STAMPED 2u
#define TABLE_HEADER_MAGIC "yoretabl"
#define TABLE_FOOTER_MAGIC "yoretend"
#define TABLE_MAGIC_BYTES 8

/* ---- header: place and check are the same in every version of the format ---- */
#define TABLE_HEADER_BYTES 64
#define HEADER_AT_VERSION 8      /* u32 */
#define HEADER_AT_BYTES 12       /* u32: TABLE_HEADER_BYTES */
#define HEADER_AT_DATABASE 16    /* u64 */
#define HEADER_AT_FILE 24        /* u64 */
#define HEADER_AT_CLASS 32       /* u8: enum page_class */
#define HEADER_AT_COMPRESSION 33 /* u8: enum yore_compression asked for */
#define HEADER_AT_PAGE_BYTES 36  /* u32 */
#define HEADER_AT_CRC 60         /* u32: crc32c of what stands before */

/* ---- footer ---- */
#define TABLE_FOOTER_BYTES 96
#define FOOTER_AT_INDEX 0 /* u64 offset, u64 size */
#define FOOTER_AT_FILTER 16
#define FOOTER_AT_META 32
#define FOOTER_AT_INDEX_CRC 48 /* u32, placed */
#define FOOTER_AT_FILTER_CRC 52
#define FOOTER_AT_META_CRC 56
#define FOOTER_AT_VERSION 60  /* u32 */
#define FOOTER_AT_DATABASE 64 /* u64 */
#define FOOTER_AT_FILE 72     /* u64 */
#define FOOTER_AT_MAGIC 84
#define FOOTER_AT_CRC 92 /* u32, placed */

/* ---- page: u8 version, u8 compression, u32 size unpacked, columns (packed), u32 crc placed ----
 */
#define PAGE_FORMAT_VERSION 1
#define PAGE_AT_COMPRESSION 1
#define PAGE_AT_RAW_BYTES 2
#define PAGE_HEAD_BYTES 6
#define PAGE_CRC_BYTES 4

/* Bounds a page keeps, so that a hostile file cannot ask for more memory than these. */
#define PAGE_VERSIONS_MAX (1u << 18)
#define PAGE_KEYS_BYTES_MAX (4u << 20)
#define PAGE_RAW_BYTES_MAX ((256u << 20) + (16u << 20))

/* Columns, in this order; one that says nothing is left out. */
enum page_column {
    PAGE_COLUMN_KEY_SHARED = 1,   /* octets each key shares with the one before; out: none does */
    PAGE_COLUMN_KEY_SIZES = 2,    /* of the whole keys */
    PAGE_COLUMN_KEY_BYTES = 3,    /* what each does not share, end to end */
    PAGE_COLUMN_COUNTS = 4,       /* versions a key; out: 1 each */
    PAGE_COLUMN_VALID_FIRST = 5,  /* valid_from of each key's first version */
    PAGE_COLUMN_VALID_STEPS = 6,  /* from each other version up to the one before; out: none */
    PAGE_COLUMN_COMMIT = 7,       /* commit; out, with 8: equal to valid_from */
    PAGE_COLUMN_COMMIT_LAG = 8,   /* commit - valid_from */
    PAGE_COLUMN_MARKS = 9,        /* per version, see below; out: plain puts */
    PAGE_COLUMN_VALID_SPAN = 10,  /* valid_to - valid_from, of the versions marked */
    PAGE_COLUMN_VALUE_SIZES = 11, /* of the puts; out: none, or all empty */
    PAGE_COLUMN_VALUES = 12,      /* of the puts, end to end; out: all empty */
    /* In place of 5 to 8, where many versions have one time: */
    PAGE_COLUMN_TIMES = 13,        /* how many there are; the valid_from of each */
    PAGE_COLUMN_TIME_COMMITS = 14, /* the commit of each; out: equal to valid_from */
    PAGE_COLUMN_TIME_OF = 15       /* which of them each version has */
};
#define PAGE_COLUMN_LAST PAGE_COLUMN_TIME_OF

/* Encodings of a column of octets: KEY_BYTES (plain), MARKS (the first two), VALUES (but constant).
 * The other columns hold integers: int_column.h. */
#define OCTETS_PLAIN 0
#define OCTETS_CONSTANT 1 /* MARKS: one octet for all */
#define OCTETS_DECIMALS 2 /* VALUES of 8 octets each: float64 as scaled integers */
#define OCTETS_PLANES 3   /* VALUES of 8 octets each: exclusive-or with the one before, by planes */

/* A mark: kind in bits 0-1, flags in bits 2-4, valid_to in bit 5. */
#define MARK_KIND 3u
#define MARK_FLAGS_SHIFT 2
#define MARK_FLAGS 7u
#define MARK_HAS_END 32u
#define MARK_BITS 63u

/* What every placed check of a file covers besides its offset. */
static inline uint64_t file_check_id(const struct file_identity *identity)
{
    return hash_u64(identity->database ^ hash_u64(identity->file));
}

#endif
