#include "cli/record.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/keep.h"
#include "base/moment.h"
#include "base/nearest.h"
#include "base/utf8.h"

void record_release(struct record *record)
{
    buffer_release(&record->key);
    buffer_release(&record->value);
    buffer_release(&record->keyspace);
    buffer_release(&record->commit);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct record_parse {
    struct record *record;
    struct json_reader reader;
    struct buffer name;
    struct buffer text; /* of the member's value, where it is a string */
    int64_t now;
    struct yore_error *error_out;
};

typedef enum yore_status (*member_fn)(struct record_parse *p);

static enum yore_status refuse(struct record_parse *p, const char *problem)
{
    return error_set(p->error_out, YORE_INVALID, "\"%.40s\": %s", (const char *)p->name.data,
                     problem);
}

static enum yore_status fault(struct record_parse *p)
{
    return error_set(p->error_out, YORE_INVALID, "column %zu: %s", json_column(&p->reader),
                     p->reader.problem);
}

static enum yore_status take_string(struct record_parse *p, struct buffer *to)
{
    enum json_kind kind;
    if (!json_peek(&p->reader, &kind)) {
        return fault(p);
    }
    if (kind != JSON_STRING) {
        return refuse(p, "a string is wanted");
    }
    buffer_clear(to);
    return json_string(&p->reader, to) ? YORE_OK : fault(p);
}

static enum yore_status take_base64(struct record_parse *p, struct buffer *to)
{
    enum yore_status st = take_string(p, &p->text);
    buffer_clear(to);
    if (st == YORE_OK && !base64_decode(to, buffer_bytes(&p->text))) {
        return refuse(p, "not base64");
    }
    return st;
}

static enum yore_status take_key(struct record_parse *p)
{
    bool had_key = p->record->has_key;
    p->record->has_key = true;
    return had_key ? refuse(p, "a second key") : take_string(p, &p->record->key);
}

static enum yore_status take_key_base64(struct record_parse *p)
{
    bool had_key = p->record->has_key;
    p->record->has_key = true;
    return had_key ? refuse(p, "a second key") : take_base64(p, &p->record->key);
}

/* A string is its characters, null is none, anything else is its own text. */
static enum yore_status take_value(struct record_parse *p)
{
    enum json_kind kind;
    if (p->record->has_value) {
        return refuse(p, "a second value");
    }
    if (!json_peek(&p->reader, &kind)) {
        return fault(p);
    }
    p->record->has_value = kind != JSON_NULL;
    if (kind == JSON_STRING) {
        return take_string(p, &p->record->value);
    }
    buffer_clear(&p->record->value);
    return json_copy(&p->reader, &p->record->value) ? YORE_OK : fault(p);
}

static enum yore_status take_value_base64(struct record_parse *p)
{
    bool had_value = p->record->has_value;
    p->record->has_value = true;
    return had_value ? refuse(p, "a second value") : take_base64(p, &p->record->value);
}

static enum yore_status take_moment(struct record_parse *p, int64_t *moment_out)
{
    enum json_kind kind;
    struct yore_error cause;
    if (json_peek(&p->reader, &kind) && kind == JSON_NULL) {
        buffer_clear(&p->text);
        return json_copy(&p->reader, &p->text) ? YORE_OK : fault(p);
    }
    enum yore_status st = take_string(p, &p->text);
    bool is_forever = st == YORE_OK && bytes_equal(buffer_bytes(&p->text), bytes_of("forever", 7));
    if (st != YORE_OK || is_forever) {
        return st;
    }
    if (moment_parse(buffer_bytes(&p->text), p->now, moment_out, &cause) != YORE_OK) {
        return refuse(p, cause.text);
    }
    return YORE_OK;
}

static enum yore_status take_valid_from(struct record_parse *p)
{
    return take_moment(p, &p->record->valid_from);
}

static enum yore_status take_valid_to(struct record_parse *p)
{
    return take_moment(p, &p->record->valid_to);
}

static enum yore_status take_kind(struct record_parse *p)
{
    static const char *const kinds[] = {"put", "delete", "erased", "keyspace"};
    enum yore_status st = take_string(p, &p->text);
    if (st != YORE_OK) {
        return st;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (bytes_equal(buffer_bytes(&p->text), bytes_of(kinds[i], strlen(kinds[i])))) {
            p->record->kind = (enum record_kind)i;
            return YORE_OK;
        }
    }
    return refuse(p, "none of put, delete, erased, keyspace");
}

static enum yore_status take_keyspace(struct record_parse *p)
{
    enum yore_status st = take_string(p, &p->record->keyspace);
    struct buffer *name = &p->record->keyspace;
    if (st == YORE_OK && (name->size == 0 || name->size > YORE_KEYSPACE_NAME_BYTES_MAX ||
                          memchr(name->data, '\0', name->size) != NULL)) {
        return refuse(p, "a name of 1 to 255 characters is wanted");
    }
    buffer_append_u8(name, '\0'); /* it is used as a string */
    return st;
}

static enum yore_status take_commit(struct record_parse *p)
{
    p->record->has_commit = true;
    return take_string(p, &p->record->commit);
}

static enum yore_status take_keep(struct record_parse *p)
{
    struct yore_error cause;
    enum yore_status st = take_string(p, &p->text);
    p->record->has_options = true;
    if (st == YORE_OK &&
        keep_of_text(buffer_bytes(&p->text), &p->record->options, &cause) != YORE_OK) {
        return refuse(p, cause.text);
    }
    return st;
}

static enum yore_status take_compression(struct record_parse *p)
{
    struct yore_error cause;
    enum yore_status st = take_string(p, &p->text);
    p->record->has_options = true;
    if (st == YORE_OK && compression_of_text(buffer_bytes(&p->text),
                                             &p->record->options.compression, &cause) != YORE_OK) {
        return refuse(p, cause.text);
    }
    return st;
}

static const struct {
    const char *name;
    member_fn take;
} members[] = {
    {"key", take_key},
    {"key_base64", take_key_base64},
    {"value", take_value},
    {"value_base64", take_value_base64},
    {"valid_from", take_valid_from},
    {"valid_to", take_valid_to},
    {"kind", take_kind},
    {"keyspace", take_keyspace},
    {"commit", take_commit},
    {"keep", take_keep},
    {"compression", take_compression},
};
#define MEMBER_COUNT (sizeof(members) / sizeof(members[0]))

static const char *member_name(const void *arg, size_t index)
{
    (void)arg;
    return members[index].name;
}

static enum yore_status take_member(struct record_parse *p)
{
    struct yore_bytes name = buffer_bytes(&p->name);
    buffer_append_u8(&p->name, '\0');
    if (p->name.is_nomem) {
        return error_plain(p->error_out, YORE_NOMEM);
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (bytes_equal(name, bytes_of(members[i].name, strlen(members[i].name)))) {
            return members[i].take(p);
        }
    }
    const char *near = nearest_word((const char *)p->name.data, member_name, NULL, MEMBER_COUNT);
    return error_set(p->error_out, YORE_INVALID, "unknown member \"%.40s\"%s%s%s",
                     (const char *)p->name.data, near != NULL ? "; did you mean \"" : "",
                     near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static enum yore_status take_members(struct record_parse *p)
{
    bool has_member = false;
    enum yore_status st = YORE_OK;
    if (!json_object_begin(&p->reader)) {
        return fault(p);
    }
    while (st == YORE_OK) {
        buffer_clear(&p->name);
        if (!json_object_member(&p->reader, &p->name, &has_member)) {
            return fault(p);
        }
        if (!has_member) {
            return json_end(&p->reader) ? YORE_OK : fault(p);
        }
        st = take_member(p);
    }
    return st;
}

/* What the members say together. */
static enum yore_status check_whole(const struct record *record, struct yore_error *error_out)
{
    if (record->key.is_nomem || record->value.is_nomem || record->keyspace.is_nomem ||
        record->commit.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (record->kind == RECORD_KEYSPACE) {
        return record->keyspace.size > 0
                   ? YORE_OK
                   : error_set(error_out, YORE_INVALID, "a keyspace line needs \"keyspace\"");
    }
    if (!record->has_key || record->key.size == 0) {
        return error_set(error_out, YORE_INVALID, "no \"key\"");
    }
    if (record->kind == RECORD_PUT && !record->has_value) {
        return error_set(error_out, YORE_INVALID,
                         "no \"value\" (a deletion says \"kind\":\"delete\")");
    }
    if (record->kind != RECORD_PUT && record->has_value) {
        return error_set(error_out, YORE_INVALID, "a \"value\" without being a put");
    }
    if (record->has_options) {
        return error_set(error_out, YORE_INVALID, "keep and compression belong to keyspace lines");
    }
    return YORE_OK;
}

enum yore_status record_parse(struct record *record, struct yore_bytes line, int64_t now,
                              struct yore_error *error_out)
{
    struct record_parse p = {.record = record, .now = now, .error_out = error_out};
    record->kind = RECORD_PUT;
    record->has_key = record->has_value = record->has_commit = record->has_options = false;
    record->valid_from = YORE_NOW;
    record->valid_to = YORE_FOREVER;
    record->options = (struct yore_keyspace_options){.keep = YORE_KEEP_ALL};
    buffer_clear(&record->key);
    buffer_clear(&record->value);
    buffer_clear(&record->keyspace);
    buffer_clear(&record->commit);
    json_reader_init(&p.reader, line);
    enum yore_status st = take_members(&p);
    if (st == YORE_OK && (p.text.is_nomem || p.name.is_nomem)) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    buffer_release(&p.name);
    buffer_release(&p.text);
    return st == YORE_OK ? check_whole(record, error_out) : st;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void append_text(struct buffer *to, const char *text)
{
    buffer_append(to, text, strlen(text));
}

/* Base64 is a third longer than the octets, an escape up to six times: the longest value would make
 * a line that is too long to be read (LINE_BYTES_MAX). */
static bool is_short_as_text(struct yore_bytes octets)
{
    const unsigned char *at = octets.data;
    size_t base64_size = (octets.size + 2) / 3 * 4 + strlen("_base64");
    size_t size = octets.size;
    for (size_t i = 0; i < octets.size; i++) {
        bool has_letter = at[i] != 0 && at[i] < 0x20 && strchr("\b\f\n\r\t", at[i]) != NULL;
        bool is_short = has_letter || at[i] == '"' || at[i] == '\\';
        size += is_short ? 1 : at[i] < 0x20 ? 5 : 0;
    }
    return size <= base64_size;
}

/* "<name>":"..." or "<name>_base64":"..." */
static void append_octets(struct buffer *to, const char *name, struct yore_bytes octets)
{
    bool is_text = utf8_is_valid(octets) && is_short_as_text(octets);
    append_text(to, "\"");
    append_text(to, name);
    if (is_text) {
        append_text(to, "\":");
        json_append_string(to, octets);
        return;
    }
    append_text(to, "_base64\":\"");
    base64_encode(to, octets);
    append_text(to, "\"");
}

void record_append_moment(struct buffer *to, int64_t moment)
{
    /* 1678-01-01: calendar texts begin there; what is earlier is a number. */
    static const int64_t calendar_begin = INT64_C(-9214560000000000000);
    char text[MOMENT_TEXT_BYTES];
    if (moment < calendar_begin) {
        snprintf(text, sizeof(text), "@%lldns", (long long)moment);
        append_text(to, text);
        return;
    }
    append_text(to, moment_format(moment, text));
}

static void append_moment_member(struct buffer *to, const char *name, int64_t moment)
{
    append_text(to, ",\"");
    append_text(to, name);
    append_text(to, "\":\"");
    record_append_moment(to, moment);
    append_text(to, "\"");
}

void record_append_version(struct buffer *to, const struct record_version *version)
{
    append_text(to, "{");
    append_octets(to, "key", version->key);
    if (version->kind == RECORD_PUT) {
        append_text(to, ",");
        append_octets(to, "value", version->value);
    }
    if (version->valid_from != YORE_NOW) {
        append_moment_member(to, "valid_from", version->valid_from);
    }
    if (version->valid_to != YORE_FOREVER) {
        append_moment_member(to, "valid_to", version->valid_to);
    }
    if (version->kind != RECORD_PUT) {
        append_text(to, version->kind == RECORD_DELETE ? ",\"kind\":\"delete\""
                                                       : ",\"kind\":\"erased\"");
    }
    if (version->keyspace != NULL) {
        append_text(to, ",\"keyspace\":\"");
        append_text(to, version->keyspace);
        append_text(to, "\"");
    }
    if (version->commit != YORE_NOW) {
        append_moment_member(to, "commit", version->commit);
    }
    append_text(to, "}\n");
}

void record_append_keyspace(struct buffer *to, const struct yore_keyspace_info *info)
{
    char keep[KEEP_TEXT_BYTES];
    append_text(to, "{\"kind\":\"keyspace\",\"keyspace\":\"");
    append_text(to, info->name);
    append_text(to, "\",\"keep\":\"");
    append_text(to, keep_format(&info->options, keep));
    append_text(to, "\",\"compression\":\"");
    append_text(to, compression_word(info->options.compression));
    append_text(to, "\"}\n");
}
