#include "server/config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/keep.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/nearest.h"
#include "server/config_table.h"
#include "server/limits.h"

size_t config_count(void)
{
    return config_table_count;
}

const char *config_name(size_t index)
{
    return config_table[index].name;
}

const char *config_help(size_t index)
{
    return config_table[index].help;
}

bool config_is_live(size_t index)
{
    return config_table[index].is_live;
}

size_t config_find(const char *name)
{
    for (size_t i = 0; i < config_table_count; i++) {
        const char *at = config_table[i].name;
        const char *word = name;
        while (*at != '\0' && tolower((unsigned char)*word) == *at) {
            at++;
            word++;
        }
        if (*at == '\0' && *word == '\0') {
            return i;
        }
    }
    return SIZE_MAX;
}

/* ---- values -----------------------------------------------------------------------------------
 */

/* A decimal or octal number; false when it is none, or too large. */
static bool parse_number(struct yore_bytes text, unsigned base, uint64_t *number_out)
{
    const char *at = text.data;
    uint64_t number = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)(unsigned char)at[i] - '0';
        if (digit >= base || number > (UINT64_MAX - digit) / base) {
            return false;
        }
        number = number * base + digit;
    }
    *number_out = number;
    return text.size > 0;
}

enum yore_status config_size_parse(struct yore_bytes text, uint64_t *size_out,
                                   struct yore_error *error_out)
{
    static const struct {
        const char *name;
        uint64_t factor;
    } units[] = {{"b", 1},
                 {"k", 1000},
                 {"kb", 1024},
                 {"m", 1000000},
                 {"mb", UINT64_C(1) << 20},
                 {"g", 1000000000},
                 {"gb", UINT64_C(1) << 30},
                 {"t", UINT64_C(1000000000000)},
                 {"tb", UINT64_C(1) << 40}};
    const char *at = text.data;
    size_t digits = 0;
    while (digits < text.size && at[digits] >= '0' && at[digits] <= '9') {
        digits++;
    }
    uint64_t factor = digits == text.size ? 1 : 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && factor == 0; i++) {
        size_t size = strlen(units[i].name);
        bool is_same = size == text.size - digits;
        for (size_t k = 0; is_same && k < size; k++) {
            is_same = tolower((unsigned char)at[digits + k]) == units[i].name[k];
        }
        factor = is_same ? units[i].factor : 0;
    }
    uint64_t number = 0;
    if (factor == 0 || !parse_number(bytes_of(at, digits), 10, &number) ||
        number > UINT64_MAX / factor) {
        return error_set(error_out, YORE_INVALID, "'%.*s' is no size; write 512, 64mb or 2gb",
                         (int)(text.size < 40 ? text.size : 40), at);
    }
    *size_out = number * factor;
    return YORE_OK;
}

static enum yore_status parse_span(struct yore_bytes text, uint64_t *span_out,
                                   struct yore_error *error_out)
{
    int64_t span = 0;
    if (parse_number(text, 10, span_out)) {
        if (*span_out > INT64_MAX / 1000000000) {
            return error_set(error_out, YORE_INVALID, "too long");
        }
        *span_out *= 1000000000;
        return YORE_OK;
    }
    enum yore_status status = duration_parse(text, &span, error_out);
    *span_out = (uint64_t)span;
    return status;
}

static enum yore_status parse_choice(const char *const *choices, struct yore_bytes text,
                                     uint64_t *index_out, struct yore_error *error_out)
{
    char list[200] = "";
    size_t used = 0;
    for (size_t i = 0; choices[i] != NULL; i++) {
        if (bytes_equal(text, bytes_of(choices[i], strlen(choices[i])))) {
            *index_out = i;
            return YORE_OK;
        }
        int size =
            snprintf(list + used, sizeof(list) - used, "%s%s", i > 0 ? ", " : "", choices[i]);
        used += size > 0 ? (size_t)size : 0;
    }
    return error_set(error_out, YORE_INVALID, "one of %s", list);
}

static const char *const switches[] = {"no", "yes", NULL};

static enum yore_status parse_value(const struct config_spec *spec, struct yore_bytes text,
                                    uint64_t *value_out, struct yore_error *error_out)
{
    switch (spec->kind) {
    case CONFIG_SWITCH:
        return parse_choice(switches, text, value_out, error_out);
    case CONFIG_CHOICE:
        return parse_choice(spec->choices, text, value_out, error_out);
    case CONFIG_PORT:
        if (bytes_equal(text, bytes_of("any", 3))) {
            *value_out = CONFIG_PORT_ANY;
            return YORE_OK;
        }
        return parse_number(text, 10, value_out) && *value_out <= UINT16_MAX
                   ? YORE_OK
                   : error_set(error_out, YORE_INVALID, "0 to 65535, or any");
    case CONFIG_SIZE:
        return config_size_parse(text, value_out, error_out);
    case CONFIG_SPAN:
        return parse_span(text, value_out, error_out);
    default:
        return parse_number(text, spec->kind == CONFIG_OCTAL ? 8 : 10, value_out)
                   ? YORE_OK
                   : error_set(error_out, YORE_INVALID, "a number");
    }
}

static void format_value(const struct config_spec *spec, uint64_t value, struct buffer *out)
{
    char text[40] = "";
    switch (spec->kind) {
    case CONFIG_SWITCH:
        snprintf(text, sizeof(text), "%s", switches[value]);
        break;
    case CONFIG_CHOICE:
        snprintf(text, sizeof(text), "%s", spec->choices[value]);
        break;
    case CONFIG_PORT:
        snprintf(text, sizeof(text), value == CONFIG_PORT_ANY ? "any" : "%llu",
                 (unsigned long long)value);
        break;
    case CONFIG_OCTAL:
        snprintf(text, sizeof(text), "%llo", (unsigned long long)value);
        break;
    case CONFIG_SPAN:
        if (value % 1000000000 == 0) {
            snprintf(text, sizeof(text), "%llu", (unsigned long long)(value / 1000000000));
        } else {
            snprintf(text, sizeof(text), "%lluns", (unsigned long long)value);
        }
        break;
    default:
        snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
        break;
    }
    buffer_append(out, text, strlen(text));
}

/* The field of a setting that is no text, as a number. */
static uint64_t field_get(const struct config *config, const struct config_spec *spec)
{
    const char *field = (const char *)config + spec->offset;
    switch (spec->kind) {
    case CONFIG_SWITCH:
        return *(const bool *)field ? 1 : 0;
    case CONFIG_CHOICE:
        return *(const unsigned *)(const void *)field;
    case CONFIG_SPAN:
        return (uint64_t) * (const int64_t *)(const void *)field;
    default:
        return *(const uint64_t *)(const void *)field;
    }
}

static void field_set(struct config *config, const struct config_spec *spec, uint64_t value)
{
    char *field = (char *)config + spec->offset;
    switch (spec->kind) {
    case CONFIG_SWITCH:
        *(bool *)field = value != 0;
        break;
    case CONFIG_CHOICE:
        *(unsigned *)(void *)field = (unsigned)value;
        break;
    case CONFIG_SPAN:
        *(int64_t *)(void *)field = (int64_t)value;
        break;
    default:
        *(uint64_t *)(void *)field = value;
        break;
    }
}

static char **text_field(struct config *config, const struct config_spec *spec)
{
    return (char **)(void *)((char *)config + spec->offset);
}

static enum yore_status set_text(struct config *config, const struct config_spec *spec,
                                 struct yore_bytes value, struct yore_error *error_out)
{
    if (value.size > 0 && memchr(value.data, '\0', value.size) != NULL) {
        return error_set(error_out, YORE_INVALID, "%s: no zero octet may stand in it", spec->name);
    }
    char *copy = mem_alloc(value.size + 1);
    if (copy == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (value.size > 0) {
        memcpy(copy, value.data, value.size);
    }
    copy[value.size] = '\0';
    mem_free(*text_field(config, spec));
    *text_field(config, spec) = copy;
    return YORE_OK;
}

/* As a person would write it: a span with its units. */
static void format_bound(const struct config_spec *spec, uint64_t value, struct buffer *out)
{
    char text[KEEP_TEXT_BYTES];
    if (spec->kind != CONFIG_SPAN || value == 0) {
        format_value(spec, value, out);
        return;
    }
    struct yore_keyspace_options span = {.keep = YORE_KEEP_FOR, .keep_ns = (int64_t)value};
    keep_format(&span, text);
    buffer_append(out, text, strlen(text));
}

static enum yore_status refuse_range(const struct config_spec *spec, struct yore_error *error_out)
{
    struct buffer least = {0};
    struct buffer most = {0};
    format_bound(spec, spec->min, &least);
    format_bound(spec, spec->max, &most);
    buffer_append_u8(&least, '\0');
    buffer_append_u8(&most, '\0');
    enum yore_status status = error_set(error_out, YORE_INVALID, "%s is %s to %s", spec->name,
                                        least.is_nomem ? "?" : (const char *)least.data,
                                        most.is_nomem ? "?" : (const char *)most.data);
    buffer_release(&least);
    buffer_release(&most);
    return status;
}

enum yore_status config_set(struct config *config, size_t index, struct yore_bytes value,
                            enum config_origin origin, struct yore_error *error_out)
{
    const struct config_spec *spec = &config_table[index];
    if (spec->kind == CONFIG_TEXT) {
        enum yore_status status = set_text(config, spec, value, error_out);
        config->origins[index] = status == YORE_OK ? origin : config->origins[index];
        return status;
    }
    uint64_t number = 0;
    struct yore_error cause;
    enum yore_status status = parse_value(spec, value, &number, &cause);
    if (status != YORE_OK) {
        return error_set(error_out, status, "%s does not take '%.*s': %.300s", spec->name,
                         (int)(value.size < 40 ? value.size : 40), (const char *)value.data,
                         cause.text);
    }
    if (spec->max > 0 && (number < spec->min || number > spec->max)) {
        return refuse_range(spec, error_out);
    }
    field_set(config, spec, number);
    config->origins[index] = origin;
    return YORE_OK;
}

void config_get(const struct config *config, size_t index, struct buffer *out)
{
    const struct config_spec *spec = &config_table[index];
    if (spec->kind != CONFIG_TEXT) {
        format_value(spec, field_get(config, spec), out);
        return;
    }
    const char *text = *(char *const *)(const void *)((const char *)config + spec->offset);
    buffer_append(out, text, strlen(text));
}

void config_get_default(size_t index, struct buffer *out)
{
    const struct config_spec *spec = &config_table[index];
    struct yore_bytes text = bytes_of(spec->fallback, strlen(spec->fallback));
    uint64_t number = 0;
    if (spec->kind != CONFIG_TEXT && parse_value(spec, text, &number, NULL) == YORE_OK) {
        format_value(spec, number, out);
        return;
    }
    buffer_append_bytes(out, text);
}

/* ---- life -------------------------------------------------------------------------------------
 */

enum yore_status config_init(struct config *config, const char *(*foreign)(size_t index),
                             struct yore_error *error_out)
{
    *config = (struct config){.foreign = foreign};
    config->origins = mem_array(config_table_count, sizeof(*config->origins));
    if (config->origins == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    for (size_t i = 0; i < config_table_count; i++) {
        const char *text = config_table[i].fallback;
        enum yore_status status =
            config_set(config, i, bytes_of(text, strlen(text)), CONFIG_DEFAULT, error_out);
        if (status != YORE_OK) {
            config_release(config);
            return status;
        }
    }
    return YORE_OK;
}

void config_release(struct config *config)
{
    for (size_t i = 0; i < config_table_count; i++) {
        if (config_table[i].kind == CONFIG_TEXT) {
            mem_free(*text_field(config, &config_table[i]));
        }
    }
    for (size_t i = 0; i < config->extra_count; i++) {
        mem_free(config->extras[i].name);
        mem_free(config->extras[i].words);
        mem_free(config->extras[i].text);
        mem_free(config->extras[i].where);
    }
    mem_free(config->extras);
    mem_free(config->origins);
    mem_free(config->file);
    *config = (struct config){0};
}

static enum yore_status check_certificates(const struct config *config,
                                           struct yore_error *error_out)
{
    bool has_cert = *config->tls_cert_file != '\0' && *config->tls_key_file != '\0';
    bool needs_cert = config->tls_port != 0 || config->http_tls || config->bolt_tls;
    if (needs_cert && !has_cert) {
        return error_set(error_out, YORE_INVALID,
                         "tls-port, http-tls and bolt-tls need tls-cert-file and tls-key-file");
    }
    if (needs_cert && config->tls_auth_clients != CONFIG_TLS_NO &&
        *config->tls_ca_cert_file == '\0') {
        return error_set(error_out, YORE_INVALID,
                         "tls-auth-clients needs tls-ca-cert-file; or say tls-auth-clients no");
    }
    return YORE_OK;
}

static bool is_same_port(uint64_t a, uint64_t b)
{
    return a == b && a != 0 && a != CONFIG_PORT_ANY;
}

enum yore_status config_check(const struct config *config, struct yore_error *error_out)
{
    enum yore_status status = check_certificates(config, error_out);
    if (status != YORE_OK) {
        return status;
    }
    if (is_same_port(config->port, config->tls_port)) {
        return error_set(error_out, YORE_INVALID, "port and tls-port are the same");
    }
    if (is_same_port(config->http_port, config->port) ||
        is_same_port(config->http_port, config->tls_port)) {
        return error_set(error_out, YORE_INVALID,
                         "http-port is taken by Redis clients; give another, or 0 for none");
    }
    if (is_same_port(config->bolt_port, config->port) ||
        is_same_port(config->bolt_port, config->tls_port) ||
        is_same_port(config->bolt_port, config->http_port)) {
        return error_set(error_out, YORE_INVALID,
                         "bolt-port is taken by other clients; give another, or 0 for none");
    }
    if (config->port == 0 && config->tls_port == 0 && config->http_port == 0 &&
        config->bolt_port == 0 && *config->unixsocket == '\0') {
        return error_set(error_out, YORE_INVALID,
                         "all ports are 0, and there is no unixsocket: nobody could connect");
    }
    if (*config->bolt_graph == '\0') {
        return error_set(error_out, YORE_INVALID, "bolt-graph has to name a graph");
    }
    return YORE_OK;
}
