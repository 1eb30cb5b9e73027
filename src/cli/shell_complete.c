#include "cli/shell_complete.h"

#include <string.h>

#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/shell_statement.h"
#include "cli/shell_words.h"
#include "cli/store.h"

/* What is gathered: the longest text all candidates begin with, and the first of them to show. */
struct gather {
    struct completion *completion;
    struct yore_bytes word; /* what stands there */
    struct buffer common;
};

static void gather_add(struct gather *g, struct yore_bytes candidate)
{
    struct completion *completion = g->completion;
    if (!bytes_starts_with(candidate, g->word)) {
        return;
    }
    if (completion->count == 0) {
        buffer_append_bytes(&g->common, candidate);
    } else {
        const unsigned char *other = candidate.data;
        size_t same = 0;
        while (same < g->common.size && same < candidate.size &&
               g->common.data[same] == other[same]) {
            same++;
        }
        g->common.size = same;
    }
    if (completion->count < COMPLETION_SHOWN_MAX) {
        buffer_append_bytes(&completion->shown, candidate);
        buffer_append_u8(&completion->shown, '\0');
    }
    completion->count++;
}

static void gather_word(struct gather *g, const char *word)
{
    gather_add(g, bytes_of(word, strlen(word)));
}

/* ---- candidates ------------------------------------------------------------------------------ */

static void add_commands(struct gather *g)
{
    for (size_t i = 0; i < command_count; i++) {
        if ((command_table[i].flags & COMMAND_IN_SHELL) != 0) {
            gather_word(g, command_table[i].name);
        }
    }
    gather_word(g, "exit");
    gather_word(g, "quit");
}

static void add_options(struct gather *g, const struct command *command)
{
    uint64_t allowed = command->options | OPTIONS_EVERYWHERE;
    for (size_t id = 0; id < OPT_COUNT_OF; id++) {
        char text[40];
        if ((allowed >> id & 1) != 0) {
            snprintf(text, sizeof(text), "--%s", option_table[id].name);
            gather_word(g, text);
        }
    }
}

static void add_words(struct gather *g, const char *const *words)
{
    for (; *words != NULL; words++) {
        gather_word(g, *words);
    }
}

static int add_keyspace(void *arg, const struct yore_keyspace_info *info)
{
    gather_word(arg, info->name);
    return 0;
}

static void add_keyspaces(struct gather *g, struct cli *cli)
{
    struct yore_error ignored;
    enum yore_status st = store_keyspace_list(cli->store, NULL, add_keyspace, g, &ignored);
    (void)st; /* no list, no candidates */
}

/* A key can be typed only when it is text without control characters. */
static bool is_typable(struct yore_bytes key)
{
    const unsigned char *at = key.data;
    for (size_t i = 0; i < key.size; i++) {
        if (at[i] < 0x20 || at[i] == 0x7f) {
            return false;
        }
    }
    return utf8_is_valid(key);
}

/* Call with the first keys below the word, or the last ones. */
static size_t add_some(struct gather *g, struct cli *cli, struct store_keyspace *keyspace,
                       bool is_reverse, uint64_t limit)
{
    struct yore_time at = {cli->session->valid, cli->session->known};
    const struct store_rows options = {.range = {.prefix = g->word},
                                       .at = &at,
                                       .keys_only = true,
                                       .is_reverse = is_reverse,
                                       .limit = limit};
    struct store_walk *rows = NULL;
    struct yore_row row;
    struct yore_error ignored;
    size_t count = 0;
    enum yore_status st = store_rows_open(cli->store, keyspace, &options, &rows, &ignored);
    while (st == YORE_OK && count < limit &&
           (st = store_rows_next(rows, &row, &ignored)) == YORE_OK) {
        if (is_reverse || is_typable(row.key)) {
            gather_add(g, row.key);
        }
        count++;
    }
    store_walk_close(rows);
    return count;
}

/* The first keys to show; the last one too, as keys are sorted: what all have in common is what the
 * first and the last have. */
static void add_keys(struct gather *g, struct cli *cli)
{
    struct args none = {.word_count = 0};
    struct yore_time at = {cli->session->valid, cli->session->known};
    struct store_keyspace *keyspace;
    struct yore_error ignored;
    if (cli_keyspace(cli, &none, &at, &keyspace, &ignored) == YORE_OK &&
        add_some(g, cli, keyspace, false, COMPLETION_SHOWN_MAX + 1) > COMPLETION_SHOWN_MAX) {
        add_some(g, cli, keyspace, true, 1);
    }
}

/* The option whose value the last word is, or OPT_COUNT_OF. */
static size_t pending_option(const struct shell_words *words, size_t word_index)
{
    if (word_index < 2) {
        return OPT_COUNT_OF;
    }
    const char *before = words->words[word_index - 1];
    for (size_t id = 0; id < OPT_COUNT_OF; id++) {
        const struct option_spec *spec = &option_table[id];
        bool is_long = strncmp(before, "--", 2) == 0 && strcmp(before + 2, spec->name) == 0;
        bool is_short =
            before[0] == '-' && before[1] == spec->letter && spec->letter != 0 && before[2] == '\0';
        if (spec->argument != NULL && (is_long || is_short)) {
            return id;
        }
    }
    return OPT_COUNT_OF;
}

static void add_option_values(struct gather *g, struct cli *cli, size_t id)
{
    static const char *const formats[] = {"table", "json", "ndjson", "csv", "raw", NULL};
    static const char *const modes[] = {"sync", "interval", "none", NULL};
    static const char *const compressions[] = {"default", "none", "lz4", "zstd", NULL};
    switch (id) {
    case OPT_PREFIX:
    case OPT_LOW:
    case OPT_HIGH:
        add_keys(g, cli);
        break;
    case OPT_KEYSPACE:
        add_keyspaces(g, cli);
        break;
    case OPT_OUTPUT:
        add_words(g, formats);
        break;
    case OPT_DURABILITY:
        add_words(g, modes);
        break;
    case OPT_COMPRESSION:
        add_words(g, compressions);
        break;
    default:
        break;
    }
}

static void add_operands(struct gather *g, struct cli *cli, const struct command *command)
{
    static const char *const formats[] = {"table", "json", "ndjson", "csv", "raw", "auto", NULL};
    for (const struct verb *verb = command->verbs; verb != NULL && verb->name != NULL; verb++) {
        gather_word(g, verb->name);
    }
    if (command->run == command_help) {
        add_commands(g);
    } else if (command->run == command_output) {
        add_words(g, formats);
    } else if (command->run == command_use || command->verbs == keyspace_verbs) {
        add_keyspaces(g, cli);
    } else if (strncmp(command->operands, "KEY", 3) == 0 ||
               strncmp(command->operands, "[KEY]", 5) == 0) {
        add_keys(g, cli);
    }
}

static void add_candidates(struct gather *g, struct cli *cli, const struct shell_words *words,
                           size_t word_index)
{
    const struct command *command = word_index > 0 ? command_find(words->words[0]) : NULL;
    size_t id = pending_option(words, word_index);
    if (word_index == 0) {
        add_commands(g);
    } else if (command == NULL) {
        return;
    } else if (id < OPT_COUNT_OF) {
        add_option_values(g, cli, id);
    } else if (g->word.size > 0 && *(const char *)g->word.data == '-') {
        add_options(g, command);
    } else {
        add_operands(g, cli, command);
    }
}

static void add_name(void *arg, struct yore_bytes name)
{
    gather_add(arg, name);
}

/* A name in a statement: as it stands, nothing is quoted. */
static bool complete_statement(struct cli *cli, struct yore_bytes line,
                               struct completion *completion)
{
    struct gather g = {.completion = completion};
    memset(completion, 0, sizeof(*completion));
    completion->word_begin = shell_name_begin(line);
    g.word = bytes_behind(line, completion->word_begin);
    shell_complete_name(cli, line, add_name, &g);
    buffer_append_bytes(&completion->replacement, buffer_bytes(&g.common));
    bool is_ok =
        !g.common.is_nomem && !completion->shown.is_nomem && !completion->replacement.is_nomem;
    buffer_release(&g.common);
    return is_ok;
}

/* ---- the whole ------------------------------------------------------------------------------- */

bool shell_complete(struct cli *cli, struct yore_bytes line, struct completion *completion)
{
    struct shell_words words = {.count = 0};
    struct gather g = {.completion = completion};
    if (shell_is_statement(line)) {
        return complete_statement(cli, line, completion);
    }
    bool is_ok = shell_words_split(&words, line);
    memset(completion, 0, sizeof(*completion));
    completion->word_begin = words.last_begin;
    if (is_ok) {
        size_t word_index = words.is_open ? words.count - 1 : words.count;
        const char *word = words.is_open ? words.words[word_index] : "";
        g.word = bytes_of(word, strlen(word));
        add_candidates(&g, cli, &words, word_index);
    }
    if (is_ok && completion->count > 0) {
        shell_word_quote(&completion->replacement, buffer_bytes(&g.common));
        if (completion->count == 1) {
            buffer_append_u8(&completion->replacement, ' ');
        }
    }
    is_ok = is_ok && !g.common.is_nomem && !completion->shown.is_nomem &&
            !completion->replacement.is_nomem;
    buffer_release(&g.common);
    shell_words_release(&words);
    return is_ok;
}

void completion_release(struct completion *completion)
{
    buffer_release(&completion->replacement);
    buffer_release(&completion->shown);
}
