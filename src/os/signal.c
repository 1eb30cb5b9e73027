#include "os/signal.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void held_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1);
}

void os_signals_hold(void)
{
    sigset_t set;
    held_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

void os_signal_ignore_file_size(void)
{
    signal(SIGXFSZ, SIG_IGN);
}

enum os_signal os_signal_next(int64_t timeout_ns)
{
    sigset_t set;
    held_set(&set);
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000),
                               .tv_nsec = (long)(timeout_ns % 1000000000)};
    switch (sigtimedwait(&set, NULL, &timeout)) {
    case SIGTERM:
    case SIGINT:
        return OS_SIGNAL_END;
    case SIGHUP:
        return OS_SIGNAL_RELOAD;
    case SIGUSR1:
        return OS_SIGNAL_WAKE;
    default:
        return OS_SIGNAL_NONE;
    }
}

void os_signal_wake(void)
{
    kill(getpid(), SIGUSR1);
}

uint32_t os_process_id(void)
{
    return (uint32_t)getpid();
}

void os_service_tell(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') ||
        strlen(path) >= sizeof(address.sun_path)) {
        return;
    }
    size_t size = strlen(path);
    memcpy(address.sun_path, path, size);
    if (path[0] == '@') {
        address.sun_path[0] = '\0'; /* the abstract name space */
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
        if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const void *)&address, length) < 0) {
            /* Nobody listens there; the server runs all the same. */
        }
        close(fd);
    }
}
