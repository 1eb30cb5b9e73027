/* damage.c -- see damage.h. */
#include "corruption/damage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/db.h"
#include "os/env.h"

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

/* ---- the store ------------------------------------------------------------------------------ */

static void add_file(void *arg, const char *path, uint64_t size)
{
    struct damage_store *store = arg;
    if (store->file_count < DAMAGE_FILES_MAX) {
        struct damage_file *file = &store->files[store->file_count++];
        (void)snprintf(file->path, sizeof file->path, "%s", path);
        file->size = size;
        store->bytes += size;
    }
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct damage_file *)a)->path, ((const struct damage_file *)b)->path);
}

void damage_store_begin(struct damage_store *store)
{
    store_files(store->disk, STORE_PATH, add_file, store);
    qsort(store->files, store->file_count, sizeof store->files[0], compare_files);
    struct sim_disk *copy = sim_disk_clone(store->disk, 3); /* opening changes the files */
    struct yore_db *db = NULL;
    char text[DAMAGE_TEXT_BYTES] = "";
    CHECK_OK(db_open_inline(sim_disk_env(copy), STORE_PATH, &store->options, &db, NULL));
    CHECK_MSG(store->is_right(store->arg, db, true, text), "the undamaged store: %s", text);
    CHECK_OK(yore_verify(db, NULL, NULL, NULL, NULL));
    CHECK_OK(yore_close(db, NULL));
    sim_disk_free(copy);
}

/* ---- one case ------------------------------------------------------------------------------- */

struct damage {
    const struct damage_file *file;
    const struct damage_file *second; /* swapped with it, or NULL */
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
    data = malloc((size_t)size + 1);
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

static bool apply_damage(struct damage_store *store, struct sim_disk *disk,
                         const struct damage *damage)
{
    const char *path = damage->file->path;
    switch (damage->bit) {
    case DAMAGE_CUT:
        return sim_disk_truncate_file(disk, path, damage->offset);
    case DAMAGE_REMOVE:
        return os_path_unlink(sim_disk_env(disk), path, NULL) == YORE_OK;
    case DAMAGE_SWAP:
        return copy_between(store->disk, damage->second->path, disk, path) &&
               copy_between(store->disk, path, disk, damage->second->path);
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
    char first[DAMAGE_TEXT_BYTES];
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
static enum outcome judge_open_store(struct damage_store *store, struct yore_db *db,
                                     const struct damage *damage, char text[DAMAGE_TEXT_BYTES])
{
    struct yore_verify_report report = {0};
    struct findings findings = {"", 0};
    struct yore_error error = {0};
    enum yore_status status = yore_verify(db, note_problem, &findings, &report, &error);
    bool is_right = store->is_right(store->arg, db, status == YORE_OK, text);
    if (!is_right && !is_damage_status(text)) {
        return OUTCOME_SILENT;
    }
    enum outcome read = is_right ? OUTCOME_HARMLESS : judge_report(damage, text);
    if (status == YORE_OK && !is_right) {
        (void)snprintf(text, DAMAGE_TEXT_BYTES, "a read tells damage, a check finds none");
        return OUTCOME_SILENT;
    }
    if (status == YORE_OK || read == OUTCOME_VAGUE) {
        return read;
    }
    (void)snprintf(text, DAMAGE_TEXT_BYTES, "verify: %.700s [%.400s]",
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

static enum outcome damage_case(struct damage_store *store, const struct damage *damage,
                                char text[DAMAGE_TEXT_BYTES])
{
    struct sim_disk *disk = sim_disk_clone(store->disk, 1);
    struct yore_db *db = NULL;
    struct yore_error error = {0};
    enum outcome outcome = OUTCOME_NONE;
    (void)snprintf(text, DAMAGE_TEXT_BYTES, "the damage could not be done");
    if (apply_damage(store, disk, damage)) {
        enum yore_status status =
            db_open_inline(sim_disk_env(disk), STORE_PATH, &store->options, &db, &error);
        if (status == YORE_OK) {
            outcome = judge_open_store(store, db, damage, text);
            (void)yore_close(db, NULL);
        } else {
            (void)snprintf(text, DAMAGE_TEXT_BYTES, "open: %s [%s]", yore_status_name(status),
                           error.text);
            outcome = judge_report(damage, error.text);
            struct sim_disk *again = sim_disk_clone(store->disk, 1);
            bool is_found = apply_damage(store, again, damage) && is_found_by_path(again, true);
            sim_disk_free(again);
            if (!is_found) {
                (void)snprintf(text, DAMAGE_TEXT_BYTES, "a check of the path finds nothing");
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
    struct damage_store *store;
    struct board *board;
    uint64_t count;
    struct damage (*damage)(const struct sweep *sweep, uint64_t index);
    uint64_t stride;
    uint64_t phase;
};

static const char *damage_text(const struct damage *damage, char text[2 * DAMAGE_FILE_BYTES + 64])
{
    (void)snprintf(text, 2 * DAMAGE_FILE_BYTES + 64, "%s:%" PRIu64 ":%u%s%s", damage->file->path,
                   damage->offset, damage->bit, damage->second == NULL ? "" : " with ",
                   damage->second == NULL ? "" : damage->second->path);
    return text;
}

static void tell(struct board *board, const struct damage *damage, enum outcome outcome,
                 const char *text)
{
    char name[2 * DAMAGE_FILE_BYTES + 64];
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
        char text[DAMAGE_TEXT_BYTES];
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
static struct damage byte_at(const struct damage_store *store, uint64_t at)
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

static void sweep_bytes(struct damage_store *store,
                        struct damage (*damage)(const struct sweep *sweep, uint64_t index),
                        const char *what)
{
    struct test_rand rand = test_rand_new(0);
    struct sweep sweep = {.store = store, .damage = damage};
    sweep.stride = test_number("YORE_CORRUPTION_STRIDE", test_stride(10, 1));
    sweep.phase = test_rand_below(&rand, sweep.stride);
    sweep.count = (store->bytes - sweep.phase + sweep.stride - 1) / sweep.stride;
    printf("  a store of %zu files, %" PRIu64 " bytes\n", store->file_count, store->bytes);
    run_sweep(&sweep);
    check_board(&sweep, what);
}

void damage_flip_bits(struct damage_store *store)
{
    sweep_bytes(store, flip_damage, "flipped bits");
}

void damage_cut_files(struct damage_store *store)
{
    sweep_bytes(store, cut_damage, "cuts");
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
    struct damage_store *store = sweep->store;
    struct damage damage = {
        &store->files[index % store->file_count],
        &store->files[(index / store->file_count + 1 + index) % store->file_count], 0, DAMAGE_SWAP};
    return damage;
}

static void sweep_files(struct damage_store *store,
                        struct damage (*damage)(const struct sweep *sweep, uint64_t index),
                        uint64_t times, const char *what)
{
    struct sweep sweep = {.store = store, .damage = damage, .count = store->file_count * times};
    run_sweep(&sweep);
    check_board(&sweep, what);
}

void damage_remove_files(struct damage_store *store)
{
    sweep_files(store, remove_damage, 1, "missing files");
}

void damage_swap_files(struct damage_store *store)
{
    sweep_files(store, swap_damage, 4, "swapped files");
}

void damage_replace_files(struct damage_store *store)
{
    sweep_files(store, foreign_damage, 1, "foreign files");
}

/* ---- one of them ---------------------------------------------------------------------------- */

bool damage_one(struct damage_store *store)
{
    const char *text = getenv("YORE_CORRUPTION_ONE");
    char path[DAMAGE_FILE_BYTES];
    unsigned long long offset = 0;
    unsigned bit = 0;
    if (text == NULL || sscanf(text, "%255[^:]:%llu:%u", path, &offset, &bit) != 3) {
        return false;
    }
    struct damage_file file = {.size = 0};
    (void)snprintf(file.path, sizeof file.path, "%s", path);
    struct damage damage = {&file, NULL, offset, bit};
    char message[DAMAGE_TEXT_BYTES];
    enum outcome outcome = damage_case(store, &damage, message);
    printf("  %s: %s\n", outcome_names[outcome], message);
    CHECK(outcome == OUTCOME_HARMLESS || outcome == OUTCOME_REPORTED);
    return true;
}
