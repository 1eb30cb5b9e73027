/* server_process.h -- a `yore server` of a test's own: started, talked to, ended by its number.
 *
 * The program is the macro YORE_PROGRAM.  Ports are chosen by the kernel and read from what the
 * server prints.  One that a case leaves running, as a failed check does, is killed when the case
 * ends, and when the test program itself is killed.
 */
#ifndef YORE_TEST_SUPPORT_SERVER_PROCESS_H
#define YORE_TEST_SUPPORT_SERVER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVER_TEXT_BYTES 8192

struct server_process {
    pid_t pid;
    int out; /* what it prints */
    uint16_t port;
    uint16_t http_port;
    uint16_t tls_port;
    uint16_t bolt_port;
    char text[SERVER_TEXT_BYTES]; /* printed until it was ready, or ended */
};

/* Start it on directory `dir` with `flags` (terminated by NULL) besides; wait until it is ready.
 * False: it ended instead; its text says why, and it is reaped. */
bool server_start(struct server_process *server, const char *dir, const char *const *flags);
/* SIGTERM, and wait; its exit status, or -1 when a signal ended it or it did not end. */
int server_end(struct server_process *server);
/* SIGKILL, and wait. */
void server_kill(struct server_process *server);
void server_signal(struct server_process *server, int number);
/* Its resident memory in octets, now. */
uint64_t server_memory(const struct server_process *server);

#endif
