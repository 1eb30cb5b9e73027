/* retention_test.c -- the state at the horizon stays exact for every key while everything goes on.
 *
 * Writers put, correct the past, delete and let expire; the background flushes, merges, seals and
 * drops; the main thread moves the horizon on, again and again to a moment that was noted before,
 * with the state it had then.  Readers compare, key by key, what is read at the horizon itself and
 * at the noted moments after it with what the writers say they wrote.
 *
 * A noted moment m is a now that was told: at (m, known m) no later commit can change the answer.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "engine/db.h"
#include "os/thread.h"
#include "support/store.h"
#include "support/test.h"

#define WRITERS 2u
#define READERS 2u
#define KEYS 24u /* half of them each writer's own */
#define FACTS_MAX 200000u
#define NOTES 8u       /* moments kept in mind; a power of two */
#define HELD_BACK 3u   /* the horizon stands so many notes behind the newest */
#define ROUNDS_MIN 24u /* so many that slices are given back however the threads take turns */

struct fact {
    int64_t from;
    int64_t to;
    int64_t commit;
    uint32_t value; /* 0: a delete */
    uint32_t key;
};

struct writer {
    struct board *board;
    unsigned number;
    struct fact *facts; /* written by the writer; read by main after `rounds` was seen to go on */
    _Atomic size_t count;
    _Atomic uint64_t rounds;
};

/* The state of every key at one moment. */
struct note {
    int64_t moment;
    uint32_t values[KEYS]; /* 0: absent */
};

struct board {
    struct yore_db *db;
    struct yore_keyspace *space;
    uint64_t seed;
    struct os_mutex lock;
    struct note notes[NOTES]; /* lock */
    uint64_t noted;           /* lock: how many there ever were */
    uint64_t trimmed;         /* lock: the horizon stands at this one; 0: at none */
    atomic_bool is_over;
    _Atomic uint64_t compared;
    _Atomic uint64_t at_horizon;
    struct writer writers[WRITERS];
};

static struct yore_bytes key_of(uint32_t key, char storage[16])
{
    int length = snprintf(storage, 16, "k%02u", key);
    return bytes_of(storage, (size_t)length);
}

/* A value is its number, and octets enough to fill tables. */
static struct yore_bytes value_of(uint32_t number, unsigned char storage[120])
{
    for (unsigned i = 0; i < 120; i++) {
        storage[i] = (unsigned char)(number * 2654435761u >> (i % 24));
    }
    memcpy(storage, &number, sizeof number);
    return bytes_of(storage, 120);
}

static uint32_t number_of(struct yore_bytes value)
{
    uint32_t number = 0;
    unsigned char storage[120];
    CHECK(value.size == 120);
    memcpy(&number, value.data, sizeof number);
    CHECK(bytes_equal(value, value_of(number, storage)));
    return number;
}

/* ---- writing ---- */

static int64_t horizon_of(struct board *board)
{
    struct yore_keyspace_info info;
    CHECK_OK(yore_keyspace_info(board->db, board->space, &info, NULL));
    return info.horizon;
}

static void write_one(struct writer *writer, struct test_rand *rand)
{
    struct board *board = writer->board;
    size_t count = atomic_load_explicit(&writer->count, memory_order_relaxed);
    struct fact *fact = &writer->facts[count];
    char key[16];
    unsigned char value[120];
    uint64_t kind = test_rand_below(rand, 20);
    int64_t now = yore_now(board->db);
    struct yore_write dates = {.from = YORE_NOW, .to = YORE_FOREVER, .commit_out = &fact->commit};
    fact->key = (uint32_t)(test_rand_below(rand, KEYS / WRITERS) * WRITERS + writer->number);
    fact->value = (uint32_t)(count * WRITERS + writer->number + 1);
    if (kind < 8) { /* late: between the horizon and now, or at the horizon itself */
        int64_t horizon = horizon_of(board);
        int64_t span = horizon > YORE_TIME_MIN && horizon < now ? now - horizon : 1000000;
        int64_t back = kind == 0 ? span : (int64_t)test_rand_below(rand, (uint64_t)span + 1);
        dates.from = now - back;
    }
    if (kind % 4 == 1) {
        dates.to = (dates.from == YORE_NOW ? now + 1000000 : dates.from) + 1 +
                   (int64_t)test_rand_below(rand, 20000000);
    }
    bool is_delete = kind == 10 || kind == 2;
    if (is_delete) {
        fact->value = 0;
        dates.to = YORE_FOREVER;
    }
    enum yore_status st =
        is_delete ? yore_delete(board->db, board->space, key_of(fact->key, key), &dates, NULL)
                  : yore_put(board->db, board->space, key_of(fact->key, key),
                             value_of(fact->value, value), &dates, NULL);
    if (st == YORE_BEFORE_HORIZON || st == YORE_INVALID) {
        return; /* the horizon has moved meanwhile; or the end had passed at the commit */
    }
    CHECK_OK(st);
    fact->from = dates.from == YORE_NOW ? fact->commit : dates.from;
    fact->to = dates.to;
    atomic_store_explicit(&writer->count, count + 1, memory_order_release); /* partner: state_of */
}

static void run_writer(void *arg)
{
    struct writer *writer = arg;
    struct test_rand rand = {writer->board->seed + writer->number};
    while (!atomic_load(&writer->board->is_over) && atomic_load(&writer->count) + 1 < FACTS_MAX) {
        write_one(writer, &rand);
        atomic_fetch_add(&writer->rounds, 1);
    }
    atomic_store(&writer->rounds, UINT64_MAX / 2);
}

/* ---- noting ---- */

/* Every fact that was begun before is in its writer's list. */
static void wait_for_writers(struct board *board)
{
    for (unsigned i = 0; i < WRITERS; i++) {
        uint64_t begin = atomic_load(&board->writers[i].rounds);
        while (atomic_load(&board->writers[i].rounds) < begin + 2 && begin < UINT64_MAX / 2) {
            test_pause();
        }
    }
}

static void state_of(struct board *board, struct note *note)
{
    const struct fact *winners[KEYS] = {NULL};
    for (unsigned i = 0; i < WRITERS; i++) {
        const struct writer *writer = &board->writers[i];
        size_t count = atomic_load_explicit(&writer->count, memory_order_acquire);
        for (size_t j = 0; j < count; j++) {
            const struct fact *fact = &writer->facts[j];
            const struct fact **winner = &winners[fact->key];
            bool is_seen = fact->from <= note->moment && fact->commit <= note->moment;
            if (is_seen && (*winner == NULL || fact->from > (*winner)->from ||
                            (fact->from == (*winner)->from && fact->commit > (*winner)->commit))) {
                *winner = fact;
            }
        }
    }
    for (unsigned i = 0; i < KEYS; i++) {
        bool holds = winners[i] != NULL && winners[i]->to > note->moment;
        note->values[i] = holds ? winners[i]->value : 0;
    }
}

static void take_note(struct board *board)
{
    struct note note = {.moment = yore_now(board->db)};
    /* From here on every commit is later: a read that names the moment makes it so. */
    struct yore_time at = {note.moment, note.moment};
    struct yore_value value = {0};
    char key[16];
    if (yore_get(board->db, board->space, key_of(0, key), &at, &value, NULL) == YORE_OK) {
        yore_value_release(&value);
    }
    wait_for_writers(board);
    state_of(board, &note);
    os_mutex_lock(&board->lock);
    board->notes[board->noted % NOTES] = note;
    board->noted++;
    os_mutex_unlock(&board->lock);
}

/* The horizon to a moment that was noted. */
static void move_horizon(struct board *board)
{
    os_mutex_lock(&board->lock);
    uint64_t number = board->noted - HELD_BACK;
    int64_t moment = board->notes[(number - 1) % NOTES].moment;
    board->trimmed = number;
    os_mutex_unlock(&board->lock);
    CHECK_OK(yore_trim(board->db, board->space, moment, NULL));
    CHECK_EQ_INT(horizon_of(board), moment);
}

/* ---- comparing ---- */

/* A noted moment at or after the horizon, the horizon's own in one of two; false: none yet. */
static bool pick_note(struct board *board, struct test_rand *rand, struct note *note_out,
                      uint64_t *number_out)
{
    os_mutex_lock(&board->lock);
    uint64_t first = board->trimmed > 0 ? board->trimmed : 1;
    bool is_any = board->noted >= first;
    uint64_t number = first;
    if (is_any && test_rand_one_in(rand, 2)) {
        number += test_rand_below(rand, board->noted - first + 1);
    }
    *note_out = board->notes[(number - 1) % NOTES];
    *number_out = number;
    os_mutex_unlock(&board->lock);
    return is_any;
}

/* A read may be refused only when the horizon has moved past it meanwhile. */
static bool is_passed(struct board *board, uint64_t number, enum yore_status st)
{
    os_mutex_lock(&board->lock);
    bool is_passed = board->trimmed > number;
    os_mutex_unlock(&board->lock);
    return st == YORE_BEFORE_HORIZON && is_passed;
}

static void compare_gets(struct board *board, const struct note *note, uint64_t number)
{
    struct yore_time at = {note->moment, note->moment};
    for (uint32_t i = 0; i < KEYS; i++) {
        char key[16];
        struct yore_value value = {0};
        enum yore_status st = yore_get(board->db, board->space, key_of(i, key), &at, &value, NULL);
        if (is_passed(board, number, st)) {
            return;
        }
        CHECK_MSG(st == YORE_OK || st == YORE_NOT_FOUND, "%s", yore_status_name(st));
        uint32_t got = st == YORE_OK ? number_of(bytes_of(value.data, value.size)) : 0;
        yore_value_release(&value);
        CHECK_MSG(got == note->values[i], "get of key %u at note %" PRIu64 ": %u, written was %u",
                  i, number, got, note->values[i]);
    }
    atomic_fetch_add(&board->compared, KEYS);
}

static void compare_scan(struct board *board, const struct note *note, uint64_t number,
                         bool is_backward)
{
    struct yore_time at = {note->moment, note->moment};
    struct yore_cursor_options options = {.at = &at};
    struct yore_cursor *cursor = NULL;
    enum yore_status st = yore_cursor_open(board->db, board->space, &options, &cursor, NULL);
    if (is_passed(board, number, st)) {
        return;
    }
    CHECK_OK(st);
    for (uint32_t i = 0; i < KEYS; i++) {
        uint32_t want = is_backward ? KEYS - 1 - i : i;
        char key[16];
        if (note->values[want] == 0) {
            continue;
        }
        st = is_backward ? yore_cursor_prev(cursor) : yore_cursor_next(cursor);
        CHECK_MSG(st == YORE_OK, "%s", yore_cursor_error(cursor)->text);
        const struct yore_row *row = yore_cursor_row(cursor);
        CHECK_MSG(bytes_equal(row->key, key_of(want, key)) &&
                      number_of(row->value) == note->values[want],
                  "scan at note %" PRIu64 ": %.*s where %s was written", number, (int)row->key.size,
                  (const char *)row->key.data, key);
    }
    st = is_backward ? yore_cursor_prev(cursor) : yore_cursor_next(cursor);
    CHECK_STATUS(st, YORE_NOT_FOUND);
    yore_cursor_close(cursor);
    atomic_fetch_add(&board->compared, KEYS);
}

static void compare_once(struct board *board, struct test_rand *rand)
{
    struct note note;
    uint64_t number;
    if (!pick_note(board, rand, &note, &number)) {
        test_pause();
        return;
    }
    uint64_t before = atomic_load(&board->compared);
    uint64_t form = test_rand_below(rand, 3);
    if (form == 0) {
        compare_gets(board, &note, number);
    } else {
        compare_scan(board, &note, number, form == 2);
    }
    os_mutex_lock(&board->lock);
    bool is_at_horizon = board->trimmed == number;
    os_mutex_unlock(&board->lock);
    if (is_at_horizon && atomic_load(&board->compared) > before) {
        atomic_fetch_add(&board->at_horizon, 1);
    }
}

static void run_reader(void *arg)
{
    struct board *board = arg;
    struct test_rand rand = {board->seed + 1000};
    while (!atomic_load(&board->is_over)) {
        compare_once(board, &rand);
    }
}

/* ---- the whole ---- */

static void begin(struct board *board, struct sim_disk *disk, uint64_t seed)
{
    struct yore_options options;
    struct yore_error error = {0};
    store_options_tiny(&options);
    options.background_threads = 2;
    *board = (struct board){.seed = seed};
    os_mutex_init(&board->lock);
    enum yore_status st = db_open(sim_disk_env(disk), STORE_PATH, &options, &board->db, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    CHECK_OK(yore_keyspace_create(board->db, "trimmed", NULL, &board->space, NULL));
    for (unsigned i = 0; i < WRITERS; i++) {
        board->writers[i] = (struct writer){.board = board, .number = i};
        board->writers[i].facts = calloc(FACTS_MAX, sizeof(struct fact));
        CHECK(board->writers[i].facts != NULL);
    }
}

static void check_counters(struct yore_db *db)
{
    static const char *const names[] = {"flushes", "merges", "seals", "late_merges",
                                        "slices_dropped"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint64_t count = store_stat(db, names[i]);
        printf("  %s %" PRIu64, names[i], count);
        CHECK_MSG(count > 0, "there were no %s", names[i]);
    }
    printf("\n");
}

TEST(the_state_at_the_horizon_is_exact_while_everything_goes_on)
{
    static struct board board;
    struct sim_disk *disk = sim_disk_new(1);
    struct os_thread *threads[WRITERS + READERS];
    struct test_rand rand = test_rand_new(0);
    begin(&board, disk, test_rand_u64(&rand));
    for (unsigned i = 0; i < WRITERS; i++) {
        CHECK_OK(os_thread_start(run_writer, &board.writers[i], "writer", &threads[i], NULL));
    }
    for (unsigned i = 0; i < READERS; i++) {
        CHECK_OK(os_thread_start(run_reader, &board, "reader", &threads[WRITERS + i], NULL));
    }
    uint64_t rounds = test_scale(60, 3000);
    rounds = rounds < ROUNDS_MIN ? ROUNDS_MIN : rounds;
    for (uint64_t round = 0; round < rounds; round++) {
        uint64_t begun = atomic_load(&board.writers[0].rounds);
        while (atomic_load(&board.writers[0].rounds) < begun + 150) { /* some facts a note */
            test_pause();
        }
        take_note(&board);
        if (board.noted > HELD_BACK) {
            move_horizon(&board);
        }
        if (round % 8 == 7) {
            CHECK_OK(yore_compact(board.db, NULL, NULL));
        }
    }
    atomic_store(&board.is_over, true);
    for (unsigned i = 0; i < WRITERS + READERS; i++) {
        os_thread_join(threads[i]);
    }
    for (int i = 0; i < 40; i++) { /* and when it is quiet */
        compare_once(&board, &rand);
    }
    CHECK_OK(yore_compact(board.db, NULL, NULL));
    for (int i = 0; i < 40; i++) {
        compare_once(&board, &rand);
    }
    check_counters(board.db);
    printf("  %" PRIu64 " answers compared, %" PRIu64 " states at the horizon itself\n",
           atomic_load(&board.compared), atomic_load(&board.at_horizon));
    test_count(atomic_load(&board.compared));
    CHECK(atomic_load(&board.at_horizon) > rounds / 4);
    CHECK_OK(yore_verify(board.db, NULL, NULL, NULL, NULL));
    CHECK_OK(yore_close(board.db, NULL));
    for (unsigned i = 0; i < WRITERS; i++) {
        free(board.writers[i].facts);
    }
    os_mutex_release(&board.lock);
    sim_disk_free(disk);
}

/* ---- checkpoints meanwhile ---- */

#define PUTS_MAX 200000

/* One writer, and a horizon that is always so many puts behind. */
#define PUTS_BEHIND 40u

struct moving {
    struct yore_db *db;
    _Atomic bool is_over;
    int64_t commits[PUTS_MAX];
    _Atomic uint32_t count; /* puts that were acknowledged; the n-th is of key n % KEYS */
};

#define ROUNDS_MAX 2000 /* where the horizon was always faster than the copy */

static void put_all_the_time(void *arg)
{
    struct moving *m = arg;
    char storage[16];
    unsigned char value[120];
    for (uint32_t n = 0; n < PUTS_MAX && !atomic_load(&m->is_over); n++) {
        struct yore_write write = {
            .from = YORE_NOW, .to = YORE_FOREVER, .commit_out = &m->commits[n]};
        CHECK_OK(
            yore_put(m->db, NULL, key_of(n % KEYS, storage), value_of(n, value), &write, NULL));
        atomic_store(&m->count, n + 1);
    }
}

static void trim_all_the_time(void *arg)
{
    struct moving *m = arg;
    while (!atomic_load(&m->is_over)) {
        uint32_t count = atomic_load(&m->count);
        if (count > PUTS_BEHIND) {
            CHECK_OK(yore_trim(m->db, NULL, m->commits[count - 1 - PUTS_BEHIND], NULL));
        }
        os_thread_yield();
    }
}

/* By its own horizon the copy answers what was put before it was made. */
static uint64_t check_copy(struct moving *m, struct os_env *env, const char *path, uint32_t count)
{
    struct yore_options options;
    struct yore_db *copy;
    struct yore_keyspace_info info;
    char storage[16];
    uint64_t checked = 0;
    store_options_tiny(&options);
    CHECK_OK(db_open_inline(env, path, &options, &copy, NULL));
    CHECK_OK(yore_keyspace_info(copy, NULL, &info, NULL));
    for (uint32_t n = count; n > 0 && m->commits[n - 1] >= info.horizon; n--) {
        struct yore_time at = {m->commits[n - 1], m->commits[n - 1]};
        struct yore_value value;
        enum yore_status st =
            yore_get(copy, NULL, key_of((n - 1) % KEYS, storage), &at, &value, NULL);
        CHECK_MSG(st == YORE_OK && value.commit == at.known, "put %u of %u: %s", n - 1, count,
                  yore_status_name(st));
        yore_value_release(&value);
        checked++;
    }
    CHECK_OK(yore_close(copy, NULL));
    return checked;
}

TEST(a_checkpoint_has_the_horizon_that_its_tables_were_made_by)
{
    static struct moving moving;
    struct sim_disk *disk = sim_disk_new(1);
    struct os_thread *writer;
    struct os_thread *trimmer;
    struct yore_options options;
    uint64_t checked = 0;
    store_options_tiny(&options);
    options.background_threads = 3;
    CHECK_OK(db_open(sim_disk_env(disk), STORE_PATH, &options, &moving.db, NULL));
    CHECK_OK(os_thread_start(put_all_the_time, &moving, "writer", &writer, NULL));
    CHECK_OK(os_thread_start(trim_all_the_time, &moving, "trimmer", &trimmer, NULL));
    uint64_t rounds = test_scale(40, 1000);
    for (uint64_t round = 0; round < rounds || (checked == 0 && round < ROUNDS_MAX); round++) {
        char path[32];
        uint32_t before = atomic_load(&moving.count);
        while (atomic_load(&moving.count) < before + 50 && before + 50 < PUTS_MAX) {
            test_pause();
        }
        (void)snprintf(path, sizeof path, "copy%" PRIu64, round);
        uint32_t count = atomic_load(&moving.count);
        enum yore_status st = yore_checkpoint(moving.db, path, NULL);
        if (st == YORE_BUSY) { /* the horizon moved during every flush */
            continue;
        }
        CHECK_STATUS(st, YORE_OK);
        checked += check_copy(&moving, sim_disk_env(disk), path, count);
    }
    atomic_store(&moving.is_over, true);
    os_thread_join(writer);
    os_thread_join(trimmer);
    printf("  %" PRIu64 " answers of checkpoints\n", checked);
    test_count(checked);
    CHECK(checked > 0);
    CHECK_OK(yore_close(moving.db, NULL));
    sim_disk_free(disk);
}

TEST_MAIN(the_state_at_the_horizon_is_exact_while_everything_goes_on,
          a_checkpoint_has_the_horizon_that_its_tables_were_made_by)
