/* log_chain.c -- see log_chain.h. */
#include "server/log_chain.h"

#include <string.h>

#include "server/limits.h"

/* More than two lines, so that the last one and the digits before it are in it. */
#define TAIL_BYTES (3 * LOG_LINE_BYTES_MAX)

void log_chain_next(const char before[SHA256_TEXT_BYTES], struct yore_bytes text,
                    char chain_out[SHA256_TEXT_BYTES])
{
    struct sha256 sha;
    sha256_init(&sha);
    sha256_add(&sha, bytes_of(before, SHA256_TEXT_BYTES - 1));
    sha256_add(&sha, text);
    sha256_end_text(&sha, chain_out);
}

/* How long the line is before `mark` and the digits at its end; its size where it has none. */
static size_t text_before(struct yore_bytes line, const char *mark, const char *end)
{
    size_t mark_size = strlen(mark);
    size_t end_size = strlen(end);
    size_t whole = mark_size + SHA256_TEXT_BYTES - 1 + end_size;
    const char *at = line.data;
    if (line.size < whole || memcmp(at + line.size - end_size, end, end_size) != 0 ||
        memcmp(at + line.size - whole, mark, mark_size) != 0) {
        return line.size;
    }
    return line.size - whole;
}

void log_chain_follow(const char before[SHA256_TEXT_BYTES], struct yore_bytes line,
                      char chain_out[SHA256_TEXT_BYTES])
{
    size_t size = text_before(line, " chain=", "");
    if (size == line.size) {
        size = text_before(line, ",\"chain\":\"", "\"}");
    }
    char chain[SHA256_TEXT_BYTES];
    log_chain_next(before, bytes_of(line.data, size), chain);
    memcpy(chain_out, chain, SHA256_TEXT_BYTES);
}

/* The digits a line ends with, or zeros. */
static void told_chain(struct yore_bytes line, char chain_out[SHA256_TEXT_BYTES])
{
    const size_t digits = SHA256_TEXT_BYTES - 1;
    size_t size = text_before(line, " chain=", "");
    size_t skip = 7;
    if (size == line.size) {
        size = text_before(line, ",\"chain\":\"", "\"}");
        skip = 10;
    }
    memset(chain_out, '0', digits);
    chain_out[digits] = '\0';
    if (size < line.size) {
        memcpy(chain_out, (const char *)line.data + size + skip, digits);
    }
}

bool log_chain_end(FILE *file, char chain_out[SHA256_TEXT_BYTES], bool *ends_out)
{
    char tail[TAIL_BYTES];
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    long from = size > (long)sizeof(tail) ? size - (long)sizeof(tail) : 0;
    if (size < 0 || fseek(file, from, SEEK_SET) != 0) {
        return false;
    }
    size_t got = fread(tail, 1, sizeof(tail), file);
    told_chain(bytes_of("", 0), chain_out);
    *ends_out = got == 0 || tail[got - 1] == '\n';
    bool is_known = from == 0; /* else what comes first is the end of a line, or not of the log */
    for (size_t at = 0; at < got;) {
        const char *end = memchr(tail + at, '\n', got - at);
        size_t length = end != NULL ? (size_t)(end - tail) - at : got - at;
        struct yore_bytes line = bytes_of(tail + at, length);
        if (is_known) {
            log_chain_follow(chain_out, line, chain_out);
        } else {
            told_chain(line, chain_out);
            is_known = true;
        }
        at += length + 1;
    }
    return ferror(file) == 0;
}
