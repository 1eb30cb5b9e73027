#include "cli/shell.h"

#include <string.h>

#include "cli/commands.h"
#include "cli/line_source.h"
#include "cli/shell_statement.h"
#include "os/term.h"

bool shell_take_line(struct shell *shell, struct yore_bytes line)
{
    const char *text = line.data;
    size_t size = line.size > 0 && text[line.size - 1] == '\r' ? line.size - 1 : line.size;
    size_t backslashes = 0;
    while (backslashes < size && text[size - 1 - backslashes] == '\\') {
        backslashes++;
    }
    bool goes_on = backslashes % 2 == 1;
    buffer_append(&shell->line, text, goes_on ? size - 1 : size);
    return !goes_on;
}

int shell_run_line(struct shell *shell)
{
    struct shell_words *words = &shell->words;
    if (shell->line.size > 0 && memchr(shell->line.data, '\0', shell->line.size) != NULL) {
        buffer_clear(&shell->line);
        shell->cli->command = NULL;
        return cli_usage(shell->cli, "a line cannot hold a NUL byte; write what has one with "
                                     "--base64");
    }
    if (!shell->line.is_nomem && shell_is_statement(buffer_bytes(&shell->line))) {
        os_interrupt_take();
        int code = shell_run_statement(shell->cli, buffer_bytes(&shell->line));
        buffer_clear(&shell->line);
        return code;
    }
    bool is_escaped = shell->line.size > 0 && shell->line.data[0] == '\\';
    struct yore_bytes line = bytes_behind(buffer_bytes(&shell->line), is_escaped ? 1 : 0);
    bool is_ok = shell_words_split(words, line) && !shell->line.is_nomem;
    buffer_clear(&shell->line);
    if (!is_ok) {
        return cli_fail_status(shell->cli, YORE_NOMEM);
    }
    if (words->count == 0) {
        return EXIT_FOUND;
    }
    if (words->quote != 0) {
        shell->cli->command = NULL;
        return cli_usage(shell->cli, "a quote (%c) is not closed", words->quote);
    }
    if (strcmp(words->words[0], "exit") == 0 || strcmp(words->words[0], "quit") == 0) {
        shell->is_over = true;
        return EXIT_FOUND;
    }
    os_interrupt_take();
    if (is_escaped && strcmp(words->words[0], "diff") == 0) {
        return shell_run_diff(shell->cli, words->count - 1, words->words + 1);
    }
    return cli_run_in_shell(shell->cli, words->count, words->words);
}

static const char *last_part(const char *path)
{
    const char *part = path;
    for (; *path != '\0'; path++) {
        if (*path == '/' && path[1] != '\0' && path[1] != '/') {
            part = path + 1;
        }
    }
    return part;
}

char *shell_prompt(const struct shell *shell, char text[SHELL_PROMPT_BYTES])
{
    const struct cli_session *session = shell->cli->session;
    const char *keyspace = session->keyspace;
    bool has_known = session->known != YORE_NOW;
    if (shell->line.size > 0) {
        snprintf(text, SHELL_PROMPT_BYTES, "... ");
        return text;
    }
    snprintf(text, SHELL_PROMPT_BYTES, "%.60s%s%s at %s%s%s> ", last_part(shell->cli->dir),
             *keyspace != '\0' ? "/" : "", keyspace, session->at_text, has_known ? " known " : "",
             has_known ? session->known_text : "");
    return text;
}

/* An absent key ends nothing; a keyspace that is not there does: the next line would be about
 * another one. */
static bool ends_shell(const struct shell *shell, int code)
{
    return shell->cli->has_failed || (code > EXIT_NOTHING && code != EXIT_ERASED);
}

/* The lines of a text, until one fails; its exit code, or that of the last line. */
static int run_text(struct shell *shell, const char *text)
{
    int code = EXIT_FOUND;
    while (*text != '\0' && !shell->is_over && !ends_shell(shell, code)) {
        size_t size = strcspn(text, "\n");
        if (shell_take_line(shell, bytes_of(text, size))) {
            code = shell_run_line(shell);
        }
        text += size;
        text += *text == '\n';
    }
    return shell->line.size > 0 ? shell_run_line(shell) : code;
}

/* Standard input that is no terminal: no prompt, and a script must not go on after an error. */
static int run_stream(struct shell *shell)
{
    struct cli *cli = shell->cli;
    struct line_source *source;
    struct yore_bytes line;
    struct yore_error error;
    int code = EXIT_FOUND;
    enum yore_status st = line_source_open(cli->in, "standard input", &source, &error);
    if (st != YORE_OK) {
        return cli_fail(cli, &error);
    }
    while (!shell->is_over && !ends_shell(shell, code)) {
        st = line_source_next(source, &line, &error);
        if (st != YORE_OK) {
            break;
        }
        if (shell_take_line(shell, line)) {
            code = shell_run_line(shell);
        }
    }
    if (ends_shell(shell, code)) {
        fprintf(cli->err, "stopped at line %llu\n", (unsigned long long)line_source_number(source));
    } else if (st != YORE_OK && st != YORE_NOT_FOUND) {
        cli->command = NULL;
        code = cli_fail(cli, &error);
    } else if (shell->line.size > 0) {
        code = shell_run_line(shell);
    }
    line_source_close(source);
    return code;
}

int command_shell(struct cli *cli, const struct args *args)
{
    struct cli_session session = {.valid = YORE_NOW, .known = YORE_NOW};
    struct shell shell = {.cli = cli};
    struct yore_error error;
    static const char *const formats[] = {"table", "json", "ndjson", "csv", "raw", NULL};
    size_t format = sizeof(formats) / sizeof(formats[0]) - 1;
    snprintf(session.at_text, sizeof(session.at_text), "now");
    snprintf(session.known_text, sizeof(session.known_text), "now");
    if (args_choice(args, OPT_OUTPUT, formats, &format, &error) != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    session.output = formats[format];
    cli->session = &session;
    int code;
    if (args_has(args, OPT_COMMAND)) {
        code = run_text(&shell, args->values[OPT_COMMAND]);
    } else {
        code = cli->is_in_terminal ? shell_edit(&shell) : run_stream(&shell);
    }
    cli->session = NULL;
    cli->command = "shell";
    shell_words_release(&shell.words);
    buffer_release(&shell.line);
    return code;
}
