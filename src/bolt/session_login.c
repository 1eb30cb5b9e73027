/* session_login.c -- who a client is, and where it is to go. */
#include <stdio.h>
#include <string.h>

#include "bolt/failure.h"
#include "bolt/session_internal.h"

/* ---- logging in -------------------------------------------------------------------------------
 */

static void tell_login(struct bolt_session *session, const char *code)
{
    const struct bolt_port *port = &session->server->options.port;
    struct bolt_event event = {.request = "LOGON",
                               .user = session->request.login.principal,
                               .is_denied = code != NULL,
                               .code = code};
    port->tell(port->arg, session->conn, &event);
}

/* NULL: the client is who it says; otherwise why not, and the code of that. */
static const char *check_login(struct bolt_session *session, const char **code_out)
{
    const struct bolt_login *login = &session->request.login;
    const struct bolt_port *port = &session->server->options.port;
    *code_out = FAILURE_UNAUTHORIZED;
    if (login->scheme.size == 0 || bytes_are(login->scheme, "none")) {
        return port->is_trusted(port->arg, session->conn)
                   ? NULL
                   : "a user and a password are needed here: authentication scheme 'basic'";
    }
    if (!bytes_are(login->scheme, "basic")) {
        return "authentication schemes are 'basic' (user and password) and 'none'";
    }
    int64_t wait_ns = 0;
    bool is_good =
        port->log_in(port->arg, session->conn, login->principal, login->credentials, &wait_ns);
    if (wait_ns > 0) {
        *code_out = FAILURE_LOGIN_RATE;
    }
    tell_login(session, is_good ? NULL : *code_out);
    return is_good       ? NULL
           : wait_ns > 0 ? "too many wrong passwords have come from your address: try again later"
                         : "user or password are wrong, or the user is off";
}

/* True: it is in.  Otherwise it was answered, and the connection ends. */
static bool log_in(struct bolt_session *session, struct buffer *out)
{
    const char *code = NULL;
    const char *why = check_login(session, &code);
    if (why != NULL) {
        session_refuse(session, out, code, why);
    }
    return why == NULL;
}

void session_logon(struct bolt_session *session, struct buffer *out)
{
    if (log_in(session, out)) {
        session->state = STATE_READY;
        bolt_put_success(out);
    }
}

void session_logoff(struct bolt_session *session, struct buffer *out)
{
    const struct bolt_port *port = &session->server->options.port;
    if (!port->log_out(port->arg, session->conn)) {
        session_refuse(session, out, FAILURE_NOMEM, "out of memory");
        return;
    }
    session->state = STATE_AUTHENTICATION;
    bolt_put_success(out);
}

/* ---- HELLO ------------------------------------------------------------------------------------
 */

/* Three keep-alives; whole seconds. */
static int64_t patience_seconds(const struct bolt_server *server)
{
    int64_t ns = 3 * server->options.keep_alive_ns;
    return (ns + 999999999) / 1000000000;
}

static void keep_address(struct bolt_session *session, struct yore_bytes address)
{
    if (address.size > 0 && address.size <= BOLT_ADDRESS_BYTES_MAX) {
        memcpy(session->address, address.data, address.size);
        session->address[address.size] = '\0';
    }
}

static void put_hello(struct bolt_session *session, struct buffer *out)
{
    char text[80];
    bool is_patched = session->version.major == 4 && session->request.has_utc_patch;
    size_t begin = session_success(out, is_patched ? 4 : 3);
    pack_text(out, "server");
    snprintf(text, sizeof(text), "Yore/%s", yore_version());
    pack_text(out, text);
    pack_text(out, "connection_id");
    snprintf(text, sizeof(text), "bolt-%llu", (unsigned long long)session->id);
    pack_text(out, text);
    pack_text(out, "hints");
    pack_map(out, 1);
    pack_text(out, "connection.recv_timeout_seconds");
    pack_int(out, patience_seconds(session->server));
    if (is_patched) {
        session->dialect.has_utc = true;
        pack_text(out, "patch_bolt");
        pack_list(out, 1);
        pack_text(out, "utc");
    }
    frame_end(out, begin);
}

void session_hello(struct bolt_session *session, struct buffer *out)
{
    bool logs_in = !bolt_version_is_since(session->version, 5, 1);
    if (logs_in && !log_in(session, out)) {
        return;
    }
    keep_address(session, session->request.address);
    session->state = logs_in ? STATE_READY : STATE_AUTHENTICATION;
    put_hello(session, out);
}

/* ---- ROUTE ------------------------------------------------------------------------------------
 */

static void put_role(struct buffer *out, const char *role, const char *address)
{
    pack_map(out, 2);
    pack_text(out, "addresses");
    pack_list(out, 1);
    pack_text(out, address);
    pack_text(out, "role");
    pack_text(out, role);
}

/* There is one server, and it does everything. */
void session_route(struct bolt_session *session, struct buffer *out)
{
    const struct bolt_server *server = session->server;
    struct yore_bytes database = session->request.scope.database;
    keep_address(session, session->request.address);
    size_t begin = session_success(out, 1);
    pack_text(out, "rt");
    pack_map(out, 3);
    pack_text(out, "ttl");
    pack_int(out, BOLT_ROUTE_TTL_SECONDS);
    pack_text(out, "db");
    if (database.size > 0) {
        pack_string(out, database);
    } else {
        pack_text(out, server->options.graph);
    }
    pack_text(out, "servers");
    pack_list(out, 3);
    put_role(out, "WRITE", session->address);
    put_role(out, "READ", session->address);
    put_role(out, "ROUTE", session->address);
    frame_end(out, begin);
}
