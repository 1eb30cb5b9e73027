/* listen.c -- the addresses of the configuration become listening sockets. */
#include <stdio.h>
#include <string.h>

#include "os/socket.h"
#include "server/bolt.h"
#include "server/http.h"
#include "server/server_internal.h"

#define HOST_BYTES 256

/* The next word of a list of addresses; false: no more.  A `-` before it: it may be missing. */
static bool next_host(const char **list, char host[HOST_BYTES], bool *is_optional_out)
{
    *list += strspn(*list, " \t");
    size_t size = strcspn(*list, " \t");
    if (size == 0) {
        return false;
    }
    *is_optional_out = **list == '-';
    size_t skip = *is_optional_out ? 1 : 0;
    snprintf(host, HOST_BYTES, "%.*s", (int)(size - skip), *list + skip);
    if (strcmp(host, "*") == 0) {
        snprintf(host, HOST_BYTES, "0.0.0.0");
    }
    *list += size;
    return true;
}

static enum yore_status check_hosts(const char *setting, const char *list,
                                    struct yore_error *error_out)
{
    char host[HOST_BYTES];
    bool is_optional = false;
    unsigned count = 0;
    const char *at = list;
    while (next_host(&at, host, &is_optional)) {
        struct yore_error cause = {0};
        enum yore_status status = os_host_check(host, &cause);
        if (status != YORE_OK && !is_optional) {
            return error_set(error_out, status, "%s: %.400s", setting, cause.text);
        }
        count += status == YORE_OK ? 1 : 0;
    }
    return count > 0 ? YORE_OK
                     : error_set(error_out, YORE_INVALID, "%s: no address of '%.300s' can be used",
                                 setting, list);
}

enum yore_status listen_check_hosts(const struct config *config, struct yore_error *error_out)
{
    bool has_own = *config->http_bind != '\0';
    bool needs_bind = config->port != 0 || config->tls_port != 0 || config->bolt_port != 0 ||
                      (config->http_port != 0 && !has_own);
    enum yore_status status = needs_bind ? check_hosts("bind", config->bind, error_out) : YORE_OK;
    if (status == YORE_OK && config->http_port != 0 && has_own) {
        status = check_hosts("http-bind", config->http_bind, error_out);
    }
    return status;
}

static bool is_loopback_only(const char *list)
{
    char host[HOST_BYTES];
    bool is_optional = false;
    while (next_host(&list, host, &is_optional)) {
        if (!os_host_is_loopback(host)) {
            return false;
        }
    }
    return true;
}

/* Do other machines reach a port that asks for no certificate? */
static bool is_wide(const struct config *config)
{
    bool has_wide_bind = !is_loopback_only(config->bind);
    bool has_wide_http = config->http_port != 0 && !is_loopback_only(config->http_bind);
    bool needs_certificate = config->port == 0 && config->tls_auth_clients == CONFIG_TLS_YES &&
                             (config->http_port == 0 || config->http_tls) &&
                             (config->bolt_port == 0 || config->bolt_tls);
    return (has_wide_bind || has_wide_http) && !needs_certificate;
}

enum yore_status listen_admit_all(void *arg, struct yore_error *error_out)
{
    const struct server *server = arg;
    const struct config *config = server->config;
    bool has_wide_bind = !is_loopback_only(config->bind);
    if (config->insecure || !server->has_users || !is_wide(config)) {
        return YORE_OK;
    }
    return error_set(error_out, YORE_INVALID,
                     "will not listen to other machines (%s %s) while nobody has to log in: give "
                     "the default user a password (requirepass ...), or define users (aclfile), or "
                     "demand certificates; --insecure does it all the same",
                     has_wide_bind ? "bind" : "http-bind",
                     has_wide_bind ? config->bind : config->http_bind);
}

enum yore_status listen_check(struct server *server, struct yore_error *error_out)
{
    server->has_users = true;
    if (command_needs_login(server->commands)) {
        return YORE_OK;
    }
    if (server->config->insecure && is_wide(server->config)) {
        log_text(server->log, LOG_WARN,
                 "INSECURE: other machines are listened to, and nobody has to log in: whoever "
                 "reaches this port can read, change and destroy everything");
    }
    return listen_admit_all(server, error_out);
}

/* One port on every address of a list. */
struct place {
    const char *hosts;
    uint64_t port;
    struct net_tls *tls;
    const char *setting; /* that chose the port */
    void (*handler_init)(struct net_handler *handler, struct session_scope *scope);
};

static enum yore_status listen_hosts(struct server *server, const struct place *place,
                                     uint16_t *port_out, struct yore_error *error_out)
{
    const char *list = place->hosts;
    uint64_t port = place->port;
    struct net_handler handler;
    place->handler_init(&handler, &server->scope);
    char host[HOST_BYTES];
    bool is_optional = false;
    unsigned count = 0;
    *port_out = port == CONFIG_PORT_ANY ? 0 : (uint16_t)port; /* chosen once, for all of them */
    while (next_host(&list, host, &is_optional)) {
        int fd = -1;
        struct yore_error cause = {0};
        enum yore_status status = os_listen_tcp(host, *port_out, &fd, port_out, &cause);
        if (status != YORE_OK && is_optional && status != YORE_LOCKED) {
            continue;
        }
        if (status == YORE_LOCKED) {
            return error_set(error_out, status, "%.400s; choose another with --%s", cause.text,
                             place->setting);
        }
        if (status != YORE_OK) {
            return error_set(error_out, status, "%.480s", cause.text);
        }
        status = net_listen(server->net, fd, &handler, place->tls, error_out);
        if (status != YORE_OK) {
            os_socket_close(fd);
            return status;
        }
        count++;
    }
    return count > 0
               ? YORE_OK
               : error_set(error_out, YORE_INVALID, "no address of %s can be used", place->hosts);
}

void tls_files_of(const struct config *config, struct tls_files *files_out)
{
    bool asks = config->tls_auth_clients != CONFIG_TLS_NO;
    *files_out = (struct tls_files){
        .cert = *config->tls_cert_file != '\0' ? config->tls_cert_file : NULL,
        .key = *config->tls_key_file != '\0' ? config->tls_key_file : NULL,
        .ca = asks && *config->tls_ca_cert_file != '\0' ? config->tls_ca_cert_file : NULL,
        .is_mutual = config->tls_auth_clients == CONFIG_TLS_YES};
}

static enum yore_status listen_unix(struct server *server, struct yore_error *error_out)
{
    int fd = -1;
    enum yore_status status = os_listen_unix(
        server->config->unixsocket, (unsigned)server->config->unixsocketperm, &fd, error_out);
    server->has_socket = status == YORE_OK;
    if (status == YORE_OK) {
        struct net_handler handler;
        session_handler_init(&handler, &server->scope);
        status = net_listen(server->net, fd, &handler, NULL, error_out);
    }
    return status;
}

static enum yore_status make_tls(struct server *server, struct yore_error *error_out)
{
    struct tls_files files;
    tls_files_of(server->config, &files);
    return net_tls_new(&files, &server->tls, error_out);
}

enum yore_status listen_all(struct server *server, struct yore_error *error_out)
{
    const struct config *config = server->config;
    enum yore_status status = YORE_OK;
    if (config->tls_port != 0 || config->http_tls || config->bolt_tls) {
        status = make_tls(server, error_out);
    }
    if (status == YORE_OK && config->port != 0) {
        struct place place = {config->bind, config->port, NULL, "port", session_handler_init};
        status = listen_hosts(server, &place, &server->port, error_out);
    }
    if (status == YORE_OK && config->tls_port != 0) {
        struct place place = {config->bind, config->tls_port, server->tls, "tls-port",
                              session_handler_init};
        status = listen_hosts(server, &place, &server->tls_port, error_out);
    }
    if (status == YORE_OK && config->http_port != 0) {
        struct place place = {*config->http_bind != '\0' ? config->http_bind : config->bind,
                              config->http_port, config->http_tls ? server->tls : NULL, "http-port",
                              http_handler_init};
        status = listen_hosts(server, &place, &server->http_port, error_out);
    }
    if (status == YORE_OK && config->bolt_port != 0) {
        struct place place = {config->bind, config->bolt_port,
                              config->bolt_tls ? server->tls : NULL, "bolt-port",
                              bolt_handler_init};
        status = listen_hosts(server, &place, &server->bolt_port, error_out);
    }
    if (status == YORE_OK && *config->unixsocket != '\0') {
        status = listen_unix(server, error_out);
    }
    return status;
}
