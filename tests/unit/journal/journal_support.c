#include "journal_support.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/coding.h"

#define WRITES_BYTES_MAX 1500000

void world_init(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    w->disk = sim_disk_new(seed);
    CHECK(w->disk != NULL);
    w->env = sim_disk_env(w->disk);
    w->options = (struct journal_options){.commit_before = INT64_MIN,
                                          .database = WORLD_DATABASE,
                                          .segment_bytes = 2048,
                                          .recycle_count_max = 2,
                                          .first_segment = 1,
                                          .next_segment = 1};
    CHECK_OK(os_dir_make(w->env, WORLD_DIR, NULL));
    CHECK_OK(os_dir_sync(w->env, ".", NULL));
}

void world_free(struct world *w)
{
    (void)journal_close(w->journal, NULL);
    sim_disk_free(w->disk);
}

static size_t content_size(uint32_t commit, uint32_t tag, size_t size)
{
    return size == 0 ? (commit * 37 + tag * 11) % 180 : size;
}

static void fill(unsigned char *at, size_t size, uint32_t commit, uint32_t tag)
{
    for (size_t i = 0; i < size; i++) {
        at[i] = (unsigned char)(commit * 31 + tag * 7 + i);
    }
}

/* A promise: kept, or the case fails (or counts it). */
static bool promise(struct world *w, bool is_kept, const char *what, uint32_t commit)
{
    if (!is_kept) {
        CHECK_MSG(w->is_counting, "%s: commit %u", what, commit);
        w->broken++;
    }
    return is_kept;
}

/* A payload says its size itself; check it against commit and tag. */
static bool is_payload_right(const struct world *w, struct yore_bytes payload, uint32_t commit)
{
    static unsigned char want[WRITES_BYTES_MAX];
    const unsigned char *at = payload.data;
    size_t size = payload.size - COMMIT_HEADER_BYTES;
    fill(want, size, commit, w->tags[commit]);
    return (int64_t)get_u64(at) == (int64_t)commit * 10 && get_u32(at + 8) == size &&
           memcmp(want, at + COMMIT_HEADER_BYTES, size) == 0;
}

static enum yore_status replay(void *arg, struct yore_bytes payload, struct yore_error *error_out)
{
    struct world *w = arg;
    uint32_t commit = (uint32_t)(get_u64(payload.data) / 10);
    bool is_good = promise(w, commit >= 1 && commit <= w->appended, "never appended", commit) &&
                   promise(w, w->replayed_last == 0 || commit == w->replayed_last + 1,
                           "out of sequence", commit) &&
                   promise(w, is_payload_right(w, payload, commit), "of another run", commit);
    if (!is_good) {
        return error_set(error_out, YORE_CANCELLED, "a promise was broken");
    }
    if (w->replayed_first == 0) {
        w->replayed_first = commit;
    }
    w->replayed_last = commit;
    return YORE_OK;
}

enum yore_status world_open(struct world *w)
{
    w->replayed_first = 0;
    w->replayed_last = 0;
    enum yore_status st = journal_open(w->env, WORLD_DIR, &w->options, replay, w, &w->recovery,
                                       &w->journal, &w->error);
    if (st != YORE_OK) {
        return st;
    }
    uint32_t last = w->replayed_last > 0 ? w->replayed_last : w->flushed;
    (void)promise(w, w->replayed_first <= w->flushed + 1, "first missing", w->flushed + 1);
    (void)promise(w, last >= w->acked && last >= w->flushed, "acknowledged and lost", last + 1);
    w->appended = last;
    w->acked = last;
    w->handed = last;
    w->run++;
    return YORE_OK;
}

enum yore_status world_settle(struct world *w)
{
    w->options.first_segment = w->recovery.first_live_segment;
    w->options.next_segment = journal_next_segment(w->journal);
    return journal_release(w->journal, w->options.first_segment, &w->error);
}

enum yore_status world_append(struct world *w, uint32_t count, size_t size)
{
    static unsigned char writes[WRITES_BYTES_MAX];
    unsigned char headers[16][COMMIT_HEADER_BYTES];
    struct journal_entry entries[16];
    size_t at = 0;
    CHECK(count <= 16 && w->appended + count < WORLD_COMMITS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t commit = w->appended + 1 + i;
        size_t bytes = content_size(commit, w->run, size);
        CHECK(at + bytes <= sizeof(writes));
        w->tags[commit] = w->run;
        fill(writes + at, bytes, commit, w->run);
        commit_header_encode(headers[i], (int64_t)commit * 10, (uint32_t)bytes);
        entries[i] = (struct journal_entry){.commit = (int64_t)commit * 10,
                                            .header = bytes_of(headers[i], COMMIT_HEADER_BYTES),
                                            .writes = bytes_of(writes + at, bytes)};
        at += bytes;
    }
    enum yore_status st = journal_append(w->journal, entries, count, &w->error);
    if (st == YORE_NO_FILES) {
        return st; /* nothing has come of it */
    }
    w->handed = st == YORE_OK ? w->appended + count : w->handed;
    w->appended += count; /* after a failure any prefix of it may come back */
    return st;
}

enum yore_status world_sync(struct world *w)
{
    enum yore_status st = journal_sync(w->journal, &w->error);
    if (st == YORE_OK) {
        CHECK_EQ_INT(journal_durable_commit(w->journal), journal_appended_commit(w->journal));
        w->acked = w->appended;
    }
    return st;
}

enum yore_status world_flush(struct world *w)
{
    uint64_t segment;
    enum yore_status st = journal_rotate(w->journal, &segment, &w->error);
    if (st != YORE_OK) {
        return st;
    }
    st = world_sync(w);
    if (st != YORE_OK) {
        return st;
    }
    w->flushed = w->appended;
    w->options.first_segment = segment;
    w->options.next_segment = journal_next_segment(w->journal);
    return journal_release(w->journal, segment, &w->error);
}

enum yore_status world_close(struct world *w)
{
    enum yore_status st = journal_close(w->journal, &w->error);
    w->journal = NULL;
    if (st == YORE_OK) {
        w->acked = w->appended;
    }
    return st;
}

void world_crash(struct world *w, enum sim_crash_mode mode, uint64_t seed)
{
    /* Cut the power first, so that closing changes nothing. */
    sim_disk_crash_at(w->disk, sim_disk_op_count(w->disk) + 1);
    (void)os_dir_sync(w->env, ".", NULL);
    (void)journal_close(w->journal, NULL);
    w->journal = NULL;
    if (mode == SIM_CRASH_KEEP_ALL && w->handed > w->acked) {
        w->acked = w->handed;
    }
    sim_disk_crash(w->disk, mode, seed);
}

uint32_t world_read_after(struct world *w, uint32_t after)
{
    struct journal_reader *reader;
    struct yore_bytes payload;
    uint32_t read = 0;
    CHECK_OK(journal_reader_open(w->journal, (int64_t)after * 10, &reader, &w->error));
    enum yore_status st;
    while ((st = journal_reader_next(reader, &payload, &w->error)) == YORE_OK) {
        read++;
        CHECK(is_payload_right(w, payload, after + read));
    }
    CHECK_STATUS(st, YORE_NOT_FOUND);
    journal_reader_close(reader);
    return read;
}

const char *world_segment(uint64_t number)
{
    static char path[64]; /* tests copy it whole */
    (void)snprintf(path, sizeof(path), WORLD_DIR "/journal-%016" PRIx64 ".log", number);
    return path;
}

uint64_t world_file_size(struct world *w, const char *path)
{
    uint64_t size;
    bool is_dir;
    CHECK_OK(os_path_stat(w->env, path, &size, &is_dir, NULL));
    return size;
}

/* Does any file of the directory hold `size` octets of `octet` in a row? */
struct hunt {
    struct world *w;
    unsigned char octet;
    bool is_found;
};

static int hunt_in(void *arg, const char *name)
{
    struct hunt *hunt = arg;
    static unsigned char bytes[1 << 17];
    char path[80] = WORLD_DIR "/";
    struct os_file *file;
    size_t size;
    size_t run = 0;
    strncat(path, name, 60);
    CHECK_OK(os_file_open(hunt->w->env, path, OS_OPEN_READ, &file, NULL));
    CHECK_OK(os_file_read(file, 0, bytes, sizeof(bytes), &size, NULL));
    for (size_t i = 0; i < size; i++) {
        run = bytes[i] == hunt->octet ? run + 1 : 0;
        hunt->is_found = hunt->is_found || run == 50;
    }
    os_file_close(file);
    return 0;
}

bool world_is_on_disk(struct world *w, unsigned char octet)
{
    struct hunt hunt = {.w = w, .octet = octet};
    CHECK_OK(os_dir_list(w->env, WORLD_DIR, hunt_in, &hunt, NULL));
    return hunt.is_found;
}

void world_append_octets(struct world *w, int64_t commit, unsigned char octet)
{
    unsigned char header[COMMIT_HEADER_BYTES];
    unsigned char writes[700];
    memset(writes, octet, sizeof(writes));
    commit_header_encode(header, commit, 0);
    const struct journal_entry entry = {.commit = commit,
                                        .header = bytes_of(header, sizeof(header)),
                                        .writes = bytes_of(writes, sizeof(writes))};
    CHECK_OK(journal_append(w->journal, &entry, 1, &w->error));
}
