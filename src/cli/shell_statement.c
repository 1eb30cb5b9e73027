#include "cli/shell_statement.h"

#include <string.h>

#include "base/mem.h"
#include "cli/graph_name.h"
#include "cli/remote.h"
#include "cli/store.h"
#include "topology/graph.h"

static const char *const FIRST_WORDS[] = {
    "MATCH", "OPTIONAL", "RETURN", "WITH",    "UNWIND",  "CREATE", "MERGE", "CALL",
    "AS",    "KNOWN",    "DROP",   "EXPLAIN", "PROFILE", "SHOW",   "FROM",  "FOREACH"};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_same_word(const char *text, size_t size, const char *word)
{
    if (size != strlen(word)) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if ((text[i] & ~0x20) != word[i]) {
            return false;
        }
    }
    return true;
}

/* A command of the shell goes before: `known` followed by a time is one, KNOWN '...' is not. */
bool shell_is_statement(struct yore_bytes line)
{
    const char *text = line.data;
    size_t at = 0;
    while (at < line.size && (text[at] == ' ' || text[at] == '\t')) {
        at++;
    }
    size_t begin = at;
    while (at < line.size && is_letter(text[at])) {
        at++;
    }
    bool is_known = is_same_word(text + begin, at - begin, "KNOWN");
    if (is_known && (line.size < at + 2 || strchr("'\"$", text[at + 1]) == NULL)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(FIRST_WORDS) / sizeof(FIRST_WORDS[0]); i++) {
        if (is_same_word(text + begin, at - begin, FIRST_WORDS[i])) {
            return true;
        }
    }
    return false;
}

static int refuse_without_graph(struct cli *cli)
{
    cli->command = NULL;
    return cli_usage(cli, "which graph? say `graph use NAME` first (graph list tells those there "
                          "are)");
}

int shell_run_statement(struct cli *cli, struct yore_bytes line)
{
    if (cli->session->graph[0] == '\0') {
        return refuse_without_graph(cli);
    }
    char *text = mem_alloc(line.size + 1);
    if (text == NULL) {
        return cli_fail_status(cli, YORE_NOMEM);
    }
    memcpy(text, line.data, line.size);
    text[line.size] = '\0';
    char name[] = "query";
    char over[] = "--";
    char *words[] = {name, over, cli->session->graph, text};
    int code = cli_run_in_shell(cli, sizeof(words) / sizeof(words[0]), words);
    mem_free(text);
    return code;
}

int shell_run_diff(struct cli *cli, size_t count, char *const *words)
{
    char statement[] = "CALL yore.diff($from, $to) "
                       "YIELD change, element, externalId, time, before, after";
    char name[] = "query";
    char option[] = "--param";
    char from[80];
    char to[80];
    if (cli->session->graph[0] == '\0') {
        return refuse_without_graph(cli);
    }
    if (count < 1 || count > 2) {
        cli->command = NULL;
        return cli_usage(cli, "\\diff takes one or two moments: \\diff FROM [TO]");
    }
    snprintf(from, sizeof(from), "from='%.60s'", words[0]);
    snprintf(to, sizeof(to), "to='%.60s'", count == 2 ? words[1] : "now");
    char *line[] = {name, option, from, option, to, cli->session->graph, statement};
    return cli_run_in_shell(cli, sizeof(line) / sizeof(line[0]), line);
}

/* ---- completion ----------------------------------------------------------------------------- */

/* A server is asked while somebody waits. */
#define NAMES_MAX 1000
#define NAMES_MS_MAX 1000

struct name_walk {
    void (*each)(void *arg, struct yore_bytes name);
    void *arg;
};

static int give_name(void *arg, uint32_t token, struct yore_bytes name)
{
    (void)token;
    const struct name_walk *walk = arg;
    walk->each(walk->arg, name);
    return 0;
}

static bool is_name_octet(unsigned char c)
{
    return is_letter((char)c) || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
}

size_t shell_name_begin(struct yore_bytes line)
{
    const unsigned char *text = line.data;
    size_t begin = line.size;
    while (begin > 0 && is_name_octet(text[begin - 1])) {
        begin--;
    }
    return begin;
}

/* "(n:A {a: 1, b|": a name of a map begins here.  Brackets within strings are not told apart. */
static bool is_in_map(const char *text, size_t end)
{
    while (end > 0 && text[end - 1] == ' ') {
        end--;
    }
    if (end == 0 || (text[end - 1] != '{' && text[end - 1] != ',')) {
        return false;
    }
    unsigned closed = 0;
    for (; end > 0; end--) {
        char c = text[end - 1];
        bool opens = c == '{' || c == '(' || c == '[';
        if (opens && closed == 0) {
            return c == '{';
        }
        closed += c == '}' || c == ')' || c == ']' ? 1 : 0;
        closed -= opens ? 1 : 0;
    }
    return false;
}

/* The rows of a procedure that names what there is, from a server; what fails names nothing. */
static void ask_names(struct cli *cli, const char *call, const struct yore_time *at,
                      const struct name_walk *walk)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    struct yore_error ignored;
    remote_word(&words, "GRAPH.RO_QUERY");
    remote_bytes(&words, cli->session->graph, bytes_of(call, strlen(call)));
    remote_number(&words, "TIMEOUT", NAMES_MS_MAX);
    remote_number(&words, "LIMIT", NAMES_MAX);
    remote_at(&words, at);
    /* [[column], [[name], ...], statistics] */
    if (remote_call(store_remote(cli->store), &words, &reply, &ignored) != YORE_OK ||
        reply->values[0].count != 3) {
        return;
    }
    const struct yore_client_value *values = reply->values;
    size_t rows = values[1].next;
    for (size_t i = rows + 1; i < values[rows].next; i = values[i].next) {
        if (values[i].count == 1 && values[i + 1].kind == YORE_CLIENT_STRING) {
            walk->each(walk->arg, values[i + 1].bytes);
        }
    }
}

static void complete_remote(struct cli *cli, bool is_property, const struct yore_time *at,
                            const struct name_walk *walk)
{
    if (is_property) {
        ask_names(cli, "CALL db.propertyKeys()", at, walk);
    } else {
        ask_names(cli, "CALL db.labels()", at, walk);
        ask_names(cli, "CALL db.relationshipTypes()", at, walk);
    }
}

void shell_complete_name(struct cli *cli, struct yore_bytes line,
                         void (*each)(void *arg, struct yore_bytes name), void *arg)
{
    size_t begin = shell_name_begin(line);
    unsigned char before = begin > 0 ? ((const unsigned char *)line.data)[begin - 1] : ' ';
    bool is_property = before == '.' || is_in_map(line.data, begin);
    bool is_label = before == ':' || before == '|';
    struct yore_time at = {cli->session->valid, cli->session->known};
    struct graph *graph = NULL;
    struct yore_error ignored;
    struct name_walk walk = {each, arg};
    if ((!is_property && !is_label) || cli->session->graph[0] == '\0') {
        return;
    }
    if (store_db(cli->store) == NULL) {
        complete_remote(cli, is_property, &at, &walk);
        return;
    }
    if (cli_graph(cli, cli->session->graph, false, &at, &graph, &ignored) != YORE_OK) {
        return;
    }
    if (is_property) {
        graph_tokens(graph, GRAPH_PROPERTY, give_name, &walk);
    } else {
        graph_tokens(graph, GRAPH_LABEL, give_name, &walk);
        graph_tokens(graph, GRAPH_TYPE, give_name, &walk);
    }
    graph_close(graph);
}
