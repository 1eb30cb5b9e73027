#include "table/page_pack.h"

#include <lz4.h>
#include <string.h>
#include <zstd.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "table/table_format.h"

/* The higher level takes six times as long: only for what it makes smaller by a 50th.  That is
 * alike for the pages of a table, so one in many tells. */
#define ZSTD_LEVEL_LOW 1
#define ZSTD_LEVEL_HIGH 7
#define HIGH_GAIN 50
#define PAGES_A_TRIAL 64u

void page_packer_release(struct page_packer *packer)
{
    mem_free(packer->lz4);
    ZSTD_freeCCtx(packer->zstd);
    *packer = (struct page_packer){0};
}

/* Compressed octets behind what `out` holds; 0: out of memory or no gain possible, told apart by
 * is_nomem. */
static size_t compress_lz4(struct page_packer *packer, struct yore_bytes raw, struct buffer *out)
{
    if (packer->lz4 == NULL) {
        packer->lz4 = mem_alloc((size_t)LZ4_sizeofState());
    }
    int bound = LZ4_compressBound((int)raw.size);
    if (packer->lz4 == NULL || !buffer_reserve(out, (size_t)bound)) {
        out->is_nomem = true;
        return 0;
    }
    int size = LZ4_compress_fast_extState(packer->lz4, raw.data, (char *)(out->data + out->size),
                                          (int)raw.size, bound, 1);
    return size > 0 ? (size_t)size : 0;
}

static size_t zstd_at(struct page_packer *packer, int level, struct yore_bytes raw,
                      unsigned char *to, size_t bound)
{
    size_t size = ZSTD_compressCCtx(packer->zstd, to, bound, raw.data, raw.size, level);
    return ZSTD_isError(size) ? 0 : size;
}

/* Both levels, of which the better is kept for this page and those after it. */
static size_t try_zstd(struct page_packer *packer, struct yore_bytes raw, unsigned char *to,
                       size_t bound)
{
    size_t low = zstd_at(packer, ZSTD_LEVEL_LOW, raw, to, bound);
    size_t high = zstd_at(packer, ZSTD_LEVEL_HIGH, raw, to + bound, bound);
    packer->pages_to_trial = PAGES_A_TRIAL - 1;
    packer->zstd_level = ZSTD_LEVEL_LOW;
    if (high != 0 && high + high / HIGH_GAIN < low) {
        packer->zstd_level = ZSTD_LEVEL_HIGH;
        memmove(to, to + bound, high);
        return high;
    }
    return low;
}

static size_t compress_zstd(struct page_packer *packer, struct yore_bytes raw, struct buffer *out)
{
    if (packer->zstd == NULL) {
        packer->zstd = ZSTD_createCCtx();
    }
    size_t bound = ZSTD_compressBound(raw.size);
    if (packer->zstd == NULL || !buffer_reserve(out, 2 * bound)) {
        out->is_nomem = true;
        return 0;
    }
    unsigned char *to = out->data + out->size;
    if (packer->pages_to_trial == 0) {
        return try_zstd(packer, raw, to, bound);
    }
    packer->pages_to_trial--;
    return zstd_at(packer, packer->zstd_level, raw, to, bound);
}

enum yore_status page_pack(struct page_packer *packer, enum yore_compression compression,
                           struct yore_bytes raw, uint64_t check_id, uint64_t offset,
                           struct buffer *out)
{
    size_t start = out->size;
    buffer_append_u8(out, PAGE_FORMAT_VERSION);
    buffer_append_u8(out, (uint8_t)compression);
    buffer_append_u32(out, (uint32_t)raw.size);
    size_t size = 0;
    if (compression == YORE_COMPRESSION_LZ4) {
        size = compress_lz4(packer, raw, out);
    } else if (compression == YORE_COMPRESSION_ZSTD) {
        size = compress_zstd(packer, raw, out);
    }
    if (out->is_nomem) {
        return YORE_NOMEM;
    }
    if (size == 0 || size > raw.size - raw.size / 32) {
        out->data[start + PAGE_AT_COMPRESSION] = YORE_COMPRESSION_NONE;
        buffer_append_bytes(out, raw);
    } else {
        out->size += size;
    }
    if (!out->is_nomem) {
        buffer_append_u32(out,
                          crc32c_placed(check_id, offset, out->data + start, out->size - start));
    }
    return buffer_status(out);
}

/* ---- unpacking ---- */

void page_unpacker_release(struct page_unpacker *unpacker)
{
    ZSTD_freeDCtx(unpacker->zstd);
    buffer_release(&unpacker->stored);
    buffer_release(&unpacker->raw);
    *unpacker = (struct page_unpacker){0};
}

static enum yore_status decompress(struct page_unpacker *unpacker, unsigned compression,
                                   struct yore_bytes packed, size_t raw_size)
{
    struct buffer *raw = &unpacker->raw;
    buffer_clear(raw);
    raw->is_nomem = false;
    if (compression == YORE_COMPRESSION_ZSTD && unpacker->zstd == NULL) {
        unpacker->zstd = ZSTD_createDCtx();
        if (unpacker->zstd == NULL) {
            return YORE_NOMEM;
        }
    }
    if (buffer_extend(raw, raw_size) == NULL) {
        return YORE_NOMEM;
    }
    if (compression == YORE_COMPRESSION_LZ4) {
        int size =
            LZ4_decompress_safe(packed.data, (char *)raw->data, (int)packed.size, (int)raw_size);
        return size >= 0 && (size_t)size == raw_size ? YORE_OK : YORE_CORRUPT;
    }
    size_t size =
        ZSTD_decompressDCtx(unpacker->zstd, raw->data, raw_size, packed.data, packed.size);
    return !ZSTD_isError(size) && size == raw_size ? YORE_OK : YORE_CORRUPT;
}

enum yore_status page_unpack(struct page_unpacker *unpacker, struct yore_bytes stored,
                             uint64_t check_id, uint64_t offset, struct yore_bytes *raw_out,
                             const char **what_out)
{
    const unsigned char *at = stored.data;
    *what_out = "page check failed";
    if (stored.size <= PAGE_HEAD_BYTES + PAGE_CRC_BYTES) {
        return YORE_CORRUPT;
    }
    size_t checked = stored.size - PAGE_CRC_BYTES;
    if (crc32c_placed(check_id, offset, at, checked) != get_u32(at + checked)) {
        return YORE_CORRUPT;
    }
    unsigned compression = at[PAGE_AT_COMPRESSION];
    if (at[0] != PAGE_FORMAT_VERSION || compression < YORE_COMPRESSION_NONE ||
        compression > YORE_COMPRESSION_ZSTD) {
        *what_out = "a page of a later version";
        return YORE_BAD_FORMAT;
    }
    size_t raw_size = get_u32(at + PAGE_AT_RAW_BYTES);
    struct yore_bytes packed = bytes_of(at + PAGE_HEAD_BYTES, checked - PAGE_HEAD_BYTES);
    *what_out = "page does not unpack";
    if (raw_size > PAGE_RAW_BYTES_MAX || packed.size > INT32_MAX) {
        return YORE_CORRUPT;
    }
    if (compression == YORE_COMPRESSION_NONE) {
        *raw_out = packed;
        return packed.size == raw_size ? YORE_OK : YORE_CORRUPT;
    }
    enum yore_status st = decompress(unpacker, compression, packed, raw_size);
    *raw_out = buffer_bytes(&unpacker->raw);
    return st;
}
