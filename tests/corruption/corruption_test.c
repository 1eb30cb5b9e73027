/* corruption_test.c -- one bit of every byte of every file of a cleanly closed database is flipped,
 * every file is cut at every byte, taken away, swapped with another and replaced by the same file
 * of another database.
 *
 *     YORE_CORRUPTION_STRIDE=n   try every n-th byte (default 10; soak 1)
 *     YORE_CORRUPTION_ONE=file:offset:bit   one flip (bit 8: cut there)
 *
 * A case is harmless (every answer is right), or reported: by the opening, by a read or by
 * yore_verify, with a text that names the damaged file and a place in it.  A fact that is missing
 * or wrong without a word, and a crash, are failures. Cases run in a worker process, so that a
 * crash costs one case and not the suite.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crash/crash_run.h"
#include "engine/db.h"
#include "os/env.h"

#define FILES_MAX 256u
#define FILE_BYTES 256u

enum outcome {
    OUTCOME_NONE,     /* not run: the worker died here */
    OUTCOME_HARMLESS, /* every answer right and nothing to report */
    OUTCOME_REPORTED,
    OUTCOME_VAGUE,  /* reported without file or place */
    OUTCOME_SILENT, /* wrong or missing, and no error */
    OUTCOME_CRASH,
    OUTCOMES
};

static const char *const outcome_names[OUTCOMES] = {"not run",          "harmless", "reported",
                                                    "reported vaguely", "SILENT",   "CRASH"};

struct file {
    char path[FILE_BYTES];
    uint64_t size;
};

struct store {
    struct crash_run run;   /* its disk holds the closed database, its model what is in it */
    struct sim_disk *other; /* another database with the same history of operations */
    struct file files[FILES_MAX];
    size_t file_count;
    uint64_t bytes;
};

/* ---- the store ------------------------------------------------------------------------------ */

static void script_store(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_NOW);
    crash_create(run, 2, YORE_KEEP_ALL);
    for (unsigned round = 0; round < 14; round++) {
        crash_batch(run, round * 3, 40, 30 + round * 9);
        crash_batch(run, 0, 30, 60);
        crash_put(run, 1, round, 280);
        crash_put(run, 2, round, 40);
        crash_advance(run, 800);
        if (round > 4) {
            crash_put_at(run, round, 3000, 0);
            crash_put_at(run, round * 2, 2000, 500);
            crash_span(run, round + 3, 2500, 600, round % 2 == 0);
        }
        if (round == 8) {
            crash_erase(run, 2, false);
        }
        crash_flush(run);
    }
    crash_put(run, 0, 3, 900);
    crash_batch(run, 3, 10, 40); /* stays in the journal unless closing flushes */
}

static const struct crash_workload store_workload = {"store", script_store, NULL, false};

static void add_file(void *arg, const char *path, uint64_t size)
{
    struct store *store = arg;
    if (store->file_count < FILES_MAX) {
        struct file *file = &store->files[store->file_count++];
        (void)snprintf(file->path, sizeof file->path, "%s", path);
        file->size = size;
        store->bytes += size;
    }
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static struct store *store_new(void)
{
    struct store *store = model_alloc(sizeof *store);
    struct crash_run other;
    crash_run_init(&other, &store_workload);
    (void)os_random_u64(sim_disk_env(other.disk)); /* so that its identity is another */
    crash_run_script(&other, &store_workload);
    store->other = sim_disk_clone(other.disk, 2);
    crash_run_release(&other);
    crash_run_init(&store->run, &store_workload);
    crash_run_script(&store->run, &store_workload);
    store_files(store->run.disk, STORE_PATH, add_file, store);
    qsort(store->files, store->file_count, sizeof store->files[0], compare_files);
    struct sim_disk *copy = sim_disk_clone(store->run.disk, 3); /* opening changes the files */
    bool is_right = !store->run.is_stopped && crash_judge(&store->run, copy, false);
    sim_disk_free(copy);
    CHECK_MSG(is_right, "the undamaged store: %s", store->run.text);
    CHECK(store->run.cuts.slices_most > 2); /* small ones: each kind of file is damaged often */
    return store;
}

static void store_free(struct store *store)
{
    crash_run_release(&store->run);
    sim_disk_free(store->other);
    free(store);
}

/* ---- one case ------------------------------------------------------------------------------- */

struct damage {
    const struct file *file;
    const struct file *second; /* swapped with it, or NULL */
    uint64_t offset;
    unsigned bit; /* 8: cut at offset; 9: take away; 10: swap; 11: from another database */
};

#define DAMAGE_CUT 8u
#define DAMAGE_REMOVE 9u
#define DAMAGE_SWAP 10u
#define DAMAGE_FOREIGN 11u

/* Write the bytes of `from` on `source` over `to` on `disk`. */
static bool copy_between(struct sim_disk *source, const char *from, struct sim_disk *disk,
                         const char *to)
{
    struct os_file *in = NULL;
    struct os_file *out = NULL;
    uint64_t size = 0;
    size_t got = 0;
    unsigned char *data = NULL;
    bool is_done = false;
    if (os_file_open(sim_disk_env(source), from, OS_OPEN_READ, &in, NULL) != YORE_OK ||
        os_file_size(in, &size, NULL) != YORE_OK) {
        goto out;
    }
    data = model_alloc((size_t)size);
    if (os_file_read(in, 0, data, (size_t)size, &got, NULL) != YORE_OK ||
        os_file_open(sim_disk_env(disk), to, OS_OPEN_WRITE, &out, NULL) != YORE_OK) {
        goto out;
    }
    is_done = os_file_truncate(out, 0, NULL) == YORE_OK &&
              os_file_write(out, 0, data, (size_t)size, NULL) == YORE_OK &&
              os_file_sync(out, NULL) == YORE_OK;
out:
    os_file_close(in);
    os_file_close(out);
    free(data);
    return is_done;
}

static bool apply_damage(struct store *store, struct sim_disk *disk, const struct damage *damage)
{
    const char *path = damage->file->path;
    switch (damage->bit) {
    case DAMAGE_CUT:
        return sim_disk_truncate_file(disk, path, damage->offset);
    case DAMAGE_REMOVE:
        return os_path_unlink(sim_disk_env(disk), path, NULL) == YORE_OK;
    case DAMAGE_SWAP:
        return copy_between(store->run.disk, damage->second->path, disk, path) &&
               copy_between(store->run.disk, path, disk, damage->second->path);
    case DAMAGE_FOREIGN:
        return copy_between(store->other, path, disk, path);
    default:
        return sim_disk_flip_bit(disk, path, damage->offset, damage->bit);
    }
}

/* Does a report name a file of the damage and a place? */
static enum outcome judge_report(const struct damage *damage, const char *text)
{
    const char *name = strrchr(damage->file->path, '/');
    const char *second = damage->second == NULL ? NULL : strrchr(damage->second->path, '/');
    bool has_file =
        strstr(text, name + 1) != NULL || (second != NULL && strstr(text, second + 1) != NULL);
    if (damage->bit == DAMAGE_FOREIGN && strstr(text, "of database") != NULL) {
        return OUTCOME_REPORTED; /* the whole file is out of place; or CURRENT is, and its manifest
                                    is not */
    }
    if (damage->bit == DAMAGE_FOREIGN && strstr(text, "belongs to database") != NULL) {
        return OUTCOME_REPORTED;
    }
    bool has_place = damage->bit == DAMAGE_REMOVE || strstr(text, "offset") != NULL ||
                     strstr(text, " at ") != NULL || strstr(text, "byte") != NULL ||
                     strstr(text, "octet") != NULL;
    return has_file && has_place ? OUTCOME_REPORTED : OUTCOME_VAGUE;
}

struct findings {
    char first[CRASH_TEXT_BYTES];
    uint64_t count;
};

static void note_problem(void *arg, const char *line)
{
    struct findings *findings = arg;
    if (findings->count++ == 0) {
        (void)snprintf(findings->first, sizeof findings->first, "%s", line);
    }
}

static bool is_damage_status(const char *text)
{
    return strstr(text, "CORRUPT") != NULL || strstr(text, "BAD_FORMAT") != NULL ||
           strstr(text, "IO") != NULL;
}

/* Read everything of an open, damaged database. */
static enum outcome judge_open_store(struct store *store, struct yore_db *db,
                                     const struct damage *damage, char text[CRASH_TEXT_BYTES])
{
    struct yore_verify_report report = {0};
    struct findings findings = {"", 0};
    struct yore_error error = {0};
    bool is_right = crash_compare(&store->run, db, store->run.model);
    (void)snprintf(text, CRASH_TEXT_BYTES, "%s", store->run.text);
    if (!is_right) {
        return is_damage_status(text) ? judge_report(damage, text) : OUTCOME_SILENT;
    }
    enum yore_status status = yore_verify(db, note_problem, &findings, &report, &error);
    if (status == YORE_OK) {
        return OUTCOME_HARMLESS;
    }
    (void)snprintf(text, CRASH_TEXT_BYTES, "verify: %.700s [%.400s]",
                   findings.count > 0 ? findings.first : yore_status_name(status), error.text);
    return judge_report(damage, text);
}

/* Checked without being opened: what opening refuses, the check finds too, and writes nothing. */
static bool is_found_by_path(struct sim_disk *disk, bool must_be_found)
{
    uint64_t before = sim_disk_op_count(disk);
    enum yore_status status =
        db_verify_path(sim_disk_env(disk), STORE_PATH, NULL, NULL, NULL, NULL);
    return sim_disk_op_count(disk) == before &&
           (status == YORE_CORRUPT || (status == YORE_OK && !must_be_found));
}

static enum outcome damage_case(struct store *store, const struct damage *damage,
                                char text[CRASH_TEXT_BYTES])
{
    struct sim_disk *disk = sim_disk_clone(store->run.disk, 1);
    struct yore_db *db = NULL;
    struct yore_error error = {0};
    enum outcome outcome = OUTCOME_NONE;
    (void)snprintf(text, CRASH_TEXT_BYTES, "the damage could not be done");
    if (apply_damage(store, disk, damage)) {
        enum yore_status status =
            db_open_inline(sim_disk_env(disk), STORE_PATH, &store->run.options, &db, &error);
        if (status == YORE_OK) {
            outcome = judge_open_store(store, db, damage, text);
            (void)yore_close(db, NULL);
        } else {
            (void)snprintf(text, CRASH_TEXT_BYTES, "open: %s [%s]", yore_status_name(status),
                           error.text);
            outcome = judge_report(damage, error.text);
            struct sim_disk *again = sim_disk_clone(store->run.disk, 1);
            bool is_found = apply_damage(store, again, damage) && is_found_by_path(again, true);
            sim_disk_free(again);
            if (!is_found) {
                (void)snprintf(text, CRASH_TEXT_BYTES, "a check of the path finds nothing");
                outcome = OUTCOME_SILENT;
            }
        }
    }
    sim_disk_free(disk);
    return outcome;
}

/* ---- many cases ----------------------------------------------------------------------------- */

struct board { /* shared with the worker */
    uint64_t next;
    uint64_t outcomes[OUTCOMES];
    uint64_t told; /* failures printed */
};

struct sweep {
    struct store *store;
    struct board *board;
    uint64_t count;
    struct damage (*damage)(const struct sweep *sweep, uint64_t index);
    uint64_t stride;
    uint64_t phase;
};

static const char *damage_text(const struct damage *damage, char text[2 * FILE_BYTES + 64])
{
    (void)snprintf(text, 2 * FILE_BYTES + 64, "%s:%" PRIu64 ":%u%s%s", damage->file->path,
                   damage->offset, damage->bit, damage->second == NULL ? "" : " with ",
                   damage->second == NULL ? "" : damage->second->path);
    return text;
}

static void tell(struct board *board, const struct damage *damage, enum outcome outcome,
                 const char *text)
{
    char name[2 * FILE_BYTES + 64];
    if (board->told < 20 || getenv("YORE_CORRUPTION_ALL") != NULL) {
        board->told++;
        printf("  %s: YORE_CORRUPTION_ONE=%s: %s\n", outcome_names[outcome],
               damage_text(damage, name), text);
        fflush(stdout);
    }
}

/* Run cases until the end; the process may die in any of them. */
static void work(const struct sweep *sweep)
{
    while (sweep->board->next < sweep->count) {
        uint64_t index = sweep->board->next++;
        char text[CRASH_TEXT_BYTES];
        struct damage damage = sweep->damage(sweep, index);
        enum outcome outcome = damage_case(sweep->store, &damage, text);
        sweep->board->outcomes[outcome]++;
        if (outcome != OUTCOME_HARMLESS && outcome != OUTCOME_REPORTED) {
            tell(sweep->board, &damage, outcome, text);
        }
    }
}

static void run_sweep(struct sweep *sweep)
{
    size_t size = sizeof *sweep->board;
    sweep->board = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(sweep->board != MAP_FAILED);
    memset(sweep->board, 0, size);
    while (sweep->board->next < sweep->count) {
        fflush(NULL);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            work(sweep);
            fflush(NULL);
            _exit(0);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            struct damage damage = sweep->damage(sweep, sweep->board->next - 1);
            sweep->board->outcomes[OUTCOME_CRASH]++;
            tell(sweep->board, &damage, OUTCOME_CRASH, "the process died");
        }
    }
}

static void check_board(const struct sweep *sweep, const char *what)
{
    printf("  %s: %" PRIu64 " cases:", what, sweep->count);
    for (unsigned i = 0; i < OUTCOMES; i++) {
        printf(" %" PRIu64 " %s%s", sweep->board->outcomes[i], outcome_names[i],
               i + 1 < OUTCOMES ? "," : "\n");
    }
    test_count(sweep->count);
    uint64_t bad = sweep->count - sweep->board->outcomes[OUTCOME_HARMLESS] -
                   sweep->board->outcomes[OUTCOME_REPORTED];
    munmap(sweep->board, sizeof *sweep->board);
    CHECK_MSG(bad == 0,
              "%s: %" PRIu64 " cases were neither harmless nor reported with file and place", what,
              bad);
}

/* Byte number `at` of all files in a row. */
static struct damage byte_at(const struct store *store, uint64_t at)
{
    size_t i = 0;
    while (at >= store->files[i].size) {
        at -= store->files[i].size;
        i++;
    }
    struct damage damage = {&store->files[i], NULL, at, 0};
    return damage;
}

static struct damage flip_damage(const struct sweep *sweep, uint64_t index)
{
    struct damage damage = byte_at(sweep->store, sweep->phase + index * sweep->stride);
    struct test_rand rand = {index * 77 + sweep->phase};
    damage.bit = (unsigned)test_rand_below(&rand, 8);
    return damage;
}

static struct damage cut_damage(const struct sweep *sweep, uint64_t index)
{
    struct damage damage = byte_at(sweep->store, sweep->phase + index * sweep->stride);
    damage.bit = DAMAGE_CUT;
    return damage;
}

static void sweep_bytes(struct damage (*damage)(const struct sweep *sweep, uint64_t index),
                        const char *what)
{
    struct test_rand rand = test_rand_new(0);
    struct store *store = store_new();
    struct sweep sweep = {.store = store, .damage = damage};
    sweep.stride = test_number("YORE_CORRUPTION_STRIDE", test_stride(10, 1));
    sweep.phase = test_rand_below(&rand, sweep.stride);
    sweep.count = (store->bytes - sweep.phase + sweep.stride - 1) / sweep.stride;
    printf("  a store of %zu files, %" PRIu64 " bytes\n", store->file_count, store->bytes);
    run_sweep(&sweep);
    uint64_t bytes = store->bytes;
    store_free(store);
    check_board(&sweep, what);
    CHECK(bytes >= 100000);
}

TEST(a_flipped_bit_anywhere_is_reported_or_harmless)
{
    sweep_bytes(flip_damage, "flipped bits");
}

TEST(a_file_cut_anywhere_is_reported_or_harmless)
{
    sweep_bytes(cut_damage, "cuts");
}

/* ---- whole files ---------------------------------------------------------------------------- */

static struct damage remove_damage(const struct sweep *sweep, uint64_t index)
{
    struct damage damage = {&sweep->store->files[index], NULL, 0, DAMAGE_REMOVE};
    return damage;
}

static struct damage foreign_damage(const struct sweep *sweep, uint64_t index)
{
    struct damage damage = {&sweep->store->files[index], NULL, 0, DAMAGE_FOREIGN};
    return damage;
}

static struct damage swap_damage(const struct sweep *sweep, uint64_t index)
{
    struct store *store = sweep->store;
    struct damage damage = {
        &store->files[index % store->file_count],
        &store->files[(index / store->file_count + 1 + index) % store->file_count], 0, DAMAGE_SWAP};
    return damage;
}

static void sweep_files(struct damage (*damage)(const struct sweep *sweep, uint64_t index),
                        uint64_t times, const char *what)
{
    struct store *store = store_new();
    struct sweep sweep = {.store = store, .damage = damage, .count = store->file_count * times};
    run_sweep(&sweep);
    store_free(store);
    check_board(&sweep, what);
}

TEST(a_missing_file_is_reported)
{
    sweep_files(remove_damage, 1, "missing files");
}

TEST(two_swapped_files_are_reported)
{
    sweep_files(swap_damage, 4, "swapped files");
}

TEST(a_file_of_another_database_is_reported)
{
    sweep_files(foreign_damage, 1, "foreign files");
}

TEST(one_damage)
{
    const char *text = getenv("YORE_CORRUPTION_ONE");
    char path[FILE_BYTES];
    unsigned long long offset = 0;
    unsigned bit = 0;
    if (text == NULL || sscanf(text, "%255[^:]:%llu:%u", path, &offset, &bit) != 3) {
        SKIP("set YORE_CORRUPTION_ONE to file:offset:bit");
    }
    struct store *store = store_new();
    struct file file = {.size = 0};
    (void)snprintf(file.path, sizeof file.path, "%s", path);
    struct damage damage = {&file, NULL, offset, bit};
    char message[CRASH_TEXT_BYTES];
    enum outcome outcome = damage_case(store, &damage, message);
    printf("  %s: %s\n", outcome_names[outcome], message);
    store_free(store);
    CHECK(outcome == OUTCOME_HARMLESS || outcome == OUTCOME_REPORTED);
}

TEST_MAIN(one_damage, a_flipped_bit_anywhere_is_reported_or_harmless,
          a_file_cut_anywhere_is_reported_or_harmless, a_missing_file_is_reported,
          two_swapped_files_are_reported, a_file_of_another_database_is_reported)
