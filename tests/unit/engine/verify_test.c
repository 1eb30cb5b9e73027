/* verify_test.c -- yore_verify() on sound databases, and on ones with every kind of damage. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/manifest.h"
#include "unit/engine/bed.h"

#define LARGE 900

struct lines {
    char text[64][1024];
    size_t count;
};

static void note_line(void *arg, const char *line)
{
    struct lines *lines = arg;
    if (lines->count < 64) {
        (void)snprintf(lines->text[lines->count], sizeof lines->text[0], "%s", line);
    }
    lines->count++;
}

static struct lines found;

static enum yore_status verify(struct bed *bed, struct yore_verify_report *report)
{
    found.count = 0;
    enum yore_status st = yore_verify(bed->db, note_line, &found, report, NULL);
    CHECK_EQ_UINT(report->problems, found.count);
    return st;
}

static struct yore_verify_report verify_sound(struct bed *bed)
{
    struct yore_verify_report report;
    enum yore_status st = verify(bed, &report);
    CHECK_MSG(st == YORE_OK, "%s", found.count > 0 ? found.text[0] : yore_status_message(st));
    return report;
}

static const char *large(char fill)
{
    static char text[LARGE + 1];
    memset(text, fill, LARGE);
    return text;
}

/* Keys with and without history, late facts, deletes, spans, large values. */
static void write_some(struct bed *bed, int rounds)
{
    char key[32];
    char value[64];
    for (int i = 0; i < rounds; i++) {
        (void)snprintf(key, sizeof key, "key/%02d", i % 25);
        (void)snprintf(value, sizeof value, "value %d", i);
        (void)put(bed->db, key, value);
        if (i % 7 == 0) {
            (void)put_at(bed->db, key, "late", AT(i), YORE_FOREVER);
        }
        if (i % 11 == 0) {
            (void)put_span(bed->db, key, "span", AT(i), AT(i + 5));
        }
        if (i % 13 == 0) {
            (void)delete_at(bed->db, key, YORE_NOW);
        }
        if (i % 17 == 0) {
            (void)put(bed->db, "large", large((char)('a' + i % 26)));
        }
    }
}

TEST(a_sound_database_has_no_problems_at_any_age)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        for (int round = 0; round < 4; round++) {
            write_some(&bed, 150);
            bed_age(&bed, age);
            struct yore_verify_report report = verify_sound(&bed);
            CHECK_EQ_UINT(report.erasures_pending, 0);
            CHECK(report.versions >= 150 && report.values_apart >= 1 && report.bytes > 0);
            CHECK(age == 0 || (report.files > 0 && report.pages > 0));
        }
        bed_close(&bed);
    }
}

TEST(keys_and_versions_are_counted)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        uint64_t own = verify_sound(&bed).versions; /* the catalogue's */
        (void)put(bed.db, "a", "1");
        (void)put(bed.db, "a", "2");
        (void)put(bed.db, "b", large('b'));
        (void)put(bed.db, "c", "3");
        (void)delete_at(bed.db, "c", YORE_NOW);
        bed_age(&bed, age);
        struct yore_verify_report report = verify_sound(&bed);
        CHECK_EQ_UINT(report.keys, 2);
        CHECK_EQ_UINT(report.versions, own + 5);
        CHECK_EQ_UINT(report.values_apart, 1);
        bed_close(&bed);
    }
}

TEST(without_syncs_only_very_large_values_are_apart)
{
    static char value[YORE_VALUE_APART_UNSYNCED_BYTES];
    const enum yore_durability modes[] = {YORE_DURABILITY_SYNC, YORE_DURABILITY_INTERVAL,
                                          YORE_DURABILITY_NONE};
    for (size_t i = 0; i < 3; i++) {
        struct bed bed = {.disk = sim_disk_new(1)};
        struct yore_options options = {.durability = modes[i]};
        sim_disk_set_wall(bed.disk, BED_T0);
        CHECK_OK(db_open_inline(sim_disk_env(bed.disk), "db", &options, &bed.db, NULL));
        const size_t sizes[] = {YORE_VALUE_APART_BYTES - 1, YORE_VALUE_APART_BYTES,
                                YORE_VALUE_APART_UNSYNCED_BYTES - 1,
                                YORE_VALUE_APART_UNSYNCED_BYTES};
        for (size_t j = 0; j < 4; j++) {
            CHECK_OK(yore_put(bed.db, NULL, text("k"), (struct yore_bytes){value, sizes[j]}, NULL,
                              NULL));
        }
        CHECK_EQ_UINT(verify_sound(&bed).values_apart, modes[i] == YORE_DURABILITY_SYNC ? 3 : 1);
        bed_close(&bed);
    }
}

TEST(journal_records_are_counted)
{
    struct bed bed = {.disk = sim_disk_new(1)}; /* with a memtable that does not fill so soon */
    sim_disk_set_wall(bed.disk, BED_T0);
    CHECK_OK(db_open_inline(sim_disk_env(bed.disk), "db", NULL, &bed.db, NULL));
    uint64_t before = verify_sound(&bed).journal_records;
    (void)put(bed.db, "a", "1");
    (void)put(bed.db, "b", "2");
    CHECK_EQ_UINT(verify_sound(&bed).journal_records, before + 2);
    bed_close(&bed);
}

/* ---- damage ---- */

struct names {
    char names[256][64];
    size_t count;
};

static int note_name(void *arg, const char *name)
{
    struct names *names = arg;
    CHECK(names->count < 256 && strlen(name) < 64);
    (void)snprintf(names->names[names->count++], 64, "%s", name);
    return 0;
}

static struct names list(struct bed *bed)
{
    struct names names = {.count = 0};
    CHECK_OK(os_dir_list(sim_disk_env(bed->disk), "db", note_name, &names, NULL));
    return names;
}

static bool is_told(const char *part)
{
    for (size_t i = 0; i < found.count && i < 64; i++) {
        if (strstr(found.text[i], part) != NULL) {
            return true;
        }
    }
    return false;
}

/* Open a damaged database and verify; opening may be what finds it. */
static bool finds(struct bed *bed, const char *name)
{
    struct yore_verify_report report;
    struct yore_error error = {.text = ""};
    struct yore_options options;
    yore_options_init(&options);
    bool is_found = false;
    enum yore_status st = db_open_inline(sim_disk_env(bed->disk), "db", &options, &bed->db, &error);
    if (st == YORE_OK) {
        st = verify(bed, &report);
        is_found = st == YORE_CORRUPT && is_told(name);
        (void)yore_close(bed->db, NULL);
    } else {
        is_found = st == YORE_CORRUPT && strstr(error.text, name) != NULL;
    }
    return is_found;
}

static void begin_damage(struct bed *bed)
{
    bed_open(bed);
    write_some(bed, 300);
    CHECK_OK(yore_compact(bed->db, NULL, NULL));
    write_some(bed, 50);
    CHECK_OK(yore_flush(bed->db, NULL));
    CHECK_OK(yore_close(bed->db, NULL));
}

static uint64_t size_of(struct bed *bed, const char *path)
{
    uint64_t size = 0;
    bool is_dir;
    CHECK_OK(os_path_stat(sim_disk_env(bed->disk), path, &size, &is_dir, NULL));
    return size;
}

/* Octets that fill a record of a value file up to a multiple of 8 are zeros that nobody reads. */
static bool may_be_filling(struct bed *bed, const char *path, uint64_t offset)
{
    struct os_file *file = NULL;
    unsigned char octet = 1;
    size_t got = 0;
    CHECK_OK(os_file_open(sim_disk_env(bed->disk), path, OS_OPEN_READ, &file, NULL));
    CHECK_OK(os_file_read(file, offset, &octet, 1, &got, NULL));
    os_file_close(file);
    return got == 1 && octet == 0 && strstr(path, "values-") != NULL;
}

TEST(a_flipped_bit_in_any_table_or_value_file_is_found_and_the_file_named)
{
    struct bed bed;
    struct test_rand rand = test_rand_new(1);
    begin_damage(&bed);
    struct names names = list(&bed);
    struct sim_disk *sound = bed.disk;
    for (size_t i = 0; i < names.count; i++) {
        char path[PATH_BYTES];
        if (strncmp(names.names[i], "table-", 6) != 0 &&
            strncmp(names.names[i], "values-", 7) != 0) {
            continue;
        }
        CHECK(dir_join(path, "db", names.names[i]));
        for (int round = 0; round < 10; round++) {
            bed.disk = sim_disk_clone(sound, 1);
            uint64_t offset = test_rand_below(&rand, size_of(&bed, path));
            if (may_be_filling(&bed, path, offset)) {
                sim_disk_free(bed.disk);
                continue;
            }
            CHECK(sim_disk_flip_bit(bed.disk, path, offset, (unsigned)test_rand_below(&rand, 8)));
            CHECK_MSG(finds(&bed, names.names[i]), "%s: offset %llu", path,
                      (unsigned long long)offset);
            sim_disk_free(bed.disk);
            test_count(1);
        }
    }
    sim_disk_free(sound);
}

/* "<path>: ... offset <number>" of a line; false: it names no place. */
static bool place_of(const char *line, char place[1024])
{
    char path[512];
    unsigned long long number = 0;
    const char *offset = strstr(line, "offset ");
    if (offset == NULL || sscanf(line, "%511[^:]", path) != 1 ||
        sscanf(offset, "offset %llu", &number) != 1) {
        return false;
    }
    (void)snprintf(place, 1024, "%s %llu", path, number);
    return true;
}

/* The file's own check, the places of its versions and the walks over keyspaces all read it. */
TEST(a_damaged_page_is_told_once)
{
    struct bed bed;
    begin_damage(&bed);
    struct names names = list(&bed);
    struct sim_disk *sound = bed.disk;
    for (size_t i = 0; i < names.count; i++) {
        char path[PATH_BYTES];
        if (strncmp(names.names[i], "table-", 6) != 0) {
            continue;
        }
        CHECK(dir_join(path, "db", names.names[i]));
        bed.disk = sim_disk_clone(sound, 1);
        CHECK(sim_disk_flip_bit(bed.disk, path, 100, 3)); /* in its first page */
        CHECK(finds(&bed, names.names[i]));
        for (size_t j = 0; j < found.count && j < 64; j++) {
            char place[1024];
            char other[1024];
            for (size_t k = 0; k < j && place_of(found.text[j], place); k++) {
                CHECK_MSG(!place_of(found.text[k], other) || strcmp(place, other) != 0,
                          "told again: %s", found.text[j]);
            }
        }
        sim_disk_free(bed.disk);
        test_count(1);
    }
    sim_disk_free(sound);
}

TEST(a_missing_or_short_file_is_found_and_named)
{
    struct bed bed;
    begin_damage(&bed);
    struct names names = list(&bed);
    struct sim_disk *sound = bed.disk;
    for (size_t i = 0; i < 2 * names.count; i++) {
        const char *name = names.names[i / 2];
        char path[PATH_BYTES];
        if (strncmp(name, "table-", 6) != 0 && strncmp(name, "values-", 7) != 0) {
            continue;
        }
        CHECK(dir_join(path, "db", name));
        bed.disk = sim_disk_clone(sound, 1);
        if (i % 2 == 0) {
            CHECK_OK(os_path_unlink(sim_disk_env(bed.disk), path, NULL));
        } else {
            CHECK(sim_disk_truncate_file(bed.disk, path, size_of(&bed, path) - 9));
        }
        CHECK_MSG(finds(&bed, name), "%s", path);
        sim_disk_free(bed.disk);
        test_count(1);
    }
    sim_disk_free(sound);
}

TEST(a_file_that_belongs_to_nothing_is_named)
{
    struct bed bed;
    struct os_file *file;
    struct yore_verify_report report;
    bed_open(&bed);
    write_some(&bed, 50);
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_OK(os_file_open(sim_disk_env(bed.disk), "db/table-00000000000fffff", OS_OPEN_CREATE,
                          &file, NULL));
    os_file_close(file);
    CHECK_STATUS(verify(&bed, &report), YORE_CORRUPT);
    CHECK_EQ_UINT(report.problems, 1);
    CHECK(is_told("table-00000000000fffff"));
    CHECK_OK(os_path_unlink(sim_disk_env(bed.disk), "db/table-00000000000fffff", NULL));
    (void)verify_sound(&bed);
    bed_close(&bed);
}

/* Numbers go on behind those that are found; the greatest there is has no next one. */
TEST(a_name_with_a_number_that_cannot_be_counted_on_from_is_nobodys)
{
    static const char *const names[] = {"db/table-ffffffffffffffff", "db/manifest-fffffffffffffffe",
                                        "db/journal-fffffffffffffffe.log"};
    struct bed bed;
    char key[2] = "a";
    bed_open(&bed);
    write_some(&bed, 50);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct os_file *file;
        CHECK_OK(os_file_open(sim_disk_env(bed.disk), names[i], OS_OPEN_CREATE, &file, NULL));
        os_file_close(file);
    }
    for (int i = 0; i < 4; i++) {
        bed_reopen(&bed);
        key[0] = (char)('a' + i);
        (void)put(bed.db, key, "kept");
    }
    bed_reopen(&bed);
    write_some(&bed, 50);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    for (int i = 0; i < 4; i++) {
        key[0] = (char)('a' + i);
        CHECK_EQ_STR(get(bed.db, key), "kept");
    }
    (void)verify_sound(&bed);
    bed_close(&bed);
}

TEST(without_memory_verify_says_so)
{
    struct bed bed;
    struct yore_verify_report report;
    bed_open(&bed);
    write_some(&bed, 50);
    CHECK_OK(yore_flush(bed.db, NULL));
    bool is_done = false;
    for (uint64_t nth = 1; !is_done; nth += 7) {
        mem_fail_at(nth, false);
        enum yore_status st = yore_verify(bed.db, NULL, NULL, &report, NULL);
        is_done = mem_count() < nth;
        mem_fail_at(0, false);
        CHECK(st == YORE_OK || st == YORE_NOMEM);
        CHECK(st == YORE_OK || !is_done);
        CHECK_EQ_UINT(report.problems, 0);
    }
    bed_close(&bed);
}

/* ---- erasures, readers, writers ---- */

TEST(erasures_are_pending_until_their_bytes_are_gone)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "a", "secret");
    (void)put(bed.db, "large", large('s'));
    (void)put(bed.db, "b", "public");
    CHECK_OK(yore_flush(bed.db, NULL));
    (void)erase_key(bed.db, "a", YORE_TIME_MIN, YORE_FOREVER);
    (void)erase_key(bed.db, "large", YORE_TIME_MIN, YORE_FOREVER);
    CHECK(verify_sound(&bed).erasures_pending >= 1);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    struct yore_verify_report report = verify_sound(&bed);
    CHECK_EQ_UINT(report.erasures_pending, 0);
    CHECK_EQ_UINT(report.values_apart, 0);
    CHECK_EQ_UINT(report.keys, 1);
    bed_close(&bed);
}

TEST(a_reader_keeps_the_value_that_an_erasure_takes_from_the_files)
{
    struct bed bed;
    struct yore_cursor *cursor;
    bed_open(&bed);
    (void)put(bed.db, "a", "1");
    (void)put(bed.db, "large", large('s'));
    (void)put(bed.db, "stays", large('t'));
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_OK(yore_cursor_open(bed.db, NULL, NULL, &cursor, NULL));
    CHECK_OK(yore_cursor_next(cursor));
    (void)erase_key(bed.db, "large", YORE_TIME_MIN, YORE_FOREVER);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    (void)verify_sound(&bed);
    enum yore_status st = yore_cursor_next(cursor);
    CHECK_OK(st); /* of its own view, in which nothing is erased */
    CHECK_EQ_BYTES(yore_cursor_row(cursor)->value.data, yore_cursor_row(cursor)->value.size,
                   large('s'), LARGE);
    yore_cursor_close(cursor);
    CHECK_EQ_STR(get(bed.db, "large"), "!");
    CHECK_EQ_STR(get(bed.db, "stays"), large('t'));
    bed_reopen(&bed);
    struct names names = list(&bed);
    size_t generations = 0;
    for (size_t i = 0; i < names.count; i++) {
        generations += strncmp(names.names[i], "values-", 7) == 0;
    }
    CHECK_EQ_UINT(generations, 1);
    (void)verify_sound(&bed);
    bed_close(&bed);
}

TEST(an_open_batch_keeps_its_values_through_a_purge)
{
    struct bed bed;
    struct yore_batch *batch;
    bed_open(&bed);
    (void)put(bed.db, "secret", large('s'));
    CHECK_OK(yore_batch_new(bed.db, &batch, NULL));
    CHECK_OK(yore_batch_put(batch, NULL, text("b"), text(large('b')), NULL, NULL));
    (void)erase_key(bed.db, "secret", YORE_TIME_MIN, YORE_FOREVER);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
    yore_batch_free(batch);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_STR(get(bed.db, "b"), large('b'));
    CHECK_EQ_UINT(verify_sound(&bed).values_apart, 1);
    bed_close(&bed);
}

struct writer {
    struct yore_db *db;
    _Atomic bool is_over;
    bool is_right;
};

static void *write_on(void *arg)
{
    struct writer *w = arg;
    char key[32];
    w->is_right = true;
    for (unsigned i = 0; !atomic_load(&w->is_over); i++) {
        (void)snprintf(key, sizeof key, "key/%02u", i % 40);
        struct yore_bytes value = i % 9 == 0 ? text("a value that is repeated") : text(key);
        w->is_right &= yore_put(w->db, NULL, text(key), value, NULL, NULL) == YORE_OK;
    }
    return NULL;
}

TEST(verify_runs_beside_writers_and_jobs)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct writer writer = {.db = NULL};
    struct yore_options options;
    pthread_t thread;
    yore_options_init(&options);
    options.memtable_bytes = 64u << 10;
    options.segment_bytes = 64u << 10;
    options.table_bytes = 16u << 10;
    options.page_bytes = 512;
    options.seal_versions_per_key = 2;
    options.seal_bytes_min = 4u << 10;
    sim_disk_set_wall(disk, BED_T0);
    CHECK_OK(db_open(sim_disk_env(disk), "db", &options, &writer.db, NULL));
    CHECK(pthread_create(&thread, NULL, write_on, &writer) == 0);
    struct bed bed = {.disk = disk, .db = writer.db};
    for (int i = 0; i < 15; i++) {
        (void)verify_sound(&bed);
    }
    atomic_store(&writer.is_over, true);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(writer.is_right);
    (void)verify_sound(&bed);
    bed_close(&bed);
}

/* ---- past what opening needs ---- */

/* The least name with this stem that is greater than `after`; a directory has no order. */
struct victim {
    const char *stem;
    char after[64];
    char name[64]; /* empty: none */
};

static int find_victim(void *arg, const char *name)
{
    struct victim *victim = arg;
    if (strncmp(name, victim->stem, strlen(victim->stem)) == 0 && strcmp(name, victim->after) > 0 &&
        (victim->name[0] == '\0' || strcmp(name, victim->name) < 0)) {
        (void)snprintf(victim->name, sizeof victim->name, "%s", name);
    }
    return 0;
}

/* The nth file with this stem; empty: there are not so many. */
static const char *nth_file(struct sim_disk *disk, const char *stem, unsigned nth)
{
    static struct victim victims[16];
    static unsigned next;
    struct victim *victim = &victims[next++ % 16];
    *victim = (struct victim){.stem = stem};
    for (unsigned i = 0; i <= nth; i++) {
        memcpy(victim->after, victim->name, sizeof victim->after);
        victim->name[0] = '\0';
        CHECK_OK(os_dir_list(sim_disk_env(disk), "db", find_victim, victim, NULL));
    }
    return victim->name;
}

/* Damage a file; its name. */
static const char *hurt(struct sim_disk *disk, const char *stem, unsigned nth)
{
    const char *name = nth_file(disk, stem, nth);
    char path[512];
    uint64_t size;
    bool is_dir;
    CHECK_MSG(name[0] != '\0', "there is no file %s", stem);
    (void)snprintf(path, sizeof path, "db/%s", name);
    CHECK_OK(os_path_stat(sim_disk_env(disk), path, &size, &is_dir, NULL));
    /* In the first record of a log, behind its header: what comes later shows that it was whole. */
    uint64_t offset =
        strncmp(stem, "journal", 7) == 0 || strncmp(stem, "manifest", 8) == 0 ? 70 : size / 2;
    CHECK(sim_disk_flip_bit(disk, path, offset, 3));
    return name;
}

static enum yore_status verify_path(struct sim_disk *disk)
{
    struct yore_verify_report report;
    found.count = 0;
    sim_disk_reset_count(disk);
    enum yore_status st =
        db_verify_path(sim_disk_env(disk), "db", note_line, &found, &report, NULL);
    CHECK_EQ_UINT(report.problems, found.count);
    CHECK_EQ_UINT(sim_disk_op_count(disk), 0);
    return st;
}

/* A closed database of everything, its last commits in the journal only. */
static struct sim_disk *closed_database(void)
{
    struct bed bed;
    bed_open(&bed);
    write_some(&bed, 300);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    for (int i = 0; i < 3; i++) { /* tables of level 0, and runs */
        write_some(&bed, 40);
        CHECK_OK(yore_flush(bed.db, NULL));
    }
    write_some(&bed, 40);
    CHECK_OK(yore_close(bed.db, NULL));
    return bed.disk;
}

TEST(a_sound_database_is_sound_without_being_opened)
{
    struct sim_disk *disk = closed_database();
    enum yore_status st = verify_path(disk);
    CHECK_MSG(st == YORE_OK, "%s", found.count > 0 ? found.text[0] : yore_status_message(st));
    CHECK_STATUS(db_verify_path(sim_disk_env(disk), "elsewhere", NULL, NULL, NULL, NULL),
                 YORE_NOT_FOUND);
    sim_disk_free(disk);
}

TEST(a_damaged_journal_hides_no_other_damage)
{
    struct sim_disk *disk = closed_database();
    const char *journal = hurt(disk, "journal-", 0);
    const char *first = hurt(disk, "table-", 0);
    const char *second = hurt(disk, "table-", 2);
    const char *values = hurt(disk, "values-", 0);
    CHECK_STATUS(verify_path(disk), YORE_CORRUPT);
    CHECK(is_told(journal) && is_told(first) && is_told(second) && is_told(values));
    sim_disk_free(disk);
}

TEST(a_journal_that_was_cut_or_is_missing_hides_no_other_damage)
{
    struct sim_disk *sound = closed_database();
    unsigned last = 0;
    while (nth_file(sound, "journal-0", last + 1)[0] != '\0') {
        last++;
    }
    for (int is_missing = 0; is_missing < 2; is_missing++) {
        struct sim_disk *disk = sim_disk_clone(sound, 1);
        const char *journal = nth_file(disk, "journal-0", last);
        const char *table = hurt(disk, "table-", 1);
        char path[512];
        CHECK((size_t)snprintf(path, sizeof path, "db/%s", journal) < sizeof path);
        if (is_missing) {
            CHECK_OK(os_path_unlink(sim_disk_env(disk), path, NULL));
        } else {
            CHECK(sim_disk_truncate_file(disk, path, 100));
        }
        CHECK_STATUS(verify_path(disk), YORE_CORRUPT);
        CHECK(is_told(journal) && is_told(table));
        CHECK(!is_told("without the manifest"));
        sim_disk_free(disk);
    }
    sim_disk_free(sound);
}

TEST(every_table_may_be_damaged_and_each_is_told)
{
    struct sim_disk *disk = closed_database();
    unsigned tables = 0;
    while (nth_file(disk, "table-", tables)[0] != '\0') {
        (void)hurt(disk, "table-", tables++);
    }
    CHECK(tables > 3);
    CHECK_STATUS(verify_path(disk), YORE_CORRUPT);
    for (unsigned i = 0; i < tables; i++) {
        const char *name = nth_file(disk, "table-", i);
        CHECK_MSG(is_told(name), "%s is not told of", name);
    }
    sim_disk_free(disk);
}

TEST(without_a_manifest_journal_and_values_are_still_checked)
{
    struct sim_disk *disk = closed_database();
    const char *manifest = hurt(disk, "manifest-", 0);
    const char *journal = hurt(disk, "journal-", 0);
    const char *values = hurt(disk, "values-", 0);
    CHECK_STATUS(verify_path(disk), YORE_CORRUPT);
    CHECK(is_told(manifest) && is_told(journal) && is_told(values));
    CHECK(is_told("without the manifest no table can be checked"));
    sim_disk_free(disk);
}

TEST(without_current_it_is_said_that_nothing_else_can_be_checked)
{
    struct sim_disk *disk = closed_database();
    (void)hurt(disk, "CURRENT", 0);
    CHECK_STATUS(verify_path(disk), YORE_CORRUPT);
    CHECK(is_told("CURRENT") && is_told("without CURRENT no other file can be checked"));
    sim_disk_free(disk);
}

struct patience {
    uint64_t left;
};

static bool is_spent(void *arg)
{
    struct patience *patience = arg;
    if (patience->left == 0) {
        return true;
    }
    patience->left--;
    return false;
}

TEST(a_check_that_nobody_wants_any_more_ends_wherever_it_is)
{
    struct bed bed;
    bed_open(&bed);
    write_some(&bed, 300);
    uint64_t most = 0;
    for (enum yore_status st = YORE_CANCELLED; st == YORE_CANCELLED; most++) {
        struct patience patience = {most};
        const struct stop stop = {is_spent, &patience};
        found.count = 0;
        st = db_verify(bed.db, note_line, &found, &stop, NULL, NULL);
        CHECK(st == YORE_CANCELLED || st == YORE_OK);
        CHECK_EQ_UINT(found.count, 0);
    }
    CHECK(most > 300); /* each version is one occasion at least */
    bed_close(&bed);
}

TEST(a_merge_of_all_that_nobody_wants_any_more_ends_and_leaves_a_sound_database)
{
    uint64_t most = 0;
    for (enum yore_status st = YORE_CANCELLED; st == YORE_CANCELLED; most++) {
        struct patience patience = {most};
        const struct stop stop = {is_spent, &patience};
        struct bed bed;
        bed_open(&bed);
        write_some(&bed, 300);
        (void)put(bed.db, "kept", "here");
        (void)erase_key(bed.db, "key/03", YORE_TIME_MIN, YORE_FOREVER);
        st = db_compact(bed.db, NULL, &stop, NULL);
        CHECK(st == YORE_CANCELLED || st == YORE_OK);
        (void)verify_sound(&bed);
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
        (void)verify_sound(&bed);
        CHECK_EQ_STR(get(bed.db, "kept"), "here");
        bed_close(&bed);
    }
    CHECK(most > 2);
}

TEST_MAIN(a_check_that_nobody_wants_any_more_ends_wherever_it_is,
          a_merge_of_all_that_nobody_wants_any_more_ends_and_leaves_a_sound_database,
          a_sound_database_is_sound_without_being_opened, a_damaged_journal_hides_no_other_damage,
          a_journal_that_was_cut_or_is_missing_hides_no_other_damage,
          every_table_may_be_damaged_and_each_is_told,
          without_a_manifest_journal_and_values_are_still_checked,
          without_current_it_is_said_that_nothing_else_can_be_checked,
          a_sound_database_has_no_problems_at_any_age, a_damaged_page_is_told_once,
          keys_and_versions_are_counted, without_syncs_only_very_large_values_are_apart,
          journal_records_are_counted,
          a_flipped_bit_in_any_table_or_value_file_is_found_and_the_file_named,
          a_missing_or_short_file_is_found_and_named, a_file_that_belongs_to_nothing_is_named,
          a_name_with_a_number_that_cannot_be_counted_on_from_is_nobodys,
          without_memory_verify_says_so, erasures_are_pending_until_their_bytes_are_gone,
          a_reader_keeps_the_value_that_an_erasure_takes_from_the_files,
          an_open_batch_keeps_its_values_through_a_purge, verify_runs_beside_writers_and_jobs)
