/* sim_disk.h -- a disk in memory that fails on purpose: the test implementation of os_env.
 *
 * Each file has a durable image and a list of unsynced writes; each directory entry has a
 * durability of its own (create, rename, link and unlink are lost unless the directory was synced).
 * sim_disk_crash() makes the state that a power cut at this moment could leave, chosen by seed:
 * every unsynced write is kept, dropped, torn at 512-byte boundaries (the torn part may be garbage)
 * or kept although an earlier one is dropped (not within one sector: memory goes to the disk by
 * whole pages); never reordered across a sync of that file; sizes may have grown with zeros.  Clock
 * and randomness are scripted.  One lock guards it: any thread.  Reads see all writes (the page
 * cache), until a crash.  Memory of the disk itself is not subject to mem_fail_at(); handles are.
 */
#ifndef YORE_OS_SIM_DISK_H
#define YORE_OS_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "os/env.h"

struct sim_disk;

struct sim_disk *sim_disk_new(uint64_t seed); /* NULL: out of memory */
void sim_disk_free(struct sim_disk *disk);    /* every file and lock closed */
struct os_env *sim_disk_env(struct sim_disk *disk);

/* Operations that change the disk (write, sync, dir sync, create, rename, unlink, link, truncate,
 * punch) are numbered 1, 2, 3, ... since the last sim_disk_reset_count(). */
uint64_t sim_disk_op_count(const struct sim_disk *disk);
void sim_disk_reset_count(struct sim_disk *disk);

/* After operation `op` (0: none) every call fails with YORE_IO, as if the power had gone: the
 * operation itself took effect only as an unsynced one may. */
void sim_disk_crash_at(struct sim_disk *disk, uint64_t op);
bool sim_disk_has_crashed(const struct sim_disk *disk);

/* How the unsynced part is treated by sim_disk_crash(). */
enum sim_crash_mode {
    SIM_CRASH_KEEP_ALL, /* as kill -9: all is seen, and what was unsynced still is */
    SIM_CRASH_DROP_ALL, /* only what was synced */
    SIM_CRASH_RANDOM    /* keep, drop, tear, reorder by seed */
};
/* Close every open file and lock, forget the page cache (but for KEEP_ALL), make the durable state.
 * Power is back afterwards.  Files open before stay to be closed; every other call on them fails
 * with YORE_IO. */
void sim_disk_crash(struct sim_disk *disk, enum sim_crash_mode mode, uint64_t seed);

enum sim_fault_kind {
    SIM_FAULT_READ,  /* nth read fails with YORE_IO */
    SIM_FAULT_WRITE, /* nth write fails with YORE_IO, half of it applied */
    SIM_FAULT_SYNC,  /* nth sync fails; the pending writes are dropped and marked clean: still read,
                        never durable; later syncs succeed */
    SIM_FAULT_OTHER  /* nth create, rename, unlink, link, truncate, punch, dir sync, dir make/remove
                        fails */
};
/* Fail the `nth` operation of `kind` from now (1: the next); `is_sticky`: and all later ones.  0:
 * off. */
void sim_disk_fail(struct sim_disk *disk, enum sim_fault_kind kind, uint64_t nth, bool is_sticky);
uint64_t sim_disk_fault_count(const struct sim_disk *disk,
                              enum sim_fault_kind kind); /* ops of that kind so far */
/* Writes that would make the sum of file sizes exceed `bytes` get YORE_NO_SPACE (the part that fits
 * is written). */
void sim_disk_set_capacity(struct sim_disk *disk, uint64_t bytes); /* ends a filling, too */
uint64_t sim_disk_used(const struct sim_disk *disk);
/* Files may grow by so many octets in all, whatever is given back meanwhile; with one more the disk
 * is full: its capacity is what is in use then. */
void sim_disk_fill_after(struct sim_disk *disk, uint64_t octets);
/* Have every write that makes a file grow, or would, told to `each`: by its call site (as those of
 * syncs) and its file.  `each` must not call the disk.  NULL: none. */
struct sim_growth {
    const char *site;
    const char *path;
    uint64_t octets;
    bool is_refused; /* there was no room for all of them */
};
void sim_disk_tell_growth(struct sim_disk *disk,
                          void (*each)(void *arg, const struct sim_growth *growth), void *arg);
/* Files and locks that may be open at once (0: any number); one more, also the moment's of a
 * directory being synced or listed, gets YORE_NO_FILES. */
void sim_disk_set_handles(struct sim_disk *disk, uint64_t count);
/* The most that were open at once since the last call of this function; now at least. */
uint64_t sim_disk_handles_peak(struct sim_disk *disk);

/* Syncs issued from the call site with this tag are ignored (the tag is file:line of the caller,
 * recorded by the os_file_sync macro of env.h); NULL: none.  sim_disk_sites() lists every site
 * seen, with its count and the number that the operation of its first sync had then. */
void sim_disk_ignore_site(struct sim_disk *disk, const char *site);
void sim_disk_sites(struct sim_disk *disk,
                    void (*each)(void *arg, const char *site, uint64_t count, uint64_t first_op),
                    void *arg);

/* Bit rot and surgery on the durable image (files closed); what is unsynced of the file becomes
 * durable first. False: no such file or offset. */
bool sim_disk_flip_bit(struct sim_disk *disk, const char *path, uint64_t offset, unsigned bit);
bool sim_disk_copy_file(struct sim_disk *disk, const char *from, const char *to);
bool sim_disk_truncate_file(struct sim_disk *disk, const char *path, uint64_t size);

/* An independent copy of the whole durable and volatile state, no file open: one scripted run, many
 * crashes.  Counts, clock, capacity, ignored site and a crash that has happened are copied; a crash
 * point, faults and a filling are not armed, growth is not told. */
struct sim_disk *sim_disk_clone(const struct sim_disk *disk, uint64_t seed);

void sim_disk_set_wall(struct sim_disk *disk, int64_t wall_ns); /* steps both ways are allowed */
void sim_disk_advance(struct sim_disk *disk,
                      int64_t delta_ns); /* wall and monotonic; every clock read adds 1 us too */

#endif
