#include "cli/load.h"

#include <string.h>

#include "support/test.h"

static void read_text(struct load_sample *sample, int64_t moment_ns, const char *text)
{
    sample->moment_ns = moment_ns;
    load_read(sample, bytes_of(text, strlen(text)));
}

static enum load_class class_of(const void *arg, const char *name)
{
    (void)arg;
    return strcmp(name, "set") == 0   ? LOAD_WRITE
           : strcmp(name, "get") == 0 ? LOAD_READ
                                      : LOAD_OTHER;
}

static struct load_sample first;
static struct load_sample second;

TEST(rates_are_of_the_time_between_two_looks)
{
    read_text(&first, 1000000000,
              "# Server\r\nuptime_in_seconds:7\r\nconnected_clients:3\r\nstalls:2\r\n"
              "total_net_input_bytes:100\r\n"
              "cmdstat_get:calls=10,usec=100,usec_per_call=10.00\r\n"
              "commit_latency_us:count=6,sum=113,p50=17,p95=25,p99=26,max=25\r\n");
    read_text(&second, 3000000000,
              "connected_clients:4\r\nstalls:6\r\ntotal_net_input_bytes:2100\r\n"
              "cmdstat_get:calls=30,usec=140,usec_per_call=1\r\n"
              "cmdstat_set:calls=8,usec=4000,usec_per_call=1\r\ncmdstat_ping:calls=2,usec=2\r\n"
              "commit_latency_us:count=6,sum=113,p50=18,p95=25,p99=27,max=25\r\nis_failed:1\r\n");
    CHECK_EQ_UINT(first.uptime_s, 7);
    CHECK_EQ_UINT(first.commit_p50_us, 17);
    CHECK_EQ_UINT(second.commit_p99_us, 27);
    CHECK_EQ_UINT(second.clients, 4);
    CHECK(second.has_failed && !first.has_failed);
    load_classify(&first, NULL, class_of, NULL);
    load_classify(&second, &first, class_of, NULL);
    struct load load = load_between(&first, &second);
    CHECK(load.seconds > 1.99 && load.seconds < 2.01);
    CHECK(load.reads > 9.99 && load.reads < 10.01);
    CHECK(load.writes > 3.99 && load.writes < 4.01);
    CHECK(load.others > 0.99 && load.others < 1.01);
    CHECK(load.ops > 14.99 && load.ops < 15.01);
    CHECK(load.stalls > 1.99 && load.stalls < 2.01);
    CHECK(load.received > 999 && load.received < 1001);
    CHECK_EQ_UINT(load.hot_count, 3);
    CHECK_EQ_STR(load.hot[0].name, "set"); /* the most time, not the most calls */
    CHECK(load.hot[0].mean_us > 499 && load.hot[0].mean_us < 501);
    CHECK_EQ_STR(load.hot[1].name, "get");
}

TEST(a_server_that_was_started_anew_begins_at_nothing)
{
    read_text(&first, 0, "cmdstat_get:calls=1000,usec=1000\r\nstalls:5\r\n");
    read_text(&second, 1000000000, "cmdstat_get:calls=3,usec=30\r\nstalls:1\r\n");
    struct load load = load_between(&first, &second);
    CHECK(load.ops > 2.99 && load.ops < 3.01);
    CHECK(load.stalls > 0.99 && load.stalls < 1.01);
}

TEST(what_is_no_info_leaves_zeros)
{
    static const char *const texts[] = {"",
                                        ":",
                                        "\r\n",
                                        "uptime_in_seconds",
                                        "cmdstat_:calls=x",
                                        "cmdstat_get:",
                                        "stalls:-5",
                                        "commit_latency_us:p50"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        test_note("%s", texts[i]);
        read_text(&first, 0, texts[i]);
        CHECK_EQ_UINT(first.stalls, 0);
        CHECK_EQ_UINT(first.uptime_s, 0);
        struct load load = load_between(&first, &first);
        CHECK_EQ_UINT(load.hot_count, 0);
    }
}

TEST_MAIN(rates_are_of_the_time_between_two_looks, a_server_that_was_started_anew_begins_at_nothing,
          what_is_no_info_leaves_zeros)
