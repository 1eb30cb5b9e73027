#include "support/server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/test.h"

#define FLAGS_MAX 60
#define SERVERS_MAX 16 /* of one case, at a time */

/* Those that run. */
static pid_t running[SERVERS_MAX];

static void note(pid_t was, pid_t is)
{
    for (size_t i = 0; i < SERVERS_MAX; i++) {
        if (running[i] == was) {
            running[i] = is;
            return;
        }
    }
    FAIL("more than %d servers at a time", SERVERS_MAX);
}

/* A case that failed has left them. */
static void kill_left(void)
{
    for (size_t i = 0; i < SERVERS_MAX; i++) {
        if (running[i] > 0) {
            kill(running[i], SIGKILL);
            waitpid(running[i], NULL, 0);
            running[i] = 0;
        }
    }
}

static uint16_t port_behind(const char *text, const char *word)
{
    const char *line = strstr(text, word);
    const char *port = line != NULL ? strstr(line, " port ") : NULL;
    return port != NULL ? (uint16_t)strtoul(port + 6, NULL, 10) : 0;
}

static void run_program(const char *dir, const char *const *flags, int out, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test program that is killed takes it along */
    if (getppid() != parent) {
        _exit(127);
    }
    const char *words[FLAGS_MAX] = {YORE_PROGRAM, "server",          "--dir",          dir,
                                    "--port=any", "--http-port=any", "--bolt-port=any"};
    size_t count = 7;
    for (size_t i = 0; flags != NULL && flags[i] != NULL && count + 1 < FLAGS_MAX; i++) {
        words[count++] = flags[i];
    }
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    /* TSan counts 64 locks a thread at most; the command layer has as many stripes. */
    setenv("TSAN_OPTIONS", "detect_deadlocks=0", 0);
    char *argv[FLAGS_MAX];
    memcpy(argv, words, sizeof(argv));
    execv(YORE_PROGRAM, argv);
    _exit(127);
}

bool server_start(struct server_process *server, const char *dir, const char *const *flags)
{
    int ends[2];
    *server = (struct server_process){0};
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    test_at_end(kill_left);
    pid_t parent = getpid();
    server->pid = fork();
    CHECK(server->pid >= 0);
    if (server->pid == 0) {
        run_program(dir, flags, ends[1], parent);
    }
    note(0, server->pid);
    close(ends[1]);
    server->out = ends[0];
    size_t size = 0;
    while (size + 1 < sizeof(server->text)) {
        ssize_t got = read(server->out, server->text + size, sizeof(server->text) - size - 1);
        if (got <= 0) {
            waitpid(server->pid, NULL, 0);
            note(server->pid, 0);
            close(server->out);
            return false;
        }
        size += (size_t)got;
        server->text[size] = '\0';
        if (strstr(server->text, "Ready to accept connections\n") != NULL) {
            break;
        }
    }
    /* What it logs later must not block it. */
    CHECK(fcntl(server->out, F_SETPIPE_SZ, 1 << 20) > 0);
    server->port = port_behind(server->text, "\nredis      ");
    server->tls_port = port_behind(server->text, "\nredis tls  ");
    server->bolt_port = port_behind(server->text, "\nbolt       ");
    server->http_port = port_behind(server->text, "\nhttp       ");
    return true;
}

int server_end(struct server_process *server)
{
    int status = 0;
    kill(server->pid, SIGTERM);
    for (int i = 0; i < 18000; i++) {
        if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
            note(server->pid, 0);
            close(server->out);
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    server_kill(server);
    return -1;
}

void server_kill(struct server_process *server)
{
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    note(server->pid, 0);
    close(server->out);
}

void server_signal(struct server_process *server, int number)
{
    kill(server->pid, number);
}

uint64_t server_memory(const struct server_process *server)
{
    char path[64];
    char line[200];
    unsigned long long kib = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)server->pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "VmRSS: %llu kB", &kib) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return (uint64_t)kib * 1024;
}
