#include "unit/engine/watch_bed.h"

#include <stdio.h>
#include <string.h>

#define TEXT_BYTES 8192

void open_again(struct bed *bed, uint64_t memtable_bytes)
{
    struct yore_options options;
    yore_options_init(&options);
    options.memtable_bytes = memtable_bytes;
    options.segment_bytes = 64u << 10;
    options.table_bytes = 16u << 10;
    options.value_apart_bytes = 512;
    CHECK_OK(db_open_inline(sim_disk_env(bed->disk), "db", &options, &bed->db, NULL));
}

void open_memtable(struct bed *bed, uint64_t memtable_bytes)
{
    bed_open(bed);
    CHECK_OK(yore_close(bed->db, NULL));
    open_again(bed, memtable_bytes);
}

struct yore_watch *watch_from(struct yore_db *db, int64_t after)
{
    struct yore_watch_options options = {.after_commit = after};
    struct yore_watch *watch = NULL;
    struct yore_error error = {.text = ""};
    enum yore_status st = yore_watch_open(db, &options, &watch, &error);
    CHECK_MSG(st == YORE_OK, "open: %s", error.text);
    return watch;
}

static size_t print_commit(char *out, size_t size, const struct yore_feed_commit *commit)
{
    size_t at = 0;
    for (size_t i = 0; i < commit->write_count; i++) {
        const struct yore_feed_write *write = &commit->writes[i];
        char mark = write->kind == YORE_KIND_PUT      ? '='
                    : write->kind == YORE_KIND_DELETE ? '-'
                                                      : '!';
        if (write->keyspace_id == 0) {
            at += (size_t)snprintf(out + at, size - at, "catalogue ");
            continue;
        }
        at += (size_t)snprintf(out + at, size - at, "%.*s%c%.*s ", (int)write->key.size,
                               (const char *)write->key.data, mark,
                               (int)(write->value.size > 8 ? 8 : write->value.size),
                               write->value.size > 0 ? (const char *)write->value.data : "");
    }
    return at + (size_t)snprintf(out + at, size - at, "; ");
}

const char *heard(struct yore_watch *watch)
{
    static char outs[2][TEXT_BYTES];
    static unsigned next;
    char *out = outs[next++ % 2];
    struct yore_feed_commit commit;
    struct yore_error error = {.text = ""};
    size_t size = 0;
    enum yore_status st;
    out[0] = '\0';
    while ((st = yore_watch_next(watch, 0, &commit, &error)) == YORE_OK) {
        CHECK_EQ_INT(yore_watch_position(watch), commit.commit);
        size += print_commit(out + size, TEXT_BYTES - size, &commit);
    }
    CHECK_MSG(st == YORE_NOT_FOUND, "next: %s", error.text);
    return out;
}

void check_next(struct yore_watch *watch, int64_t commit)
{
    struct yore_feed_commit told;
    struct yore_error error = {.text = ""};
    enum yore_status st = yore_watch_next(watch, 0, &told, &error);
    CHECK_MSG(st == YORE_OK, "commit %lld: %s %s", (long long)commit, yore_status_name(st),
              error.text);
    CHECK_EQ_INT(told.commit, commit);
    CHECK_EQ_INT(yore_watch_position(watch), commit);
}

int64_t load_rows(struct yore_db *db, unsigned rows, size_t value_bytes)
{
    static char value[1u << 20];
    struct yore_load *load = NULL;
    int64_t commit = 0;
    CHECK_OK(yore_load_open(db, NULL, &load, NULL));
    for (unsigned i = 0; i < rows; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "r%05u", i);
        CHECK_OK(yore_load_put(load, text(key), (struct yore_bytes){value, value_bytes}, NULL));
    }
    CHECK_OK(yore_load_commit(load, &commit, NULL));
    return commit;
}
