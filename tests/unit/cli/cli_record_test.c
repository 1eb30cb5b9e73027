#include "cli/record.h"

#include <string.h>

#include "base/moment.h"
#include "support/test.h"

#define NOW INT64_C(1763719200000000000)

TEST(what_is_written_reads_back)
{
    struct test_rand rand = test_rand_new(0);
    struct record record = {.kind = RECORD_PUT};
    struct buffer line = {0};
    struct yore_error error;
    for (int round = 0; round < 2000; round++) {
        unsigned char key[20];
        unsigned char value[20];
        size_t key_size = 1 + (size_t)test_rand_below(&rand, sizeof(key) - 1);
        size_t value_size = (size_t)test_rand_below(&rand, sizeof(value));
        bool is_text = test_rand_one_in(&rand, 2);
        test_rand_fill(&rand, key, key_size);
        test_rand_fill(&rand, value, value_size);
        for (size_t i = 0; is_text && i < sizeof(key); i++) {
            key[i] &= 0x7f;
            value[i] &= 0x7f;
        }
        int64_t from = (int64_t)test_rand_u64(&rand) >> test_rand_below(&rand, 40);
        const struct record_version version = {
            .kind = (enum record_kind)test_rand_below(&rand, 3),
            .keyspace = test_rand_one_in(&rand, 3) ? "sensors" : NULL,
            .key = bytes_of(key, key_size),
            .value = bytes_of(value, value_size),
            .valid_from = from == INT64_MIN || from == YORE_NOW ? 0 : from,
            .valid_to = test_rand_one_in(&rand, 2) ? YORE_FOREVER : NOW,
            .commit = NOW + round};
        buffer_clear(&line);
        record_append_version(&line, &version);
        CHECK_EQ_INT(line.data[line.size - 1], '\n');
        line.size--;
        test_note("%.*s", (int)line.size, (const char *)line.data);
        CHECK_OK(record_parse(&record, buffer_bytes(&line), NOW, &error));
        CHECK_EQ_INT(record.kind, version.kind);
        CHECK_EQ_BYTES(record.key.data, record.key.size, key, key_size);
        if (version.kind == RECORD_PUT) {
            CHECK_EQ_BYTES(record.value.data, record.value.size, value, value_size);
        }
        CHECK_EQ_INT(record.valid_from, version.valid_from);
        CHECK_EQ_INT(record.valid_to, version.valid_to);
        CHECK_EQ_INT(record.keyspace.size > 0, version.keyspace != NULL);
        CHECK(record.has_commit);
    }
    record_release(&record);
    buffer_release(&line);
}

TEST(what_escapes_would_blow_up_is_base64)
{
    static const struct {
        const char *value;
        const char *member;
    } cases[] = {
        {"a\nb", "\"value\":\"a\\nb\""},
        {"{\"a\":\"b\"}", "\"value\":\"{\\\"a\\\":\\\"b\\\"}\""},
        {"\1\1\1", "\"value_base64\":\"AQEB\""},
        {"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
         "\"value_base64\":\"IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIi\""},
    };
    struct buffer line = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct record_version version = {.kind = RECORD_PUT,
                                               .key = bytes_of("k", 1),
                                               .value =
                                                   bytes_of(cases[i].value, strlen(cases[i].value)),
                                               .valid_from = NOW,
                                               .valid_to = YORE_FOREVER,
                                               .commit = NOW};
        buffer_clear(&line);
        record_append_version(&line, &version);
        buffer_append_u8(&line, '\0');
        CHECK_MSG(strstr((const char *)line.data, cases[i].member) != NULL, "%s", line.data);
    }
    buffer_release(&line);
}

TEST(the_earliest_moments_read_back)
{
    static const int64_t moments[] = {YORE_TIME_MIN,
                                      YORE_TIME_MIN + 1,
                                      INT64_C(-9214560000000000001),
                                      INT64_C(-9214560000000000000),
                                      -1,
                                      0,
                                      1,
                                      INT64_MAX - 1};
    struct buffer text = {0};
    struct yore_error error;
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        int64_t moment = 0;
        buffer_clear(&text);
        record_append_moment(&text, moments[i]);
        test_note("%.*s", (int)text.size, (const char *)text.data);
        CHECK_OK(moment_parse(buffer_bytes(&text), NOW, &moment, &error));
        CHECK_EQ_INT(moment, moments[i]);
    }
    buffer_release(&text);
}

TEST(members_may_be_left_out)
{
    static const char line[] =
        "{\"value\":\"\",\"key\":\"k\",\"valid_from\":null,\"valid_to\":\"forever\"}";
    struct record record = {.kind = RECORD_PUT};
    struct yore_error error;
    CHECK_OK(record_parse(&record, bytes_of(line, sizeof(line) - 1), NOW, &error));
    CHECK_EQ_INT(record.valid_from, YORE_NOW);
    CHECK_EQ_INT(record.valid_to, YORE_FOREVER);
    CHECK_EQ_UINT(record.value.size, 0);
    CHECK(record.has_value && !record.has_commit);
    record_release(&record);
}

TEST(a_value_may_be_any_json)
{
    static const char line[] = "{\"key\":\"k\",\"value\":{\"a\": [1, null]}}";
    struct record record = {.kind = RECORD_PUT};
    struct yore_error error;
    CHECK_OK(record_parse(&record, bytes_of(line, sizeof(line) - 1), NOW, &error));
    CHECK_EQ_BYTES(record.value.data, record.value.size, "{\"a\":[1,null]}", 14);
    record_release(&record);
}

TEST(keyspace_lines_read_back)
{
    const struct yore_keyspace_info info = {.name = "sensors",
                                            .options = {.keep = YORE_KEEP_FOR,
                                                        .keep_ns = INT64_C(5400000000000),
                                                        .compression = YORE_COMPRESSION_ZSTD}};
    struct record record = {.kind = RECORD_PUT};
    struct buffer line = {0};
    struct yore_error error;
    record_append_keyspace(&line, &info);
    CHECK_OK(record_parse(&record, bytes_of(line.data, line.size - 1), NOW, &error));
    CHECK_EQ_INT(record.kind, RECORD_KEYSPACE);
    CHECK_EQ_STR((const char *)record.keyspace.data, "sensors");
    CHECK_EQ_INT(record.options.keep, YORE_KEEP_FOR);
    CHECK_EQ_INT(record.options.keep_ns, info.options.keep_ns);
    CHECK_EQ_INT(record.options.compression, YORE_COMPRESSION_ZSTD);
    record_release(&record);
    buffer_release(&line);
}

TEST(wrong_lines_say_why)
{
    static const char *const cases[][2] = {
        {"[]", "expected an object"},
        {"{\"key\":\"\",\"value\":\"\"}", "no \"key\""},
        {"{\"key\":\"k\",\"valu\":\"\"}", "did you mean \"value\""},
        {"{\"key\":\"k\",\"value\":\"\",\"valid_to\":5}", "a string is wanted"},
        {"{\"key\":\"k\",\"value\":\"\",\"keep\":\"all\"}", "belong to keyspace lines"},
        {"{\"kind\":\"keyspace\"}", "needs \"keyspace\""},
        {"{\"kind\":\"keyspace\",\"keyspace\":\"\"}", "a name of 1 to 255"},
        {"{\"kind\":\"keyspace\",\"keyspace\":\"x\",\"keep\":\"much\"}", "keep is all"},
        {"{\"kind\":\"keyspace\",\"keyspace\":\"x\",\"compression\":\"rar\"}", "compression is"},
        {"{\"key\":\"k\",\"value\":\"\"", "expected ',' or '}'"},
    };
    struct record record = {.kind = RECORD_PUT};
    struct yore_error error;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("%s", cases[i][0]);
        CHECK_STATUS(record_parse(&record, bytes_of(cases[i][0], strlen(cases[i][0])), NOW, &error),
                     YORE_INVALID);
        CHECK_MSG(strstr(error.text, cases[i][1]) != NULL, "%s", error.text);
    }
    record_release(&record);
}

TEST_MAIN(what_is_written_reads_back, what_escapes_would_blow_up_is_base64,
          the_earliest_moments_read_back, members_may_be_left_out, a_value_may_be_any_json,
          keyspace_lines_read_back, wrong_lines_say_why)
