/* metrics.c -- figures for Prometheus (text 0.0.4) and OpenMetrics 1.0, by Accept.
 *
 * Names: yore_, base units, counters end in _total, label sets are bounded: commands and statuses,
 * never keys or users.  Engine statistics keep their names, with units made base: commit_latency_us
 * is the summary yore_commit_latency_seconds.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bolt/server.h"
#include "os/process.h"
#include "server/http_internal.h"
#include "server/server_internal.h"

#define NAME_BYTES 96

struct page {
    struct buffer *out;
    bool is_openmetrics;
};

__attribute__((format(printf, 2, 3))) static void put(struct page *page, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buffer_append(page->out, text, size > 0 ? (size_t)size : 0);
}

/* The head of a family.  OpenMetrics names a counter's family without _total. */
static void family(struct page *page, const char *name, const char *type, const char *help)
{
    char shown[NAME_BYTES];
    snprintf(shown, sizeof(shown), "%s", name);
    size_t size = strlen(shown);
    if (page->is_openmetrics && size > 6 && strcmp(shown + size - 6, "_total") == 0) {
        shown[size - 6] = '\0';
    }
    put(page, "# HELP %s %s\n# TYPE %s %s\n", shown, help, shown, type);
}

static void single(struct page *page, const char *name, const char *type, const char *help,
                   double value)
{
    family(page, name, type, help);
    put(page, "%s %.17g\n", name, value);
}

/* ---- the engine ---------------------------------------------------------------------------------
 */

/* "commit_latency_us" -> "yore_commit_latency_seconds", and what a value is multiplied with. */
static double base_name(const char *name, bool is_counter, char shown[NAME_BYTES])
{
    static const struct {
        const char *suffix;
        const char *unit;
        double factor;
    } units[] = {{"_us", "_seconds", 1e-6},
                 {"_ns", "_seconds", 1e-9},
                 {"_ms", "_seconds", 1e-3},
                 {"", "", 1}};
    size_t size = strlen(name);
    size_t i = 0;
    while (strlen(units[i].suffix) > size ||
           strcmp(name + size - strlen(units[i].suffix), units[i].suffix) != 0) {
        i++;
    }
    int kept = (int)(size - strlen(units[i].suffix));
    snprintf(shown, NAME_BYTES, "yore_%.*s%s%s", kept, name, units[i].unit,
             is_counter ? "_total" : "");
    return units[i].factor;
}

static void engine_stat(void *arg, const struct yore_stat *stat)
{
    struct page *page = arg;
    char name[NAME_BYTES];
    double factor = base_name(stat->name, stat->kind == YORE_STAT_COUNTER, name);
    if (stat->kind != YORE_STAT_HISTOGRAM) {
        single(page, name, stat->kind == YORE_STAT_COUNTER ? "counter" : "gauge", stat->help,
               (double)stat->value * factor);
        return;
    }
    family(page, name, "summary", stat->help);
    put(page, "%s{quantile=\"0.5\"} %.17g\n", name, (double)stat->p50 * factor);
    put(page, "%s{quantile=\"0.95\"} %.17g\n", name, (double)stat->p95 * factor);
    put(page, "%s{quantile=\"0.99\"} %.17g\n", name, (double)stat->p99 * factor);
    put(page, "%s_sum %.17g\n", name, (double)stat->sum * factor);
    put(page, "%s_count %" PRIu64 "\n", name, stat->value);
}

/* ---- connections and process --------------------------------------------------------------------
 */

static void connection_stats(struct page *page, struct server *server)
{
    struct net_stats stats;
    net_stats(server->net, &stats);
    single(page, "yore_connections", "gauge", "Clients that are connected.", (double)stats.clients);
    single(page, "yore_connections_max", "gauge", "Clients that may be connected.",
           (double)server->config->maxclients);
    single(page, "yore_connections_accepted_total", "counter", "Clients that came.",
           (double)stats.accepted);
    single(page, "yore_connections_refused_total", "counter",
           "Clients that were refused, being too many.", (double)stats.refused);
    single(page, "yore_connections_evicted_total", "counter",
           "Clients that were closed, as buffers were over their limit.", (double)stats.evicted);
    single(page, "yore_connections_stalled_total", "counter",
           "Clients that were closed, as they did not read.", (double)stats.stalled);
    single(page, "yore_network_receive_bytes_total", "counter", "Octets received from clients.",
           (double)stats.received_bytes);
    single(page, "yore_network_transmit_bytes_total", "counter", "Octets sent to clients.",
           (double)stats.sent_bytes);
    single(page, "yore_client_buffer_bytes", "gauge", "Memory of requests and replies under way.",
           (double)stats.buffer_bytes);
    single(page, "yore_jobs_total", "counter", "Jobs handed to workers.", (double)stats.jobs);
    single(page, "yore_job_turns_total", "counter", "Turns of clients in jobs.",
           (double)stats.job_turns);
    single(page, "yore_backpressure_events_total", "counter",
           "Times a client was not read from, for what it had left to do.",
           (double)stats.backpressure);
}

static void bolt_stats(struct page *page, struct server *server)
{
    struct bolt_stats stats;
    bolt_server_stats(server->bolt, &stats);
    single(page, "yore_bolt_connections", "gauge", "Bolt clients that are connected.",
           (double)stats.sessions);
    single(page, "yore_bolt_transactions", "gauge",
           "Transactions of Bolt clients that are open, those of single statements included.",
           (double)stats.transactions);
    single(page, "yore_bolt_requests_total", "counter", "Requests of Bolt clients.",
           (double)stats.requests);
    single(page, "yore_bolt_failures_total", "counter", "Those that were answered with a failure.",
           (double)stats.failures);
    single(page, "yore_bolt_interrupted_total", "counter",
           "Those that were passed over because a RESET came behind them.",
           (double)stats.interrupted);
    single(page, "yore_bolt_statements_total", "counter", "Statements that were carried out.",
           (double)stats.statements);
    single(page, "yore_bolt_rows_total", "counter", "Rows of their results that were asked for.",
           (double)stats.rows);
}

static void process_stats(struct page *page, const struct server *server)
{
    struct os_process_usage usage;
    os_process_usage(&usage);
    single(page, "process_resident_memory_bytes", "gauge", "Resident memory.",
           (double)usage.resident_bytes);
    single(page, "process_virtual_memory_bytes", "gauge", "Virtual memory.",
           (double)usage.virtual_bytes);
    single(page, "process_cpu_seconds_total", "counter", "Processor time, user and system.",
           (double)usage.cpu_ns / 1e9);
    single(page, "process_open_fds", "gauge", "Open file descriptors.", (double)usage.open_files);
    single(page, "process_max_fds", "gauge", "File descriptors that may be open.",
           (double)usage.open_files_max);
    single(page, "process_start_time_seconds", "gauge", "When the process started.",
           (double)server->started_ns / 1e9);
}

/* ---- commands -----------------------------------------------------------------------------------
 */

/* "calls=" in "calls=1,usec=2,...": its number. */
static double number_of(const char *line, const char *name)
{
    const char *at = strstr(line, name);
    return at != NULL ? strtod(at + strlen(name), NULL) : 0;
}

struct command_line {
    char name[64];
    double calls;
    double seconds;
    double failed;
    double rejected;
};

/* The next "cmdstat_get:calls=..." of `text`; moves it on. */
static bool next_command(const char **text, struct command_line *command)
{
    const char *at = strstr(*text, "cmdstat_");
    if (at == NULL) {
        return false;
    }
    size_t size = strcspn(at, "\r\n");
    char line[400];
    snprintf(line, sizeof(line), "%.*s", (int)(size < 399 ? size : 399), at + 8);
    *text = at + size;
    char *colon = strchr(line, ':');
    if (colon == NULL) {
        return false;
    }
    *colon = '\0';
    for (char *c = line; *c != '\0'; c++) { /* a label's value: nothing to escape */
        *c = *c == '"' || *c == '\\' ? '_' : *c;
    }
    *command = (struct command_line){.calls = number_of(colon + 1, "calls="),
                                     .seconds = number_of(colon + 1, "usec=") / 1e6,
                                     .failed = number_of(colon + 1, "failed_calls="),
                                     .rejected = number_of(colon + 1, "rejected_calls=")};
    snprintf(command->name, sizeof(command->name), "%.63s", line);
    return true;
}

static void command_stats(struct page *page, const char *text)
{
    struct command_line command;
    const char *at = text;
    family(page, "yore_commands_total", "counter", "Requests by command and how they ended.");
    while (next_command(&at, &command)) {
        put(page, "yore_commands_total{command=\"%s\",status=\"ok\"} %.17g\n", command.name,
            command.calls - command.failed);
        put(page, "yore_commands_total{command=\"%s\",status=\"failed\"} %.17g\n", command.name,
            command.failed);
        put(page, "yore_commands_total{command=\"%s\",status=\"rejected\"} %.17g\n", command.name,
            command.rejected);
    }
    at = text;
    family(page, "yore_command_duration_seconds", "summary", "Time that requests took to run.");
    while (next_command(&at, &command)) {
        put(page, "yore_command_duration_seconds_sum{command=\"%s\"} %.17g\n", command.name,
            command.seconds);
        put(page, "yore_command_duration_seconds_count{command=\"%s\"} %.17g\n", command.name,
            command.calls);
    }
}

static void class_durations(struct page *page, struct command_server *commands)
{
    static const char name[] = "yore_command_class_duration_seconds";
    static const char *const bounds[COMMAND_DURATION_BUCKETS] = {
        "5e-05", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
        "0.05",  "0.1",    "0.25",    "0.5",    "1.0",   "2.5",    "5.0",   "10.0", "+Inf"};
    struct command_durations class;
    family(page, name, "histogram",
           "Time that requests took to run, by what they do; waiting for a sync is not in it.");
    for (size_t i = 0; command_durations(commands, i, &class); i++) {
        uint64_t count = 0;
        for (size_t k = 0; k < COMMAND_DURATION_BUCKETS; k++) {
            count += class.counts[k];
            put(page, "%s_bucket{class=\"%s\",le=\"%s\"} %" PRIu64 "\n", name, class.name,
                bounds[k], count);
        }
        put(page, "%s_sum{class=\"%s\"} %.17g\n", name, class.name, (double)class.time_ns / 1e9);
        put(page, "%s_count{class=\"%s\"} %" PRIu64 "\n", name, class.name, count);
    }
}

bool http_metrics(struct http_call *call)
{
    struct server *server = call->session->scope->server;
    struct yore_bytes accept = http_header_find(&call->session->head, "accept");
    struct buffer body = {0};
    struct page page = {&body, http_list_has(accept, "application/openmetrics-text")};
    bool more = true;
    http_run_text(call, (const char *const[]){"INFO", "commandstats"}, 2);
    if (http_failed(call, &more)) {
        return more;
    }
    family(&page, "yore_build_info", "gauge", "The program's version.");
    put(&page, "yore_build_info{version=\"%s\"} 1\n", yore_version());
    single(&page, "yore_ready", "gauge", "1 while requests and writes are taken.",
           atomic_load(&server->is_ready) && !atomic_load(&server->has_failed) ? 1 : 0);
    connection_stats(&page, server);
    bolt_stats(&page, server);
    struct buffer text = {0};
    buffer_append_bytes(&text, call->values[0].bytes);
    buffer_append_u8(&text, '\0');
    if (!text.is_nomem) {
        command_stats(&page, (const char *)text.data);
    }
    buffer_release(&text);
    class_durations(&page, server->commands);
    yore_stats(server->db, engine_stat, &page);
    process_stats(&page, server);
    if (page.is_openmetrics) {
        put(&page, "# EOF\n");
    }
    struct http_answer answer = {200,
                                 page.is_openmetrics
                                     ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                     : "text/plain; version=0.0.4; charset=utf-8",
                                 NULL};
    call->out->is_nomem = call->out->is_nomem || body.is_nomem;
    more = http_answer(call, &answer, buffer_bytes(&body));
    buffer_release(&body);
    return more;
}
