/* bed.h -- a server without sockets: requests as text in, replies as text out.
 *
 * A request is words divided by blanks; "\"a b\"" is one word, "\xNN" an octet.  A reply is RESP
 * with
 * "|" for each line end.  What is pushed to a client gathers in its own buffer. */
#ifndef YORE_TEST_COMMAND_BED_H
#define YORE_TEST_COMMAND_BED_H

#include <stdbool.h>

#include <yore/yore.h>

#include "base/buffer.h"
#include "command/command.h"
#include "command/reply.h"
#include "support/test.h"

struct bed;

struct bed_client {
    struct bed *bed;
    struct client *client;
    struct buffer pushed;
    bool is_closed;          /* by the port */
    bool is_gone;            /* what the port says of it */
    bool must_close;         /* as command_run() said */
    struct buffer text;      /* of the last reply */
    struct command_job *job; /* requests run in it, begun and ended by the test; NULL: one each */
};

struct bed {
    const char *path;
    struct yore_db *db;
    struct command_server *server;
    const char *aclfile;
    const char *backup_path; /* as aclfile: set before bed_open() */
    struct bed_client clients[4];
    bool is_ended;   /* by SHUTDOWN */
    bool has_failed; /* set by a test that has the database fail: closing it tells, too */
};

void bed_open(struct bed *bed); /* clients[0] is there, RESP2 */
void bed_close(struct bed *bed);
/* Close server and database and open them again; clients are new. */
void bed_reopen(struct bed *bed);
struct bed_client *bed_client(struct bed *bed, size_t index); /* made where it is missing */
/* Run one request; the reply as text, until the client's next. */
const char *bed_run(struct bed_client *client, const char *request);
/* Run it and compare.  Of "TTL key" some seconds may have passed meanwhile. */
#define EXPECT(client, request, reply) bed_expect(client, request, reply, TEST_PLACE(request))
void bed_expect(struct bed_client *client, const char *request, const char *reply,
                const struct test_place *place);
/* What was pushed since, as text; forgotten. */
const char *bed_pushed(struct bed_client *client);

#endif
