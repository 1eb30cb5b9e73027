/* load.c -- bulk loads: sorted rows straight to tables, committed by naming these.
 *
 * The tables are written with placeholder times (table_options.is_stamped), outside the forest.  At
 * the commit the leader's token is taken, what was committed before goes to tables, a commit time X
 * is assigned, and one edit names the tables as those of X, whose time every version in them takes.
 * That edit is the commit: it is durable and whole or was never there.  From then on the tables are
 * like any other.
 *
 * L1: Every commit before X is in tables when the load's join level 0, or a read would meet newer
 * versions in them than in a memtable (R1 of read.c).
 *
 * L2: A table of the load goes to a deeper level only where no level from 0 to there has a table
 * that overlaps it (R2), and no merge of levels runs meanwhile, whose output may come to lie over
 * it (F1).
 *
 * L3: Readers who know X find the tables, and no job goes on from a forest with the tables before X
 * is visible (db_commit_load): a merge would drop what readers before X still see.
 *
 * Refused: choosing X when the load begins (no other commit could pass it), and a memtable that
 * points into tables (every read would pay for it).
 */
#include "base/mem.h"
#include "engine/compact.h"
#include "engine/load_tables.h"
#include "engine/output.h"
#include "engine/refuse.h"

/* Waits for a merge to end, so that tables may go deeper than level 0, before it is given up. */
#define DEEP_TRIES 8

struct yore_load {
    struct yore_db *db;
    struct yore_keyspace *keyspace;
    struct load_tables *tables;
    struct buffer last_key;
    struct value_hold *value_hold;
    uint64_t count;
    uint64_t user_bytes;
    enum yore_status failed; /* not YORE_OK: it can only be aborted */
    struct yore_error failure;
};

static enum yore_status check_keyspace(const struct yore_keyspace *keyspace,
                                       struct yore_error *error_out)
{
    if (keyspace_is_dropped(keyspace)) {
        return refuse_dropped(keyspace, error_out);
    }
    return YORE_OK;
}

enum yore_status yore_load_open(struct yore_db *db, struct yore_keyspace *keyspace,
                                struct yore_load **load_out, struct yore_error *error_out)
{
    if (db == NULL || load_out == NULL) {
        return error_null(error_out, __func__, "db, load_out");
    }
    error_clear(error_out);
    *load_out = NULL;
    keyspace = keyspace_or_default(db, keyspace);
    enum yore_status st = db_check_writable(db, error_out);
    if (st == YORE_OK) {
        st = check_keyspace(keyspace, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct yore_load *load = mem_zalloc(sizeof *load);
    st = load != NULL ? load_tables_new(db, keyspace, &load->tables) : YORE_NOMEM;
    if (st != YORE_OK) {
        mem_free(load);
        return error_plain(error_out, st);
    }
    load->db = db;
    load->keyspace = keyspace;
    handles_add(&db->handles, HANDLE_load, 1);
    *load_out = load;
    return YORE_OK;
}

uint64_t yore_load_count(const struct yore_load *load)
{
    return load != NULL ? load->count : 0;
}

/* ---- rows ---- */

static enum yore_status remember(struct yore_load *load, enum yore_status st,
                                 const struct yore_error *error_out)
{
    load->failed = st;
    if (error_out != NULL) {
        load->failure = *error_out;
    } else {
        error_plain(&load->failure, st);
    }
    return st;
}

/* Why the row is not taken. */
static enum yore_status refuse(const struct yore_load *load, struct yore_bytes key,
                               struct yore_bytes value, struct yore_error *error_out)
{
    char text[KEY_TEXT_BYTES];
    char last_text[KEY_TEXT_BYTES];
    if (load->failed != YORE_OK) {
        return error_set(error_out, load->failed, "the load can only be aborted since: %s",
                         load->failure.text);
    }
    enum yore_status st = fact_check_sizes(key, value, error_out);
    if (st != YORE_OK) {
        return st;
    }
    return error_set(error_out, YORE_INVALID,
                     "key %s comes after key %s: a load takes keys in ascending order, each once",
                     key_text(key, text), key_text(buffer_bytes(&load->last_key), last_text));
}

static bool is_taken(const struct yore_load *load, struct yore_bytes key, struct yore_bytes value)
{
    return load->failed == YORE_OK && fact_check_sizes(key, value, NULL) == YORE_OK &&
           (load->count == 0 || bytes_compare(buffer_bytes(&load->last_key), key) < 0);
}

static enum yore_status add_row(struct yore_load *load, struct yore_bytes key,
                                struct yore_bytes value, struct yore_error *error_out)
{
    unsigned char ref[VALUE_REF_BYTES];
    struct version row = {
        .key = key, .valid_to = YORE_FOREVER, .kind = YORE_KIND_PUT, .value = value};
    struct fact fact = {
        .keyspace = load->keyspace, .kind = YORE_KIND_PUT, .key = key, .value = value};
    enum yore_status st = YORE_OK;
    if (fact_goes_apart(load->db, &fact)) {
        st = fact_put_apart(load->db, &fact, &load->value_hold, ref, error_out);
        row.flags = VERSION_APART;
        row.value = bytes_of(ref, sizeof ref);
    }
    if (st == YORE_OK) {
        st = load_tables_add(load->tables, &row, error_out);
    }
    if (st == YORE_OK) {
        buffer_clear(&load->last_key);
        buffer_append_bytes(&load->last_key, key);
        st = load->last_key.is_nomem ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
    }
    return st;
}

enum yore_status yore_load_put(struct yore_load *load, struct yore_bytes key,
                               struct yore_bytes value, struct yore_error *error_out)
{
    if (load == NULL) {
        return error_null(error_out, __func__, "load");
    }
    error_clear(error_out);
    if (!is_taken(load, key, value)) {
        return refuse(load, key, value, error_out);
    }
    enum yore_status st = add_row(load, key, value, error_out);
    if (st != YORE_OK) {
        return remember(load, st, error_out);
    }
    load->count++;
    load->user_bytes += key.size + value.size;
    return YORE_OK;
}

/* ---- where the tables go ---- */

static bool is_met(const struct forest_level *level, bool is_level0, const struct table_meta *meta)
{
    struct yore_bytes first = buffer_bytes(&meta->first_key);
    struct yore_bytes last = buffer_bytes(&meta->last_key);
    size_t begin = is_level0 ? 0 : level_find(level, first);
    for (size_t i = begin; i < level->file_count && (is_level0 || i == begin); i++) {
        const struct table_meta *other = level->files[i]->meta;
        if (bytes_compare(buffer_bytes(&other->first_key), last) <= 0 &&
            bytes_compare(first, buffer_bytes(&other->last_key)) <= 0) {
            return true;
        }
    }
    return false;
}

/* The level of a tree that a load of so many octets would like to be in: as deep as there is
 * anything, and as it needs room. */
static uint32_t wanted_level(const struct yore_load *load, const struct forest_tree *tree)
{
    uint32_t level = 1;
    while (level + 1 < LEVELS_MAX &&
           load_tables_bytes(load->tables) + (tree != NULL ? tree->levels[level].bytes : 0) >
               compact_level_target(load->db, level)) {
        level++;
    }
    for (uint32_t i = level + 1; tree != NULL && i < LEVELS_MAX; i++) {
        level = tree->levels[i].file_count > 0 ? i : level;
    }
    return level;
}

/* L2. */
static uint32_t place_of(const struct forest_tree *tree, uint32_t wanted,
                         const struct table_meta *meta)
{
    uint32_t level = 0;
    if (tree == NULL) {
        return wanted;
    }
    if (is_met(&tree->levels[0], true, meta)) {
        return 0;
    }
    while (level < wanted && !is_met(&tree->levels[level + 1], false, meta)) {
        level++;
    }
    return level;
}

static enum yore_status name_tables(struct yore_load *load, int64_t commit, bool is_deep,
                                    struct edit *edit)
{
    struct yore_db *db = load->db;
    struct superview *view = superview_acquire(db);
    const struct forest_tree *tree = forest_tree(view->forest, load->keyspace->id);
    uint32_t wanted = is_deep ? wanted_level(load, tree) : 0;
    size_t count;
    struct table_meta *metas = load_tables_metas(load->tables, &count);
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        struct forest_file *file = NULL;
        table_meta_stamp(&metas[i], commit);
        uint32_t level = is_deep ? place_of(tree, wanted, &metas[i]) : 0;
        st = forest_file_open(db, &metas[i], erase_set_commit_max(view->erased), commit, &file);
        if (st == YORE_OK) {
            edit_add_level(edit, load->keyspace->id, level, file);
            forest_file_unref(file);
        }
    }
    struct edit_op *numbers = edit_add(edit, EDIT_NUMBERS, 0);
    if (numbers != NULL) {
        numbers->flushed_commit = commit;
    }
    superview_release(view);
    return edit->is_nomem ? YORE_NOMEM : st;
}

/* ---- the commit ---- */

/* Leading alone. */
static enum yore_status commit_tables(struct yore_load *load, bool is_deep, int64_t *commit_out,
                                      struct yore_error *error_out)
{
    struct yore_db *db = load->db;
    struct edit edit = {0};
    struct commit_load told = {load->keyspace->id, load->count};
    int64_t before;
    enum yore_status st = db_check_writable(db, error_out);
    if (st == YORE_OK) {
        st = check_keyspace(load->keyspace, error_out);
    }
    if (st == YORE_OK) {
        st = commit_drain(db, error_out); /* L1 */
    }
    if (st == YORE_OK) {
        st = commit_assign(db, commit_out, &before, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    gaps_forget(&db->gaps, load->keyspace->id);
    st = name_tables(load, *commit_out, is_deep, &edit);
    st = st == YORE_OK ? db_commit_load(db, &edit, *commit_out, &told, error_out)
                       : error_plain(error_out, st);
    edit_release(&edit);
    if (st != YORE_OK && !status_is_want(st)) {
        db_fail(db, st, error_out); /* also of the directory: a sync is never tried again */
    }
    if (st != YORE_OK && atomic_load(&db->visible) == *commit_out) {
        return YORE_OK; /* what failed was upkeep of the manifest */
    }
    if (st != YORE_OK && atomic_load(&db->failed_status) == YORE_OK) {
        commit_withdraw(db, before);
    }
    return st;
}

/* Take the lead when no merge of the levels runs, and keep others away; after some tries in vain
 * without that. */
static enum yore_status lead(struct yore_load *load, bool *is_deep_out,
                             struct yore_error *error_out)
{
    struct yore_db *db = load->db;
    for (int i = 0; i < DEEP_TRIES; i++) {
        enum yore_status st = jobs_wait_levels(db, load->keyspace, error_out);
        if (st != YORE_OK) {
            return st;
        }
        commit_lead_alone(db);
        /* Not the other way round: a leader may wait for a merge. */
        *is_deep_out = jobs_try_claim_levels(db, load->keyspace);
        if (*is_deep_out || i + 1 == DEEP_TRIES) {
            return YORE_OK;
        }
        commit_lead_no_more(db);
    }
    return YORE_OK;
}

static void count_load(struct yore_load *load)
{
    struct stats *stats = &load->db->stats;
    stats_add(stats, STAT_loads, 1);
    stats_add(stats, STAT_load_bytes, load_tables_bytes(load->tables));
    stats_add(stats, STAT_commits, 1);
    stats_add(stats, STAT_writes, load->count);
    stats_add(stats, STAT_write_bytes, load->user_bytes);
}

/* Values apart must be durable before a table that refers to them is named. */
static enum yore_status sync_values(struct yore_load *load, struct yore_error *error_out)
{
    enum yore_status st =
        load->value_hold != NULL ? values_sync(load->db->values, error_out) : YORE_OK;
    return st == YORE_OK ? st : db_fail(load->db, st, error_out);
}

static enum yore_status commit(struct yore_load *load, int64_t *commit_out,
                               struct yore_error *error_out)
{
    struct yore_db *db = load->db;
    bool is_deep = false;
    enum yore_status st = load_tables_finish(load->tables, error_out);
    if (st == YORE_OK) {
        st = sync_values(load, error_out);
    }
    if (st == YORE_OK) { /* most of what is in memtables, while others go on writing */
        st = commit_switch(db, error_out);
    }
    if (st == YORE_OK) {
        st = jobs_wait_flushed(db, error_out);
    }
    if (st == YORE_OK) {
        st = lead(load, &is_deep, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    values_commit(db->values, load->value_hold, true);
    st = commit_tables(load, is_deep, commit_out, error_out);
    commit_lead_no_more(db);
    if (is_deep) {
        jobs_free_levels(db, load->keyspace);
    }
    if (st == YORE_OK) {
        count_load(load);
        jobs_wake(db);
        (void)jobs_run_inline(db, NULL); /* whatever becomes of it: the load is committed */
    }
    return st;
}

static void load_free(struct yore_load *load, bool is_kept)
{
    load_tables_free(load->tables, is_kept);
    values_let_go(load->db->values, &load->value_hold);
    buffer_release(&load->last_key);
    handles_add(&load->db->handles, HANDLE_load, -1);
    mem_free(load);
}

void yore_load_abort(struct yore_load *load)
{
    if (load != NULL) {
        load_free(load, false);
    }
}

enum yore_status yore_load_commit(struct yore_load *load, int64_t *commit_out,
                                  struct yore_error *error_out)
{
    if (load == NULL) {
        return error_null(error_out, __func__, "load");
    }
    struct yore_error local;
    struct yore_error *error = error_out != NULL ? error_out : &local;
    int64_t time = atomic_load_explicit(&load->db->visible, memory_order_acquire);
    enum yore_status st = load->failed;
    error_clear(error);
    if (st != YORE_OK) {
        *error = load->failure;
    } else if (load->count > 0) {
        st = commit(load, &time, error);
    }
    if (st == YORE_OK && commit_out != NULL) {
        *commit_out = time;
    }
    /* After a failure of the database the manifest may name the tables: opening decides. */
    load_free(load, st == YORE_OK || atomic_load(&load->db->failed_status) != YORE_OK);
    return st;
}
