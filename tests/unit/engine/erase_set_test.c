/* erase_set_test.c -- rules against a plain list of them. */
#include "engine/erase_set.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/test.h"

#define RULES_MAX 400u
#define KEY_BYTES 8u

struct plain_rule {
    uint32_t keyspace;
    unsigned char low[KEY_BYTES];
    size_t low_size;
    unsigned char high[KEY_BYTES];
    size_t high_size;
    int64_t from;
    int64_t to;
    int64_t commit;
};

static struct yore_bytes low_of(const struct plain_rule *rule)
{
    return bytes_of(rule->low, rule->low_size);
}

static struct yore_bytes high_of(const struct plain_rule *rule)
{
    return bytes_of(rule->high, rule->high_size);
}

static bool plain_covers(const struct plain_rule *rules, size_t count, uint32_t keyspace,
                         struct yore_bytes key, int64_t valid, int64_t commit)
{
    for (size_t i = 0; i < count; i++) {
        const struct plain_rule *rule = &rules[i];
        if (rule->keyspace == keyspace && bytes_compare(low_of(rule), key) <= 0 &&
            (rule->high_size == 0 || bytes_compare(key, high_of(rule)) < 0) &&
            rule->from <= valid && (valid < rule->to || rule->to == YORE_FOREVER) &&
            commit < rule->commit) {
            return true;
        }
    }
    return false;
}

/* Most keys of a random rule; 1: spans of the same few keys lie over each other. */
static size_t key_size_max = 3;

static size_t random_key(struct test_rand *rand, unsigned char key[KEY_BYTES])
{
    size_t size = 1 + test_rand_below(rand, key_size_max);
    for (size_t i = 0; i < size; i++) {
        static const unsigned char octets[] = {0, 1, 'a', 'b', 0xff};
        key[i] = octets[test_rand_below(rand, sizeof octets)];
    }
    return size;
}

static void random_rule(struct test_rand *rand, struct plain_rule *rule, int64_t commit)
{
    *rule = (struct plain_rule){.keyspace = (uint32_t)(1 + test_rand_below(rand, 2)),
                                .from = YORE_TIME_MIN,
                                .to = YORE_FOREVER,
                                .commit = commit};
    rule->low_size = random_key(rand, rule->low);
    if (test_rand_one_in(rand, 6)) { /* any range, one that overlaps others too */
        rule->high_size = random_key(rand, rule->high);
        while (bytes_compare(high_of(rule), low_of(rule)) <= 0) {
            rule->high_size = random_key(rand, rule->high);
            rule->low_size = random_key(rand, rule->low);
        }
        return;
    }
    if (test_rand_one_in(rand, 4)) {
        struct buffer high = {0};
        CHECK_OK(prefix_end(low_of(rule), &high));
        if (high.size > 0) {
            memcpy(rule->high, high.data, high.size);
        }
        rule->high_size = high.size;
        buffer_release(&high);
        return;
    }
    memcpy(rule->high, rule->low, rule->low_size);
    rule->high[rule->low_size] = 0;
    rule->high_size = rule->low_size + 1;
    if (test_rand_one_in(rand, 2)) {
        rule->from = (int64_t)test_rand_below(rand, 50);
        rule->to = rule->from + 1 + (int64_t)test_rand_below(rand, 20);
    }
}

static void add(struct erase_set **set, struct plain_rule *rule)
{
    struct erase_rule made = {.keyspace = rule->keyspace,
                              .low = {rule->low, rule->low_size},
                              .high = {rule->high, rule->high_size},
                              .from = rule->from,
                              .to = rule->to,
                              .commit = rule->commit};
    struct erase_set *next = NULL;
    CHECK_OK(erase_set_with(*set, &made, &next));
    erase_set_unref(*set);
    *set = next;
}

/* Is there a rule that a table of these keys, written before all rules, may have values of? */
static void compare_wants(const struct erase_set *set, const struct plain_rule *rules, size_t count,
                          struct test_rand *rand)
{
    unsigned char first[KEY_BYTES];
    unsigned char last[KEY_BYTES];
    struct table_meta meta = {.valid_min = (int64_t)test_rand_below(rand, 40),
                              .commit_min = (int64_t)test_rand_below(rand, count + 2)};
    struct yore_bytes low = bytes_of(first, random_key(rand, first));
    struct yore_bytes high = bytes_of(last, random_key(rand, last));
    int64_t seen = (int64_t)test_rand_below(rand, count + 2);
    uint32_t keyspace = (uint32_t)(1 + test_rand_below(rand, 3));
    bool want = false;
    if (bytes_compare(low, high) > 0) {
        return;
    }
    meta.valid_max = meta.valid_min + (int64_t)test_rand_below(rand, 20);
    buffer_append_bytes(&meta.first_key, low);
    buffer_append_bytes(&meta.last_key, high);
    for (size_t i = 0; i < count; i++) {
        const struct plain_rule *rule = &rules[i];
        want |= rule->keyspace == keyspace && bytes_compare(low_of(rule), high) <= 0 &&
                (rule->high_size == 0 || bytes_compare(low, high_of(rule)) < 0) &&
                rule->commit > seen && meta.commit_min < rule->commit &&
                rule->from <= meta.valid_max &&
                (meta.valid_min < rule->to || rule->to == YORE_FOREVER);
    }
    CHECK_EQ_INT(erase_set_wants(set, keyspace, &meta, seen), want);
    table_meta_release(&meta);
}

static void compare(const struct erase_set *set, const struct plain_rule *rules, size_t count,
                    struct test_rand *rand)
{
    for (int i = 0; i < 20; i++) {
        unsigned char bytes[KEY_BYTES];
        struct yore_bytes key = bytes_of(bytes, random_key(rand, bytes));
        uint32_t keyspace = (uint32_t)(1 + test_rand_below(rand, 3));
        struct version version = {.key = key,
                                  .valid_from = (int64_t)test_rand_below(rand, 80),
                                  .commit = (int64_t)test_rand_below(rand, count + 2)};
        bool want = plain_covers(rules, count, keyspace, key, version.valid_from, version.commit);
        CHECK_EQ_INT(erase_set_covers(set, keyspace, key, version.valid_from, version.commit),
                     want);
        CHECK_EQ_INT(erase_set_hides(set, keyspace, &version), want);
        compare_wants(set, rules, count, rand);
    }
}

static void compare_growing(void)
{
    struct test_rand rand = test_rand_new(0);
    static struct plain_rule rules[RULES_MAX];
    struct erase_set *set = NULL;
    CHECK_OK(erase_set_new(INT64_MIN, &set));
    CHECK_EQ_INT(erase_set_commit_max(set), INT64_MIN);
    for (size_t i = 0; i < RULES_MAX; i++) {
        random_rule(&rand, &rules[i], (int64_t)i + 1);
        add(&set, &rules[i]);
        CHECK_EQ_UINT(erase_set_count(set), i + 1);
        CHECK_EQ_INT(erase_set_commit_max(set), (int64_t)i + 1);
        compare(set, rules, i + 1, &rand);
    }
    erase_set_unref(set);
}

TEST(set_answers_as_a_plain_list_does)
{
    compare_growing();
}

TEST(set_answers_as_a_plain_list_does_where_spans_lie_over_each_other)
{
    key_size_max = 1;
    compare_growing();
    key_size_max = 3;
}

TEST(every_rule_can_be_asked_for_once)
{
    struct test_rand rand = test_rand_new(0);
    static struct plain_rule rules[RULES_MAX];
    bool seen[RULES_MAX + 1] = {false};
    struct erase_set *set = NULL;
    CHECK_OK(erase_set_new(INT64_MIN, &set));
    for (size_t i = 0; i < RULES_MAX; i++) {
        random_rule(&rand, &rules[i], (int64_t)i + 1);
        add(&set, &rules[i]);
    }
    for (size_t i = 0; i < erase_set_count(set); i++) {
        const struct erase_rule *rule = erase_set_rule(set, i);
        CHECK(rule->commit >= 1 && rule->commit <= (int64_t)RULES_MAX);
        CHECK(!seen[rule->commit]);
        seen[rule->commit] = true;
        const struct plain_rule *want = &rules[rule->commit - 1];
        CHECK(bytes_equal(forest_key_bytes(&rule->low), low_of(want)));
        CHECK(bytes_equal(forest_key_bytes(&rule->high), high_of(want)));
        CHECK_EQ_INT(rule->from, want->from);
        CHECK_EQ_INT(rule->to, want->to);
    }
    erase_set_unref(set);
}

TEST(set_is_unchanged_when_another_is_made_from_it)
{
    struct plain_rule rule = {.keyspace = 1,
                              .low = "k",
                              .low_size = 1,
                              .high = "k",
                              .high_size = 2,
                              .from = YORE_TIME_MIN,
                              .to = YORE_FOREVER,
                              .commit = 10};
    struct erase_set *set = NULL;
    CHECK_OK(erase_set_new(INT64_MIN, &set));
    struct erase_set *kept = erase_set_ref(set);
    add(&set, &rule);
    CHECK_EQ_UINT(erase_set_count(kept), 0);
    CHECK(!erase_set_covers(kept, 1, bytes_of("k", 1), 5, 5));
    CHECK(erase_set_covers(set, 1, bytes_of("k", 1), 5, 5));
    CHECK(!erase_set_covers(set, 1, bytes_of("k", 1), 5, 10));
    CHECK(!erase_set_covers(set, 1, bytes_of("k0", 2), 5, 5));
    erase_set_unref(kept);
    erase_set_unref(set);
}

/* Some rule over the whole timeline, up to `purged`, hides all that this one hides. */
static bool plain_retires(const struct plain_rule *rules, size_t count, const struct plain_rule *of,
                          int64_t purged)
{
    for (size_t i = 0; i < count; i++) {
        const struct plain_rule *by = &rules[i];
        bool is_over = by->keyspace == of->keyspace && bytes_compare(low_of(by), low_of(of)) <= 0 &&
                       (by->high_size == 0 ||
                        (of->high_size > 0 && bytes_compare(high_of(of), high_of(by)) <= 0));
        if (by->from == YORE_TIME_MIN && by->to == YORE_FOREVER && by->commit <= purged &&
            (by == of || (is_over && of->commit < by->commit))) {
            return true;
        }
    }
    return false;
}

static void compare_left(void)
{
    struct test_rand rand = test_rand_new(0);
    static struct plain_rule rules[RULES_MAX];
    static struct plain_rule left[RULES_MAX];
    struct erase_set *set = NULL;
    struct erase_set *retired = NULL;
    size_t left_count = 0;
    int64_t purged = (int64_t)(RULES_MAX / 4 + test_rand_below(&rand, RULES_MAX / 2));
    CHECK_OK(erase_set_new(INT64_MIN, &set));
    for (size_t i = 0; i < RULES_MAX; i++) {
        random_rule(&rand, &rules[i], (int64_t)i + 1);
        add(&set, &rules[i]);
    }
    for (size_t i = 0; i < RULES_MAX; i++) {
        if (!plain_retires(rules, RULES_MAX, &rules[i], purged)) {
            left[left_count++] = rules[i];
        }
    }
    CHECK(left_count < RULES_MAX);
    CHECK_OK(erase_set_retired(set, set, purged, &retired));
    CHECK_EQ_UINT(erase_set_count(retired), left_count);
    CHECK_EQ_UINT(erase_set_count(set), RULES_MAX);
    CHECK_EQ_INT(erase_set_commit_max(retired), (int64_t)RULES_MAX);
    compare(retired, left, left_count, &rand);
    for (size_t i = 0; i < 2 * left_count; i++) { /* it can grow again */
        add(&retired, &rules[i % RULES_MAX]);
    }
    CHECK_EQ_UINT(erase_set_count(retired), 3 * left_count);
    erase_set_unref(retired);
    erase_set_unref(set);
}

/* More processor time than a search may take: by what 2^24 additions take here, as on a slow
 * machine and under valgrind all takes many times as long. */
static double too_long(void)
{
    volatile uint64_t sum = 0;
    clock_t begin = clock();
    for (uint64_t i = 0; i < 1u << 24; i++) {
        sum = sum + i;
    }
    return 1 + 50 * (double)(clock() - begin) / CLOCKS_PER_SEC;
}

/* Every row that is read asks.  Looked through one by one, these would be two thousand million. */
TEST(many_prefixes_cost_a_row_little)
{
    enum { PREFIXES = 1 << 15, ROWS = 1 << 16 };
    struct erase_set *set = NULL;
    char key[32];
    uint64_t covered = 0;
    CHECK_OK(erase_set_new(INT64_MIN, &set));
    for (int i = 0; i < PREFIXES; i++) {
        struct plain_rule rule = {
            .keyspace = 1, .from = YORE_TIME_MIN, .to = YORE_FOREVER, .commit = i + 1};
        uint32_t number = (uint32_t)i * 2;
        rule.low_size = 4;
        rule.high_size = 4;
        for (size_t j = 0; j < 4; j++) {
            rule.low[j] = (unsigned char)(number >> (24 - 8 * j));
            rule.high[j] = (unsigned char)((number + 1) >> (24 - 8 * j));
        }
        add(&set, &rule);
    }
    clock_t begin = clock();
    for (uint32_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < 4; j++) {
            key[j] = (char)(unsigned char)(i >> (24 - 8 * j));
        }
        (void)snprintf(key + 4, sizeof key - 4, "/rest");
        covered += erase_set_covers(set, 1, bytes_of(key, 9), 0, 0);
    }
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    CHECK_EQ_UINT(covered, ROWS / 2);
    test_note("%d rows, %d prefixes: %.3f s", ROWS, PREFIXES, seconds);
    CHECK(seconds < too_long());
    erase_set_unref(set);
}

TEST(what_is_left_is_what_no_purged_rule_over_whole_keys_hides)
{
    compare_left();
}

TEST(what_is_left_is_exact_where_spans_lie_over_each_other)
{
    key_size_max = 1;
    compare_left();
    key_size_max = 3;
}

enum { SPANS = 1 << 15 };

/* Erasures of spans of one key, each [2 i, 2 i + 1). */
static struct erase_set *many_spans(void)
{
    struct erase_set *set = NULL;
    CHECK_OK(erase_set_new(INT64_MIN, &set));
    for (int64_t i = 0; i < SPANS; i++) {
        struct plain_rule rule = {.keyspace = 1,
                                  .low = "k",
                                  .low_size = 1,
                                  .high = "k",
                                  .high_size = 2,
                                  .from = 2 * i,
                                  .to = 2 * i + 1,
                                  .commit = i + 1};
        add(&set, &rule);
    }
    return set;
}

/* As many versions are read of a key as it has erased spans. */
TEST(many_spans_of_a_key_cost_a_version_little)
{
    enum { VERSIONS = 1 << 17 };
    uint64_t covered = 0;
    clock_t begin = clock();
    struct erase_set *set = many_spans();
    for (int64_t i = 0; i < VERSIONS; i++) {
        covered += erase_set_covers(set, 1, bytes_of("k", 1), i % (2 * SPANS), 0);
    }
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    CHECK_EQ_UINT(covered, VERSIONS / 2);
    test_note("%d versions, %d spans: %.3f s", VERSIONS, SPANS, seconds);
    CHECK(seconds < too_long());
    erase_set_unref(set);
}

TEST(many_spans_of_a_key_leave_together)
{
    struct erase_set *retired = NULL;
    struct erase_set *set = many_spans();
    struct plain_rule later = {.keyspace = 1,
                               .low = "k",
                               .low_size = 1,
                               .high = "k",
                               .high_size = 2,
                               .from = YORE_TIME_MIN,
                               .to = YORE_FOREVER,
                               .commit = SPANS + 1};
    clock_t begin = clock();
    CHECK_OK(erase_set_retired(set, set, SPANS, &retired)); /* none is over the whole key */
    CHECK_EQ_UINT(erase_set_count(retired), SPANS);
    erase_set_unref(retired);
    add(&set, &later);
    CHECK_OK(erase_set_retired(set, set, SPANS + 1, &retired));
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    CHECK_EQ_UINT(erase_set_count(retired), 0);
    test_note("%d spans: %.3f s", SPANS, seconds);
    CHECK(seconds < too_long());
    erase_set_unref(retired);
    erase_set_unref(set);
}

static struct table_meta meta_of(const char *first, const char *last)
{
    struct table_meta meta = {.valid_min = 10, .valid_max = 20, .commit_min = 10, .commit_max = 30};
    buffer_append(&meta.first_key, first, strlen(first));
    buffer_append(&meta.last_key, last, strlen(last));
    return meta;
}

struct wants_case {
    const char *low;
    size_t high_size; /* of "k\0": 2 one key; of "k": 0 unbounded */
    int64_t from;
    int64_t to;
    int64_t commit;
    int64_t seen;
    bool wants;
};

TEST(file_is_wanted_only_where_a_rule_may_meet_it)
{
    static const struct wants_case cases[] = {
        {"k", 2, YORE_TIME_MIN, YORE_FOREVER, 40, 0, true},
        {"k", 2, YORE_TIME_MIN, YORE_FOREVER, 40, 40, false}, /* applied already */
        {"k", 2, YORE_TIME_MIN, YORE_FOREVER, 10, 0, false},  /* nothing is older than it */
        {"k", 2, 21, YORE_FOREVER, 40, 0, false},
        {"k", 2, 0, 10, 40, 0, false},
        {"k", 2, 20, 21, 40, 0, true},
        {"a", 2, YORE_TIME_MIN, YORE_FOREVER, 40, 0, false},
        {"z", 2, YORE_TIME_MIN, YORE_FOREVER, 40, 0, false},
        {"a", 0, YORE_TIME_MIN, YORE_FOREVER, 40, 0, true},
        {"z", 0, YORE_TIME_MIN, YORE_FOREVER, 40, 0, false},
    };
    struct table_meta meta = meta_of("c", "m");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct wants_case *c = &cases[i];
        struct plain_rule rule = {.keyspace = 1,
                                  .low_size = 1,
                                  .high_size = c->high_size,
                                  .from = c->from,
                                  .to = c->to,
                                  .commit = c->commit};
        struct erase_set *set = NULL;
        rule.low[0] = (unsigned char)c->low[0];
        rule.high[0] = rule.low[0];
        CHECK_OK(erase_set_new(INT64_MIN, &set));
        add(&set, &rule);
        test_note("case %zu", i);
        CHECK_EQ_INT(erase_set_wants(set, 1, &meta, c->seen), c->wants);
        CHECK(!erase_set_wants(set, 2, &meta, c->seen));
        erase_set_unref(set);
    }
    table_meta_release(&meta);
}

TEST(prefix_end_is_the_least_key_after_every_key_with_the_prefix)
{
    struct buffer end = {0};
    CHECK_OK(prefix_end(bytes_of("ab", 2), &end));
    CHECK_EQ_BYTES(end.data, end.size, "ac", 2);
    CHECK_OK(prefix_end(bytes_of("a\xff\xff", 3), &end));
    CHECK_EQ_BYTES(end.data, end.size, "b", 1);
    CHECK_OK(prefix_end(bytes_of("\xff\xff", 2), &end));
    CHECK_EQ_UINT(end.size, 0);
    CHECK_OK(prefix_end(bytes_of(NULL, 0), &end));
    CHECK_EQ_UINT(end.size, 0);
    buffer_release(&end);
}

TEST_MAIN(many_prefixes_cost_a_row_little, many_spans_of_a_key_cost_a_version_little,
          many_spans_of_a_key_leave_together,
          set_answers_as_a_plain_list_does_where_spans_lie_over_each_other,
          what_is_left_is_exact_where_spans_lie_over_each_other, set_answers_as_a_plain_list_does,
          every_rule_can_be_asked_for_once, set_is_unchanged_when_another_is_made_from_it,
          what_is_left_is_what_no_purged_rule_over_whole_keys_hides,
          file_is_wanted_only_where_a_rule_may_meet_it,
          prefix_end_is_the_least_key_after_every_key_with_the_prefix)
