/* Settings: their order of precedence, their units, what is refused and how it is said. */
#include "server/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "os/env.h"
#include "support/test.h"

static const char *knows(size_t index)
{
    static const char *const names[] = {"user", "requirepass", "graph-query-timeout", "dir"};
    return index < sizeof(names) / sizeof(names[0]) ? names[index] : NULL;
}

static const char *file_of(const char *text)
{
    const char *path = test_path("yore.conf");
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    CHECK(fputs(text, file) >= 0);
    CHECK(fclose(file) == 0);
    return path;
}

static const char *value_of(const struct config *config, const char *name)
{
    static char text[200];
    struct buffer value = {0};
    config_get(config, config_find(name), &value);
    snprintf(text, sizeof(text), "%.*s", (int)value.size,
             value.size > 0 ? (const char *)value.data : "");
    buffer_release(&value);
    return text;
}

TEST(flags_go_over_the_environment_over_the_file_over_defaults)
{
    struct config config;
    struct yore_error error = {0};
    const char *path = file_of("port 7001\nio-threads 3\n# a comment\n\n  workers 9  \n");
    const char *flags[] = {"--port", "7003"};
    CHECK_OK(config_init(&config, knows, &error));
    CHECK_EQ_UINT(config.port, 6379);
    CHECK_OK(config_read_file(&config, path, &error));
    CHECK_EQ_UINT(config.port, 7001);
    setenv("YORE_PORT", "7002", 1);
    setenv("YORE_IO_THREADS", "4", 1);
    setenv("YORE_GRAPH_QUERY_TIMEOUT", "7", 1);
    setenv("YORE_USER", "me", 1);
    CHECK_OK(config_read_environment(&config, &error));
    unsetenv("YORE_PORT");
    unsetenv("YORE_IO_THREADS");
    unsetenv("YORE_GRAPH_QUERY_TIMEOUT");
    unsetenv("YORE_USER");
    CHECK_EQ_UINT(config.extra_count, 1); /* who the user is that a program logs in as is no line */
    CHECK_EQ_STR(config.extras[0].name, "graph-query-timeout");
    CHECK_EQ_UINT(config.port, 7002);
    CHECK_OK(config_read_flags(&config, 2, flags, &error));
    CHECK_EQ_UINT(config.port, 7003);
    CHECK_EQ_UINT(config.io_threads, 4);
    CHECK_EQ_UINT(config.workers, 9);
    CHECK_EQ_INT(config.origins[config_find("port")], CONFIG_FLAG);
    CHECK_EQ_INT(config.origins[config_find("workers")], CONFIG_FILE);
    CHECK_EQ_INT(config.origins[config_find("maxclients")], CONFIG_DEFAULT);
    config_release(&config);
}

TEST(sizes_and_durations_have_units)
{
    struct config config;
    struct yore_error error = {0};
    const char *flags[] = {"--cache=64mb",
                           "--timeout",
                           "10d",
                           "--sync-interval=250ms",
                           "--output-timeout=30",
                           "--insecure",
                           "--unixsocketperm",
                           "770",
                           "--port=any"};
    CHECK_OK(config_init(&config, knows, &error));
    CHECK_OK(config_read_flags(&config, 9, flags, &error));
    CHECK_EQ_UINT(config.cache, 64u << 20);
    CHECK_EQ_INT(config.timeout, INT64_C(864000) * 1000000000);
    CHECK_EQ_INT(config.sync_interval, 250000000);
    CHECK_EQ_INT(config.output_timeout, INT64_C(30000000000));
    CHECK_EQ_UINT(config.unixsocketperm, 0770);
    CHECK(config.insecure);
    CHECK_EQ_UINT(config.port, CONFIG_PORT_ANY);
    CHECK_EQ_STR(value_of(&config, "timeout"), "864000");
    CHECK_EQ_STR(value_of(&config, "sync-interval"), "250000000ns");
    CHECK_EQ_STR(value_of(&config, "unixsocketperm"), "770");
    CHECK_EQ_STR(value_of(&config, "durability"), "sync");
    config_release(&config);
}

TEST(what_is_wrong_is_said_with_its_place_and_the_nearest_name)
{
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        {"\n\nprot 7000\n", ":3: there is no setting 'prot'; did you mean port?"},
        {"graph-query-timout 5\n",
         ":1: there is no setting 'graph-query-timout'; did you mean graph-query-timeout?"},
        {"frobnicate yes\n", ":1: there is no setting 'frobnicate'; yore server --help lists them"},
        {"port x\n", ":1: port does not take 'x': 0 to 65535, or any"},
        {"port\n", ":1: port has no value"},
        {"requirepass\n", ":1: requirepass has no value"},
        {"user\n", ":1: user has no value"},
        {"port 1 2\n", ":1: port takes one word, not 2"},
        {"io-threads 0\n", ":1: io-threads is 1 to 64"},
        {"sync-interval 1us\n", ":1: sync-interval is 1ms to 1m"},
        {"timeout 9999d\n", ":1: timeout is 0 to 365d"},
        {"durability often\n", ":1: durability does not take 'often': one of sync, interval, none"},
        {"cache 5qb\n", ":1: cache does not take '5qb': '5qb' is no size; write 512, 64mb or 2gb"},
        {"bind \"127.0.0.1\n", ":1: quotes do not close, or the line is too long"},
        {"*1\n", ":1: a setting does not begin with *"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config config;
        struct yore_error error = {0};
        test_note("case %zu", i);
        const char *path = file_of(cases[i].text);
        CHECK_OK(config_init(&config, knows, &error));
        CHECK_STATUS(config_read_file(&config, path, &error), YORE_INVALID);
        CHECK_EQ_STR(error.text + strlen(path), cases[i].error);
        config_release(&config);
    }
}

/* Read the environment with `name` in it; the error's text, "" where there is none. */
static const char *environment_error(const char *name)
{
    static struct yore_error error;
    struct config config;
    error = (struct yore_error){0};
    CHECK_OK(config_init(&config, knows, &error));
    setenv(name, "7", 1);
    enum yore_status status = config_read_environment(&config, &error);
    unsetenv(name);
    config_release(&config);
    CHECK_EQ_INT(status, error.text[0] != '\0' ? YORE_INVALID : YORE_OK);
    return error.text;
}

TEST(a_variable_that_is_nearly_a_setting_is_refused)
{
    CHECK_EQ_STR(environment_error("YORE_IO_THREAD"),
                 "YORE_IO_THREAD: there is no setting 'io-thread'; did you mean io-threads?");
    CHECK_EQ_STR(environment_error("YORE_GRAPH_QUERY_TIMOUT"),
                 "YORE_GRAPH_QUERY_TIMOUT: there is no setting 'graph-query-timout'; did you mean "
                 "graph-query-timeout?");
    CHECK_EQ_STR(environment_error("YORE_PORT"), "");
}

TEST(a_variable_of_somebody_else_is_passed_over)
{
    static const char *const names[] = {"YORE_PASSWORD",      "YORE_USER", "YORE_USERS",
                                        "YORE_TEST_SEED",     "YORE_",     "YORE_SERVICE_HOST",
                                        "YORE_PORT_6379_TCP", "YOREPORTS"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CHECK_EQ_STR(environment_error(names[i]), "");
    }
}

TEST(flags_that_are_wrong_are_refused)
{
    static const char *const cases[][2] = {{"port", "7000"}, {"--prot", "7000"}, {"--", "x"}};
    for (size_t i = 0; i < 3; i++) {
        struct config config;
        struct yore_error error = {0};
        CHECK_OK(config_init(&config, knows, &error));
        CHECK_STATUS(config_read_flags(&config, 2, cases[i], &error), YORE_INVALID);
        config_release(&config);
    }
}

TEST(a_flag_without_its_value_is_refused)
{
    static const char *const cases[][2] = {{"--requirepass", "--port=7000"},
                                           {"--port=7000", "--requirepass"}};
    for (size_t i = 0; i < 2; i++) {
        struct config config;
        struct yore_error error = {0};
        CHECK_OK(config_init(&config, knows, &error));
        CHECK_STATUS(config_read_flags(&config, 2, cases[i], &error), YORE_INVALID);
        CHECK_EQ_STR(error.text, "--requirepass: requirepass has no value");
        config_release(&config);
    }
}

TEST(lines_of_the_command_layer_are_kept_word_by_word)
{
    struct config config;
    struct yore_error error = {0};
    const char *path = file_of("user alice on \">p w\" ~k* +@all\nREQUIREPASS secret\n");
    CHECK_OK(config_init(&config, knows, &error));
    CHECK_OK(config_read_file(&config, path, &error));
    CHECK_EQ_UINT(config.extra_count, 2);
    CHECK_EQ_STR(config.extras[0].name, "user");
    CHECK_EQ_UINT(config.extras[0].word_count, 5);
    CHECK_EQ_BYTES(config.extras[0].words[2].data, config.extras[0].words[2].size, ">p w", 4);
    CHECK_EQ_STR(config.extras[1].name, "requirepass");
    config_release(&config);
}

TEST(settings_that_contradict_are_refused)
{
    static const char *const cases[] = {"--tls-port=7000",  "--http-port=6379", "--http-tls=yes",
                                        "--bolt-port=6380", "--bolt-port=6379", "--bolt-tls=yes",
                                        "--bolt-graph="};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config config;
        struct yore_error error = {0};
        CHECK_OK(config_init(&config, knows, &error));
        CHECK_OK(config_read_flags(&config, 1, &cases[i], &error));
        CHECK_STATUS(config_check(&config, &error), YORE_INVALID);
        config_release(&config);
    }
}

TEST(rewriting_replaces_lines_where_they_stand_and_appends_new_ones)
{
    struct config config;
    struct yore_error error = {0};
    char text[400] = "";
    const char *path = file_of("# mine\nport 7000\nrequirepass x\n  MaxClients 50\n\n"
                               "maxclients 60\nuser default >y\ntimeout 5");
    struct config_pair pairs[] = {{"maxclients", bytes_of("70", 2), false, false},
                                  {"requirepass", bytes_of("a \"b\"\n", 6), false, true},
                                  {"save", bytes_of("60 1 30 2", 9), true, false}};
    CHECK_OK(config_init(&config, knows, &error));
    CHECK_OK(config_read_file(&config, path, &error));
    CHECK_OK(config_rewrite(&config, os_env_posix(), pairs, 3, &error));
    FILE *file = fopen(path, "r");
    CHECK(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    CHECK_EQ_STR(text, "# mine\nport 7000\nmaxclients 70\n\nuser default >y\ntimeout 5\n"
                       "requirepass \"a \\\"b\\\"\\x0a\"\nsave 60 1 30 2\n");
    config_release(&config);
}

TEST(a_file_that_cannot_be_rewritten_is_named)
{
    struct config config;
    struct yore_error error = {0};
    char beside[400];
    const char *path = file_of("port 7000\n");
    struct config_pair pair = {"port", bytes_of("7001", 4), false, false};
    snprintf(beside, sizeof(beside), "%s.new", path);
    CHECK(mkdir(beside, 0700) == 0); /* where the new one would be made */
    CHECK_OK(config_init(&config, knows, &error));
    CHECK_OK(config_read_file(&config, path, &error));
    CHECK_STATUS(config_rewrite(&config, os_env_posix(), &pair, 1, &error), YORE_IO);
    CHECK_MSG(strstr(error.text, beside) != NULL, "%s", error.text);
    config_release(&config);
}

TEST(every_default_is_taken_back_as_it_is_shown)
{
    struct config config;
    struct yore_error error = {0};
    CHECK_OK(config_init(&config, knows, &error));
    for (size_t i = 0; i < config_count(); i++) {
        struct buffer value = {0};
        struct buffer again = {0};
        config_get(&config, i, &value);
        config_get_default(i, &again);
        CHECK_EQ_BYTES(value.data, value.size, again.data, again.size);
        CHECK_OK(config_set(&config, i, buffer_bytes(&value), CONFIG_RUNNING, &error));
        buffer_clear(&again);
        config_get(&config, i, &again);
        CHECK_EQ_BYTES(value.data, value.size, again.data, again.size);
        buffer_release(&value);
        buffer_release(&again);
    }
    config_release(&config);
}

TEST(running_out_of_memory_is_a_status)
{
    struct yore_error error = {0};
    const char *path = file_of("port 7001\nuser alice on >x\n");
    for (uint64_t nth = 1;; nth++) {
        struct config config;
        mem_fail_at(nth, true);
        enum yore_status status = config_init(&config, knows, &error);
        if (status == YORE_OK) {
            status = config_read_file(&config, path, &error);
        }
        mem_fail_at(0, false);
        config_release(&config);
        if (status == YORE_OK) {
            CHECK(nth > 10);
            break;
        }
        CHECK_STATUS(status, YORE_NOMEM);
    }
}

TEST_MAIN(a_file_that_cannot_be_rewritten_is_named,
          flags_go_over_the_environment_over_the_file_over_defaults, sizes_and_durations_have_units,
          what_is_wrong_is_said_with_its_place_and_the_nearest_name,
          a_variable_that_is_nearly_a_setting_is_refused,
          a_variable_of_somebody_else_is_passed_over, flags_that_are_wrong_are_refused,
          a_flag_without_its_value_is_refused, lines_of_the_command_layer_are_kept_word_by_word,
          settings_that_contradict_are_refused,
          rewriting_replaces_lines_where_they_stand_and_appends_new_ones,
          every_default_is_taken_back_as_it_is_shown, running_out_of_memory_is_a_status)
