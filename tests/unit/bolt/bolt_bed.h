/* bolt_bed.h -- a Bolt server on a simulated disk, and a client that talks in text (bolt_text.h).
 */
#ifndef YORE_TEST_BOLT_BOLT_BED_H
#define YORE_TEST_BOLT_BOLT_BED_H

#include "bolt/server.h"
#include "bolt/session.h"
#include "query/query_cache.h"
#include "support/test.h"
#include "topology/graph_pool.h"
#include "unit/engine/bed.h"

#define BOLT_BED_TEXT_BYTES 65536

struct bolt_bed {
    struct bed bed;
    struct graph_pool *graphs;
    struct query_cache *queries;
    struct bolt_server *server;
    struct bolt_session *session;
    bool needs_login;      /* user ann, password secret */
    int64_t login_wait_ns; /* what the port says of a login that is not looked at */
    bool is_in;
    bool pauses_writes; /* what the port says of pauses */
    bool pauses_all;
    bool is_gone;           /* the client has left */
    bool is_watched;        /* octets are shown to bolt_session_arrived() first */
    const char *unwritable; /* the one graph that may not be written to, or NULL */
    bool is_unreadable;     /* nothing may be read */
    int64_t horizon;        /* how far back the user may look */
    unsigned noops;
    unsigned denied;
    unsigned statements; /* that have ended */
    struct buffer input;
    struct buffer out;
    enum bolt_next next; /* what the last turn said */
    enum bolt_pace pace; /* and what it wanted; turns are given at every pace until none is */
    unsigned long_turns;
    size_t turn_bytes; /* the most that one turn gave */
};

void bolt_bed_open(struct bolt_bed *bed);
void bolt_bed_close(struct bolt_bed *bed);
/* A new connection: the handshake for one version is done. */
void connect_as(struct bolt_bed *bed, unsigned major, unsigned minor);
/* The same, logged in, of Bolt 5.4. */
void connect_ready(struct bolt_bed *bed);

/* Messages, a line each, and what comes back, a line each; one of the last four. */
const char *talk(struct bolt_bed *bed, const char *messages);
/* Octets as they are. */
void talk_octets(struct bolt_bed *bed, const void *data, size_t size);
/* What has come back since, as text. */
const char *answers(struct bolt_bed *bed);

#define TALKED(bed, messages, want) CHECK_EQ_STR(talk(bed, messages), want)

#endif
