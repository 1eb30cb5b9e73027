#include "support/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int wire_connect(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    int one = 1;
    struct timeval patience = {.tv_sec = WIRE_PATIENCE_MS / 1000};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return fd;
}

void wire_close(int fd)
{
    close(fd);
}

bool wire_send(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool wire_send_text(int fd, const char *text)
{
    return wire_send(fd, text, strlen(text));
}

size_t wire_send_some(int fd, const void *data, size_t size)
{
    ssize_t sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? (size_t)sent : 0;
}

void wire_end(int fd)
{
    shutdown(fd, SHUT_WR);
}

bool wire_read(int fd, void *data, size_t size)
{
    char *at = data;
    while (size > 0) {
        ssize_t got = recv(fd, at, size, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        at += got;
        size -= (size_t)got;
    }
    return true;
}

size_t wire_read_all(int fd, void *data, size_t room)
{
    char *at = data;
    size_t size = 0;
    while (size < room) {
        ssize_t got = recv(fd, at + size, room - size, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return SIZE_MAX;
        }
        if (got <= 0) {
            break;
        }
        size += (size_t)got;
    }
    return size;
}

bool wire_expect(int fd, const char *text)
{
    char chunk[256];
    size_t left = strlen(text);
    while (left > 0) {
        size_t size = left < sizeof(chunk) ? left : sizeof(chunk);
        if (!wire_read(fd, chunk, size) || memcmp(chunk, text, size) != 0) {
            return false;
        }
        text += size;
        left -= size;
    }
    return true;
}

bool wire_line(int fd, char *line, size_t room)
{
    size_t size = 0;
    while (size + 1 < room && wire_read(fd, line + size, 1)) {
        size++;
        if (size >= 2 && line[size - 2] == '\r' && line[size - 1] == '\n') {
            line[size - 2] = '\0';
            return true;
        }
    }
    line[size] = '\0';
    return false;
}
