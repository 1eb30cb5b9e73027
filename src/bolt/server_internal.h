/* server_internal.h -- the inside of the Bolt server, for the files of this folder. */
#ifndef YORE_BOLT_SERVER_INTERNAL_H
#define YORE_BOLT_SERVER_INTERNAL_H

#include <stdatomic.h>

#include "bolt/server.h"
#include "os/thread.h"

struct bolt_session;

struct bolt_server {
    struct bolt_options options;
    struct os_mutex lock;          /* the two lists */
    struct bolt_session *sessions; /* GUARDED_BY(lock) */
    struct bolt_session *gone;     /* GUARDED_BY(lock): closed, and holding what the tick ends */
    _Atomic uint64_t next_id;
    _Atomic uint64_t session_count;
    _Atomic uint64_t transactions;
    _Atomic uint64_t requests;
    _Atomic uint64_t failures;
    _Atomic uint64_t statements;
    _Atomic uint64_t rows;
    _Atomic uint64_t interrupted;
};

static inline void bolt_count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* session.c: everything of a session that no list has any more. */
void session_destroy(struct bolt_session *session);

#endif
