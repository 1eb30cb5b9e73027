/* The demo's data against facts that were computed without any database: at every instant the facts
 * list, the counts and both digests of the state; net differences; version histories.  In every
 * shape the data takes on its way: fresh from the import, after a reopen, merged, with small tables
 * and many slices.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yore/yore.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/sha256.h"
#include "cli/import.h"
#include "cli/store.h"
#include "cli/words.h"
#include "support/test.h"

#define NS_PER_MS INT64_C(1000000)

/* ---- the facts, read as they come ------------------------------------------------------------ */

static struct yore_bytes member(const struct json_properties *members, const char *name)
{
    for (size_t i = 0; i < members->count; i++) {
        if (bytes_equal(members->items[i].name, bytes_of(name, strlen(name)))) {
            return members->items[i].value;
        }
    }
    FAIL("the facts have no %s", name);
    return bytes_of(NULL, 0);
}

/* Members of an object text: names and canonical values, which live until the case ends. */
static struct json_properties members_of(struct yore_bytes text)
{
    struct json_properties members = {.count = 0};
    struct json_reader r;
    bool has_member = false;
    json_reader_init(&r, text);
    CHECK(json_object_begin(&r));
    for (;;) {
        struct buffer name = {0};
        struct buffer value = {0};
        CHECK(json_object_member(&r, &name, &has_member));
        if (!has_member) {
            return members;
        }
        CHECK(json_copy(&r, &value));
        json_properties_add(&members,
                            (struct json_property){buffer_bytes(&name), buffer_bytes(&value)});
    }
}

static void release_members(struct json_properties *members)
{
    for (size_t i = 0; i < members->count; i++) {
        struct buffer name = {.data = (unsigned char *)(uintptr_t)members->items[i].name.data};
        struct buffer value = {.data = (unsigned char *)(uintptr_t)members->items[i].value.data};
        buffer_release(&name);
        buffer_release(&value);
    }
    json_properties_release(members);
}

static int64_t number_of(const struct json_properties *members, const char *name)
{
    struct yore_bytes text = member(members, name);
    char digits[32];
    CHECK(text.size < sizeof(digits));
    memcpy(digits, text.data, text.size);
    digits[text.size] = '\0';
    return strtoll(digits, NULL, 10);
}

static struct yore_bytes string_of(const struct json_properties *members, const char *name)
{
    struct yore_bytes text = member(members, name);
    CHECK(text.size >= 2);
    return bytes_of((const char *)text.data + 1, text.size - 2); /* none of ours needs escapes */
}

/* Walk an array text: call `each` with every element's text. */
static void for_each(struct yore_bytes array, void (*each)(void *arg, struct yore_bytes element),
                     void *arg)
{
    struct yore_bytes inside = bytes_of((const char *)array.data + 1, array.size - 2);
    struct json_reader r;
    json_reader_init(&r, inside);
    while (r.at < r.end) {
        struct buffer element = {0};
        CHECK(json_copy(&r, &element));
        each(arg, buffer_bytes(&element));
        buffer_release(&element);
        if (r.at < r.end) {
            CHECK_EQ_INT(*r.at, ',');
            r.at++;
        }
    }
}

/* ---- states ---------------------------------------------------------------------------------- */

struct state {
    struct sha256 structure;
    struct sha256 properties;
    struct buffer line;
    struct buffer last_line;
    uint64_t nodes;
    uint64_t edges;
    uint64_t node_properties;
    uint64_t edge_properties;
};

static bool counts_in_digest(struct yore_bytes value)
{
    const char *text = value.data;
    bool is_fraction =
        memchr(text, '.', value.size) != NULL || memchr(text, 'e', value.size) != NULL;
    bool is_number = *text == '-' || (*text >= '0' && *text <= '9');
    return *text == '"' || *text == 't' || *text == 'f' || (is_number && !is_fraction);
}

static void add_text(struct buffer *to, struct yore_bytes text)
{
    struct json_reader r;
    json_reader_init(&r, text);
    CHECK(json_string(&r, to));
}

/* labels as "A,B"; or type, source and target, separated by tabs */
static void add_shape(struct buffer *line, const struct json_properties *members, bool is_edge)
{
    static const char *const names[] = {"type", "src", "dst"};
    if (is_edge) {
        for (size_t i = 0; i < 3; i++) {
            buffer_append_u8(line, '\t');
            add_text(line, member(members, names[i]));
        }
        return;
    }
    struct json_reader r;
    struct yore_bytes labels = member(members, "labels");
    json_reader_init(&r, bytes_of((const char *)labels.data + 1, labels.size - 2));
    buffer_append_u8(line, '\t');
    while (r.at < r.end) {
        CHECK(json_string(&r, line));
        if (r.at < r.end) {
            r.at++;
            buffer_append_u8(line, ',');
        }
    }
}

static uint64_t add_properties(struct buffer *line, const struct json_properties *members)
{
    struct json_properties all = members_of(member(members, "props"));
    struct json_properties kept = {.count = 0};
    for (size_t i = 0; i < all.count; i++) {
        if (counts_in_digest(all.items[i].value)) {
            json_properties_add(&kept, all.items[i]);
        }
    }
    json_properties_sort(&kept, false);
    buffer_append_u8(line, '\t');
    json_properties_append(&kept, line);
    uint64_t count = all.count;
    json_properties_release(&kept);
    release_members(&all);
    return count;
}

static void begin_line(struct buffer *line, const struct yore_row *row)
{
    const char *key = row->key.data;
    buffer_clear(line);
    buffer_append_u8(line, (uint8_t)key[0]);
    buffer_append_u8(line, '\t');
    buffer_append(line, key + 2, row->key.size - 2);
}

static void add_row(struct state *state, const struct yore_row *row)
{
    bool is_edge = *(const char *)row->key.data == 'e';
    struct json_properties members = members_of(row->value);
    begin_line(&state->line, row);
    add_shape(&state->line, &members, is_edge);
    /* The digests are over sorted lines; keys in order give them so, as no id has what sorts before
     * a tab. */
    CHECK(bytes_compare(buffer_bytes(&state->last_line), buffer_bytes(&state->line)) < 0);
    buffer_clear(&state->last_line);
    buffer_append_bytes(&state->last_line, buffer_bytes(&state->line));
    buffer_append_u8(&state->line, '\n');
    sha256_add(&state->structure, buffer_bytes(&state->line));
    begin_line(&state->line, row);
    uint64_t count = add_properties(&state->line, &members);
    buffer_append_u8(&state->line, '\n');
    sha256_add(&state->properties, buffer_bytes(&state->line));
    state->nodes += !is_edge;
    state->edges += is_edge;
    state->node_properties += is_edge ? 0 : count;
    state->edge_properties += is_edge ? count : 0;
    release_members(&members);
}

static void check_digest(struct sha256 *h, const struct json_properties *fact, const char *name)
{
    char hex[65];
    sha256_end_text(h, hex);
    struct yore_bytes want = string_of(fact, name);
    CHECK_EQ_BYTES(hex, 64, want.data, want.size);
}

static void check_instant(void *arg, struct yore_bytes text)
{
    struct yore_db *db = arg;
    struct json_properties fact = members_of(text);
    struct state state = {.nodes = 0};
    struct yore_time at = {number_of(&fact, "t") * NS_PER_MS, YORE_NOW};
    const struct yore_cursor_options options = {.at = &at};
    struct yore_cursor *cursor;
    struct yore_error error;
    test_note("as of %lld", (long long)(at.valid / NS_PER_MS));
    sha256_init(&state.structure);
    sha256_init(&state.properties);
    CHECK_OK(yore_cursor_open(db, NULL, &options, &cursor, &error));
    enum yore_status st = yore_cursor_first(cursor);
    for (; st == YORE_OK; st = yore_cursor_next(cursor)) {
        add_row(&state, yore_cursor_row(cursor));
    }
    CHECK_STATUS(st, YORE_NOT_FOUND);
    yore_cursor_close(cursor);
    CHECK_EQ_INT(state.nodes, number_of(&fact, "nodes"));
    CHECK_EQ_INT(state.edges, number_of(&fact, "edges"));
    CHECK_EQ_INT(state.node_properties, number_of(&fact, "node_properties"));
    CHECK_EQ_INT(state.edge_properties, number_of(&fact, "edge_properties"));
    check_digest(&state.structure, &fact, "structure_sha256");
    check_digest(&state.properties, &fact, "properties_sha256");
    buffer_release(&state.line);
    buffer_release(&state.last_line);
    release_members(&fact);
    test_count(6);
}

/* ---- differences ----------------------------------------------------------------------------- */

static void check_difference(struct yore_db *db, const struct json_properties *fact,
                             const char *prefix, const char *const names[3])
{
    struct yore_changes_options options = {.from = number_of(fact, "t1") * NS_PER_MS,
                                           .to = number_of(fact, "t2") * NS_PER_MS,
                                           .known = YORE_NOW};
    struct yore_changes *changes;
    struct yore_change change;
    struct yore_error error;
    int64_t counts[3] = {0, 0, 0};
    enum yore_status st;
    options.range.prefix = bytes_of(prefix, 2);
    CHECK_OK(yore_changes_open(db, NULL, &options, &changes, &error));
    while ((st = yore_changes_next(changes, &change, &error)) == YORE_OK) {
        CHECK((change.kind == YORE_CHANGE_ADDED) == (change.before.data == NULL));
        CHECK((change.kind == YORE_CHANGE_REMOVED) == (change.after.data == NULL));
        counts[change.kind - YORE_CHANGE_ADDED]++;
    }
    CHECK_STATUS(st, YORE_NOT_FOUND);
    yore_changes_close(changes);
    for (size_t i = 0; i < 3; i++) {
        test_note("%s from %lld to %lld", names[i], (long long)options.from, (long long)options.to);
        CHECK_EQ_INT(counts[i], number_of(fact, names[i]));
    }
    test_count(3);
}

static void check_net_diff(void *arg, struct yore_bytes text)
{
    static const char *const nodes[] = {"nodes_added", "nodes_changed", "nodes_removed"};
    static const char *const edges[] = {"edges_added", "edges_changed", "edges_removed"};
    struct json_properties fact = members_of(text);
    check_difference(arg, &fact, "n/", nodes);
    check_difference(arg, &fact, "e/", edges);
    release_members(&fact);
}

/* ---- histories ------------------------------------------------------------------------------- */

/* The versions of one key as the facts write them: [[t,"+"],[t,"~"],...]. */
struct history {
    struct buffer text;
    size_t versions;
    size_t offsets[4096]; /* of each version in `text` */
};

static void read_history(struct yore_db *db, struct yore_bytes key, bool is_backward,
                         struct history *history)
{
    const struct yore_timeline_options options = {
        .from = YORE_TIME_MIN, .to = YORE_FOREVER, .known = YORE_NOW, .is_backward = is_backward};
    struct yore_timeline *timeline;
    struct yore_version version;
    struct yore_error error;
    bool was_there = false;
    enum yore_status st;
    buffer_clear(&history->text);
    history->versions = 0;
    CHECK_OK(yore_timeline_open(db, NULL, key, &options, &timeline, &error));
    while ((st = yore_timeline_next(timeline, &version, &error)) == YORE_OK) {
        char text[48];
        bool is_put = version.kind == YORE_KIND_PUT;
        const char *op = !is_put ? "-" : was_there ? "~" : "+";
        CHECK(history->versions < sizeof(history->offsets) / sizeof(history->offsets[0]));
        history->offsets[history->versions++] = history->text.size;
        int size = snprintf(text, sizeof(text), "[%lld,\"%s\"],",
                            (long long)(version.valid_from / NS_PER_MS), op);
        buffer_append(&history->text, text, (size_t)size);
        was_there = is_put;
    }
    CHECK_STATUS(st, YORE_NOT_FOUND);
    yore_timeline_close(timeline);
}

/* A long history is listed as its first ten versions, "...", and its last ten. */
static void fold_history(const struct history *history, bool is_long, struct buffer *to)
{
    size_t versions = history->versions;
    const unsigned char *text = history->text.data;
    buffer_append_u8(to, '[');
    if (!is_long) {
        buffer_append(to, text, history->text.size);
    } else {
        size_t last = history->offsets[versions - 10];
        buffer_append(to, text, history->offsets[10]);
        buffer_append(to, "\"...\",", 6);
        buffer_append(to, text + last, history->text.size - last);
    }
    to->data[to->size - 1] = ']';
}

static bool is_folded(struct yore_bytes changes)
{
    static const char mark[] = "\"...\"";
    const char *text = changes.data;
    size_t size = sizeof(mark) - 1;
    for (size_t i = 0; i + size <= changes.size; i++) {
        if (memcmp(text + i, mark, size) == 0) {
            return true;
        }
    }
    return false;
}

static void check_history(void *arg, struct yore_bytes text)
{
    struct yore_db *db = arg;
    struct json_properties fact = members_of(text);
    static struct history history;
    struct buffer key = {0};
    struct buffer folded = {0};
    struct yore_bytes want = member(&fact, "changes");
    buffer_append(&key, "n/", 2);
    add_text(&key, member(&fact, "id"));
    read_history(db, buffer_bytes(&key), false, &history);
    if (history.versions == 0) {
        key.data[0] = 'e';
        read_history(db, buffer_bytes(&key), false, &history);
    }
    test_note("%.*s", (int)key.size, (const char *)key.data);
    CHECK_EQ_INT(history.versions, number_of(&fact, "versions"));
    fold_history(&history, is_folded(want), &folded);
    CHECK_EQ_BYTES(folded.data, folded.size, want.data, want.size);
    read_history(db, buffer_bytes(&key), true, &history);
    CHECK_EQ_INT(history.versions, number_of(&fact, "versions"));
    buffer_release(&key);
    buffer_release(&folded);
    buffer_release(&history.text);
    release_members(&fact);
    test_count(3);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void check_facts(struct yore_db *db)
{
    struct buffer text = {0};
    struct yore_error error;
    FILE *file = fopen(WMF_DIR "/wmf-infra.facts.json", "rb");
    CHECK(file != NULL);
    CHECK_OK(read_stream(file, "facts", SIZE_MAX / 2, &text, &error));
    fclose(file);
    struct json_properties facts = members_of(buffer_bytes(&text));
    for_each(member(&facts, "as_of"), check_instant, db);
    for_each(member(&facts, "net_diff"), check_net_diff, db);
    for_each(member(&facts, "history"), check_history, db);
    release_members(&facts);
    buffer_release(&text);
}

static void import_all(struct yore_db *db)
{
    const struct import_options options = {.durability = YORE_DURABILITY_NONE, .batch_rows = 1};
    struct line_source *source;
    struct import_counts counts;
    enum import_format format;
    struct yore_error error;
    FILE *file = fopen(WMF_DIR "/wmf-infra.tsv.zst", "rb");
    CHECK(file != NULL);
    CHECK_OK(line_source_open(file, "wmf-infra", &source, &error));
    CHECK_OK(import_detect(source, &format, &error));
    CHECK_EQ_INT(format, IMPORT_EVENTS);
    struct store *store = NULL;
    CHECK_OK(store_of_db(db, &store, &error));
    enum yore_status st = import_run(store, source, format, &options, &counts, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    CHECK_EQ_UINT(counts.lines, 200757);
    CHECK_EQ_UINT(counts.writes, 200757);
    CHECK_EQ_UINT(counts.transactions, 37224);
    store_leave(store);
    line_source_close(source);
    fclose(file);
}

static struct yore_db *open_db(const struct yore_options *options)
{
    struct yore_db *db = NULL;
    struct yore_error error;
    enum yore_status st = yore_open(test_path("db"), options, &db, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    return db;
}

static void close_db(struct yore_db *db)
{
    struct yore_error error;
    CHECK_OK(yore_close(db, &error));
}

static void verify_db(struct yore_db *db)
{
    struct yore_verify_report report;
    struct yore_error error;
    enum yore_status st = yore_verify(db, NULL, NULL, &report, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    /* The catalogue's own few are counted too. */
    CHECK(report.versions >= 200757 && report.versions < 200757 + 8);
    CHECK(report.keys >= 5982 + 13198 && report.keys < 5982 + 13198 + 8);
    CHECK_EQ_UINT(report.problems, 0);
}

TEST(facts_hold_fresh_reopened_and_merged)
{
    struct yore_error error;
    struct yore_db *db = open_db(NULL);
    import_all(db);
    check_facts(db);
    close_db(db);
    db = open_db(NULL);
    CHECK_OK(yore_compact(db, NULL, &error));
    check_facts(db);
    verify_db(db);
    close_db(db);
}

TEST(facts_hold_with_small_tables_and_many_slices)
{
    struct yore_options options;
    yore_options_init(&options);
    options.memtable_bytes = 1u << 20;
    options.segment_bytes = 1u << 20;
    options.table_bytes = 256u << 10;
    options.page_bytes = 2048;
    options.seal_versions_per_key = 2;
    options.seal_bytes_min = 64u << 10;
    options.cache_bytes = 4u << 20;
    struct yore_db *db = open_db(&options);
    import_all(db);
    check_facts(db);
    close_db(db);
    db = open_db(&options);
    verify_db(db);
    close_db(db);
}

TEST_MAIN(facts_hold_fresh_reopened_and_merged, facts_hold_with_small_tables_and_many_slices)
