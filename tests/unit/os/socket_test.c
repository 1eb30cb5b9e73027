/* Listening, being met, and the other end with its deadlines; what each refuses, by name. */
#include "os/socket.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test.h"

#define SECOND INT64_C(1000000000)
#define MOMENT INT64_C(20000000) /* long enough to see that nothing comes */

static void check_says(const struct yore_error *error, const char *words)
{
    CHECK_MSG(strstr(error->text, words) != NULL, "'%s' is not in: %s", words, error->text);
}

/* Both ends of a connection to a listener of this process. */
static void meet(int listener, uint16_t port, const char *path, int ends[2], char *peer,
                 char *local)
{
    if (path != NULL) {
        CHECK_OK(os_connect_unix(path, SECOND, &ends[0], NULL));
    } else {
        CHECK_OK(os_connect_tcp("127.0.0.1", port, SECOND, &ends[0], NULL));
    }
    CHECK_EQ_INT(os_accept(listener, &ends[1], peer, local), OS_ACCEPTED);
}

static void part(int listener, const int ends[2])
{
    os_socket_close(ends[0]);
    os_socket_close(ends[1]);
    os_socket_close(listener);
}

TEST(a_listener_takes_those_who_wait_with_the_addresses_of_both_sides)
{
    int listener = -1;
    int ends[2];
    uint16_t port = 0;
    char peer[OS_ADDRESS_TEXT_BYTES];
    char local[OS_ADDRESS_TEXT_BYTES];
    char want[OS_ADDRESS_TEXT_BYTES];
    CHECK_OK(os_listen_tcp("127.0.0.1", 0, &listener, &port, NULL));
    CHECK(port != 0);
    CHECK_EQ_INT(os_accept(listener, &ends[1], peer, local), OS_ACCEPT_NONE);
    meet(listener, port, NULL, ends, peer, local);
    snprintf(want, sizeof want, "127.0.0.1:%u", (unsigned)port);
    CHECK_EQ_STR(local, want);
    CHECK(strncmp(peer, "127.0.0.1:", 10) == 0 && strcmp(peer, local) != 0);
    CHECK_EQ_INT(os_accept(listener, &ends[1], peer, local), OS_ACCEPT_NONE);
    part(listener, ends);
}

TEST(an_address_of_six_octet_pairs_is_written_in_brackets)
{
    int listener = -1;
    int ends[2];
    uint16_t port = 0;
    char peer[OS_ADDRESS_TEXT_BYTES];
    char local[OS_ADDRESS_TEXT_BYTES];
    if (os_listen_tcp("::1", 0, &listener, &port, NULL) != YORE_OK) {
        SKIP("no IPv6 here");
    }
    CHECK_OK(os_connect_tcp("::1", port, SECOND, &ends[0], NULL));
    CHECK_EQ_INT(os_accept(listener, &ends[1], peer, local), OS_ACCEPTED);
    CHECK(strncmp(local, "[::1]:", 6) == 0 && strncmp(peer, "[::1]:", 6) == 0);
    part(listener, ends);
}

TEST(a_port_in_use_an_address_elsewhere_and_no_address_are_refused)
{
    int listener = -1;
    int other = 0;
    uint16_t port = 0;
    uint16_t again = 0;
    struct yore_error error = {0};
    CHECK_OK(os_listen_tcp("127.0.0.1", 0, &listener, &port, NULL));
    CHECK_STATUS(os_listen_tcp("127.0.0.1", port, &other, &again, &error), YORE_LOCKED);
    CHECK_EQ_INT(other, -1);
    check_says(&error, "cannot listen on 127.0.0.1:");
    CHECK_STATUS(os_listen_tcp("192.0.2.1", 0, &other, &again, &error), YORE_INVALID);
    check_says(&error, "192.0.2.1");
    CHECK_STATUS(os_listen_tcp("no such host.invalid", 0, &other, &again, &error), YORE_INVALID);
    check_says(&error, "give a number such as 127.0.0.1");
    CHECK_OK(os_host_check("127.0.0.1", &error));
    CHECK_STATUS(os_host_check("192.0.2.1", &error), YORE_INVALID);
    CHECK_STATUS(os_host_check("no such host.invalid", &error), YORE_INVALID);
    os_socket_close(listener);
}

TEST(only_addresses_of_this_machine_itself_are_loopback)
{
    CHECK(os_host_is_loopback("127.0.0.1"));
    CHECK(os_host_is_loopback("127.9.8.7"));
    CHECK(os_host_is_loopback("::1"));
    CHECK(!os_host_is_loopback("0.0.0.0"));
    CHECK(!os_host_is_loopback("::"));
    CHECK(!os_host_is_loopback("192.0.2.1"));
    CHECK(!os_host_is_loopback("no such host.invalid"));
}

TEST(a_unix_socket_has_the_permissions_asked_for_and_outlives_nobody)
{
    const char *path = test_path("socket");
    int listener = -1;
    int other = -1;
    int ends[2];
    char peer[OS_ADDRESS_TEXT_BYTES];
    char local[OS_ADDRESS_TEXT_BYTES];
    struct stat info;
    struct yore_error error = {0};
    CHECK_OK(os_listen_unix(path, 0640, &listener, &error));
    CHECK_EQ_INT(stat(path, &info), 0);
    CHECK_EQ_UINT(info.st_mode & 0777, 0640);
    CHECK_STATUS(os_listen_unix(path, 0600, &other, &error), YORE_LOCKED);
    check_says(&error, "another process listens on");
    CHECK_EQ_INT(os_accept(listener, &ends[1], peer, local), OS_ACCEPTED); /* it knocked */
    os_socket_close(ends[1]);
    meet(listener, 0, path, ends, peer, local);
    CHECK_EQ_STR(peer, local); /* its peer has no name */
    part(listener, ends);
    CHECK_STATUS(os_connect_unix(path, SECOND, &other, &error), YORE_IO);
    CHECK_OK(os_listen_unix(path, 0600, &listener, &error)); /* nobody listens any more */
    os_socket_close(listener);
}

TEST(a_unix_socket_where_something_else_is_or_nothing_can_be_is_refused)
{
    int fd = 0;
    char path[300];
    struct yore_error error = {0};
    FILE *file = fopen(test_path("file"), "w");
    CHECK(file != NULL && fclose(file) == 0);
    CHECK_STATUS(os_listen_unix(test_path("file"), 0600, &fd, &error), YORE_EXISTS);
    check_says(&error, "is no socket");
    CHECK_STATUS(os_listen_unix(test_path("none/socket"), 0600, &fd, &error), YORE_IO);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    CHECK_STATUS(os_listen_unix(path, 0600, &fd, &error), YORE_INVALID);
    check_says(&error, "longer than 107 octets");
    CHECK_STATUS(os_connect_unix(path, SECOND, &fd, &error), YORE_INVALID);
    CHECK_EQ_INT(fd, -1);
}

TEST(who_connects_where_nobody_listens_is_told_so)
{
    int listener = -1;
    int fd = 0;
    uint16_t port = 0;
    struct yore_error error = {0};
    CHECK_OK(os_listen_tcp("127.0.0.1", 0, &listener, &port, NULL));
    os_socket_close(listener);
    CHECK_STATUS(os_connect_tcp("127.0.0.1", port, SECOND, &fd, &error), YORE_IO);
    check_says(&error, "cannot connect to 127.0.0.1:");
    CHECK_EQ_INT(fd, -1);
    CHECK_STATUS(os_connect_tcp("no such host.invalid", port, SECOND, &fd, &error), YORE_INVALID);
}

TEST(what_is_written_is_read_and_waits_are_bounded)
{
    static char data[8 << 20];
    char text[16];
    char peer[OS_ADDRESS_TEXT_BYTES];
    char local[OS_ADDRESS_TEXT_BYTES];
    int listener = -1;
    int ends[2];
    uint16_t port = 0;
    size_t got = 1;
    struct yore_error error = {0};
    CHECK_OK(os_listen_tcp("127.0.0.1", 0, &listener, &port, NULL));
    meet(listener, port, NULL, ends, peer, local);
    CHECK(os_socket_is_quiet(ends[1]));
    CHECK_STATUS(os_socket_read(ends[1], text, sizeof text, MOMENT, &got, &error), YORE_NOT_FOUND);
    CHECK_EQ_UINT(got, 0);
    CHECK_OK(os_socket_write(ends[0], "hello", 5, SECOND, NULL));
    CHECK_OK(os_socket_read(ends[1], text, sizeof text, SECOND, &got, NULL));
    CHECK(got == 5 && memcmp(text, "hello", 5) == 0);
    /* Nobody reads: what the system does not take is not waited for any longer. */
    CHECK_STATUS(os_socket_write(ends[0], data, sizeof data, MOMENT, &error), YORE_IO);
    check_says(&error, "the other side takes nothing");
    CHECK(!os_socket_is_quiet(ends[1]));
    part(listener, ends);
}

TEST(an_end_that_is_closed_or_broken_off_is_told_apart_from_silence)
{
    char text[16];
    char peer[OS_ADDRESS_TEXT_BYTES];
    char local[OS_ADDRESS_TEXT_BYTES];
    int listener = -1;
    int ends[2];
    uint16_t port = 0;
    size_t got = 0;
    struct yore_error error = {0};
    struct linger at_once = {.l_onoff = 1};
    CHECK_OK(os_listen_tcp("127.0.0.1", 0, &listener, &port, NULL));
    meet(listener, port, NULL, ends, peer, local);
    os_socket_close(ends[1]);
    CHECK_STATUS(os_socket_read(ends[0], text, sizeof text, SECOND, &got, &error), YORE_IO);
    check_says(&error, "has closed the connection");
    CHECK(!os_socket_is_quiet(ends[0]));
    os_socket_close(ends[0]);
    meet(listener, port, NULL, ends, peer, local);
    CHECK_EQ_INT(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    os_socket_close(ends[1]);
    CHECK_STATUS(os_socket_read(ends[0], text, sizeof text, SECOND, &got, &error), YORE_IO);
    check_says(&error, "cannot receive");
    CHECK_STATUS(os_socket_write(ends[0], text, sizeof text, SECOND, &error), YORE_IO);
    check_says(&error, "cannot send");
    os_socket_close(ends[0]);
    os_socket_close(listener);
}

TEST(without_a_descriptor_left_those_who_wait_go_on_waiting)
{
    char peer[OS_ADDRESS_TEXT_BYTES];
    char local[OS_ADDRESS_TEXT_BYTES];
    int listener = -1;
    int ends[2];
    int other = -1;
    uint16_t port = 0;
    uint16_t again = 0;
    struct rlimit before;
    CHECK_OK(os_listen_tcp("127.0.0.1", 0, &listener, &port, NULL));
    CHECK_OK(os_connect_tcp("127.0.0.1", port, SECOND, &ends[0], NULL));
    CHECK_EQ_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = (rlim_t)ends[0] + 1, .rlim_max = before.rlim_max};
    CHECK_EQ_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum os_accept answer = os_accept(listener, &ends[1], peer, local);
    enum yore_status tcp = os_listen_tcp("127.0.0.1", 0, &other, &again, NULL);
    enum yore_status local_socket = os_listen_unix(test_path("socket"), 0600, &other, NULL);
    enum yore_status connected = os_connect_tcp("127.0.0.1", port, SECOND, &other, NULL);
    enum yore_status checked = os_host_check("127.0.0.1", NULL);
    /* Whoever needs more asks for it, and gets what is allowed. */
    uint64_t raised = os_descriptors_raise((uint64_t)before.rlim_cur);
    CHECK_EQ_INT(answer, OS_ACCEPT_EXHAUSTED);
    CHECK_STATUS(tcp, YORE_IO);
    CHECK_STATUS(local_socket, YORE_IO);
    CHECK_STATUS(connected, YORE_IO);
    CHECK_STATUS(checked, YORE_IO);
    CHECK_EQ_UINT(raised, before.rlim_cur);
    CHECK_EQ_UINT(os_descriptors_raise(1), before.rlim_cur); /* never less */
    /* One more: valgrind, which sees to the limit itself, takes the first and lets it go. */
    CHECK_OK(os_connect_tcp("127.0.0.1", port, SECOND, &other, NULL));
    CHECK_EQ_INT(os_accept(listener, &ends[1], peer, local), OS_ACCEPTED);
    os_socket_close(other);
    part(listener, ends);
}

TEST(an_address_belongs_to_a_network)
{
    static const struct {
        const char *address;
        uint64_t network;
    } cases[] = {
        {"127.0.0.1:5000", 0x7f000001},
        {"10.1.2.3:1", 0x0a010203},
        {"[2001:db8:1:2:3:4:5:6]:6379", UINT64_C(0x20010db800010002)},
        {"[2001:db8:1:2::]:1", UINT64_C(0x20010db800010002)},
        {"[::1]:6379", 0},
    };
    uint64_t network = 1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_note("%s", cases[i].address);
        CHECK(os_address_network(cases[i].address, &network));
        CHECK_EQ_UINT(network, cases[i].network);
    }
    static const char *const none[] = {"/run/yore.sock:0", "?:0", "", "[", "1.2.3:4"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        test_note("%s", none[i]);
        CHECK(!os_address_network(none[i], &network));
    }
}

TEST_MAIN(an_address_belongs_to_a_network,
          a_listener_takes_those_who_wait_with_the_addresses_of_both_sides,
          an_address_of_six_octet_pairs_is_written_in_brackets,
          a_port_in_use_an_address_elsewhere_and_no_address_are_refused,
          only_addresses_of_this_machine_itself_are_loopback,
          a_unix_socket_has_the_permissions_asked_for_and_outlives_nobody,
          a_unix_socket_where_something_else_is_or_nothing_can_be_is_refused,
          who_connects_where_nobody_listens_is_told_so,
          what_is_written_is_read_and_waits_are_bounded,
          an_end_that_is_closed_or_broken_off_is_told_apart_from_silence,
          without_a_descriptor_left_those_who_wait_go_on_waiting)
