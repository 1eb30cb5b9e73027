/* shell_words.h -- a line of the shell as words.
 *
 * Blanks separate words.  Single quotes keep everything; double quotes keep blanks; a backslash
 * keeps the next character (inside double quotes: a quote or a backslash).  `#` at the beginning of
 * a word begins a comment.
 */
#ifndef YORE_CLI_SHELL_WORDS_H
#define YORE_CLI_SHELL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/bytes.h"

struct shell_words {
    struct buffer text; /* the words, each with a closing NUL */
    char **words;
    size_t count;
    size_t last_begin; /* where the last word begins in the line; its end when none is begun */
    bool is_open;      /* the line ends inside a word (no blank after it) */
    char quote;        /* ... and inside this quote; 0: none */
};

/* Zeroed is ready; may be used again.  False: out of memory. */
bool shell_words_split(struct shell_words *words, struct yore_bytes line);
void shell_words_release(struct shell_words *words);

/* Append `word` so that splitting gives it back. */
void shell_word_quote(struct buffer *to, struct yore_bytes word);

#endif
