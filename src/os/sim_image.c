#include "os/sim_image.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

#define CHUNK_BYTES ((size_t)4096)

struct sim_blob {
    _Atomic uint32_t refs;
    size_t size;
    unsigned char data[];
};

struct chunk {
    _Atomic uint32_t refs;
    unsigned char data[CHUNK_BYTES];
};

struct sim_image {
    _Atomic uint32_t refs;
    uint64_t size;
    size_t chunk_count; /* of the table; those past it are zeros too */
    struct chunk **chunks;
};

/* ---- references ------------------------------------------------------------------------------ */

static void refs_add(_Atomic uint32_t *refs)
{
    atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
}

/* True when the last one went; its release pairs with the acquire of whoever frees or reuses. */
static bool refs_drop(_Atomic uint32_t *refs)
{
    return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

static bool refs_is_shared(_Atomic uint32_t *refs)
{
    return atomic_load_explicit(refs, memory_order_acquire) > 1;
}

struct sim_blob *sim_blob_new(const void *data, size_t size)
{
    struct sim_blob *blob = mem_certain(sizeof(*blob) + size + 1); /* names end in a zero */
    atomic_init(&blob->refs, 1);
    blob->size = size;
    if (size > 0) {
        memcpy(blob->data, data, size);
    }
    return blob;
}

struct sim_blob *sim_blob_ref(struct sim_blob *blob)
{
    if (blob != NULL) {
        refs_add(&blob->refs);
    }
    return blob;
}

void sim_blob_unref(struct sim_blob *blob)
{
    if (blob != NULL && refs_drop(&blob->refs)) {
        mem_free(blob);
    }
}

struct yore_bytes sim_blob_bytes(const struct sim_blob *blob)
{
    return bytes_of(blob->data, blob->size);
}

static void chunk_unref(struct chunk *chunk)
{
    if (chunk != NULL && refs_drop(&chunk->refs)) {
        mem_free(chunk);
    }
}

struct sim_image *sim_image_ref(struct sim_image *image)
{
    if (image != NULL) {
        refs_add(&image->refs);
    }
    return image;
}

void sim_image_unref(struct sim_image *image)
{
    if (image == NULL || !refs_drop(&image->refs)) {
        return;
    }
    for (size_t i = 0; i < image->chunk_count; i++) {
        chunk_unref(image->chunks[i]);
    }
    mem_free(image->chunks);
    mem_free(image);
}

/* ---- parting ways ---------------------------------------------------------------------------- */

/* An image that nobody else sees, in `*place`. */
static struct sim_image *image_own(struct sim_image **place)
{
    struct sim_image *image = *place;
    if (image != NULL && !refs_is_shared(&image->refs)) {
        return image;
    }
    struct sim_image *own = mem_certain(sizeof(*own));
    atomic_init(&own->refs, 1);
    if (image != NULL && image->chunk_count > 0) {
        own->size = image->size;
        own->chunk_count = image->chunk_count;
        own->chunks = mem_certain(image->chunk_count * sizeof(struct chunk *));
        for (size_t i = 0; i < image->chunk_count; i++) {
            own->chunks[i] = image->chunks[i];
            if (own->chunks[i] != NULL) {
                refs_add(&own->chunks[i]->refs);
            }
        }
    } else if (image != NULL) {
        own->size = image->size;
    }
    sim_image_unref(image);
    *place = own;
    return own;
}

static void table_grow(struct sim_image *image, size_t count)
{
    if (count <= image->chunk_count) {
        return;
    }
    size_t grown = image->chunk_count * 2 > count ? image->chunk_count * 2 : count;
    struct chunk **chunks = mem_certain(grown * sizeof(struct chunk *));
    if (image->chunk_count > 0) {
        memcpy(chunks, image->chunks, image->chunk_count * sizeof(struct chunk *));
    }
    mem_free(image->chunks);
    image->chunks = chunks;
    image->chunk_count = grown;
}

/* The octets of chunk `index`, not shared with another image. */
static unsigned char *chunk_own(struct sim_image *image, size_t index)
{
    table_grow(image, index + 1);
    struct chunk *chunk = image->chunks[index];
    if (chunk != NULL && !refs_is_shared(&chunk->refs)) {
        return chunk->data;
    }
    struct chunk *own = mem_certain(sizeof(*own));
    atomic_init(&own->refs, 1);
    if (chunk != NULL) {
        memcpy(own->data, chunk->data, CHUNK_BYTES);
        chunk_unref(chunk);
    }
    image->chunks[index] = own;
    return own->data;
}

/* ---- contents -------------------------------------------------------------------------------- */

uint64_t sim_image_size(const struct sim_image *image)
{
    return image != NULL ? image->size : 0;
}

static size_t piece_of(uint64_t offset, uint64_t left)
{
    size_t room = CHUNK_BYTES - (size_t)(offset % CHUNK_BYTES);
    return left < room ? (size_t)left : room;
}

void sim_image_read(const struct sim_image *image, uint64_t offset, void *data, size_t size)
{
    unsigned char *to = data;
    for (size_t done = 0; done < size;) {
        size_t piece = piece_of(offset + done, size - done);
        uint64_t index = (offset + done) / CHUNK_BYTES;
        if (image != NULL && index < image->chunk_count && image->chunks[index] != NULL) {
            memcpy(to + done, image->chunks[index]->data + (offset + done) % CHUNK_BYTES, piece);
        } else {
            memset(to + done, 0, piece);
        }
        done += piece;
    }
}

void sim_image_write(struct sim_image **place, uint64_t offset, const void *data, size_t size)
{
    if (size == 0) {
        return;
    }
    struct sim_image *image = image_own(place);
    const unsigned char *from = data;
    for (size_t done = 0; done < size;) {
        size_t piece = piece_of(offset + done, size - done);
        unsigned char *chunk = chunk_own(image, (size_t)((offset + done) / CHUNK_BYTES));
        memcpy(chunk + (offset + done) % CHUNK_BYTES, from + done, piece);
        done += piece;
    }
    if (offset + size > image->size) {
        image->size = offset + size;
    }
}

/* Clear [offset, offset + size) without touching the size. */
static void image_clear(struct sim_image *image, uint64_t offset, uint64_t size)
{
    uint64_t table_bytes = (uint64_t)image->chunk_count * CHUNK_BYTES;
    for (uint64_t done = 0; done < size && offset + done < table_bytes;) {
        size_t piece = piece_of(offset + done, size - done);
        size_t index = (size_t)((offset + done) / CHUNK_BYTES);
        if (image->chunks[index] != NULL && piece == CHUNK_BYTES) {
            chunk_unref(image->chunks[index]);
            image->chunks[index] = NULL;
        } else if (image->chunks[index] != NULL) {
            memset(chunk_own(image, index) + (offset + done) % CHUNK_BYTES, 0, piece);
        }
        done += piece;
    }
}

void sim_image_zero(struct sim_image **place, uint64_t offset, uint64_t size)
{
    if (size == 0) {
        return;
    }
    struct sim_image *image = image_own(place);
    image_clear(image, offset, size);
    if (offset + size > image->size) {
        image->size = offset + size;
    }
}

void sim_image_resize(struct sim_image **place, uint64_t size)
{
    if (sim_image_size(*place) == size) {
        return;
    }
    struct sim_image *image = image_own(place);
    if (size < image->size) {
        image_clear(image, size, image->size - size);
    }
    image->size = size;
}
