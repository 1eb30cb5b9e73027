/* restore.c -- a database from a backup: as it was then, or at an earlier commit.
 *
 * Everything is made in `<target>.new`, which takes the target's name when it is whole.  For an
 * earlier commit the oldest backup that reaches back to it is copied and rewound.  Erasures that
 * any backup of the directory knows and the restored state does not are made again, and their bytes
 * leave before the database gets its name.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "engine/backup_record.h"
#include "engine/catalogue.h"
#include "engine/erase.h"
#include "engine/purge.h"
#include "engine/refuse.h"
#include "engine/rewind.h"
#include "engine/value_collect.h"

#define CACHE_BYTES (1u << 20)
#define OPEN_FILES 16u

struct restore {
    struct os_env *env;
    const struct yore_restore *asked;
    struct backup_set set;
    const struct backup_record *base;
    bool is_rewound;
    int64_t commit;                    /* the last one that will be inside */
    const struct erase_rule **missing; /* pointers into the set */
    size_t missing_count;
    char dir[PATH_BYTES]; /* where it is made */
    struct yore_error *error_out;
};

/* ---- which backup ---- */

/* The earliest commit the backup can be rewound to, and the keyspace that bounds it (NULL: none).
 */
static int64_t reach_of(const struct backup_record *record, const struct backup_keyspace **by_out)
{
    int64_t reach = YORE_TIME_MIN;
    const struct backup_keyspace *by = NULL;
    for (size_t i = 0; i < record->keyspace_count; i++) {
        const struct backup_keyspace *keyspace = &record->keyspaces[i];
        int64_t least = keyspace->horizon;
        if (keyspace->keep == YORE_KEEP_NOW && keyspace->commit_max > least) {
            least = keyspace->commit_max;
        }
        if (least > reach) {
            reach = least;
            by = keyspace;
        }
    }
    if (by_out != NULL) {
        *by_out = by;
    }
    return reach;
}

static enum yore_status out_of_reach(const struct restore *r, const struct backup_record *record)
{
    const struct backup_keyspace *by;
    int64_t reach = reach_of(record, &by);
    char texts[3][MOMENT_TEXT_BYTES];
    bool is_only_now = by != NULL && by->keep == YORE_KEEP_NOW;
    const char *why = !is_only_now           ? "keeps no more"
                      : by->horizon == reach ? "kept only now and was dropped then"
                                             : "keeps only now and was written to then";
    return error_set(r->error_out, YORE_BEFORE_HORIZON,
                     "%s: no backup reaches back to commit %s; backup %llu has what was known from "
                     "%s (%lld) to %s, because keyspace %u %s; each backup can be restored as it "
                     "is: choose the last before that commit by its id",
                     r->asked->backup_path, moment_told(r->asked->to_commit, texts[0]),
                     (unsigned long long)record->id, moment_told(reach, texts[1]), (long long)reach,
                     moment_told(record->commit, texts[2]), by != NULL ? by->id : 0, why);
}

static enum yore_status choose_of(struct restore *r, const struct backup_record *record)
{
    int64_t to_commit = r->asked->to_commit;
    r->base = record;
    r->is_rewound = to_commit < record->commit;
    r->commit = r->is_rewound ? to_commit : record->commit;
    return r->is_rewound && reach_of(record, NULL) > to_commit ? out_of_reach(r, record) : YORE_OK;
}

static enum yore_status choose(struct restore *r)
{
    const struct backup_set *set = &r->set;
    const struct backup_record *rewindable = NULL;
    int64_t to_commit = r->asked->to_commit;
    if (set->count == 0) {
        return error_set(r->error_out, YORE_NOT_FOUND, "%s: there are no backups here",
                         r->asked->backup_path);
    }
    for (size_t i = set->count; r->asked->id != 0 && i-- > 0;) {
        if (set->records[i].id == r->asked->id) {
            return choose_of(r, &set->records[i]);
        }
    }
    if (r->asked->id != 0) {
        return error_set(r->error_out, YORE_NOT_FOUND, "%s: there is no backup %llu",
                         r->asked->backup_path, (unsigned long long)r->asked->id);
    }
    const struct backup_record *latest = &set->records[set->count - 1];
    if (to_commit >= latest->commit) {
        return choose_of(r, latest);
    }
    for (size_t i = set->count; i-- > 0;) {
        const struct backup_record *record = &set->records[i];
        if (record->commit == to_commit) {
            return choose_of(r, record);
        }
        if (record->commit > to_commit && reach_of(record, NULL) <= to_commit) {
            rewindable = record; /* the oldest has least to leave out */
        }
    }
    return rewindable != NULL ? choose_of(r, rewindable) : out_of_reach(r, latest);
}

/* ---- its files ---- */

static enum yore_status copy_files(struct restore *r)
{
    char pool[PATH_BYTES];
    char from[PATH_BYTES];
    char to[PATH_BYTES];
    const struct stored_list *files = &r->base->files;
    struct copy_progress progress = {r->asked->progress, r->asked->progress_arg, 0, r->base->bytes};
    enum yore_status st = YORE_OK;
    if (!dir_join(pool, r->asked->backup_path, BACKUP_POOL_NAME)) {
        return error_set(r->error_out, YORE_INVALID, "%s: the path is too long",
                         r->asked->backup_path);
    }
    for (size_t i = 0; st == YORE_OK && i < files->count; i++) {
        if (!stored_path(from, pool, &files->files[i]) ||
            !stored_path(to, r->dir, &files->files[i])) {
            return error_set(r->error_out, YORE_INVALID, "%s: the path is too long", r->dir);
        }
        struct copy_job job = {r->env, from, to, &files->files[i], true, &progress};
        uint32_t crc;
        st = copy_stored(&job, &crc, r->error_out);
    }
    return st;
}

struct shelf {
    struct table_pool *pool;
    const struct restore *restore;
};

static enum yore_status open_on_shelf(void *arg, const struct table_meta *meta, int64_t erase_seen,
                                      int64_t known, struct forest_file **file_out,
                                      struct yore_error *error_out)
{
    const struct shelf *shelf = arg;
    char path[PATH_BYTES];
    struct table *table;
    struct file_identity identity = {shelf->restore->base->database, meta->file};
    if (!db_file_path(path, shelf->restore->dir, DB_FILE_TABLE, meta->file, 0)) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", shelf->restore->dir);
    }
    enum yore_status st = table_open(shelf->pool, path, identity, meta, &table);
    if (st == YORE_OK) {
        st = forest_file_new(table, erase_seen, known, file_out);
    }
    return st == YORE_OK ? st : error_plain(error_out, st);
}

static enum yore_status make_manifest(struct restore *r, struct edit *edit)
{
    struct forest *empty = NULL;
    struct forest *described = NULL;
    struct forest *forest = NULL;
    struct manifest *manifest = NULL;
    struct edit numbers = {0};
    enum yore_status st = forest_new(&empty);
    if (st == YORE_OK) {
        st = forest_apply(empty, edit, &described, r->error_out);
    } else {
        error_plain(r->error_out, st);
    }
    if (st == YORE_OK) {
        /* A line of its own from here on, see stored_files.c. */
        struct edit_op *op = edit_add(&numbers, EDIT_NUMBERS, 0);
        if (op != NULL) {
            op->next_file = described->next_file + 1 + (os_random_u64(r->env) >> 16);
        }
        st = op != NULL ? forest_apply(described, &numbers, &forest, r->error_out)
                        : error_plain(r->error_out, YORE_NOMEM);
    }
    if (st == YORE_OK) { /* syncs the directory, and with it the names of the files copied */
        st = manifest_create(r->env, r->dir, r->base->database, forest->next_file - 1, forest,
                             &manifest, r->error_out);
    }
    if (st == YORE_OK) {
        st = manifest_close(manifest, r->error_out);
    }
    edit_release(&numbers);
    forest_unref(forest);
    forest_unref(described);
    forest_unref(empty);
    return st;
}

static enum yore_status describe(struct restore *r)
{
    struct page_cache *cache = NULL;
    struct shelf shelf = {.restore = r};
    struct forest_opener opener = {open_on_shelf, &shelf};
    struct edit edit = {0};
    enum yore_status st = page_cache_new(CACHE_BYTES, 0, &cache);
    if (st == YORE_OK) {
        st = table_pool_new(r->env, cache, OPEN_FILES, &shelf.pool);
    }
    if (st == YORE_OK) {
        st = edit_decode(buffer_bytes(&r->base->edit), &opener, &edit, r->error_out);
        if (st == YORE_OK) {
            st = make_manifest(r, &edit);
            edit_release(&edit);
        }
    } else {
        error_plain(r->error_out, st);
    }
    table_pool_free(shelf.pool);
    page_cache_free(cache);
    return st;
}

/* ---- what must hold in it ---- */

static enum yore_status open_made(struct restore *r, struct yore_db **db_out)
{
    struct yore_options options;
    yore_options_init(&options);
    options.must_exist = true;
    options.segment_bytes = 64u << 10; /* little is written here, and whoever opens it cuts anew */
    return db_open_inline(r->env, r->dir, &options, db_out, r->error_out);
}

/* Keep the first error of work on the database and of closing it. */
static enum yore_status close_made(struct restore *r, struct yore_db *db, enum yore_status st)
{
    enum yore_status closed = yore_close(db, st == YORE_OK ? r->error_out : NULL);
    return st == YORE_OK ? closed : st;
}

static enum yore_status rewind_made(struct restore *r)
{
    struct yore_db *db;
    enum yore_status st = open_made(r, &db);
    if (st != YORE_OK) {
        return st;
    }
    return close_made(r, db, rewind_database(db, r->commit, r->error_out));
}

/* What the base had given back is not there after rewinding either. */
static enum yore_status raise_horizons(struct restore *r, struct yore_db *db)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < r->base->keyspace_count; i++) {
        const struct backup_keyspace *was = &r->base->keyspaces[i];
        struct yore_keyspace *keyspace = db_keyspace(db, was->id);
        if (keyspace != NULL && was->keep != YORE_KEEP_NOW) {
            st = catalogue_set_horizon(db, keyspace, was->horizon, r->error_out);
        }
    }
    return st;
}

static int compare_rules(const void *left, const void *right)
{
    const struct erase_rule *a = *(const struct erase_rule *const *)left;
    const struct erase_rule *b = *(const struct erase_rule *const *)right;
    const int64_t numbers[][2] = {
        {a->commit, b->commit}, {a->keyspace, b->keyspace}, {a->from, b->from}, {a->to, b->to}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i][0] != numbers[i][1]) {
            return numbers[i][0] < numbers[i][1] ? -1 : 1;
        }
    }
    int order = bytes_compare(forest_key_bytes(&a->low), forest_key_bytes(&b->low));
    return order != 0 ? order
                      : bytes_compare(forest_key_bytes(&a->high), forest_key_bytes(&b->high));
}

/* Rules from after the restored commit, in the order they were made; several backups tell the same
 * ones. */
static enum yore_status list_missing(struct restore *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->set.count; i++) {
        count += r->set.records[i].rule_count;
    }
    r->missing = mem_array(count + 1, sizeof(const struct erase_rule *));
    if (r->missing == NULL) {
        return error_plain(r->error_out, YORE_NOMEM);
    }
    for (size_t i = 0; i < r->set.count; i++) {
        for (size_t j = 0; j < r->set.records[i].rule_count; j++) {
            const struct erase_rule *rule = &r->set.records[i].rules[j];
            if (rule->commit > r->commit) {
                r->missing[r->missing_count++] = rule;
            }
        }
    }
    if (r->missing_count > 0) {
        qsort(r->missing, r->missing_count, sizeof(const struct erase_rule *), compare_rules);
    }
    return YORE_OK;
}

/* Is it told by the base itself?  Then rewinding has kept it. */
static bool is_of_base(const struct restore *r, const struct erase_rule *rule)
{
    const struct erase_rule *first = r->base->rules;
    return r->base->rule_count > 0 && rule >= first && rule < first + r->base->rule_count;
}

/* At the rule's own commit time, so that the erasure is the same one everywhere; a rule of another
 * line of this database, from before the last commit of this one, gets a time of its own. */
static enum yore_status erase_again(struct restore *r, struct yore_db *db,
                                    const struct erase_rule *told)
{
    struct erase_rule rule = *told;
    if (rule.commit <= atomic_load(&db->visible)) {
        rule.commit = 0;
    }
    return erase_by_rule(db, &rule, r->error_out);
}

static enum yore_status erase_missing(struct restore *r, struct yore_db *db)
{
    enum yore_status st = YORE_OK;
    size_t end;
    for (size_t i = 0; st == YORE_OK && i < r->missing_count; i = end) {
        bool is_known = false;
        for (end = i;
             end < r->missing_count && compare_rules(&r->missing[i], &r->missing[end]) == 0;
             end++) {
            is_known |= is_of_base(r, r->missing[end]);
        }
        st = is_known ? YORE_OK : erase_again(r, db, r->missing[i]);
    }
    return st == YORE_OK ? purge_pending(db, r->error_out) : st;
}

static enum yore_status finish_made(struct restore *r)
{
    struct yore_db *db;
    enum yore_status st = open_made(r, &db);
    if (st != YORE_OK) {
        return st;
    }
    st = erase_missing(r, db);
    if (st == YORE_OK && r->is_rewound) {
        st = raise_horizons(r, db);
    }
    if (st == YORE_OK && r->is_rewound) {
        st = values_collect_all(db, NULL,
                                r->error_out); /* values of the commits that were left out */
    }
    return close_made(r, db, st);
}

/* ---- the whole ---- */

static enum yore_status make(struct restore *r)
{
    enum yore_status st = list_missing(r);
    if (st == YORE_OK) {
        st = copy_files(r);
    }
    if (st == YORE_OK) {
        st = describe(r);
    }
    if (st == YORE_OK && r->is_rewound) {
        st = rewind_made(r);
    }
    if (st == YORE_OK && (r->is_rewound || r->missing_count > 0)) {
        st = finish_made(r);
    }
    return st == YORE_OK ? dir_finish_new(r->env, r->dir, r->asked->target_path, r->error_out) : st;
}

enum yore_status db_restore(struct os_env *env, const struct yore_restore *restore,
                            struct yore_error *error_out)
{
    struct restore r = {.env = env, .asked = restore, .error_out = error_out};
    struct os_lock *lock = NULL;
    error_clear(error_out);
    enum yore_status st = dir_check_free(env, restore->target_path, true, error_out);
    if (st == YORE_OK) {
        st = backup_set_read(env, restore->backup_path, &r.set, error_out);
    }
    if (st == YORE_OK) {
        st = choose(&r);
    }
    if (st == YORE_OK) {
        st = dir_begin_new(env, restore->target_path, r.dir, &lock, error_out);
        if (st == YORE_OK) {
            st = make(&r);
            if (st != YORE_OK) {
                (void)dir_remove_all(env, r.dir, NULL);
            }
        }
    }
    os_lock_release(lock);
    mem_free(r.missing);
    backup_set_release(&r.set);
    if (st == YORE_OK) {
        error_clear(error_out); /* of refusals that were worked around */
    }
    return st;
}

enum yore_status yore_restore(const struct yore_restore *restore, struct yore_error *error_out)
{
    if (restore == NULL || restore->backup_path == NULL || restore->target_path == NULL) {
        return error_null(error_out, __func__, "restore, its backup_path, its target_path");
    }
    if (*restore->backup_path == '\0' || *restore->target_path == '\0') {
        return refuse_empty_path(*restore->target_path == '\0' ? "database" : "backup", error_out);
    }
    return db_restore(os_env_posix(), restore, error_out);
}
