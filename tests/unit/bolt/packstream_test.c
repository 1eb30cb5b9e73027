/* PackStream: octets as the specification has them, round trips, and what is refused. */
#include "bolt/packstream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bolt/limits.h"
#include "query/value.h"
#include "query/value_format.h"
#include "query/zone.h"
#include "support/test.h"

static const struct pack_dialect NEW = {.has_utc = true, .has_element_ids = true};
static const struct pack_dialect OLD = {.has_utc = false, .has_element_ids = false};

static struct yore_bytes text(const char *text)
{
    return bytes_of(text, strlen(text));
}

/* "B0 0F" to octets; how many. */
static size_t octets(const char *hex, unsigned char *to)
{
    size_t size = 0;
    for (char *end = NULL; *hex != '\0'; hex = end) {
        to[size++] = (unsigned char)strtoul(hex, &end, 16);
        while (*end == ' ') {
            end++;
        }
    }
    return size;
}

static void check_packed(const struct yore_graph_value *value, const struct pack_dialect *dialect,
                         const char *hex)
{
    struct buffer to = {0};
    struct arena scratch = {0};
    unsigned char want[512];
    size_t size = octets(hex, want);
    test_note("%s", hex);
    CHECK_OK(pack_value(&to, dialect, &scratch, value));
    CHECK_EQ_BYTES(to.data, to.size, want, size);
    buffer_release(&to);
    arena_release(&scratch);
}

struct unpacked {
    struct arena arena;
    struct zone_cache *zones;
    struct yore_graph_value value;
    struct yore_error error;
    size_t left;
};

static enum yore_status unpack(struct unpacked *to, const struct pack_dialect *dialect,
                               const void *data, size_t size)
{
    /* Of exactly that size, so that a read behind the end is noticed. */
    unsigned char *exact = mem_copy(data, size);
    struct unpacker from = {.input = bytes_of(exact, size),
                            .arena = &to->arena,
                            .memory_left = 1 << 20,
                            .dialect = *dialect,
                            .zones = &to->zones};
    enum yore_status st = unpack_value(&from, &to->value, &to->error);
    to->left = from.input.size;
    mem_free(exact);
    return st;
}

static void release(struct unpacked *unpacked)
{
    arena_release(&unpacked->arena);
    zone_cache_free(unpacked->zones);
    *unpacked = (struct unpacked){0};
}

/* Reads `hex` as the value that `want` is the text of. */
static void check_read(const struct pack_dialect *dialect, const char *hex, const char *want)
{
    struct unpacked from = {0};
    struct buffer told = {0};
    unsigned char input[512];
    size_t size = octets(hex, input);
    test_note("%s", hex);
    CHECK_OK(unpack(&from, dialect, input, size));
    CHECK_EQ_UINT(from.left, 0);
    value_format(&told, &from.value);
    buffer_append_u8(&told, 0);
    CHECK_EQ_STR((const char *)told.data, want);
    buffer_release(&told);
    release(&from);
}

TEST(integers_have_the_shortest_form)
{
    static const struct {
        int64_t number;
        const char *hex;
    } cases[] = {{0, "00"},
                 {1, "01"},
                 {127, "7F"},
                 {-1, "FF"},
                 {-16, "F0"},
                 {-17, "C8 EF"},
                 {-128, "C8 80"},
                 {128, "C9 00 80"},
                 {-129, "C9 FF 7F"},
                 {32767, "C9 7F FF"},
                 {-32768, "C9 80 00"},
                 {32768, "CA 00 00 80 00"},
                 {2147483647, "CA 7F FF FF FF"},
                 {-2147483648LL, "CA 80 00 00 00"},
                 {2147483648LL, "CB 00 00 00 00 80 00 00 00"},
                 {INT64_MAX, "CB 7F FF FF FF FF FF FF FF"},
                 {INT64_MIN, "CB 80 00 00 00 00 00 00 00"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct yore_graph_value value = value_int(cases[i].number);
        struct unpacked from = {0};
        unsigned char input[16];
        check_packed(&value, &NEW, cases[i].hex);
        CHECK_OK(unpack(&from, &NEW, input, octets(cases[i].hex, input)));
        CHECK(from.value.kind == YORE_GRAPH_INT && from.value.as.integer == cases[i].number);
        release(&from);
    }
    check_read(&NEW, "C8 2A", "42"); /* longer forms than needed are read */
    check_read(&NEW, "C9 00 2A", "42");
    check_read(&NEW, "CA 00 00 00 2A", "42");
    check_read(&NEW, "CB 00 00 00 00 00 00 00 2A", "42");
}

TEST(scalars_and_collections_are_as_the_specification_has_them)
{
    struct yore_graph_value items[] = {value_int(1), value_int(2), value_int(3)};
    struct yore_graph_value value = value_null();
    check_packed(&value, &NEW, "C0");
    value = value_bool(true);
    check_packed(&value, &NEW, "C3");
    value = value_bool(false);
    check_packed(&value, &NEW, "C2");
    value = value_float(1.23);
    check_packed(&value, &NEW, "C1 3F F3 AE 14 7A E1 47 AE");
    value = value_float(-1.1);
    check_packed(&value, &NEW, "C1 BF F1 99 99 99 99 99 9A");
    value = value_string(text(""));
    check_packed(&value, &NEW, "80");
    value = value_string(text("A"));
    check_packed(&value, &NEW, "81 41");
    value = value_string(text("ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
    check_packed(&value, &NEW,
                 "D0 1A 41 42 43 44 45 46 47 48 49 4A 4B 4C 4D 4E 4F 50 51 52 53 54 55 56 57 58 59 "
                 "5A");
    value = value_string(text("Größenmaßstäbe"));
    check_packed(&value, &NEW, "D0 12 47 72 C3 B6 C3 9F 65 6E 6D 61 C3 9F 73 74 C3 A4 62 65");
    value = value_list(NULL, 0);
    check_packed(&value, &NEW, "90");
    value = value_list(items, 3);
    check_packed(&value, &NEW, "93 01 02 03");
    struct yore_graph_entry entry = {text("one"), value_string(text("eins"))};
    value = value_map(&entry, 1);
    check_packed(&value, &NEW, "A1 83 6F 6E 65 84 65 69 6E 73");
    value = value_map(NULL, 0);
    check_packed(&value, &NEW, "A0");
    check_read(&NEW, "D8 02 81 62 01 81 61 02", "{a: 2, b: 1}"); /* names are put in order */
}

TEST(counts_have_the_shortest_form)
{
    static const size_t counts[] = {15, 16, 255, 256, 65535, 65536};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct yore_graph_value *items = mem_array(counts[i], sizeof(*items));
        struct yore_graph_value list = value_list(items, counts[i]);
        struct buffer to = {0};
        struct arena scratch = {0};
        struct unpacked from = {0};
        CHECK_OK(pack_value(&to, &NEW, &scratch, &list));
        size_t head = counts[i] < 16 ? 1 : counts[i] < 256 ? 2 : counts[i] < 65536 ? 3 : 5;
        CHECK_EQ_UINT(to.size, head + counts[i]);
        struct unpacker unpacker = {.input = buffer_bytes(&to),
                                    .arena = &from.arena,
                                    .memory_left = 1 << 24,
                                    .dialect = NEW,
                                    .zones = &from.zones};
        CHECK_OK(unpack_value(&unpacker, &from.value, &from.error));
        CHECK_EQ_UINT(from.value.as.list.count, counts[i]);
        release(&from);
        buffer_release(&to);
        mem_free(items);
    }
}

TEST(temporal_values_have_their_structures)
{
    struct yore_graph_value value = {.kind = YORE_GRAPH_DATE, .as.days = 42};
    check_packed(&value, &NEW, "B1 44 2A");
    value = (struct yore_graph_value){.kind = YORE_GRAPH_LOCAL_TIME, .as.nanoseconds = 7};
    check_packed(&value, &NEW, "B1 74 07");
    value = (struct yore_graph_value){.kind = YORE_GRAPH_TIME, .as.time = {7, -3600, 0}};
    check_packed(&value, &NEW, "B2 54 07 C9 F1 F0");
    value = (struct yore_graph_value){.kind = YORE_GRAPH_LOCAL_DATETIME, .as.clock = {60, 5, 0}};
    check_packed(&value, &NEW, "B2 64 3C 05");
    struct yore_graph_duration duration = {1, 2, 3, 4, 0};
    value = (struct yore_graph_value){.kind = YORE_GRAPH_DURATION, .as.duration = &duration};
    check_packed(&value, &NEW, "B4 45 01 02 03 04");
    struct yore_graph_datetime datetime = {.seconds = 60, .nanoseconds = 5, .offset_seconds = 60};
    value = (struct yore_graph_value){.kind = YORE_GRAPH_DATETIME, .as.datetime = &datetime};
    check_packed(&value, &NEW, "B3 49 3C 05 3C"); /* seconds of UTC */
    check_packed(&value, &OLD, "B3 46 78 05 3C"); /* seconds of local time */
    datetime.zone = text("Etc/X");
    check_packed(&value, &NEW, "B3 69 3C 05 85 45 74 63 2F 58");
    check_packed(&value, &OLD, "B3 66 78 05 85 45 74 63 2F 58");
}

TEST(temporal_values_are_read_as_they_are_meant)
{
    check_read(&NEW, "B1 44 2A", "'1970-02-12'");
    check_read(&NEW, "B1 74 CA 3B 9A CA 00", "'00:00:01'");
    check_read(&NEW, "B2 54 07 C9 0E 10", "'00:00:00.000000007+01:00'");
    check_read(&NEW, "B2 64 3C 05", "'1970-01-01T00:01:00.000000005'");
    check_read(&NEW, "B3 49 3C 05 3C", "'1970-01-01T00:02:00.000000005+00:01'");
    check_read(&OLD, "B3 46 78 05 3C", "'1970-01-01T00:02:00.000000005+00:01'");
    /* 2026-07-01T10:00:00 in Stockholm, by UTC and by local time. */
    check_read(&NEW,
               "B3 69 CA 6A 44 C9 00 00 D0 10 45 75 72 6F 70 65 2F 53 74 6F 63 6B 68 6F 6C 6D",
               "'2026-07-01T10:00+02:00[Europe/Stockholm]'");
    check_read(&OLD,
               "B3 66 CA 6A 44 E5 20 00 D0 10 45 75 72 6F 70 65 2F 53 74 6F 63 6B 68 6F 6C 6D",
               "'2026-07-01T10:00+02:00[Europe/Stockholm]'");
    check_read(&NEW, "B4 45 01 02 03 04", "'P1M2DT3.000000004S'");
    check_read(&NEW, "B4 45 00 00 01 FF", "'PT0.999999999S'"); /* less than nothing of a second */
}

/* A node has three fields, and a text besides since 5.0; so have the others. */
TEST(elements_and_paths_have_their_structures)
{
    struct yore_bytes label = text("L");
    struct yore_graph_entry entry = {text("k"), value_int(1)};
    struct yore_graph_node one = {
        .id = 1, .labels = &label, .label_count = 1, .properties = {&entry, 1}};
    struct yore_graph_node two = {.id = 2};
    struct yore_graph_relationship back = {.id = 7, .type = text("T"), .start_id = 2, .end_id = 1};
    struct yore_graph_value value = {.kind = YORE_GRAPH_NODE, .as.node = &one};
    check_packed(&value, &NEW, "B4 4E 01 91 81 4C A1 81 6B 01 81 31");
    check_packed(&value, &OLD, "B3 4E 01 91 81 4C A1 81 6B 01");
    value = (struct yore_graph_value){.kind = YORE_GRAPH_RELATIONSHIP, .as.relationship = &back};
    check_packed(&value, &NEW, "B8 52 07 02 01 81 54 A0 81 37 81 32 81 31");
    check_packed(&value, &OLD, "B5 52 07 02 01 81 54 A0");
    /* (1)<-[7]-(2)-[7]->(1): each element once, the walk by places and directions. */
    struct yore_graph_value nodes[] = {{.kind = YORE_GRAPH_NODE, .as.node = &one},
                                       {.kind = YORE_GRAPH_NODE, .as.node = &two},
                                       {.kind = YORE_GRAPH_NODE, .as.node = &one}};
    struct yore_graph_value relationships[] = {value, value};
    struct yore_graph_path path = {nodes, relationships, 2};
    value = (struct yore_graph_value){.kind = YORE_GRAPH_PATH, .as.path = &path};
    check_packed(&value, &OLD,
                 "B3 50 92 B3 4E 01 91 81 4C A1 81 6B 01 B3 4E 02 90 A0 91 B3 72 07 81 54 A0 94 FF "
                 "01 01 00");
    check_packed(&value, &NEW,
                 "B3 50 92 B4 4E 01 91 81 4C A1 81 6B 01 81 31 B4 4E 02 90 A0 81 32 91 B4 72 07 81 "
                 "54 A0 81 37 94 FF 01 01 00");
    path.length = 0;
    check_packed(&value, &OLD, "B3 50 91 B3 4E 01 91 81 4C A1 81 6B 01 90 90");
}

struct refusal {
    const char *hex;
    enum yore_status status;
};

TEST(what_is_no_value_is_refused)
{
    static const struct refusal cases[] = {
        {"C4", YORE_INVALID}, /* no such marker */
        {"DF", YORE_INVALID},
        {"C9 00", YORE_INVALID}, /* cut short */
        {"82 41", YORE_INVALID},
        {"D2 FF FF FF FF 41", YORE_INVALID}, /* says more than there is */
        {"D6 FF FF FF FF", YORE_INVALID},
        {"DA FF FF FF FF 81", YORE_INVALID},
        {"92 01", YORE_INVALID},
        {"B1", YORE_INVALID},
        {"A1 01 01", YORE_INVALID},             /* a name that is no string */
        {"A2 81 61 01 81 61 02", YORE_INVALID}, /* a name twice */
        {"B2 44 01 01", YORE_INVALID},          /* a date has one field */
        {"B1 44 81 41", YORE_INVALID},          /* which is an integer */
        {"B1 01 01", YORE_INVALID},             /* no such structure */
        {"B3 46 00 00 00", YORE_INVALID},       /* of before 5.0 */
        {"CC 01 00", YORE_UNSUPPORTED},         /* octets */
        {"B3 58 00 00 00", YORE_UNSUPPORTED},   /* a point */
        {"B4 4E 01 90 A0 81 31", YORE_UNSUPPORTED},
        {"B3 69 00 00 83 61 2F 62", YORE_UNSUPPORTED},                /* no such zone */
        {"B3 49 CB 7F FF FF FF FF FF FF FF 00 00", YORE_UNSUPPORTED}, /* no such year */
        {"B3 49 00 CB 7F FF FF FF FF FF FF FF 00", YORE_UNSUPPORTED},
        {"B4 45 00 00 CB 7F FF FF FF FF FF FF FF CA 3B 9A CA 00", YORE_UNSUPPORTED},
        {"B2 64 00 CB 7F FF FF FF FF FF FF FF", YORE_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct unpacked from = {0};
        unsigned char input[64];
        size_t size = octets(cases[i].hex, input);
        test_note("%s", cases[i].hex);
        CHECK_STATUS(unpack(&from, &NEW, input, size), cases[i].status);
        CHECK(from.error.text[0] != '\0');
        release(&from);
    }
}

TEST(depth_and_memory_are_bounded)
{
    unsigned char input[BOLT_VALUE_DEPTH_MAX + 8];
    struct unpacked from = {0};
    memset(input, 0x91, sizeof(input));
    input[BOLT_VALUE_DEPTH_MAX] = 0x01;
    CHECK_OK(unpack(&from, &NEW, input, BOLT_VALUE_DEPTH_MAX + 1));
    release(&from);
    input[BOLT_VALUE_DEPTH_MAX] = 0x91;
    input[BOLT_VALUE_DEPTH_MAX + 1] = 0x01;
    CHECK_STATUS(unpack(&from, &NEW, input, BOLT_VALUE_DEPTH_MAX + 2), YORE_TOO_BIG);
    release(&from);
    /* A list of nulls takes many times its octets: memory_left is a mebibyte. */
    unsigned char *nulls = mem_alloc(100005);
    memset(nulls, 0xC0, 100005);
    memcpy(nulls, "\xD6\x00\x01\x86\xA0", 5);
    CHECK_STATUS(unpack(&from, &NEW, nulls, 100005), YORE_TOO_BIG);
    mem_free(nulls);
    release(&from);
}

static struct yore_graph_value random_value(struct test_rand *rand, struct arena *arena,
                                            unsigned depth)
{
    uint64_t kind = test_rand_u64(rand) % (depth < 4 ? 10 : 8);
    size_t count = test_rand_u64(rand) % 5;
    if (kind == 8) {
        struct yore_graph_value *items = arena_alloc(arena, (count + 1) * sizeof(*items));
        for (size_t i = 0; i < count; i++) {
            items[i] = random_value(rand, arena, depth + 1);
        }
        return value_list(items, count);
    }
    if (kind == 9) {
        struct yore_graph_entry *entries = arena_alloc(arena, (count + 1) * sizeof(*entries));
        for (size_t i = 0; i < count; i++) {
            static const char *const names[] = {"a", "b", "cc", "long name", "z"};
            entries[i] =
                (struct yore_graph_entry){text(names[i]), random_value(rand, arena, depth + 1)};
        }
        return value_map(entries, count);
    }
    switch (kind) {
    case 0:
        return value_null();
    case 1:
        return value_bool(test_rand_u64(rand) % 2 == 0);
    case 2:
        return value_int((int64_t)test_rand_u64(rand) >> (test_rand_u64(rand) % 64));
    case 3:
        return value_float((double)(int64_t)test_rand_u64(rand) / 1000.0);
    case 4:
        return (struct yore_graph_value){
            .kind = YORE_GRAPH_DATE, .as.days = (int64_t)(test_rand_u64(rand) % 1000000) - 500000};
    case 5: {
        struct yore_graph_datetime *datetime = arena_alloc(arena, sizeof(*datetime));
        *datetime = (struct yore_graph_datetime){
            .seconds = (int64_t)(test_rand_u64(rand) % 4000000000u) - 2000000000,
            .nanoseconds = (int32_t)(test_rand_u64(rand) % 1000000000),
            .offset_seconds = (int32_t)(test_rand_u64(rand) % 129601) - 64800};
        return (struct yore_graph_value){.kind = YORE_GRAPH_DATETIME, .as.datetime = datetime};
    }
    case 6:
        return (struct yore_graph_value){.kind = YORE_GRAPH_LOCAL_DATETIME,
                                         .as.clock = {(int64_t)(test_rand_u64(rand) % 4000000000u),
                                                      (int32_t)(test_rand_u64(rand) % 1000), 0}};
    default:
        return value_string(text(&"some text of a length"[test_rand_u64(rand) % 20]));
    }
}

TEST(what_is_packed_comes_back)
{
    struct test_rand rand = test_rand_new(0);
    for (uint64_t round = 0; round < test_scale(5000, 500000); round++) {
        struct arena arena = {0};
        struct buffer to = {0};
        struct unpacked from = {0};
        const struct pack_dialect *dialect = round % 2 == 0 ? &NEW : &OLD;
        struct yore_graph_value value = random_value(&rand, &arena, 0);
        CHECK_OK(pack_value(&to, dialect, &arena, &value));
        CHECK_OK(unpack(&from, dialect, to.data, to.size));
        CHECK_EQ_UINT(from.left, 0);
        CHECK(value_is_same(&value, &from.value));
        /* Cut anywhere it is no value. */
        size_t cut = test_rand_below(&rand, to.size);
        release(&from);
        CHECK_STATUS(unpack(&from, dialect, to.data, cut), YORE_INVALID);
        release(&from);
        buffer_release(&to);
        arena_release(&arena);
    }
}

TEST_MAIN(integers_have_the_shortest_form,
          scalars_and_collections_are_as_the_specification_has_them, counts_have_the_shortest_form,
          temporal_values_have_their_structures, temporal_values_are_read_as_they_are_meant,
          elements_and_paths_have_their_structures, what_is_no_value_is_refused,
          depth_and_memory_are_bounded, what_is_packed_comes_back)
