/* command_server.c -- `yore server`: reads the settings, then hands over to server/server.h; and
 * `yore ping`: is one there? */
#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/remote.h"
#include "cli/store.h"
#include "server/config.h"
#include "server/server.h"

/* What this command keeps for itself of its words. */
struct server_words {
    const char *file; /* --config */
    bool checks;      /* --check-config */
    bool lists;       /* --settings */
    const char **rest;
    size_t rest_count;
};

static enum yore_status sort_words(const struct args *args, struct server_words *words,
                                   struct yore_error *error_out)
{
    for (size_t i = 0; i < args->word_count; i++) {
        const char *word = args->words[i];
        if (strcmp(word, "--check-config") == 0) {
            words->checks = true;
        } else if (strcmp(word, "--settings") == 0) {
            words->lists = true;
        } else if (strncmp(word, "--config=", 9) == 0) {
            words->file = word + 9;
        } else if (strcmp(word, "--config") == 0) {
            if (i + 1 == args->word_count) {
                return error_set(error_out, YORE_INVALID, "--config needs the name of a file");
            }
            words->file = args->words[++i];
        } else {
            words->rest[words->rest_count++] = word;
        }
    }
    return YORE_OK;
}

static enum yore_status read_settings(struct config *config, const struct server_words *words,
                                      struct yore_error *error_out)
{
    enum yore_status status = config_init(config, server_foreign_setting, error_out);
    if (status == YORE_OK && words->file != NULL) {
        status = config_read_file(config, words->file, error_out);
    }
    if (status == YORE_OK) {
        status = config_read_environment(config, error_out);
    }
    if (status == YORE_OK) {
        status = config_read_flags(config, words->rest_count, words->rest, error_out);
    }
    return status == YORE_OK ? config_check(config, error_out) : status;
}

static void show_settings(struct cli *cli, const struct config *config)
{
    static const char *const origins[] = {"default", "file", "environment", "command line",
                                          "running"};
    for (size_t i = 0; i < config_count(); i++) {
        struct buffer value = {0};
        config_get(config, i, &value);
        fprintf(cli->out, "%-22s %-20.*s # %s (%s)\n", config_name(i), (int)value.size,
                value.size > 0 ? (const char *)value.data : "", config_help(i),
                origins[config->origins[i]]);
        buffer_release(&value);
    }
}

int command_server(struct cli *cli, const struct args *args)
{
    struct yore_error error = {0};
    struct config config = {0};
    struct server_words words = {.rest = mem_array(args->word_count + 1, sizeof(char *))};
    if (words.rest == NULL) {
        return cli_fail_text(cli, YORE_NOMEM, "out of memory");
    }
    enum yore_status status = sort_words(args, &words, &error);
    if (status == YORE_OK) {
        status = read_settings(&config, &words, &error);
    }
    if (status == YORE_OK && words.lists) {
        show_settings(cli, &config);
    } else if (status == YORE_OK && words.checks) {
        status = server_check(&config, &error);
        if (status == YORE_OK) {
            fprintf(cli->out, "the configuration is good\n");
        }
    } else if (status == YORE_OK) {
        status = server_run(&config, cli->out, &error);
    }
    config_release(&config);
    mem_free(words.rest);
    return status == YORE_OK ? EXIT_FOUND : cli_refuse(cli, &error);
}

/* A server that refuses the login answers, and that was asked. */
int command_ping(struct cli *cli, const struct args *args)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    struct yore_error error;
    (void)args;
    if (cli->server == NULL) {
        return cli_usage(cli, "ping asks a server: yore ping yore://host[:port]");
    }
    enum yore_status status = cli_open(cli, false, &error);
    bool is_open = status == YORE_OK;
    if (is_open) {
        remote_word(&words, "PING");
        status = remote_call(store_remote(cli->store), &words, &reply, &error);
    }
    if (status != YORE_OK && status != YORE_READ_ONLY) {
        return cli_fail(cli, &error);
    }
    if (!cli->is_quiet) {
        fprintf(cli->out, "%s answers%s\n", cli->dir,
                status == YORE_OK ? ""
                : is_open         ? " (the user may not PING)"
                                  : " (it wants a login)");
    }
    return EXIT_FOUND;
}
