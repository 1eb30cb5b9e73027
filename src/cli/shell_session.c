/* Commands that set where a shell stands: at, known, use, output. */
#include <string.h>

#include "base/moment.h"
#include "cli/commands.h"
#include "cli/store.h"

/* A moment as the prompt shows it: as it was written, unless that was relative to a now that goes
 * on. */
static void keep_text(char text[40], const char *word, int64_t moment)
{
    char formatted[MOMENT_TEXT_BYTES];
    bool is_relative = *word == '-' || *word == '+';
    snprintf(text, 40, "%.39s", is_relative ? moment_format(moment, formatted) : word);
}

static int set_moment(struct cli *cli, const struct args *args, int64_t *moment, char text[40])
{
    struct yore_error error;
    int64_t parsed;
    if (args->word_count == 0) {
        fprintf(cli->out, "%s\n", text);
        return EXIT_FOUND;
    }
    const char *word = args->words[0];
    int64_t now = cli_now(cli);
    if (moment_parse(bytes_of(word, strlen(word)), now, &parsed, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    *moment = parsed;
    keep_text(text, word, parsed);
    return EXIT_FOUND;
}

int command_at(struct cli *cli, const struct args *args)
{
    return set_moment(cli, args, &cli->session->valid, cli->session->at_text);
}

int command_known(struct cli *cli, const struct args *args)
{
    return set_moment(cli, args, &cli->session->known, cli->session->known_text);
}

int command_use(struct cli *cli, const struct args *args)
{
    struct cli_session *session = cli->session;
    struct yore_time at = {session->valid, session->known};
    struct args as_option = {.word_count = 0};
    struct store_keyspace *ignored;
    struct yore_error error;
    if (args->word_count == 0) {
        fprintf(cli->out, "%s\n", session->keyspace[0] != '\0' ? session->keyspace : "default");
        return EXIT_FOUND;
    }
    as_option.values[OPT_KEYSPACE] = args->words[0];
    if (cli_keyspace(cli, &as_option, &at, &ignored, &error) != YORE_OK) {
        return cli_fail(cli, &error);
    }
    bool is_default = strcmp(args->words[0], "default") == 0;
    snprintf(session->keyspace, sizeof(session->keyspace), "%.255s",
             is_default ? "" : args->words[0]);
    return EXIT_FOUND;
}

int command_output(struct cli *cli, const struct args *args)
{
    static const char *const names[] = {"table", "json", "ndjson", "csv", "raw", NULL};
    struct args as_option = {.word_count = 0};
    struct yore_error error;
    size_t index = 0;
    if (args->word_count == 0) {
        fprintf(cli->out, "%s\n", cli->session->output != NULL ? cli->session->output : "auto");
        return EXIT_FOUND;
    }
    if (strcmp(args->words[0], "auto") == 0) {
        cli->session->output = NULL;
        return EXIT_FOUND;
    }
    as_option.values[OPT_OUTPUT] = args->words[0];
    if (args_choice(&as_option, OPT_OUTPUT, names, &index, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    cli->session->output = names[index];
    return EXIT_FOUND;
}
