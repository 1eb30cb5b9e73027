/* What the system says of the process; signals as messages; what the service manager is told. */
#include "os/process.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/signal.h"
#include "support/test.h"

#define SECOND INT64_C(1000000000)

TEST(usage_counts_descriptors_memory_and_processor_time)
{
    struct os_process_usage before;
    struct os_process_usage after;
    os_process_usage(&before);
    CHECK(before.resident_bytes > 0 && before.virtual_bytes >= before.resident_bytes);
    CHECK(before.open_files >= 3);
    CHECK_EQ_UINT(before.open_files_max, os_process_files_max());
    int fd = dup(1);
    char *memory = malloc(64 << 20);
    CHECK(memory != NULL);
    os_memory_will_fill(memory, 64 << 20);
    os_memory_will_fill(memory + 1, 100); /* not a page: nothing to advise */
    memset(memory, 1, 64 << 20);
    os_process_usage(&after);
    CHECK_EQ_UINT(after.open_files, before.open_files + 1);
    CHECK(after.resident_bytes >= before.resident_bytes + (32 << 20));
    CHECK(after.cpu_ns > before.cpu_ns);
    CHECK_EQ_INT(memory[12345], 1);
    free(memory);
    close(fd);
}

TEST(signals_come_one_by_one_to_who_asks_for_them)
{
    os_signals_hold();
    CHECK_EQ_UINT(os_process_id(), getpid());
    CHECK_EQ_INT(os_signal_next(0), OS_SIGNAL_NONE);
    CHECK_EQ_INT(raise(SIGHUP), 0);
    CHECK_EQ_INT(os_signal_next(SECOND), OS_SIGNAL_RELOAD);
    CHECK_EQ_INT(raise(SIGTERM), 0);
    CHECK_EQ_INT(os_signal_next(SECOND), OS_SIGNAL_END);
    CHECK_EQ_INT(raise(SIGINT), 0);
    CHECK_EQ_INT(os_signal_next(SECOND), OS_SIGNAL_END);
    os_signal_wake();
    CHECK_EQ_INT(os_signal_next(SECOND), OS_SIGNAL_WAKE);
    CHECK_EQ_INT(raise(SIGPIPE), 0); /* ignored: a client that goes ends nobody */
    CHECK_EQ_INT(os_signal_next(0), OS_SIGNAL_NONE);
}

/* What is told to the manager that listens at `address`, under the name it gave the process. */
static void check_told(const struct sockaddr_un *address, size_t path_size, const char *name)
{
    char text[64] = "";
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_size);
    int manager = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK(manager >= 0 && bind(manager, (const void *)address, size) == 0);
    setenv("NOTIFY_SOCKET", name, 1);
    os_service_tell("READY=1");
    CHECK_EQ_INT(recv(manager, text, sizeof text - 1, MSG_DONTWAIT), 7);
    CHECK_EQ_STR(text, "READY=1");
    close(manager);
    os_service_tell("STOPPING=1"); /* it is gone: nobody's concern */
}

TEST(the_service_manager_is_told_at_its_path_or_abstract_name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = test_path("notify");
    CHECK(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    check_told(&address, strlen(path), path);
    char name[sizeof address.sun_path];
    snprintf(name, sizeof name, "@yore-test-%u", os_process_id());
    memset(address.sun_path, 0, sizeof address.sun_path);
    memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
    check_told(&address, strlen(name), name);
}

TEST(a_process_without_a_service_manager_tells_nobody)
{
    char path[200];
    memset(path, 'x', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    setenv("NOTIFY_SOCKET", "relative", 1);
    os_service_tell("READY=1");
    setenv("NOTIFY_SOCKET", path, 1); /* longer than an address can be */
    os_service_tell("READY=1");
    unsetenv("NOTIFY_SOCKET");
    os_service_tell("READY=1");
}

TEST_MAIN(usage_counts_descriptors_memory_and_processor_time,
          signals_come_one_by_one_to_who_asks_for_them,
          the_service_manager_is_told_at_its_path_or_abstract_name,
          a_process_without_a_service_manager_tells_nobody)
