/* http.h -- one HTTP client: its requests, who it is, which route answers.
 *
 * The handler of net for connections that speak HTTP.  A request goes through these states; each
 * turn goes as far as octets and pace allow:
 *
 *     HEAD  -> the head is whole: Host and Origin are checked, the route is found
 *     LOGIN -> (pace LOGIN) user and password are checked, unless they are those of the last
 * request BODY  -> the body is whole, or streams into the route's taker RUN   -> (the route's pace)
 * the route answers; then HEAD again, or the end
 *
 * Everything a route does to data is a command of the command layer, run as the request's user: the
 * same rights, the same limits, the same log as for Redis clients.
 */
#ifndef YORE_SERVER_HTTP_H
#define YORE_SERVER_HTTP_H

#include "server/session.h"

void http_handler_init(struct net_handler *handler, struct session_scope *scope);

/* A push of the command layer for an HTTP client: becomes an event of its stream.  `conn` is what
 * the client was made with. */
void http_push(struct net_conn *conn, struct yore_bytes push);

#endif
