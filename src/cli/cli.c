#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/moment.h"
#include "cli/commands.h"
#include "cli/remote.h"
#include "cli/store.h"
#include "cli/words.h"
#include "engine/keyspace.h"
#include "os/env.h"
#include "os/term.h"

#define PASSWORD_FILE_BYTES_MAX 65536u

void cli_init(struct cli *cli)
{
    *cli = (struct cli){.env = os_env_posix(), .in = stdin, .out = stdout, .err = stderr};
    cli->is_in_terminal = os_term_is_terminal(OS_STREAM_IN);
    cli->is_out_terminal = os_term_is_terminal(OS_STREAM_OUT);
    cli->is_err_terminal = os_term_is_terminal(OS_STREAM_ERR);
    cli->columns = cli->is_out_terminal ? os_term_columns(OS_STREAM_OUT) : 0;
}

/* ---- messages -------------------------------------------------------------------------------- */

int cli_exit_code(enum yore_status status)
{
    return status == YORE_ERASED ? EXIT_ERASED : (int)status;
}

static void say(struct cli *cli, const char *text)
{
    cli->has_failed = true;
    fflush(cli->out);
    fprintf(cli->err, "%syore%s%s:%s %s\n", cli->has_err_color ? "\033[1;31m" : "",
            cli->command != NULL ? " " : "", cli->command != NULL ? cli->command : "",
            cli->has_err_color ? "\033[0m" : "", text);
}

int cli_fail(struct cli *cli, const struct yore_error *error)
{
    say(cli, error->text[0] != '\0' ? error->text : yore_status_message(error->status));
    return cli_exit_code(error->status);
}

int cli_fail_text(struct cli *cli, enum yore_status status, const char *format, ...)
{
    char text[YORE_ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    say(cli, text);
    return cli_exit_code(status);
}

int cli_answer_text(struct cli *cli, enum yore_status status, const char *format, ...)
{
    char text[YORE_ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    bool had_failed = cli->has_failed;
    say(cli, text);
    cli->has_failed = had_failed;
    return cli_exit_code(status);
}

/* Status of a stream that could not be written; call it before errno is another's. */
enum yore_status cli_stream_status(void)
{
    return errno == ENOSPC ? YORE_NO_SPACE : YORE_IO;
}

static int fail_output(struct cli *cli)
{
    int number = errno;
    return cli_fail_text(cli, cli_stream_status(), "cannot write to standard output%s%s",
                         number != 0 ? ": " : "", number != 0 ? strerror(number) : "");
}

int cli_fail_status(struct cli *cli, enum yore_status status)
{
    if (status == YORE_IO) { /* what has no text of its own is the output */
        return fail_output(cli);
    }
    say(cli, yore_status_message(status));
    return cli_exit_code(status);
}

static int hint_at_help(struct cli *cli)
{
    const char *command = cli->command != NULL ? cli->command : "";
    fprintf(cli->err, "try: %shelp%s%s\n", cli->session != NULL ? "" : "yore ",
            *command != '\0' ? " " : "", command);
    return EXIT_USAGE;
}

int cli_usage(struct cli *cli, const char *format, ...)
{
    char text[YORE_ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    say(cli, text);
    return hint_at_help(cli);
}

int cli_usage_error(struct cli *cli, const struct yore_error *error)
{
    say(cli, error->text);
    return hint_at_help(cli);
}

int cli_refuse(struct cli *cli, const struct yore_error *error)
{
    return error->status == YORE_INVALID ? cli_usage_error(cli, error) : cli_fail(cli, error);
}

/* ---- what many commands ask ------------------------------------------------------------------ */

int64_t cli_now(struct cli *cli)
{
    return cli->store != NULL ? store_now(cli->store) : os_wall_ns(cli->env);
}

enum yore_status cli_time(struct cli *cli, const struct args *args, struct yore_time *time_out,
                          struct yore_error *error_out)
{
    *time_out = (struct yore_time){YORE_NOW, YORE_NOW};
    if (cli->session != NULL) {
        *time_out = (struct yore_time){cli->session->valid, cli->session->known};
    }
    int64_t now = cli_now(cli);
    enum yore_status st = args_moment(args, OPT_AT, now, &time_out->valid, error_out);
    return st != YORE_OK ? st : args_moment(args, OPT_KNOWN, now, &time_out->known, error_out);
}

static enum yore_status refuse_keyspace(const struct cli *cli, const char *name,
                                        struct yore_error *error_out)
{
    return error_set(error_out, YORE_NOT_FOUND,
                     "no keyspace '%s' in %s (make it with: yore keyspace %s create %s)", name,
                     cli->dir, cli->dir, name);
}

enum yore_status cli_keyspace(struct cli *cli, const struct args *args, const struct yore_time *at,
                              struct store_keyspace **keyspace_out, struct yore_error *error_out)
{
    const char *name = args->values[OPT_KEYSPACE];
    if (name == NULL && cli->session != NULL && cli->session->keyspace[0] != '\0') {
        name = cli->session->keyspace;
    }
    *keyspace_out = NULL;
    if (name == NULL || strcmp(name, "default") == 0) {
        return YORE_OK;
    }
    struct yore_error cause;
    enum yore_status st = store_keyspace_open(cli->store, name, NULL, keyspace_out, &cause);
    if (st == YORE_NOT_FOUND && at != NULL) { /* dropped since, perhaps */
        st = store_keyspace_open(cli->store, name, at, keyspace_out, &cause);
    }
    if (st == YORE_NOT_FOUND) {
        return refuse_keyspace(cli, name, error_out);
    }
    return st == YORE_OK ? YORE_OK : error_set(error_out, st, "%s", cause.text);
}

enum yore_status cli_horizon(struct cli *cli, struct store_keyspace *keyspace, int64_t *horizon_out,
                             struct yore_error *error_out)
{
    struct yore_keyspace_info info;
    enum yore_status st = store_keyspace_info(cli->store, keyspace, &info, error_out);
    *horizon_out = st == YORE_OK ? info.horizon : YORE_TIME_MIN;
    return st;
}

enum yore_status cli_durability(const struct cli *cli, const struct args *args,
                                enum yore_durability *durability_out, struct yore_error *error_out)
{
    static const char *const modes[] = {"sync", "interval", "none", NULL};
    size_t index = SIZE_MAX;
    enum yore_status st = args_choice(args, OPT_DURABILITY, modes, &index, error_out);
    if (st == YORE_OK && index != SIZE_MAX && cli->server != NULL) {
        st = error_set(error_out, YORE_UNSUPPORTED,
                       "a server's own setting `durability` says when a write is acknowledged: "
                       "leave --durability out");
    }
    *durability_out = st != YORE_OK || index == SIZE_MAX ? YORE_DURABILITY_DEFAULT
                                                         : (enum yore_durability)(index + 1);
    return st;
}

/* ---- running a command ----------------------------------------------------------------------- */

static bool wants_color(const char *when, bool is_terminal)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    bool is_dumb = term != NULL && strcmp(term, "dumb") == 0;
    if (when != NULL && strcmp(when, "auto") != 0) {
        return strcmp(when, "always") == 0;
    }
    return is_terminal && !is_dumb && (no_color == NULL || *no_color == '\0');
}

static enum yore_status apply_switches(struct cli *cli, const struct args *args,
                                       struct yore_error *error_out)
{
    static const char *const choices[] = {"auto", "always", "never", NULL};
    size_t ignored = 0;
    enum yore_status st = args_choice(args, OPT_COLOR, choices, &ignored, error_out);
    if (cli->session == NULL || args_has(args, OPT_COLOR)) {
        cli->has_color = wants_color(args->values[OPT_COLOR], cli->is_out_terminal);
        cli->has_err_color = wants_color(args->values[OPT_COLOR], cli->is_err_terminal);
    }
    cli->is_quiet = args_has(args, OPT_QUIET);
    return st;
}

/* enum command_flag: of the command, and of the verb that its operands choose. */
static unsigned flags_of(const struct command *command, const struct args *args)
{
    const struct verb *verb = verb_find(command->verbs, args);
    return verb != NULL ? command->flags | verb->flags : command->flags;
}

/* Only what writes makes a database that is missing; every one has the keyspace "default". */
static bool makes_database(const struct command *command, const struct args *args)
{
    return (flags_of(command, args) & COMMAND_CREATES) != 0 &&
           !(command->verbs == keyspace_verbs && strcmp(args->words[1], "default") == 0);
}

/* What opening, or checking what is not open, came to, with what may be done about it. */
static enum yore_status explain(struct cli *cli, enum yore_status st, bool makes,
                                const struct yore_error *error, struct yore_error *error_out)
{
    if (st == YORE_NOT_FOUND && !makes) {
        return error_set(error_out, st, "no database in %s (put, import and restore make one)",
                         cli->dir);
    }
    if (st == YORE_LOCKED) {
        return error_set(error_out, st,
                         "%s (one process at a time may write to a database, and none reads "
                         "meanwhile: wait for that one, or end it)",
                         error->text);
    }
    if (st == YORE_NOT_FOUND) {
        return error_set(error_out, st, "%s (make the directories above it first)", error->text);
    }
    const struct command *command = cli->command != NULL ? command_find(cli->command) : NULL;
    bool can_only_read = command != NULL && (command->options & OPTION(READ_ONLY)) != 0;
    if ((st == YORE_IO || st == YORE_NO_SPACE) && can_only_read && !cli->reads_only) {
        return error_set(error_out, st, "%s (to read without writing anything: --read-only)",
                         error->text);
    }
    return error_set(error_out, st, "%s", error->text);
}

static enum yore_status open_remote(struct cli *cli, struct yore_error *error_out)
{
    struct remote *remote = NULL;
    enum yore_status st = remote_open(cli->server, &remote, error_out);
    if (st == YORE_OK) {
        st = store_of_remote(remote, cli->reads_only, &cli->store, error_out);
        if (st != YORE_OK) {
            remote_close(remote);
        }
    }
    return st;
}

enum yore_status cli_open(struct cli *cli, bool makes, struct yore_error *error_out)
{
    struct yore_options options;
    struct yore_error error;
    struct yore_db *db = NULL;
    if (cli->server != NULL) {
        return open_remote(cli, error_out);
    }
    yore_options_init(&options);
    options.must_exist = !makes;
    options.read_only = cli->reads_only;
    enum yore_status st = yore_open(cli->dir, &options, &db, &error);
    if (st != YORE_OK) {
        return explain(cli, st, makes, &error, error_out);
    }
    st = store_of_db(db, &cli->store, error_out);
    if (st != YORE_OK) {
        (void)yore_close(db, NULL);
    }
    return st;
}

/* What the first write to a database can be refused for. */
static enum yore_status check_first(struct cli *cli, const struct args *args, int64_t from,
                                    struct yore_error *error_out)
{
    const char *name = args->values[OPT_KEYSPACE];
    struct yore_options options;
    yore_options_init(&options);
    if (name != NULL && strcmp(name, "default") != 0) {
        enum yore_status st = keyspace_check_name(name, error_out);
        return st == YORE_OK ? refuse_keyspace(cli, name, error_out) : st;
    }
    int64_t now = cli_now(cli);
    if (from != YORE_NOW && from > now && from - now > options.clock_skew_max_ns) {
        char text[MOMENT_TEXT_BYTES];
        moment_format(from, text);
        return error_set(error_out, YORE_IN_FUTURE, "%s is later than now: nothing can be so yet",
                         text);
    }
    return YORE_OK;
}

enum yore_status cli_open_to_write(struct cli *cli, const struct args *args, int64_t from,
                                   struct yore_error *error_out)
{
    enum yore_status st = cli_open(cli, false, error_out);
    if (st != YORE_NOT_FOUND || cli->server != NULL) {
        return st;
    }
    st = check_first(cli, args, from, error_out);
    return st == YORE_OK ? cli_open(cli, true, error_out) : st;
}

int cli_open_failed(struct cli *cli, enum yore_status st, bool makes,
                    const struct yore_error *error)
{
    struct yore_error told;
    (void)explain(cli, st, makes, error, &told);
    int code = cli_fail(cli, &told);
    return st == YORE_NOT_FOUND && !makes ? EXIT_NO_DATABASE : code;
}

static int open_database(struct cli *cli, const struct command *command, const struct args *args)
{
    struct yore_error error;
    bool makes = makes_database(command, args);
    /* What only reads writes nothing, so that it works on a full disk and beside other readers. */
    cli->reads_only =
        (flags_of(command, args) & COMMAND_READS) != 0 || args_has(args, OPT_READ_ONLY);
    enum yore_status st = cli_open(cli, makes, &error);
    if (st == YORE_OK) {
        return EXIT_FOUND;
    }
    int code = cli_fail(cli, &error);
    bool is_missing = st == YORE_NOT_FOUND && !makes && cli->server == NULL;
    return is_missing ? EXIT_NO_DATABASE : code;
}

/* The exit code of the command, unless closing the database or the output says worse. */
static int close_all(struct cli *cli, int code)
{
    struct yore_error error;
    enum yore_status st = store_close(cli->store, &error);
    cli->store = NULL;
    if (st != YORE_OK && code <= EXIT_NOTHING) {
        code = cli_fail(cli, &error);
    }
    errno = 0;
    if ((fflush(cli->out) != 0 || ferror(cli->out)) && code <= EXIT_NOTHING) {
        code = fail_output(cli);
    }
    return code;
}

static int check_verb(struct cli *cli, const struct verb *verbs, const struct args *args)
{
    const struct verb *verb = verb_find(verbs, args);
    struct buffer names = {0};
    if (verb != NULL) {
        bool is_fit = verb->words_min <= args->word_count && args->word_count <= verb->words_max;
        return is_fit ? EXIT_FOUND : cli_usage(cli, "%s %s", verb->name, verb->wants);
    }
    for (; verbs->name != NULL; verbs++) {
        buffer_append(&names, ", ", names.size > 0 ? 2 : 0);
        buffer_append(&names, verbs->name, strlen(verbs->name));
    }
    int code = cli_usage(cli, "'%.80s' is none of %.*s", args->words[0], (int)names.size,
                         (const char *)names.data);
    buffer_release(&names);
    return code;
}

static int check_line(struct cli *cli, const struct command *command, const struct args *args)
{
    bool shows_dir = (command->flags & COMMAND_HAS_DIR) != 0 && cli->session == NULL;
    const char *gap = *command->operands != '\0' ? " " : "";
    if (args->word_count < command->words_min) {
        return cli_usage(cli, "too few words; usage: %s%s%s%s%s",
                         cli->session != NULL ? "" : "yore ", command->name,
                         shows_dir ? " DIR" : "", gap, command->operands);
    }
    if (args->word_count > command->words_max) {
        return cli_usage(cli, "'%.80s' is one word too many; usage: %s%s%s%s%s",
                         args->words[command->words_max], cli->session != NULL ? "" : "yore ",
                         command->name, shows_dir ? " DIR" : "", gap, command->operands);
    }
    int code = command->verbs != NULL ? check_verb(cli, command->verbs, args) : EXIT_FOUND;
    return code == EXIT_FOUND && command->check != NULL ? command->check(cli, args) : code;
}

static int run_it(struct cli *cli, const struct command *command, const struct args *args)
{
    const struct verb *verb = verb_find(command->verbs, args);
    return verb != NULL ? verb->run(cli, args) : command->run(cli, args);
}

static int show_help_of(struct cli *cli, const struct command *command)
{
    const char *word = command->name;
    struct args args = {.words = &word, .word_count = 1};
    return command_help(cli, &args);
}

/* The first line of --password-file; else YORE_PASSWORD. */
static enum yore_status find_password(const struct args *args, struct buffer *store,
                                      struct remote_options *server, struct yore_error *error_out)
{
    const char *name = args->values[OPT_PASSWORD_FILE];
    server->password = getenv("YORE_PASSWORD");
    if (name == NULL) {
        return YORE_OK;
    }
    FILE *stream;
    enum yore_status st = open_stream(name, NULL, &stream, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = read_stream(stream, name, PASSWORD_FILE_BYTES_MAX, store, error_out);
    fclose(stream);
    if (st != YORE_OK) {
        return st;
    }
    const char *end = store->size > 0 ? memchr(store->data, '\n', store->size) : NULL;
    store->size = end != NULL ? (size_t)(end - (const char *)store->data) : store->size;
    if (store->size > 0 && store->data[store->size - 1] == '\r') {
        store->size--;
    }
    buffer_append(store, "", 1);
    server->password = (const char *)store->data;
    return buffer_status(store);
}

static int check_open_run(struct cli *cli, const struct command *command, struct args *args)
{
    int code = check_line(cli, command, args);
    if (code == EXIT_FOUND && (command->flags & COMMAND_OPENS) != 0) {
        code = open_database(cli, command, args);
    }
    return close_all(cli, code == EXIT_FOUND ? run_it(cli, command, args) : code);
}

static int refuse_server(struct cli *cli, const struct command *command)
{
    return cli_fail_text(cli, YORE_UNSUPPORTED, "%s works in a directory, not with a server%s",
                         command->name, command_instead(command));
}

static int run_with_server(struct cli *cli, const struct command *command, struct args *args,
                           const char *url)
{
    struct buffer password = {0};
    char shown[CLIENT_URL_TEXT_BYTES];
    struct yore_error error;
    struct remote_options server = {.url = url,
                                    .ca = args->values[OPT_CACERT],
                                    .cert = args->values[OPT_CERT],
                                    .cert_key = args->values[OPT_CERT_KEY]};
    int code;
    if ((command->flags & COMMAND_SERVERS) == 0) {
        return refuse_server(cli, command);
    }
    cli->dir = client_url_show(url, shown);
    cli->server = &server;
    code = find_password(args, &password, &server, &error) == YORE_OK
               ? check_open_run(cli, command, args)
               : cli_fail(cli, &error);
    cli->server = NULL;
    buffer_release(&password);
    return code;
}

/* Take DIR, or the URL in its place, off the operands, open, run, close. */
static int run_with_dir(struct cli *cli, const struct command *command, struct args *args)
{
    const char *url = args->values[OPT_URL];
    if (url != NULL && !client_url_is_one(url)) {
        return cli_usage(cli, "--url takes yore://host[:port], yores:// (TLS), redis://, rediss:// "
                              "or unix:///path");
    }
    if (url != NULL) {
        return run_with_server(cli, command, args, url);
    }
    if (args->word_count == 0 || args->words[0][0] == '\0') {
        return cli_usage(cli, "name the database's directory: yore %s DIR%s%s", command->name,
                         *command->operands != '\0' ? " " : "", command->operands);
    }
    cli->dir = args->words[0];
    args->words++;
    args->word_count--;
    return client_url_is_one(cli->dir) ? run_with_server(cli, command, args, cli->dir)
                                       : check_open_run(cli, command, args);
}

/* A session in the past is for looking; a write that names its own time is meant. */
static bool is_write_into_past(const struct cli *cli, const struct command *command,
                               const struct args *args)
{
    bool is_dated = args_has(args, OPT_AT) || args_has(args, OPT_FROM);
    unsigned flags = flags_of(command, args);
    bool is_write = (flags & COMMAND_CHANGES) != 0 || ((flags & COMMAND_WRITES) != 0 && !is_dated);
    return cli->session != NULL && cli->session->valid != YORE_NOW && is_write;
}

static int run_command(struct cli *cli, const struct command *command, struct args *args)
{
    if (args_has(args, OPT_HELP)) {
        return show_help_of(cli, command);
    }
    if ((command->flags & COMMAND_HAS_DIR) != 0 && cli->session == NULL) {
        return run_with_dir(cli, command, args);
    }
    bool needs_dir = (command->flags & (COMMAND_HAS_DIR | COMMAND_SERVERS)) == COMMAND_HAS_DIR;
    if (needs_dir && cli->server != NULL) {
        return refuse_server(cli, command);
    }
    int code = check_line(cli, command, args);
    if (code == EXIT_FOUND && is_write_into_past(cli, command, args)) {
        return cli_fail_text(cli, YORE_READ_ONLY, "this session stands at %s; say `at now` first%s",
                             cli->session->at_text,
                             (flags_of(command, args) & COMMAND_CHANGES) != 0 ? ""
                                                                              : ", or give --at");
    }
    code = code == EXIT_FOUND ? run_it(cli, command, args) : code;
    return cli->session != NULL ? code : close_all(cli, code);
}

static int refuse_command(struct cli *cli, const char *name)
{
    const char *near = command_nearest(name, cli->session != NULL);
    if (near != NULL) {
        return cli_usage(cli, "'%.80s' is not a command; did you mean %s?", name, near);
    }
    return cli_usage(cli, "'%.80s' is not a command", name);
}

/* The words of a command that reads its own flags; --help alone is everybody's. */
static enum yore_status take_words(struct args *args, size_t count, char *const *words)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) {
            args->values[OPT_HELP] = "";
        }
        args->words[args->word_count++] = words[i];
    }
    return YORE_OK;
}

static int parse_and_run(struct cli *cli, const struct command *command, size_t count,
                         char *const *words)
{
    struct yore_error error;
    const char **operands = mem_array(count + 1, sizeof(*operands));
    struct args args = {.words = operands};
    if (operands == NULL) {
        return cli_fail_text(cli, YORE_NOMEM, "out of memory");
    }
    cli->command = command->name;
    uint64_t allowed = cli->session != NULL ? command->options : command_options(command);
    if (cli->store != NULL) {
        store_begin_command(cli->store);
    }
    enum yore_status st = (command->flags & COMMAND_OWN_FLAGS) != 0
                              ? take_words(&args, count, words)
                              : args_parse(&args, count, words, allowed, &error);
    enum yore_status color_st = st == YORE_OK ? apply_switches(cli, &args, &error) : st;
    int code =
        color_st == YORE_OK ? run_command(cli, command, &args) : cli_usage_error(cli, &error);
    mem_free(operands);
    return code;
}

int cli_main(struct cli *cli, int argc, char *const *argv)
{
    cli->has_err_color = wants_color(NULL, cli->is_err_terminal);
    if (argc < 2) {
        fprintf(cli->err, "usage: yore COMMAND DIR ...\ntry: yore help\n");
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        name = "version";
    }
    const struct command *command = command_find(name);
    if (command == NULL || (command->flags & COMMAND_ONLY_SHELL) != 0) {
        return refuse_command(cli, name);
    }
    return parse_and_run(cli, command, (size_t)argc - 2, argv + 2);
}

int cli_run_in_shell(struct cli *cli, size_t count, char *const *words)
{
    const struct command *command = command_find(words[0]);
    cli->command = NULL;
    cli->has_failed = false;
    if (command == NULL) {
        return refuse_command(cli, words[0]);
    }
    if ((command->flags & COMMAND_IN_SHELL) == 0) {
        return cli_usage(cli, "%s does not work inside the shell; leave it (^D) and run yore %s",
                         command->name, command->name);
    }
    return parse_and_run(cli, command, count - 1, words + 1);
}
