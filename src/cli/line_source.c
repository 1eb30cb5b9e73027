/* Two buffers: `input` as the file has it, `text` after decompression.  A line is handed out where
 * it stands in `text`; what is left of `text` moves to the front only when more must be read. */
#include "cli/line_source.h"

#include <string.h>
#include <zstd.h>

#include "base/buffer.h"
#include "base/mem.h"

#define INPUT_BYTES (256u << 10)

struct line_source {
    FILE *stream;
    const char *name;
    ZSTD_DStream *zstd; /* NULL: the file is plain */
    unsigned char *input;
    size_t input_size;
    size_t input_at;
    struct buffer text;
    size_t text_at;  /* the next line begins here */
    size_t searched; /* no newline before this offset of `text` */
    uint64_t line_number;
    uint64_t bytes_read;
    bool is_at_end; /* of the file */
    bool is_inside_frame;
};

uint64_t line_source_number(const struct line_source *source)
{
    return source->line_number;
}

const char *line_source_name(const struct line_source *source)
{
    return source->name;
}

uint64_t line_source_bytes_read(const struct line_source *source)
{
    return source->bytes_read;
}

static enum yore_status fill_input(struct line_source *source, struct yore_error *error_out)
{
    source->input_at = 0;
    source->input_size = fread(source->input, 1, INPUT_BYTES, source->stream);
    source->bytes_read += source->input_size;
    if (source->input_size < INPUT_BYTES && ferror(source->stream)) {
        return error_set(error_out, YORE_IO, "cannot read %s after %llu bytes", source->name,
                         (unsigned long long)source->bytes_read);
    }
    return YORE_OK;
}

/* Append what one step of the decompressor gives. */
static enum yore_status inflate_some(struct line_source *source, struct yore_error *error_out)
{
    size_t room_size = ZSTD_DStreamOutSize();
    unsigned char *room = buffer_extend(&source->text, room_size);
    if (room == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    ZSTD_inBuffer in = {source->input, source->input_size, source->input_at};
    ZSTD_outBuffer out = {room, room_size, 0};
    size_t left = ZSTD_decompressStream(source->zstd, &out, &in);
    source->text.size -= room_size - out.pos;
    source->input_at = in.pos;
    if (ZSTD_isError(left)) {
        return error_set(error_out, YORE_CORRUPT, "%s: damaged zstd data near byte %llu: %s",
                         source->name,
                         (unsigned long long)(source->bytes_read - source->input_size + in.pos),
                         ZSTD_getErrorName(left));
    }
    source->is_inside_frame = left != 0;
    return YORE_OK;
}

/* Make `text` longer, or set is_at_end. */
static enum yore_status read_more(struct line_source *source, struct yore_error *error_out)
{
    if (source->input_at == source->input_size) {
        enum yore_status st = fill_input(source, error_out);
        if (st != YORE_OK) {
            return st;
        }
        source->is_at_end = source->input_size == 0;
    }
    if (source->is_at_end) {
        return source->is_inside_frame ? error_set(error_out, YORE_CORRUPT,
                                                   "%s: the zstd data is cut short", source->name)
                                       : YORE_OK;
    }
    if (source->zstd != NULL) {
        return inflate_some(source, error_out);
    }
    buffer_append(&source->text, source->input + source->input_at,
                  source->input_size - source->input_at);
    source->input_at = source->input_size;
    return source->text.is_nomem ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
}

enum yore_status line_source_open(FILE *stream, const char *name, struct line_source **source_out,
                                  struct yore_error *error_out)
{
    static const unsigned char mark[3] = {0xef, 0xbb, 0xbf}; /* of UTF-8; no part of line 1 */
    static const unsigned char magic[4] = {0x28, 0xb5, 0x2f, 0xfd}; /* RFC 8878, section 3.1.1 */
    struct line_source *source = mem_zalloc(sizeof(*source));
    enum yore_status st = YORE_NOMEM;
    if (source == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    source->stream = stream;
    source->name = name;
    source->input = mem_alloc(INPUT_BYTES);
    if (source->input == NULL) {
        error_plain(error_out, YORE_NOMEM);
        goto out;
    }
    st = fill_input(source, error_out);
    if (st == YORE_OK && source->input_size >= sizeof(magic) &&
        memcmp(source->input, magic, sizeof(magic)) == 0) {
        source->zstd = ZSTD_createDStream();
        st = source->zstd != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
    }
    if (st == YORE_OK && source->input_size >= sizeof(mark) &&
        memcmp(source->input, mark, sizeof(mark)) == 0) {
        source->input_at = sizeof(mark);
    }
out:
    if (st != YORE_OK) {
        line_source_close(source);
        source = NULL;
    }
    *source_out = source;
    return st;
}

void line_source_close(struct line_source *source)
{
    if (source == NULL) {
        return;
    }
    ZSTD_freeDStream(source->zstd);
    mem_free(source->input);
    buffer_release(&source->text);
    mem_free(source);
}

/* Let go of the lines that were handed out. */
static void drop_used(struct line_source *source)
{
    if (source->text_at > 0) {
        memmove(source->text.data, source->text.data + source->text_at,
                source->text.size - source->text_at);
        source->text.size -= source->text_at;
        source->searched -= source->text_at;
        source->text_at = 0;
    }
}

/* Find the next line; `*end_out` is the offset of its newline, or of the end. */
static enum yore_status find_line(struct line_source *source, size_t *end_out,
                                  struct yore_error *error_out)
{
    for (;;) {
        size_t unsearched = source->text.size - source->searched;
        const unsigned char *newline = NULL;
        if (unsearched > 0) {
            newline = memchr(source->text.data + source->searched, '\n', unsearched);
        }
        if (newline != NULL) {
            source->searched = (size_t)(newline - source->text.data);
            *end_out = source->searched;
            return YORE_OK;
        }
        source->searched = source->text.size;
        *end_out = source->text.size;
        if (source->is_at_end) {
            return source->text_at < source->text.size ? YORE_OK : YORE_NOT_FOUND;
        }
        if (source->text.size - source->text_at > LINE_BYTES_MAX) {
            return error_set(error_out, YORE_TOO_BIG, "%s: line %llu is longer than %u bytes",
                             source->name, (unsigned long long)source->line_number + 1,
                             LINE_BYTES_MAX);
        }
        drop_used(source);
        enum yore_status st = read_more(source, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
}

enum yore_status line_source_peek(struct line_source *source, struct yore_bytes *line_out,
                                  struct yore_error *error_out)
{
    size_t end;
    enum yore_status st = find_line(source, &end, error_out);
    if (st == YORE_OK) {
        *line_out = bytes_of(source->text.data + source->text_at, end - source->text_at);
    }
    return st;
}

enum yore_status line_source_next(struct line_source *source, struct yore_bytes *line_out,
                                  struct yore_error *error_out)
{
    enum yore_status st = line_source_peek(source, line_out, error_out);
    if (st != YORE_OK) {
        return st;
    }
    source->line_number++;
    source->text_at += line_out->size;
    if (source->text_at < source->text.size) {
        source->text_at++;
    }
    source->searched = source->text_at;
    return YORE_OK;
}
