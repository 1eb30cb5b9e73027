#include "cli/query_remote.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "cli/remote.h"
#include "cli/store.h"
#include "os/term.h"

/* ---- the text, parameters before it ---- */

/* 'text', as the language reads it back. */
static void append_string(struct buffer *to, const char *text)
{
    buffer_append_u8(to, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\') {
            buffer_append_u8(to, '\\');
        }
        buffer_append_u8(to, (unsigned char)*text);
    }
    buffer_append_u8(to, '\'');
}

static enum yore_status append_parameters(const struct args *args, struct buffer *to,
                                          struct yore_error *error_out)
{
    for (size_t i = 0; i < args->parameter_count; i++) {
        const char *text = args->parameters[i];
        const char *equals = strchr(text, '=');
        if (equals == NULL || equals == text) {
            return error_set(error_out, YORE_INVALID, "--param takes NAME=VALUE, not '%.80s'",
                             text);
        }
        buffer_append(to, i == 0 ? "CYPHER `" : " `", i == 0 ? 8 : 2);
        buffer_append(to, text, (size_t)(equals - text));
        buffer_append(to, "`=", 2);
        if (query_is_literal(equals + 1)) {
            buffer_append(to, equals + 1, strlen(equals + 1));
        } else {
            append_string(to, equals + 1);
        }
    }
    buffer_append(to, " ", args->parameter_count > 0 ? 1 : 0);
    return YORE_OK;
}

/* ---- rows ---- */

/* A row's values are [kind, text, json]. */
static bool read_cell(const struct yore_client_value *value, struct cell *cell)
{
    if (value->kind != YORE_CLIENT_ARRAY || value->count != 3 ||
        value[1].kind != YORE_CLIENT_INTEGER) {
        return false;
    }
    *cell = (struct cell){.kind = value[1].integer == 0 ? CELL_NONE : CELL_LITERAL,
                          .bytes = value[2].bytes,
                          .json = value[3].bytes,
                          .is_number = value[1].integer == 2};
    return true;
}

struct table {
    size_t count;
    struct column *columns;
    struct cell *cells;
    struct buffer names; /* each with a closing zero */
};

static void release_table(struct table *table)
{
    mem_free(table->columns);
    mem_free(table->cells);
    buffer_release(&table->names);
}

/* `head` is an array of names, or NULL: the statement returns nothing. */
static enum yore_status read_head(const struct yore_client_value *head, struct table *table,
                                  struct yore_error *error_out)
{
    table->count = head != NULL ? head->count : 0;
    if (table->count > OUTPUT_COLUMNS_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "%zu columns are more than can be shown (%d)",
                         table->count, OUTPUT_COLUMNS_MAX);
    }
    table->columns = mem_array(table->count + 1, sizeof(*table->columns));
    table->cells = mem_array(table->count + 1, sizeof(*table->cells));
    for (size_t i = 0; i < table->count; i++) {
        buffer_append_bytes(&table->names, head[1 + i].bytes);
        buffer_append(&table->names, "", 1);
    }
    if (table->columns == NULL || table->cells == NULL || table->names.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    const char *name = (const char *)table->names.data;
    for (size_t i = 0; i < table->count; i++) {
        table->columns[i] = (struct column){name, COLUMN_EVERYWHERE};
        name += head[1 + i].bytes.size + 1;
    }
    return YORE_OK;
}

/* `rows` is the array of them at values[at], or nothing where the statement returns nothing. */
static enum yore_status print_rows(const struct yore_client_value *values, size_t at,
                                   const struct table *table, struct output *output,
                                   struct yore_error *error_out)
{
    for (size_t i = at + 1; i < values[at].next; i = values[i].next) {
        size_t cell = i + 1;
        if (values[i].kind != YORE_CLIENT_ARRAY || values[i].count != table->count) {
            return remote_strange(error_out);
        }
        for (size_t k = 0; k < table->count; k++, cell = values[cell].next) {
            if (!read_cell(&values[cell], &table->cells[k])) {
                return remote_strange(error_out);
            }
        }
        if (!output_row(output, table->cells)) {
            return YORE_OK; /* output_close() tells why */
        }
        if (os_interrupt_take()) {
            return error_plain(error_out, YORE_CANCELLED);
        }
    }
    return YORE_OK;
}

/* ---- what was done ---- */

/* "Nodes created: 2" */
static void read_line(struct yore_bytes line, struct query_summary *summary)
{
    const struct {
        const char *name;
        uint64_t *count_out;
    } known[] = {{"Labels added: ", &summary->labels_added},
                 {"Labels removed: ", &summary->labels_removed},
                 {"Nodes created: ", &summary->nodes_created},
                 {"Nodes deleted: ", &summary->nodes_deleted},
                 {"Properties set: ", &summary->properties_set},
                 {"Relationships created: ", &summary->relationships_created},
                 {"Relationships deleted: ", &summary->relationships_deleted},
                 {"Indices created: ", &summary->indexes_added},
                 {"Indices deleted: ", &summary->indexes_removed},
                 {"Constraints created: ", &summary->constraints_added},
                 {"Constraints deleted: ", &summary->constraints_removed}};
    char text[120];
    size_t size = line.size < sizeof(text) ? line.size : sizeof(text) - 1;
    memcpy(text, line.data, size);
    text[size] = '\0';
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t name_size = strlen(known[i].name);
        if (strncmp(text, known[i].name, name_size) == 0) {
            *known[i].count_out = strtoull(text + name_size, NULL, 10);
        }
    }
    summary->is_partial = summary->is_partial || strncmp(text, "Rows limited: ", 14) == 0;
}

static void read_summary(const struct yore_client_value *values, size_t at,
                         struct query_summary *summary)
{
    *summary = (struct query_summary){.is_partial = false};
    for (size_t i = at + 1; i < values[at].next; i = values[i].next) {
        if (values[i].kind == YORE_CLIENT_STRING) {
            read_line(values[i].bytes, summary);
        }
    }
}

/* ---- the whole ---- */

/* [names, rows, statistics], or [statistics]. */
static enum yore_status print_reply(struct cli *cli, const struct args *args,
                                    const struct yore_client_reply *reply,
                                    const struct query_remote *query, struct query_summary *summary,
                                    struct yore_error *error_out)
{
    const struct yore_client_value *values = reply->values;
    bool has_rows = values[0].kind == YORE_CLIENT_ARRAY && values[0].count == 3;
    size_t rows = has_rows ? values[1].next : 0;
    size_t statistics = has_rows ? values[rows].next : 1;
    struct table table = {.count = 0};
    struct output *output = NULL;
    if (values[0].kind != YORE_CLIENT_ARRAY || (!has_rows && values[0].count != 1)) {
        return remote_strange(error_out);
    }
    enum yore_status st = read_head(has_rows ? &values[1] : NULL, &table, error_out);
    if (st == YORE_OK) {
        st = output_open(cli, query->format, table.columns, table.count, &output);
        st = st == YORE_OK ? st : error_plain(error_out, st);
    }
    if (st == YORE_OK && args_has(args, OPT_NUL)) {
        output_end_rows_with_nul(output);
    }
    if (st == YORE_OK && has_rows) {
        st = print_rows(values, rows, &table, output, error_out);
    }
    enum yore_status close_st = output != NULL ? output_close(output) : YORE_OK;
    if (st == YORE_OK && close_st != YORE_OK) {
        st = error_plain(error_out, close_st);
    }
    read_summary(values, statistics, summary);
    release_table(&table);
    return st;
}

/* GRAPH.* says so in words. */
static enum yore_status explain(struct cli *cli, const struct query_remote *query,
                                enum yore_status st, struct yore_error *error)
{
    if (st == YORE_INVALID && strncmp(error->text, "there is no graph ", 18) == 0) {
        return error_set(error, YORE_NOT_FOUND,
                         "no graph '%.80s' in %s (yore graph %s list tells those there are; a "
                         "statement that writes makes one)",
                         query->graph, cli->dir, cli->dir);
    }
    return st;
}

enum yore_status query_remote_run(struct cli *cli, const struct args *args,
                                  const struct query_remote *query,
                                  struct query_summary *summary_out, struct yore_error *error_out)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    struct buffer text = {0};
    enum yore_status st = append_parameters(args, &text, error_out);
    buffer_append_bytes(&text, query->text);
    if (st == YORE_OK && text.is_nomem) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    if (st == YORE_OK) {
        remote_word(&words, query->writes ? "GRAPH.QUERY" : "GRAPH.RO_QUERY");
        remote_bytes(&words, query->graph, buffer_bytes(&text));
        remote_word(&words, "--cells");
        remote_at(&words, &query->at);
        if (query->limit > 0) {
            remote_number(&words, "LIMIT", query->limit);
        }
        st = remote_call(store_remote(cli->store), &words, &reply, error_out);
        st = explain(cli, query, st, error_out);
    }
    if (st == YORE_OK) {
        st = print_reply(cli, args, reply, query, summary_out, error_out);
    }
    buffer_release(&text);
    return st;
}
