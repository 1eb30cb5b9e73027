/* sim_image.h -- contents of a file of the simulated disk, cheap to share.
 *
 * An image is a size and a table of 4 KiB chunks; a missing chunk is zeros.  Copies share
 * everything and part ways at the first write: a disk with its files is cloned by counting
 * references.  Counts are atomic, since clones live on other threads; everything else of an image
 * is guarded by the lock of the disk that holds it. Invariant: octets of a chunk past the image's
 * size are zero.
 */
#ifndef YORE_OS_SIM_IMAGE_H
#define YORE_OS_SIM_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* An immutable run of octets: the payload of an unsynced write, or a name. */
struct sim_blob;
struct sim_blob *sim_blob_new(const void *data, size_t size);
struct sim_blob *sim_blob_ref(struct sim_blob *blob);
void sim_blob_unref(struct sim_blob *blob); /* NULL is ignored */
struct yore_bytes sim_blob_bytes(const struct sim_blob *blob);

/* NULL is the empty image.  Functions that change one take its place, as the change may need a
 * copy. */
struct sim_image;
struct sim_image *sim_image_ref(struct sim_image *image);
void sim_image_unref(struct sim_image *image);
uint64_t sim_image_size(const struct sim_image *image);
/* Copy [offset, offset + size) out; what lies past the end reads as zeros. */
void sim_image_read(const struct sim_image *image, uint64_t offset, void *data, size_t size);
void sim_image_write(struct sim_image **place, uint64_t offset, const void *data, size_t size);
/* Zeros over [offset, offset + size), growing the image if need be. */
void sim_image_zero(struct sim_image **place, uint64_t offset, uint64_t size);
void sim_image_resize(struct sim_image **place, uint64_t size);

#endif
