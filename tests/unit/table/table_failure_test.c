/* table_failure_test.c -- every allocation and every disk operation fails once: a status, no leak,
 * no wrong answer. */
#include <string.h>

#include "base/mem.h"
#include "support/test.h"
#include "table/merge_iter.h"
#include "table_fixture.h"

struct job {
    struct fixture f;
    struct model m;
    struct table_options options;
    unsigned run;
};

static void job_open(struct job *j, struct test_rand *rand)
{
    fixture_open(&j->f, 1 << 16, 1);
    struct model_shape shape = {.key_count = 30,
                                .versions_max = 4,
                                .key_bytes_max = 12,
                                .value_bytes_max = 60,
                                .has_late = true,
                                .has_kinds = true,
                                .time_step = 10};
    j->m = model_random(rand, &shape);
    j->options = (struct table_options){
        .identity = {3, 4}, .page_bytes = 512, .compression = YORE_COMPRESSION_ZSTD};
}

static void job_close(struct job *j)
{
    model_release(&j->m);
    fixture_close(&j->f);
}

/* Build "t"; what is left of a failed build is unlinked. */
static enum yore_status build(struct job *j, struct table_meta *meta)
{
    struct yore_error error = {0};
    struct table_builder *builder = NULL;
    enum yore_status st = table_builder_open(j->f.env, "t", &j->options, &builder, &error);
    for (size_t i = 0; i < j->m.count && st == YORE_OK; i++) {
        st = table_builder_add(builder, &j->m.versions[i], &error);
        if (st != YORE_OK) {
            table_builder_abandon(builder);
            builder = NULL;
        }
    }
    if (st == YORE_OK) {
        st = table_builder_finish(builder, meta, &error);
    }
    CHECK_EQ_INT(error.status, st);
    return st;
}

static enum yore_status walk(struct job *j, struct table *table, bool is_as_of)
{
    struct version_iter *source = NULL;
    struct version_iter *it = NULL;
    struct iter_view view = {.is_as_of = is_as_of,
                             .valid = j->m.versions[j->m.count / 2].valid_from,
                             .known = INT64_MAX,
                             .commit_after = INT64_MIN};
    struct model seen = model_view(&j->m, &view);
    enum yore_status st = table_iter_new(table, &view, &source);
    if (st == YORE_OK) {
        st = merge_iter_new(&source, 1, is_as_of, &it);
    }
    if (st == YORE_OK) {
        size_t at = 0;
        for (version_iter_first(it); it->is_valid; version_iter_next(it)) {
            check_version(&it->at, &seen.versions[at]);
            at++;
            if (at == seen.count / 2 && at > 1) {
                version_iter_prev(it);
                if (it->is_valid) {
                    version_iter_next(it);
                }
            }
            if (!it->is_valid) {
                break;
            }
        }
        st = it->status;
        CHECK(st != YORE_OK || at == seen.count);
    }
    version_iter_free(it);
    model_release(&seen);
    return st;
}

static enum yore_status read(struct job *j, const struct table_meta *meta)
{
    struct table *table = NULL;
    enum yore_status st = table_open(j->f.pool, "t", j->options.identity, meta, &table);
    if (st == YORE_OK) {
        st = walk(j, table, true);
    }
    for (size_t i = 0; i < j->m.count && st == YORE_OK; i++) {
        struct version got;
        struct table_pin pin;
        const struct version *want = &j->m.versions[i];
        struct yore_error error = {0};
        st = table_get(table, want->key, want->valid_from, want->commit, &got, &pin, &error);
        if (st == YORE_OK) {
            check_version(&got, want);
            table_pin_release(&pin);
        }
    }
    if (st == YORE_OK) {
        st = walk(j, table, false);
    }
    if (st == YORE_OK) {
        uint64_t pages;
        struct yore_error error = {0};
        st = table_verify(table, &pages, &error);
    }
    table_close(table);
    return st;
}

TEST(every_allocation_may_fail)
{
    struct test_rand rand = test_rand_new(0);
    struct job j = {0};
    struct table_meta meta = {0};
    job_open(&j, &rand);
    enum yore_status st = YORE_NOMEM;
    for (uint64_t nth = 1; st != YORE_OK; nth++) {
        test_note("building, allocation %d", (int)nth);
        mem_fail_at(nth, false);
        st = build(&j, &meta);
        mem_fail_at(0, false);
        CHECK(st == YORE_OK || st == YORE_NOMEM);
        if (st != YORE_OK) {
            (void)os_path_unlink(j.f.env, "t", NULL);
        }
        test_count(1);
    }
    st = YORE_NOMEM;
    for (uint64_t nth = 1; st != YORE_OK; nth++) {
        test_note("reading, allocation %d", (int)nth);
        mem_fail_at(nth, false);
        st = read(&j, &meta);
        mem_fail_at(0, false);
        CHECK(st == YORE_OK || st == YORE_NOMEM);
        test_count(1);
    }
    table_meta_release(&meta);
    job_close(&j);
}

TEST(every_disk_operation_may_fail)
{
    struct test_rand rand = test_rand_new(0);
    struct job j = {0};
    struct table_meta meta = {0};
    job_open(&j, &rand);
    static const enum sim_fault_kind kinds[] = {SIM_FAULT_OTHER, SIM_FAULT_WRITE, SIM_FAULT_SYNC};
    for (size_t i = 0; i < 3; i++) {
        enum yore_status st = YORE_IO;
        for (uint64_t nth = 1; st != YORE_OK; nth++) {
            sim_disk_fail(j.f.disk, kinds[i], nth, false);
            st = build(&j, &meta);
            sim_disk_fail(j.f.disk, kinds[i], 0, false);
            CHECK(st == YORE_OK || st == YORE_IO);
            table_meta_release(&meta);
            (void)os_path_unlink(j.f.env, "t", NULL);
            test_count(1);
        }
    }
    CHECK_OK(build(&j, &meta));
    enum yore_status st = YORE_IO;
    for (uint64_t nth = 1; st != YORE_OK; nth++) {
        test_note("read %d", (int)nth);
        sim_disk_fail(j.f.disk, SIM_FAULT_READ, nth, false);
        st = read(&j, &meta);
        sim_disk_fail(j.f.disk, SIM_FAULT_READ, 0, false);
        CHECK(st == YORE_OK || st == YORE_IO);
        test_count(1);
    }
    table_meta_release(&meta);
    job_close(&j);
}

TEST(full_disk_is_told)
{
    struct test_rand rand = test_rand_new(0);
    struct job j = {0};
    struct table_meta meta = {0};
    job_open(&j, &rand);
    sim_disk_set_capacity(j.f.disk, 300);
    CHECK_STATUS(build(&j, &meta), YORE_NO_SPACE);
    job_close(&j);
}

TEST_MAIN(every_allocation_may_fail, every_disk_operation_may_fail, full_disk_is_told)
