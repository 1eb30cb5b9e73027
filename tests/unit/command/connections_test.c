/* CLIENT about others, and what COMMAND and its like say of what is not there. */
#include <stdio.h>
#include <string.h>

#include "unit/command/bed.h"

TEST(no_client_has_an_empty_address)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *other = bed_client(&bed, 1);
    EXPECT(c, "CLIENT KILL \"\"", "-ERR No such client|");
    EXPECT(c, "CLIENT KILL ADDR \"\" SKIPME no", ":0|");
    EXPECT(c, "CLIENT KILL LADDR \"\" SKIPME no", ":0|");
    EXPECT(c, "CLIENT KILL USER \"\" SKIPME no", "-ERR No such user ''|");
    CHECK(!c->must_close && !other->is_closed);
    EXPECT(c, "CLIENT KILL LADDR 127.0.0.1:6379", ":1|");
    CHECK(!c->must_close && other->is_closed);
    bed_close(&bed);
}

TEST(a_number_that_no_client_has_lists_none)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "CLIENT LIST ID 0", "$0||");
    EXPECT(c, "CLIENT LIST ID -1 999999", "$0||");
    EXPECT(c, "CLIENT LIST ID x", "-ERR Invalid client ID|");
    bed_close(&bed);
}

TEST(nobody_blocks_and_so_nobody_is_unblocked)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    bed_client(&bed, 1);
    EXPECT(c, "CLIENT UNBLOCK 1", ":0|");
    EXPECT(c, "CLIENT UNBLOCK 2 timeout", ":0|");
    EXPECT(c, "CLIENT UNBLOCK 2 ERROR", ":0|");
    EXPECT(c, "CLIENT UNBLOCK 2 now", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR|");
    EXPECT(c, "CLIENT UNBLOCK x", "-ERR value is not an integer or out of range|");
    EXPECT(c, "CLIENT UNBLOCK 2 ERROR now", "-ERR syntax error|");
    bed_close(&bed);
}

TEST(client_side_caching_is_refused_by_name)
{
    static const char *const words[] = {"TRACKING on", "CACHING yes", "TRACKINGINFO", "GETREDIR"};
    struct bed bed = {0};
    bed_open(&bed);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char request[64];
        char reply[160];
        snprintf(request, sizeof request, "CLIENT %s", words[i]);
        snprintf(reply, sizeof reply,
                 "-ERR unknown subcommand '%.*s': there is no client-side caching here. Try CLIENT "
                 "HELP.|",
                 (int)strcspn(words[i], " "), words[i]);
        EXPECT(&bed.clients[0], request, reply);
    }
    EXPECT(&bed.clients[0], "CLIENT TRACKER",
           "-ERR unknown subcommand 'TRACKER'. Try CLIENT HELP.|");
    bed_close(&bed);
}

TEST(words_that_are_too_many_are_refused)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SLOWLOG GET 1 2",
           "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.|");
    EXPECT(c, "SLOWLOG GET x", "-ERR count should be greater than or equal to -1|");
    EXPECT(c, "PUBSUB CHANNELS a b",
           "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB "
           "HELP.|");
    EXPECT(c, "PUBSUB SHARDCHANNELS a b",
           "-ERR unknown subcommand or wrong number of arguments for 'SHARDCHANNELS'. Try PUBSUB "
           "HELP.|");
    EXPECT(c, "FUNCTION LIST FOO", "-ERR Unknown argument FOO|");
    EXPECT(c, "FUNCTION LIST WITHCODE LIBRARYNAME a", "*0|");
    EXPECT(c, "FUNCTION LIST LIBRARYNAME", "-ERR library name argument was not given|");
    EXPECT(c, "SELECT 1.5", "-ERR value is not an integer or out of range|");
    bed_close(&bed);
}

TEST(a_command_that_is_not_there_is_nil)
{
    struct bed bed = {0};
    bed_open(&bed);
    EXPECT(&bed.clients[0], "COMMAND INFO nosuch nosuch2", "*2|$-1|$-1|");
    bed_close(&bed);
}

TEST(the_flag_pubsub_is_told_of_what_publishes_and_listens)
{
    static const char *const with[] = {"publish", "spublish", "pubsub|channels", "subscribe"};
    static const char *const without[] = {"ping", "quit", "reset", "get"};
    struct bed bed = {0};
    char request[64];
    bed_open(&bed);
    for (size_t i = 0; i < 4; i++) {
        snprintf(request, sizeof request, "COMMAND INFO %s", with[i]);
        CHECK_MSG(strstr(bed_run(&bed.clients[0], request), "+pubsub|") != NULL, "%s", with[i]);
        snprintf(request, sizeof request, "COMMAND INFO %s", without[i]);
        CHECK_MSG(strstr(bed_run(&bed.clients[0], request), "+pubsub|") == NULL, "%s", without[i]);
    }
    bed_close(&bed);
}

TEST(exec_is_told_of_as_in_redis)
{
    struct bed bed = {0};
    bed_open(&bed);
    EXPECT(&bed.clients[0], "COMMAND INFO exec",
           "*1|*10|$4|exec|:1|*4|+noscript|+loading|+stale|+skip_slowlog|:0|:0|:0|*2|+@slow|"
           "+@transaction|*0|*0|*0|");
    bed_close(&bed);
}

TEST(a_push_asked_for_is_followed_by_a_reply)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "DEBUG PROTOCOL push", "-ERR RESP2 is not supported by this command|");
    bed_run(c, "HELLO 3");
    EXPECT(c, "DEBUG PROTOCOL push",
           ">2|$16|server-cpu-usage|:42|$40|Some real reply following the push reply|");
    bed_close(&bed);
}

TEST_MAIN(no_client_has_an_empty_address, a_number_that_no_client_has_lists_none,
          nobody_blocks_and_so_nobody_is_unblocked, client_side_caching_is_refused_by_name,
          words_that_are_too_many_are_refused, a_command_that_is_not_there_is_nil,
          the_flag_pubsub_is_told_of_what_publishes_and_listens, exec_is_told_of_as_in_redis,
          a_push_asked_for_is_followed_by_a_reply)
