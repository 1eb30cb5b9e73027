#include "server/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/moment.h"
#include "os/env.h"
#include "os/process.h"
#include "os/thread.h"
#include "server/limits.h"
#include "server/log_chain.h"

struct log {
    struct os_env *env;
    char *path; /* NULL: standard error */
    struct os_mutex lock;
    FILE *file;                    /* GUARDED_BY(lock) */
    enum log_level least;          /* GUARDED_BY(lock) */
    enum log_format format;        /* GUARDED_BY(lock) */
    bool is_chained;               /* GUARDED_BY(lock) */
    char chain[SHA256_TEXT_BYTES]; /* GUARDED_BY(lock): of the last line */
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

/* A line being written: always room for its end. */
struct line {
    char text[LOG_LINE_BYTES_MAX];
    size_t size;
    size_t room; /* fields end here at most */
    bool has_fields;
};

static void put(struct line *line, char c)
{
    if (line->size < line->room) {
        line->text[line->size++] = c;
    }
}

static void put_text(struct line *line, const char *text)
{
    while (*text != '\0') {
        put(line, *text++);
    }
}

/* Inside double quotes, as JSON and logfmt both read it; cut where the line is full, but whole. */
static void put_quoted(struct line *line, const char *text)
{
    char octet[8];
    put(line, '"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            snprintf(octet, sizeof(octet), "\\%c", c);
        } else if (c < ' ' || c >= 127) { /* other octets one by one: they need not be UTF-8 */
            snprintf(octet, sizeof(octet), "\\u%04x", (unsigned)c);
        } else {
            snprintf(octet, sizeof(octet), "%c", c);
        }
        if (line->size + strlen(octet) >= line->room) {
            break;
        }
        put_text(line, octet);
    }
    put(line, '"');
}

static bool is_plain(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at <= ' ' || *at >= 127 || *at == '"' || *at == '=' || *at == '\\') {
            return false;
        }
    }
    return *text != '\0';
}

static void put_field(struct line *line, enum log_format format, const char *name,
                      const char *value)
{
    bool is_first = !line->has_fields;
    if (line->size + strlen(name) + 8 > line->room) {
        return; /* no room for a value */
    }
    line->has_fields = true;
    if (format == LOG_JSON) {
        put_text(line, is_first ? "" : ",");
        put_quoted(line, name);
        put(line, ':');
        put_quoted(line, value);
        return;
    }
    put_text(line, is_first ? "" : " ");
    put_text(line, name);
    put(line, '=');
    if (is_plain(value)) {
        put_text(line, value);
    } else {
        put_quoted(line, value);
    }
}

static FILE *open_file(const char *path)
{
    FILE *file = os_open_private(path);
    if (file != NULL) {
        setvbuf(file, NULL, _IOFBF, 2 * LOG_LINE_BYTES_MAX);
    }
    return file;
}

enum yore_status log_open(struct os_env *env, const char *path, struct log **log_out,
                          struct yore_error *error_out)
{
    *log_out = NULL;
    struct log *log = mem_zalloc(sizeof(*log));
    if (log == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    log->env = env;
    log->file = stderr;
    log->least = LOG_INFO;
    if (path != NULL && *path != '\0') {
        log->path = mem_copy(path, strlen(path) + 1);
        log->file = log->path != NULL ? open_file(path) : NULL;
    }
    if (log->file == NULL) {
        enum yore_status status =
            error_set(error_out, YORE_IO, "cannot write the log %s: %s", path, strerror(errno));
        mem_free(log->path);
        mem_free(log);
        return status;
    }
    os_mutex_init(&log->lock);
    *log_out = log;
    return YORE_OK;
}

void log_close(struct log *log)
{
    if (log == NULL) {
        return;
    }
    if (log->path != NULL) {
        fclose(log->file);
    }
    os_mutex_release(&log->lock);
    mem_free(log->path);
    mem_free(log);
}

void log_set(struct log *log, enum log_level least, enum log_format format)
{
    os_mutex_lock(&log->lock);
    log->least = least;
    log->format = format;
    os_mutex_unlock(&log->lock);
}

bool log_takes(struct log *log, enum log_level level)
{
    os_mutex_lock(&log->lock);
    bool takes = level >= log->least;
    os_mutex_unlock(&log->lock);
    return takes;
}

/* End the line, bound to the one before. */
static void put_chain(struct log *log, struct line *line) REQUIRES(log->lock)
{
    log_chain_next(log->chain, bytes_of(line->text, line->size), log->chain);
    line->room = sizeof(line->text) - 4;
    put_field(line, log->format, "chain", log->chain);
}

static void write_line(struct log *log, enum log_level level, const char *message,
                       const struct log_field *fields, size_t count) REQUIRES(log->lock)
{
    char time_text[MOMENT_TEXT_BYTES];
    struct line line;
    int64_t now = os_wall_ns(log->env);
    moment_format(now - now % 1000000, time_text);
    line.size = 0;
    line.has_fields = false;
    line.room = sizeof(line.text) - 4 - (log->is_chained ? LOG_CHAIN_ROOM : 0);
    if (log->format == LOG_JSON) {
        put(&line, '{');
    }
    put_field(&line, log->format, "time", time_text);
    put_field(&line, log->format, "level", level_names[level]);
    put_field(&line, log->format, "msg", message);
    for (size_t i = 0; i < count && i < LOG_FIELDS_MAX; i++) {
        put_field(&line, log->format, fields[i].name, fields[i].value);
    }
    if (log->is_chained) {
        put_chain(log, &line);
    }
    if (log->format == LOG_JSON) {
        line.text[line.size++] = '}';
    }
    line.text[line.size++] = '\n';
    fwrite(line.text, 1, line.size, log->file); /* a full disk must not stop the server */
    fflush(log->file);
}

void log_fields(struct log *log, enum log_level level, const char *message,
                const struct log_field *fields, size_t count)
{
    os_mutex_lock(&log->lock);
    if (level >= log->least) {
        write_line(log, level, message, fields, count);
    }
    os_mutex_unlock(&log->lock);
}

/* Begin a file, or go on in one. */
static enum yore_status begin_chain(struct log *log, const char *after,
                                    struct yore_error *error_out) REQUIRES(log->lock)
{
    bool ends = true;
    FILE *file = fopen(log->path, "r");
    bool is_read = file != NULL && log_chain_end(file, log->chain, &ends);
    if (file != NULL) {
        fclose(file);
    }
    if (!is_read) {
        return error_set(error_out, YORE_IO, "cannot read the log %s: %s", log->path,
                         strerror(errno));
    }
    if (!ends) { /* a crash has cut its last line, which counts as it is */
        fputc('\n', log->file);
    }
    char before[SHA256_TEXT_BYTES];
    memcpy(before, after != NULL ? after : log->chain, sizeof(before));
    const struct log_field field = {"after", before};
    write_line(log, LOG_INFO, "begins", &field, 1);
    return YORE_OK;
}

enum yore_status log_chain(struct log *log, struct yore_error *error_out)
{
    enum yore_status status = YORE_OK;
    os_mutex_lock(&log->lock);
    if (log->path != NULL) {
        log->is_chained = true;
        status = begin_chain(log, NULL, error_out);
    }
    os_mutex_unlock(&log->lock);
    return status;
}

enum yore_status log_reopen(struct log *log, struct yore_error *error_out)
{
    if (log->path == NULL) {
        return YORE_OK;
    }
    FILE *file = open_file(log->path);
    if (file == NULL) {
        return error_set(error_out, YORE_IO, "cannot write the log %s: %s", log->path,
                         strerror(errno));
    }
    enum yore_status status = YORE_OK;
    os_mutex_lock(&log->lock);
    fclose(log->file);
    log->file = file;
    if (log->is_chained) {
        char before[SHA256_TEXT_BYTES];
        memcpy(before, log->chain, sizeof(before));
        status = begin_chain(log, before, error_out);
    }
    os_mutex_unlock(&log->lock);
    return status;
}

void log_text(struct log *log, enum log_level level, const char *message)
{
    log_fields(log, level, message, NULL, 0);
}
