/* Transactions, watched keys and channels. */
#include <string.h>

#include "unit/command/bed.h"

TEST(exec_runs_what_was_queued_at_once)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "EXEC", "-ERR EXEC without MULTI|");
    EXPECT(c, "DISCARD", "-ERR DISCARD without MULTI|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "MULTI", "-ERR MULTI calls can not be nested|");
    EXPECT(c, "EXEC", "*0|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "SET a 1", "+QUEUED|");
    EXPECT(c, "INCR a", "+QUEUED|");
    EXPECT(c, "GET a", "+QUEUED|");
    EXPECT(c, "KEYS *", "+QUEUED|");
    EXPECT(c, "DBSIZE", "+QUEUED|");
    EXPECT(c, "EXEC", "*5|+OK|:2|$1|2|*1|$1|a|:1|");
    EXPECT(c, "DBSIZE", ":1|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "SET b 1", "+QUEUED|");
    EXPECT(c, "FLUSHALL", "+QUEUED|");
    EXPECT(c, "DBSIZE", "+QUEUED|");
    EXPECT(c, "EXEC", "*3|+OK|+OK|:0|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: |");
    EXPECT(c, "EXEC", "-EXECABORT Transaction discarded because of previous errors.|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "SET x 1", "+QUEUED|");
    EXPECT(c, "DISCARD", "+OK|");
    EXPECT(c, "EXISTS x", ":0|");
    bed_close(&bed);
}

TEST(exec_fails_when_a_watched_key_was_touched)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *other = bed_client(&bed, 1);
    EXPECT(c, "SET a 1", "+OK|");
    EXPECT(c, "WATCH a b", "+OK|");
    EXPECT(other, "SET z 1", "+OK|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "PING", "+QUEUED|");
    EXPECT(c, "EXEC", "*1|+PONG|");
    EXPECT(c, "WATCH b", "+OK|");
    EXPECT(other, "SET b 1", "+OK|");
    EXPECT(other, "DEL b", ":1|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "WATCH a", "-ERR WATCH inside MULTI is not allowed|");
    EXPECT(c, "DISCARD", "+OK|");
    EXPECT(c, "WATCH b", "+OK|");
    EXPECT(other, "SET b 1", "+OK|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "PING", "+QUEUED|");
    EXPECT(c, "EXEC", "*-1|");
    EXPECT(c, "WATCH a", "+OK|");
    EXPECT(other, "SET a 2", "+OK|");
    EXPECT(c, "UNWATCH", "+OK|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "PING", "+QUEUED|");
    EXPECT(c, "EXEC", "*1|+PONG|");
    EXPECT(c, "WATCH a", "+OK|");
    EXPECT(other, "SELECT 1", "+OK|");
    EXPECT(other, "SET a 3", "+OK|");
    EXPECT(other, "SWAPDB 0 1", "+OK|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "PING", "+QUEUED|");
    EXPECT(c, "EXEC", "*-1|");
    bed_close(&bed);
}

TEST(messages_reach_who_listens_in_the_protocol_it_speaks)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *two = bed_client(&bed, 1);
    struct bed_client *three = bed_client(&bed, 2);
    CHECK(strstr(bed_run(three, "HELLO 3"), "%7|") != NULL);
    EXPECT(two, "SUBSCRIBE news", "*3|$9|subscribe|$4|news|:1|");
    EXPECT(three, "PSUBSCRIBE n*", ">3|$10|psubscribe|$2|n*|:1|");
    EXPECT(c, "PUBLISH news hi", ":2|");
    CHECK_EQ_STR(bed_pushed(two), "*3|$7|message|$4|news|$2|hi|");
    CHECK_EQ_STR(bed_pushed(three), ">4|$8|pmessage|$2|n*|$4|news|$2|hi|");
    EXPECT(two, "GET a",
           "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
           "are allowed in this context|");
    EXPECT(three, "GET a", "_|");
    EXPECT(two, "PING", "*2|$4|pong|$0||");
    EXPECT(c, "PUBSUB CHANNELS", "*1|$4|news|");
    EXPECT(c, "PUBSUB NUMSUB news x", "*4|$4|news|:1|$1|x|:0|");
    EXPECT(c, "PUBSUB NUMPAT", ":1|");
    EXPECT(two, "UNSUBSCRIBE", "*3|$11|unsubscribe|$4|news|:0|");
    EXPECT(two, "UNSUBSCRIBE", "*3|$11|unsubscribe|$-1|:0|");
    EXPECT(c, "PUBLISH news hi", ":1|");
    bed_close(&bed);
}

TEST(events_of_a_transaction_are_told_after_it)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *listener = bed_client(&bed, 1);
    EXPECT(c, "CONFIG SET notify-keyspace-events KEA", "+OK|");
    EXPECT(c, "CONFIG GET notify-keyspace-events", "*2|$22|notify-keyspace-events|$3|AKE|");
    EXPECT(listener, "PSUBSCRIBE __key*", "*3|$10|psubscribe|$6|__key*|:1|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "SET a 1", "+QUEUED|");
    CHECK_EQ_STR(bed_pushed(listener), "");
    EXPECT(c, "EXEC", "*1|+OK|");
    CHECK_EQ_STR(bed_pushed(listener), "*4|$8|pmessage|$6|__key*|$16|__keyspace@0__:a|$3|set|"
                                       "*4|$8|pmessage|$6|__key*|$18|__keyevent@0__:set|$1|a|");
    bed_close(&bed);
}

TEST(replies_are_switched_off_but_not_what_is_pushed)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "CLIENT REPLY SKIP", "");
    EXPECT(c, "PING", "");
    EXPECT(c, "PING", "+PONG|");
    EXPECT(c, "CLIENT REPLY SKIP", "");
    EXPECT(c, "CLIENT REPLY ON", "+OK|");
    EXPECT(c, "CLIENT REPLY OFF", "");
    EXPECT(c, "PING", "");
    EXPECT(c, "SUBSCRIBE a", "*3|$9|subscribe|$1|a|:1|");
    EXPECT(c, "UNSUBSCRIBE a", "*3|$11|unsubscribe|$1|a|:0|");
    EXPECT(c, "CLIENT REPLY ON", "+OK|");
    EXPECT(c, "CLIENT REPLY MAYBE", "-ERR syntax error|");
    bed_close(&bed);
}

TEST(monitor_shows_requests_without_secrets)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *eye = bed_client(&bed, 1);
    EXPECT(eye, "MONITOR", "+OK|");
    EXPECT(c, "SET a \"x\\x01\"", "+OK|");
    CHECK(strstr(bed_pushed(eye), "[0 127.0.0.1:5000] \"SET\" \"a\" \"x\\x01\"|") != NULL);
    bed_run(c, "AUTH someone hunter2");
    const char *pushed = bed_pushed(eye);
    CHECK_MSG(strstr(pushed, "hunter2") == NULL && strstr(pushed, "(redacted)") != NULL, "%s",
              pushed);
    bed_close(&bed);
}

TEST(a_command_that_fails_in_exec_leaves_nothing_behind)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET a 1", "+OK|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "SET b 1", "+QUEUED|");
    EXPECT(c, "TS.ADD s 9000000000000 1", "+QUEUED|"); /* makes s, then finds the date ahead */
    EXPECT(c, "EXISTS s", "+QUEUED|");
    EXPECT(c, "INCR a", "+QUEUED|");
    EXPECT(c, "TS.MADD nosuch 1 1", "+QUEUED|");
    const char *reply = bed_run(c, "EXEC");
    CHECK_MSG(strncmp(reply, "*5|+OK|-ERR the fact's date", 27) == 0, "%s", reply);
    CHECK_MSG(strstr(reply, "|:0|:2|*1|-ERR TSDB: the key does not exist|") != NULL, "%s", reply);
    EXPECT(c, "KEYS *", "*2|$1|a|$1|b|");
    EXPECT(c, "DBSIZE", ":2|");
    EXPECT(c, "TS.QUERYINDEX x=", "-ERR TSDB: please provide at least one matcher|");
    bed_close(&bed);
}

TEST_MAIN(a_command_that_fails_in_exec_leaves_nothing_behind, exec_runs_what_was_queued_at_once,
          exec_fails_when_a_watched_key_was_touched,
          messages_reach_who_listens_in_the_protocol_it_speaks,
          events_of_a_transaction_are_told_after_it, monitor_shows_requests_without_secrets,
          replies_are_switched_off_but_not_what_is_pushed)
