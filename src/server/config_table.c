/* The table.  Adding a setting: a field in config.h, a line here, who uses it, man/yore.conf.5. */
#include "server/config_table.h"

#include "server/config.h"

static const char *const durabilities[] = {"sync", "interval", "none", NULL};
static const char *const levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const formats[] = {"logfmt", "json", NULL};
static const char *const auths[] = {"no", "yes", "optional", NULL};

#define AT(field) offsetof(struct config, field)
#define SECONDS(n) ((n)*UINT64_C(1000000000))
#define DAYS(n) SECONDS((n)*UINT64_C(86400))
#define TEXT(name, field, fallback, help)                                                          \
    {                                                                                              \
        name, CONFIG_TEXT, AT(field), 0, 0, NULL, fallback, false, help                            \
    }
#define SWITCH(name, field, fallback, help)                                                        \
    {                                                                                              \
        name, CONFIG_SWITCH, AT(field), 0, 0, NULL, fallback, false, help                          \
    }
#define PORT(name, field, fallback, help)                                                          \
    {                                                                                              \
        name, CONFIG_PORT, AT(field), 0, CONFIG_PORT_ANY, NULL, fallback, false, help              \
    }
#define COUNT(name, field, min, max, fallback, is_live, help)                                      \
    {                                                                                              \
        name, CONFIG_COUNT, AT(field), min, max, NULL, fallback, is_live, help                     \
    }
#define SIZE(name, field, min, max, fallback, is_live, help)                                       \
    {                                                                                              \
        name, CONFIG_SIZE, AT(field), min, max, NULL, fallback, is_live, help                      \
    }
#define SPAN(name, field, min, max, fallback, is_live, help)                                       \
    {                                                                                              \
        name, CONFIG_SPAN, AT(field), min, max, NULL, fallback, is_live, help                      \
    }
#define CHOICE(name, field, choices, fallback, is_live, help)                                      \
    {                                                                                              \
        name, CONFIG_CHOICE, AT(field), 0, 0, choices, fallback, is_live, help                     \
    }

const struct config_spec config_table[] = {
    TEXT("bind", bind, "127.0.0.1 -::1",
         "addresses to listen on for Redis clients; one after a - may be missing on this machine"),
    PORT("port", port, "6379",
         "port for Redis clients; 0: none is opened (with tls-port or unixsocket)"),
    PORT("tls-port", tls_port, "0", "port for Redis clients over TLS; 0: none"),
    TEXT("unixsocket", unixsocket, "", "path of a Unix socket for Redis clients; empty: none"),
    {"unixsocketperm", CONFIG_OCTAL, AT(unixsocketperm), 0, 0777, NULL, "700", false,
     "permissions of the Unix socket, octal"},
    TEXT("http-bind", http_bind, "", "addresses to listen on for HTTP; empty: those of bind"),
    PORT("http-port", http_port, "6380", "port for HTTP; 0: none"),
    SWITCH("http-tls", http_tls, "no", "HTTP is spoken over TLS only"),
    TEXT("http-hosts", http_hosts, "",
         "names under which HTTP is asked for beside loopback and bind (the Host header)"),
    SIZE("http-body-max", http_body_max, 1024, UINT64_C(1) << 30, "64mb", true,
         "largest body of an HTTP request that is no stream"),
    SWITCH(
        "http-compat-writes", http_compat_writes, "no",
        "GET /put, /get and /delete work as in small key-value servers; any page could use them"),
    PORT("bolt-port", bolt_port, "7687", "port for Bolt clients (Neo4j drivers); 0: none"),
    SWITCH("bolt-tls", bolt_tls, "no", "Bolt is spoken over TLS only"),
    TEXT("bolt-graph", bolt_graph, "neo4j", "graph of Bolt clients that name no database"),
    SPAN("bolt-keep-alive", bolt_keep_alive, 100000000, SECONDS(3600), "30s", false,
         "a Bolt client whose request takes so long is sent a sign of life; it is told to wait for "
         "three of them"),
    SPAN("bolt-transaction-timeout", bolt_transaction_timeout, 0, DAYS(365), "10m", true,
         "close a Bolt client that leaves a transaction or a result open and asks nothing for so "
         "long; 0: never"),
    SPAN("graph-settle-interval", graph_settle_interval, 0, DAYS(365), "10s", false,
         "how often graphs end the claims of silent sources and those that end by themselves; 0: "
         "only when a source speaks"),
    SWITCH("insecure", insecure, "no", "listen to other machines although nobody has to log in"),
    TEXT("dir", dir, "", "directory of the database; empty: one in the home directory"),
    CHOICE("durability", durability, durabilities, "sync", false,
           "when a write is acknowledged: on stable storage (sync), synced within sync-interval "
           "(interval), handed to the system (none)"),
    SPAN("sync-interval", sync_interval, 1000000, SECONDS(60), "1s", false,
         "with durability interval: at most this much is lost when the power goes"),
    SIZE("cache", cache, 1u << 20, UINT64_C(1) << 44, "256mb", false,
         "memory for what was read from tables"),
    SIZE("memtable", memtable, 64u << 10, UINT64_C(4) << 30, "64mb", false,
         "memory for what was written, before it goes to a table"),
    COUNT("databases", databases, 1, 256, "16", false, "numbered databases, as SELECT names them"),
    COUNT("io-threads", io_threads, 1, 64, "1", false,
          "threads that read requests and send replies"),
    COUNT("workers", workers, 1, 256, "4", false,
          "threads that run requests; as many as io-threads at most"),
    COUNT("long-workers", long_workers, 1, 256, "4", false,
          "threads that run long requests: scans, queries, backups"),
    COUNT("login-workers", login_workers, 1, 16, "1", false, "threads that check passwords"),
    COUNT("maxclients", maxclients, 1, 1000000, "10000", true, "clients at a time"),
    SIZE("maxmemory-clients", client_buffers, 1u << 20, UINT64_C(1) << 44, "1gb", true,
         "memory for requests and replies under way; beyond, the client that has most is closed"),
    SPAN("timeout", timeout, 0, DAYS(365), "0", true,
         "close a client that sends nothing for so long; 0: never"),
    SPAN("login-timeout", login_timeout, SECONDS(1), SECONDS(3600), "10s", true,
         "where clients have to log in: how long they may take"),
    SPAN("output-timeout", output_timeout, SECONDS(1), DAYS(1), "60s", false,
         "close a client that takes nothing of its replies for so long"),
    SPAN("drain-timeout", drain_timeout, 0, SECONDS(3600), "10s", true,
         "at the end: how long clients may take to read their last replies"),
    TEXT("logfile", logfile, "", "file of the log; empty: standard error"),
    CHOICE("loglevel", loglevel, levels, "info", true, "least weight of what is logged"),
    CHOICE("log-format", log_format, formats, "logfmt", true, "how a line of the log is written"),
    TEXT("audit-log", audit_log, "",
         "file of who did what, allowed or denied, without values; empty: none"),
    TEXT("aclfile", aclfile, "", "file of users and their rights; empty: none"),
    TEXT("backup-dir", backup_dir, "",
         "directory that is there, below which YORE.BACKUP writes; empty: it is refused"),
    TEXT("pidfile", pidfile, "", "file that holds the number of the process; empty: none"),
    SWITCH("enable-debug-command", enable_debug_command, "no", "the command DEBUG is allowed"),
    TEXT("tls-cert-file", tls_cert_file, "", "certificate of the server with its chain, PEM"),
    TEXT("tls-key-file", tls_key_file, "", "key of the certificate, PEM"),
    TEXT("tls-ca-cert-file", tls_ca_cert_file, "", "who may sign clients' certificates, PEM"),
    CHOICE("tls-auth-clients", tls_auth_clients, auths, "yes", false,
           "clients need a certificate of their own: yes, no, or it is checked when there is one"),
};

const size_t config_table_count = sizeof(config_table) / sizeof(config_table[0]);
