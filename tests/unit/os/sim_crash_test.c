/* What a crash of the simulated disk makes of unsynced writes, against a model of every state in
 * between. */
#include "sim_support.h"

#define SEEDS 300
#define SECTOR 512
#define FILE_BYTES 6000
#define OPS_MAX 8

/* One durable empty file "/a", open. */
static struct os_file *durable_file(struct sim_disk *disk)
{
    struct os_file *file = sim_open(disk, "/a", OS_OPEN_CREATE);
    CHECK_OK(os_dir_sync(sim_disk_env(disk), "/", NULL));
    return file;
}

static void write_fill(struct os_file *file, uint64_t offset, int c, size_t size)
{
    static char run[100000];
    memset(run, c, size);
    CHECK_OK(os_file_write(file, offset, run, size, NULL));
}

TEST(what_was_synced_survives_every_crash)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_file *file = durable_file(disk);
    write_fill(file, 0, 's', 30);
    CHECK_OK(os_file_sync(file, NULL));
    write_fill(file, 30, 'u', 5000);
    os_file_close(file);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_disk *clone = sim_disk_clone(disk, 1);
        char text[64];
        sim_disk_crash(clone, SIM_CRASH_RANDOM, seed);
        CHECK_EQ_INT(strncmp(sim_text(clone, "/a", text), "ssssssssssssssssssssssssssssss", 30), 0);
        sim_disk_free(clone);
    }
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/a", "ssssssssssssssssssssssssssssss");
    sim_disk_free(disk);
}

TEST(a_killed_process_loses_nothing_and_what_it_left_is_still_unsynced)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_file *file = durable_file(disk);
    write_fill(file, 0, 'x', 3);
    os_file_close(file);
    sim_disk_crash(disk, SIM_CRASH_KEEP_ALL, 1);
    sim_check_text(disk, "/a", "xxx");
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/a", "");
    sim_disk_free(disk);
}

/* ---- the model --------------------------------------------------------------------------------
 */

struct model {
    unsigned char states[OPS_MAX + 1][FILE_BYTES]; /* after each operation since the last sync */
    uint64_t sizes[OPS_MAX + 1];
    uint64_t from[OPS_MAX + 1]; /* range of octets of operation i, which led to state i */
    uint64_t to[OPS_MAX + 1];
    size_t count;
};

/* Sector `s` of the found file is that of a state, or of a state but for octets its last operation
 * wrote. */
static bool sector_is_allowed(const struct model *m, const unsigned char *found, uint64_t size,
                              uint64_t s)
{
    for (size_t v = 0; v <= m->count; v++) {
        bool is_equal = true;
        for (uint64_t i = s * SECTOR; i < (s + 1) * SECTOR && i < size; i++) {
            bool may_be_garbage = v > 0 && i >= m->from[v] && i < m->to[v];
            is_equal = is_equal && (found[i] == m->states[v][i] || may_be_garbage);
        }
        if (is_equal) {
            return true;
        }
    }
    return false;
}

enum op_kind { OP_WRITE, OP_PUNCH };

/* Do operation `i` of `kind` on [offset, offset + size), and in the model. */
static void one_op(struct model *m, size_t i, struct os_file *file, enum op_kind kind,
                   struct test_rand *rand)
{
    unsigned char run[FILE_BYTES];
    uint64_t offset = test_rand_below(rand, FILE_BYTES - 1);
    uint64_t size = 1 + test_rand_below(rand, FILE_BYTES - offset - 1);
    size = test_rand_one_in(rand, 2) ? 1 + size % 300 : size;
    uint64_t end = offset + size;
    memset(run, 0, sizeof(run));
    if (kind == OP_WRITE) {
        test_rand_fill(rand, run, size);
        CHECK_OK(os_file_write(file, offset, run, size, NULL));
    } else {
        CHECK_OK(os_file_punch(file, offset, size, NULL));
    }
    memcpy(m->states[i], m->states[i - 1], FILE_BYTES);
    memcpy(m->states[i] + offset, run, size);
    m->sizes[i] = kind == OP_WRITE && end > m->sizes[i - 1] ? end : m->sizes[i - 1];
    m->from[i] = offset;
    m->to[i] = kind == OP_WRITE ? end : offset; /* a punch leaves no garbage */
}

/* Some operations since the last sync; returns the size they reach. */
static uint64_t random_ops(struct model *m, struct os_file *file, struct test_rand *rand)
{
    m->count = 1 + (size_t)test_rand_below(rand, OPS_MAX);
    for (size_t i = 1; i <= m->count; i++) {
        uint64_t luck = test_rand_below(rand, 8);
        one_op(m, i, file, luck < 6 ? OP_WRITE : OP_PUNCH, rand);
    }
    return m->sizes[m->count];
}

static void check_crash(struct sim_disk *disk, const struct model *m, uint64_t largest,
                        uint64_t seed)
{
    static unsigned char found[FILE_BYTES];
    struct sim_disk *clone = sim_disk_clone(disk, 1);
    uint64_t size;
    size_t read;
    test_note("crash seed %ju", (uintmax_t)seed);
    sim_disk_crash(clone, SIM_CRASH_RANDOM, seed);
    struct os_file *file = sim_open(clone, "/a", OS_OPEN_READ);
    CHECK_OK(os_file_size(file, &size, NULL));
    CHECK(size >= m->sizes[0] && size <= largest);
    CHECK_OK(os_file_read(file, 0, found, FILE_BYTES, &read, NULL));
    CHECK_EQ_UINT(read, size);
    for (uint64_t s = 0; s * SECTOR < size; s++) {
        CHECK_MSG(sector_is_allowed(m, found, size, s), "sector %ju", (uintmax_t)s);
    }
    os_file_close(file);
    sim_disk_free(clone);
}

TEST(every_sector_is_as_of_some_moment_since_the_sync)
{
    static struct model m;
    struct test_rand rand = test_rand_new(0);
    for (int round = 0; round < 150; round++) {
        struct sim_disk *disk = sim_disk_new(1);
        struct os_file *file = durable_file(disk);
        memset(&m, 0, sizeof(m));
        for (int sync = 0; sync < 3; sync++) {
            uint64_t largest = random_ops(&m, file, &rand);
            for (uint64_t seed = 0; seed < 10; seed++) {
                check_crash(disk, &m, largest, test_rand_u64(&rand));
            }
            CHECK_OK(os_file_sync(file, NULL));
            memcpy(m.states[0], m.states[m.count], FILE_BYTES);
            m.sizes[0] = m.sizes[m.count];
        }
        os_file_close(file);
        sim_disk_free(disk);
    }
}

/* ---- every kind of outcome does come -----------------------------------------------------------
 */

TEST(writes_are_kept_dropped_reordered_torn_and_turned_to_garbage)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_file *file = durable_file(disk);
    static unsigned char found[8192];
    int kept = 0;
    int dropped = 0;
    int reordered = 0;
    int torn = 0;
    int garbage = 0;
    int grown = 0;
    CHECK_OK(os_file_write(file, 0, found, sizeof(found), NULL));
    CHECK_OK(os_file_sync(file, NULL));
    write_fill(file, 0, 'a', 2048);
    write_fill(file, 4096, 'b', 2048);
    write_fill(file, 8192, 'c', 2048);
    os_file_close(file);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_disk *clone = sim_disk_clone(disk, 1);
        size_t size;
        uint64_t file_size;
        sim_disk_crash(clone, SIM_CRASH_RANDOM, seed);
        file = sim_open(clone, "/a", OS_OPEN_READ);
        CHECK_OK(os_file_read(file, 0, found, sizeof(found), &size, NULL));
        CHECK_OK(os_file_size(file, &file_size, NULL));
        char tail = 0;
        CHECK_OK(os_file_read(file, 10239, &tail, 1, &size, NULL));
        os_file_close(file);
        bool has_a = found[0] == 'a' && found[2047] == 'a';
        bool has_b = found[4096] == 'b' && found[6143] == 'b';
        kept += has_a && has_b && tail == 'c';
        dropped += found[0] == 0 && found[2047] == 0 && found[4096] == 0 && file_size == 8192;
        reordered += found[0] == 0 && found[1000] == 0 && found[2047] == 0 && has_b;
        torn += (found[0] == 'a') != (found[2047] == 'a');
        grown += file_size == 10240 && tail == 0;
        for (size_t i = 0; i < 2048; i += 512) {
            garbage += found[i + 5] != 'a' && found[i + 5] != 0;
        }
        sim_disk_free(clone);
    }
    CHECK_MSG(kept > 5 && dropped > 5 && reordered > 5 && torn > 5 && garbage > 5 && grown > 5,
              "kept %d dropped %d reordered %d torn %d garbage %d grown %d", kept, dropped,
              reordered, torn, garbage, grown);
    sim_disk_free(disk);
}

TEST(what_was_truncated_does_not_come_back_below_later_writes)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_file *file = durable_file(disk);
    bool is_old_seen = false;
    bool is_new_seen = false;
    write_fill(file, 0, 'o', 40);
    CHECK_OK(os_file_sync(file, NULL));
    CHECK_OK(os_file_truncate(file, 0, NULL));
    write_fill(file, 0, 'n', 10);
    os_file_close(file);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_disk *clone = sim_disk_clone(disk, 1);
        char buffer[64];
        sim_disk_crash(clone, SIM_CRASH_RANDOM, seed);
        struct os_file *found = sim_open(clone, "/a", OS_OPEN_READ);
        size_t size;
        CHECK_OK(os_file_read(found, 0, buffer, 64, &size, NULL));
        os_file_close(found);
        bool is_old = size == 40 && buffer[0] == 'o' && buffer[39] == 'o';
        is_old_seen |= is_old;
        is_new_seen |= size == 10 && buffer[0] == 'n';
        CHECK(is_old || size == 10 || size == 0);
        sim_disk_free(clone);
    }
    CHECK(is_old_seen && is_new_seen);
    sim_disk_free(disk);
}

TEST(files_of_before_are_dead_but_may_be_closed)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_file *file = durable_file(disk);
    struct os_file *lost = sim_open(disk, "/lost", OS_OPEN_CREATE);
    char octet;
    size_t size;
    uint64_t file_size;
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    CHECK_STATUS(os_file_read(file, 0, &octet, 1, &size, NULL), YORE_IO);
    CHECK_STATUS(os_file_write(file, 0, "x", 1, NULL), YORE_IO);
    CHECK_STATUS(os_file_sync(file, NULL), YORE_IO);
    CHECK_STATUS(os_file_size(file, &file_size, NULL), YORE_IO);
    CHECK_STATUS(os_file_truncate(lost, 5, NULL), YORE_IO);
    CHECK_STATUS(os_file_punch(lost, 0, 5, NULL), YORE_IO);
    sim_check_text(disk, "/a", "");
    os_file_close(lost);
    os_file_close(file);
    sim_disk_free(disk);
}

/* ---- power cuts at an operation -----------------------------------------------------------------
 */

TEST(operations_are_numbered_and_the_power_goes_at_one_of_them)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_env *env = sim_disk_env(disk);
    struct os_file *file = durable_file(disk);
    struct yore_error error;
    uint64_t size;
    bool is_dir;
    CHECK_EQ_UINT(sim_disk_op_count(disk), 2);
    sim_disk_reset_count(disk);
    sim_disk_crash_at(disk, 3);
    CHECK_OK(os_file_write(file, 0, "one", 3, &error));
    CHECK_OK(os_file_sync(file, &error));
    CHECK(!sim_disk_has_crashed(disk));
    CHECK_STATUS(os_file_write(file, 0, "two", 3, &error), YORE_IO);
    CHECK(strstr(error.text, "/a") != NULL && strstr(error.text, "power") != NULL);
    CHECK(sim_disk_has_crashed(disk));
    CHECK_STATUS(os_path_stat(env, "/a", &size, &is_dir, &error), YORE_IO);
    CHECK_STATUS(os_dir_make(env, "/d", &error), YORE_IO);
    CHECK_STATUS(os_file_sync(file, &error), YORE_IO);
    os_file_close(file);
    struct sim_disk *killed = sim_disk_clone(disk, 1);
    sim_disk_crash(killed, SIM_CRASH_KEEP_ALL, 1);
    sim_check_text(killed, "/a", "two"); /* the cut operation took effect as an unsynced one */
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/a", "one");
    CHECK(!sim_disk_has_crashed(disk));
    sim_disk_free(disk);
    sim_disk_free(killed);
}

TEST(a_cut_sync_makes_nothing_durable)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_file *file = durable_file(disk);
    CHECK_OK(os_file_write(file, 0, "one", 3, NULL));
    sim_disk_crash_at(disk, sim_disk_op_count(disk) + 1);
    CHECK_STATUS(os_file_sync(file, NULL), YORE_IO);
    os_file_close(file);
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/a", "");
    sim_disk_free(disk);
}

TEST(the_same_seed_makes_the_same_state)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_file *file = durable_file(disk);
    struct test_rand rand = test_rand_new(0);
    static struct model m;
    random_ops(&m, file, &rand);
    os_file_close(file);
    for (uint64_t seed = 0; seed < 50; seed++) {
        static unsigned char found[2][FILE_BYTES];
        size_t sizes[2];
        for (int i = 0; i < 2; i++) {
            struct sim_disk *clone = sim_disk_clone(disk, (uint64_t)i);
            sim_disk_crash(clone, SIM_CRASH_RANDOM, seed);
            file = sim_open(clone, "/a", OS_OPEN_READ);
            CHECK_OK(os_file_read(file, 0, found[i], FILE_BYTES, &sizes[i], NULL));
            os_file_close(file);
            sim_disk_free(clone);
        }
        CHECK_EQ_BYTES(found[0], sizes[0], found[1], sizes[1]);
    }
    sim_disk_free(disk);
}

TEST_MAIN(what_was_synced_survives_every_crash,
          a_killed_process_loses_nothing_and_what_it_left_is_still_unsynced,
          every_sector_is_as_of_some_moment_since_the_sync,
          writes_are_kept_dropped_reordered_torn_and_turned_to_garbage,
          what_was_truncated_does_not_come_back_below_later_writes,
          files_of_before_are_dead_but_may_be_closed,
          operations_are_numbered_and_the_power_goes_at_one_of_them,
          a_cut_sync_makes_nothing_durable, the_same_seed_makes_the_same_state)
