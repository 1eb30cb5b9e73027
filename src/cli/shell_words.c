#include "cli/shell_words.h"

#include <string.h>

#include "base/mem.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_special(char c)
{
    return is_blank(c) || c == '\'' || c == '"' || c == '\\' || c == '#';
}

/* Append one word from `*at` on; stops at the blank behind it or at the end. */
static void take_word(struct shell_words *words, struct yore_bytes line, size_t *at)
{
    const char *text = line.data;
    char quote = 0;
    for (; *at < line.size; (*at)++) {
        char c = text[*at];
        bool has_next = *at + 1 < line.size;
        char next = has_next ? text[*at + 1] : '\0';
        bool is_escape = c == '\\' && has_next &&
                         (quote == 0 || (quote == '"' && (next == '"' || next == '\\')));
        if (quote == 0 && is_blank(c)) {
            break;
        }
        if (is_escape) {
            buffer_append_u8(&words->text, (uint8_t)next);
            (*at)++;
        } else if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
        } else if (quote != 0 && c == quote) {
            quote = 0;
        } else {
            buffer_append_u8(&words->text, (uint8_t)c);
        }
    }
    words->quote = quote;
    words->is_open = *at == line.size;
    buffer_append_u8(&words->text, '\0');
}

/* The words stand one after the other; only now do they stay where they are. */
static bool point_at_words(struct shell_words *words)
{
    mem_free(words->words);
    words->words = mem_array(words->count + 1, sizeof(*words->words));
    if (words->words == NULL || words->text.is_nomem) {
        return false;
    }
    char *at = (char *)words->text.data;
    for (size_t i = 0; i < words->count; i++) {
        words->words[i] = at;
        at += strlen(at) + 1;
    }
    return true;
}

bool shell_words_split(struct shell_words *words, struct yore_bytes line)
{
    const char *text = line.data;
    size_t at = 0;
    words->count = 0;
    words->is_open = false;
    words->quote = 0;
    buffer_clear(&words->text);
    for (;;) {
        while (at < line.size && is_blank(text[at])) {
            at++;
            words->is_open = false;
        }
        words->last_begin = words->is_open ? words->last_begin : at;
        if (at == line.size || text[at] == '#') {
            return point_at_words(words);
        }
        take_word(words, line, &at);
        words->count++;
        if (words->is_open) {
            return point_at_words(words);
        }
    }
}

void shell_words_release(struct shell_words *words)
{
    mem_free(words->words);
    buffer_release(&words->text);
    *words = (struct shell_words){0};
}

void shell_word_quote(struct buffer *to, struct yore_bytes word)
{
    const char *text = word.data;
    if (word.size == 0) {
        buffer_append(to, "''", 2);
    }
    for (size_t i = 0; i < word.size; i++) {
        if (is_special(text[i])) {
            buffer_append_u8(to, '\\');
        }
        buffer_append_u8(to, (uint8_t)text[i]);
    }
}
