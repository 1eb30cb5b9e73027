#include "turns.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS 900000 /* of opening, loading included, and of a slice */
#define ROW_IS_OVER 0x80u

/* An engine's process.  Orders go down the socket, one octet each: the row, with ROW_IS_OVER behind
 * its last slice.  The process answers each with one octet, and one when its database is open; a
 * closed socket tells it to end. */
struct seat {
    const struct run *run;
    pid_t pid;  /* 0: gone */
    int socket; /* -1: closed */
};

static void serve(const struct seat *seat, const struct turns_player *player, const void *spec)
{
    unsigned char order = 0;
    void *state = player->open(seat->run, spec);
    while (send(seat->socket, &order, 1, MSG_NOSIGNAL) == 1 &&
           recv(seat->socket, &order, 1, 0) == 1) {
        unsigned row = order & ~ROW_IS_OVER;
        player->play(state, row, 1.0 / TURNS);
        if (order & ROW_IS_OVER) {
            player->tell(state, row);
        }
    }
    player->close(state);
    fflush(stdout);
    _exit(0);
}

/* Wait for the process, and tell of it when it failed. */
static void leave(struct seat *seat, const char *what)
{
    close(seat->socket);
    seat->socket = -1;
    run_emit_status(seat->run, what, run_wait(seat->pid));
    seat->pid = 0;
}

static void await(struct seat *seat, const char *what)
{
    unsigned char answer;
    struct pollfd wanted = {.fd = seat->socket, .events = POLLIN};
    if (poll(&wanted, 1, LIMIT_MS) != 1) {
        kill(seat->pid, SIGKILL);
    }
    if (recv(seat->socket, &answer, 1, 0) != 1) {
        leave(seat, what);
    }
}

/* seats[number] gets a process, whose database is open when this returns. */
static void sit_down(struct seat *seats, unsigned number, const struct turns_player *player,
                     const void *spec, const char *what)
{
    struct seat *seat = &seats[number];
    int ends[2];
    fflush(stdout);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || (seat->pid = fork()) < 0) {
        perror("kvbench");
        exit(1);
    }
    if (seat->pid == 0) {
        for (unsigned i = 0; i < number; i++) { /* else they would not see the driver's end */
            close(seats[i].socket);
        }
        close(ends[0]);
        seat->socket = ends[1];
        serve(seat, player, spec);
    }
    close(ends[1]);
    seat->socket = ends[0];
    await(seat, what);
}

static void play(struct seat *seat, unsigned row, int is_over, const char *what)
{
    unsigned char order = (unsigned char)(row | (is_over ? ROW_IS_OVER : 0));
    if (seat->pid == 0) {
        return;
    }
    if (send(seat->socket, &order, 1, MSG_NOSIGNAL) != 1) {
        leave(seat, what);
        return;
    }
    await(seat, what);
}

void turns_run(const struct run *runs, unsigned count, const struct turns_player *player,
               const void *spec, const char *what)
{
    struct seat seats[RUN_ENGINES_MAX];
    count = count < RUN_ENGINES_MAX ? count : RUN_ENGINES_MAX;
    for (unsigned i = 0; i < count; i++) {
        seats[i] = (struct seat){.run = &runs[i]};
        sit_down(seats, i, player, spec, what);
    }
    for (unsigned row = 0; row < player->rows; row++) {
        for (unsigned turn = 0; turn < TURNS; turn++) {
            for (unsigned i = 0; i < count; i++) {
                play(&seats[i], row, turn + 1 == TURNS, what);
            }
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (seats[i].pid > 0) {
            leave(&seats[i], what);
        }
    }
}
