/* superview.c -- what readers hold, and how it is replaced.
 *
 * Readers must not take a lock, yet the struct they point at is replaced while they reach for it.
 * Structs come from a pool and are never freed before close, so reading the references of a stale
 * pointer is harmless: a reader takes one only while they are open, which they are from just before
 * the struct becomes the current one until just after, and then checks that it still is.  Refused:
 * a mutex or one count (two cache-line transfers a read) and hazard pointers (global state).
 */
#include "base/assert.h"
#include "base/mem.h"
#include "engine/db_internal.h"

struct superview *superview_acquire(struct yore_db *db)
{
    for (;;) {
        struct superview *view = atomic_load_explicit(&db->view, memory_order_acquire);
        if (!striped_ref_take(&view->refs)) {
            continue;
        }
        if (view == atomic_load_explicit(&db->view, memory_order_acquire)) {
            return view;
        }
        superview_release(view); /* replaced, perhaps reused, in between */
    }
}

void superview_ref(struct superview *view)
{
    bool is_held = striped_ref_take_held(&view->refs);
    YORE_ASSERT(is_held);
}

static void superview_recycle(struct superview *view)
{
    struct yore_db *db = view->db;
    memtable_unref(view->active);
    for (size_t i = 0; i < view->waiting_count; i++) {
        memtable_unref(view->waiting[i]);
    }
    forest_unref(view->forest);
    erase_set_unref(view->erased);
    os_mutex_lock(&db->lock);
    view->next_free = db->free_views;
    db->free_views = view;
    os_mutex_unlock(&db->lock);
}

void superview_release(struct superview *view)
{
    if (view != NULL && striped_ref_give(&view->refs)) {
        superview_recycle(view);
    }
}

void superview_retire(struct superview *view)
{
    if (view != NULL && striped_ref_close(&view->refs)) {
        superview_recycle(view);
    }
}

bool superview_any(struct yore_db *db, bool (*test)(void *arg, const struct superview *view),
                   void *arg)
{
    bool is_any = false;
    for (size_t i = 0; !is_any; i++) {
        os_mutex_lock(&db->lock);
        struct superview *view = i < db->view_count ? db->all_views[i] : NULL;
        os_mutex_unlock(&db->lock);
        if (view == NULL) {
            break;
        }
        if (striped_ref_take_held(&view->refs)) {
            is_any = test(arg, view);
            superview_release(view);
        }
    }
    return is_any;
}

static struct superview *superview_new(struct yore_db *db)
{
    struct superview *view = db->free_views;
    if (view != NULL) {
        db->free_views = view->next_free;
        return view;
    }
    struct superview **all = mem_realloc(db->all_views, (db->view_count + 1) * sizeof *all);
    if (all == NULL) {
        return NULL;
    }
    db->all_views = all;
    view = mem_alloc_aligned(64, sizeof *view);
    if (view != NULL) {
        memset(view, 0, sizeof *view);
        striped_ref_init(&view->refs);
        view->db = db;
        all[db->view_count++] = view;
    }
    return view;
}

struct superview *superview_spare(struct yore_db *db)
{
    os_mutex_lock(&db->lock);
    struct superview *spare = superview_new(db);
    os_mutex_unlock(&db->lock);
    return spare;
}

static void measure_pressure(struct yore_db *db, const struct forest *forest)
{
    size_t level0_max = 0;
    size_t runs_max = 0;
    for (size_t i = 0; i < forest->tree_count; i++) {
        const struct forest_tree *tree = forest->trees[i];
        size_t count = level0_depth(&tree->levels[0]);
        level0_max = count > level0_max ? count : level0_max;
        for (size_t j = 0; j < tree->region_count; j++) {
            count = tree->regions[j].run_count;
            runs_max = count > runs_max ? count : runs_max;
        }
    }
    atomic_store_explicit(&db->level0_max, (uint32_t)level0_max, memory_order_relaxed);
    atomic_store_explicit(&db->runs_max, (uint32_t)runs_max, memory_order_relaxed);
}

enum yore_status db_publish(struct yore_db *db, struct memtable *active, struct forest *forest,
                            struct erase_set *erased)
{
    struct superview *view = superview_new(db);
    if (view == NULL) {
        return YORE_NOMEM;
    }
    memtable_ref(active);
    view->active = active;
    view->waiting_count = db->waiting_count;
    for (size_t i = 0; i < db->waiting_count; i++) {
        view->waiting[i] = db->waiting[db->waiting_count - 1 - i].memtable;
        memtable_ref(view->waiting[i]);
    }
    view->forest = forest_ref(forest);
    view->erased = erase_set_ref(erased);
    measure_pressure(db, forest);
    striped_ref_open(&view->refs);
    struct superview *old = atomic_exchange_explicit(&db->view, view, memory_order_acq_rel);
    if (old != NULL) {
        os_mutex_unlock(&db->lock); /* the release may take it to recycle */
        superview_retire(old);
        os_mutex_lock(&db->lock);
    }
    return YORE_OK;
}
