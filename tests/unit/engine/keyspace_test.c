/* keyspace_test.c -- the catalogue as of a moment. */
#include <stdio.h>
#include <string.h>

#include "unit/engine/bed.h"

struct listed {
    char names[128];
    int most; /* stop after so many */
};

static int add_name(void *arg, const struct yore_keyspace_info *info)
{
    struct listed *listed = arg;
    size_t size = strlen(listed->names);
    (void)snprintf(listed->names + size, sizeof listed->names - size, "%s ", info->name);
    CHECK_EQ_INT(info->options.keep,
                 strcmp(info->name, "now") == 0 ? YORE_KEEP_NOW : YORE_KEEP_ALL);
    return --listed->most == 0;
}

static const char *list(struct bed *bed, int64_t valid, int most)
{
    static struct listed listed;
    struct yore_time at = {valid, YORE_NOW};
    listed = (struct listed){.most = most};
    CHECK_OK(yore_keyspace_list(bed->db, &at, add_name, &listed, NULL));
    return listed.names;
}

static int64_t create(struct bed *bed, const char *name, enum yore_keep keep)
{
    struct yore_keyspace *space;
    struct yore_keyspace_options options = {.keep = keep};
    CHECK_OK(yore_keyspace_create(bed->db, name, &options, &space, NULL));
    return yore_now(bed->db);
}

TEST(the_default_keyspace_is_listed_at_any_moment)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        (void)put_at(bed.db, "k", "a", AT(0), YORE_FOREVER);
        int64_t first = create(&bed, "now", YORE_KEEP_NOW);
        int64_t second = create(&bed, "alpha", YORE_KEEP_ALL);
        bed_age(&bed, age);
        CHECK_EQ_STR(list(&bed, AT(0), 0), "default ");
        CHECK_EQ_STR(list(&bed, YORE_TIME_MIN, 0), "default ");
        CHECK_EQ_STR(list(&bed, first, 0), "default now ");
        CHECK_EQ_STR(list(&bed, second, 0), "alpha default now ");
        CHECK_EQ_STR(list(&bed, YORE_NOW, 0), "alpha default now ");
        CHECK_EQ_STR(list(&bed, second, 2), "alpha default ");
        CHECK_EQ_STR(list(&bed, AT(0), 1), "default ");
        bed_close(&bed);
    }
}

TEST(the_default_keyspace_is_opened_at_any_moment)
{
    struct bed bed;
    struct yore_keyspace *space;
    struct yore_time at = {AT(0), YORE_NOW};
    bed_open(&bed);
    (void)create(&bed, "other", YORE_KEEP_ALL);
    CHECK_OK(yore_keyspace_open(bed.db, "default", &at, &space, NULL));
    CHECK_EQ_UINT(yore_keyspace_id(space), yore_keyspace_id(NULL));
    CHECK_STATUS(yore_keyspace_open(bed.db, "other", &at, &space, NULL), YORE_NOT_FOUND);
    bed_close(&bed);
}

TEST_MAIN(the_default_keyspace_is_listed_at_any_moment,
          the_default_keyspace_is_opened_at_any_moment)
