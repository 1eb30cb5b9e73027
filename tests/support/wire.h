/* wire.h -- a client's end of a connection, for tests of servers: blocking, with deadlines. */
#ifndef YORE_TEST_SUPPORT_WIRE_H
#define YORE_TEST_SUPPORT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_PATIENCE_MS 180000

/* Connect to 127.0.0.1:`port`; -1 when nobody listens there. */
int wire_connect(uint16_t port);
void wire_close(int fd);

/* False when the other side has gone. */
bool wire_send(int fd, const void *data, size_t size);
bool wire_send_text(int fd, const char *text);
/* As much as is taken at once; without waiting. */
size_t wire_send_some(int fd, const void *data, size_t size);
/* Say that nothing more will be sent. */
void wire_end(int fd);

/* Read exactly `size` octets; false when they do not come. */
bool wire_read(int fd, void *data, size_t size);
/* Read until the other side closes, at most `room` octets; how many.  SIZE_MAX: it did not close in
 * time. */
size_t wire_read_all(int fd, void *data, size_t room);
/* Is the next of what is read exactly `text`? */
bool wire_expect(int fd, const char *text);
/* Read a line up to CR LF, which are dropped; false when none comes, or it is longer. */
bool wire_line(int fd, char *line, size_t room);

#endif
