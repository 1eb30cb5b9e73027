/* verify.c -- yore_verify(): everything on disk against what it says of itself, and the files
 * against each other.
 *
 * Three passes over one view: each file alone (checks, order, counts); what a file must be for its
 * place (slices hold their time, only they hold copies, erased values are gone); then every version
 * of every keyspace in order, with each large value it refers to.  Reads and writes go on
 * meanwhile.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/value_collect.h"

#define STRAY_WAIT_NS 10000000
#define LINE_BYTES (YORE_ERROR_TEXT_BYTES + 256)

struct verify {
    struct yore_db *db;
    struct superview *view;
    void (*problem)(void *arg, const char *line);
    void *arg;
    struct yore_verify_report *report;
    struct forest_file **files; /* every table once */
    size_t file_count;
    size_t file_capacity;
    char first[LINE_BYTES];  /* problem */
    enum yore_status status; /* out of memory: nothing can be told */
};

__attribute__((format(printf, 2, 3))) static void tell(struct verify *v, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (v->report->problems++ == 0) {
        memcpy(v->first, line, sizeof line);
    }
    if (v->problem != NULL) {
        v->problem(v->arg, line);
    }
}

/* A failed check is a finding; want of memory ends the work. */
static void judge(struct verify *v, enum yore_status st, const struct yore_error *error)
{
    if (st == YORE_NOMEM) {
        v->status = st;
    } else if (st != YORE_OK) {
        tell(v, "%s", error->text);
    }
}

/* ---- each file alone ---- */

static int compare_files(const void *left, const void *right)
{
    const struct forest_file *a = *(struct forest_file *const *)left;
    const struct forest_file *b = *(struct forest_file *const *)right;
    return (a->meta->file > b->meta->file) - (a->meta->file < b->meta->file);
}

static void gather_file(void *arg, struct forest_file *file)
{
    struct verify *v = arg;
    if (v->file_count == v->file_capacity) {
        size_t capacity = v->file_capacity > 0 ? 2 * v->file_capacity : 64;
        struct forest_file **grown = mem_realloc(v->files, capacity * sizeof(*grown));
        if (grown == NULL) {
            v->status = YORE_NOMEM;
            return;
        }
        v->files = grown;
        v->file_capacity = capacity;
    }
    v->files[v->file_count++] = file;
}

static void verify_table(struct verify *v, struct forest_file *file)
{
    struct yore_error error = {.text = ""};
    uint64_t pages = 0;
    enum yore_status st = table_verify(file->table, &pages, &error);
    v->report->files++;
    v->report->bytes += file->meta->file_bytes;
    v->report->pages += pages;
    judge(v, st, &error);
}

static void verify_tables(struct verify *v)
{
    const struct forest *forest = v->view->forest;
    for (size_t i = 0; i < forest->tree_count; i++) {
        tree_each_file(forest->trees[i], gather_file, v);
    }
    if (v->file_count > 0) {
        qsort(v->files, v->file_count, sizeof(struct forest_file *), compare_files);
    }
    for (size_t i = 0; v->status == YORE_OK && i < v->file_count; i++) {
        verify_table(v, v->files[i]);
    }
}

static int pass_record(void *arg, const struct value_record *record)
{
    (void)arg;
    (void)record;
    return 0;
}

static void verify_value_file(struct verify *v, const struct value_file_info *info)
{
    char path[PATH_BYTES];
    struct yore_error error = {.text = ""};
    struct value_reader *reader;
    struct file_identity identity = {v->db->database, info->file};
    uint64_t end = 0;
    if (!db_file_path(path, v->db->path, DB_FILE_VALUES, info->file, info->generation)) {
        tell(v, "%s: the path is too long", v->db->path);
        return;
    }
    v->report->files++;
    enum yore_status st = value_reader_open(v->db->env, path, identity, &reader, &error);
    if (st == YORE_OK) {
        st = value_reader_walk(reader, pass_record, NULL, &end, &error);
        value_reader_close(reader);
    } else if (st == YORE_CORRUPT && info->bytes == 0) {
        return; /* begun just before a crash: a value in it would be missed by its version */
    }
    judge(v, st, &error);
    v->report->bytes += end;
    if (st == YORE_OK && end < info->bytes) {
        tell(v,
             "%s: offset %" PRIu64 ": no record, though the file was closed with %" PRIu64
             " octets",
             path, end, info->bytes);
    }
}

static void verify_journal(struct verify *v)
{
    struct yore_error error = {.text = ""};
    uint64_t bytes = 0;
    judge(v, journal_verify(v->db->journal, &v->report->journal_records, &bytes, &error), &error);
    v->report->bytes += bytes;
}

/* ---- what a file must be for its place ---- */

struct place {
    struct verify *v;
    const struct forest_tree *tree;
    const struct forest_slice *slice; /* NULL: a level or a run */
};

static void tell_version(struct verify *v, const struct forest_file *file,
                         const struct version *version, const char *what)
{
    char text[KEY_TEXT_BYTES];
    tell(v, "%s: key %s, valid from %lld, commit %lld: %s", table_path(file->table),
         key_text(version->key, text), (long long)version->valid_from, (long long)version->commit,
         what);
}

static void check_version(const struct place *p, const struct forest_file *file,
                          const struct version *version)
{
    struct verify *v = p->v;
    bool is_copy = (version->flags & VERSION_CARRIED) != 0;
    v->report->copies += is_copy;
    if (version->valid_from > version->commit) {
        tell_version(v, file, version, "begins later than it was committed");
    }
    if (p->slice == NULL && is_copy) {
        tell_version(v, file, version, "a carried copy outside a slice");
    }
    if (p->slice != NULL && is_copy && version->valid_from >= p->slice->t0) {
        tell_version(v, file, version, "a carried copy that begins inside its slice");
    }
    if (p->slice != NULL && !is_copy &&
        (version->valid_from < p->slice->t0 || version->valid_from >= p->slice->t1)) {
        tell_version(v, file, version, "outside the time of its slice");
    }
    if (p->slice != NULL && (version->flags & VERSION_UNRESOLVED) != 0) {
        tell_version(v, file, version, "not resolved, in history");
    }
    if (version->kind == YORE_KIND_PUT &&
        file->erase_seen >= erase_set_commit_max(v->view->erased) &&
        erase_set_hides(v->view->erased, p->tree->keyspace, version)) {
        tell_version(v, file, version, "erased, and its value is still there");
    }
}

/* Walk the versions of the file with low <= key < high. */
static void check_place(const struct place *p, struct forest_file *file, struct yore_bytes low,
                        struct yore_bytes high)
{
    struct iter_view all = {
        .known = INT64_MAX, .valid = INT64_MAX, .no_cache_fill = true, .commit_after = INT64_MIN};
    struct version_place first = {low, INT64_MAX, INT64_MAX};
    struct version_iter *it;
    if (p->v->status != YORE_OK || table_iter_new(file->table, &all, &it) != YORE_OK) {
        p->v->status = YORE_NOMEM;
        return;
    }
    if (low.size > 0) {
        version_iter_seek(it, &first);
    } else {
        version_iter_first(it);
    }
    while (it->is_valid && (high.size == 0 || bytes_compare(it->at.key, high) < 0)) {
        check_version(p, file, &it->at);
        version_iter_next(it);
    }
    if (!it->is_valid) {
        judge(p->v, it->status, &it->error);
    }
    version_iter_free(it);
}

static void check_region(struct verify *v, const struct forest_tree *tree,
                         const struct forest_region *region)
{
    struct yore_bytes low = forest_key_bytes(&region->low);
    struct yore_bytes high = forest_key_bytes(&region->high);
    struct place run = {v, tree, NULL};
    for (size_t i = 0; i < region->run_count; i++) {
        if (!file_overlaps(region->runs[i], low, high)) {
            tell(v, "%s: a run that has no key of its region", table_path(region->runs[i]->table));
        }
        check_place(&run, region->runs[i], low, high);
    }
    for (size_t i = 0; i < region->slice_count; i++) {
        struct place slice = {v, tree, &region->slices[i]};
        for (size_t j = 0; j < region->slices[i].file_count; j++) {
            struct forest_file *file = region->slices[i].files[j];
            if (!file_overlaps(file, low, high)) {
                tell(v, "%s: a slice's file that has no key of its region",
                     table_path(file->table));
            }
            check_place(&slice, file, low, high);
        }
    }
}

static void check_tree(struct verify *v, const struct forest_tree *tree)
{
    struct place level = {v, tree, NULL};
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        for (size_t j = 0; j < tree->levels[i].file_count; j++) {
            check_place(&level, tree->levels[i].files[j], bytes_of(NULL, 0), bytes_of(NULL, 0));
        }
    }
    for (size_t i = 0; i < tree->region_count; i++) {
        check_region(v, tree, &tree->regions[i]);
    }
}

/* ---- every version ---- */

static void check_value(struct verify *v, const struct version *version)
{
    struct yore_error error = {.text = ""};
    void *data;
    size_t size;
    v->report->values_apart++;
    enum yore_status st = values_get(v->db->values, v->view->forest, version->value, version->key,
                                     &data, &size, &error);
    judge(v, st, &error);
    if (st == YORE_OK) {
        mem_free(data);
    }
}

static void walk_keyspace(struct verify *v, struct yore_keyspace *keyspace)
{
    struct iter_view all = {.known = atomic_load(&v->db->visible),
                            .valid = INT64_MAX,
                            .no_cache_fill = true,
                            .commit_after = INT64_MIN};
    struct yore_bytes none = bytes_of(NULL, 0);
    struct yore_error error = {.text = ""};
    struct version_iter *it;
    enum yore_status st =
        sources_all(v->view, keyspace, none, none, &all, YORE_TIME_MIN, INT64_MAX, &it, &error);
    if (st != YORE_OK) {
        judge(v, st, &error);
        return;
    }
    for (version_iter_first(it); it->is_valid && v->status == YORE_OK; version_iter_next(it)) {
        if (it->at.commit > all.known) {
            continue;
        }
        v->report->versions += keyspace->id != KEYSPACE_SYSTEM;
        if ((it->at.flags & VERSION_APART) != 0 && it->at.kind == YORE_KIND_PUT &&
            !erase_set_hides(v->view->erased, keyspace->id, &it->at)) {
            check_value(v, &it->at);
        }
    }
    judge(v, it->is_valid ? YORE_OK : it->status, &it->error);
    version_iter_free(it);
}

static void count_keys(struct verify *v, struct yore_keyspace *keyspace)
{
    struct yore_cursor_options options = {.keys_only = true, .no_cache_fill = true};
    struct yore_error error = {.text = ""};
    struct yore_cursor *cursor;
    enum yore_status st = yore_cursor_open(v->db, keyspace, &options, &cursor, &error);
    if (st == YORE_OK) {
        while ((st = yore_cursor_next(cursor)) == YORE_OK) {
            v->report->keys++;
        }
        error = *yore_cursor_error(cursor);
        yore_cursor_close(cursor);
    }
    judge(v, st == YORE_NOT_FOUND ? YORE_OK : st, &error);
}

static void walk_keyspaces(struct verify *v)
{
    for (size_t i = 0; v->status == YORE_OK; i++) {
        os_mutex_lock(&v->db->lock);
        struct yore_keyspace *keyspace = i < v->db->keyspace_count ? v->db->keyspaces[i] : NULL;
        os_mutex_unlock(&v->db->lock);
        if (keyspace == NULL) {
            break;
        }
        walk_keyspace(v, keyspace);
        if (keyspace != v->db->system_keyspace && !atomic_load(&keyspace->is_dropped)) {
            count_keys(v, keyspace);
        }
    }
}

/* ---- erasures ---- */

static bool may_hold(const struct erase_rule *rule, const struct forest_file *file)
{
    return file->erase_seen < rule->commit && file->meta->commit_min < rule->commit &&
           file->meta->valid_max >= rule->from && file->meta->valid_min < rule->to &&
           file_overlaps(file, forest_key_bytes(&rule->low), forest_key_bytes(&rule->high));
}

struct pending {
    const struct erase_rule *rule;
    bool is_any;
};

static void look_at(void *arg, struct forest_file *file)
{
    struct pending *p = arg;
    p->is_any |= may_hold(p->rule, file);
}

/* An erasure is pending while a table from before it may hold what it hides. */
static void count_pending(struct verify *v)
{
    os_mutex_lock(&v->db->lock);
    bool is_pending = v->db->is_erase_pending || v->db->is_purging;
    os_mutex_unlock(&v->db->lock);
    for (size_t i = 0; is_pending && i < erase_set_count(v->view->erased); i++) {
        struct pending p = {erase_set_rule(v->view->erased, i), false};
        const struct forest_tree *tree = forest_tree(v->view->forest, p.rule->keyspace);
        if (tree != NULL) {
            tree_each_file(tree, look_at, &p);
        }
        /* What is not flushed is only in the memtable and the journal, which goes with the purge.
         */
        v->report->erasures_pending += p.is_any || p.rule->commit > v->view->forest->flushed_commit;
    }
}

/* ---- the directory ---- */

struct named {
    enum db_file_kind kind;
    uint64_t number;
    uint64_t generation;
    bool is_found;
};

static void match_file(void *arg, struct forest_file *file)
{
    struct named *named = arg;
    named->is_found |= file->meta->file == named->number;
}

static bool names_file(void *arg, const struct superview *view)
{
    struct named *named = arg;
    const struct forest *forest = view->forest;
    named->is_found = false;
    if (named->kind == DB_FILE_VALUES) {
        const struct value_file_info *info = forest_value_file(forest, named->number);
        return info != NULL && info->generation == named->generation;
    }
    for (size_t i = 0; i < forest->tree_count && !named->is_found; i++) {
        tree_each_file(forest->trees[i], match_file, named);
    }
    return named->is_found;
}

struct strays {
    struct verify *v;
    uint64_t manifest;
    struct buffer names; /* each with its closing zero */
};

static int note_stray(void *arg, const char *name)
{
    struct strays *s = arg;
    struct named named;
    if (!db_file_parse(name, &named.kind, &named.number, &named.generation)) {
        return 0;
    }
    bool is_known = named.kind == DB_FILE_MANIFEST ? named.number == s->manifest
                                                   : superview_any(s->v->db, names_file, &named);
    if (!is_known) {
        buffer_append(&s->names, name, strlen(name) + 1);
    }
    return s->names.is_nomem;
}

/* Nothing is being made that no manifest names yet?  `*next_out` tells whether anything was begun
 * since. */
static bool is_quiet(struct yore_db *db, uint64_t *next_out)
{
    os_mutex_lock(&db->lock);
    bool is_quiet = db->jobs_running == 0 && !db->is_flushing && !db->is_purging;
    os_mutex_unlock(&db->lock);
    *next_out = atomic_load(&db->next_file);
    return is_quiet;
}

static void tell_strays(struct verify *v, const struct buffer *names)
{
    for (size_t at = 0; at < names->size;) {
        const char *name = (const char *)names->data + at;
        char path[PATH_BYTES];
        uint64_t size;
        bool is_dir;
        at += strlen(name) + 1;
        if (dir_join(path, v->db->path, name) &&
            os_path_stat(v->db->env, path, &size, &is_dir, NULL) == YORE_OK) {
            tell(v, "%s: no part of the database; it can be removed", path);
        }
    }
}

/* Files that belong to nothing.  Only a directory at rest can be judged: work in progress has files
 * that nothing names yet. */
static void check_directory(struct verify *v)
{
    struct yore_db *db = v->db;
    struct strays s = {.v = v};
    struct yore_error error = {.text = ""};
    uint64_t before;
    uint64_t after;
    if (!is_quiet(db, &before)) {
        return;
    }
    os_mutex_lock(&db->manifest_lock);
    s.manifest = manifest_number(db->manifest);
    os_mutex_unlock(&db->manifest_lock);
    enum yore_status st = os_dir_list(db->env, db->path, note_stray, &s, &error);
    judge(v, s.names.is_nomem ? YORE_NOMEM : st, &error);
    if (s.names.size > 0) {
        os_sleep_ns(db->env,
                    STRAY_WAIT_NS); /* a reader may be letting go of a dead file just now */
    }
    if (is_quiet(db, &after) && after == before && !s.names.is_nomem) {
        tell_strays(v, &s.names);
    }
    buffer_release(&s.names);
}

/* ---- the whole ---- */

enum yore_status yore_verify(struct yore_db *db, void (*problem)(void *arg, const char *line),
                             void *arg, struct yore_verify_report *report_out,
                             struct yore_error *error_out)
{
    struct yore_verify_report report = {0};
    struct yore_error error = {.text = ""};
    struct verify *v = mem_zalloc(sizeof *v);
    error_clear(error_out);
    if (report_out != NULL) {
        *report_out = report;
    }
    if (v == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    *v = (struct verify){.db = db, .problem = problem, .arg = arg, .report = &report};
    v->view = superview_acquire(db);
    judge(v, forest_check(v->view->forest, &error), &error);
    verify_tables(v);
    for (size_t i = 0; v->status == YORE_OK && i < v->view->forest->value_file_count; i++) {
        verify_value_file(v, &v->view->forest->value_files[i]);
    }
    verify_journal(v);
    for (size_t i = 0; v->status == YORE_OK && i < v->view->forest->tree_count; i++) {
        check_tree(v, v->view->forest->trees[i]);
    }
    walk_keyspaces(v);
    count_pending(v);
    check_directory(v);
    enum yore_status st = v->status;
    if (st != YORE_OK) {
        error_plain(error_out, st);
    } else if (report.problems > 0) {
        st = error_set(error_out, YORE_CORRUPT, "%llu problems; the first: %s",
                       (unsigned long long)report.problems, v->first);
    }
    if (report_out != NULL) {
        *report_out = report;
    }
    superview_release(v->view);
    mem_free(v->files);
    mem_free(v);
    return st;
}
