/* order_test.c -- the same history answers alike, however it came to lie on the disk.
 *
 * Two properties over random histories, each answered whole (every key at every moment at which
 * anything begins or ends, and just before; scans both ways, timelines, differences):
 *
 *  any order      facts whose dates do not depend on each other, submitted in any order, one by
 *                 one, in batches or in transactions, and flushed, merged, opened again and crashed
 *                 anywhere: every moment, everything known, reads alike.  Commit times differ, and
 *                 are left out of the answers.
 *  one order      the same commits with the rest different: every moment reads alike at every
 *                 known time as well.  A commit time is told by its rank, and facts from now on
 *                 are dated by the rank of their commit.
 *
 * There is no reference: every database must say what the first one says.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "engine/db.h"
#include "support/model.h"
#include "support/store.h"
#include "support/test.h"

#define SECOND INT64_C(1000000000)
#define BASE (INT64_C(1000000000) * SECOND)
#define SPAN_SECONDS 1000
#define WALL (BASE + 100 * SPAN_SECONDS * SECOND)

#define KEYS 12u
#define FACTS_MAX 400u
#define COMMITS_MAX FACTS_MAX

/* A moment: a second after BASE, or the commit of a rank, and maybe the nanosecond before it. */
struct moment {
    bool is_rank;
    unsigned number;
    bool is_before;
};

enum fact_kind { FACT_PUT, FACT_DELETE, FACT_SPAN, FACT_DELETE_SPAN, FACT_ERASE };

struct fact {
    enum fact_kind kind;
    unsigned key;
    unsigned value;
    int from; /* seconds; -1: from the commit on */
    int to;   /* seconds; 0: for ever */
};

struct history {
    struct fact facts[FACTS_MAX];
    unsigned count;
    unsigned group[FACTS_MAX]; /* in one order: how many facts the commit that begins here has */
};

/* ---- answers as text ---- */

struct answers {
    char *text;
    size_t size;
    size_t capacity;
};

static void say(struct answers *answers, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct answers *answers, const char *format, ...)
{
    va_list args;
    if (answers->capacity - answers->size < 256) {
        size_t capacity = answers->capacity == 0 ? 1u << 20 : 2 * answers->capacity;
        char *text = realloc(answers->text, capacity);
        CHECK(text != NULL);
        answers->text = text;
        answers->capacity = capacity;
    }
    va_start(args, format);
    int length = vsnprintf(answers->text + answers->size, 256, format, args);
    va_end(args);
    CHECK(length >= 0 && length < 256);
    answers->size += (size_t)length;
}

/* ---- one database ---- */

/* What all databases of a property have gone through. */
struct tally {
    uint64_t databases;
    uint64_t sources[STORE_SOURCE_COUNT];
    uint64_t seals;
    uint64_t merges;
    uint64_t late_merges;
};

struct trial {
    struct sim_disk *disk;
    struct yore_options options;
    struct yore_db *db;
    struct test_rand rand;        /* of how it is loaded and compacted */
    uint64_t flush_one_in;        /* commits; 0: none for being one */
    int64_t commits[COMMITS_MAX]; /* by rank */
    unsigned commit_count;
    bool tells_ranks; /* one order: commit times are part of the answers */
    struct answers answers;
    struct tally *tally;
};

static void open_trial(struct trial *trial)
{
    struct yore_error error = {0};
    enum yore_status st =
        db_open_inline(sim_disk_env(trial->disk), STORE_PATH, &trial->options, &trial->db, &error);
    CHECK_MSG(st == YORE_OK, "open: %s", error.text);
}

static void note_counters(struct trial *trial)
{
    struct tally *tally = trial->tally;
    store_add_sources(trial->db, tally->sources);
    tally->seals += store_stat(trial->db, "seals");
    tally->merges += store_stat(trial->db, "merges");
    tally->late_merges += store_stat(trial->db, "late_merges");
}

static void begin_trial(struct trial *trial, uint64_t seed, struct tally *tally)
{
    *trial = (struct trial){.rand = {seed}, .tally = tally};
    tally->databases++;
    store_options_tiny(&trial->options);
    trial->options.seal_versions_per_key = 1 + (uint32_t)test_rand_below(&trial->rand, 4);
    trial->options.seal_bytes_min = 1 + test_rand_below(&trial->rand, 4096);
    /* Memtables of one commit, of some, of hundreds. */
    static const uint64_t flushes[4] = {1, 4, 24, 0};
    trial->flush_one_in = flushes[test_rand_below(&trial->rand, 4)];
    trial->disk = sim_disk_new(seed);
    CHECK(trial->disk != NULL);
    sim_disk_set_wall(trial->disk, WALL + (int64_t)test_rand_below(&trial->rand, 1000) * SECOND);
    open_trial(trial);
}

static void end_trial(struct trial *trial)
{
    note_counters(trial);
    CHECK_OK(yore_close(trial->db, NULL));
    sim_disk_free(trial->disk);
    free(trial->answers.text);
}

/* What must not change an answer: most often nothing. */
static void disturb(struct trial *trial, unsigned one_in)
{
    struct yore_error error = {0};
    enum yore_status st = YORE_OK;
    if (!test_rand_one_in(&trial->rand, one_in)) {
        return;
    }
    switch (test_rand_below(&trial->rand, 8)) {
    case 0:
        note_counters(trial);
        st = yore_close(trial->db, &error);
        open_trial(trial);
        break;
    case 1: /* acknowledged is durable: nothing is lost */
        note_counters(trial);
        sim_disk_crash(trial->disk, SIM_CRASH_DROP_ALL, test_rand_u64(&trial->rand));
        (void)yore_close(trial->db, NULL);
        open_trial(trial);
        break;
    case 2:
        st = yore_compact(trial->db, NULL, &error);
        break;
    default:
        st = yore_flush(trial->db, &error);
    }
    CHECK_MSG(st == YORE_OK, "%s", error.text);
}

static int64_t second_of(int seconds)
{
    return BASE + seconds * SECOND;
}

static struct yore_bytes key_of(unsigned key, char storage[16])
{
    int length = snprintf(storage, 16, "key%u", key % KEYS);
    return bytes_of(storage, (size_t)length);
}

/* Some are large enough to lie apart. */
static struct yore_bytes value_of(unsigned value, char storage[512])
{
    int length = snprintf(storage, 512, "value %u", value);
    size_t size = (size_t)length;
    if (value % 7 == 0) {
        memset(storage + size, 'x', 400);
        size += 400;
    }
    return bytes_of(storage, size);
}

static struct yore_write dates_of(const struct fact *fact)
{
    return (struct yore_write){.from = fact->from < 0 ? YORE_NOW : second_of(fact->from),
                               .to = fact->to == 0 ? YORE_FOREVER : second_of(fact->to),
                               .is_span =
                                   fact->kind == FACT_SPAN || fact->kind == FACT_DELETE_SPAN};
}

static bool is_delete(const struct fact *fact)
{
    return fact->kind == FACT_DELETE || fact->kind == FACT_DELETE_SPAN;
}

static void note_commit(struct trial *trial, int64_t commit)
{
    CHECK(trial->commit_count < COMMITS_MAX);
    trial->commits[trial->commit_count++] = commit;
}

static void submit_erase(struct trial *trial, const struct fact *fact)
{
    char key[16];
    int64_t commit = 0;
    struct yore_error error = {0};
    struct yore_erase erase = {.key = key_of(fact->key, key),
                               .from = second_of(fact->from),
                               .to = second_of(fact->to),
                               .commit_out = &commit};
    enum yore_status st = yore_erase(trial->db, NULL, &erase, &error);
    CHECK_MSG(st == YORE_OK, "erase: %s", error.text);
    note_commit(trial, commit);
}

static void submit_one(struct trial *trial, const struct fact *fact)
{
    char key[16];
    char value[512];
    int64_t commit = 0;
    struct yore_error error = {0};
    struct yore_write write = dates_of(fact);
    write.commit_out = &commit;
    enum yore_status st = is_delete(fact)
                              ? yore_delete(trial->db, NULL, key_of(fact->key, key), &write, &error)
                              : yore_put(trial->db, NULL, key_of(fact->key, key),
                                         value_of(fact->value, value), &write, &error);
    CHECK_MSG(st == YORE_OK, "write: %s", error.text);
    note_commit(trial, commit);
}

static void submit_batch(struct trial *trial, const struct fact *const *facts, unsigned count)
{
    char key[16];
    char value[512];
    int64_t commit = 0;
    struct yore_batch *batch = NULL;
    CHECK_OK(yore_batch_new(trial->db, &batch, NULL));
    for (unsigned i = 0; i < count; i++) {
        struct yore_write write = dates_of(facts[i]);
        struct yore_bytes name = key_of(facts[i]->key, key);
        CHECK_OK(is_delete(facts[i])
                     ? yore_batch_delete(batch, NULL, name, &write, NULL)
                     : yore_batch_put(batch, NULL, name, value_of(facts[i]->value, value), &write,
                                      NULL));
    }
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, &commit, NULL));
    yore_batch_free(batch);
    note_commit(trial, commit);
}

static void submit_txn(struct trial *trial, const struct fact *const *facts, unsigned count)
{
    char key[16];
    char value[512];
    int64_t commit = 0;
    struct yore_txn *txn = NULL;
    CHECK_OK(yore_begin(trial->db, &txn, NULL));
    for (unsigned i = 0; i < count; i++) {
        struct yore_write write = dates_of(facts[i]);
        struct yore_bytes name = key_of(facts[i]->key, key);
        CHECK_OK(
            is_delete(facts[i])
                ? yore_txn_delete(txn, NULL, name, &write, NULL)
                : yore_txn_put(txn, NULL, name, value_of(facts[i]->value, value), &write, NULL));
    }
    CHECK_OK(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, &commit, NULL));
    note_commit(trial, commit);
}

static void submit(struct trial *trial, const struct fact *const *facts, unsigned count)
{
    if (facts[0]->kind == FACT_ERASE) {
        CHECK_EQ_UINT(count, 1);
        submit_erase(trial, facts[0]);
    } else if (count == 1 && test_rand_one_in(&trial->rand, 2)) {
        submit_one(trial, facts[0]);
    } else if (test_rand_one_in(&trial->rand, 2)) {
        submit_batch(trial, facts, count);
    } else {
        submit_txn(trial, facts, count);
    }
    if (trial->flush_one_in > 0 && test_rand_one_in(&trial->rand, trial->flush_one_in)) {
        CHECK_OK(yore_flush(trial->db, NULL));
    }
}

/* ---- every answer ---- */

static int64_t moment_of(const struct trial *trial, const struct moment *moment)
{
    int64_t at = moment->is_rank ? trial->commits[moment->number] : second_of((int)moment->number);
    return moment->is_before ? at - 1 : at;
}

/* A time as all databases say it alike. */
static const char *told(const struct trial *trial, int64_t time, char text[32])
{
    if (time == YORE_FOREVER) {
        return "-";
    }
    if (time < second_of(SPAN_SECONDS * 2)) {
        (void)snprintf(text, 32, "s%" PRId64, (time - BASE) / SECOND);
        return text;
    }
    for (unsigned i = 0; i < trial->commit_count; i++) {
        if (trial->commits[i] == time) {
            (void)snprintf(text, 32, "r%u", i);
            return text;
        }
    }
    (void)snprintf(text, 32, "?%" PRId64, time);
    return text;
}

static void say_version(struct trial *trial, struct yore_bytes value, int64_t from, int64_t to,
                        int64_t commit)
{
    char from_text[32];
    char to_text[32];
    char commit_text[32];
    say(&trial->answers, " %.*s (%zu) %s..%s %s\n", value.size < 20 ? (int)value.size : 20,
        (const char *)value.data, value.size, told(trial, from, from_text),
        told(trial, to, to_text), trial->tells_ranks ? told(trial, commit, commit_text) : "");
}

static void ask_keys(struct trial *trial, const struct yore_time *at)
{
    char storage[16];
    for (unsigned i = 0; i < KEYS; i++) {
        struct yore_value value = {0};
        enum yore_status st = yore_get(trial->db, NULL, key_of(i, storage), at, &value, NULL);
        say(&trial->answers, "  get %u: %s", i, yore_status_name(st));
        if (st == YORE_OK) {
            say_version(trial, bytes_of(value.data, value.size), value.valid_from, value.valid_to,
                        value.commit);
            yore_value_release(&value);
        } else {
            say(&trial->answers, "\n");
        }
    }
}

static void ask_scan(struct trial *trial, const struct yore_time *at, bool is_backward)
{
    struct yore_cursor *cursor = NULL;
    struct yore_cursor_options options = {.at = at};
    struct yore_error error = {0};
    enum yore_status st = yore_cursor_open(trial->db, NULL, &options, &cursor, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    for (;;) {
        st = is_backward ? yore_cursor_prev(cursor) : yore_cursor_next(cursor);
        if (st != YORE_OK) {
            break;
        }
        const struct yore_row *row = yore_cursor_row(cursor);
        say(&trial->answers, "  row %.*s:", (int)row->key.size, (const char *)row->key.data);
        say_version(trial, row->value, row->valid_from, row->valid_to, row->commit);
    }
    CHECK_STATUS(st, YORE_NOT_FOUND);
    yore_cursor_close(cursor);
}

static void ask_timeline(struct trial *trial, unsigned key, int64_t known, bool is_backward)
{
    char storage[16];
    struct yore_timeline *timeline = NULL;
    struct yore_timeline_options options = {.from = YORE_TIME_MIN,
                                            .to = YORE_FOREVER,
                                            .known = known,
                                            .every_commit = trial->tells_ranks,
                                            .is_backward = is_backward};
    struct yore_version version;
    enum yore_status st =
        yore_timeline_open(trial->db, NULL, key_of(key, storage), &options, &timeline, NULL);
    CHECK_OK(st);
    say(&trial->answers, "  timeline %u\n", key);
    while ((st = yore_timeline_next(timeline, &version, NULL)) == YORE_OK) {
        say(&trial->answers, "   %d", (int)version.kind);
        say_version(trial, version.value, version.valid_from, version.valid_to, version.commit);
    }
    CHECK_STATUS(st, YORE_NOT_FOUND);
    yore_timeline_close(timeline);
}

static void ask_changes(struct trial *trial, const struct yore_changes_options *options)
{
    struct yore_changes *changes = NULL;
    struct yore_change change;
    char text[32];
    CHECK_OK(yore_changes_open(trial->db, NULL, options, &changes, NULL));
    enum yore_status st = YORE_OK;
    say(&trial->answers, "  changes\n");
    while ((st = yore_changes_next(changes, &change, NULL)) == YORE_OK) {
        say(&trial->answers, "   %d %.*s at %s: %.*s -> %.*s\n", (int)change.kind,
            (int)change.key.size, (const char *)change.key.data, told(trial, change.time, text),
            change.before.size < 20 ? (int)change.before.size : 20,
            change.before.data == NULL ? "" : (const char *)change.before.data,
            change.after.size < 20 ? (int)change.after.size : 20,
            change.after.data == NULL ? "" : (const char *)change.after.data);
    }
    CHECK_STATUS(st, YORE_NOT_FOUND);
    yore_changes_close(changes);
}

static void ask_moment(struct trial *trial, const struct moment *valid, int64_t known,
                       const char *known_text)
{
    char text[32];
    struct yore_time at = {moment_of(trial, valid), known};
    if (valid->is_rank) {
        (void)snprintf(text, sizeof text, "r%u", valid->number);
    } else {
        (void)snprintf(text, sizeof text, "s%u", valid->number);
    }
    say(&trial->answers, "at %s%s known %s\n", text, valid->is_before ? "-" : "", known_text);
    ask_keys(trial, &at);
    ask_scan(trial, &at, false);
    ask_scan(trial, &at, true);
}

/* Every moment at which something may begin or end, at one known time. */
static void ask_known(struct trial *trial, const struct moment *moments, unsigned count,
                      int64_t known, const char *known_text)
{
    for (unsigned i = 0; i < count; i++) {
        ask_moment(trial, &moments[i], known, known_text);
    }
    for (unsigned key = 0; key < KEYS; key++) {
        ask_timeline(trial, key, known, key % 2 == 1);
    }
    for (unsigned i = 0; i + 1 < count; i += 1 + count / 24) {
        unsigned other = i + 1 + (i * 7) % (count - i - 1);
        int64_t a = moment_of(trial, &moments[i]);
        int64_t b = moment_of(trial, &moments[other]);
        struct yore_changes_options options = {.from = a < b ? a : b,
                                               .to = a < b ? b : a,
                                               .known = known,
                                               .every_version = i % 2 == 1,
                                               .in_time_order = i % 3 == 1};
        ask_changes(trial, &options);
    }
}

/* The first line that differs. */
static void check_alike(const struct answers *first, const struct answers *other, unsigned number)
{
    size_t line = 0;
    size_t i = 0;
    while (i < first->size && i < other->size && first->text[i] == other->text[i]) {
        i++;
        line = first->text[i - 1] == '\n' ? i : line;
    }
    if (i == first->size && i == other->size) {
        return;
    }
    size_t head = line; /* what was asked: the line before that begins with "at" */
    while (head > 0 && strncmp(first->text + head, "at ", 3) != 0) {
        head--;
    }
    FAIL("database %u: %.40s...\n%.120s\n    where the first says\n%.120s", number,
         first->text + head, other->text + line, first->text + line);
}

/* ---- histories ---- */

static void shuffle(struct test_rand *rand, const struct fact **facts, unsigned count)
{
    for (unsigned i = count; i > 1; i--) {
        unsigned j = (unsigned)test_rand_below(rand, i);
        const struct fact *fact = facts[i - 1];
        facts[i - 1] = facts[j];
        facts[j] = fact;
    }
}

/* Puts and deletes, no two of a key at the same moment; some end by themselves. */
static void draw_independent(struct history *history, struct test_rand *rand)
{
    static bool is_taken[KEYS][SPAN_SECONDS];
    memset(is_taken, 0, sizeof is_taken);
    unsigned wanted = 60 + (unsigned)test_rand_below(rand, FACTS_MAX - 60);
    history->count = 0;
    for (unsigned i = 0; i < wanted; i++) {
        /* Half of all facts are of three keys. */
        unsigned key = (unsigned)test_rand_below(rand, test_rand_one_in(rand, 2) ? 3 : KEYS);
        int from = 1 + (int)test_rand_below(rand, SPAN_SECONDS - 1);
        int to = test_rand_one_in(rand, 4) ? from + 1 + (int)test_rand_below(rand, 50) : 0;
        bool is_put = !test_rand_one_in(rand, 5);
        if (is_taken[key][from]) {
            continue;
        }
        is_taken[key][from] = true;
        history->facts[history->count++] =
            (struct fact){is_put ? FACT_PUT : FACT_DELETE, key, i, from, is_put ? to : 0};
    }
}

/* Everything, and corrections of the same moment. */
static void draw_ordered(struct history *history, struct test_rand *rand)
{
    history->count = 40 + (unsigned)test_rand_below(rand, 80);
    for (unsigned i = 0; i < history->count; i++) {
        struct fact *fact = &history->facts[i];
        fact->key = (unsigned)test_rand_below(rand, test_rand_one_in(rand, 2) ? 2 : KEYS);
        fact->value = i;
        fact->from = 1 + (int)test_rand_below(rand, 100) * (test_rand_one_in(rand, 2) ? 1 : 9);
        fact->to = fact->from + 1 + (int)test_rand_below(rand, 60);
        uint64_t kind = test_rand_below(rand, 40);
        if (kind < 24) {
            fact->kind = kind < 20 ? FACT_PUT : FACT_DELETE;
            fact->from = test_rand_one_in(rand, 3) ? -1 : fact->from;
            fact->to = fact->from < 0 || kind >= 10 ? 0 : fact->to;
        } else if (kind < 39) {
            fact->kind = kind < 34 ? FACT_SPAN : FACT_DELETE_SPAN;
        } else {
            fact->kind = FACT_ERASE;
        }
    }
    for (unsigned i = 0; i < history->count; i += history->group[i]) {
        unsigned size = 1 + (unsigned)test_rand_below(rand, 4);
        unsigned end = i;
        while (end < history->count && end < i + size && history->facts[end].kind != FACT_ERASE) {
            end++;
        }
        history->group[i] = end == i ? 1 : end - i;
    }
}

static unsigned list_moments(const struct history *history, unsigned ranks, struct moment *moments)
{
    static bool is_wanted[2 * SPAN_SECONDS];
    unsigned count = 0;
    memset(is_wanted, 0, sizeof is_wanted);
    for (unsigned i = 0; i < history->count; i++) {
        is_wanted[history->facts[i].from < 0 ? 0 : history->facts[i].from] = true;
        is_wanted[history->facts[i].to] = true;
    }
    for (unsigned i = 0; i < 2 * SPAN_SECONDS; i++) {
        if (is_wanted[i]) {
            moments[count++] = (struct moment){false, i, true};
            moments[count++] = (struct moment){false, i, false};
        }
    }
    for (unsigned i = 0; i < ranks; i++) {
        moments[count++] = (struct moment){true, i, true};
        moments[count++] = (struct moment){true, i, false};
    }
    return count;
}

static void check_tally(const struct tally *tally)
{
    test_count(tally->databases);
    printf("  %" PRIu64 " databases, %" PRIu64 " seals, %" PRIu64 " merges, %" PRIu64
           " late merges\n",
           tally->databases, tally->seals, tally->merges, tally->late_merges);
    (void)store_print_sources(tally->sources, 0);
    if (tally->databases < 40) {
        return; /* a brief run */
    }
    CHECK(tally->seals > tally->databases);
    CHECK(tally->merges > tally->databases);
    CHECK(tally->late_merges > tally->databases);
    for (unsigned i = 0; i < STORE_SOURCE_COUNT; i++) {
        CHECK_MSG(tally->sources[i] > 0, "nothing was read from source %u", i);
    }
}

static struct moment moments[4 * SPAN_SECONDS + 2 * COMMITS_MAX];

TEST(facts_loaded_in_any_order_answer_alike)
{
    static struct history history;
    static struct trial first;
    static struct trial trial;
    struct tally tally = {0};
    struct test_rand rand = test_rand_new(0);
    const struct fact *facts[FACTS_MAX];
    for (uint64_t round = 0; round < test_scale(40, 4000); round++) {
        draw_independent(&history, &rand);
        unsigned moment_count = list_moments(&history, 0, moments);
        for (unsigned i = 0; i < history.count; i++) {
            facts[i] = &history.facts[i];
        }
        for (unsigned number = 0; number < 4; number++) {
            struct trial *now = number == 0 ? &first : &trial;
            test_note("round %" PRIu64, round);
            begin_trial(now, test_rand_u64(&rand), &tally);
            unsigned one_in = 1 + (unsigned)test_rand_below(&now->rand, 12);
            shuffle(&now->rand, facts, history.count);
            for (unsigned i = 0; i < history.count;) {
                unsigned size = 1 + (unsigned)test_rand_below(
                                        &now->rand, test_rand_one_in(&now->rand, 3) ? 40 : 3);
                size = size < history.count - i ? size : history.count - i;
                submit(now, facts + i, size);
                i += size;
                disturb(now, one_in);
            }
            disturb(now, 2);
            ask_known(now, moments, moment_count, YORE_NOW, "all");
            if (number > 0) {
                check_alike(&first.answers, &now->answers, number);
                end_trial(now);
            }
        }
        end_trial(&first);
    }
    check_tally(&tally);
}

static void load_in_order(struct trial *trial, const struct history *history)
{
    const struct fact *facts[8];
    unsigned one_in = 1 + (unsigned)test_rand_below(&trial->rand, 12);
    for (unsigned i = 0; i < history->count; i += history->group[i]) {
        for (unsigned j = 0; j < history->group[i]; j++) {
            facts[j] = &history->facts[i + j];
        }
        submit(trial, facts, history->group[i]);
        disturb(trial, one_in);
    }
    disturb(trial, 2);
}

TEST(the_same_commits_answer_alike_at_every_known_time)
{
    static struct history history;
    static struct trial first;
    static struct trial trial;
    struct tally tally = {0};
    struct test_rand rand = test_rand_new(0);
    for (uint64_t round = 0; round < test_scale(15, 1500); round++) {
        draw_ordered(&history, &rand);
        for (unsigned number = 0; number < 3; number++) {
            struct trial *now = number == 0 ? &first : &trial;
            test_note("round %" PRIu64, round);
            begin_trial(now, test_rand_u64(&rand), &tally);
            now->tells_ranks = true;
            load_in_order(now, &history);
            unsigned moment_count = list_moments(&history, now->commit_count, moments);
            unsigned stride = 1 + now->commit_count / 12;
            for (unsigned rank = (unsigned)round % stride; rank < now->commit_count;
                 rank += stride) {
                char known[16];
                (void)snprintf(known, sizeof known, "r%u", rank);
                ask_known(now, moments, moment_count, now->commits[rank], known);
            }
            ask_known(now, moments, moment_count, YORE_NOW, "all");
            if (number > 0) {
                check_alike(&first.answers, &now->answers, number);
                end_trial(now);
            }
        }
        end_trial(&first);
    }
    check_tally(&tally);
}

TEST_MAIN(facts_loaded_in_any_order_answer_alike, the_same_commits_answer_alike_at_every_known_time)
