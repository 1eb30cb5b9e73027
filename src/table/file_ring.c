/* file_ring.c -- see file_ring.h. */
#include "table/file_ring.h"

#include "base/assert.h"
#include "base/mem.h"
#include "os/thread.h"

struct file_ring {
    struct os_env *env;
    uint32_t open_max;
    struct os_mutex lock;   /* guards the rest */
    struct kept_file *hand; /* in the ring of open files; NULL: none */
    uint32_t count;         /* in the ring, and about to be */
};

enum yore_status file_ring_new(struct os_env *env, uint32_t open_max, struct file_ring **ring_out)
{
    YORE_ASSERT(open_max >= 1);
    struct file_ring *ring = mem_zalloc(sizeof *ring);
    *ring_out = ring;
    if (ring == NULL) {
        return YORE_NOMEM;
    }
    ring->env = env;
    ring->open_max = open_max;
    os_mutex_init(&ring->lock);
    return YORE_OK;
}

void file_ring_free(struct file_ring *ring)
{
    if (ring == NULL) {
        return;
    }
    YORE_ASSERT(ring->count == 0);
    os_mutex_release(&ring->lock);
    mem_free(ring);
}

void kept_file_init(struct kept_file *kept, const char *path)
{
    *kept = (struct kept_file){.path = path};
    atomic_init(&kept->pins, KEPT_FILE_SHUT);
}

/* ---- the ring; all REQUIRE the lock ---- */

static void ring_insert(struct file_ring *ring, struct kept_file *kept)
{
    if (ring->hand == NULL) {
        kept->next = kept;
        kept->prev = kept;
        ring->hand = kept;
        return;
    }
    kept->next = ring->hand; /* just behind the hand: last to be looked at */
    kept->prev = ring->hand->prev;
    kept->prev->next = kept;
    ring->hand->prev = kept;
}

static void ring_remove(struct file_ring *ring, struct kept_file *kept)
{
    kept->prev->next = kept->next;
    kept->next->prev = kept->prev;
    if (ring->hand == kept) {
        ring->hand = kept->next == kept ? NULL : kept->next;
    }
}

/* Take the file of one that nobody reads; NULL: somebody does. */
static struct os_file *take_file(struct file_ring *ring, struct kept_file *kept)
{
    uint32_t none = 0;
    /* Acquire: pairs with the release of the last unpin. */
    if (!atomic_compare_exchange_strong_explicit(&kept->pins, &none, KEPT_FILE_SHUT,
                                                 memory_order_acquire, memory_order_relaxed)) {
        return NULL;
    }
    struct os_file *file = kept->file;
    kept->file = NULL;
    ring_remove(ring, kept);
    ring->count--;
    return file;
}

/* Turn the hand until a file can be closed; NULL: all are being read. */
static struct os_file *take_any(struct file_ring *ring)
{
    for (uint64_t left = 2 * (uint64_t)ring->count; left > 0 && ring->hand != NULL; left--) {
        struct kept_file *kept = ring->hand;
        ring->hand = kept->next;
        if (atomic_exchange_explicit(&kept->used, 0, memory_order_relaxed) == 0) {
            struct os_file *file = take_file(ring, kept);
            if (file != NULL) {
                return file;
            }
        }
    }
    return NULL;
}

/* ---- pins ---- */

static bool try_pin(struct kept_file *kept)
{
    uint32_t old = atomic_load_explicit(&kept->pins, memory_order_relaxed);
    while ((old & KEPT_FILE_SHUT) == 0) {
        /* Acquire: pairs with the release of show_file(). */
        if (atomic_compare_exchange_weak_explicit(&kept->pins, &old, old + 1, memory_order_acquire,
                                                  memory_order_relaxed)) {
            if (atomic_load_explicit(&kept->used, memory_order_relaxed) == 0) {
                atomic_store_explicit(&kept->used, 1, memory_order_relaxed);
            }
            return true;
        }
    }
    return false;
}

/* Count one file more, and close others for it. */
static void make_room(struct file_ring *ring)
{
    struct os_file *file = NULL;
    os_mutex_lock(&ring->lock);
    ring->count++;
    do {
        file = ring->count > ring->open_max ? take_any(ring) : NULL;
        os_mutex_unlock(&ring->lock);
        os_file_close(file);
        os_mutex_lock(&ring->lock);
    } while (file != NULL);
    os_mutex_unlock(&ring->lock);
}

bool file_ring_close_any(struct file_ring *ring)
{
    os_mutex_lock(&ring->lock);
    struct os_file *file = take_any(ring);
    os_mutex_unlock(&ring->lock);
    os_file_close(file);
    return file != NULL;
}

/* Let everybody read `file`, already pinned by us; or ours goes, where another thread was first. */
static void show_file(struct file_ring *ring, struct kept_file *kept, struct os_file *file)
{
    os_mutex_lock(&ring->lock);
    if (!try_pin(kept)) {
        kept->file = file;
        file = NULL;
        ring_insert(ring, kept);
        atomic_store_explicit(&kept->pins, 1, memory_order_release);
    } else {
        ring->count--;
    }
    os_mutex_unlock(&ring->lock);
    os_file_close(file);
}

enum yore_status file_ring_pin(struct file_ring *ring, struct kept_file *kept,
                               struct yore_error *error_out)
{
    if (try_pin(kept)) {
        return YORE_OK;
    }
    struct os_file *file = NULL;
    make_room(ring);
    enum yore_status st = os_file_open(ring->env, kept->path, OS_OPEN_READ, &file, error_out);
    while (st == YORE_NO_FILES && file_ring_close_any(ring)) {
        st = os_file_open(ring->env, kept->path, OS_OPEN_READ, &file, error_out);
    }
    if (st == YORE_OK) {
        error_clear(error_out);
        show_file(ring, kept, file);
        return YORE_OK;
    }
    os_mutex_lock(&ring->lock);
    ring->count--;
    os_mutex_unlock(&ring->lock);
    return st;
}

void file_ring_forget(struct file_ring *ring, struct kept_file *kept)
{
    struct os_file *file = NULL;
    os_mutex_lock(&ring->lock);
    if (kept->file != NULL) {
        file = take_file(ring, kept);
        YORE_ASSERT(file != NULL); /* nobody reads it */
    }
    os_mutex_unlock(&ring->lock);
    os_file_close(file);
}

uint32_t file_ring_count(struct file_ring *ring)
{
    os_mutex_lock(&ring->lock);
    uint32_t count = ring->count;
    os_mutex_unlock(&ring->lock);
    return count;
}
