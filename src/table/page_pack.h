/* page_pack.h -- pages on disk: compressed or plain, with their head and check. */
#ifndef YORE_TABLE_PAGE_PACK_H
#define YORE_TABLE_PAGE_PACK_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

/* State of the compressors, kept from page to page; a zeroed struct is ready. */
struct page_packer {
    void *lz4;
    void *zstd;
    int zstd_level;          /* that the last trial has found worth its price */
    uint32_t pages_to_trial; /* 0: the next page is one */
};
void page_packer_release(struct page_packer *packer);

/* Append the page of `raw` that will stand at `offset` of the file with this check id.  Plain when
 * compression does not take at least a 32nd off.  Errors: YORE_NOMEM. */
enum yore_status page_pack(struct page_packer *packer, enum yore_compression compression,
                           struct yore_bytes raw, uint64_t check_id, uint64_t offset,
                           struct buffer *out);

/* State of the decompressor; a zeroed struct is ready. */
struct page_unpacker {
    void *zstd;
    struct buffer stored; /* as read */
    struct buffer raw;
};
void page_unpacker_release(struct page_unpacker *unpacker);

/* Check the page in `stored` and unpack it; `*raw_out` lies in `stored` or in `unpacker`, until its
 * next use. Errors: YORE_CORRUPT, YORE_BAD_FORMAT (`*what_out` says why), YORE_NOMEM. */
enum yore_status page_unpack(struct page_unpacker *unpacker, struct yore_bytes stored,
                             uint64_t check_id, uint64_t offset, struct yore_bytes *raw_out,
                             const char **what_out);

#endif
