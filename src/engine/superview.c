/* superview.c -- what readers hold, and how it is replaced.
 *
 * Readers must not take a lock, yet the struct they point at is replaced while they reach for it.
 * Structs come from a pool and are never freed before close, so reading the reference count of a
 * stale pointer is harmless: a reader raises it only from a non-zero value and then checks that the
 * struct is still the current one.  Refused: a mutex (two more cache-line transfers a read) and
 * hazard pointers (global state).
 */
#include "base/assert.h"
#include "base/mem.h"
#include "engine/db_internal.h"

static bool try_ref(struct superview *view)
{
    uint64_t refs = atomic_load_explicit(&view->refs, memory_order_relaxed);
    while (refs != 0) {
        /* acquire: pairs with the release in publish(), so that the fields are seen. */
        if (atomic_compare_exchange_weak_explicit(&view->refs, &refs, refs + 1,
                                                  memory_order_acquire, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

struct superview *superview_acquire(struct yore_db *db)
{
    for (;;) {
        struct superview *view = atomic_load_explicit(&db->view, memory_order_acquire);
        if (!try_ref(view)) {
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
    uint64_t before = atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
    YORE_ASSERT(before > 0);
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
    if (view != NULL && atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) == 1) {
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
        if (try_ref(view)) {
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
    view = mem_zalloc(sizeof *view);
    if (view != NULL) {
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
        size_t count = tree->levels[0].file_count;
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
    atomic_store_explicit(&view->refs, 1, memory_order_release);
    struct superview *old = atomic_exchange_explicit(&db->view, view, memory_order_acq_rel);
    if (old != NULL) {
        os_mutex_unlock(&db->lock); /* the release may take it to recycle */
        superview_release(old);
        os_mutex_lock(&db->lock);
    }
    return YORE_OK;
}
