/* config_write.c -- settings changed while running go back to the file they came from. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "os/replace.h"
#include "server/config.h"
#include "server/limits.h"

/* A word as the file's reader takes it back. */
static void append_word(struct buffer *out, struct yore_bytes word)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = word.data;
    bool is_plain = word.size > 0;
    for (size_t i = 0; i < word.size; i++) {
        is_plain = is_plain && at[i] > ' ' && at[i] < 127 && at[i] != '"' && at[i] != '\'' &&
                   at[i] != '\\';
    }
    if (is_plain && at[0] != '#') {
        buffer_append_bytes(out, word);
        return;
    }
    buffer_append_u8(out, '"');
    for (size_t i = 0; i < word.size; i++) {
        if (at[i] == '"' || at[i] == '\\') {
            buffer_append_u8(out, '\\');
            buffer_append_u8(out, at[i]);
        } else if (at[i] < ' ' || at[i] >= 127) {
            buffer_append(out, "\\x", 2);
            buffer_append_u8(out, (unsigned char)digits[at[i] >> 4]);
            buffer_append_u8(out, (unsigned char)digits[at[i] & 15]);
        } else {
            buffer_append_u8(out, at[i]);
        }
    }
    buffer_append_u8(out, '"');
}

static void append_pair(struct buffer *out, const struct config_pair *pair)
{
    buffer_append(out, pair->name, strlen(pair->name));
    struct yore_bytes rest = pair->value;
    while (pair->is_list && rest.size > 0) {
        const char *blank = memchr(rest.data, ' ', rest.size);
        size_t size = blank != NULL ? (size_t)(blank - (const char *)rest.data) : rest.size;
        if (size > 0) {
            buffer_append_u8(out, ' ');
            append_word(out, bytes_of(rest.data, size));
        }
        rest = bytes_behind(rest, size < rest.size ? size + 1 : size);
    }
    if (!pair->is_list) {
        buffer_append_u8(out, ' ');
        append_word(out, pair->value);
    }
    buffer_append_u8(out, '\n');
}

/* Which pair does this line of the file set?  SIZE_MAX: none. */
static size_t pair_of_line(const char *line, size_t size, const struct config_pair *pairs,
                           size_t count)
{
    size_t from = 0;
    while (from < size && isspace((unsigned char)line[from])) {
        from++;
    }
    size_t end = from;
    while (end < size && !isspace((unsigned char)line[end])) {
        end++;
    }
    for (size_t i = 0; i < count; i++) {
        bool is_same = strlen(pairs[i].name) == end - from;
        for (size_t k = from; is_same && k < end; k++) {
            is_same = tolower((unsigned char)line[k]) == pairs[i].name[k - from];
        }
        if (is_same) {
            return i;
        }
    }
    return SIZE_MAX;
}

static enum yore_status rewrite_text(FILE *file, const struct config_pair *pairs, size_t count,
                                     struct buffer *out, struct yore_error *error_out)
{
    bool *is_written = mem_array(count + 1, sizeof(*is_written));
    char *line = mem_alloc(CONFIG_LINE_BYTES_MAX + 2);
    if (is_written == NULL || line == NULL) {
        mem_free(is_written);
        mem_free(line);
        return error_plain(error_out, YORE_NOMEM);
    }
    while (fgets(line, CONFIG_LINE_BYTES_MAX + 2, file) != NULL) {
        size_t size = strlen(line);
        size_t index = pair_of_line(line, size, pairs, count);
        if (index == SIZE_MAX) {
            buffer_append(out, line, size);
            if (line[size - 1] != '\n') {
                buffer_append_u8(out, '\n');
            }
        } else if (!is_written[index] && !pairs[index].goes_last) {
            append_pair(out, &pairs[index]);
            is_written[index] = true;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_written[i]) {
            append_pair(out, &pairs[i]);
        }
    }
    mem_free(is_written);
    mem_free(line);
    return buffer_status(out);
}

enum yore_status config_rewrite(const struct config *config, struct os_env *env,
                                const struct config_pair *pairs, size_t count,
                                struct yore_error *error_out)
{
    if (config->file == NULL) {
        return error_set(error_out, YORE_INVALID,
                         "the server runs without a configuration file; start it with --config");
    }
    FILE *file = fopen(config->file, "r");
    if (file == NULL) {
        return error_set(error_out, YORE_IO, "cannot read the configuration %s", config->file);
    }
    struct buffer text = {0};
    enum yore_status status = rewrite_text(file, pairs, count, &text, error_out);
    fclose(file);
    if (status == YORE_OK) {
        status = os_file_replace(env, config->file, buffer_bytes(&text), error_out);
    }
    buffer_release(&text);
    return status;
}
