/* Transactions, watched keys and channels. */
#include <stdio.h>
#include <string.h>

#include "command/access.h"
#include "command/args.h"
#include "command/limits.h"
#include "os/env.h"
#include "os/thread.h"
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

TEST(an_exec_that_is_refused_ends_the_transaction)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *other = bed_client(&bed, 1);
    EXPECT(c, "WATCH a", "+OK|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "SET a 1", "+QUEUED|");
    EXPECT(c, "EXEC x",
           "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' "
           "command|");
    EXPECT(c, "GET a", "$-1|");
    EXPECT(other, "SET a 2", "+OK|"); /* it watches nothing any more */
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "GET a", "+QUEUED|");
    EXPECT(c, "EXEC", "*1|$1|2|");
    EXPECT(other, "ACL SETUSER ann on nopass ~* +@all -exec", "+OK|");
    EXPECT(c, "AUTH ann x", "+OK|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "SET a 3", "+QUEUED|");
    EXPECT(c, "EXEC",
           "-EXECABORT Transaction discarded because of: NOPERM this user has no permissions to "
           "run the 'exec' command|");
    EXPECT(c, "GET a", "$1|2|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "DISCARD x", "-ERR wrong number of arguments for 'discard' command|");
    EXPECT(c, "GET a", "+QUEUED|"); /* as in Redis: that ends nothing */
    EXPECT(c, "DISCARD", "+OK|");
    bed_close(&bed);
}

#define MANY 100000u

/* Run `word` with MANY names in one request, the last first where `is_reverse`. */
static void run_many(struct bed *bed, const char *word, bool is_reverse)
{
    static char names[MANY][8];
    static struct yore_bytes args[1 + MANY];
    struct client *client = bed->clients[0].client;
    struct command_job job;
    struct reply reply;
    args[0] = bytes_of(word, strlen(word));
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "k%06zu", i);
        args[is_reverse ? MANY - i : 1 + i] = bytes_of(names[i], 7);
    }
    reply_init(&reply, 2);
    command_job_begin(&job, bed->server);
    CHECK_EQ_INT(command_run(&job, client, args, 1 + MANY, &reply), COMMAND_NEXT);
    CHECK_OK(command_job_end(&job, NULL));
    CHECK(reply.out.size > 0 && reply.out.data[0] != '-');
    reply_release(&reply);
}

/* Were the time of one to grow with their number, these would not end before the test's time. */
TEST(a_request_of_very_many_names_costs_each_of_them_the_same)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    static const char *const words[][2] = {{"SUBSCRIBE", "UNSUBSCRIBE"},
                                           {"PSUBSCRIBE", "PUNSUBSCRIBE"},
                                           {"SSUBSCRIBE", "SUNSUBSCRIBE"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        run_many(&bed, words[i][0], false);
        run_many(&bed, words[i][0], true); /* each is there */
        run_many(&bed, words[i][1], true);
        run_many(&bed, words[i][0], false);
        CHECK(bed_run(c, words[i][1])[0] == '*'); /* all of them */
        CHECK(command_client_queue_bytes(c->client) == 0);
    }
    run_many(&bed, "WATCH", false);
    run_many(&bed, "WATCH", true);
    size_t held = command_client_queue_bytes(c->client);
    CHECK_MSG(held > 100 * MANY && held < 1000 * MANY, "%zu", held); /* counted as the client's */
    EXPECT(c, "UNWATCH", "+OK|");
    CHECK(command_client_queue_bytes(c->client) == 0);
    bed_close(&bed);
}

TEST(a_request_of_many_words_is_for_no_loop)
{
    struct bed bed = {0};
    bed_open(&bed);
    static struct yore_bytes args[REQUEST_ARGS_MAX];
    struct client *client = bed.clients[0].client;
    args[0] = args_text("subscribe");
    for (size_t i = 1; i < REQUEST_ARGS_MAX; i++) {
        args[i] = args_text("x");
    }
    CHECK_EQ_INT(command_pace(client, args, 2), COMMAND_QUICK);
    CHECK_EQ_INT(command_pace(client, args, QUICK_ARGS_MAX + 1), COMMAND_SHORT);
    CHECK_EQ_INT(command_pace(client, args, REQUEST_ARGS_MAX), COMMAND_LONG);
    args[0] = args_text("mget");
    CHECK_EQ_INT(command_pace(client, args, 2), COMMAND_SHORT);
    CHECK_EQ_INT(command_pace(client, args, REQUEST_ARGS_MAX), COMMAND_LONG);
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

TEST(what_is_told_of_requests_has_no_secrets)
{
    static const struct {
        const char *request;
        const char *told; /* by SLOWLOG GET 1 and, where it is told at all, by MONITOR */
    } cases[] = {
        {"CONFIG SET slowlog-max-len 64 requirepass hunter2",
         "*6|$6|CONFIG|$3|SET|$15|slowlog-max-len|$2|64|$11|requirepass|$10|(redacted)|"},
        {"CONFIG SET RequirePass \"\"", "*4|$6|CONFIG|$3|SET|$11|RequirePass|$10|(redacted)|"},
        {"CONFIG SET requirepas hunter2", "*4|$6|CONFIG|$3|SET|$10|requirepas|$10|(redacted)|"},
        {"ACL SETUSER hunter2 >hunter2", "*4|$3|ACL|$7|SETUSER|$10|(redacted)|$10|(redacted)|"},
        {"ACL GETUSER hunter2", "*3|$3|ACL|$7|GETUSER|$10|(redacted)|"},
        {"ACL DELUSER hunter2", "*3|$3|ACL|$7|DELUSER|$10|(redacted)|"},
        {"ACL DRYRUN default AUTH hunter2",
         "*5|$3|ACL|$6|DRYRUN|$7|default|$4|AUTH|$10|(redacted)|"},
        {"ACL DRYRUN default HELLO 3 AUTH hunter2 hunter2 SETNAME me",
         "*10|$3|ACL|$6|DRYRUN|$7|default|$5|HELLO|$1|3|$4|AUTH|$10|(redacted)|$10|(redacted)|$7|"
         "SETNAME|$2|me|"},
        {"COMMAND GETKEYS HELLO 3 AUHT hunter2",
         "*6|$7|COMMAND|$7|GETKEYS|$5|HELLO|$1|3|$10|(redacted)|$10|(redacted)|"},
        {"COMMAND GETKEYS CONFIG SET requirepass hunter2",
         "*6|$7|COMMAND|$7|GETKEYS|$6|CONFIG|$3|SET|$11|requirepass|$10|(redacted)|"},
    };
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *eye = bed_client(&bed, 1);
    EXPECT(c, "CONFIG SET slowlog-log-slower-than 0", "+OK|");
    EXPECT(eye, "MONITOR", "+OK|");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_note("case %zu", i);
        bed_run(c, cases[i].request);
        const char *reply = bed_run(c, "SLOWLOG GET 1");
        CHECK_MSG(strstr(reply, cases[i].told) != NULL, "%s", reply);
        const char *pushed = bed_pushed(eye);
        CHECK_MSG(strstr(pushed, "hunter2") == NULL, "%s", pushed);
    }
    bed_run(c, "HELLO 2 AUTH someone hunter2 SETNAME me");
    const char *pushed = bed_pushed(eye);
    CHECK_MSG(strstr(pushed, "\"HELLO\" \"2\" \"AUTH\" \"(redacted)\" \"(redacted)\" "
                             "\"SETNAME\" \"me\"|") != NULL,
              "%s", pushed);
    bed_close(&bed);
}

/* An error is told in logs, as when the file of users is read again. */
TEST(errors_of_rules_tell_no_secrets)
{
    static const char *const rules[] = {"<hunter2", "#hunter2", "!hunter2", "$hunter2"};
    struct bed bed = {0};
    bed_open(&bed);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        char request[80];
        snprintf(request, sizeof request, "ACL SETUSER ann %s", rules[i]);
        const char *reply = bed_run(&bed.clients[0], request);
        CHECK_MSG(strncmp(reply, "-ERR Error in ACL SETUSER modifier", 34) == 0 &&
                      strstr(reply, "hunter2") == NULL,
                  "%s", reply);
    }
    bed_close(&bed);
}

TEST(a_batch_waits_for_nobody_who_writes_other_keys)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    uint64_t own = access_stripe(bytes_of("a", 1)) | access_stripe(bytes_of("b", 1));
    EXPECT(c, "SET b 1", "+OK|");
    access_lock(bed.server, ACCESS_EVERY_STRIPE & ~own);
    const char *reply = bed_run(c, "YORE.BATCH PUT a 1 * * DEL b *");
    CHECK_MSG(reply[0] == ':', "%s", reply);
    EXPECT(c, "RENAME a b", "+OK|");
    access_unlock(bed.server, ACCESS_EVERY_STRIPE & ~own);
    EXPECT(c, "DBSIZE", ":1|");
    bed_close(&bed);
}

struct renaming {
    struct bed_client *client;
    _Atomic bool has_ended;
};

static void run_rename(void *arg)
{
    struct renaming *renaming = arg;
    EXPECT(renaming->client, "RENAME src moved", "+OK|");
    renaming->has_ended = true;
}

/* Its rules are written too: whoever holds their keys has read what would be lost. */
TEST(renaming_a_series_waits_for_who_writes_its_rules)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct renaming renaming = {.client = bed_client(&bed, 1)};
    struct os_thread *thread = NULL;
    uint64_t named = access_stripe(bytes_of("src", 3)) | access_stripe(bytes_of("moved", 5));
    EXPECT(c, "TS.CREATE src", "+OK|");
    EXPECT(c, "TS.CREATE sums", "+OK|");
    EXPECT(c, "TS.CREATERULE src sums AGGREGATION sum 10", "+OK|");
    CHECK((access_stripe(bytes_of("sums", 4)) & named) == 0);
    access_lock(bed.server, access_stripe(bytes_of("sums", 4)));
    CHECK_OK(os_thread_start(run_rename, &renaming, "rename", &thread, NULL));
    os_sleep_ns(os_env_posix(), 50000000);
    CHECK(!renaming.has_ended);
    access_unlock(bed.server, access_stripe(bytes_of("sums", 4)));
    os_thread_join(thread);
    EXPECT(c, "TS.MADD moved 1 1 moved 11 2", "*2|:1|:11|");
    EXPECT(c, "TS.GET sums", "*2|:0|+1|");
    bed_close(&bed);
}

/* What holds all others' stripes keeps EXEC waiting for ever, were it to take them. */
TEST(exec_waits_for_nobody_who_writes_other_keys)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    uint64_t own = access_stripe(bytes_of("a", 1)) | access_stripe(bytes_of("w", 1));
    EXPECT(c, "SET a 1", "+OK|");
    access_lock(bed.server, ACCESS_EVERY_STRIPE & ~own);
    EXPECT(c, "WATCH w", "+OK|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "INCR a", "+QUEUED|");
    EXPECT(c, "EXEC", "*1|:2|");
    access_lock(bed.server, own);
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "KEYS *", "+QUEUED|");
    EXPECT(c, "GET a", "+QUEUED|");
    EXPECT(c, "EXEC", "*2|*1|$1|a|$1|2|");
    access_unlock(bed.server, ACCESS_EVERY_STRIPE);
    bed_close(&bed);
}

TEST(an_unknown_setting_is_refused_with_the_nearest)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "CONFIG SET slowlog-max-length 7",
           "-ERR Unknown option or number of arguments for CONFIG SET - 'slowlog-max-length'; did "
           "you mean slowlog-max-len?|");
    EXPECT(c, "CONFIG SET slowlog-max-len 7 NOTIFY-KEYSPACE-EVENT KA",
           "-ERR Unknown option or number of arguments for CONFIG SET - 'NOTIFY-KEYSPACE-EVENT'; "
           "did you mean notify-keyspace-events?|");
    EXPECT(c, "CONFIG SET frobnicate 7",
           "-ERR Unknown option or number of arguments for CONFIG SET - 'frobnicate'|");
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

TEST_MAIN(a_batch_waits_for_nobody_who_writes_other_keys,
          an_exec_that_is_refused_ends_the_transaction,
          a_request_of_very_many_names_costs_each_of_them_the_same,
          a_request_of_many_words_is_for_no_loop, renaming_a_series_waits_for_who_writes_its_rules,
          a_command_that_fails_in_exec_leaves_nothing_behind,
          an_unknown_setting_is_refused_with_the_nearest,
          exec_waits_for_nobody_who_writes_other_keys, exec_runs_what_was_queued_at_once,
          exec_fails_when_a_watched_key_was_touched,
          messages_reach_who_listens_in_the_protocol_it_speaks,
          events_of_a_transaction_are_told_after_it, monitor_shows_requests_without_secrets,
          what_is_told_of_requests_has_no_secrets, errors_of_rules_tell_no_secrets,
          replies_are_switched_off_but_not_what_is_pushed)
