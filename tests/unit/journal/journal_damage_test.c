/* Damage of every octet of a cleanly closed journal, and files cut, lost, exchanged or from
 * elsewhere: reported with the file's name, or harmless; never a commit missing without a word. */
#include <string.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "journal/journal_internal.h"
#include "journal_support.h"

#define SEGMENTS_MAX 8

/* A closed journal of a copy, full segments (recycled ones among them), and a last one with a mark.
 */
struct closed {
    struct world world;
    uint64_t first;
    uint64_t count; /* of segments */
};

static void close_one(struct closed *c)
{
    struct world *w = &c->world;
    world_init(w, 1);
    w->options.segment_bytes = 1024;
    CHECK_OK(world_open(w));
    CHECK_OK(world_settle(w));
    for (int i = 0; i < 6; i++) {
        CHECK_OK(world_append(w, 1, 300));
    }
    CHECK_OK(world_flush(w));
    for (int i = 0; i < 4; i++) {
        CHECK_OK(world_append(w, 1, 60));
    }
    CHECK_OK(world_close(w));
    CHECK_OK(world_open(w));
    CHECK_OK(world_settle(w));
    for (int i = 0; i < 5; i++) {
        CHECK_OK(world_append(w, 3, 70));
    }
    c->first = w->options.first_segment;
    c->count = journal_segment(w->journal) - c->first + 1;
    CHECK(c->count >= 3 && c->count <= SEGMENTS_MAX);
    CHECK_OK(world_close(w));
}

/* What an opening of a copy of the closed journal gives. */
struct outcome {
    enum yore_status st;
    uint32_t last;
    bool is_torn;
    unsigned broken;
    struct yore_error error;
};

/* Copy the world, let `change` do its work on the copy, open. */
static struct outcome open_changed(const struct closed *c,
                                   void (*change)(struct sim_disk *disk, const void *arg),
                                   const void *arg)
{
    static struct world w;
    w = c->world;
    w.disk = sim_disk_clone(c->world.disk, 1);
    w.env = sim_disk_env(w.disk);
    w.is_counting = true;
    change(w.disk, arg);
    struct outcome o = {.st = world_open(&w)};
    o.last = w.replayed_last;
    o.is_torn = w.recovery.is_torn;
    o.broken = w.broken;
    o.error = w.error;
    (void)journal_close(w.journal, NULL);
    sim_disk_free(w.disk);
    test_count(1);
    return o;
}

static bool is_refused(const struct outcome *o, const char *path)
{
    return (o->st == YORE_CORRUPT || o->st == YORE_BAD_FORMAT) &&
           strstr(o->error.text, path) != NULL;
}

struct spot {
    uint64_t segment;
    uint64_t offset;
    unsigned bit;
};

static void flip(struct sim_disk *disk, const void *arg)
{
    const struct spot *spot = arg;
    CHECK(sim_disk_flip_bit(disk, world_segment(spot->segment), spot->offset, spot->bit));
}

TEST(every_flipped_bit_is_reported_or_harmless)
{
    struct closed c;
    uint64_t reported = 0;
    close_one(&c);
    for (uint64_t i = 0; i < c.count; i++) {
        uint64_t size = world_file_size(&c.world, world_segment(c.first + i));
        for (uint64_t at = 0; at < size * 8; at++) {
            const struct spot spot = {.segment = c.first + i, .offset = at / 8, .bit = at % 8};
            struct outcome o = open_changed(&c, flip, &spot);
            test_note("segment %llu octet %llu bit %u", (unsigned long long)spot.segment,
                      (unsigned long long)spot.offset, spot.bit);
            CHECK_MSG(o.st == YORE_OK || is_refused(&o, world_segment(spot.segment)), "%s",
                      o.error.text);
            CHECK(o.broken == 0 && (o.st != YORE_OK || o.last == c.world.appended));
            reported += o.st != YORE_OK;
        }
    }
    CHECK(reported > 1000);
    world_free(&c.world);
}

static void cut(struct sim_disk *disk, const void *arg)
{
    const struct spot *spot = arg;
    CHECK(sim_disk_truncate_file(disk, world_segment(spot->segment), spot->offset));
}

TEST(every_truncation_is_reported_or_told_as_torn)
{
    struct closed c;
    close_one(&c);
    for (uint64_t i = 0; i < c.count; i++) {
        uint64_t size = world_file_size(&c.world, world_segment(c.first + i));
        for (uint64_t at = 0; at < size; at++) {
            const struct spot spot = {.segment = c.first + i, .offset = at};
            struct outcome o = open_changed(&c, cut, &spot);
            test_note("segment %llu cut at %llu", (unsigned long long)spot.segment,
                      (unsigned long long)at);
            bool is_last = i + 1 == c.count;
            bool is_whole = o.st == YORE_OK && o.last == c.world.appended && o.broken == 0;
            CHECK(is_whole || is_refused(&o, world_segment(spot.segment)) ||
                  (is_last && o.st == YORE_OK && o.is_torn));
        }
    }
    world_free(&c.world);
}

static void remove_one(struct sim_disk *disk, const void *arg)
{
    const struct spot *spot = arg;
    CHECK_OK(os_path_unlink(sim_disk_env(disk), world_segment(spot->segment), NULL));
}

TEST(a_missing_segment_is_named)
{
    struct closed c;
    close_one(&c);
    for (uint64_t i = 0; i < c.count; i++) {
        const struct spot spot = {.segment = c.first + i};
        struct outcome o = open_changed(&c, remove_one, &spot);
        CHECK(is_refused(&o, world_segment(spot.segment)));
        CHECK(strstr(o.error.text, "missing") != NULL);
    }
    world_free(&c.world);
}

static void exchange(struct sim_disk *disk, const void *arg)
{
    const struct spot *spot = arg; /* segment and, in offset, another one */
    struct os_env *env = sim_disk_env(disk);
    CHECK_OK(os_path_rename(env, world_segment(spot->segment), WORLD_DIR "/x", NULL));
    char other[64];
    memcpy(other, world_segment(spot->offset), sizeof(other));
    CHECK_OK(os_path_rename(env, other, world_segment(spot->segment), NULL));
    CHECK_OK(os_path_rename(env, WORLD_DIR "/x", other, NULL));
}

TEST(exchanged_segments_are_refused)
{
    struct closed c;
    close_one(&c);
    for (uint64_t i = 0; i < c.count; i++) {
        for (uint64_t j = 0; j < i; j++) {
            const struct spot spot = {.segment = c.first + i, .offset = c.first + j};
            struct outcome o = open_changed(&c, exchange, &spot);
            CHECK_STATUS(o.st, YORE_CORRUPT);
            CHECK(strstr(o.error.text, "journal-") != NULL);
        }
    }
    world_free(&c.world);
}

static void overwrite(struct sim_disk *disk, const void *arg)
{
    const struct spot *spot = arg; /* segment by the one in offset */
    char other[64];
    memcpy(other, world_segment(spot->offset), sizeof(other));
    CHECK(sim_disk_copy_file(disk, other, world_segment(spot->segment)));
}

TEST(a_segment_overwritten_by_another_is_refused)
{
    struct closed c;
    close_one(&c);
    for (uint64_t i = 0; i < c.count; i++) {
        for (uint64_t j = 0; j < c.count; j++) {
            const struct spot spot = {.segment = c.first + i, .offset = c.first + j};
            struct outcome o = open_changed(&c, overwrite, &spot);
            CHECK(i == j ? o.st == YORE_OK : is_refused(&o, world_segment(spot.segment)));
        }
    }
    world_free(&c.world);
}

/* Set one field of a segment's header and mend the header's check. */
static void write_header(struct sim_disk *disk, uint64_t segment, size_t at, uint64_t value,
                         size_t size)
{
    struct os_file *file;
    unsigned char header[64];
    size_t read;
    CHECK_OK(os_file_open(sim_disk_env(disk), world_segment(segment), OS_OPEN_WRITE, &file, NULL));
    CHECK_OK(os_file_read(file, 0, header, sizeof(header), &read, NULL));
    for (size_t i = 0; i < size; i++) {
        header[at + i] = (unsigned char)(value >> (8 * i));
    }
    put_u32(header + 60, crc32c(0, header, 60));
    CHECK_OK(os_file_write(file, 0, header, sizeof(header), NULL));
    os_file_close(file);
}

static void make_newer(struct sim_disk *disk, const void *arg)
{
    write_header(disk, ((const struct spot *)arg)->segment, 8, 2, 4);
}

static void make_foreign(struct sim_disk *disk, const void *arg)
{
    write_header(disk, ((const struct spot *)arg)->segment, 16, 0xabcdef, 8);
}

TEST(an_unknown_format_is_refused_by_name)
{
    struct closed c;
    close_one(&c);
    for (uint64_t i = 0; i < c.count; i++) {
        const struct spot spot = {.segment = c.first + i};
        struct outcome o = open_changed(&c, make_newer, &spot);
        CHECK_STATUS(o.st, YORE_BAD_FORMAT);
        CHECK(is_refused(&o, world_segment(spot.segment)));
    }
    world_free(&c.world);
}

TEST(a_segment_of_another_database_is_refused_by_name)
{
    struct closed c;
    close_one(&c);
    for (uint64_t i = 0; i < c.count; i++) {
        const struct spot spot = {.segment = c.first + i};
        struct outcome o = open_changed(&c, make_foreign, &spot);
        CHECK(is_refused(&o, world_segment(spot.segment)));
        CHECK(strstr(o.error.text, "belongs to database") != NULL);
    }
    world_free(&c.world);
}

static void add_strangers(struct sim_disk *disk, const void *arg)
{
    static const char *const names[] = {
        WORLD_DIR "/journal-.log",
        WORLD_DIR "/journal-0000000000000000.log",
        WORLD_DIR "/journal-000000000000000G.log",
        WORLD_DIR "/journal-00000000000000001.log",
        WORLD_DIR "/journal-0000000000000001.log.bak",
        WORLD_DIR "/notes.txt",
    };
    (void)arg;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct os_file *file;
        CHECK_OK(os_file_open(sim_disk_env(disk), names[i], OS_OPEN_CREATE, &file, NULL));
        os_file_close(file);
    }
}

TEST(files_of_other_names_are_left_alone)
{
    struct closed c;
    close_one(&c);
    struct outcome o = open_changed(&c, add_strangers, NULL);
    CHECK_OK(o.st);
    CHECK_EQ_UINT(o.last, c.world.appended);
    world_free(&c.world);
}

static void add_half_made(struct sim_disk *disk, const void *arg)
{
    const struct spot *spot = arg; /* segment: its number; offset: its size */
    struct os_file *file;
    unsigned char octets[512];
    memset(octets, (int)spot->bit, sizeof(octets));
    CHECK_OK(os_file_open(sim_disk_env(disk), world_segment(spot->segment), OS_OPEN_CREATE, &file,
                          NULL));
    CHECK_OK(os_file_write(file, 0, octets, spot->offset, NULL));
    os_file_close(file);
}

TEST(a_half_made_segment_at_the_end_is_passed_over)
{
    struct closed c;
    close_one(&c);
    for (uint64_t size = 0; size <= 512; size += 64) {
        for (unsigned octet = 0; octet < 256; octet += 85) {
            const struct spot spot = {.segment = c.first + c.count, .offset = size, .bit = octet};
            struct outcome o = open_changed(&c, add_half_made, &spot);
            CHECK_OK(o.st);
            CHECK_EQ_UINT(o.last, c.world.appended);
        }
    }
    world_free(&c.world);
}

TEST(damage_found_while_running_is_told_by_verify)
{
    struct world w;
    uint64_t records;
    uint64_t bytes;
    world_init(&w, 1);
    w.options.segment_bytes = 1024;
    CHECK_OK(world_open(&w));
    CHECK_OK(world_settle(&w));
    uint64_t first = journal_segment(w.journal);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(world_append(&w, 1, 200));
        CHECK_OK(world_sync(&w));
    }
    CHECK_OK(journal_verify(w.journal, &records, &bytes, &w.error));
    CHECK_EQ_UINT(records, 20);
    for (uint64_t segment = first; segment < journal_segment(w.journal); segment++) {
        for (uint64_t at = 0; at < 700; at++) {
            const struct spot spot = {.segment = segment, .offset = at, .bit = at % 8};
            test_note("segment %llu octet %llu", (unsigned long long)segment,
                      (unsigned long long)at);
            flip(w.disk, &spot);
            enum yore_status st = journal_verify(w.journal, &records, &bytes, &w.error);
            CHECK(st == YORE_OK ? records == 20 : st == YORE_CORRUPT);
            CHECK(st == YORE_OK || strstr(w.error.text, world_segment(segment)) != NULL);
            CHECK(at >= 64 || st == YORE_CORRUPT);
            flip(w.disk, &spot);
        }
    }
    world_free(&w);
}

/* ---- segments made by hand ---- */

/* Segment `number` with two commits after `before`, in the place of what was there. */
static void make_segment(struct os_env *env, uint64_t number, int64_t before, int64_t first,
                         int64_t second)
{
    struct record_log_options options = {.identity = {7, number, RECORD_LOG_JOURNAL}};
    struct journal_begin begin = {.copied_from = number, .commit_before = before};
    struct record_log_writer *writer = NULL;
    unsigned char head[JOURNAL_BEGIN_BYTES];
    unsigned char commits[2][COMMIT_HEADER_BYTES];
    journal_begin_encode(&begin, head);
    commit_header_encode(commits[0], first, 0);
    commit_header_encode(commits[1], second, 0);
    struct record records[3] = {
        {.type = JOURNAL_TYPE_BEGIN, .payload = bytes_of(head, sizeof head)},
        {.type = JOURNAL_TYPE_COMMIT, .payload = bytes_of(commits[0], COMMIT_HEADER_BYTES)},
        {.type = JOURNAL_TYPE_COMMIT, .payload = bytes_of(commits[1], COMMIT_HEADER_BYTES)}};
    (void)os_path_unlink(env, world_segment(number), NULL);
    CHECK_OK(record_log_create(env, world_segment(number), &options, &writer, NULL));
    CHECK_OK(record_log_append(writer, records, 3, NULL));
    CHECK_OK(record_log_mark(writer, NULL));
    CHECK_OK(record_log_close(writer, true, NULL));
}

static enum yore_status take_any(void *arg, struct yore_bytes payload, struct yore_error *error_out)
{
    (void)arg;
    (void)payload;
    (void)error_out;
    return YORE_OK;
}

static enum yore_status open_made(struct os_env *env, uint64_t first_segment,
                                  struct journal **journal_out, struct yore_error *error_out)
{
    struct journal_recovery recovery;
    struct journal_options options = {.database = 7,
                                      .segment_bytes = 1u << 16,
                                      .keep_bytes = 1u << 20,
                                      .first_segment = first_segment,
                                      .next_segment = first_segment + 1,
                                      .commit_before = INT64_MIN};
    return journal_open(env, WORLD_DIR, &options, take_any, NULL, &recovery, journal_out,
                        error_out);
}

TEST(a_commit_that_is_there_twice_is_damage)
{
    static const struct {
        int64_t first;
        int64_t second;
        enum yore_status status;
    } cases[3] = {{11, 12, YORE_OK}, {10, 12, YORE_CORRUPT}, {11, 11, YORE_CORRUPT}};
    for (size_t i = 0; i < 3; i++) {
        struct sim_disk *disk = sim_disk_new(1);
        struct os_env *env = sim_disk_env(disk);
        struct journal *journal = NULL;
        struct yore_error error = {0};
        CHECK_OK(os_dir_make(env, WORLD_DIR, NULL));
        make_segment(env, 1, 10, cases[i].first, cases[i].second);
        CHECK_STATUS(open_made(env, 1, &journal, &error), cases[i].status);
        CHECK(cases[i].status == YORE_OK || strstr(error.text, "out of order") != NULL);
        (void)journal_close(journal, NULL);
        sim_disk_free(disk);
    }
}

TEST(verify_finds_a_commit_that_is_there_twice)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_env *env = sim_disk_env(disk);
    struct journal *journal = NULL;
    struct yore_error error = {0};
    uint64_t records = 0;
    uint64_t bytes = 0;
    CHECK_OK(os_dir_make(env, WORLD_DIR, NULL));
    make_segment(env, 1, 10, 11, 12); /* kept for readers */
    make_segment(env, 2, 12, 13, 14);
    CHECK_OK(open_made(env, 2, &journal, &error));
    CHECK_OK(journal_verify(journal, &records, &bytes, &error));
    CHECK_EQ_UINT(records, 4);
    make_segment(env, 1, 10, 12, 12);
    CHECK_STATUS(journal_verify(journal, &records, &bytes, &error), YORE_CORRUPT);
    CHECK(strstr(error.text, "out of order") != NULL);
    CHECK_OK(journal_close(journal, NULL));
    sim_disk_free(disk);
}

TEST_MAIN(every_flipped_bit_is_reported_or_harmless, every_truncation_is_reported_or_told_as_torn,
          a_missing_segment_is_named, exchanged_segments_are_refused,
          a_segment_overwritten_by_another_is_refused, an_unknown_format_is_refused_by_name,
          a_segment_of_another_database_is_refused_by_name, files_of_other_names_are_left_alone,
          a_half_made_segment_at_the_end_is_passed_over,
          damage_found_while_running_is_told_by_verify, a_commit_that_is_there_twice_is_damage,
          verify_finds_a_commit_that_is_there_twice)
