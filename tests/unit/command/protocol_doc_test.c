/* docs/protocol.md: every command of the table is in it, and its examples come out as it says.
 *
 * An example is a fenced block marked "yore": lines "> REQUEST", each with its reply on the next
 * line, in order, beginning with no key.  A reply is told as: OK, 5, "text", nil, [a, b], (error)
 * text; "…" stands for anything. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "command/table.h"
#include "unit/command/bed.h"

#define DEPTH_MAX 16

static char *read_doc(const char *path)
{
    char *text;
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    CHECK(size > 0 && fseek(file, 0, SEEK_SET) == 0);
    text = malloc((size_t)size + 1);
    CHECK(text != NULL && fread(text, 1, (size_t)size, file) == (size_t)size);
    text[size] = '\0';
    fclose(file);
    return text;
}

TEST(every_command_is_explained)
{
    size_t count;
    const struct command *rows = table_rows(&count);
    char *doc = read_doc(YORE_SOURCE_DIR "/docs/protocol.md");
    for (size_t i = 0; i < count; i++) {
        char cell[96];
        char name[64];
        size_t size = strlen(rows[i].name);
        for (size_t k = 0; k <= size; k++) {
            char c = rows[i].name[k];
            name[k] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c == '|' ? ' ' : c;
        }
        snprintf(cell, sizeof cell, "| `%s", name);
        CHECK_MSG(rows[i].run == NULL || strstr(doc, cell) != NULL,
                  "docs/protocol.md has no row for %s", name);
    }
    free(doc);
}

static size_t capital_word(const char *at)
{
    size_t size = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-");
    return at[size] == ' ' || at[size] == '`' ? size : 0;
}

/* `GET key`, `LATENCY LATEST`: what stands so and begins as a command does is one. */
TEST(commands_that_operators_are_told_of_are_there)
{
    char *doc = read_doc(YORE_SOURCE_DIR "/docs/operations.md");
    size_t found = 0;
    for (const char *at = strchr(doc, '`'); at != NULL; at = strchr(at + 1, '`')) {
        size_t first = capital_word(at + 1);
        struct yore_bytes words[2] = {{at + 1, first}, {at + 2 + first, 0}};
        if (first == 0 || table_find(words[0]) == NULL) {
            continue;
        }
        words[1].size = at[1 + first] == ' ' ? capital_word(at + 2 + first) : 0;
        const struct command *command = table_lookup(words, words[1].size > 0 ? 2 : 1);
        CHECK_MSG((command->flags & CF_CONTAINER) == 0 || words[1].size == 0, "there is no %.*s",
                  (int)(first + 1 + words[1].size), at + 1);
        found++;
    }
    CHECK(found > 3);
    free(doc);
}

/* Append one value; `at` moves behind it. */
static void tell(const char **at, struct buffer *out, int depth)
{
    const char *end = strchr(*at, '|');
    char kind = **at;
    CHECK(end != NULL && depth < DEPTH_MAX);
    size_t size = (size_t)(end - *at) - 1;
    const char *text = *at + 1;
    *at = end + 1;
    if (kind == '$' || kind == '*') {
        long number = strtol(text, NULL, 10);
        if (number < 0) {
            buffer_append(out, "nil", 3);
        } else if (kind == '$') {
            buffer_append(out, "\"", 1);
            buffer_append(out, *at, (size_t)number);
            buffer_append(out, "\"", 1);
            *at += number + 1;
        } else {
            buffer_append(out, "[", 1);
            for (long i = 0; i < number; i++) {
                buffer_append(out, ", ", i > 0 ? 2 : 0);
                tell(at, out, depth + 1);
            }
            buffer_append(out, "]", 1);
        }
    } else {
        buffer_append(out, "(error) ", kind == '-' ? 8 : 0);
        buffer_append(out, text, size);
    }
}

/* Does `text` match `wanted`, in which "…" is anything? */
static bool fits(const char *wanted, const char *text)
{
    static const char gap[] = "\xe2\x80\xa6";
    const char *at = strstr(wanted, gap);
    if (at == NULL) {
        return strcmp(wanted, text) == 0;
    }
    if (strncmp(wanted, text, (size_t)(at - wanted)) != 0) {
        return false;
    }
    text += at - wanted;
    while (at != NULL) {
        char piece[512];
        const char *next = strstr(at + 3, gap);
        size_t size = next != NULL ? (size_t)(next - at - 3) : strlen(at + 3);
        CHECK(size < sizeof piece);
        memcpy(piece, at + 3, size);
        piece[size] = '\0';
        const char *found = next != NULL ? strstr(text, piece) : text + strlen(text) - size;
        if (found == NULL || found < text || strncmp(found, piece, size) != 0) {
            return false;
        }
        text = found + size;
        at = next;
    }
    return true;
}

static void run_block(char *block, size_t *count)
{
    struct bed bed = {0};
    char *request = NULL;
    bed_open(&bed);
    bed_run(&bed.clients[0], "FLUSHALL"); /* the block before had the same directory */
    for (char *line = block, *next = NULL; *line != '\0'; line = next) {
        next = line + strcspn(line, "\n");
        if (*next == '\n') {
            *next++ = '\0';
        }
        if (strncmp(line, "> ", 2) == 0) {
            CHECK_MSG(request == NULL, "no reply behind: %s", request);
            request = line + 2;
            continue;
        }
        struct buffer told = {0};
        CHECK_MSG(request != NULL, "no request before: %s", line);
        const char *reply = bed_run(&bed.clients[0], request);
        tell(&reply, &told, 0);
        buffer_append(&told, "", 1);
        CHECK_MSG(fits(line, (const char *)told.data), "%s\n    doc  %s\n    got  %s", request,
                  line, (const char *)told.data);
        buffer_release(&told);
        request = NULL;
        ++*count;
    }
    bed_close(&bed);
}

TEST(examples_come_out_as_written)
{
    char *doc = read_doc(YORE_SOURCE_DIR "/docs/protocol.md");
    size_t count = 0;
    char *at = doc;
    while ((at = strstr(at, "```yore\n")) != NULL) {
        char *begin = at + 8;
        char *end = strstr(begin, "```");
        CHECK(end != NULL);
        *end = '\0';
        run_block(begin, &count);
        at = end + 3;
    }
    CHECK(count > 20);
    free(doc);
}

TEST_MAIN(every_command_is_explained, commands_that_operators_are_told_of_are_there,
          examples_come_out_as_written)
