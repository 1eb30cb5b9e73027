#include "table/time_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"

#define DIRECTORY_ENTRY_BYTES_MIN 6 /* the fewest octets a chunk's entry can take */
#define CHUNK_BYTES_MAX (256u << 20)

struct time_event {
    int64_t time;
    uint32_t page;
    uint32_t unused; /* zero: a buffer holds whole structs */
};

/* ---- writing ---- */

void time_index_writer_release(struct time_index_writer *writer)
{
    buffer_release(&writer->events);
    *writer = (struct time_index_writer){0};
}

static void note(struct time_index_writer *writer, int64_t time, uint32_t page)
{
    struct time_event event = {time, page, 0};
    if (writer->events.size >= TIME_INDEX_EVENTS_MAX * sizeof event) {
        writer->is_over = true;
        return;
    }
    buffer_append(&writer->events, &event, sizeof event);
}

void time_index_note_version(struct time_index_writer *writer, const struct version *version,
                             uint32_t page)
{
    note(writer, version->valid_from, page);
    if (version->valid_to != YORE_FOREVER) {
        note(writer, version->valid_to, page);
    }
}

#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)

/* One pass of a radix sort by 11 bits of the distance from `least`; stable. */
static void sort_by_digit(const struct time_event *from, struct time_event *to, size_t count,
                          int64_t least, unsigned shift)
{
    size_t starts[DIGITS] = {0};
    for (size_t i = 0; i < count; i++) {
        starts[((uint64_t)from[i].time - (uint64_t)least) >> shift & (DIGITS - 1)]++;
    }
    size_t start = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        size_t here = starts[i];
        starts[i] = start;
        start += here;
    }
    for (size_t i = 0; i < count; i++) {
        to[starts[((uint64_t)from[i].time - (uint64_t)least) >> shift & (DIGITS - 1)]++] = from[i];
    }
}

/* Sort by time; pages of one time stay ascending.  Returns the one of the two arrays that holds the
 * result. */
static struct time_event *sort_events(struct time_event *events, struct time_event *spare,
                                      size_t count)
{
    int64_t least = INT64_MAX;
    int64_t greatest = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        least = events[i].time < least ? events[i].time : least;
        greatest = events[i].time > greatest ? events[i].time : greatest;
    }
    uint64_t span = count > 0 ? (uint64_t)greatest - (uint64_t)least : 0;
    for (unsigned shift = 0; shift < 64 && span >> shift > 0; shift += DIGIT_BITS) {
        sort_by_digit(events, spare, count, least, shift);
        struct time_event *sorted = spare;
        spare = events;
        events = sorted;
    }
    return events;
}

struct index_maker {
    struct time_index_place place;
    struct buffer *chunks;
    struct buffer *directory;
    size_t chunk_start; /* of the open chunk, in chunks */
    uint32_t chunk_count;
    int64_t chunk_first;
    int64_t chunk_first_before;
    int64_t bucket_before; /* time of the bucket before in the chunk */
    uint32_t *seen;        /* per page: the last bucket it was put in, from 1 on */
    uint32_t *pages;       /* of the open bucket */
    uint32_t page_count;   /* of the open bucket */
    uint32_t bucket;
    int64_t bucket_time;
};

static void end_chunk(struct index_maker *m)
{
    size_t size = m->chunks->size - m->chunk_start;
    if (size == 0 || m->chunks->is_nomem) {
        return;
    }
    uint32_t crc = crc32c_placed(m->place.check_id, m->place.offset + m->chunk_start,
                                 m->chunks->data + m->chunk_start, size);
    buffer_append_zigzag(m->directory,
                         (int64_t)((uint64_t)m->chunk_first - (uint64_t)m->chunk_first_before));
    buffer_append_varint(m->directory, size);
    buffer_append_u32(m->directory, crc);
    m->chunk_first_before = m->chunk_first;
    m->chunk_start = m->chunks->size;
    m->chunk_count++;
}

static int compare_pages(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static void end_bucket(struct index_maker *m)
{
    if (m->page_count == 0) {
        return;
    }
    if (m->chunks->size - m->chunk_start >= TIME_INDEX_CHUNK_BYTES) {
        end_chunk(m);
    }
    if (m->chunks->size == m->chunk_start) {
        m->chunk_first = m->bucket_time;
        m->bucket_before = m->bucket_time;
    }
    qsort(m->pages, m->page_count, sizeof *m->pages, compare_pages);
    buffer_append_varint(m->chunks, (uint64_t)m->bucket_time - (uint64_t)m->bucket_before);
    buffer_append_varint(m->chunks, m->page_count);
    buffer_append_varint(m->chunks, m->pages[0]);
    for (uint32_t i = 1; i < m->page_count; i++) {
        buffer_append_varint(m->chunks, m->pages[i] - m->pages[i - 1] - 1);
    }
    m->bucket_before = m->bucket_time;
    m->page_count = 0;
}

static void put_events(struct index_maker *m, const struct time_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool is_new_time = i == 0 || events[i].time != events[i - 1].time;
        if (is_new_time && (i == 0 || m->page_count >= TIME_INDEX_BUCKET_PAGES)) {
            end_bucket(m);
            m->bucket++;
            m->bucket_time = events[i].time;
        }
        if (m->seen[events[i].page] != m->bucket) {
            m->seen[events[i].page] = m->bucket;
            m->pages[m->page_count++] = events[i].page;
        }
    }
    end_bucket(m);
    end_chunk(m);
}

enum yore_status time_index_finish(struct time_index_writer *writer, uint32_t page_count,
                                   struct time_index_place place, struct buffer *chunks_out,
                                   struct buffer *directory_out)
{
    size_t count = writer->events.size / sizeof(struct time_event);
    struct buffer entries = {0};
    struct index_maker m = {.place = place, .chunks = chunks_out, .directory = &entries};
    m.place.offset -= chunks_out->size;
    m.chunk_start = chunks_out->size;
    enum yore_status st = buffer_status(&writer->events);
    struct time_event *spare = NULL;
    if (st == YORE_OK && page_count >= TIME_INDEX_PAGES_MIN && !writer->is_over) {
        spare = mem_alloc(count * sizeof *spare);
        m.seen = mem_array(page_count, sizeof *m.seen);
        m.pages = mem_array(page_count, sizeof *m.pages);
        st = spare == NULL || m.seen == NULL || m.pages == NULL ? YORE_NOMEM : YORE_OK;
        if (st == YORE_OK) {
            struct time_event *events = (struct time_event *)(void *)writer->events.data;
            put_events(&m, sort_events(events, spare, count), count);
        }
    }
    buffer_append_varint(directory_out, m.chunk_count);
    buffer_append_bytes(directory_out, buffer_bytes(&entries));
    if (chunks_out->is_nomem || directory_out->is_nomem || entries.is_nomem) {
        st = YORE_NOMEM;
    }
    buffer_release(&entries);
    mem_free(spare);
    mem_free(m.seen);
    mem_free(m.pages);
    return st;
}

/* ---- reading ---- */

void time_index_release(struct time_index *index)
{
    mem_free(index->chunks);
    *index = (struct time_index){0};
}

static bool decode_chunks(struct decoder *d, uint64_t offset, struct time_index *index)
{
    int64_t before = 0;
    for (uint32_t i = 0; i < index->chunk_count; i++) {
        struct time_chunk *chunk = &index->chunks[i];
        chunk->first = (int64_t)((uint64_t)before + (uint64_t)decode_zigzag(d));
        uint64_t size = decode_varint(d);
        chunk->crc = decode_u32(d);
        if (d->is_bad || size == 0 || size > CHUNK_BYTES_MAX || (i > 0 && chunk->first <= before)) {
            return false;
        }
        chunk->size = (uint32_t)size;
        chunk->offset = offset;
        offset += size;
        before = chunk->first;
    }
    return true;
}

enum yore_status time_index_decode(struct decoder *d, uint64_t offset, struct time_index *index_out,
                                   uint64_t *end_out)
{
    struct time_index index = {0};
    uint64_t count = decode_varint(d);
    *index_out = index;
    *end_out = offset;
    if (d->is_bad || count > decoder_left(d) / DIRECTORY_ENTRY_BYTES_MIN) {
        return YORE_CORRUPT;
    }
    index.chunk_count = (uint32_t)count;
    index.chunks = mem_array(index.chunk_count, sizeof *index.chunks);
    if (index.chunks == NULL) {
        return YORE_NOMEM;
    }
    if (!decode_chunks(d, offset, &index)) {
        time_index_release(&index);
        return YORE_CORRUPT;
    }
    if (index.chunk_count > 0) {
        const struct time_chunk *last = &index.chunks[index.chunk_count - 1];
        *end_out = last->offset + last->size;
    }
    *index_out = index;
    return YORE_OK;
}

/* How many chunks begin at `time` or before. */
static uint32_t chunks_by(const struct time_index *index, int64_t time)
{
    uint32_t low = 0;
    uint32_t high = index->chunk_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (index->chunks[middle].first <= time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t time_index_chunks(const struct time_index *index, struct time_span span,
                           uint32_t *first_out)
{
    /* A chunk reaches to the next one's first time, which is not in it. */
    uint32_t begun = chunks_by(index, span.after);
    *first_out = begun > 0 ? begun - 1 : 0;
    return chunks_by(index, span.until);
}

/* Set the bits of a bucket's `count` pages.  False: malformed. */
static bool mark_bucket(struct decoder d, uint64_t count, uint32_t page_count, uint64_t *pages)
{
    uint64_t page = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t step = decode_varint(&d);
        if (d.is_bad || step >= page_count) {
            return false;
        }
        page += i == 0 ? step : step + 1;
        if (page >= page_count) {
            return false;
        }
        pages[page / 64] |= UINT64_C(1) << page % 64;
    }
    return true;
}

/* May a bucket that the next one follows at `next` hold a moment behind the span's begin? */
static bool reaches(int64_t next, struct time_span span)
{
    return next - 1 > span.after;
}

bool time_index_mark(const struct time_index *index, uint32_t number, struct yore_bytes chunk,
                     struct time_span span, uint32_t page_count, uint64_t *pages)
{
    struct decoder d;
    decoder_init(&d, chunk.data, chunk.size);
    struct decoder bucket = d; /* the pages of the bucket before, so many */
    uint64_t count = 0;
    int64_t time = index->chunks[number].first;
    bool is_past = false; /* buckets ascend: that one and what follows lie behind the span */
    while (decoder_left(&d) > 0 && !is_past) {
        time = (int64_t)((uint64_t)time + decode_varint(&d));
        if (reaches(time, span) && !mark_bucket(bucket, count, page_count, pages)) {
            return false;
        }
        is_past = time > span.until;
        count = decode_varint(&d);
        bucket = d;
        decode_past(&d, count);
        if (d.is_bad || count == 0 || count > page_count) {
            return false;
        }
    }
    int64_t next = number + 1 < index->chunk_count ? index->chunks[number + 1].first : INT64_MAX;
    return is_past || !reaches(next, span) || mark_bucket(bucket, count, page_count, pages);
}
