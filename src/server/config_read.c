/* config_read.c -- settings from a file, the environment and the command line. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "net/resp.h"
#include "os/process.h"
#include "server/config.h"
#include "server/config_table.h"
#include "server/limits.h"

/* Every name that a file may hold: those of the table, then those of the other layer. */
static const char *name_at(const void *arg, size_t index)
{
    const struct config *config = arg;
    return index < config_table_count ? config_table[index].name
                                      : config->foreign(index - config_table_count);
}

static size_t name_count(const struct config *config)
{
    size_t count = config_table_count;
    while (config->foreign != NULL && config->foreign(count - config_table_count) != NULL) {
        count++;
    }
    return count;
}

static bool is_foreign(const struct config *config, const char *name)
{
    size_t count = name_count(config);
    for (size_t i = config_table_count; i < count; i++) {
        if (strcmp(name_at(config, i), name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *near_name(const struct config *config, const char *name)
{
    const char *near = nearest_word(name, name_at, config, config_table_count);
    /* The other layer has names that only files of Redis have. */
    return near != NULL ? near : nearest_word(name, name_at, config, name_count(config));
}

static enum yore_status refuse_unknown(const struct config *config, const char *name,
                                       const char *where, struct yore_error *error_out)
{
    const char *near = near_name(config, name);
    if (near != NULL) {
        return error_set(error_out, YORE_INVALID,
                         "%s: there is no setting '%.80s'; did you mean %s?", where, name, near);
    }
    return error_set(error_out, YORE_INVALID,
                     "%s: there is no setting '%.80s'; yore server --help lists them", where, name);
}

/* ---- lines of the command layer ----------------------------------------------------------------
 */

static char *copy_text(const char *text, size_t size)
{
    char *copy = mem_alloc(size + 1);
    if (copy != NULL) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

static enum yore_status keep_extra(struct config *config, const char *name,
                                   const struct yore_bytes *words, size_t count, const char *where,
                                   struct yore_error *error_out)
{
    if (config->extra_count == CONFIG_EXTRAS_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "%s: more than %u lines of users and such", where,
                         CONFIG_EXTRAS_MAX);
    }
    struct config_extra *grown =
        mem_grow(config->extras, config->extra_count, &config->extra_capacity, sizeof(*grown));
    if (grown == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    config->extras = grown;
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += words[i].size;
    }
    struct config_extra *extra = &config->extras[config->extra_count];
    *extra = (struct config_extra){.name = copy_text(name, strlen(name)),
                                   .words = mem_array(count + 1, sizeof(*words)),
                                   .word_count = count,
                                   .text = mem_alloc(size + 1),
                                   .where = copy_text(where, strlen(where))};
    if (extra->name == NULL || extra->words == NULL || extra->text == NULL ||
        extra->where == NULL) {
        mem_free(extra->name);
        mem_free(extra->words);
        mem_free(extra->text);
        mem_free(extra->where);
        return error_plain(error_out, YORE_NOMEM);
    }
    size = 0;
    for (size_t i = 0; i < count; i++) {
        if (words[i].size > 0) {
            memcpy(extra->text + size, words[i].data, words[i].size);
        }
        extra->words[i] = bytes_of(extra->text + size, words[i].size);
        size += words[i].size;
    }
    config->extra_count++;
    return YORE_OK;
}

/* One setting with its words; several are joined by blanks where the value is a list. */
static enum yore_status take(struct config *config, const char *name,
                             const struct yore_bytes *words, size_t count,
                             enum config_origin origin, const char *where,
                             struct yore_error *error_out)
{
    size_t index = config_find(name);
    if (index == SIZE_MAX && !is_foreign(config, name)) {
        return refuse_unknown(config, name, where, error_out);
    }
    if (count == 0) {
        return error_set(error_out, YORE_INVALID, "%s: %s has no value", where, name);
    }
    if (index == SIZE_MAX) {
        return keep_extra(config, name, words, count, where, error_out);
    }
    if (count > 1 && config_table[index].kind != CONFIG_TEXT) {
        return error_set(error_out, YORE_INVALID, "%s: %s takes one word, not %zu", where, name,
                         count);
    }
    struct buffer joined = {0};
    for (size_t i = 0; i < count; i++) {
        buffer_append(&joined, " ", i > 0 ? 1 : 0);
        buffer_append_bytes(&joined, words[i]);
    }
    struct yore_error cause = {0};
    enum yore_status status = buffer_status(&joined);
    if (status == YORE_OK) {
        status = config_set(config, index, buffer_bytes(&joined), origin, &cause);
    }
    buffer_release(&joined);
    return status == YORE_OK ? status
                             : error_set(error_out, status, "%s: %.400s", where, cause.text);
}

/* ---- the file ----------------------------------------------------------------------------------
 */

static enum yore_status read_line(struct config *config, struct resp_parser *parser,
                                  struct yore_bytes line, const char *where,
                                  struct yore_error *error_out)
{
    static const struct resp_limits limits = {false, 1024, CONFIG_LINE_BYTES_MAX};
    const char *text = line.data;
    size_t first = 0;
    while (first < line.size && isspace((unsigned char)text[first])) {
        first++;
    }
    if (first == line.size || text[first] == '#') {
        return YORE_OK;
    }
    size_t consumed = 0;
    struct yore_bytes rest = bytes_of(text + first, line.size - first);
    if (text[first] == '*') {
        return error_set(error_out, YORE_INVALID, "%s: a setting does not begin with *", where);
    }
    /* A line of the file is split as an inline command is. */
    enum resp_result result = resp_parse(parser, rest, &limits, &consumed);
    if (result == RESP_NOMEM) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (result != RESP_REQUEST) {
        return error_set(error_out, YORE_INVALID,
                         "%s: quotes do not close, or the line is too long", where);
    }
    char name[80];
    if (parser->args[0].size >= sizeof(name)) {
        return error_set(error_out, YORE_INVALID, "%s: no setting has so long a name", where);
    }
    for (size_t i = 0; i < parser->args[0].size; i++) {
        name[i] = (char)tolower(((const unsigned char *)parser->args[0].data)[i]);
    }
    name[parser->args[0].size] = '\0';
    return take(config, name, parser->args + 1, parser->arg_count - 1, CONFIG_FILE, where,
                error_out);
}

static enum yore_status read_whole(const char *path, struct buffer *text,
                                   struct yore_error *error_out)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return error_set(error_out, errno == ENOENT ? YORE_NOT_FOUND : YORE_IO,
                         "cannot read the configuration %s: %s", path, strerror(errno));
    }
    unsigned char *room = buffer_extend(text, CONFIG_FILE_BYTES_MAX + 2);
    size_t size = room != NULL ? fread(room, 1, CONFIG_FILE_BYTES_MAX + 1, file) : 0;
    bool is_bad = ferror(file) != 0;
    fclose(file);
    if (room == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (is_bad || size > CONFIG_FILE_BYTES_MAX) {
        return error_set(error_out, is_bad ? YORE_IO : YORE_TOO_BIG, "the configuration %s %s",
                         path, is_bad ? "cannot be read" : "is larger than 1 MiB");
    }
    room[size] = '\n';
    text->size = size + 1;
    return YORE_OK;
}

enum yore_status config_read_text(struct config *config, const char *path, struct yore_bytes text,
                                  struct yore_error *error_out)
{
    struct resp_parser parser = {0};
    const unsigned char *data = text.data;
    enum yore_status status = YORE_OK;
    size_t at = 0;
    for (unsigned number = 1; status == YORE_OK && at < text.size; number++) {
        const unsigned char *end = memchr(data + at, '\n', text.size - at);
        size_t size = end != NULL ? (size_t)(end - (data + at)) + 1 : text.size - at;
        char where[300];
        snprintf(where, sizeof(where), "%.250s:%u", path, number);
        status = read_line(config, &parser, bytes_of(data + at, size), where, error_out);
        at += size;
    }
    resp_parser_release(&parser);
    return status;
}

enum yore_status config_read_file(struct config *config, const char *path,
                                  struct yore_error *error_out)
{
    struct buffer text = {0};
    enum yore_status status = read_whole(path, &text, error_out);
    if (status == YORE_OK) {
        status = config_read_text(config, path, buffer_bytes(&text), error_out);
    }
    buffer_release(&text);
    if (status == YORE_OK) {
        mem_free(config->file);
        config->file = copy_text(path, strlen(path));
        status = config->file != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
    }
    return status;
}

/* ---- the environment ---------------------------------------------------------------------------
 */

/* A `user` is a line of many words, and its name in the environment means other things. */
static bool is_for_environment(const char *name)
{
    return strcmp(name, "user") != 0;
}

/* Refuse a variable that is nearly the name of a setting.  Others that begin so are passed over:
 * programs and container systems have some of their own. */
static enum yore_status check_variable(const struct config *config, const char *variable,
                                       struct yore_error *error_out)
{
    static const char begin[] = "YORE_";
    char where[64];
    char name[64];
    size_t size = strcspn(variable, "=");
    size_t skip = strlen(begin);
    if (strncmp(variable, begin, skip) != 0 || size <= skip || size >= sizeof(where)) {
        return YORE_OK;
    }
    snprintf(where, sizeof(where), "%.*s", (int)size, variable);
    for (size_t i = 0; i <= size - skip; i++) {
        char c = where[skip + i];
        name[i] = c == '_' ? '-' : (char)tolower((unsigned char)c);
    }
    const char *near = near_name(config, name);
    bool is_near = near != NULL && strcmp(near, name) != 0 && is_for_environment(near);
    return is_near ? refuse_unknown(config, name, where, error_out) : YORE_OK;
}

enum yore_status config_read_environment(struct config *config, struct yore_error *error_out)
{
    const char *variable;
    for (size_t i = 0; (variable = os_process_variable(i)) != NULL; i++) {
        enum yore_status status = check_variable(config, variable, error_out);
        if (status != YORE_OK) {
            return status;
        }
    }
    size_t count = name_count(config);
    for (size_t i = 0; i < count; i++) {
        char name[64];
        const char *setting = name_at(config, i);
        int size = snprintf(name, sizeof(name), "YORE_%s", setting);
        for (int k = 0; k < size; k++) {
            name[k] = name[k] == '-' ? '_' : (char)toupper((unsigned char)name[k]);
        }
        bool is_twice = i >= config_table_count && config_find(setting) != SIZE_MAX;
        const char *value = !is_twice && is_for_environment(setting) ? getenv(name) : NULL;
        if (value == NULL) {
            continue;
        }
        struct yore_bytes word = bytes_of(value, strlen(value));
        enum yore_status status =
            take(config, setting, &word, 1, CONFIG_ENVIRONMENT, name, error_out);
        if (status != YORE_OK) {
            return status;
        }
    }
    return YORE_OK;
}

/* ---- the command line ---------------------------------------------------------------------------
 */

enum yore_status config_read_flags(struct config *config, size_t count, const char *const *words,
                                   struct yore_error *error_out)
{
    for (size_t i = 0; i < count; i++) {
        const char *word = words[i];
        char name[80];
        const char *equals = strchr(word, '=');
        size_t size = equals != NULL ? (size_t)(equals - word) : strlen(word);
        if (strncmp(word, "--", 2) != 0 || size <= 2 || size >= sizeof(name)) {
            return error_set(error_out, YORE_INVALID,
                             "'%.80s' is no flag; settings are given as --name value", word);
        }
        snprintf(name, sizeof(name), "%.*s", (int)(size - 2), word + 2);
        char where[96];
        snprintf(where, sizeof(where), "--%s", name);
        size_t index = config_find(name);
        bool is_switch = index != SIZE_MAX && config_table[index].kind == CONFIG_SWITCH;
        bool has_next = i + 1 < count && strncmp(words[i + 1], "--", 2) != 0;
        const char *value = equals != NULL ? equals + 1 : NULL;
        if (value == NULL && has_next) {
            value = words[++i];
        } else if (value == NULL && is_switch) {
            value = "yes";
        }
        struct yore_bytes text = bytes_of(value, value != NULL ? strlen(value) : 0);
        enum yore_status status =
            take(config, name, &text, value != NULL ? 1 : 0, CONFIG_FLAG, where, error_out);
        if (status != YORE_OK) {
            return status;
        }
    }
    return YORE_OK;
}
