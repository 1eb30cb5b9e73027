/* Strings over command_run(): requests and the exact octets of their replies, in RESP2. */
#include "unit/command/bed.h"

struct step {
    const char *request;
    const char *reply;
};

static void run(const struct step *steps, size_t count)
{
    struct bed bed = {0};
    bed_open(&bed);
    for (size_t i = 0; i < count; i++) {
        test_note("step %zu: %s", i, steps[i].request);
        EXPECT(&bed.clients[0], steps[i].request, steps[i].reply);
    }
    bed_close(&bed);
}
#define RUN(steps) run(steps, sizeof(steps) / sizeof((steps)[0]))

TEST(what_was_called_before_is_found_again_and_nothing_else)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET a 1", "+OK|");
    EXPECT(c, "GET a", "$1|1|");
    EXPECT(c, "gEt a", "$1|1|");
    CHECK(strncmp(bed_run(c, "GETX a"), "-ERR unknown command", 20) == 0);
    CHECK(strncmp(bed_run(c, "GE a"), "-ERR unknown command", 20) == 0);
    EXPECT(c, "CLIENT GETNAME", "$-1|");
    CHECK(strncmp(bed_run(c, "client|getname"), "-ERR unknown command", 20) == 0);
    CHECK(strncmp(bed_run(c, "CLIENT NOTHING"), "-ERR unknown subcommand", 23) == 0);
    EXPECT(c, "CLIENT GETNAME", "$-1|");
    EXPECT(c, "COMMAND COUNT x", "-ERR wrong number of arguments for 'command|count' command|");
    CHECK(bed_run(c, "COMMAND COUNT")[0] == ':');
    CHECK(bed_run(c, "COMMAND")[0] == '*');
    EXPECT(c, "GET a", "$1|1|");
    bed_close(&bed);
}

TEST(set_takes_every_option_of_7_0)
{
    static const struct step steps[] = {
        {"SET a 1", "+OK|"},
        {"SET a 2 NX", "$-1|"},
        {"SET a 2 XX", "+OK|"},
        {"SET b 2 XX", "$-1|"},
        {"SET a 3 GET", "$1|2|"},
        {"SET c 3 GET", "$-1|"},
        {"SET c 4 NX GET", "$1|3|"},
        {"GET c", "$1|3|"},
        {"SET a 1 EX 100", "+OK|"},
        {"TTL a", ":100|"},
        {"SET a 2 KEEPTTL", "+OK|"},
        {"TTL a", ":100|"},
        {"SET a 3", "+OK|"},
        {"TTL a", ":-1|"},
        {"SET a 3 PX 100000", "+OK|"},
        {"TTL a", ":100|"},
        {"SET a 3 EXAT 4000000000", "+OK|"},
        {"EXPIRETIME a", ":4000000000|"},
        {"SET a 3 PXAT 4000000000123", "+OK|"},
        {"PEXPIRETIME a", ":4000000000123|"},
        {"SET a 3 NX XX", "-ERR syntax error|"},
        {"SET a 3 EX 10 PX 10", "-ERR syntax error|"},
        {"SET a 3 EX 10 KEEPTTL", "-ERR syntax error|"},
        {"SET a 3 EX", "-ERR syntax error|"},
        {"SET a 3 EX 0", "-ERR invalid expire time in 'set' command|"},
        {"SET a 3 EX -1", "-ERR invalid expire time in 'set' command|"},
        {"SET a 3 EX x", "-ERR value is not an integer or out of range|"},
        {"SET a 3 EX 9223372036854775807", "-ERR invalid expire time in 'set' command|"},
        {"SET a 3 EXAT 1", "+OK|"},
        {"EXISTS a", ":0|"}};
    RUN(steps);
}

TEST(whole_strings_are_read_replaced_and_taken)
{
    static const struct step steps[] = {
        {"GET a", "$-1|"},
        {"SETNX a 1", ":1|"},
        {"SETNX a 2", ":0|"},
        {"GETSET a 3", "$1|1|"},
        {"GETDEL a", "$1|3|"},
        {"GETDEL a", "$-1|"},
        {"SETEX a 10 x", "+OK|"},
        {"GETEX a PERSIST", "$1|x|"},
        {"TTL a", ":-1|"},
        {"GETEX a EX 50", "$1|x|"},
        {"TTL a", ":50|"},
        {"GETEX a EX 50 PX 10", "-ERR syntax error|"},
        {"GETEX a EX x", "-ERR value is not an integer or out of range|"},
        {"GETEX nothing EX x", "$-1|"},
        {"GETEX nothing EX", "-ERR syntax error|"},
        {"PSETEX a 0 x", "-ERR invalid expire time in 'psetex' command|"},
        {"MSET a 1 b 2", "+OK|"},
        {"MSET a 1 b", "-ERR wrong number of arguments for 'mset' command|"},
        {"MGET a x b", "*3|$1|1|$-1|$1|2|"},
        {"MGET a \"\" b", "*3|$1|1|$-1|$1|2|"}, /* no key is empty */
        {"MSETNX b 1 c 2", ":0|"},
        {"EXISTS c", ":0|"},
        {"MSETNX c 1 d 2 c 3", ":1|"},
        {"GET c", "$1|3|"},
        {"STRLEN c", ":1|"},
        {"STRLEN nothing", ":0|"},
        {"SET \"\" x", "-ERR the key is empty: a key is 1 to 65536 bytes|"},
        {"SET bin \"\\x00\\xff \"", "+OK|"},
        {"STRLEN bin", ":3|"}};
    RUN(steps);
}

TEST(numbers_are_counted_within_their_range)
{
    static const struct step steps[] = {
        {"INCR n", ":1|"},
        {"INCRBY n 10", ":11|"},
        {"DECR n", ":10|"},
        {"DECRBY n -5", ":15|"},
        {"SET n 9223372036854775807", "+OK|"},
        {"INCR n", "-ERR increment or decrement would overflow|"},
        {"DECRBY n -9223372036854775808", "-ERR decrement would overflow|"},
        {"SET n \" 1\"", "+OK|"},
        {"INCR n", "-ERR value is not an integer or out of range|"},
        {"SET n 5 EX 100", "+OK|"},
        {"INCR n", ":6|"},
        {"TTL n", ":100|"}};
    RUN(steps);
}

TEST(floats_are_added_in_long_double)
{
    if (!test_has_long_double()) {
        SKIP("long double is no longer than double here");
    }
    static const struct step steps[] = {
        {"SET n 6", "+OK|"},
        {"SET f 10.50", "+OK|"},
        {"INCRBYFLOAT f 0.1", "$4|10.6|"},
        {"INCRBYFLOAT f -5", "$3|5.6|"},
        {"SET f 5.0e3", "+OK|"},
        {"INCRBYFLOAT f 2.0e2", "$4|5200|"},
        {"INCRBYFLOAT f x", "-ERR value is not a valid float|"},
        {"SET f 1e4931", "+OK|"},
        {"INCRBYFLOAT n +inf", "-ERR increment would produce NaN or Infinity|"}};
    RUN(steps);
}

TEST(parts_of_strings_are_read_and_written)
{
    static const struct step steps[] = {
        {"APPEND a foo", ":3|"},
        {"APPEND a bar", ":6|"},
        {"GETRANGE a 1 3", "$3|oob|"},
        {"GETRANGE a -3 -1", "$3|bar|"},
        {"GETRANGE a 5 100", "$1|r|"},
        {"GETRANGE a 4 2", "$0||"},
        {"SUBSTR a 0 0", "$1|f|"},
        {"SETRANGE a 3 XYZW", ":7|"},
        {"GET a", "$7|fooXYZW|"},
        {"SETRANGE b 2 x", ":3|"},
        {"SETRANGE c 0 \"\"", ":0|"},
        {"EXISTS c", ":0|"},
        {"SETRANGE a -1 x", "-ERR offset is out of range|"},
        {"SETRANGE a 536870911 x",
         "-ERR string exceeds maximum allowed size (proto-max-bulk-len)|"},
        {"MSET x ohmytext y mynewtext", "+OK|"},
        {"LCS x y", "$6|mytext|"},
        {"LCS x y LEN", ":6|"},
        {"LCS x y IDX MINMATCHLEN 4 WITHMATCHLEN",
         "*4|$7|matches|*1|*3|*2|:4|:7|*2|:5|:8|:4|$3|len|:6|"},
        {"LCS x y IDX LEN", "-ERR If you want both the length and indexes, please just use IDX.|"}};
    RUN(steps);
}

TEST(bits_are_set_counted_found_and_joined)
{
    static const struct step steps[] = {
        {"SETBIT b 7 1", ":0|"},
        {"SETBIT b 7 0", ":1|"},
        {"SETBIT b 7 2", "-ERR bit is not an integer or out of range|"},
        {"SETBIT b -1 1", "-ERR bit offset is not an integer or out of range|"},
        {"SET b foobar", "+OK|"},
        {"GETBIT b 1", ":1|"},
        {"GETBIT b 1000", ":0|"},
        {"BITCOUNT b", ":26|"},
        {"BITCOUNT b 1 1", ":6|"},
        {"BITCOUNT b 5 30 BIT", ":17|"},
        {"BITCOUNT b 0", "-ERR syntax error|"},
        {"SET p \"\\xff\\xf0\\x00\"", "+OK|"},
        {"BITPOS p 0", ":12|"},
        {"BITPOS p 1 2", ":-1|"},
        {"BITPOS nothing 0", ":0|"},
        {"BITPOS nothing 0 x", ":0|"},
        {"BITPOS nothing 1 0 1 FOO", ":-1|"},
        {"BITPOS nothing 2", "-ERR The bit argument must be 1 or 0.|"},
        {"BITCOUNT nothing 0", ":0|"},
        {"BITCOUNT nothing 0 1 FOO", ":0|"},
        {"SET empty \"\"", "+OK|"},
        {"BITPOS empty 0", ":-1|"},
        {"BITPOS empty 0 0 -100", ":-1|"},
        {"BITPOS empty 1", ":-1|"},
        {"SET x x", "+OK|"},
        {"BITPOS x 1 -1 -3", ":1|"}, /* both ends are before the string: its first octet */
        {"BITCOUNT x -1 -3", ":0|"},
        {"SET q abcdef", "+OK|"},
        {"BITOP AND d b q", ":6|"},
        {"GET d", "$6|`bc`ab|"},
        {"BITOP NOT d b q", "-ERR BITOP NOT must be called with a single source key.|"},
        {"BITFIELD f SET i8 0 100 INCRBY i8 0 100 GET u4 4", "*3|:0|:-56|:8|"},
        {"BITFIELD f OVERFLOW SAT INCRBY i8 0 -100 OVERFLOW FAIL INCRBY i8 0 -1", "*2|:-128|$-1|"},
        {"BITFIELD_RO f GET i8 #0", "*1|:-128|"},
        {"BITFIELD_RO f SET i8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand|"}};
    RUN(steps);
}

/* What is told of keys that are not there, with notify-keyspace-events Em. */
static const char *misses(struct bed *bed, const char *request)
{
    bed_run(&bed->clients[0], request);
    const char *told = bed_pushed(bed_client(bed, 1));
    return told;
}

TEST(reads_of_absent_keys_tell_a_miss)
{
    static const char *const requests[] = {"GET nothing",
                                           "MGET nothing",
                                           "EXISTS nothing",
                                           "TOUCH nothing",
                                           "TYPE nothing",
                                           "TTL nothing",
                                           "PEXPIRETIME nothing",
                                           "STRLEN nothing",
                                           "GETRANGE nothing 0 1",
                                           "GETDEL nothing",
                                           "GETEX nothing",
                                           "BITCOUNT nothing",
                                           "BITFIELD nothing GET u8 0",
                                           "COPY nothing to"};
    struct bed bed = {0};
    bed_open(&bed);
    EXPECT(&bed.clients[0], "CONFIG SET notify-keyspace-events Em", "+OK|");
    bed_run(bed_client(&bed, 1), "SUBSCRIBE __keyevent@0__:keymiss");
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        const char *told = misses(&bed, requests[i]);
        CHECK_MSG(strcmp(told, "*3|$7|message|$22|__keyevent@0__:keymiss|$7|nothing|") == 0,
                  "%s: %s", requests[i], told);
    }
    bed_close(&bed);
}

TEST(writes_of_absent_keys_tell_no_miss)
{
    static const char *const requests[] = {
        "INCR a",          "INCRBYFLOAT b 1.5", "BITFIELD c SET u8 0 1",
        "APPEND d x",      "SETRANGE e 1 x",    "SETBIT f 1 1",
        "SETNX g 1",       "DEL nothing",       "EXPIRE nothing 1",
        "PERSIST nothing", "RENAME nothing to", "OBJECT ENCODING nothing"};
    struct bed bed = {0};
    bed_open(&bed);
    EXPECT(&bed.clients[0], "CONFIG SET notify-keyspace-events Em", "+OK|");
    bed_run(bed_client(&bed, 1), "SUBSCRIBE __keyevent@0__:keymiss");
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        const char *told = misses(&bed, requests[i]);
        CHECK_MSG(*told == '\0', "%s: %s", requests[i], told);
    }
    bed_close(&bed);
}

TEST(how_often_an_absent_key_is_used_is_nil)
{
    static const struct step steps[] = {
        {"OBJECT FREQ nothing", "$-1|"},
        {"SET a 1", "+OK|"},
        {"OBJECT FREQ a",
         "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note "
         "that when switching between policies at runtime LRU and LFU data will take some time to "
         "adjust.|"}};
    RUN(steps);
}

TEST_MAIN(what_was_called_before_is_found_again_and_nothing_else, set_takes_every_option_of_7_0,
          whole_strings_are_read_replaced_and_taken, numbers_are_counted_within_their_range,
          floats_are_added_in_long_double, parts_of_strings_are_read_and_written,
          bits_are_set_counted_found_and_joined, reads_of_absent_keys_tell_a_miss,
          writes_of_absent_keys_tell_no_miss, how_often_an_absent_key_is_used_is_nil)
