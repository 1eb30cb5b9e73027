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

TEST_MAIN(keys_are_found_renamed_copied_moved_and_deleted,
          databases_and_counts_are_found_again_after_opening, ends_take_every_condition,
          keys_that_end_are_told_and_counted_out,
          a_key_that_ends_within_the_command_that_gives_its_end_is_told_once,
          scan_meets_every_key_once)
