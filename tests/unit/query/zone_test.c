/* Time zones: the system's, rules, and bytes that are none. */
#include <string.h>

#include "query/calendar.h"
#include "query/zone.h"
#include "query/zone_rule.h"
#include "support/test.h"

static int64_t seconds_of(int64_t year, int month, int day, int hour)
{
    return calendar_days((struct calendar_date){year, month, day}) * 86400 + hour * 3600;
}

static const struct zone *find(struct zone_cache **cache, const char *name)
{
    const struct zone *zone = NULL;
    struct yore_error error;
    enum yore_status st = zone_find(cache, bytes_of(name, strlen(name)), &zone, &error);
    if (st == YORE_NOT_FOUND) {
        SKIP("no time zone database");
    }
    CHECK_OK(st);
    return zone;
}

TEST(offsets_change_with_the_seasons)
{
    struct zone_cache *cache = NULL;
    const struct zone *stockholm = find(&cache, "Europe/Stockholm");
    CHECK_EQ_INT(zone_offset(stockholm, seconds_of(1984, 1, 15, 0)), 3600);
    CHECK_EQ_INT(zone_offset(stockholm, seconds_of(1984, 7, 15, 0)), 7200);
    /* beyond the table, by the rule */
    CHECK_EQ_INT(zone_offset(stockholm, seconds_of(2124, 1, 15, 0)), 3600);
    CHECK_EQ_INT(zone_offset(stockholm, seconds_of(2124, 7, 15, 0)), 7200);
    CHECK_EQ_INT(zone_offset(find(&cache, "Pacific/Honolulu"), seconds_of(2024, 7, 1, 0)), -36000);
    CHECK_EQ_INT(zone_offset(find(&cache, "Australia/Eucla"), seconds_of(2015, 7, 21, 0)), 31500);
    CHECK_EQ_INT(zone_offset(find(&cache, "UTC"), 0), 0);
    zone_cache_free(cache);
}

TEST(local_times_that_are_twice_or_never_are_resolved)
{
    struct zone_cache *cache = NULL;
    const struct zone *stockholm = find(&cache, "Europe/Stockholm");
    int64_t moment = 0;
    /* 2017-10-29 02:30 is there twice: the first one, in summer time */
    CHECK_EQ_INT(zone_local_offset(stockholm, seconds_of(2017, 10, 29, 2) + 1800, &moment), 7200);
    CHECK_EQ_INT(moment, seconds_of(2017, 10, 29, 0) + 1800);
    /* 2017-03-26 02:30 is not: an hour later */
    CHECK_EQ_INT(zone_local_offset(stockholm, seconds_of(2017, 3, 26, 2) + 1800, &moment), 7200);
    CHECK_EQ_INT(moment, seconds_of(2017, 3, 26, 1) + 1800);
    CHECK_EQ_INT(zone_local_offset(stockholm, seconds_of(2017, 10, 29, 4), &moment), 3600);
    CHECK_EQ_INT(moment, seconds_of(2017, 10, 29, 3));
    zone_cache_free(cache);
}

TEST(names_that_are_none_are_not_found)
{
    static const char *const names[] = {
        "",
        "Europe",
        "Europe/",
        "/Europe/Stockholm",
        "Europe//Stockholm",
        "Europe/Stockholm/x",
        "../zoneinfo/UTC",
        "Europe/../UTC",
        "Nowhere/Atlantis",
        "UTC\n",
        "a name that is longer than the sixty-four octets of any of them is"};
    struct zone_cache *cache = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct zone *zone = NULL;
        struct yore_error error;
        test_note("'%s'", names[i]);
        CHECK_STATUS(zone_find(&cache, bytes_of(names[i], strlen(names[i])), &zone, &error),
                     YORE_NOT_FOUND);
        CHECK_STATUS(zone_find(&cache, bytes_of(names[i], strlen(names[i])), &zone, &error),
                     YORE_NOT_FOUND); /* from the cache */
    }
    zone_cache_free(cache);
}

TEST(rules_of_north_and_south)
{
    static const struct {
        const char *rule;
        int month;
        int32_t offset;
    } cases[] = {
        {"UTC0", 6, 0},
        {"<+0845>-8:45", 6, 31500},
        {"EST5EDT,M3.2.0,M11.1.0", 1, -18000},
        {"EST5EDT,M3.2.0,M11.1.0", 7, -14400},
        {"NZST-12NZDT,M9.5.0,M4.1.0/3", 1, 46800},
        {"NZST-12NZDT,M9.5.0,M4.1.0/3", 7, 43200},
        {"AAA3BBB2:30,J60/0,J300", 7, -9000},
        {"AAA3BBB,0/0,J365/25", 7, -7200},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", 1, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct zone_rule rule;
        test_note("%s", cases[i].rule);
        CHECK(zone_rule_parse(bytes_of(cases[i].rule, strlen(cases[i].rule)), &rule));
        CHECK_EQ_INT(zone_rule_offset(&rule, seconds_of(2024, cases[i].month, 15, 12)),
                     cases[i].offset);
    }
    static const char *const bad[] = {"",
                                      "U0",
                                      "UTC",
                                      "UTC0 ",
                                      "EST5EDT",
                                      "EST5EDT,M3.2.0",
                                      "EST5EDT,M13.2.0,M11.1.0",
                                      "EST5EDT,M3.6.0,M11.1.0",
                                      "EST5EDT,M3.2.7,M11.1.0",
                                      "EST99",
                                      "<+03",
                                      "EST5EDT,J0,J1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct zone_rule rule;
        CHECK_MSG(!zone_rule_parse(bytes_of(bad[i], strlen(bad[i])), &rule), "%s", bad[i]);
    }
}

/* One transition, two types, a rule. */
static size_t small_zone(unsigned char file[256])
{
    size_t size = 0;
    for (int version = 0; version < 2; version++) {
        static const unsigned char counts[24] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                                 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4};
        memcpy(file + size, "TZif2", 5);
        memset(file + size + 5, 0, 15);
        memcpy(file + size + 20, counts, sizeof(counts));
        size += 44;
        memset(file + size, 0, version == 0 ? 4 : 8); /* at 1970 */
        size += version == 0 ? 4 : 8;
        file[size++] = 1;
        static const unsigned char types[12] = {0,    0,    0x0e, 0x10, 0, 0,
                                                0xff, 0xff, 0xf1, 0xf0, 0, 0};
        memcpy(file + size, types, sizeof(types));
        size += sizeof(types);
        memcpy(file + size, "LMT", 4);
        size += 4;
    }
    memcpy(file + size, "\nAAA1\n", 6);
    return size + 6;
}

TEST(a_file_is_read_and_damage_refused)
{
    unsigned char file[256];
    size_t size = small_zone(file);
    struct arena arena;
    arena_init(&arena, 4096);
    const struct zone *zone = NULL;
    CHECK_OK(zone_parse(bytes_of(file, size), &arena, &zone));
    CHECK_EQ_INT(zone_offset(zone, -1), 3600);
    CHECK_EQ_INT(zone_offset(zone, 0), -3600);
    for (size_t cut = 0; cut < size; cut++) {
        enum yore_status st = zone_parse(bytes_of(file, cut), &arena, &zone);
        CHECK_MSG(st == YORE_CORRUPT || cut >= size - 6, "cut at %zu", cut);
    }
    file[0] = 'X';
    CHECK_STATUS(zone_parse(bytes_of(file, size), &arena, &zone), YORE_CORRUPT);
    (void)small_zone(file);
    file[size - 6 - 17] = 9; /* a type that is not there */
    CHECK_STATUS(zone_parse(bytes_of(file, size), &arena, &zone), YORE_CORRUPT);
    arena_release(&arena);
}

TEST_MAIN(offsets_change_with_the_seasons, local_times_that_are_twice_or_never_are_resolved,
          names_that_are_none_are_not_found, rules_of_north_and_south,
          a_file_is_read_and_damage_refused)
