/* sim_internal.h -- the simulated disk's parts, for the files sim_*.c.
 *
 *   sim_tree.c    nodes, directory entries, paths, unsynced entry operations
 *   sim_file.c    the operations of an open file
 *   sim_env.c     directories, locks, clocks: the rest of os_env
 *   sim_crash.c   what a power cut leaves behind
 *   sim_disk.c    making, cloning and steering a disk
 *
 * Everything in here is guarded by the disk's mutex; functions that take a struct sim_disk expect
 * it held. Memory of the disk itself never fails (mem_certain): only handles count as the program's
 * own allocations, or a test that fails the n-th allocation would test the simulator.
 */
#ifndef YORE_OS_SIM_INTERNAL_H
#define YORE_OS_SIM_INTERNAL_H

#include "base/rand.h"
#include "os/env_internal.h"
#include "os/sim_disk.h"
#include "os/sim_image.h"
#include "os/thread.h"

#define SIM_FAULT_KINDS 4

/* One unsynced change of a file, in the order made. */
enum sim_write_kind { SIM_WRITE_DATA, SIM_WRITE_ZEROS, SIM_WRITE_RESIZE };
struct sim_write {
    enum sim_write_kind kind;
    uint64_t offset;
    uint64_t size;         /* octets covered; for RESIZE the new size */
    struct sim_blob *data; /* DATA only */
};

struct sim_entry {
    struct sim_blob *name;
    struct sim_node *node;
};

struct sim_entries {
    struct sim_entry *items;
    size_t count;
    size_t capacity;
};

/* A file or a directory.  `refs`: live and durable entries, unsynced entry operations, open
 * handles, locks. */
struct sim_node {
    size_t slot; /* its place in sim_disk.nodes */
    uint32_t refs;
    struct sim_node *next_dead; /* while references are being dropped */
    bool is_dir;
    bool is_locked;
    unsigned share_count; /* of the lock; not with is_locked */
    uint32_t handle_count;
    uint32_t link_count;       /* live entries */
    struct sim_image *durable; /* what survives any crash */
    struct sim_image *live;    /* what reads see */
    struct sim_write *writes;  /* unsynced; durable + writes = live, unless a sync failed */
    size_t write_count;
    size_t write_capacity;
    struct sim_entries durable_entries;
    struct sim_entries live_entries;
};

/* One unsynced change of directory entries, in the order made over the whole disk.  A rename is one
 * change of two directories and lands as a whole: with a sync of either. */
enum sim_move_kind { SIM_MOVE_ADD, SIM_MOVE_REMOVE, SIM_MOVE_RENAME };
struct sim_move {
    enum sim_move_kind kind;
    struct sim_node *dir; /* of `name`; for RENAME the target's */
    struct sim_blob *name;
    struct sim_node *node;     /* ADD, RENAME: what the name stands for */
    struct sim_node *from_dir; /* RENAME only */
    struct sim_blob *from_name;
};

struct sim_site {
    struct sim_blob *tag;
    uint64_t count;
    uint64_t first_op;
};

struct sim_disk {
    struct os_env env;
    struct os_mutex *mutex; /* apart, so that a const disk can be looked at */
    struct sim_node **nodes;
    size_t node_count;
    size_t node_capacity;
    struct sim_node *root;
    struct sim_move *moves;
    size_t move_count;
    size_t move_capacity;
    struct rand_state rand;     /* what the program sees */
    struct rand_state own_rand; /* what the disk decides by */
    uint64_t handle_count;      /* files and locks not yet closed, stale ones included */
    uint64_t handle_peak;       /* since it was last asked for */
    uint64_t handle_max;        /* 0: none */
    uint64_t epoch;             /* of power: handles of an earlier one are dead */
    uint64_t op_count;
    uint64_t crash_op;
    bool has_crashed;
    uint64_t fault_seen[SIM_FAULT_KINDS];
    uint64_t fault_nth[SIM_FAULT_KINDS]; /* in numbers of fault_seen; 0: off */
    bool fault_is_sticky[SIM_FAULT_KINDS];
    uint64_t capacity_bytes;
    bool is_filling; /* files may grow by so many octets more; then the disk is full */
    uint64_t fill_left;
    void (*growth_told)(void *arg, const struct sim_growth *growth); /* NULL: nobody asks */
    void *growth_arg;
    struct sim_blob *ignored_site;
    struct sim_site *sites;
    size_t site_count;
    size_t site_capacity;
    int64_t wall_ns;
    int64_t monotonic_ns;
};

static inline struct sim_disk *sim_disk_of(struct os_env *env)
{
    return (struct sim_disk *)env;
}

/* ---- sim_disk.c ---- */
extern const struct os_env_ops sim_env_ops;
void sim_enter(const struct sim_disk *disk);
void sim_leave(const struct sim_disk *disk);
/* Grow `*items` of `item_size` octets each so that one more than `count` fits. */
void *sim_grow(void *items, size_t count, size_t *capacity, size_t item_size);
/* Power is on, or the error of a call without power. */
enum yore_status sim_check_power(const struct sim_disk *disk, const char *what, const char *path,
                                 struct yore_error *error_out);
/* How the operation that changes the disk, now beginning, is to end. */
enum sim_turn {
    SIM_TURN_WHOLE, /* normally */
    SIM_TURN_CUT,   /* takes effect as an unsynced one, and the power goes */
    SIM_TURN_FAULT  /* fails by order of the test */
};
enum sim_turn sim_turn(struct sim_disk *disk, enum sim_fault_kind kind);
/* YORE_IO with the text that belongs to `turn`; YORE_OK for SIM_TURN_WHOLE. */
enum yore_status sim_turn_end(enum sim_turn turn, const char *what, const char *path,
                              struct yore_error *error_out);
bool sim_fault_hits(struct sim_disk *disk, enum sim_fault_kind kind);
/* Note the site; true when its syncs are to be ignored. */
bool sim_site_is_ignored(struct sim_disk *disk, const char *site);
uint64_t sim_used(const struct sim_disk *disk);
/* May one more handle be had? */
enum yore_status sim_check_handles(const struct sim_disk *disk, const char *what, const char *path,
                                   struct yore_error *error_out);
/* Count it. */
void sim_note_handle(struct sim_disk *disk);

/* ---- sim_tree.c ---- */
struct sim_node *sim_node_new(struct sim_disk *disk, bool is_dir);
void sim_node_unref(struct sim_disk *disk, struct sim_node *node);
/* Free without asking for references: the whole disk goes. */
void sim_node_destroy(struct sim_node *node);

struct sim_node *sim_entries_find(const struct sim_entries *entries, struct yore_bytes name);
void sim_entries_set(struct sim_disk *disk, struct sim_entries *entries, struct sim_blob *name,
                     struct sim_node *node);
void sim_entries_remove(struct sim_disk *disk, struct sim_entries *entries, struct yore_bytes name);
void sim_entries_copy(struct sim_disk *disk, struct sim_entries *to,
                      const struct sim_entries *from);

/* Where a path leads in the live tree. */
struct sim_spot {
    struct sim_node *parent; /* NULL: the root itself */
    struct yore_bytes name;  /* last component, within the path */
    struct sim_node *node;   /* NULL: no such entry */
};
/* YORE_NOT_FOUND or YORE_IO (a file where a directory should be) when the parent cannot be reached.
 */
enum yore_status sim_find(const struct sim_disk *disk, const char *path, const char *what,
                          struct sim_spot *spot_out, struct yore_error *error_out);

/* Change the live tree and remember the change as unsynced. */
void sim_tree_add(struct sim_disk *disk, const struct sim_spot *spot, struct sim_node *node);
void sim_tree_remove(struct sim_disk *disk, const struct sim_spot *spot);
void sim_tree_rename(struct sim_disk *disk, const struct sim_spot *from, const struct sim_spot *to);
/* Make every unsynced entry change that touches `dir` durable. */
void sim_tree_sync(struct sim_disk *disk, const struct sim_node *dir);
void sim_move_apply(struct sim_disk *disk, const struct sim_move *move);
void sim_move_release(struct sim_disk *disk, struct sim_move *move);

/* ---- sim_file.c ---- */
enum yore_status sim_file_open(struct os_env *env, const char *path, enum os_open_mode mode,
                               struct os_file **file_out, struct yore_error *error_out);
void sim_write_apply(struct sim_image **place, const struct sim_write *write);
void sim_writes_clear(struct sim_node *node);
/* Everything written becomes durable. */
void sim_node_sync(struct sim_node *node);

#endif
