/* socket.h -- listening for stream connections: TCP and Unix sockets, without blocking.
 *
 * What is done with a connection afterwards (reading, writing, waiting) is net's, through libuv;
 * this is the part for which it has no words.  Descriptors are plain numbers, closed on exec.
 */
#ifndef YORE_OS_SOCKET_H
#define YORE_OS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define OS_ADDRESS_TEXT_BYTES 120 /* "[2001:db8::1]:6379", or the path of a Unix socket */

/* Listen on `host` (a numeric address, or a name of which the first address is taken) and `port`;
 * 0 lets the system choose.  `*port_out` is the port in use.
 * Errors: YORE_INVALID (no such address), YORE_LOCKED (in use), YORE_IO. */
enum yore_status os_listen_tcp(const char *host, uint16_t port, int *fd_out, uint16_t *port_out,
                               struct yore_error *error_out);

/* Listen on the Unix socket `path`, made with the permissions `mode`; a socket nobody listens on
 * any more is replaced.  Errors: YORE_INVALID (too long), YORE_LOCKED, YORE_EXISTS (no socket),
 * YORE_IO.
 */
enum yore_status os_listen_unix(const char *path, unsigned mode, int *fd_out,
                                struct yore_error *error_out);

/* Can one listen on `host`, whatever the port?  Errors: as os_listen_tcp()'s; never YORE_LOCKED. */
enum yore_status os_host_check(const char *host, struct yore_error *error_out);

/* True when every address `host` stands for is this machine's own loopback. */
bool os_host_is_loopback(const char *host);

enum os_accept {
    OS_ACCEPTED,
    OS_ACCEPT_NONE,
    OS_ACCEPT_EXHAUSTED /* no descriptor or memory left */
};

/* The next connection that waits at `listener`, or OS_ACCEPT_NONE.  `peer` and `local` get the
 * addresses as text. */
enum os_accept os_accept(int listener, int *fd_out, char peer[OS_ADDRESS_TEXT_BYTES],
                         char local[OS_ADDRESS_TEXT_BYTES]);

void os_socket_close(int fd);

/* The network of an address as os_accept() tells it: an IPv4 address as a whole, the first 64 bits
 * of an IPv6 one, of which whoever has one has all.  False: it has none, as a Unix socket. */
bool os_address_network(const char *address, uint64_t *network_out);

/* ---- the other end, blocking with deadlines ---- */

/* Errors: YORE_INVALID (no such address), YORE_IO (nobody listens, the time passed). */
enum yore_status os_connect_tcp(const char *host, uint16_t port, int64_t timeout_ns, int *fd_out,
                                struct yore_error *error_out);
enum yore_status os_connect_unix(const char *path, int64_t timeout_ns, int *fd_out,
                                 struct yore_error *error_out);
/* Write all of `data`.  Errors: YORE_IO. */
enum yore_status os_socket_write(int fd, const void *data, size_t size, int64_t timeout_ns,
                                 struct yore_error *error_out);
/* Read what there is, at least one octet, at most `size`.  Errors: YORE_NOT_FOUND (nothing came
 * within the time), YORE_IO (also when the other side has closed). */
enum yore_status os_socket_read(int fd, void *data, size_t size, int64_t timeout_ns,
                                size_t *read_out, struct yore_error *error_out);

/* Is the connection open, with nothing to read? */
bool os_socket_is_quiet(int fd);

/* Raise the limit of open descriptors as far as allowed, up to `wanted`; what it is then. */
uint64_t os_descriptors_raise(uint64_t wanted);

#endif
