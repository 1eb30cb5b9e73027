#include "os/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG 1024

static enum yore_status fail(struct yore_error *error_out, const char *what, const char *where)
{
    int number = errno;
    enum yore_status status = number == EADDRINUSE ? YORE_LOCKED : YORE_IO;
    if (number == EADDRNOTAVAIL) {
        status = YORE_INVALID;
    }
    return error_set(error_out, status, "cannot %s %s: %s", what, where, strerror(number));
}

static enum yore_status resolve(const char *host, uint16_t port, struct addrinfo **list_out,
                                struct yore_error *error_out)
{
    char service[8];
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    int code = getaddrinfo(host, service, &hints, list_out);
    if (code != 0) {
        return error_set(error_out, YORE_INVALID,
                         "no address %s: %s; give a number such as 127.0.0.1", host,
                         gai_strerror(code));
    }
    return YORE_OK;
}

static void address_text(const struct sockaddr *address, char text[OS_ADDRESS_TEXT_BYTES])
{
    char number[INET6_ADDRSTRLEN] = "";
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        inet_ntop(AF_INET, &v4->sin_addr, number, sizeof(number));
        snprintf(text, OS_ADDRESS_TEXT_BYTES, "%s:%u", number, (unsigned)ntohs(v4->sin_port));
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        inet_ntop(AF_INET6, &v6->sin6_addr, number, sizeof(number));
        snprintf(text, OS_ADDRESS_TEXT_BYTES, "[%s]:%u", number, (unsigned)ntohs(v6->sin6_port));
    } else if (address->sa_family == AF_UNIX) {
        const struct sockaddr_un *local = (const void *)address;
        snprintf(text, OS_ADDRESS_TEXT_BYTES, "%.107s:0", local->sun_path);
    } else {
        snprintf(text, OS_ADDRESS_TEXT_BYTES, "?:0");
    }
}

/* What accepted sockets are born with: asking for it each time is five calls a client. */
static bool set_for_accepted(int fd)
{
    static const int one = 1;
    static const int idle_s = 60;
    static const int again_s = 10;
    static const int times = 6;
    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &again_s, sizeof(again_s)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof(times)) == 0;
}

enum yore_status os_listen_tcp(const char *host, uint16_t port, int *fd_out, uint16_t *port_out,
                               struct yore_error *error_out)
{
    *fd_out = -1;
    struct addrinfo *list = NULL;
    enum yore_status status = resolve(host, port, &list, error_out);
    if (status != YORE_OK) {
        return status;
    }
    char where[OS_ADDRESS_TEXT_BYTES];
    address_text(list->ai_addr, where);
    int one = 1;
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && list->ai_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    }
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        !set_for_accepted(fd) || bind(fd, list->ai_addr, list->ai_addrlen) != 0 ||
        listen(fd, LISTEN_BACKLOG) != 0) {
        status = fail(error_out, "listen on", where);
        os_socket_close(fd);
        freeaddrinfo(list);
        return status;
    }
    freeaddrinfo(list);
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof(bound);
    getsockname(fd, (struct sockaddr *)&bound, &size);
    *port_out = bound.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&bound)->sin6_port)
                                            : ntohs(((struct sockaddr_in *)&bound)->sin_port);
    *fd_out = fd;
    return YORE_OK;
}

enum yore_status os_host_check(const char *host, struct yore_error *error_out)
{
    struct addrinfo *list = NULL;
    enum yore_status status = resolve(host, 0, &list, error_out);
    if (status != YORE_OK) {
        return status;
    }
    char where[OS_ADDRESS_TEXT_BYTES];
    address_text(list->ai_addr, where);
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, list->ai_addr, list->ai_addrlen) != 0) { /* a port of the system's */
        status = fail(error_out, "listen on", where);
    }
    os_socket_close(fd);
    freeaddrinfo(list);
    return status;
}

/* Is anybody still behind the socket at this address? */
static bool is_answered(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_taken = fd >= 0 && connect(fd, (const void *)address, sizeof(*address)) == 0;
    os_socket_close(fd);
    return is_taken;
}

enum yore_status os_listen_unix(const char *path, unsigned mode, int *fd_out,
                                struct yore_error *error_out)
{
    *fd_out = -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        return error_set(error_out, YORE_INVALID,
                         "the path of the socket %s is longer than %zu octets", path,
                         sizeof(address.sun_path) - 1);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    struct stat info;
    if (lstat(path, &info) == 0) {
        if (!S_ISSOCK(info.st_mode)) {
            return error_set(error_out, YORE_EXISTS, "%s is there and is no socket", path);
        }
        if (is_answered(&address)) {
            return error_set(error_out, YORE_LOCKED, "another process listens on %s", path);
        }
        unlink(path);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0177); /* nobody else's before the wanted permissions are set */
    bool is_bound = fd >= 0 && bind(fd, (const void *)&address, sizeof(address)) == 0;
    umask(before);
    if (!is_bound || chmod(path, (mode_t)mode) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        enum yore_status status = fail(error_out, "listen on", path);
        os_socket_close(fd);
        return status;
    }
    *fd_out = fd;
    return YORE_OK;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
    }
    const struct sockaddr_in6 *v6 = (const void *)address;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

bool os_host_is_loopback(const char *host)
{
    struct addrinfo *list = NULL;
    if (resolve(host, 0, &list, NULL) != YORE_OK) {
        return false;
    }
    bool is_own = true;
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        is_own = is_own && is_loopback(at->ai_addr);
    }
    freeaddrinfo(list);
    return is_own;
}

enum os_accept os_accept(int listener, int *fd_out, char peer[OS_ADDRESS_TEXT_BYTES],
                         char local[OS_ADDRESS_TEXT_BYTES])
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    int fd = -1;
    do {
        size = sizeof(address);
        fd = accept4(listener, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0) {
        bool is_out = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        return is_out ? OS_ACCEPT_EXHAUSTED : OS_ACCEPT_NONE;
    }
    struct sockaddr_storage own = {0};
    size = sizeof(own);
    getsockname(fd, (struct sockaddr *)&own, &size);
    address_text((struct sockaddr *)&own, local);
    if (own.ss_family == AF_UNIX) { /* the peer of a Unix socket has no name */
        memcpy(peer, local, OS_ADDRESS_TEXT_BYTES);
    } else {
        address_text((struct sockaddr *)&address, peer);
    }
    *fd_out = fd;
    return OS_ACCEPTED;
}

void os_socket_close(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

bool os_address_network(const char *address, uint64_t *network_out)
{
    char host[INET6_ADDRSTRLEN];
    unsigned char octets[16] = {0};
    bool is_v6 = address[0] == '[';
    const char *begin = address + (is_v6 ? 1 : 0);
    size_t size = strcspn(begin, is_v6 ? "]" : ":");
    if (size >= sizeof(host)) {
        return false;
    }
    memcpy(host, begin, size);
    host[size] = '\0';
    if (inet_pton(is_v6 ? AF_INET6 : AF_INET, host, octets) != 1) {
        return false;
    }
    *network_out = 0;
    for (size_t i = 0; i < (is_v6 ? 8u : 4u); i++) {
        *network_out = *network_out << 8 | octets[i];
    }
    return true;
}

/* ---- the other end ----------------------------------------------------------------------------
 */

/* Wait for `events`; false when the time passed first. */
static bool wait_for(int fd, short events, int64_t timeout_ns)
{
    struct pollfd item = {.fd = fd, .events = events};
    int64_t ms = timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
    int count = 0;
    do {
        count = poll(&item, 1, ms > INT32_MAX ? -1 : (int)ms);
    } while (count < 0 && errno == EINTR);
    return count > 0;
}

static enum yore_status connect_to(int fd, const struct sockaddr *address, socklen_t size,
                                   int64_t timeout_ns, struct yore_error *error_out)
{
    char where[OS_ADDRESS_TEXT_BYTES];
    address_text(address, where);
    if (fd < 0) {
        return fail(error_out, "connect to", where);
    }
    if (connect(fd, address, size) == 0) {
        return YORE_OK;
    }
    if (errno == EINPROGRESS && !wait_for(fd, POLLOUT, timeout_ns)) {
        errno = ETIMEDOUT;
    } else if (errno == EINPROGRESS) {
        int number = 0;
        socklen_t length = sizeof(number);
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &length);
        errno = number;
        if (number == 0) {
            return YORE_OK;
        }
    }
    fail(error_out, "connect to", where);
    return YORE_IO;
}

/* A machine that is gone is noticed within a minute, however long an answer may take. */
static void keep_alive(int fd)
{
    static const struct {
        int name;
        int value;
    } timing[] = {{TCP_KEEPIDLE, 30}, {TCP_KEEPINTVL, 10}, {TCP_KEEPCNT, 3}};
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    for (size_t i = 0; i < sizeof(timing) / sizeof(timing[0]); i++) {
        setsockopt(fd, IPPROTO_TCP, timing[i].name, &timing[i].value, sizeof(timing[i].value));
    }
}

enum yore_status os_connect_tcp(const char *host, uint16_t port, int64_t timeout_ns, int *fd_out,
                                struct yore_error *error_out)
{
    *fd_out = -1;
    struct addrinfo *list = NULL;
    enum yore_status status = resolve(host, port, &list, error_out);
    if (status != YORE_OK) {
        return status;
    }
    status = YORE_IO;
    for (const struct addrinfo *at = list; at != NULL && status != YORE_OK; at = at->ai_next) {
        int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        status = connect_to(fd, at->ai_addr, at->ai_addrlen, timeout_ns, error_out);
        if (status != YORE_OK) {
            os_socket_close(fd);
            continue;
        }
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        keep_alive(fd);
        *fd_out = fd;
    }
    freeaddrinfo(list);
    return status;
}

enum yore_status os_connect_unix(const char *path, int64_t timeout_ns, int *fd_out,
                                 struct yore_error *error_out)
{
    *fd_out = -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        return error_set(error_out, YORE_INVALID, "the path of the socket is too long");
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    enum yore_status status =
        connect_to(fd, (const void *)&address, sizeof(address), timeout_ns, error_out);
    if (status != YORE_OK) {
        os_socket_close(fd);
        return status;
    }
    *fd_out = fd;
    return YORE_OK;
}

enum yore_status os_socket_write(int fd, const void *data, size_t size, int64_t timeout_ns,
                                 struct yore_error *error_out)
{
    const char *at = data;
    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent > 0) {
            at += sent;
            size -= (size_t)sent;
        } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (!wait_for(fd, POLLOUT, timeout_ns)) {
                return error_set(error_out, YORE_IO, "the other side takes nothing");
            }
        } else if (errno != EINTR) {
            return error_set(error_out, YORE_IO, "cannot send: %s", strerror(errno));
        }
    }
    return YORE_OK;
}

enum yore_status os_socket_read(int fd, void *data, size_t size, int64_t timeout_ns,
                                size_t *read_out, struct yore_error *error_out)
{
    *read_out = 0;
    for (;;) {
        ssize_t got = recv(fd, data, size, 0);
        if (got > 0) {
            *read_out = (size_t)got;
            return YORE_OK;
        }
        if (got == 0) {
            return error_set(error_out, YORE_IO, "the other side has closed the connection");
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait_for(fd, POLLIN, timeout_ns)) {
                return error_set(error_out, YORE_NOT_FOUND, "nothing came in time");
            }
        } else if (errno != EINTR) {
            return error_set(error_out, YORE_IO, "cannot receive: %s", strerror(errno));
        }
    }
}

bool os_socket_is_quiet(int fd)
{
    char octet;
    ssize_t got;
    do {
        got = recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

uint64_t os_descriptors_raise(uint64_t wanted)
{
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    if (limit.rlim_cur < wanted) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : (rlim_t)wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            limit.rlim_cur = before;
        }
    }
    return limit.rlim_cur;
}
