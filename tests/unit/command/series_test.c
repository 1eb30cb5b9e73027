/* Time series over command_run(): requests and the exact octets of their replies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/command/bed.h"

#define MISSING "-ERR TSDB: the key does not exist|"
#define WRONG "-WRONGTYPE Operation against a key holding the wrong kind of value|"
#define BLOCKED                                                                                    \
    "-ERR TSDB: Error at upsert, update is not supported when DUPLICATE_POLICY is set to BLOCK "   \
    "mode|"

/* 1000: 1, 1010: 3, 1020: 5, 1050: 8, 1060: 2 */
static void fill(struct bed_client *c, const char *key)
{
    static const int times[] = {1020, 1000, 1010, 1060, 1050}; /* in any order */
    static const int values[] = {5, 1, 3, 2, 8};
    for (size_t i = 0; i < 5; i++) {
        char request[64];
        char reply[16];
        snprintf(request, sizeof request, "TS.ADD %s %d %d", key, times[i], values[i]);
        snprintf(reply, sizeof reply, ":%d|", times[i]);
        EXPECT(c, request, reply);
    }
}

TEST(a_series_is_made_added_to_and_told)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "TS.GET a", MISSING);
    EXPECT(c, "TS.CREATE a RETENTION 0 CHUNK_SIZE 128 ENCODING COMPRESSED LABELS kind temp",
           "+OK|");
    EXPECT(c, "TS.CREATE a", "-ERR TSDB: key already exists|");
    EXPECT(c, "TS.GET a", "*0|");
    EXPECT(c, "TYPE a", "+TSDB-TYPE|");
    EXPECT(c, "TS.ADD a 1000 21.5", ":1000|");
    EXPECT(c, "TS.GET a", "*2|:1000|+21.5|");
    EXPECT(c, "TS.ADD a 900 20", ":900|"); /* late */
    EXPECT(c, "TS.GET a LATEST", "*2|:1000|+21.5|");
    EXPECT(c, "TS.RANGE a - +", "*2|*2|:900|+20|*2|:1000|+21.5|");
    EXPECT(c, "TS.REVRANGE a 0 5000", "*2|*2|:1000|+21.5|*2|:900|+20|");
    EXPECT(c, "TS.RANGE a 901 999", "*0|");
    EXPECT(c, "TS.RANGE a - + COUNT 1", "*1|*2|:900|+20|");
    EXPECT(c, "TS.MADD a 1100 1 nosuch 1 2 a 1200 x a 1300 3",
           "*4|:1100|" MISSING "-ERR TSDB: invalid value|:1300|");
    EXPECT(
        c, "TS.INFO a",
        "*24|$12|totalSamples|:4|$11|memoryUsage|:64|$14|firstTimestamp|:900|$13|lastTimestamp|"
        ":1300|$13|retentionTime|:0|$10|chunkCount|:1|$9|chunkSize|:128|$9|chunkType|+compressed|"
        "$15|duplicatePolicy|$-1|$6|labels|*1|*2|$4|kind|$4|temp|$9|sourceKey|$-1|$5|rules|*0|");
    EXPECT(c, "DBSIZE", ":1|");
    bed_reopen(&bed);
    c = &bed.clients[0];
    EXPECT(c, "TS.GET a", "*2|:1300|+3|");
    EXPECT(c, "DBSIZE", ":1|");
    (void)bed_run(c, "HELLO 3");
    EXPECT(c, "TS.GET a", "*2|:1300|,3|");
    EXPECT(c, "TS.RANGE a - 900", "*1|*2|:900|,20|");
    bed_close(&bed);
}

TEST(bad_requests_are_told_what_is_wrong)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    static const char *const cases[][2] = {
        {"TS.ADD a x 1",
         "-ERR TSDB: invalid timestamp: milliseconds since 1970 are asked for, or *|"},
        {"TS.ADD a -5 1",
         "-ERR TSDB: invalid timestamp: milliseconds since 1970 are asked for, or *|"},
        {"TS.ADD a 1 x", "-ERR TSDB: invalid value|"},
        {"TS.ADD a 1 nan", "-ERR TSDB: invalid value|"},
        {"TS.CREATE a RETENTION -1", "-ERR TSDB: Couldn't parse RETENTION|"},
        {"TS.CREATE a RETENTION", "-ERR TSDB: Couldn't parse RETENTION|"},
        {"TS.CREATE a DUPLICATE_POLICY x", "-ERR TSDB: Unknown DUPLICATE_POLICY|"},
        {"TS.CREATE a LABELS x", "-ERR TSDB: labels come as pairs of a name and a value|"},
        {"TS.CREATE a NOSUCH",
         "-ERR syntax error; usage: TS.CREATE key [RETENTION ms] [CHUNK_SIZE bytes] "
         "[DUPLICATE_POLICY BLOCK|FIRST|LAST|MIN|MAX|SUM] [LABELS label value ...]|"},
        {"TS.RANGE a x +", "-ERR TSDB: wrong fromTimestamp|"},
        {"TS.RANGE a - x", "-ERR TSDB: wrong toTimestamp|"},
        {"TS.RANGE a - + AGGREGATION foo 10", "-ERR TSDB: Unknown aggregation type|"},
        {"TS.RANGE a - + AGGREGATION avg 0",
         "-ERR TSDB: bucketDuration must be greater than zero|"},
        {"TS.RANGE a - + COUNT 0", "-ERR TSDB: Couldn't parse COUNT|"},
        {"TS.RANGE a - + ALIGN start AGGREGATION avg 5",
         "-ERR TSDB: start alignment needs a start other than -|"},
        {"TS.RANGE a - + ALIGN 0", "-ERR TSDB: ALIGN parameter can only be used with AGGREGATION|"},
        {"TS.RANGE a 0 + ALIGN end AGGREGATION avg 5",
         "-ERR TSDB: end alignment needs an end other than +|"},
        {"TS.RANGE a - + ALIGN 5", "-ERR TSDB: ALIGN parameter can only be used with AGGREGATION|"},
        {"TS.RANGE a - + FILTER_BY_TS",
         "-ERR TSDB: FILTER_BY_TS one or more arguments are missing|"},
        {"TS.QUERYINDEX x!=1", "-ERR TSDB: please provide at least one matcher|"},
        {"TS.QUERYINDEX x", "-ERR TSDB: failed parsing labels|"},
        {"TS.MRANGE - + x=1 y=2",
         "-ERR syntax error; usage: TS.MRANGE from to [LATEST] [FILTER_BY_TS ts ...] "
         "[FILTER_BY_VALUE min max] [WITHLABELS|SELECTED_LABELS label ...] [COUNT count] [ALIGN "
         "start|end|ts] [AGGREGATION aggregator ms [BUCKETTIMESTAMP low|mid|high] [EMPTY]] FILTER "
         "filter ... [GROUPBY label REDUCE reducer]|"},
        {"TS.MRANGE - + COUNT 1", "-ERR TSDB: missing FILTER argument|"},
        {"TS.MRANGE - + FILTER x=1 GROUPBY x",
         "-ERR TSDB: GROUPBY takes a label, REDUCE and a reducer|"},
        {"TS.MRANGE - + FILTER x=1 GROUPBY x BY sum",
         "-ERR TSDB: GROUPBY takes a label, REDUCE and a reducer|"},
        {"TS.MRANGE - + FILTER x=1 GROUPBY x REDUCE twa",
         "-ERR TSDB: Invalid reducer type: avg, sum, min, max, range, count, std.p, std.s, var.p "
         "and var.s are|"},
        {"TS.MRANGE - + GROUPBY x REDUCE sum FILTER x=1",
         "-ERR syntax error; usage: TS.MRANGE from to [LATEST] [FILTER_BY_TS ts ...] "
         "[FILTER_BY_VALUE min max] [WITHLABELS|SELECTED_LABELS label ...] [COUNT count] [ALIGN "
         "start|end|ts] [AGGREGATION aggregator ms [BUCKETTIMESTAMP low|mid|high] [EMPTY]] FILTER "
         "filter ... [GROUPBY label REDUCE reducer]|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EXPECT(c, cases[i][0], cases[i][1]);
    }
    EXPECT(c, "EXISTS a", ":0|"); /* nothing was made by the way */
    const char *ahead = bed_run(c, "TS.ADD a 9000000000000 1");
    CHECK_MSG(strncmp(ahead, "-ERR the fact's date", 20) == 0, "%s", ahead);
    EXPECT(c, "EXISTS a", ":0|");
    bed_close(&bed);
}

TEST(duplicates_go_by_their_policy)
{
    static const struct {
        const char *policy;
        const char *reply;
        const char *value;
    } cases[] = {{"BLOCK", BLOCKED, "5"}, {"FIRST", ":1000|", "5"}, {"LAST", ":1000|", "3"},
                 {"MIN", ":1000|", "3"},  {"MAX", ":1000|", "5"},   {"SUM", ":1000|", "8"}};
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char request[64];
        char reply[32];
        snprintf(request, sizeof request, "TS.CREATE k%zu DUPLICATE_POLICY %s", i, cases[i].policy);
        EXPECT(c, request, "+OK|");
        snprintf(request, sizeof request, "TS.ADD k%zu 1000 5", i);
        EXPECT(c, request, ":1000|");
        snprintf(request, sizeof request, "TS.ADD k%zu 1000 3", i);
        EXPECT(c, request, cases[i].reply);
        snprintf(request, sizeof request, "TS.GET k%zu", i);
        snprintf(reply, sizeof reply, "*2|:1000|+%s|", cases[i].value);
        EXPECT(c, request, reply);
        snprintf(request, sizeof request, "TS.RANGE k%zu - +", i); /* one sample all the same */
        snprintf(reply, sizeof reply, "*1|*2|:1000|+%s|", cases[i].value);
        EXPECT(c, request, reply);
    }
    EXPECT(c, "TS.ADD n 1000 5", ":1000|");
    EXPECT(c, "TS.ADD n 1000 3", BLOCKED);
    EXPECT(c, "TS.ADD n 1000 3 ON_DUPLICATE MIN", ":1000|");
    EXPECT(c, "TS.GET n", "*2|:1000|+3|");
    EXPECT(c, "TS.ALTER n DUPLICATE_POLICY LAST LABELS a b", "+OK|");
    EXPECT(c, "TS.ADD n 1000 9", ":1000|");
    EXPECT(c, "TS.GET n", "*2|:1000|+9|");
    EXPECT(c, "TS.ALTER nosuch", MISSING);
    bed_close(&bed);
}

TEST(counters_go_up_and_down)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "TS.INCRBY n 2 TIMESTAMP 1000", ":1000|");
    EXPECT(c, "TS.INCRBY n 3 TIMESTAMP 1000", ":1000|");
    EXPECT(c, "TS.DECRBY n 1.5 TIMESTAMP 2000", ":2000|");
    EXPECT(c, "TS.RANGE n - +", "*2|*2|:1000|+5|*2|:2000|+3.5|");
    EXPECT(c, "TS.INCRBY n 1 TIMESTAMP 1500",
           "-ERR TSDB: timestamp must be equal to or higher than the maximum existing timestamp|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "TS.INCRBY n 1 TIMESTAMP 3000", "+QUEUED|");
    EXPECT(c, "TS.INCRBY n 1 TIMESTAMP 3000", "+QUEUED|");
    EXPECT(c, "EXEC", "*2|:3000|:3000|");
    EXPECT(c, "TS.GET n", "*2|:3000|+5.5|");
    (void)bed_run(c, "TS.INCRBY now 1");
    CHECK(strncmp(bed_run(c, "TS.GET now"), "*2|:1", 5) == 0);
    bed_close(&bed);
}

TEST(ranges_are_filtered_and_put_in_buckets)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    fill(c, "a");
    static const char *const cases[][2] = {
        {"FILTER_BY_TS 1010 1060 1011", "*2|*2|:1010|+3|*2|:1060|+2|"},
        {"FILTER_BY_VALUE 3 5", "*2|*2|:1010|+3|*2|:1020|+5|"},
        {"FILTER_BY_VALUE 3 5 COUNT 1", "*1|*2|:1010|+3|"},
        /* buckets 1000: 1 3 5; 1050: 8 2 */
        {"AGGREGATION avg 50", "*2|*2|:1000|+3|*2|:1050|+5|"},
        {"AGGREGATION sum 50", "*2|*2|:1000|+9|*2|:1050|+10|"},
        {"AGGREGATION min 50", "*2|*2|:1000|+1|*2|:1050|+2|"},
        {"AGGREGATION max 50", "*2|*2|:1000|+5|*2|:1050|+8|"},
        {"AGGREGATION range 50", "*2|*2|:1000|+4|*2|:1050|+6|"},
        {"AGGREGATION count 50", "*2|*2|:1000|+3|*2|:1050|+2|"},
        {"AGGREGATION first 50", "*2|*2|:1000|+1|*2|:1050|+8|"},
        {"AGGREGATION last 50", "*2|*2|:1000|+5|*2|:1050|+2|"},
        {"AGGREGATION var.s 50", "*2|*2|:1000|+4|*2|:1050|+18|"},
        {"AGGREGATION std.s 50", "*2|*2|:1000|+2|*2|:1050|+4.2426406871192848|"},
        {"AGGREGATION var.p 50", "*2|*2|:1000|+2.6666666666666665|*2|:1050|+9|"},
        {"AGGREGATION std.p 50", "*2|*2|:1000|+1.6329931618554521|*2|:1050|+3|"},
        /* 1 at 1000 to 3, 5 at 1020, on to 8 at 1050: (20 + 40 + 6.5 * 30) / 50 */
        {"AGGREGATION twa 50", "*2|*2|:1000|+5.0999999999999996|*2|:1050|+5|"},
        {"COUNT 1 AGGREGATION sum 50", "*1|*2|:1000|+9|"},
        {"AGGREGATION sum 50 BUCKETTIMESTAMP +", "*2|*2|:1050|+9|*2|:1100|+10|"},
        {"AGGREGATION sum 50 BUCKETTIMESTAMP mid", "*2|*2|:1025|+9|*2|:1075|+10|"},
        {"ALIGN 10 AGGREGATION sum 50", "*3|*2|:960|+1|*2|:1010|+16|*2|:1060|+2|"},
        {"AGGREGATION sum 20", "*4|*2|:1000|+4|*2|:1020|+5|*2|:1040|+8|*2|:1060|+2|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char request[128];
        snprintf(request, sizeof request, "TS.RANGE a - + %s", cases[i][0]);
        EXPECT(c, request, cases[i][1]);
    }
    EXPECT(
        c, "TS.RANGE a - + AGGREGATION sum 10 EMPTY",
        "*7|*2|:1000|+1|*2|:1010|+3|*2|:1020|+5|*2|:1030|+0|*2|:1040|+0|*2|:1050|+8|*2|:1060|+2|");
    EXPECT(c, "TS.RANGE a 1020 1050 AGGREGATION last 10 EMPTY",
           "*4|*2|:1020|+5|*2|:1030|+5|*2|:1040|+5|*2|:1050|+8|");
    EXPECT(c, "TS.RANGE a 1020 1050 AGGREGATION avg 10 EMPTY",
           "*4|*2|:1020|+5|*2|:1030|+NaN|*2|:1040|+NaN|*2|:1050|+8|");
    EXPECT(c, "TS.RANGE a 1020 1050 AGGREGATION twa 10 EMPTY",
           "*4|*2|:1020|+5.5|*2|:1030|+6.5|*2|:1040|+7.5|*2|:1050|+5|");
    EXPECT(c, "TS.REVRANGE a 1020 1050 AGGREGATION twa 10 EMPTY",
           "*4|*2|:1050|+5|*2|:1040|+7.5|*2|:1030|+6.5|*2|:1020|+5.5|");
    EXPECT(c, "TS.REVRANGE a - + AGGREGATION first 50", "*2|*2|:1050|+8|*2|:1000|+1|");
    EXPECT(c, "TS.REVRANGE a - + AGGREGATION last 50 COUNT 1", "*1|*2|:1050|+2|");
    EXPECT(c, "TS.REVRANGE a 1020 1050 AGGREGATION last 10 EMPTY",
           "*4|*2|:1050|+8|*2|:1040|+5|*2|:1030|+5|*2|:1020|+5|");
    EXPECT(c, "TS.RANGE a 1010 + ALIGN start AGGREGATION count 25",
           "*3|*2|:1010|+2|*2|:1035|+1|*2|:1060|+1|");
    EXPECT(c, "TS.RANGE a 0 + ALIGN start AGGREGATION count 50", "*2|*2|:1000|+3|*2|:1050|+2|");
    bed_close(&bed);
}

TEST(samples_are_deleted_one_by_one)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    fill(c, "a");
    EXPECT(c, "TS.DEL a 1010 1050", ":3|");
    EXPECT(c, "TS.RANGE a - +", "*2|*2|:1000|+1|*2|:1060|+2|");
    EXPECT(c, "TS.DEL a 1060 1060", ":1|");
    EXPECT(c, "TS.GET a", "*2|:1000|+1|"); /* the last that is left */
    EXPECT(c, "TS.ADD a 1060 7", ":1060|");
    EXPECT(c, "TS.GET a", "*2|:1060|+7|");
    EXPECT(c, "TS.DEL a - +", ":2|");
    EXPECT(c, "TS.GET a", "*0|");
    EXPECT(c, "TS.DEL a - +", ":0|");
    EXPECT(c, "TS.DEL nosuch - +", MISSING);
    bed_close(&bed);
}

TEST(retention_hides_what_is_older_than_the_last)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    fill(c, "a");
    EXPECT(c, "TS.ALTER a RETENTION 40", "+OK|");
    EXPECT(c, "TS.RANGE a - +", "*3|*2|:1020|+5|*2|:1050|+8|*2|:1060|+2|");
    EXPECT(c, "TS.ADD a 1019 1", "-ERR TSDB: Timestamp is older than retention|");
    EXPECT(c, "TS.ADD a 1070 1", ":1070|");
    EXPECT(c, "TS.RANGE a - +", "*3|*2|:1050|+8|*2|:1060|+2|*2|:1070|+1|");
    EXPECT(c, "TS.ALTER a RETENTION 0", "+OK|");
    EXPECT(c, "TS.RANGE a - + AGGREGATION count 1000", "*1|*2|:1000|+6|");
    bed_close(&bed);
}

TEST(a_series_is_a_key)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET s 1", "+OK|");
    EXPECT(c, "TS.ADD s 1000 1", WRONG);
    EXPECT(c, "TS.RANGE s - +", WRONG);
    EXPECT(c, "TS.CREATE s", "-ERR TSDB: key already exists|");
    EXPECT(c, "TS.ADD a 1000 1 LABELS x y", ":1000|");
    EXPECT(c, "GET a", WRONG);
    EXPECT(c, "INCR a", WRONG);
    EXPECT(c, "APPEND a x", WRONG);
    EXPECT(c, "STRLEN a", WRONG);
    EXPECT(c, "GETBIT a 1", WRONG);
    EXPECT(c, "BITOP NOT s a", WRONG);
    EXPECT(c, "BITOP OR s s a", WRONG);
    EXPECT(c, "YORE.GET a", WRONG);
    EXPECT(c, "MGET a s", "*2|$-1|$1|1|");
    EXPECT(c, "EXISTS a s", ":2|");
    EXPECT(c, "KEYS *", "*2|$1|a|$1|s|");
    EXPECT(c, "SCAN 0 TYPE string", "*2|$1|0|*1|$1|s|");
    EXPECT(c, "SCAN 0 TYPE TSDB-TYPE", "*2|$1|0|*1|$1|a|");
    EXPECT(c, "COPY a b",
           "-ERR TSDB: a series can be renamed, but neither copied nor moved: its samples would "
           "stay behind|");
    EXPECT(c, "RENAME a b", "+OK|");
    EXPECT(c, "TS.GET b", "*2|:1000|+1|");
    EXPECT(c, "TS.QUERYINDEX x=y", "*1|$1|b|");
    EXPECT(c, "EXPIRE b 100", ":1|");
    EXPECT(c, "TS.ADD b 2000 2", ":2000|");
    EXPECT(c, "TTL b", ":100|");
    EXPECT(c, "DEL b", ":1|");
    EXPECT(c, "TS.GET b", MISSING);
    EXPECT(c, "TS.QUERYINDEX x=y", "*0|");
    EXPECT(c, "TS.CREATE b", "+OK|"); /* a new one: what was is not its past */
    EXPECT(c, "TS.RANGE b - +", "*0|");
    EXPECT(c, "SET b str", "+OK|");
    EXPECT(c, "GET b", "$3|str|");
    bed_close(&bed);
}

TEST(labels_find_series)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "TS.ADD a 1000 1 LABELS room hall kind temp", ":1000|");
    EXPECT(c, "TS.ADD b 1000 2 LABELS room attic kind temp", ":1000|");
    EXPECT(c, "TS.ADD c 1000 3 LABELS room attic kind hum unit percent", ":1000|");
    EXPECT(c, "TS.ADD d 1000 4", ":1000|");
    EXPECT(c, "TS.QUERYINDEX kind=temp", "*2|$1|a|$1|b|");
    EXPECT(c, "TS.QUERYINDEX kind=temp room!=hall", "*1|$1|b|");
    EXPECT(c, "TS.QUERYINDEX kind=(temp,hum) unit=", "*2|$1|a|$1|b|");
    EXPECT(c, "TS.QUERYINDEX room=attic unit!=", "*1|$1|c|");
    EXPECT(c, "TS.QUERYINDEX room=(attic,hall) kind!=(hum,x)", "*2|$1|a|$1|b|");
    EXPECT(c, "TS.MGET FILTER room=attic", "*2|*3|$1|b|*0|*2|:1000|+2|*3|$1|c|*0|*2|:1000|+3|");
    EXPECT(c, "TS.MGET WITHLABELS FILTER room=hall",
           "*1|*3|$1|a|*2|*2|$4|room|$4|hall|*2|$4|kind|$4|temp|*2|:1000|+1|");
    EXPECT(c, "TS.MGET SELECTED_LABELS kind unit FILTER room=hall",
           "*1|*3|$1|a|*2|*2|$4|kind|$4|temp|*2|$4|unit|$-1|*2|:1000|+1|");
    EXPECT(c, "TS.ADD a 2000 5", ":2000|");
    EXPECT(c, "TS.MRANGE - + WITHLABELS FILTER room=hall",
           "*1|*3|$1|a|*2|*2|$4|room|$4|hall|*2|$4|kind|$4|temp|*2|*2|:1000|+1|*2|:2000|+5|");
    EXPECT(c, "TS.MREVRANGE - + AGGREGATION sum 5000 FILTER kind=temp",
           "*2|*3|$1|a|*0|*1|*2|:0|+6|*3|$1|b|*0|*1|*2|:0|+2|");
    EXPECT(c, "ACL SETUSER bob on >p +@all ~b ~c", "+OK|");
    struct bed_client *bob = bed_client(&bed, 1);
    EXPECT(bob, "AUTH bob p", "+OK|");
    EXPECT(bob, "TS.QUERYINDEX kind=temp", "*1|$1|b|");
    (void)bed_run(c, "HELLO 3");
    EXPECT(c, "TS.QUERYINDEX room=attic", "~2|$1|b|$1|c|");
    EXPECT(c, "TS.MGET WITHLABELS FILTER room=attic kind=hum",
           "%1|$1|c|*2|%3|$4|room|$5|attic|$4|kind|$3|hum|$4|unit|$7|percent|*2|:1000|,3|");
    EXPECT(c, "TS.MRANGE - + AGGREGATION max 5000 FILTER kind=temp room=hall",
           "%1|$1|a|*3|%0|%1|$11|aggregators|*1|$3|max|*1|*2|:0|,5|");
    bed_close(&bed);
}

TEST(series_with_the_same_value_of_a_label_are_one)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "TS.ADD b 1000 2 LABELS room attic kind temp", ":1000|");
    EXPECT(c, "TS.ADD a 1000 1 LABELS room hall kind temp", ":1000|");
    EXPECT(c, "TS.ADD c 1000 3 LABELS room attic kind hum unit percent", ":1000|");
    EXPECT(c, "TS.MADD a 2000 5 b 1500 7 b 3000 1", "*3|:2000|:1500|:3000|");
    EXPECT(c, "TS.MRANGE - + FILTER kind=temp GROUPBY kind REDUCE sum",
           "*1|*3|$9|kind=temp|*0|*4|*2|:1000|+3|*2|:1500|+7|*2|:2000|+5|*2|:3000|+1|");
    EXPECT(c, "TS.MREVRANGE - + COUNT 2 FILTER kind=temp GROUPBY kind REDUCE min",
           "*1|*3|$9|kind=temp|*0|*2|*2|:3000|+1|*2|:2000|+5|");
    EXPECT(
        c, "TS.MRANGE 1000 1000 WITHLABELS FILTER kind=(temp,hum) GROUPBY room REDUCE max",
        "*2|*3|$10|room=attic|*3|*2|$4|room|$5|attic|*2|$11|__reducer__|$3|max|*2|$10|__source__|"
        "$3|b,c|*1|*2|:1000|+3|"
        "*3|$9|room=hall|*3|*2|$4|room|$4|hall|*2|$11|__reducer__|$3|max|*2|$10|__source__|"
        "$1|a|*1|*2|:1000|+1|");
    /* Each series has its buckets first; one without the label is in no group. */
    EXPECT(c, "TS.MRANGE - + AGGREGATION count 2000 FILTER kind=temp GROUPBY kind REDUCE sum",
           "*1|*3|$9|kind=temp|*0|*2|*2|:0|+3|*2|:2000|+2|");
    EXPECT(c,
           "TS.MRANGE - + SELECTED_LABELS unit room FILTER kind=(temp,hum) GROUPBY unit REDUCE "
           "avg",
           "*1|*3|$12|unit=percent|*2|*2|$4|unit|$7|percent|*2|$4|room|$-1|*1|*2|:1000|+3|");
    EXPECT(c, "TS.MRANGE - + FILTER kind=temp GROUPBY nosuch REDUCE avg", "*0|");
    (void)bed_run(c, "HELLO 3");
    EXPECT(c, "TS.MRANGE 1000 1000 WITHLABELS FILTER kind=temp GROUPBY kind REDUCE sum",
           "%1|$9|kind=temp|*4|%1|$4|kind|$4|temp|%1|$8|reducers|*1|$3|sum|%1|$7|sources|*2|$1|a|"
           "$1|b|*1|*2|:1000|,3|");
    bed_close(&bed);
}

TEST(samples_of_one_time_are_reduced_to_one)
{
    static const struct {
        const char *name;
        const char *value;
    } reducers[] = {{"avg", "3"},   {"sum", "6"},   {"min", "2"},
                    {"max", "4"},   {"range", "2"}, {"count", "2"},
                    {"std.p", "1"}, {"var.p", "1"}, {"std.s", "1.4142135623730951"},
                    {"var.s", "2"}};
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "TS.ADD a 1000 2 LABELS k v", ":1000|");
    EXPECT(c, "TS.ADD b 1000 4 LABELS k v", ":1000|");
    for (size_t i = 0; i < sizeof(reducers) / sizeof(reducers[0]); i++) {
        char request[100];
        char reply[100];
        snprintf(request, sizeof(request), "TS.MRANGE - + FILTER k=v GROUPBY k REDUCE %s",
                 reducers[i].name);
        snprintf(reply, sizeof(reply), "*1|*3|$3|k=v|*0|*1|*2|:1000|+%s|", reducers[i].value);
        EXPECT(c, request, reply);
    }
    bed_close(&bed);
}

TEST(a_session_in_the_past_sees_what_was_known_then)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *then = bed_client(&bed, 1);
    char request[64];
    EXPECT(c, "TS.ADD a 1000 1 LABELS x 1", ":1000|");
    EXPECT(c, "TS.ADD a 2000 2", ":2000|");
    snprintf(request, sizeof request, "YORE.AT @%lldns KNOWN @%lldns", (long long)yore_now(bed.db),
             (long long)yore_now(bed.db));
    EXPECT(then, request, "+OK|");
    EXPECT(c, "TS.ADD a 1500 9", ":1500|");
    EXPECT(c, "TS.DEL a 2000 2000", ":1|");
    EXPECT(c, "TS.ALTER a LABELS x 2", "+OK|");
    EXPECT(then, "TS.RANGE a - +", "*2|*2|:1000|+1|*2|:2000|+2|");
    EXPECT(then, "TS.GET a", "*2|:2000|+2|");
    EXPECT(then, "TS.QUERYINDEX x=1", "*1|$1|a|");
    EXPECT(c, "TS.RANGE a - +", "*2|*2|:1000|+1|*2|:1500|+9|");
    EXPECT(c, "DEL a", ":1|");
    EXPECT(then, "TS.GET a", "*2|:2000|+2|");
    EXPECT(then, "YORE.AT @1500ms", "+OK|"); /* before there was a key */
    EXPECT(then, "TS.GET a", MISSING);
    bed_close(&bed);
}

TEST_MAIN(a_series_is_made_added_to_and_told, bad_requests_are_told_what_is_wrong,
          duplicates_go_by_their_policy, counters_go_up_and_down,
          ranges_are_filtered_and_put_in_buckets, samples_are_deleted_one_by_one,
          retention_hides_what_is_older_than_the_last, a_series_is_a_key, labels_find_series,
          series_with_the_same_value_of_a_label_are_one, samples_of_one_time_are_reduced_to_one,
          a_session_in_the_past_sees_what_was_known_then)
