/* Keys whatever they hold, databases, counts, ends, and what opening finds again. */
#include <stdio.h>
#include <string.h>

#include <time.h>

#include "unit/command/bed.h"

TEST(keys_are_found_renamed_copied_moved_and_deleted)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "MSET a 1 b 2 ab 3", "+OK|");
    EXPECT(c, "EXISTS a b x a", ":3|");
    EXPECT(c, "TYPE a", "+string|");
    EXPECT(c, "TYPE x", "+none|");
    EXPECT(c, "KEYS a*", "*2|$1|a|$2|ab|");
    EXPECT(c, "RENAME x y", "-ERR no such key|");
    EXPECT(c, "EXPIRE a 100", ":1|");
    EXPECT(c, "RENAME a c", "+OK|");
    EXPECT(c, "TTL c", ":100|");
    EXPECT(c, "RENAMENX b c", ":0|");
    EXPECT(c, "RENAMENX b d", ":1|");
    EXPECT(c, "COPY c d", ":0|");
    EXPECT(c, "COPY c d REPLACE", ":1|");
    EXPECT(c, "GET d", "$1|1|");
    EXPECT(c, "COPY c c", "-ERR source and destination objects are the same|");
    EXPECT(c, "COPY c c DB 3", ":1|");
    EXPECT(c, "MOVE c 3", ":0|");
    EXPECT(c, "MOVE ab 3", ":1|");
    EXPECT(c, "MOVE ab 16", "-ERR DB index is out of range|");
    EXPECT(c, "DBSIZE", ":2|");
    EXPECT(c, "SELECT 3", "+OK|");
    EXPECT(c, "DBSIZE", ":2|");
    EXPECT(c, "SELECT 16", "-ERR DB index is out of range|");
    EXPECT(c, "SWAPDB 0 3", "+OK|");
    EXPECT(c, "KEYS *", "*2|$1|c|$1|d|");
    EXPECT(c, "DEL c d c", ":2|");
    EXPECT(c, "DBSIZE", ":0|");
    EXPECT(c, "FLUSHALL", "+OK|");
    EXPECT(c, "SELECT 0", "+OK|");
    EXPECT(c, "DBSIZE", ":0|");
    bed_close(&bed);
}

TEST(databases_and_counts_are_found_again_after_opening)
{
    struct bed bed = {0};
    struct yore_write until = {.from = YORE_NOW, .durability = YORE_DURABILITY_SYNC};
    bed_open(&bed);
    EXPECT(&bed.clients[0], "MSET a 1 b 2 c 3", "+OK|");
    EXPECT(&bed.clients[0], "EXPIRE a 1000", ":1|");
    EXPECT(&bed.clients[0], "SELECT 1", "+OK|");
    EXPECT(&bed.clients[0], "SET z 1", "+OK|");
    EXPECT(&bed.clients[0], "SWAPDB 0 1", "+OK|");
    bed_reopen(&bed);
    EXPECT(&bed.clients[0], "DBSIZE", ":1|");
    EXPECT(&bed.clients[0], "SELECT 1", "+OK|");
    EXPECT(&bed.clients[0], "DBSIZE", ":3|");
    /* What another program writes while the server is down is counted too. */
    until.to = yore_now(bed.db) + 500000000000;
    for (size_t i = 0; i < 4; i++) {
        command_client_free(bed.clients[i].client);
        bed.clients[i].client = NULL;
    }
    command_server_free(bed.server);
    CHECK_OK(yore_put(bed.db, NULL, bytes_of("d", 1), bytes_of("4", 1), &until, NULL));
    CHECK_OK(yore_delete(bed.db, NULL, bytes_of("b", 1), NULL, NULL));
    struct command_options options = {.db = bed.db, .durability = YORE_DURABILITY_NONE};
    CHECK_OK(command_server_new(&options, &bed.server, NULL));
    bed_client(&bed, 0);
    EXPECT(&bed.clients[0], "SELECT 1", "+OK|");
    EXPECT(&bed.clients[0], "DBSIZE", ":3|");
    const char *info = bed_run(&bed.clients[0], "INFO keyspace");
    CHECK_MSG(strstr(info, "db1:keys=3,expires=2,") != NULL, "%s", info);
    bed_close(&bed);
}

/* ---- a database made of what another one's export holds ---- */

struct copying {
    struct yore_db *from;
    struct yore_db *to;
};

static int copy_keyspace(void *arg, const struct yore_keyspace_info *info)
{
    const struct copying *copying = arg;
    bool keeps_now = info->options.keep == YORE_KEEP_NOW;
    struct yore_keyspace *from = NULL;
    struct yore_keyspace *to = NULL;
    struct yore_cursor *cursor = NULL;
    CHECK_OK(yore_keyspace_open(copying->from, info->name, NULL, &from, NULL));
    enum yore_status st = yore_keyspace_create(copying->to, info->name, &info->options, &to, NULL);
    if (st == YORE_EXISTS) {
        st = yore_keyspace_open(copying->to, info->name, NULL, &to, NULL);
    }
    CHECK_OK(st);
    CHECK_OK(yore_cursor_open(copying->from, from, NULL, &cursor, NULL));
    while (yore_cursor_next(cursor) == YORE_OK) {
        const struct yore_row *row = yore_cursor_row(cursor);
        struct yore_write write = {.from = row->valid_from, .to = row->valid_to};
        CHECK_OK(yore_put(copying->to, to, row->key, row->value, keeps_now ? NULL : &write, NULL));
    }
    yore_cursor_close(cursor);
    return 0;
}

/* How many ends are on the list. */
static unsigned count_ends(struct yore_db *db)
{
    struct yore_keyspace *expiry = NULL;
    struct yore_cursor *cursor = NULL;
    unsigned count = 0;
    CHECK_OK(yore_keyspace_open(db, "server.expiry", NULL, &expiry, NULL));
    CHECK_OK(yore_cursor_open(db, expiry, NULL, &cursor, NULL));
    while (yore_cursor_next(cursor) == YORE_OK) {
        const unsigned char *key = yore_cursor_row(cursor)->key.data;
        count += key[0] != 0xff ? 1 : 0;
    }
    yore_cursor_close(cursor);
    return count;
}

TEST(what_was_imported_is_counted_not_what_was_saved_elsewhere)
{
    struct bed bed = {0};
    struct yore_keyspace *other = NULL;
    bed_open(&bed);
    EXPECT(&bed.clients[0], "MSET a 1 b 2 c 3", "+OK|");
    EXPECT(&bed.clients[0], "EXPIRE a 1000", ":1|");
    EXPECT(&bed.clients[0], "SELECT 1", "+OK|");
    EXPECT(&bed.clients[0], "SET z 1 EX 1000", "+OK|");
    bed_reopen(&bed); /* the counts are saved */
    struct copying copying = {.from = bed.db};
    const char *path = test_path("copy");
    CHECK_OK(yore_open(path, NULL, &copying.to, NULL));
    CHECK_OK(yore_keyspace_create(copying.to, "a", NULL, &other, NULL)); /* other numbers */
    CHECK_OK(yore_keyspace_list(copying.from, NULL, copy_keyspace, &copying, NULL));
    CHECK_OK(yore_close(copying.to, NULL));
    bed.path = path;
    for (int round = 0; round < 2; round++) {
        bed_reopen(&bed);
        EXPECT(&bed.clients[0], "DBSIZE", ":3|");
        const char *info = bed_run(&bed.clients[0], "INFO keyspace");
        CHECK_MSG(strstr(info, "db0:keys=3,expires=1,") != NULL, "%s", info);
        CHECK_MSG(strstr(info, "db1:keys=1,expires=1,") != NULL, "%s", info);
        CHECK_EQ_INT(count_ends(bed.db), 2);
    }
    bed_close(&bed);
}

TEST(ends_take_every_condition)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET a 1", "+OK|");
    EXPECT(c, "TTL x", ":-2|");
    EXPECT(c, "TTL a", ":-1|");
    EXPECT(c, "EXPIRE a 100 XX", ":0|");
    EXPECT(c, "EXPIRE a 100 GT", ":0|");
    EXPECT(c, "EXPIRE a 100 NX", ":1|");
    EXPECT(c, "EXPIRE a 200 NX", ":0|");
    EXPECT(c, "EXPIRE a 50 GT", ":0|");
    EXPECT(c, "EXPIRE a 50 LT", ":1|");
    EXPECT(c, "EXPIRE a 50 NX GT",
           "-ERR NX and XX, GT or LT options at the same time are not compatible|");
    EXPECT(c, "EXPIRE a 50 GT LT", "-ERR GT and LT options at the same time are not compatible|");
    EXPECT(c, "EXPIRE a 50 AB", "-ERR Unsupported option AB|");
    EXPECT(c, "EXPIRE a x", "-ERR value is not an integer or out of range|");
    EXPECT(c, "EXPIRE a 9223372036854775807", "-ERR invalid expire time in 'expire' command|");
    EXPECT(c, "PERSIST a", ":1|");
    EXPECT(c, "PERSIST a", ":0|");
    EXPECT(c, "PEXPIREAT a 4000000000000", ":1|");
    EXPECT(c, "PEXPIRETIME a", ":4000000000000|");
    EXPECT(c, "EXPIRE a -1", ":1|");
    EXPECT(c, "EXISTS a", ":0|");
    bed_close(&bed);
}

TEST(keys_that_end_are_told_and_counted_out)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *listener = bed_client(&bed, 1);
    EXPECT(c, "CONFIG SET notify-keyspace-events Ex", "+OK|");
    EXPECT(listener, "SUBSCRIBE __keyevent@0__:expired",
           "*3|$9|subscribe|$22|__keyevent@0__:expired|:1|");
    EXPECT(c, "SET a 1 PX 100", "+OK|"); /* longer than the command takes, under valgrind too */
    EXPECT(c, "SET b 1 PX 1000000", "+OK|");
    for (time_t begin = time(NULL); time(NULL) - begin < 30 && listener->pushed.size == 0;) {
        command_tick(bed.server);
    }
    CHECK_EQ_STR(bed_pushed(listener), "*3|$7|message|$22|__keyevent@0__:expired|$1|a|");
    EXPECT(c, "DBSIZE", ":1|");
    EXPECT(c, "GET a", "$-1|");
    bed_close(&bed);
}

TEST(a_key_that_ends_within_the_command_that_gives_its_end_is_told_once)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *listener = bed_client(&bed, 1);
    EXPECT(c, "CONFIG SET notify-keyspace-events E$x", "+OK|");
    EXPECT(listener, "PSUBSCRIBE __keyevent@0__:*", "*3|$10|psubscribe|$16|__keyevent@0__:*|:1|");
#define HEARD(event, size, key)                                                                    \
    "*4|$8|pmessage|$16|__keyevent@0__:*|$" size "|__keyevent@0__:" event "|$1|" key "|"
    EXPECT(c, "SET a 1 PXAT 1000", "+OK|"); /* in 1970 */
    CHECK_EQ_STR(bed_pushed(listener), HEARD("set", "18", "a") HEARD("expired", "22", "a"));
    EXPECT(c, "SET b 1", "+OK|");
    EXPECT(c, "SET b 2 PXAT 1000", "+OK|"); /* in place of another */
    CHECK_EQ_STR(bed_pushed(listener),
                 HEARD("set", "18", "b") HEARD("set", "18", "b") HEARD("expired", "22", "b"));
    /* EXEC has one present, from its begin: the end passes before it is written. */
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "DEBUG SLEEP 0.05", "+QUEUED|");
    EXPECT(c, "SET c 1 PX 20", "+QUEUED|");
    EXPECT(c, "EXEC", "*2|+OK|+OK|");
    CHECK_EQ_STR(bed_pushed(listener), HEARD("set", "18", "c") HEARD("expired", "22", "c"));
    EXPECT(c, "EXISTS a b c", ":0|");
    EXPECT(c, "DBSIZE", ":0|");
    command_tick(bed.server); /* and not once more */
    CHECK_EQ_STR(bed_pushed(listener), "");
    /* What is told as deleted has not expired. */
    EXPECT(c, "SET d 1", "+OK|");
    EXPECT(c, "GETEX d PXAT 1000", "$1|1|");
    CHECK_EQ_STR(bed_pushed(listener), HEARD("set", "18", "d"));
    bed_close(&bed);
#undef HEARD
}

TEST(scan_meets_every_key_once)
{
    struct bed bed = {0};
    char request[64];
    int met[100] = {0};
    bed_open(&bed);
    for (int i = 0; i < 100; i++) {
        snprintf(request, sizeof request, "SET key%02d x", i);
        EXPECT(&bed.clients[0], request, "+OK|");
    }
    unsigned long long cursor = 0;
    do {
        snprintf(request, sizeof request, "SCAN %llu COUNT 7 MATCH key*", cursor);
        const char *at = bed_run(&bed.clients[0], request);
        CHECK(sscanf(at, "*2|$%*d|%llu|", &cursor) == 1);
        while ((at = strstr(at, "|key")) != NULL) {
            int number;
            CHECK(sscanf(at, "|key%d|", &number) == 1);
            met[number]++;
            at++;
        }
    } while (cursor != 0);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ_INT(met[i], 1);
    }
    EXPECT(&bed.clients[0], "SCAN x", "-ERR invalid cursor|");
    EXPECT(&bed.clients[0], "SCAN 99999",
           "-ERR cursor 99999 is not kept any more: begin again at 0|");
    EXPECT(&bed.clients[0], "SCAN 0 COUNT 0", "-ERR syntax error|");
    EXPECT(&bed.clients[0], "SCAN 0 TYPE list MATCH key0*", "*2|$1|0|*0|");
    bed_close(&bed);
}

/* The cursor of SCAN 0 COUNT 1, which stands at a long key. */
static unsigned begin_scan(struct bed_client *client)
{
    unsigned cursor = 0;
    const char *reply = bed_run(client, "SCAN 0 COUNT 1");
    const char *number = strncmp(reply, "*2|$", 4) == 0 ? strchr(reply + 4, '|') : NULL;
    CHECK_MSG(number != NULL && sscanf(number, "|%u|", &cursor) == 1 && cursor != 0, "%.80s",
              reply);
    return cursor;
}

static bool goes_on(struct bed_client *client, unsigned cursor)
{
    char request[40];
    snprintf(request, sizeof request, "SCAN %u", cursor);
    return strncmp(bed_run(client, request), "*2|$1|0|*1|", 11) == 0;
}

/* More than all clients together may hold. */
static unsigned begin_many_scans(struct bed_client *client)
{
    unsigned first = begin_scan(client);
    for (int i = 0; i < 350; i++) {
        begin_scan(client);
    }
    return first;
}

TEST(a_client_that_begins_many_scans_loses_its_own_positions)
{
    static char request[60000];
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *greedy = &bed.clients[0];
    struct bed_client *modest = bed_client(&bed, 1);
    struct bed_client *other = bed_client(&bed, 2);
    EXPECT(greedy, "SET a 1", "+OK|");
    snprintf(request, sizeof request, "SET b%050000d 1", 0);
    EXPECT(greedy, request, "+OK|");
    unsigned cursor = begin_scan(modest);
    unsigned first = begin_many_scans(greedy);
    CHECK(goes_on(modest, cursor) && goes_on(other, cursor));
    CHECK(!goes_on(greedy, first) && goes_on(greedy, begin_scan(greedy)));
    command_client_free(modest->client);
    modest->client = NULL;
    CHECK(goes_on(other, cursor)); /* while there is room */
    unsigned kept = begin_scan(other);
    begin_many_scans(greedy);
    CHECK(!goes_on(other, cursor) && goes_on(other, kept));
    bed_close(&bed);
}

/* What `name` is among the lines of INFO. */
static unsigned long long told(struct bed_client *client, const char *name)
{
    unsigned long long number = 0;
    const char *at = strstr(bed_run(client, "INFO memory engine"), name);
    CHECK(at != NULL && sscanf(at + strlen(name), ":%llu", &number) == 1);
    return number;
}

TEST(memory_is_what_was_written_and_what_was_read)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET k 1", "+OK|");
    EXPECT(c, "SAVE", "+OK|");
    EXPECT(c, "GET k", "$1|1|");
    unsigned long long cached = told(c, "cache_used_bytes");
    CHECK(cached > 0);
    CHECK_EQ_UINT(told(c, "used_memory"), told(c, "memtable_bytes") + cached);
    bed_close(&bed);
}

TEST_MAIN(memory_is_what_was_written_and_what_was_read,
          a_client_that_begins_many_scans_loses_its_own_positions,
          keys_are_found_renamed_copied_moved_and_deleted,
          databases_and_counts_are_found_again_after_opening,
          what_was_imported_is_counted_not_what_was_saved_elsewhere, ends_take_every_condition,
          keys_that_end_are_told_and_counted_out,
          a_key_that_ends_within_the_command_that_gives_its_end_is_told_once,
          scan_meets_every_key_once)
