/* What the program `yore` asks of a server: keyspaces by name, whole ranges, the feed, batches,
 * erasures. */
#include <stdio.h>
#include <string.h>

#include "unit/command/bed.h"

static bool starts(const char *text, const char *begin)
{
    return strncmp(text, begin, strlen(begin)) == 0;
}

static void expect_commit(struct bed_client *client, const char *request)
{
    const char *reply = bed_run(client, request);
    CHECK_MSG(reply[0] == ':', "%s: %s", request, reply);
}

TEST(a_keyspace_is_written_and_read_by_its_name)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    CHECK(starts(bed_run(c, "YORE.GET a KEYSPACE sensors"), "-NOTFOUND "));
    EXPECT(c, "YORE.KEYSPACE CREATE sensors KEEP 30d COMPRESSION zstd", "+OK|");
    CHECK(starts(bed_run(c, "YORE.KEYSPACE CREATE sensors"), "-EXISTS "));
    expect_commit(c, "YORE.PUT a 1 AT 2026-11-20 KEYSPACE sensors");
    expect_commit(c, "YORE.PUT a 2 KEYSPACE sensors");
    EXPECT(c, "YORE.GET a KEYSPACE sensors", "$1|2|");
    EXPECT(c, "GET a", "$-1|");
    EXPECT(c, "DBSIZE", ":0|");
    CHECK(starts(bed_run(c, "YORE.TIMELINE a KEYSPACE sensors"), "*2|"));
    CHECK(starts(bed_run(c, "YORE.CHANGES \"\" FROM 2026-11-19 TO now KEYSPACE sensors"), "*1|"));
    expect_commit(c, "YORE.DEL a KEYSPACE sensors");
    EXPECT(c, "YORE.GET a KEYSPACE sensors", "$-1|");
    const char *info = bed_run(c, "YORE.KEYSPACE INFO sensors");
    CHECK_MSG(strstr(info, "$3|30d|") != NULL && strstr(info, "$4|zstd|") != NULL, "%s", info);
    EXPECT(c, "YORE.KEYSPACE DROP sensors", "+OK|");
    CHECK(starts(bed_run(c, "YORE.PUT a 3 KEYSPACE sensors"), "-NOTFOUND "));
    bed_close(&bed);
}

TEST(a_database_by_its_keyspaces_name_is_the_database)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SELECT 1", "+OK|");
    expect_commit(c, "YORE.PUT k v KEYSPACE default");
    EXPECT(c, "DBSIZE", ":0|");
    EXPECT(c, "SELECT 0", "+OK|");
    EXPECT(c, "DBSIZE", ":1|");
    EXPECT(c, "YORE.KEYSPACE CREATE db3", "+OK|");
    EXPECT(c, "SELECT 3", "+OK|");
    EXPECT(c, "SET k 3", "+OK|");
    EXPECT(c, "YORE.GET k KEYSPACE db3", "$1|3|");
    CHECK(starts(bed_run(c, "YORE.KEYSPACE DROP db3"), "-READONLY "));
    bed_close(&bed);
}

TEST(what_the_server_keeps_for_itself_is_not_written_by_name)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    CHECK(starts(bed_run(c, "GRAPH.QUERY topo \"CREATE (:A)\""), "*"));
    CHECK(starts(bed_run(c, "YORE.PUT k v KEYSPACE g.topo"), "-READONLY "));
    CHECK(starts(bed_run(c, "YORE.PUT k v KEYSPACE server.expiry"), "-READONLY "));
    CHECK(starts(bed_run(c, "YORE.ERASE ALL KEYSPACE server"), "-READONLY "));
    CHECK(starts(bed_run(c, "YORE.BATCH KEYSPACE g.topo PUT k v * *"), "-READONLY "));
    CHECK(starts(bed_run(c, "YORE.KEYSPACE DROP g.topo"), "-READONLY "));
    CHECK(starts(bed_run(c, "YORE.RANGE KEYS LIMIT 1 KEYSPACE g.topo"), "*1|"));
    EXPECT(c, "ACL SETUSER ann on nopass +@all ~app:*", "+OK|");
    EXPECT(c, "AUTH ann x", "+OK|");
    CHECK(starts(bed_run(c, "YORE.RANGE KEYS LIMIT 1 KEYSPACE g.topo"), "-NOPERM "));
    CHECK(starts(bed_run(c, "YORE.BATCH PUT app:1 v * * PUT other v * *"), "-NOPERM "));
    expect_commit(c, "YORE.BATCH PUT app:1 v * * PUT app:2 v * *");
    EXPECT(c, "YORE.RANGE KEYS LIMIT 5 PREFIX z", "*0|");
    bed_close(&bed);
}

TEST(a_range_tells_rows_with_their_times_in_either_order)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    expect_commit(c, "YORE.PUT a 1 AT 2025-01-01");
    expect_commit(c, "YORE.PUT b 2 AT 2025-01-02 UNTIL 2025-01-04");
    expect_commit(c, "YORE.PUT c 3 AT 2025-01-03");
    const char *reply = bed_run(c, "YORE.RANGE AT 2025-01-03 LOW b");
    CHECK_MSG(starts(reply, "*2|*5|$1|b|$20|2025-01-02T00:00:00Z|$20|2025-01-04T00:00:00Z|:"), "%s",
              reply);
    reply = bed_run(c, "YORE.RANGE AT 2025-01-03 REV LIMIT 2 KEYS HIGH c");
    CHECK_MSG(starts(reply, "*2|*5|$1|b|") && strstr(reply, "*5|$1|a|") != NULL, "%s", reply);
    EXPECT(c, "YORE.RANGE LIMIT 0", "*0|");
    EXPECT(c, "YORE.RANGE BACKWARDS",
           "-ERR syntax error; usage: YORE.RANGE [PREFIX prefix] [LOW key] [HIGH key] [REV] [KEYS] "
           "[LIMIT count] [AT moment] [KNOWN moment] [KEYSPACE name]|");
    bed_close(&bed);
}

TEST(the_feed_tells_every_write_of_every_commit)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    const char *now = bed_run(c, "YORE.NOW");
    CHECK(now[0] == ':');
    char request[80];
    snprintf(request, sizeof request, "YORE.FEED AFTER @%.19sns", now + 1);
    expect_commit(c, "YORE.BATCH PUT a 1 2025-01-01 * DEL b * PUT c 3 2025-01-01 2025-02-01");
    EXPECT(c, "DEL nothing", ":0|");
    EXPECT(c, "SET d 4", "+OK|");
    const char *reply = bed_run(c, request);
    CHECK_MSG(starts(reply, "*2|*3|:") && strstr(reply, "|*3|*6|") != NULL, "%s", reply);
    CHECK(strstr(reply, "$3|put|$20|2025-01-01T00:00:00Z|$20|2025-02-01T00:00:00Z|$1|c|$1|3|") !=
          NULL);
    CHECK(strstr(reply, "$6|delete|") != NULL && strstr(reply, "$1|d|$1|4|") != NULL);
    bed_close(&bed);
}

TEST(a_batch_is_one_commit_and_counts_its_keys_once)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET b old PX 100000", "+OK|");
    expect_commit(c, "YORE.BATCH PUT a 1 2025-01-01 * PUT a 2 2025-01-02 * DEL b * PUT c 3 * *");
    EXPECT(c, "DBSIZE", ":2|");
    EXPECT(c, "MGET a b c", "*3|$1|2|$-1|$1|3|");
    CHECK(strstr(bed_run(c, "INFO keyspace"), "keys=2,expires=0") != NULL);
    CHECK(starts(bed_run(c, "YORE.BATCH PUT d 4 * * PUT \"\" x * *"), "-ERR "));
    CHECK(starts(bed_run(c, "YORE.BATCH PUT d 4 2250-01-01 *"), "-FUTURE "));
    EXPECT(c, "GET d", "$-1|");
    EXPECT(c, "YORE.BATCH PUT d 4 *",
           "-ERR syntax error; usage: YORE.BATCH [KEYSPACE name] PUT key value from|* to|* | DEL "
           "key from|* ...|");
    EXPECT(c, "COMMAND GETKEYS YORE.BATCH PUT d 4 * * DEL e *", "*2|$1|d|$1|e|");
    bed_close(&bed);
}

TEST(a_watched_key_that_a_batch_writes_fails_the_transaction)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *other = bed_client(&bed, 1);
    EXPECT(c, "WATCH a", "+OK|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "SET a mine", "+QUEUED|");
    expect_commit(other, "YORE.BATCH PUT a theirs * *");
    EXPECT(c, "EXEC", "*-1|");
    EXPECT(c, "GET a", "$6|theirs|");
    bed_close(&bed);
}

TEST(an_erasure_takes_values_and_counts_away)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "MSET user:1 a user:2 b other c", "+OK|");
    EXPECT(c, "EXPIRE user:2 1000", ":1|");
    expect_commit(c, "YORE.ERASE KEY user:1");
    CHECK(starts(bed_run(c, "GET user:1"), "-ERASED "));
    EXPECT(c, "DBSIZE", ":2|");
    EXPECT(c, "YORE.ERASE PREFIX \"\"", "-ERR the prefix is empty: to erase all there is say ALL|");
    expect_commit(c, "YORE.ERASE PREFIX user:");
    EXPECT(c, "DBSIZE", ":1|");
    const char *info = bed_run(c, "INFO keyspace");
    CHECK_MSG(strstr(info, "keys=1,expires=0") != NULL, "%s", info);
    expect_commit(c, "YORE.ERASE ALL");
    EXPECT(c, "DBSIZE", ":0|");
    bed_reopen(&bed);
    EXPECT(&bed.clients[0], "DBSIZE", ":0|");
    bed_close(&bed);
}

TEST(statistics_and_a_merge_are_told)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET a 1", "+OK|");
    CHECK(strstr(bed_run(c, "YORE.STATS"), "$9|histogram|") != NULL);
    EXPECT(c, "YORE.COMPACT", "+OK|");
    EXPECT(c, "YORE.COMPACT default", "+OK|");
    CHECK(starts(bed_run(c, "YORE.COMPACT nowhere"), "-NOTFOUND "));
    CHECK(strstr(bed_run(c, "YORE.KEYSPACE USAGE default"), "$16|present_versions|:1|") != NULL);
    CHECK(strstr(bed_run(c, "YORE.CHECK"), "$6|graphs|:0|") != NULL);
    bed_close(&bed);
}

TEST_MAIN(a_keyspace_is_written_and_read_by_its_name,
          a_database_by_its_keyspaces_name_is_the_database,
          what_the_server_keeps_for_itself_is_not_written_by_name,
          a_range_tells_rows_with_their_times_in_either_order,
          the_feed_tells_every_write_of_every_commit,
          a_batch_is_one_commit_and_counts_its_keys_once,
          a_watched_key_that_a_batch_writes_fails_the_transaction,
          an_erasure_takes_values_and_counts_away, statistics_and_a_merge_are_told)
