/* Any text is a statement or refused with a reason; a statement written out reads as it was, and
 * resolves to slots, parameters and properties that are there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/parser.h"
#include "query/resolver.h"
#include "support/fuzz.h"
#include "support/statement_text.h"

static void must(bool is_true, const char *what, struct yore_bytes text)
{
    if (!is_true) {
        fprintf(stderr, "query_fuzz: %s: %.*s\n", what, (int)text.size, (const char *)text.data);
        abort();
    }
}

static void check_error(enum yore_status status, const struct query_error *error,
                        struct yore_bytes text)
{
    must(status == error->error.status, "another status is told", text);
    must(status == YORE_INVALID || status == YORE_TOO_BIG || status == YORE_UNSUPPORTED,
         "a status that is none of the language", text);
    must(error->error.text[0] != '\0', "refused without a reason", text);
    must((status == YORE_INVALID) == (error->type != NULL && error->detail != NULL),
         "a class is missing, or too much", text);
    must(error->is_compile_time && error->offset <= text.size, "refused at no spot", text);
}

/* `statement` as the parser made it. */
static void check_round_trip(const struct statement *statement, struct arena *arena,
                             struct yore_bytes text)
{
    struct buffer once = {0};
    struct buffer twice = {0};
    struct statement *again = NULL;
    struct query_error error;
    statement_write(&once, statement);
    enum yore_status st = query_parse(buffer_bytes(&once), arena, &again, &error);
    /* Names in backticks and parentheses make it longer, and may take it over a limit. */
    if (st != YORE_TOO_BIG) {
        must(st == YORE_OK, "written out it is refused", buffer_bytes(&once));
        statement_write(&twice, again);
        must(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)),
             "written out it reads as something else", text);
    }
    buffer_release(&once);
    buffer_release(&twice);
}

static void check_resolved(const struct statement *statement, struct yore_bytes text)
{
    must(statement->slot_count == 0 || statement->slot_names != NULL, "slots are missing", text);
    const struct query_part *body = &statement->body;
    for (uint32_t i = 0; i < body->query_count; i++) {
        for (uint32_t k = 0; k < body->column_count; k++) {
            must(body->column_slots[i][k] < statement->slot_count, "a column has no slot", text);
        }
    }
    for (uint32_t k = 0; k < body->column_count; k++) {
        must(body->columns[k].slot < statement->slot_count, "a column has no slot", text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yore_bytes text = bytes_of(data, size);
    struct arena arena;
    struct statement *statement = NULL;
    struct query_error error = {.type = NULL};
    arena_init(&arena, 0);
    enum yore_status st = query_parse(text, &arena, &statement, &error);
    if (st == YORE_OK) {
        check_round_trip(statement, &arena, text);
        st = query_resolve(statement, &arena, NULL, &error);
    }
    if (st == YORE_OK) {
        check_resolved(statement, text);
    } else {
        check_error(st, &error, text);
    }
    arena_release(&arena);
    return 0;
}
