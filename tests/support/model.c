/* model.c -- versions in sorted arrays, and the rules of yore.h applied by looking at all of them.
 *
 * A span write stands for: at every moment of the span the new fact holds, afterwards what held
 * before. So it adds a version at the span's begin, one at each moment inside where an earlier
 * version begins, and at the end a copy of what held there.  An erasure marks the versions that
 * begin in its span and is remembered, because a version from before the span may not be read
 * inside it either.
 */
#include "support/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

void *model_alloc(size_t size)
{
    void *memory = calloc(1, size > 0 ? size : 1);
    if (memory == NULL) {
        fprintf(stderr, "model: out of memory\n");
        exit(2);
    }
    return memory;
}

/* Room for one more item of `size` octets in a growing array. */
static void *model_grow(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    *capacity = *capacity == 0 ? 8 : *capacity * 2;
    void *grown = realloc(items, *capacity * size);
    if (grown == NULL) {
        fprintf(stderr, "model: out of memory\n");
        exit(2);
    }
    return grown;
}

struct yore_bytes model_bytes_copy(struct yore_bytes bytes)
{
    unsigned char *copy = model_alloc(bytes.size);
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    return bytes_of(copy, bytes.size);
}

void model_bytes_release(struct yore_bytes bytes)
{
    union {
        const void *borrowed;
        void *owned;
    } pointer = {bytes.data};
    free(pointer.owned);
}

/* ---- the whole ------------------------------------------------------------------------------ */

struct model *model_new(void)
{
    return model_alloc(sizeof(struct model));
}

static void model_keyspace_release(struct model_keyspace *space)
{
    for (size_t i = 0; i < space->count; i++) {
        struct model_key *key = &space->keys[i];
        for (size_t j = 0; j < key->count; j++) {
            model_bytes_release(key->versions[j].value);
        }
        free(key->versions);
        model_bytes_release(key->key);
    }
    free(space->keys);
    for (size_t i = 0; i < space->erasure_count; i++) {
        model_bytes_release(space->erasures[i].key);
    }
    free(space->erasures);
}

void model_free(struct model *model)
{
    if (model == NULL) {
        return;
    }
    for (unsigned i = 0; i < MODEL_KEYSPACES_MAX; i++) {
        model_keyspace_release(&model->keyspaces[i]);
    }
    for (size_t i = 0; i < model->commit_count; i++) {
        for (size_t j = 0; j < model->commits[i].count; j++) {
            model_bytes_release(model->commits[i].writes[j].key);
            model_bytes_release(model->commits[i].writes[j].value);
        }
        free(model->commits[i].writes);
    }
    free(model->commits);
    free(model);
}

struct model *model_prefix(const struct model *model, size_t commit_count)
{
    struct model *prefix = model_new();
    for (size_t i = 0; i < commit_count && i < model->commit_count; i++) {
        const struct model_commit *commit = &model->commits[i];
        model_apply(prefix, commit->commit, commit->writes, commit->count);
    }
    return prefix;
}

size_t model_commits_until(const struct model *model, int64_t commit)
{
    size_t count = 0;
    while (count < model->commit_count && model->commits[count].commit <= commit) {
        count++;
    }
    return count;
}

int64_t model_last_commit(const struct model *model)
{
    return model->commit_count == 0 ? INT64_MIN : model->commits[model->commit_count - 1].commit;
}

/* ---- keys and versions ---------------------------------------------------------------------- */

/* The first index whose key is not below `key`. */
static size_t model_key_index(const struct model_keyspace *space, struct yore_bytes key)
{
    size_t low = 0;
    size_t high = space->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bytes_compare(space->keys[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct model_key *model_find(const struct model *model, unsigned keyspace,
                                   struct yore_bytes key)
{
    const struct model_keyspace *space = &model->keyspaces[keyspace];
    size_t index = model_key_index(space, key);
    if (index == space->count || !bytes_equal(space->keys[index].key, key)) {
        return NULL;
    }
    return &space->keys[index];
}

static struct model_key *model_key_entry(struct model_keyspace *space, struct yore_bytes key)
{
    size_t index = model_key_index(space, key);
    if (index < space->count && bytes_equal(space->keys[index].key, key)) {
        return &space->keys[index];
    }
    space->keys = model_grow(space->keys, space->count, &space->capacity, sizeof *space->keys);
    memmove(&space->keys[index + 1], &space->keys[index],
            (space->count - index) * sizeof *space->keys);
    space->count++;
    space->keys[index] =
        (struct model_key){.key = model_bytes_copy(key), .newest_commit = INT64_MIN};
    return &space->keys[index];
}

static bool model_is_before(int64_t a_valid, int64_t a_commit, int64_t b_valid, int64_t b_commit)
{
    return a_valid != b_valid ? a_valid < b_valid : a_commit < b_commit;
}

/* Add a version (its value is copied); one with the same (valid_from, commit) is replaced. */
static void model_add(struct model_key *key, const struct model_version *version)
{
    size_t index = 0;
    while (index < key->count &&
           model_is_before(key->versions[index].valid_from, key->versions[index].commit,
                           version->valid_from, version->commit)) {
        index++;
    }
    struct model_version copy = *version;
    copy.value = model_bytes_copy(version->value);
    if (index < key->count && key->versions[index].valid_from == version->valid_from &&
        key->versions[index].commit == version->commit) {
        model_bytes_release(key->versions[index].value);
        key->versions[index] = copy;
        return;
    }
    key->versions = model_grow(key->versions, key->count, &key->capacity, sizeof *key->versions);
    memmove(&key->versions[index + 1], &key->versions[index],
            (key->count - index) * sizeof *key->versions);
    key->versions[index] = copy;
    key->count++;
}

/* The version with the greatest (valid_from, commit) that a read at `at` may see, or NULL. */
static const struct model_version *model_winner(const struct model_key *key, struct yore_time at)
{
    const struct model_version *winner = NULL;
    for (size_t i = 0; i < key->count; i++) {
        if (key->versions[i].valid_from <= at.valid && key->versions[i].commit <= at.known) {
            winner = &key->versions[i];
        }
    }
    return winner;
}

static bool model_erasure_covers(const struct model_erasure *erasure, struct yore_bytes key)
{
    return erasure->is_prefix ? bytes_starts_with(key, erasure->key)
                              : bytes_equal(key, erasure->key);
}

static bool model_is_erased(const struct model_keyspace *space, struct yore_bytes key,
                            int64_t valid, const struct model_version *winner)
{
    if (winner->kind == YORE_KIND_ERASED) {
        return true;
    }
    for (size_t i = 0; i < space->erasure_count; i++) {
        const struct model_erasure *erasure = &space->erasures[i];
        if (winner->commit < erasure->commit && erasure->from <= valid &&
            (erasure->to == YORE_FOREVER || valid < erasure->to) &&
            model_erasure_covers(erasure, key)) {
            return true;
        }
    }
    return false;
}

/* What a read at `valid` makes of the version that wins there. */
static enum yore_status model_judge(const struct model_keyspace *space, struct yore_bytes key,
                                    int64_t valid, const struct model_version *winner)
{
    if (winner->kind == YORE_KIND_DELETE || winner->valid_to <= valid) {
        return YORE_NOT_FOUND; /* no value was there to erase */
    }
    return model_is_erased(space, key, valid, winner) ? YORE_ERASED : YORE_OK;
}

static enum yore_status model_get_key(const struct model_keyspace *space,
                                      const struct model_key *key, struct yore_time at,
                                      struct model_version *version_out)
{
    const struct model_version *winner = model_winner(key, at);
    if (winner == NULL) {
        return YORE_NOT_FOUND;
    }
    *version_out = *winner;
    return model_judge(space, key->key, at.valid, winner);
}

enum yore_status model_get(const struct model *model, unsigned keyspace, struct yore_bytes key,
                           struct yore_time at, struct model_version *version_out)
{
    const struct model_key *entry = model_find(model, keyspace, key);
    if (entry == NULL) {
        return YORE_NOT_FOUND;
    }
    return model_get_key(&model->keyspaces[keyspace], entry, at, version_out);
}

/* ---- writes --------------------------------------------------------------------------------- */

static bool model_begins_at(const struct model_key *key, int64_t valid_from)
{
    for (size_t i = 0; i < key->count; i++) {
        if (key->versions[i].valid_from == valid_from) {
            return true;
        }
    }
    return false;
}

/* Write at `to` what held there before, as a fact of `commit`. */
static void model_restore_end(const struct model_keyspace *space, struct model_key *key, int64_t to,
                              int64_t commit)
{
    if (to == YORE_FOREVER || model_begins_at(key, to)) {
        return;
    }
    struct model_version held;
    struct yore_time at = {to, INT64_MAX};
    enum yore_status status = model_get_key(space, key, at, &held);
    struct model_version copy = {
        .valid_from = to, .commit = commit, .valid_to = YORE_FOREVER, .kind = YORE_KIND_DELETE};
    if (status == YORE_OK) {
        copy.kind = YORE_KIND_PUT;
        copy.valid_to = held.valid_to;
        copy.value = held.value;
    } else if (status == YORE_ERASED) {
        copy.kind = YORE_KIND_ERASED;
        copy.valid_to = held.valid_to;
    }
    copy.value = model_bytes_copy(copy.value);
    model_add(key, &copy);
    model_bytes_release(copy.value);
}

static void model_write_span(const struct model_keyspace *space, struct model_key *key,
                             const struct model_write *write, const struct model_version *version)
{
    model_restore_end(space, key, write->to, version->commit);
    size_t count = 0;
    int64_t *begins = model_alloc(key->count * sizeof *begins);
    for (size_t i = 0; i < key->count; i++) {
        int64_t begin = key->versions[i].valid_from;
        if (begin > version->valid_from && begin < write->to) {
            begins[count++] = begin;
        }
    }
    model_add(key, version);
    for (size_t i = 0; i < count; i++) {
        struct model_version masking = *version;
        masking.valid_from = begins[i];
        model_add(key, &masking);
    }
    free(begins);
}

static void model_write_fact(struct model_keyspace *space, struct model_key *key,
                             const struct model_write *write, int64_t commit)
{
    struct model_version version = {
        .valid_from = write->from == YORE_NOW ? commit : write->from,
        .commit = commit,
        .valid_to = YORE_FOREVER,
        .kind = write->kind == MODEL_PUT ? YORE_KIND_PUT : YORE_KIND_DELETE,
        .value = write->kind == MODEL_PUT ? write->value : bytes_of(NULL, 0),
    };
    if (write->is_span) {
        model_write_span(space, key, write, &version);
        return;
    }
    version.valid_to = write->to;
    model_add(key, &version);
}

/* An erased span inside the time of one version begins with a version of the third kind. */
static void model_begin_erased(const struct model_keyspace *space, struct model_key *key,
                               int64_t from, int64_t commit)
{
    struct model_version held;
    struct yore_time at = {from, INT64_MAX};
    if (from != YORE_TIME_MIN && !model_begins_at(key, from) &&
        model_get_key(space, key, at, &held) == YORE_OK) {
        struct model_version erased = {.valid_from = from,
                                       .commit = commit,
                                       .valid_to = held.valid_to,
                                       .kind = YORE_KIND_ERASED};
        erased.value = model_bytes_copy(bytes_of(NULL, 0));
        model_add(key, &erased);
        model_bytes_release(erased.value);
    }
}

/* Does anything begin inside the span, or hold at its begin? */
static bool model_has_any(const struct model_keyspace *space, const struct model_key *key,
                          const struct model_write *write)
{
    struct model_version held;
    struct yore_time at = {write->from, INT64_MAX};
    for (size_t i = 0; i < key->count; i++) {
        int64_t begin = key->versions[i].valid_from;
        if (begin > write->from && (write->to == YORE_FOREVER || begin < write->to)) {
            return true;
        }
    }
    return model_get_key(space, key, at, &held) != YORE_NOT_FOUND;
}

static void model_erase_key(struct model_keyspace *space, struct model_key *key,
                            const struct model_write *write, int64_t commit)
{
    if (model_has_any(space, key, write)) {
        model_restore_end(space, key, write->to, commit);
        model_begin_erased(space, key, write->from, commit);
    }
    for (size_t i = 0; i < key->count; i++) {
        struct model_version *version = &key->versions[i];
        if (version->valid_from >= write->from &&
            (write->to == YORE_FOREVER || version->valid_from < write->to) &&
            version->commit < commit && version->kind == YORE_KIND_PUT) {
            model_bytes_release(version->value);
            version->value = bytes_of(NULL, 0);
            version->kind = YORE_KIND_ERASED;
        }
    }
    key->newest_commit = commit;
}

static void model_erase(struct model_keyspace *space, const struct model_write *write,
                        int64_t commit)
{
    struct model_erasure erasure = {write->key, write->is_prefix, write->from, write->to, commit};
    for (size_t i = 0; i < space->count; i++) {
        if (model_erasure_covers(&erasure, space->keys[i].key)) {
            model_erase_key(space, &space->keys[i], write, commit);
        }
    }
    erasure.key = model_bytes_copy(write->key);
    space->erasures = model_grow(space->erasures, space->erasure_count, &space->erasure_capacity,
                                 sizeof *space->erasures);
    space->erasures[space->erasure_count++] = erasure;
}

void model_apply(struct model *model, int64_t commit, const struct model_write *writes,
                 size_t count)
{
    model->commits = model_grow(model->commits, model->commit_count, &model->commit_capacity,
                                sizeof *model->commits);
    struct model_commit *entry = &model->commits[model->commit_count++];
    entry->commit = commit;
    entry->count = count;
    entry->writes = model_alloc(count * sizeof *entry->writes);
    for (size_t i = 0; i < count; i++) {
        struct model_keyspace *space = &model->keyspaces[writes[i].keyspace];
        entry->writes[i] = writes[i];
        entry->writes[i].key = model_bytes_copy(writes[i].key);
        entry->writes[i].value = model_bytes_copy(writes[i].value);
        if (writes[i].kind == MODEL_ERASE) {
            model_erase(space, &writes[i], commit);
            continue;
        }
        struct model_key *key = model_key_entry(space, writes[i].key);
        model_write_fact(space, key, &writes[i], commit);
        key->newest_commit = commit;
    }
}

struct model *model_view(const struct model *model, unsigned keyspace, const struct yore_bytes *key,
                         int64_t known)
{
    struct model *view = model_new();
    const struct model_keyspace *from = &model->keyspaces[keyspace];
    struct model_keyspace *to = &view->keyspaces[keyspace];
    for (size_t i = 0; i < from->count; i++) {
        if (key != NULL && !bytes_equal(from->keys[i].key, *key)) {
            continue;
        }
        struct model_key *entry = model_key_entry(to, from->keys[i].key);
        for (size_t j = 0; j < from->keys[i].count; j++) {
            if (from->keys[i].versions[j].commit <= known) {
                model_add(entry, &from->keys[i].versions[j]);
            }
        }
    }
    to->erasures = model_alloc(from->erasure_count * sizeof *to->erasures);
    for (size_t i = 0; i < from->erasure_count; i++) {
        to->erasures[i] = from->erasures[i];
        to->erasures[i].key = model_bytes_copy(from->erasures[i].key);
    }
    to->erasure_count = from->erasure_count;
    to->erasure_capacity = from->erasure_count;
    return view;
}

/* ---- answers of several rows ---------------------------------------------------------------- */

bool model_in_range(const struct yore_range *range, struct yore_bytes key)
{
    if (range->prefix.size > 0) {
        return bytes_starts_with(key, range->prefix);
    }
    return (range->low.size == 0 || bytes_compare(key, range->low) >= 0) &&
           (range->high.size == 0 || bytes_compare(key, range->high) < 0);
}

static void model_rows_add(struct model_rows *rows, struct yore_bytes key,
                           const struct model_version *version)
{
    rows->rows = model_grow(rows->rows, rows->count, &rows->capacity, sizeof *rows->rows);
    rows->rows[rows->count++] = (struct model_row){key, *version};
}

void model_rows_release(struct model_rows *rows)
{
    free(rows->rows);
    *rows = (struct model_rows){0};
}

struct model_rows model_scan(const struct model *model, unsigned keyspace,
                             const struct yore_range *range, struct yore_time at)
{
    const struct model_keyspace *space = &model->keyspaces[keyspace];
    struct model_rows rows = {0};
    for (size_t i = 0; i < space->count; i++) {
        struct model_version version;
        if (model_in_range(range, space->keys[i].key) &&
            model_get_key(space, &space->keys[i], at, &version) == YORE_OK) {
            model_rows_add(&rows, space->keys[i].key, &version);
        }
    }
    return rows;
}

/* The index of the version in force at `from` that began before it; SIZE_MAX: none. */
static size_t model_in_force(const struct model_key *key,
                             const struct yore_timeline_options *options)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < key->count; i++) {
        const struct model_version *version = &key->versions[i];
        if (version->commit > options->known || version->valid_from > options->from) {
            continue;
        }
        found = version->valid_from < options->from ? i : SIZE_MAX;
    }
    if (found != SIZE_MAX && (key->versions[found].valid_to <= options->from ||
                              key->versions[found].kind == YORE_KIND_DELETE)) {
        return SIZE_MAX;
    }
    return found;
}

static bool model_is_corrected(const struct model_key *key, size_t index, int64_t known)
{
    return index + 1 < key->count &&
           key->versions[index + 1].valid_from == key->versions[index].valid_from &&
           key->versions[index + 1].commit <= known;
}

static void model_rows_reverse(struct model_rows *rows)
{
    for (size_t i = 0; i < rows->count / 2; i++) {
        struct model_row row = rows->rows[i];
        rows->rows[i] = rows->rows[rows->count - 1 - i];
        rows->rows[rows->count - 1 - i] = row;
    }
}

struct model_rows model_timeline(const struct model *model, unsigned keyspace,
                                 struct yore_bytes key, const struct yore_timeline_options *options)
{
    struct model_rows rows = {0};
    const struct model_key *entry = model_find(model, keyspace, key);
    if (entry == NULL) {
        return rows;
    }
    size_t in_force = options->with_in_force ? model_in_force(entry, options) : SIZE_MAX;
    for (size_t i = 0; i < entry->count; i++) {
        const struct model_version *version = &entry->versions[i];
        bool is_inside = version->valid_from >= options->from &&
                         (options->to == YORE_FOREVER || version->valid_from < options->to) &&
                         version->commit <= options->known &&
                         (options->every_commit || !model_is_corrected(entry, i, options->known));
        struct model_version told = *version;
        if (i == in_force && model_judge(&model->keyspaces[keyspace], entry->key, options->from,
                                         version) == YORE_ERASED) {
            told.kind = YORE_KIND_ERASED;
            told.value = bytes_of(NULL, 0);
        }
        if (is_inside || i == in_force) {
            model_rows_add(&rows, entry->key, &told);
        }
    }
    if (options->is_backward) {
        model_rows_reverse(&rows);
    }
    return rows;
}

bool model_is_key_changed(const struct model *model, unsigned keyspace, struct yore_bytes key,
                          int64_t after)
{
    const struct model_key *entry = model_find(model, keyspace, key);
    return entry != NULL && entry->newest_commit > after;
}

bool model_is_range_changed(const struct model *model, unsigned keyspace, struct yore_bytes low,
                            struct yore_bytes high, bool is_high_inclusive, int64_t after)
{
    const struct model_keyspace *space = &model->keyspaces[keyspace];
    for (size_t i = 0; i < space->count; i++) {
        int order = high.size == 0 ? -1 : bytes_compare(space->keys[i].key, high);
        if (space->keys[i].newest_commit > after && bytes_compare(space->keys[i].key, low) >= 0 &&
            (order < 0 || (order == 0 && is_high_inclusive))) {
            return true;
        }
    }
    return false;
}

/* ---- changes -------------------------------------------------------------------------------- */

struct model_step {
    int64_t time; /* since when it is so */
    int64_t valid_from;
    int64_t commit;
    bool is_present;
    struct yore_bytes value;
};

/* Did this version's presence become what it is at `valid` at the moment `bound`? */
static bool model_turned_at(const struct model_keyspace *space, struct yore_bytes key,
                            const struct model_version *version, int64_t valid, int64_t bound)
{
    bool is_present = model_judge(space, key, valid, version) == YORE_OK;
    return bound > version->valid_from && bound <= valid &&
           (model_judge(space, key, bound, version) == YORE_OK) == is_present &&
           (model_judge(space, key, bound - 1, version) == YORE_OK) != is_present;
}

/* The state of a key at one moment, and since when and by which version it is so. */
static struct model_step model_state(const struct model_keyspace *space,
                                     const struct model_key *key, struct yore_time at)
{
    struct model_step step = {.time = INT64_MIN, .commit = INT64_MIN};
    const struct model_version *version = model_winner(key, at);
    if (version == NULL) {
        return step;
    }
    step.is_present = model_judge(space, key->key, at.valid, version) == YORE_OK;
    step.value = step.is_present ? version->value : bytes_of(NULL, 0);
    step.valid_from = version->valid_from;
    step.commit = version->commit;
    step.time = version->valid_from;
    if (model_turned_at(space, key->key, version, at.valid, version->valid_to)) {
        step.time = version->valid_to;
    }
    for (size_t i = 0; i < space->erasure_count; i++) {
        int64_t bounds[2] = {space->erasures[i].from, space->erasures[i].to};
        for (unsigned j = 0; j < 2 && model_erasure_covers(&space->erasures[i], key->key); j++) {
            if (bounds[j] > step.time &&
                model_turned_at(space, key->key, version, at.valid, bounds[j])) {
                step.time = bounds[j];
            }
        }
    }
    return step;
}

static void model_changes_add(struct model_changes *changes, struct yore_bytes key,
                              const struct model_step *before, const struct model_step *after)
{
    struct yore_change change = {.key = key, .time = after->time, .commit = after->commit};
    change.kind = !before->is_present  ? YORE_CHANGE_ADDED
                  : !after->is_present ? YORE_CHANGE_REMOVED
                                       : YORE_CHANGE_CHANGED;
    change.before = before->value;
    change.after = after->value;
    changes->changes =
        model_grow(changes->changes, changes->count, &changes->capacity, sizeof *changes->changes);
    changes->changes[changes->count++] = change;
}

static void model_changes_net(const struct model_keyspace *space, const struct model_key *key,
                              const struct yore_changes_options *options,
                              struct model_changes *changes)
{
    struct yore_time from = {options->from, options->known};
    struct yore_time to = {options->to, options->known};
    struct model_step before = model_state(space, key, from);
    struct model_step after = model_state(space, key, to);
    bool is_same = before.is_present == after.is_present &&
                   (!before.is_present || bytes_equal(before.value, after.value));
    if (!is_same) {
        model_changes_add(changes, key->key, &before, &after);
    }
}

static int model_compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

/* Every moment in (from, to] at which the key's state may step. */
static size_t model_step_times(const struct model_keyspace *space, const struct model_key *key,
                               const struct yore_changes_options *options, int64_t *times)
{
    size_t count = 0;
    for (size_t i = 0; i < key->count; i++) {
        times[count++] = key->versions[i].valid_from;
        times[count++] = key->versions[i].valid_to;
    }
    for (size_t i = 0; i < space->erasure_count; i++) {
        if (model_erasure_covers(&space->erasures[i], key->key)) {
            times[count++] = space->erasures[i].from;
            times[count++] = space->erasures[i].to;
        }
    }
    qsort(times, count, sizeof *times, model_compare_times);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (times[i] > options->from && times[i] <= options->to &&
            (kept == 0 || times[kept - 1] != times[i])) {
            times[kept++] = times[i];
        }
    }
    return kept;
}

static void model_changes_every(const struct model_keyspace *space, const struct model_key *key,
                                const struct yore_changes_options *options,
                                struct model_changes *changes)
{
    int64_t *times = model_alloc((key->count + space->erasure_count) * 2 * sizeof *times);
    size_t count = model_step_times(space, key, options, times);
    struct yore_time at = {options->from, options->known};
    struct model_step before = model_state(space, key, at);
    for (size_t i = 0; i < count; i++) {
        at.valid = times[i];
        struct model_step after = model_state(space, key, at);
        bool is_step = before.is_present != after.is_present ||
                       (after.is_present &&
                        (before.valid_from != after.valid_from || before.commit != after.commit));
        if (is_step) {
            model_changes_add(changes, key->key, &before, &after);
        }
        before = after;
    }
    free(times);
}

static int model_compare_changes(const void *a, const void *b)
{
    const struct yore_change *left = a;
    const struct yore_change *right = b;
    if (left->time != right->time) {
        return left->time < right->time ? -1 : 1;
    }
    return bytes_compare(left->key, right->key);
}

struct model_changes model_changes(const struct model *model, unsigned keyspace,
                                   const struct yore_changes_options *options)
{
    const struct model_keyspace *space = &model->keyspaces[keyspace];
    struct model_changes changes = {0};
    for (size_t i = 0; i < space->count; i++) {
        if (!model_in_range(&options->range, space->keys[i].key)) {
            continue;
        }
        if (options->every_version) {
            model_changes_every(space, &space->keys[i], options, &changes);
        } else {
            model_changes_net(space, &space->keys[i], options, &changes);
        }
    }
    if (options->in_time_order && changes.count > 0) {
        qsort(changes.changes, changes.count, sizeof *changes.changes, model_compare_changes);
    }
    return changes;
}

void model_changes_release(struct model_changes *changes)
{
    free(changes->changes);
    *changes = (struct model_changes){0};
}
