/* What commands of YORE.* that find or destroy keys nobody named do for users who may not use every
 * key, and what a session at a moment and a transaction are to them. */
#include <stdio.h>
#include <string.h>

#include "command/args.h"
#include "unit/command/bed.h"

#define DENIED_KEY                                                                                 \
    "-NOPERM this user has no permissions to access one of the keys used as arguments|"
#define DENIED_PAST "-NOPERM this user has no permissions to look at that moment|"

static bool starts(const char *text, const char *begin)
{
    return strncmp(text, begin, strlen(begin)) == 0;
}

/* How many writes the client's last reply tells; values may hold zero octets. */
static unsigned writes_told(const struct bed_client *client)
{
    unsigned count = 0;
    for (size_t i = 0; i + 4 <= client->text.size; i++) {
        count += memcmp(client->text.data + i, "|*6|", 4) == 0 ? 1 : 0;
    }
    return count;
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void expect_begin(struct bed_client *client, const char *request, const char *begin)
{
    const char *reply = bed_run(client, request);
    CHECK_MSG(starts(reply, begin), "%s: %s", request, reply);
}

/* A second client, logged in as a user of these rules; `root` has opened the bed. */
static struct bed_client *log_in(struct bed *bed, const char *rules)
{
    char request[200];
    struct bed_client *c = bed_client(bed, 1);
    snprintf(request, sizeof request, "ACL SETUSER ann reset on nopass %s", rules);
    EXPECT(&bed->clients[0], request, "+OK|");
    EXPECT(c, "AUTH ann x", "+OK|");
    return c;
}

/* Keys of two prefixes, one with an end, a series and a graph. */
static struct bed_client *fill(struct bed *bed)
{
    struct bed_client *root = &bed->clients[0];
    EXPECT(root, "SET secret:1 s", "+OK|");
    EXPECT(root, "SET app:1 a EX 100", "+OK|");
    expect_begin(root, "TS.ADD app:ts 1000 1", ":");
    expect_begin(root, "GRAPH.QUERY topo \"CREATE (:A {name: 'x'})\"", "*");
    return root;
}

TEST(the_feed_tells_a_user_the_writes_to_keys_he_may_read)
{
    struct bed bed = {0};
    bed_open(&bed);
    fill(&bed);
    struct bed_client *c = log_in(&bed, "+@read ~app:*");
    const char *reply = bed_run(c, "YORE.FEED");
    CHECK_MSG(starts(reply, "*2|*3|:"), "%s", reply);
    CHECK_MSG(writes_told(c) == 2 && strstr(reply, "$5|app:1|$1|a|") != NULL &&
                  strstr(reply, "$6|app:ts|") != NULL,
              "%s", reply);
    reply = bed_run(c, "YORE.FEED LIMIT 1"); /* commits that are not told are not counted */
    CHECK_MSG(starts(reply, "*1|*3|:") && strstr(reply, "$5|app:1|") != NULL, "%s", reply);
    EXPECT(log_in(&bed, "+@read %W~*"), "YORE.FEED", "*0|");
    bed_close(&bed);
}

TEST(the_feed_tells_of_the_servers_own_keyspaces_to_who_may_read_every_key)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = fill(&bed);
    expect_begin(root, "YORE.FEED", "*");
    unsigned all = writes_told(root);
    CHECK(all > 3);
    struct bed_client *c = log_in(&bed, "+@read ~?*");
    expect_begin(c, "YORE.FEED", "*3|");
    CHECK_EQ_UINT(writes_told(c), 3);
    c = log_in(&bed, "+@read %R~*");
    expect_begin(c, "YORE.FEED", "*");
    CHECK_EQ_UINT(writes_told(c), all);
    bed_close(&bed);
}

TEST(what_a_keyspace_keeps_is_told_to_who_may_read_it)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = fill(&bed);
    EXPECT(root, "SET app:1 b", "+OK|");
    EXPECT(root, "DEL secret:1", ":1|");
    expect_begin(root, "YORE.FEED KEPT default", "*");
    CHECK_EQ_UINT(writes_told(root), 5);
    expect_begin(root, "YORE.FEED KEPT default LIMIT 2", "*2|*3|:");
    expect_begin(root, "YORE.FEED KEPT g.topo", "*");
    CHECK(writes_told(root) > 0);
    expect_begin(root, "YORE.FEED KEPT default AFTER -1h", "-ERR syntax error");
    expect_begin(root, "YORE.FEED KEPT", "-ERR syntax error");
    expect_begin(root, "YORE.FEED KEPT nope", "-");
    struct bed_client *c = log_in(&bed, "+@read ~app:*");
    expect_begin(c, "YORE.FEED KEPT default", "*3|");
    CHECK_EQ_UINT(writes_told(c), 3);
    expect_begin(c, "YORE.FEED KEPT g.topo", "-NOPERM");
    c = log_in(&bed, "+@all ~* history:1h");
    EXPECT(c, "YORE.FEED KEPT default", DENIED_PAST);
    bed_close(&bed);
}

/* A load is told in parts; what the user may read is in the first of them. */
static void load_in_parts(struct bed *bed)
{
    static char value[1 << 20];
    struct yore_keyspace *keyspace = NULL;
    struct yore_load *load = NULL;
    memset(value, 'v', sizeof value);
    CHECK_OK(yore_keyspace_open(bed->db, "default", NULL, &keyspace, NULL));
    CHECK_OK(yore_load_open(bed->db, keyspace, &load, NULL));
    CHECK_OK(yore_load_put(load, args_text("app:1"), args_text("a"), NULL));
    for (int i = 0; i < 40; i++) {
        char key[24];
        snprintf(key, sizeof key, "secret:%02d", i);
        struct yore_bytes bytes = {value, sizeof value};
        CHECK_OK(yore_load_put(load, args_text(key), bytes, NULL));
    }
    CHECK_OK(yore_load_commit(load, NULL, NULL));
}

TEST(a_watch_ends_a_commit_that_it_has_begun_to_tell)
{
    struct bed bed = {0};
    bed_open(&bed);
    EXPECT(&bed.clients[0], "SET app:0 x", "+OK|");
    struct bed_client *eye = log_in(&bed, "+@read +hello ~app:*");
    bed_run(eye, "HELLO 3");
    bed_run(eye, "YORE.WATCH");
    load_in_parts(&bed);
    EXPECT(&bed.clients[0], "SET secret:x y", "+OK|");
    while (command_tick(bed.server) == 0) {
    }
    const char *pushed = bed_pushed(eye);
    CHECK_MSG(count_of(pushed, "|#t|*1|%5|") == 1 && count_of(pushed, ">4|") >= 2, "%s", pushed);
    CHECK_MSG(strcmp(pushed + strlen(pushed) - 7, "|#f|*0|") == 0, "%s", pushed);
    CHECK_MSG(count_of(pushed, "|#f|") == 1, "%s", pushed);
    bed_close(&bed);
}

TEST(a_commit_that_begins_with_a_part_to_tell_is_told_to_its_end)
{
    struct bed bed = {0};
    bed_open(&bed);
    EXPECT(&bed.clients[0], "SET app:0 x", "+OK|");
    load_in_parts(&bed);
    const char *reply = bed_run(log_in(&bed, "+@read ~app:*"), "YORE.FEED");
    CHECK_MSG(starts(reply, "*3|*3|:") && count_of(reply, "|:1|*1|*6|") == 1, "%s", reply);
    CHECK_MSG(strcmp(reply + strlen(reply) - 7, "|:0|*0|") == 0, "%s", reply);
    bed_close(&bed);
}

TEST(a_commit_is_told_without_its_writes_to_other_keys)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    EXPECT(root, "MSET app:1 a secret:1 s secret:2 s", "+OK|");
    EXPECT(root, "SET app:2 b", "+OK|");
    const char *reply = bed_run(log_in(&bed, "+@read ~app:*"), "YORE.FEED");
    CHECK_MSG(starts(reply, "*2|*3|:") && count_of(reply, "|:0|*1|*6|") == 2, "%s", reply);
    bed_close(&bed);
}

TEST(the_feed_begins_where_its_user_may_look)
{
    struct bed bed = {0};
    bed_open(&bed);
    fill(&bed);
    struct bed_client *c = log_in(&bed, "+@all ~* history:1h");
    EXPECT(c, "YORE.FEED", DENIED_PAST);
    EXPECT(c, "YORE.FEED LIMIT 1", DENIED_PAST);
    expect_begin(c, "YORE.FEED AFTER -30m", "*");
    bed_close(&bed);
}

TEST(one_key_is_erased_by_who_may_write_it)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    EXPECT(root, "MSET app:1 a app:2 b other c", "+OK|");
    struct bed_client *c = log_in(&bed, "+@all ~app:* %R~other");
    EXPECT(c, "YORE.ERASE KEY other", DENIED_KEY);
    expect_begin(c, "YORE.ERASE PREFIX app:", "-NOPERM ");
    expect_begin(c, "YORE.ERASE ALL", "-NOPERM ");
    expect_begin(c, "YORE.ERASE KEY app:1 KEYSPACE default", "-NOPERM ");
    EXPECT(root, "MGET app:1 app:2 other", "*3|$1|a|$1|b|$1|c|");
    expect_begin(c, "YORE.ERASE KEY app:1", ":");
    expect_begin(root, "GET app:1", "-ERASED ");
    EXPECT(root, "COMMAND GETKEYS YORE.ERASE KEY app:1", "*1|$5|app:1|");
    expect_begin(log_in(&bed, "+@dangerous %W~*"), "YORE.ERASE ALL", ":");
    bed_close(&bed);
}

TEST(the_right_to_write_is_none_to_erase_or_to_change_keyspaces)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = log_in(&bed, "+@write ~*");
    EXPECT(c, "SET a 1", "+OK|");
    EXPECT(c, "YORE.ERASE ALL",
           "-NOPERM this user has no permissions to run the 'yore.erase' command|");
    EXPECT(c, "YORE.KEYSPACE CREATE mine",
           "-NOPERM this user has no permissions to run the 'yore.keyspace|create' command|");
    bed_close(&bed);
}

TEST(a_right_to_keys_counts_for_the_commands_it_was_given_with)
{
    struct bed bed = {0};
    bed_open(&bed);
    fill(&bed);
    struct bed_client *c = log_in(&bed, "+@read ~app:* \"(+set ~*)\"");
    const char *reply = bed_run(c, "YORE.RANGE");
    CHECK_MSG(starts(reply, "*2|*5|$5|app:1|") && strstr(reply, "secret") == NULL, "%s", reply);
    reply = bed_run(c, "YORE.SCAN \"\" KEYS");
    CHECK_MSG(strstr(reply, "$5|app:1|") != NULL && strstr(reply, "secret") == NULL, "%s", reply);
    EXPECT(c, "KEYS *", "*2|$5|app:1|$6|app:ts|");
    expect_begin(c, "YORE.FEED", "*2|");
    CHECK_EQ_UINT(writes_told(c), 2);
    expect_begin(c, "YORE.RANGE KEYSPACE g.topo", "-NOPERM ");
    expect_begin(log_in(&bed, "+@read ~app:* \"(+yore.range %R~*)\""), "YORE.RANGE KEYSPACE g.topo",
                 "*");
    bed_close(&bed);
}

TEST(a_watch_tells_keys_that_came_with_it)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = log_in(&bed, "+@read +hello ~app:* \"(+set ~*)\"");
    (void)bed_run(c, "HELLO 3");
    expect_begin(c, "YORE.WATCH", ":");
    EXPECT(&bed.clients[0], "MSET app:1 a secret:1 s", "+OK|");
    command_tick(bed.server);
    const char *pushed = bed_pushed(c);
    CHECK_MSG(strstr(pushed, "app:1") != NULL && strstr(pushed, "secret") == NULL, "%s", pushed);
    bed_close(&bed);
}

TEST(what_was_sent_to_graphs_is_the_servers_own)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = fill(&bed);
    expect_begin(root, "YORE.KEYSPACE CREATE graph.staging", "-READONLY ");
    expect_begin(root, "YORE.PUT k v KEYSPACE graph.staging", "-READONLY ");
    expect_begin(root, "YORE.KEYSPACE DROP graph.staging", "-READONLY ");
    expect_begin(log_in(&bed, "+@all ~app:*"), "YORE.RANGE KEYSPACE graph.staging", "-NOPERM ");
    EXPECT(root, "YORE.KEYSPACE CREATE graph.mine", "+OK|");
    bed_close(&bed);
}

TEST(keyspaces_are_told_to_who_may_use_them)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = fill(&bed);
    EXPECT(root, "YORE.KEYSPACE CREATE sensors", "+OK|");
    const char *reply = bed_run(root, "YORE.KEYSPACE LIST");
    CHECK_MSG(strstr(reply, "|g.topo|") != NULL && strstr(reply, "|server|") != NULL, "%s", reply);
    struct bed_client *c = log_in(&bed, "+@read ~app:*");
    reply = bed_run(c, "YORE.KEYSPACE LIST");
    CHECK_MSG(starts(reply, "*2|") && strstr(reply, "|default|") != NULL &&
                  strstr(reply, "|sensors|") != NULL,
              "%s", reply);
    expect_begin(c, "YORE.KEYSPACE INFO g.topo", "-NOPERM ");
    expect_begin(c, "YORE.KEYSPACE USAGE g.topo", "-NOPERM ");
    expect_begin(c, "YORE.KEYSPACE INFO g.none", "-NOPERM ");
    CHECK(strstr(bed_run(c, "YORE.KEYSPACE INFO sensors"), "|sensors|") != NULL);
    bed_close(&bed);
}

TEST(a_page_of_a_scan_ends_at_no_key_its_user_may_not_read)
{
    struct bed bed = {0};
    bed_open(&bed);
    EXPECT(&bed.clients[0], "MSET app:1 a app:2 b hidden:1 s hidden:2 s x:1 c", "+OK|");
    struct bed_client *c = log_in(&bed, "+@read ~app:* ~x:*");
    EXPECT(c, "YORE.SCAN \"\" COUNT 1 KEYS", "*2|$5|app:2|*1|$5|app:1|");
    EXPECT(c, "YORE.SCAN \"\" COUNT 2 KEYS", "*2|$3|x:1|*2|$5|app:1|$5|app:2|");
    EXPECT(c, "YORE.SCAN x:1 COUNT 2 KEYS", "*2|$-1|*1|$3|x:1|");
    EXPECT(c, "YORE.SCAN \"\" COUNT 2 KEYS END x", "*2|$-1|*2|$5|app:1|$5|app:2|");
    log_in(&bed, "+@read");
    EXPECT(c, "YORE.SCAN \"\" COUNT 1", "*2|$-1|*0|");
    bed_close(&bed);
}

TEST(a_range_in_a_transaction_tells_what_it_wrote)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "MSET a 1 b 2", "+OK|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "SET c 3", "+QUEUED|");
    EXPECT(c, "DEL a", "+QUEUED|");
    EXPECT(c, "YORE.RANGE LOW b", "+QUEUED|");
    EXPECT(c, "YORE.RANGE KEYS REV KEYSPACE default", "+QUEUED|");
    EXPECT(c, "YORE.RANGE AT -1h", "+QUEUED|");
    const char *reply = bed_run(c, "EXEC");
    const char *range = strstr(reply, ":1|*2|*5|$1|b|");
    CHECK_MSG(range != NULL && strstr(range, "$1|2|*5|$1|c|") != NULL, "%s", reply);
    const char *keys = range != NULL ? strstr(range, "|$1|3|*2|*5|$1|c|") : NULL;
    CHECK_MSG(keys != NULL && count_of(keys, "*5|") == 2, "%s", reply);
    CHECK_MSG(strcmp(reply + strlen(reply) - 4, "|*0|") == 0, "%s", reply);
    bed_close(&bed);
}

TEST(a_session_in_the_past_changes_no_keyspace)
{
    static const char *const requests[] = {
        "YORE.KEYSPACE CREATE more", "YORE.KEYSPACE ALTER sensors KEEP 1d",
        "YORE.KEYSPACE TRIM sensors NOW", "YORE.KEYSPACE DROP sensors"};
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "YORE.KEYSPACE CREATE sensors", "+OK|");
    EXPECT(c, "YORE.AT -1h", "+OK|");
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        expect_begin(c, requests[i], "-READONLY ");
    }
    EXPECT(c, "YORE.AT NOW", "+OK|");
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        EXPECT(c, requests[i], "+OK|");
    }
    bed_close(&bed);
}

TEST(a_batch_tells_of_a_delete_as_one)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *listener = bed_client(&bed, 1);
    EXPECT(c, "MSET a 1 b 2", "+OK|");
    EXPECT(c, "CONFIG SET notify-keyspace-events KA", "+OK|");
    EXPECT(listener, "PSUBSCRIBE __keyspace*", "*3|$10|psubscribe|$11|__keyspace*|:1|");
    expect_begin(c, "YORE.BATCH DEL a * PUT c 3 2025-01-01 * DEL c * DEL b 2025-01-01 PUT b 4 * *",
                 ":");
    CHECK_EQ_STR(bed_pushed(listener),
                 "*4|$8|pmessage|$11|__keyspace*|$16|__keyspace@0__:a|$3|del|"
                 "*4|$8|pmessage|$11|__keyspace*|$16|__keyspace@0__:b|$3|set|"
                 "*4|$8|pmessage|$11|__keyspace*|$16|__keyspace@0__:c|$3|del|");
    EXPECT(c, "MGET a b c", "*3|$-1|$1|4|$-1|");
    bed_close(&bed);
}

/* ---- time series: who has the value of one has its samples ------------------------------------
 */

/* Is `part` in the client's last reply, which may hold zero octets? */
static bool holds(const struct bed_client *client, const char *part)
{
    size_t size = strlen(part);
    for (size_t i = 0; i + size <= client->text.size; i++) {
        if (memcmp(client->text.data + i, part, size) == 0) {
            return true;
        }
    }
    return false;
}

#define MARK "\\x00yore.ts"

TEST(no_client_writes_the_value_of_a_series)
{
    static const char *const writes[] = {"SET mine:x " MARK "\\x01",
                                         "SETEX mine:x 100 " MARK,
                                         "PSETEX mine:x 100000 " MARK,
                                         "SETNX mine:x " MARK,
                                         "GETSET mine:x " MARK,
                                         "MSET mine:y 1 mine:x " MARK "\\x02more",
                                         "MSETNX mine:z 1 mine:x " MARK,
                                         "APPEND mine:part s",
                                         "SETRANGE mine:part 7 s",
                                         "SETBIT mine:bits 61 1",
                                         "BITOP OR mine:x mine:part mine:end",
                                         "BITFIELD mine:bits SET u8 56 115",
                                         "YORE.PUT mine:x " MARK "\\x01",
                                         "YORE.PUT mine:x " MARK " AT -1h",
                                         "YORE.PUT mine:x " MARK " FROM -2h TO -1h",
                                         "YORE.PUT mine:x " MARK " KEYSPACE other",
                                         "YORE.BATCH PUT mine:x " MARK "\\x01 * *",
                                         "YORE.BATCH DEL mine:y * KEYSPACE other PUT mine:x " MARK
                                         " * *"};
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET mine:part \\x00yore.t", "+OK|");
    EXPECT(c, "SET mine:bits \\x00yore.tq", "+OK|");
    EXPECT(c, "SET mine:end \\x00\\x00\\x00\\x00\\x00\\x00\\x00s", "+OK|");
    EXPECT(c, "YORE.KEYSPACE CREATE other", "+OK|");
    EXPECT(c, "BITFIELD mine:bits SET u8 56 113", "*1|:113|");
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        const char *reply = bed_run(c, writes[i]);
        bool is_bit = strncmp(writes[i], "SETBIT", 6) == 0;
        CHECK_MSG(is_bit ? reply[0] == ':' : strstr(reply, "mark of a time series") != NULL,
                  "%s: %s", writes[i], reply);
    }
    EXPECT(c, "EXISTS mine:x mine:y mine:z", ":0|");
    EXPECT(c, "YORE.GET mine:x KEYSPACE other", "$-1|");
    EXPECT(c, "YORE.TIMELINE mine:x", "*0|");
    bed_close(&bed);
}

TEST(what_a_series_is_kept_as_is_told_to_who_may_read_every_key)
{
    static const char *const reads[] = {"YORE.SCAN metrics:",
                                        "YORE.RANGE PREFIX metrics:",
                                        "YORE.RANGE PREFIX metrics: KEYSPACE default",
                                        "YORE.TIMELINE metrics:cpu",
                                        "YORE.CHANGES metrics: FROM -1h TO now",
                                        "YORE.CHANGES metrics: FROM -1h TO now EVERY",
                                        "YORE.FEED",
                                        "YORE.GET metrics:cpu KEYSPACE default",
                                        "YORE.GET metrics:cpu KEYSPACE default WITHTIMES",
                                        "SET metrics:cpu x GET"};
    static const char mark[] = "yore.ts";
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    struct bed_client *c = log_in(&bed, "~metrics:* ~mine:* +@all -@admin -@dangerous +yore.feed");
    expect_begin(c, "HELLO 3", "%");
    EXPECT(root, "SET metrics:a 1", "+OK|");
    expect_begin(c, "YORE.WATCH", ":");
    EXPECT(root, "TS.ADD metrics:cpu 1000 42", ":1000|");
    command_tick(bed.server);
    const char *pushed = bed_pushed(c);
    CHECK_MSG(strstr(pushed, "metrics:cpu") != NULL && strstr(pushed, mark) == NULL, "%s", pushed);
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        test_note("%s", reads[i]);
        bool is_read = strncmp(reads[i], "SET", 3) != 0;
        bed_run(c, reads[i]);
        CHECK(!holds(c, mark));
        CHECK(is_read || starts((const char *)c->text.data, "-WRONGTYPE"));
        CHECK(!starts((const char *)c->text.data, "-ERR"));
        bed_run(root, reads[i]);
        CHECK(!is_read || holds(root, mark));
    }
    /* and a series is a key as before */
    EXPECT(root, "EXPIRE metrics:cpu 100", ":1|");
    EXPECT(root, "PERSIST metrics:cpu", ":1|");
    EXPECT(root, "RENAME metrics:cpu secret:cpu", "+OK|");
    EXPECT(root, "TS.RANGE secret:cpu - +", "*1|*2|:1000|+42|");
    expect_begin(c, "TS.RANGE metrics:cpu - +", "-");
    bed_close(&bed);
}

/* Samples are what a series is, not what it was: only how they were known before is its past. */
TEST(samples_are_read_without_a_right_to_the_past)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    EXPECT(root, "TS.ADD app:ts 1000 1 LABELS of app", ":1000|");
    EXPECT(root, "TS.ADD app:ts 2000 5", ":2000|");
    EXPECT(root, "TS.ADD app:ts 2000 2 ON_DUPLICATE LAST", ":2000|");
    struct bed_client *c = log_in(&bed, "+@all ~app:* nohistory");
    EXPECT(c, "TS.RANGE app:ts - +", "*2|*2|:1000|+1|*2|:2000|+2|");
    EXPECT(c, "TS.REVRANGE app:ts 0 1500", "*1|*2|:1000|+1|");
    EXPECT(c, "TS.GET app:ts", "*2|:2000|+2|");
    EXPECT(c, "TS.MRANGE - + FILTER of=app", "*1|*3|$6|app:ts|*0|*2|*2|:1000|+1|*2|:2000|+2|");
    EXPECT(c, "YORE.AT -1h", DENIED_PAST);
    EXPECT(c, "YORE.GET app:ts AT -1h", DENIED_PAST);
    EXPECT(c, "YORE.TIMELINE app:ts", DENIED_PAST);
    bed_close(&bed);
}

TEST_MAIN(samples_are_read_without_a_right_to_the_past,
          the_feed_tells_a_user_the_writes_to_keys_he_may_read,
          the_feed_tells_of_the_servers_own_keyspaces_to_who_may_read_every_key,
          what_a_keyspace_keeps_is_told_to_who_may_read_it,
          a_commit_that_begins_with_a_part_to_tell_is_told_to_its_end,
          a_watch_ends_a_commit_that_it_has_begun_to_tell,
          a_commit_is_told_without_its_writes_to_other_keys,
          the_feed_begins_where_its_user_may_look, one_key_is_erased_by_who_may_write_it,
          the_right_to_write_is_none_to_erase_or_to_change_keyspaces,
          a_right_to_keys_counts_for_the_commands_it_was_given_with,
          a_watch_tells_keys_that_came_with_it, what_was_sent_to_graphs_is_the_servers_own,
          keyspaces_are_told_to_who_may_use_them,
          a_page_of_a_scan_ends_at_no_key_its_user_may_not_read,
          a_range_in_a_transaction_tells_what_it_wrote, a_session_in_the_past_changes_no_keyspace,
          a_batch_tells_of_a_delete_as_one, no_client_writes_the_value_of_a_series,
          what_a_series_is_kept_as_is_told_to_who_may_read_every_key)
