/* model_self_test.c -- the reference itself, on examples worked out by hand. */
#include <string.h>

#include "base/bytes.h"
#include "support/model.h"
#include "support/test.h"

static struct yore_bytes text(const char *string)
{
    return bytes_of(string, strlen(string));
}

static struct model_write put_at(const char *key, const char *value, int64_t from, int64_t to)
{
    struct model_write write = {.kind = MODEL_PUT, .from = from, .to = to};
    write.key = text(key);
    write.value = text(value);
    return write;
}

static void put(struct model *model, int64_t commit, const char *key, const char *value,
                int64_t from, int64_t to)
{
    struct model_write write = put_at(key, value, from, to);
    model_apply(model, commit, &write, 1);
}

static void put_span(struct model *model, int64_t commit, const char *key, const char *value,
                     int64_t from, int64_t to)
{
    struct model_write write = put_at(key, value, from, to);
    write.is_span = true;
    model_apply(model, commit, &write, 1);
}

/* The value of "k" at a moment: "-" absent, "!" erased. */
static const char *value_at(const struct model *model, int64_t valid, int64_t known)
{
    static char storage[32];
    struct model_version version;
    struct yore_time at = {valid, known};
    enum yore_status status = model_get(model, 0, text("k"), at, &version);
    if (status != YORE_OK) {
        return status == YORE_ERASED ? "!" : "-";
    }
    memcpy(storage, version.value.data, version.value.size);
    storage[version.value.size] = '\0';
    return storage;
}

TEST(the_greatest_valid_from_and_commit_wins)
{
    struct model *model = model_new();
    put(model, 100, "k", "a", YORE_NOW, YORE_FOREVER);
    put(model, 200, "k", "b", YORE_NOW, YORE_FOREVER);
    put(model, 300, "k", "late", 150, YORE_FOREVER);
    put(model, 400, "k", "better", 150, YORE_FOREVER);
    CHECK_EQ_STR(value_at(model, 99, INT64_MAX), "-");
    CHECK_EQ_STR(value_at(model, 100, INT64_MAX), "a");
    CHECK_EQ_STR(value_at(model, 160, 250), "a");
    CHECK_EQ_STR(value_at(model, 160, 300), "late");
    CHECK_EQ_STR(value_at(model, 160, 400), "better");
    CHECK_EQ_STR(value_at(model, 200, INT64_MAX), "b");
    model_free(model);
}

TEST(a_time_to_live_ends_and_nothing_comes_back)
{
    struct model *model = model_new();
    put(model, 100, "k", "a", YORE_NOW, YORE_FOREVER);
    put(model, 200, "k", "b", YORE_NOW, 250);
    CHECK_EQ_STR(value_at(model, 249, INT64_MAX), "b");
    CHECK_EQ_STR(value_at(model, 250, INT64_MAX), "-");
    model_free(model);
}

TEST(after_a_span_what_held_before_holds_again)
{
    struct model *model = model_new();
    put(model, 100, "k", "a", YORE_NOW, YORE_FOREVER);
    put(model, 200, "k", "b", YORE_NOW, YORE_FOREVER);
    put_span(model, 300, "k", "span", 150, 250);
    CHECK_EQ_STR(value_at(model, 149, INT64_MAX), "a");
    CHECK_EQ_STR(value_at(model, 150, INT64_MAX), "span");
    CHECK_EQ_STR(value_at(model, 220, INT64_MAX), "span");
    CHECK_EQ_STR(value_at(model, 250, INT64_MAX), "b");
    CHECK_EQ_STR(value_at(model, 220, 299), "b");
    model_free(model);
}

TEST(a_span_before_everything_leaves_a_delete_behind)
{
    struct model *model = model_new();
    put_span(model, 300, "k", "span", 150, 250);
    CHECK_EQ_STR(value_at(model, 150, INT64_MAX), "span");
    CHECK_EQ_STR(value_at(model, 250, INT64_MAX), "-");
    model_free(model);
}

static void erase_span(struct model *model, int64_t commit, int64_t from, int64_t to)
{
    struct model_write erase = {.kind = MODEL_ERASE, .from = from, .to = to};
    erase.key = text("k");
    model_apply(model, commit, &erase, 1);
}

TEST(an_erased_span_hides_what_held_in_it_and_keeps_what_holds_after)
{
    struct model *model = model_new();
    put(model, 100, "k", "a", YORE_NOW, YORE_FOREVER);
    put(model, 200, "k", "b", YORE_NOW, YORE_FOREVER);
    erase_span(model, 300, 150, 250);
    CHECK_EQ_STR(value_at(model, 120, INT64_MAX), "a");
    CHECK_EQ_STR(value_at(model, 160, INT64_MAX), "!");
    CHECK_EQ_STR(value_at(model, 210, INT64_MAX), "!");
    CHECK_EQ_STR(value_at(model, 210, 250), "!");
    CHECK_EQ_STR(value_at(model, 250, INT64_MAX), "b");
    put(model, 400, "k", "c", 220, YORE_FOREVER);
    CHECK_EQ_STR(value_at(model, 230, INT64_MAX), "c");
    model_free(model);
}

TEST(an_erased_key_may_be_written_again)
{
    struct model *model = model_new();
    put(model, 100, "k", "a", YORE_NOW, YORE_FOREVER);
    erase_span(model, 200, YORE_TIME_MIN, YORE_FOREVER);
    CHECK_EQ_STR(value_at(model, 50, INT64_MAX), "-");
    CHECK_EQ_STR(value_at(model, 150, INT64_MAX), "!");
    put(model, 300, "k", "b", YORE_NOW, YORE_FOREVER);
    CHECK_EQ_STR(value_at(model, 300, INT64_MAX), "b");
    CHECK_EQ_STR(value_at(model, 299, INT64_MAX), "!");
    model_free(model);
}

TEST(net_changes_leave_out_what_is_equal_again)
{
    struct model *model = model_new();
    put(model, 100, "k", "a", YORE_NOW, YORE_FOREVER);
    put(model, 200, "k", "b", YORE_NOW, 250);
    put(model, 300, "k", "a", YORE_NOW, YORE_FOREVER);
    struct yore_changes_options options = {.from = 150, .to = 300, .known = INT64_MAX};
    struct model_changes changes = model_changes(model, 0, &options);
    CHECK_EQ_UINT(changes.count, 0);
    model_changes_release(&changes);
    options.every_version = true;
    changes = model_changes(model, 0, &options);
    CHECK_EQ_UINT(changes.count, 3);
    CHECK_EQ_INT(changes.changes[0].kind, YORE_CHANGE_CHANGED);
    CHECK_EQ_INT(changes.changes[1].kind, YORE_CHANGE_REMOVED);
    CHECK_EQ_INT(changes.changes[1].time, 250);
    CHECK_EQ_INT(changes.changes[2].kind, YORE_CHANGE_ADDED);
    model_changes_release(&changes);
    model_free(model);
}

TEST(a_timeline_shows_corrections_when_asked)
{
    struct model *model = model_new();
    put(model, 100, "k", "a", YORE_NOW, YORE_FOREVER);
    put(model, 200, "k", "b", 150, YORE_FOREVER);
    put(model, 300, "k", "c", 150, YORE_FOREVER);
    struct yore_timeline_options options = {
        .from = 120, .to = YORE_FOREVER, .known = YORE_NOW, .with_in_force = true};
    struct model_rows rows = model_timeline(model, 0, text("k"), &options);
    CHECK_EQ_UINT(rows.count, 2);
    CHECK_EQ_INT(rows.rows[0].version.commit, 100);
    CHECK_EQ_INT(rows.rows[1].version.commit, 300);
    model_rows_release(&rows);
    options.every_commit = true;
    options.is_backward = true;
    rows = model_timeline(model, 0, text("k"), &options);
    CHECK_EQ_UINT(rows.count, 3);
    CHECK_EQ_INT(rows.rows[0].version.commit, 300);
    model_rows_release(&rows);
    model_free(model);
}

TEST(a_prefix_of_the_commits_is_made_again)
{
    struct model *model = model_new();
    put(model, 100, "k", "a", YORE_NOW, YORE_FOREVER);
    put_span(model, 200, "k", "b", 120, 150);
    put(model, 300, "k", "c", YORE_NOW, YORE_FOREVER);
    CHECK_EQ_UINT(model_commits_until(model, 299), 2);
    struct model *prefix = model_prefix(model, 2);
    CHECK_EQ_STR(value_at(prefix, 400, INT64_MAX), "a");
    CHECK_EQ_STR(value_at(prefix, 130, INT64_MAX), "b");
    model_free(prefix);
    model_free(model);
}

TEST_MAIN(the_greatest_valid_from_and_commit_wins, a_time_to_live_ends_and_nothing_comes_back,
          after_a_span_what_held_before_holds_again,
          a_span_before_everything_leaves_a_delete_behind,
          an_erased_span_hides_what_held_in_it_and_keeps_what_holds_after,
          an_erased_key_may_be_written_again, net_changes_leave_out_what_is_equal_again,
          a_timeline_shows_corrections_when_asked, a_prefix_of_the_commits_is_made_again)
