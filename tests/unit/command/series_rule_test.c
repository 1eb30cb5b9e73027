/* Compaction rules: the buckets of one series kept as the samples of another. */
#include <stdio.h>
#include <string.h>

#include "unit/command/bed.h"

static bool starts(const char *text, const char *begin)
{
    return strncmp(text, begin, strlen(begin)) == 0;
}

static struct bed_client *open_with(struct bed *bed, const char *rule)
{
    bed_open(bed);
    struct bed_client *c = &bed->clients[0];
    EXPECT(c, "TS.CREATE s LABELS kind raw", "+OK|");
    EXPECT(c, "TS.CREATE d LABELS kind kept", "+OK|");
    EXPECT(c, rule, "+OK|");
    return c;
}

TEST(a_bucket_is_kept_when_a_sample_behind_it_comes)
{
    struct bed bed = {0};
    struct bed_client *c = open_with(&bed, "TS.CREATERULE s d AGGREGATION sum 100");
    EXPECT(c, "TS.ADD s 110 1", ":110|");
    EXPECT(c, "TS.ADD s 150 2", ":150|");
    EXPECT(c, "TS.RANGE d - +", "*0|");
    EXPECT(c, "TS.ADD s 420 8", ":420|");
    EXPECT(c, "TS.RANGE d - +", "*1|*2|:100|+3|");
    EXPECT(c, "TS.ADD s 199 4", ":199|"); /* late: it is written again */
    EXPECT(c, "TS.RANGE d - +", "*1|*2|:100|+7|");
    EXPECT(c, "TS.ADD s 250 16", ":250|"); /* a bucket that had none */
    EXPECT(c, "TS.MADD s 430 1 s 505 1 s 610 1", "*3|:430|:505|:610|");
    EXPECT(c, "TS.RANGE d - +", "*4|*2|:100|+7|*2|:200|+16|*2|:400|+9|*2|:500|+1|");
    EXPECT(c, "TS.INCRBY s 1 TIMESTAMP 700", ":700|");
    EXPECT(c, "TS.REVRANGE d - + COUNT 1", "*1|*2|:600|+1|");
    EXPECT(c, "TS.ADD s 120 1 ON_DUPLICATE LAST", ":120|");
    EXPECT(c, "TS.ADD s 120 5 ON_DUPLICATE LAST", ":120|");
    EXPECT(c, "TS.RANGE d - 100", "*1|*2|:100|+12|");
    bed_close(&bed);
}

TEST(the_bucket_that_is_open_is_told_when_asked_for)
{
    struct bed bed = {0};
    struct bed_client *c = open_with(&bed, "TS.CREATERULE s d AGGREGATION max 100");
    EXPECT(c, "TS.GET d LATEST", "*0|");
    EXPECT(c, "TS.MADD s 110 1 s 210 5 s 220 4", "*3|:110|:210|:220|");
    EXPECT(c, "TS.GET d", "*2|:100|+1|");
    EXPECT(c, "TS.GET d LATEST", "*2|:200|+5|");
    EXPECT(c, "TS.GET s LATEST", "*2|:220|+4|");
    EXPECT(c, "TS.RANGE d - + LATEST", "*2|*2|:100|+1|*2|:200|+5|");
    EXPECT(c, "TS.REVRANGE d - + LATEST", "*2|*2|:200|+5|*2|:100|+1|");
    EXPECT(c, "TS.RANGE d - 199 LATEST", "*1|*2|:100|+1|");
    EXPECT(c, "TS.RANGE d - + LATEST AGGREGATION sum 1000", "*1|*2|:0|+6|");
    EXPECT(c, "TS.MGET LATEST FILTER kind=kept", "*1|*3|$1|d|*0|*2|:200|+5|");
    EXPECT(c, "TS.MGET FILTER kind=kept", "*1|*3|$1|d|*0|*2|:100|+1|");
    EXPECT(c, "TS.MRANGE - + LATEST FILTER kind=kept", "*1|*3|$1|d|*0|*2|*2|:100|+1|*2|:200|+5|");
    EXPECT(c, "TS.ADD d 200 9", ":200|"); /* by hand: the open bucket takes its place */
    EXPECT(c, "TS.ADD d 250 7", ":250|");
    EXPECT(c, "TS.RANGE d - + LATEST", "*3|*2|:100|+1|*2|:200|+5|*2|:250|+7|");
    EXPECT(c, "TS.REVRANGE d - + LATEST", "*3|*2|:250|+7|*2|:200|+5|*2|:100|+1|");
    bed_close(&bed);
}

TEST(deleted_samples_leave_the_buckets_that_were_kept)
{
    struct bed bed = {0};
    struct bed_client *c = open_with(&bed, "TS.CREATERULE s d AGGREGATION count 100");
    EXPECT(c, "TS.MADD s 110 1 s 120 1 s 130 1 s 210 1 s 310 1 s 410 1",
           "*6|:110|:120|:130|:210|:310|:410|");
    EXPECT(c, "TS.RANGE d - +", "*3|*2|:100|+3|*2|:200|+1|*2|:300|+1|");
    EXPECT(c, "TS.DEL s 125 250", ":2|");
    EXPECT(c, "TS.RANGE d - +", "*2|*2|:100|+2|*2|:300|+1|");
    EXPECT(c, "TS.DEL s - +", ":4|");
    EXPECT(c, "TS.RANGE d - + LATEST", "*0|");
    bed_close(&bed);
}

TEST(info_tells_rules_and_source_while_they_hold)
{
    struct bed bed = {0};
    struct bed_client *c = open_with(&bed, "TS.CREATERULE s d AGGREGATION std.p 100 30");
    EXPECT(c, "TS.CREATE e", "+OK|");
    EXPECT(c, "TS.CREATERULE s e AGGREGATION AVG 1000", "+OK|");
    CHECK(strstr(bed_run(c, "TS.INFO s"),
                 "$9|sourceKey|$-1|$5|rules|*2|*4|$1|d|:100|+STD.P|:30|*4|$1|e|:1000|+AVG|:0|") !=
          NULL);
    CHECK(strstr(bed_run(c, "TS.INFO d"), "$9|sourceKey|$1|s|$5|rules|*0|") != NULL);
    EXPECT(c, "TS.ALTER s RETENTION 5000 LABELS a b", "+OK|"); /* and keeps them */
    EXPECT(c, "RENAME d d2", "+OK|");
    EXPECT(c, "RENAME s s2", "+OK|");
    CHECK(strstr(bed_run(c, "TS.INFO s2"), "|*2|*4|$2|d2|:100|+STD.P|:30|*4|$1|e|") != NULL);
    CHECK(strstr(bed_run(c, "TS.INFO d2"), "$9|sourceKey|$2|s2|") != NULL);
    CHECK(strstr(bed_run(c, "TS.INFO e"), "$9|sourceKey|$2|s2|") != NULL);
    EXPECT(c, "TS.MADD s2 1 1 s2 2 3 s2 500 1", "*3|:1|:2|:500|");
    EXPECT(c, "TS.RANGE d2 - +", "*1|*2|:0|+1|");
    (void)bed_run(c, "HELLO 3");
    CHECK(strstr(bed_run(c, "TS.INFO s2"), "$5|rules|%2|$2|d2|*3|:100|+STD.P|:30|$1|e|*3|") !=
          NULL);
    (void)bed_run(c, "HELLO 2");
    EXPECT(c, "DEL d2", ":1|"); /* ends its rule; another series of the name is not meant */
    EXPECT(c, "TS.CREATE d2", "+OK|");
    CHECK(strstr(bed_run(c, "TS.INFO s2"), "$5|rules|*1|*4|$1|e|") != NULL);
    CHECK(strstr(bed_run(c, "TS.INFO d2"), "$9|sourceKey|$-1|") != NULL);
    EXPECT(c, "TS.ADD s2 900 1", ":900|");
    EXPECT(c, "TS.RANGE d2 - +", "*0|");
    EXPECT(c, "TS.DELETERULE s2 e", "+OK|");
    CHECK(strstr(bed_run(c, "TS.INFO s2"), "$5|rules|*0|") != NULL);
    CHECK(strstr(bed_run(c, "TS.INFO e"), "$9|sourceKey|$-1|") != NULL);
    EXPECT(c, "TS.CREATERULE s2 d2 AGGREGATION last 10", "+OK|");
    EXPECT(c, "DEL s2", ":1|");
    CHECK(strstr(bed_run(c, "TS.INFO d2"), "$9|sourceKey|$-1|") != NULL);
    EXPECT(c, "TS.GET d2 LATEST", "*0|");
    bed_close(&bed);
}

TEST(info_names_no_key_that_its_reader_may_not_know_of)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "TS.CREATE app:s", "+OK|");
    EXPECT(c, "TS.CREATE app:d", "+OK|");
    EXPECT(c, "TS.CREATE secret:d", "+OK|");
    EXPECT(c, "TS.CREATE secret:s", "+OK|");
    EXPECT(c, "TS.CREATE app:e", "+OK|");
    EXPECT(c, "TS.CREATERULE app:s app:d AGGREGATION avg 100", "+OK|");
    EXPECT(c, "TS.CREATERULE app:s secret:d AGGREGATION avg 100", "+OK|");
    EXPECT(c, "TS.CREATERULE secret:s app:e AGGREGATION avg 100", "+OK|");
    EXPECT(c, "ACL SETUSER ann on nopass +@all ~app:*", "+OK|");
    EXPECT(c, "AUTH ann x", "+OK|");
    const char *info = bed_run(c, "TS.INFO app:s");
    CHECK_MSG(strstr(info, "$5|rules|*1|*4|$5|app:d|:100|+AVG|:0|") != NULL, "%s", info);
    info = bed_run(c, "TS.INFO app:e");
    CHECK_MSG(strstr(info, "$9|sourceKey|$-1|") != NULL, "%s", info);
    bed_close(&bed);
}

TEST(rules_make_no_chains)
{
    static const struct {
        const char *request;
        const char *reply;
    } cases[] = {
        {"TS.CREATERULE s nosuch AGGREGATION avg 10", "-ERR TSDB: the key does not exist|"},
        {"TS.CREATERULE nosuch s AGGREGATION avg 10", "-ERR TSDB: the key does not exist|"},
        {"TS.CREATERULE s text AGGREGATION avg 10",
         "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
        {"TS.CREATERULE s s AGGREGATION avg 10",
         "-ERR TSDB: the source key and destination key should be different|"},
        {"TS.CREATERULE s e AGGREGATION mean 10", "-ERR TSDB: Unknown aggregation type|"},
        {"TS.CREATERULE s e BY avg 10", "-ERR TSDB: Unknown aggregation type|"},
        {"TS.CREATERULE s e AGGREGATION avg x", "-ERR TSDB: Couldn't parse bucketDuration|"},
        {"TS.CREATERULE s e AGGREGATION avg 0",
         "-ERR TSDB: bucketDuration must be greater than zero|"},
        {"TS.CREATERULE s e AGGREGATION avg 10 -1", "-ERR TSDB: Couldn't parse alignTimestamp|"},
        {"TS.CREATERULE s e AGGREGATION avg 10 1 1",
         "-ERR wrong number of arguments for 'ts.createrule' command; usage: TS.CREATERULE source "
         "target AGGREGATION aggregator ms [alignment]|"},
        {"TS.CREATERULE s e AGGREGATION avg",
         "-ERR wrong number of arguments for 'ts.createrule' command; usage: TS.CREATERULE source "
         "target AGGREGATION aggregator ms [alignment]|"},
        {"TS.CREATERULE d e AGGREGATION avg 10",
         "-ERR TSDB: the source key already has a source rule|"},
        {"TS.CREATERULE e d AGGREGATION avg 10",
         "-ERR TSDB: the destination key already has a src rule|"},
        {"TS.CREATERULE e s AGGREGATION avg 10",
         "-ERR TSDB: the destination key already has a dst rule|"},
        {"TS.DELETERULE s e", "-ERR TSDB: compaction rule does not exist|"},
        {"TS.DELETERULE e d", "-ERR TSDB: compaction rule does not exist|"},
        {"TS.DELETERULE s nosuch", "-ERR TSDB: the key does not exist|"},
    };
    struct bed bed = {0};
    struct bed_client *c = open_with(&bed, "TS.CREATERULE s d AGGREGATION avg 10");
    EXPECT(c, "TS.CREATE e", "+OK|");
    EXPECT(c, "SET text x", "+OK|");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EXPECT(c, cases[i].request, cases[i].reply);
    }
    bed_close(&bed);
}

TEST(rules_need_the_right_to_both_series)
{
#define DENIED_KEY                                                                                 \
    "-NOPERM this user has no permissions to access one of the keys used as arguments|"
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    struct bed_client *c = bed_client(&bed, 1);
    EXPECT(root, "TS.CREATE a:s", "+OK|");
    EXPECT(root, "TS.CREATE b:d", "+OK|");
    EXPECT(root, "ACL SETUSER ann on nopass +@all ~a:* %R~b:*", "+OK|");
    EXPECT(c, "AUTH ann x", "+OK|");
    EXPECT(c, "TS.CREATERULE a:s b:d AGGREGATION avg 10", DENIED_KEY);
    EXPECT(root, "ACL SETUSER ann resetkeys %R~a:* ~b:*", "+OK|");
    EXPECT(c, "TS.CREATERULE a:s b:d AGGREGATION avg 10", DENIED_KEY);
    EXPECT(root, "ACL SETUSER ann ~a:*", "+OK|");
    EXPECT(c, "TS.CREATERULE a:s b:d AGGREGATION avg 10", "+OK|");
    EXPECT(root, "ACL SETUSER ann resetkeys ~a:*", "+OK|");
    EXPECT(c, "TS.DELETERULE a:s b:d", DENIED_KEY);
    EXPECT(c, "YORE.AT -1h", "+OK|");
    CHECK(starts(bed_run(c, "TS.CREATERULE a:s a:d AGGREGATION avg 10"), "-READONLY "));
    bed_close(&bed);
}

TEST(a_transaction_keeps_buckets_of_what_it_adds)
{
    struct bed bed = {0};
    struct bed_client *c = open_with(&bed, "TS.CREATERULE s d AGGREGATION sum 100");
    EXPECT(c, "TS.ADD s 110 1", ":110|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "TS.ADD s 120 2", "+QUEUED|");
    EXPECT(c, "TS.ADD s 210 4", "+QUEUED|");
    EXPECT(c, "TS.RANGE d - +", "+QUEUED|");
    EXPECT(c, "TS.ADD s 130 8", "+QUEUED|");
    EXPECT(c, "TS.RANGE s - +", "+QUEUED|");
    EXPECT(c, "TS.ADD s 9000000000000 1", "+QUEUED|"); /* fails, and leaves no bucket behind */
    EXPECT(c, "TS.RANGE d - + LATEST", "+QUEUED|");
    const char *reply = bed_run(c, "EXEC");
    CHECK_MSG(starts(reply, "*7|:120|:210|*1|*2|:100|+3|:130|"
                            "*4|*2|:110|+1|*2|:120|+2|*2|:130|+8|*2|:210|+4|-ERR "),
              "%s", reply);
    const char *last = strstr(reply, "*2|*2|:100|+11|*2|:200|+4|");
    CHECK_MSG(last != NULL && strlen(last) == 26, "%s", reply);
    EXPECT(c, "TS.RANGE d - +", "*1|*2|:100|+11|");
    bed_close(&bed);
}

TEST(rules_are_found_again_and_as_they_were)
{
    struct bed bed = {0};
    char request[64];
    struct bed_client *c = open_with(&bed, "TS.CREATERULE s d AGGREGATION sum 100");
    EXPECT(c, "TS.MADD s 110 1 s 210 2", "*2|:110|:210|");
    snprintf(request, sizeof request, "YORE.AT @%lldns", (long long)yore_now(bed.db));
    EXPECT(c, "TS.DELETERULE s d", "+OK|");
    EXPECT(c, "TS.ADD s 310 4", ":310|");
    EXPECT(c, "TS.RANGE d - +", "*1|*2|:100|+1|"); /* what was kept stays */
    EXPECT(c, "TS.CREATERULE s d AGGREGATION sum 100", "+OK|");
    bed_reopen(&bed);
    c = &bed.clients[0];
    EXPECT(c, "TS.ADD s 410 8", ":410|");
    EXPECT(c, "TS.RANGE d - +", "*2|*2|:100|+1|*2|:300|+4|");
    EXPECT(c, request, "+OK|");
    CHECK(strstr(bed_run(c, "TS.INFO s"), "$5|rules|*1|") != NULL);
    bed_close(&bed);
}

/* ---- any order of samples, against what the source says ---- */

static void change(struct bed_client *c, struct test_rand *rand)
{
    char request[128];
    unsigned from = (unsigned)test_rand_below(rand, 2000);
    unsigned what = (unsigned)test_rand_below(rand, 8);
    if (what == 0) {
        snprintf(request, sizeof request, "TS.DEL s %u %u", from,
                 from + (unsigned)test_rand_below(rand, 400));
    } else if (what == 1) {
        snprintf(request, sizeof request, "TS.MADD s %u %u s %u %u s %u %u", from,
                 (unsigned)test_rand_below(rand, 100), from + 70,
                 (unsigned)test_rand_below(rand, 100), from + 7,
                 (unsigned)test_rand_below(rand, 100));
    } else {
        snprintf(request, sizeof request, "TS.ADD s %u %u", from,
                 (unsigned)test_rand_below(rand, 100));
    }
    const char *reply = bed_run(c, request);
    CHECK_MSG(reply[0] == ':' || reply[0] == '*', "%s: %s", request, reply);
}

TEST(what_is_kept_is_what_the_source_says)
{
    static const char *const names[] = {"avg",   "sum",   "min",  "max",   "range",
                                        "count", "first", "last", "std.p", "std.s",
                                        "var.p", "var.s", "twa"};
    static char says[8192];
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct test_rand rand = test_rand_new(i);
        char request[128];
        EXPECT(c, "TS.CREATE s DUPLICATE_POLICY LAST", "+OK|");
        EXPECT(c, "TS.CREATE d", "+OK|");
        snprintf(request, sizeof request, "TS.CREATERULE s d AGGREGATION %s 100 30", names[i]);
        EXPECT(c, request, "+OK|");
        snprintf(request, sizeof request, "TS.RANGE s - + ALIGN 30 AGGREGATION %s 100", names[i]);
        test_note("%s", names[i]);
        for (int step = 0; step < 300; step++) {
            change(c, &rand);
            const char *told = bed_run(c, request);
            CHECK(strlen(told) < sizeof says);
            memcpy(says, told, strlen(told) + 1);
            EXPECT(c, "TS.RANGE d - + LATEST", says);
        }
        EXPECT(c, "DEL s d", ":2|");
    }
    bed_close(&bed);
}

TEST_MAIN(a_bucket_is_kept_when_a_sample_behind_it_comes,
          the_bucket_that_is_open_is_told_when_asked_for,
          deleted_samples_leave_the_buckets_that_were_kept,
          info_tells_rules_and_source_while_they_hold,
          info_names_no_key_that_its_reader_may_not_know_of, rules_make_no_chains,
          rules_need_the_right_to_both_series, a_transaction_keeps_buckets_of_what_it_adds,
          rules_are_found_again_and_as_they_were, what_is_kept_is_what_the_source_says)
