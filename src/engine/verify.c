/* verify.c -- yore_verify(): everything on disk against what it says of itself, and the files
 * against each other.
 *
 * Three passes over one view: each file alone (checks, order, counts, erased values are gone); what
 * a file must be for its place (slices hold their time, only they hold copies); then every version
 * of every keyspace in order, with each large value it refers to.  Reads and writes go on
 * meanwhile.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "base/mem.h"
#include "engine/refuse.h"
#include "engine/value_collect.h"
#include "engine/verify_erase.h"
#include "journal/record_log.h"

#define STRAY_WAIT_NS 10000000
#define LINE_BYTES (YORE_ERROR_TEXT_BYTES + 256)

struct verify {
    struct yore_db *db;
    const char *path;
    struct superview *view;
    void (*problem)(void *arg, const char *line);
    void *arg;
    struct yore_verify_report *report;
    struct forest_file **files; /* of a tree, each once */
    size_t file_count;
    size_t file_capacity;
    char first[LINE_BYTES];  /* problem */
    struct buffer places;    /* hashes of the places judge() has told of */
    enum yore_status status; /* out of memory or file handles: no more can be told */
    struct yore_error cause; /* of that */
    struct erase_check erase;
    const struct stop *stop;
};

/* No more is to be told: something is wanting, or nobody wants it any more. */
static bool is_over(struct verify *v)
{
    if (v->status == YORE_OK && stop_is_asked(v->stop)) {
        v->status = YORE_CANCELLED;
    }
    return v->status != YORE_OK;
}

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

/* Where an error's text says the damage is: "<path>: ... offset <number> ...".  Without an offset
 * the whole text stands for its place. */
static uint64_t hash_place(const struct verify *v, const char *text)
{
    static const char mark[] = "offset ";
    size_t own = strlen(v->path); /* it may hold any character */
    const char *name = strncmp(text, v->path, own) == 0 ? text + own : text;
    const char *what = strstr(name, ": ");
    const char *offset = what != NULL ? strstr(what, mark) : NULL;
    if (offset == NULL) {
        return hash_bytes(bytes_of(text, strlen(text)));
    }
    const char *digits = offset + sizeof mark - 1;
    return 31 * hash_bytes(bytes_of(text, (size_t)(what - text))) +
           hash_bytes(bytes_of(digits, strspn(digits, "0123456789")));
}

/* One damaged page is met by every pass that reads it: it is told by the first. */
static bool is_place_new(struct verify *v, const char *text)
{
    uint64_t place = hash_place(v, text);
    for (size_t at = 0; at < v->places.size; at += sizeof place) {
        if (memcmp(v->places.data + at, &place, sizeof place) == 0) {
            return false;
        }
    }
    buffer_append(&v->places, &place, sizeof place);
    return true;
}

/* A failed check is a finding; want of memory or file handles ends the work. */
static void judge(struct verify *v, enum yore_status st, const struct yore_error *error)
{
    if (status_is_want(st) && v->status == YORE_OK) {
        v->status = st;
        v->cause = *error;
    } else if (status_is_want(st)) {
        return;
    } else if (st != YORE_OK && is_place_new(v, error->text)) {
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
    struct forest_file **grown =
        mem_grow(v->files, v->file_count, &v->file_capacity, sizeof *grown);
    if (grown == NULL) {
        v->status = YORE_NOMEM;
        return;
    }
    v->files = grown;
    v->files[v->file_count++] = file;
}

static void tell_version(struct verify *v, const struct forest_file *file,
                         const struct version *version, const char *what)
{
    char text[KEY_TEXT_BYTES];
    tell(v, "%s: key %s, valid from %lld, commit %lld: %s", table_path(file->table),
         key_text(version->key, text), (long long)version->valid_from, (long long)version->commit,
         what);
}

/* Whole, also where no region has the keys that the file shows: erased bytes are there still. */
static void check_erased(struct verify *v, uint32_t keyspace, const struct forest_file *file)
{
    struct iter_view all = {
        .known = INT64_MAX, .valid = INT64_MAX, .no_cache_fill = true, .commit_after = INT64_MIN};
    struct version_iter *it;
    if (v->erase.count == 0 || v->status != YORE_OK) {
        return;
    }
    if (table_iter_new(file->table, &all, &it) != YORE_OK) {
        v->status = YORE_NOMEM;
        return;
    }
    for (version_iter_first(it); it->is_valid && !is_over(v); version_iter_next(it)) {
        if (!erase_check_value(&v->erase, keyspace, &it->at, file->erase_seen)) {
            tell_version(v, file, &it->at, "erased, and its value is still there");
        }
    }
    judge(v, it->status, &it->error);
    version_iter_free(it);
}

static void verify_table(struct verify *v, uint32_t keyspace, struct forest_file *file)
{
    struct yore_error error = {.text = ""};
    uint64_t pages = 0;
    enum yore_status st = table_verify(file->table, &pages, &error);
    v->report->files++;
    v->report->bytes += file->meta->file_bytes;
    v->report->pages += pages;
    judge(v, st, &error);
    check_erased(v, keyspace, file);
}

static void verify_tables(struct verify *v, const struct forest_tree *tree)
{
    v->file_count = 0;
    tree_each_file(tree, gather_file, v);
    if (v->file_count > 0) {
        qsort(v->files, v->file_count, sizeof(struct forest_file *), compare_files);
    }
    for (size_t i = 0; !is_over(v) && i < v->file_count; i++) {
        verify_table(v, tree->keyspace, v->files[i]);
    }
}

static int pass_record(void *arg, const struct value_record *record)
{
    struct verify *v = arg;
    struct yore_error error = {.text = ""};
    judge(v, erase_check_record(&v->erase, record, &error), &error);
    return is_over(v);
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
        st = value_reader_walk(reader, pass_record, v, &end, &error);
        struct yore_error judged = {.text = ""};
        judge(v, erase_check_records_end(&v->erase, &judged), &judged);
        value_reader_close(reader);
    }
    judge(v, st, &error);
    v->report->bytes += end;
    if (st == YORE_OK && v->status == YORE_OK && end < info->bytes) {
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
    int64_t commit = INT64_MIN;
    enum yore_status st =
        journal_verify(v->db->journal, &v->report->journal_records, &bytes, &error);
    v->report->bytes += bytes;
    if (st == YORE_OK) {
        st = erase_check_journal(&v->erase, &commit, &error);
    }
    judge(v, st, &error);
    if (commit != INT64_MIN) {
        tell(v, "%s: the journal has erased values still: commit %" PRId64, v->db->path, commit);
    }
}

/* ---- what a file must be for its place ---- */

struct place {
    struct verify *v;
    const struct forest_slice *slice; /* NULL: a level or a run */
};

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
}

/* Walk the versions of the file with low <= key < high. */
static void check_place(const struct place *p, struct forest_file *file, struct yore_bytes low,
                        struct yore_bytes high)
{
    struct iter_view all = {
        .known = INT64_MAX, .valid = INT64_MAX, .no_cache_fill = true, .commit_after = INT64_MIN};
    struct version_place first = {low, INT64_MAX, INT64_MAX};
    struct version_iter *it;
    if (is_over(p->v)) {
        return;
    }
    if (table_iter_new(file->table, &all, &it) != YORE_OK) {
        p->v->status = YORE_NOMEM;
        return;
    }
    if (low.size > 0) {
        version_iter_seek(it, &first);
    } else {
        version_iter_first(it);
    }
    while (it->is_valid && !is_over(p->v) &&
           (high.size == 0 || bytes_compare(it->at.key, high) < 0)) {
        check_version(p, file, &it->at);
        version_iter_next(it);
    }
    if (!it->is_valid) {
        judge(p->v, it->status, &it->error);
    }
    version_iter_free(it);
}

static void check_region(struct verify *v, const struct forest_region *region)
{
    struct yore_bytes low = forest_key_bytes(&region->low);
    struct yore_bytes high = forest_key_bytes(&region->high);
    struct place run = {v, NULL};
    for (size_t i = 0; i < region->run_count; i++) {
        if (!file_overlaps(region->runs[i], low, high)) {
            tell(v, "%s: a run that has no key of its region", table_path(region->runs[i]->table));
        }
        check_place(&run, region->runs[i], low, high);
    }
    for (size_t i = 0; i < region->slice_count; i++) {
        struct place slice = {v, &region->slices[i]};
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
    struct place level = {v, NULL};
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        for (size_t j = 0; j < tree->levels[i].file_count; j++) {
            check_place(&level, tree->levels[i].files[j], bytes_of(NULL, 0), bytes_of(NULL, 0));
        }
    }
    for (size_t i = 0; i < tree->region_count; i++) {
        check_region(v, &tree->regions[i]);
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
    struct yore_error error = {.text = ""};
    struct version_iter *it;
    enum yore_status st = sources_all(v->view, keyspace, &source_range_all, &all, &it, &error);
    if (st != YORE_OK) {
        judge(v, st, &error);
        return;
    }
    for (version_iter_first(it); it->is_valid && !is_over(v); version_iter_next(it)) {
        if (it->at.commit > all.known) {
            continue;
        }
        v->report->versions += keyspace->id != KEYSPACE_SYSTEM;
        (void)erase_check_value(&v->erase, keyspace->id, &it->at, INT64_MIN); /* of memtables too */
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
        while (!is_over(v) && (st = yore_cursor_next(cursor)) == YORE_OK) {
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
        if (keyspace != v->db->system_keyspace && !keyspace_is_dropped(keyspace)) {
            count_keys(v, keyspace);
        }
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
    bool is_quiet = db->jobs_running == 0 && !db->is_flushing && !db->is_purging &&
                    !atomic_load(&db->has_retired_values);
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

/* Value files whose last reader has let go wait for the next sweep: they are no stray files. */
static void sweep_values(struct yore_db *db)
{
    if (db_check_writable(db, NULL) == YORE_OK) {
        (void)values_sweep(db, NULL);
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
    sweep_values(v->db);
    os_mutex_lock(&db->manifest_lock);
    s.manifest = manifest_number(db->manifest);
    os_mutex_unlock(&db->manifest_lock);
    enum yore_status st = os_dir_list(db->env, db->path, note_stray, &s, &error);
    judge(v, s.names.is_nomem ? YORE_NOMEM : st, &error);
    if (s.names.size > 0) {
        os_sleep_ns(db->env,
                    STRAY_WAIT_NS); /* a reader may be letting go of a dead file just now */
        sweep_values(v->db);
    }
    if (is_quiet(db, &after) && after == before && !s.names.is_nomem) {
        tell_strays(v, &s.names);
    }
    buffer_release(&s.names);
}

/* ---- what opening could not read ---- */

/* A segment alone, where the journal is no whole. */
static void verify_segment(struct verify *v, const char *path, uint64_t number)
{
    struct record_log_identity identity = {v->db->database, number, RECORD_LOG_JOURNAL};
    struct record_log_reader *log = NULL;
    struct record record;
    struct yore_error error = {.text = ""};
    uint64_t end = 0;
    uint64_t last;
    enum yore_status st = record_log_open(v->db->env, path, identity, &log, &error);
    v->report->files++;
    while (st == YORE_OK) {
        st = record_log_next(log, &record, &error);
        v->report->journal_records += st == YORE_OK;
    }
    if (st == YORE_NOT_FOUND && log != NULL) { /* at the end */
        (void)record_log_end(log, &end, &last);
    }
    v->report->bytes += end;
    judge(v, st == YORE_NOT_FOUND ? YORE_OK : st, &error);
    record_log_reader_close(log);
}

/* The number in `stem`, 16 hexadecimal digits, ".log". */
static bool parse_segment(const char *name, uint64_t *number_out)
{
    unsigned long long number;
    char canonical[40];
    if (sscanf(name, "journal-%16llx.log", &number) != 1) {
        return false;
    }
    snprintf(canonical, sizeof canonical, "journal-%016llx.log", number);
    *number_out = number;
    return strcmp(name, canonical) == 0;
}

static int verify_alone(void *arg, const char *name)
{
    struct verify *v = arg;
    const struct db_findings *findings = v->db->findings;
    char path[PATH_BYTES];
    enum db_file_kind kind;
    uint64_t number;
    uint64_t generation;
    if (!dir_join(path, v->path, name)) {
        return 0;
    }
    if (findings->has_no_journal && parse_segment(name, &number)) {
        verify_segment(v, path, number);
    } else if (findings->has_no_forest && db_file_parse(name, &kind, &number, &generation) &&
               kind == DB_FILE_VALUES) {
        struct value_file_info info = {.file = number, .generation = generation};
        verify_value_file(v, &info);
    }
    return v->status != YORE_OK;
}

/* Files that say themselves what they are, and need nothing that was lost.  Who the database is
 * says CURRENT alone. */
static void verify_loose_files(struct verify *v)
{
    const struct db_findings *findings = v->db->findings;
    struct yore_error error = {.text = ""};
    if (findings == NULL || (!findings->has_no_journal && !findings->has_no_forest)) {
        return;
    }
    if (v->db->database == 0) {
        tell(v, "%s: without CURRENT no other file can be checked", v->path);
        return;
    }
    judge(v, os_dir_list(v->db->env, v->path, verify_alone, v, &error), &error);
    if (findings->has_no_forest) {
        tell(v, "%s: without the manifest no table can be checked", v->path);
    }
}

/* ---- the whole ---- */

static void verify_all(struct verify *v)
{
    struct yore_db *db = v->db;
    struct yore_error error = {.text = ""};
    int64_t purged_to = erase_check_purged(db);
    bool has_catalogue = db->findings == NULL || !db->findings->has_no_catalogue;
    v->view = superview_acquire(db);
    v->status = erase_check_init(&v->erase, v->view, purged_to);
    judge(v, forest_check(v->view->forest, &error), &error);
    for (size_t i = 0; i < v->view->forest->tree_count; i++) {
        verify_tables(v, v->view->forest->trees[i]);
    }
    for (size_t i = 0; !is_over(v) && i < v->view->forest->value_file_count; i++) {
        verify_value_file(v, &v->view->forest->value_files[i]);
    }
    if (db->journal != NULL && !is_over(v)) {
        verify_journal(v);
    }
    verify_loose_files(v);
    for (size_t i = 0; !is_over(v) && i < v->view->forest->tree_count; i++) {
        check_tree(v, v->view->forest->trees[i]);
    }
    if (has_catalogue) { /* else nobody knows which keyspaces there are */
        walk_keyspaces(v);
    }
    if (db->journal != NULL) {
        erase_check_held(&v->erase);
    }
    v->report->erasures_pending = erase_check_pending(&v->erase);
    if (db->manifest != NULL && !is_over(v)) {
        check_directory(v);
    }
}

/* Say how it ended, and let go of all. */
static enum yore_status finish(struct verify *v, struct yore_verify_report *report_out,
                               struct yore_error *error_out)
{
    enum yore_status st = v->status;
    if (st != YORE_OK && v->cause.status == st) {
        error_set(error_out, st, "%s", v->cause.text);
    } else if (st != YORE_OK) {
        error_plain(error_out, st);
    } else if (v->report->problems > 0) {
        st = error_set(error_out, YORE_CORRUPT, "%llu problems; the first: %s",
                       (unsigned long long)v->report->problems, v->first);
    }
    if (report_out != NULL) {
        *report_out = *v->report;
    }
    erase_check_release(&v->erase);
    superview_release(v->view);
    buffer_release(&v->places);
    mem_free(v->files);
    mem_free(v);
    return st;
}

enum yore_status db_verify(struct yore_db *db, void (*problem)(void *arg, const char *line),
                           void *arg, const struct stop *stop,
                           struct yore_verify_report *report_out, struct yore_error *error_out)
{
    struct yore_verify_report report = {0};
    struct verify *v = mem_zalloc(sizeof *v);
    error_clear(error_out);
    if (report_out != NULL) {
        *report_out = report;
    }
    if (v == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    *v = (struct verify){.db = db,
                         .path = db->path,
                         .problem = problem,
                         .arg = arg,
                         .report = &report,
                         .stop = stop};
    verify_all(v);
    return finish(v, report_out, error_out);
}

enum yore_status yore_verify(struct yore_db *db, void (*problem)(void *arg, const char *line),
                             void *arg, struct yore_verify_report *report_out,
                             struct yore_error *error_out)
{
    return db != NULL ? db_verify(db, problem, arg, NULL, report_out, error_out)
                      : error_null(error_out, __func__, "db");
}

static void tell_finding(void *arg, enum yore_status st, const struct yore_error *error)
{
    judge(arg, st, error);
}

enum yore_status db_verify_path(struct os_env *env, const char *path,
                                void (*problem)(void *arg, const char *line), void *arg,
                                struct yore_verify_report *report_out, struct yore_error *error_out)
{
    struct yore_verify_report report = {0};
    struct yore_db *db = NULL;
    char *absolute = NULL; /* as findings name it */
    error_clear(error_out);
    if (report_out != NULL) {
        *report_out = report;
    }
    enum yore_status st = os_path_absolute(env, path, &absolute, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct verify *v = mem_zalloc(sizeof *v);
    struct db_findings findings = {.tell = tell_finding, .arg = v};
    if (v == NULL) {
        mem_free(absolute);
        return error_plain(error_out, YORE_NOMEM);
    }
    *v = (struct verify){.path = absolute, .problem = problem, .arg = arg, .report = &report};
    st = db_open_damaged(env, absolute, &findings, &db, error_out);
    if (st == YORE_OK) {
        v->db = db;
        verify_all(v);
        st = finish(v, report_out, error_out);
        (void)yore_close(db, NULL);
    } else { /* no finding, but why there can be none: no database, no memory, a lock */
        buffer_release(&v->places);
        mem_free(v);
    }
    mem_free(absolute);
    return st;
}

enum yore_status yore_verify_path(const char *path, void (*problem)(void *arg, const char *line),
                                  void *arg, struct yore_verify_report *report_out,
                                  struct yore_error *error_out)
{
    if (path == NULL) {
        return error_null(error_out, __func__, "path");
    }
    if (*path == '\0') {
        return refuse_empty_path("database", error_out);
    }
    return db_verify_path(os_env_posix(), path, problem, arg, report_out, error_out);
}
