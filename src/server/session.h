/* session.h -- one Redis client: its octets become requests, these run, replies go back.
 *
 * The handler of net (net/net.h) for connections that speak RESP.  A request is parsed once; where
 * it must not run at the pace of a turn it is kept until one comes that may.
 */
#ifndef YORE_SERVER_SESSION_H
#define YORE_SERVER_SESSION_H

#include <stdatomic.h>
#include <stdint.h>

#include "net/net.h"

struct command_server;
struct server;
struct log;

/* What all sessions share; kept by them. */
struct session_scope {
    struct command_server *commands;
    struct log *log;
    struct log *audit;              /* NULL: none is kept */
    _Atomic int64_t idle_ns;        /* setting timeout; 0: never */
    _Atomic int64_t login_ns;       /* setting login-timeout */
    _Atomic uint64_t body_max;      /* setting http-body-max */
    _Atomic int64_t transaction_ns; /* setting bolt-transaction-timeout; 0: never */
    const char *hosts;              /* setting http-hosts */
    bool allows_compat;             /* setting http-compat-writes */
    struct server *server;          /* for what is told of the whole: metrics, readiness */
};

/* Fill in what net calls; `scope` is kept. */
void session_handler_init(struct net_handler *handler, struct session_scope *scope);

/* The same for what is done around jobs: writes of all their sessions become durable at once. */
void session_jobs_init(struct net_jobs *jobs, struct session_scope *scope);

#endif
