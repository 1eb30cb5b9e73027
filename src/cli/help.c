/* help, the manual page, version: all read off the table of commands. */
#include <string.h>

#include "cli/commands.h"
#include "cli/completion.h"

#define WIDTH 79u

/* ---- text for a terminal --------------------------------------------------------------------- */

static const char *bold(const struct cli *cli)
{
    return cli->has_color ? "\033[1m" : "";
}

static const char *plain(const struct cli *cli)
{
    return cli->has_color ? "\033[0m" : "";
}

/* Words of `text`, wrapped, each line indented; a newline ends a paragraph.  `column` is where the
 * first word goes. */
static void print_wrapped(FILE *out, const char *text, size_t indent, size_t column)
{
    bool is_line_begin = true;
    while (*text != '\0') {
        size_t size = strcspn(text, " \n");
        if (!is_line_begin && column + 1 + size > WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
            is_line_begin = true;
        }
        if (size > 0) {
            fprintf(out, "%s%.*s", is_line_begin ? "" : " ", (int)size, text);
            column += size + (is_line_begin ? 0 : 1);
            is_line_begin = false;
        }
        text += size;
        if (*text == '\n' && text[1] != '\0') {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
            is_line_begin = true;
        }
        text += *text != '\0';
    }
    fputc('\n', out);
}

static void print_option(struct cli *cli, const struct option_spec *spec)
{
    char text[48];
    int size;
    if (spec->letter != 0) {
        size = snprintf(text, sizeof(text), "-%c, --%s%s%s", spec->letter, spec->name,
                        spec->argument != NULL ? " " : "",
                        spec->argument != NULL ? spec->argument : "");
    } else {
        size = snprintf(text, sizeof(text), "    --%s%s%s", spec->name,
                        spec->argument != NULL ? " " : "",
                        spec->argument != NULL ? spec->argument : "");
    }
    fprintf(cli->out, "  %s%-24s%s ", bold(cli), text, plain(cli));
    print_wrapped(cli->out, spec->help, 27, size > 24 ? 3 + (size_t)size : 27);
}

static bool is_shown(const struct cli *cli, const struct command *command)
{
    unsigned flags = command->flags;
    return cli->session != NULL ? (flags & COMMAND_IN_SHELL) != 0
                                : (flags & COMMAND_ONLY_SHELL) == 0;
}

/* Examples are written for the command line; in the shell there is neither `yore` nor the directory
 * `db`. */
static const char *example_begin(const struct cli *cli, const struct command *command,
                                 const char *line)
{
    char before[40];
    bool has_dir = (command->flags & COMMAND_HAS_DIR) != 0;
    int size = snprintf(before, sizeof(before), "yore %s %s", command->name, has_dir ? "db " : "");
    bool is_usual = cli->session != NULL && strncmp(line, before, (size_t)size) == 0;
    return is_usual ? line + size : NULL;
}

static void print_examples(struct cli *cli, const struct command *command)
{
    const char *examples = command->examples;
    fprintf(cli->out, "\n%sExamples%s\n", bold(cli), plain(cli));
    while (*examples != '\0') {
        size_t size = strcspn(examples, "\n");
        const char *rest = example_begin(cli, command, examples);
        if (rest != NULL) {
            fprintf(cli->out, "  %s %.*s\n", command->name, (int)(examples + size - rest), rest);
        } else {
            fprintf(cli->out, "  %.*s\n", (int)size, examples);
        }
        examples += size;
        examples += *examples == '\n';
    }
}

static void print_command_help(struct cli *cli, const struct command *command)
{
    bool is_shell = cli->session != NULL;
    bool has_dir = (command->flags & COMMAND_HAS_DIR) != 0 && !is_shell;
    bool is_only_shell = (command->flags & COMMAND_ONLY_SHELL) != 0;
    fprintf(cli->out, "%s%s%s%s%s%s%s", bold(cli), is_shell || is_only_shell ? "" : "yore ",
            command->name, plain(cli), has_dir ? " DIR" : "", *command->operands != '\0' ? " " : "",
            command->operands);
    fprintf(cli->out, "%s\n    %s\n\n", command->options != 0 ? " [OPTIONS]" : "",
            command->summary);
    print_wrapped(cli->out, command->description, 0, 0);
    if (command->options != 0) {
        fprintf(cli->out, "\n%sOptions%s\n", bold(cli), plain(cli));
    }
    for (size_t id = 0; id < OPT_COUNT_OF; id++) {
        if ((command->options >> id & 1) != 0) {
            print_option(cli, &option_table[id]);
        }
    }
    if ((command->flags & COMMAND_SERVERS) != 0 && !is_shell) {
        fprintf(cli->out, "\nIn place of DIR the URL of a server (yore://host:port); with --url it "
                          "may stand anywhere.\n");
    }
    if (command->examples != NULL) {
        print_examples(cli, command);
    }
}

static const char *const time_text =
    "A TIME is RFC 3339 (2026-11-21T10:00:00Z), a date, a date and hour:minute (UTC), now, a "
    "duration "
    "from now (-1h, -1h30m, -30d), a number since 1970 (@1763719200s, ms, us or ns), or - for the "
    "earliest there is.  --to takes forever too: no end.\n";

static const char *const server_text =
    "In place of DIR most commands take the URL of a server, as an operand or with --url: "
    "yore://[user@]host[:port] (or redis://), yores:// (or rediss://) for TLS, or "
    "unix:///path/of/socket.  What they print is the same.  Times are the server's, a write is "
    "acknowledged as its setting durability says, and its users have the rights the server gives "
    "them.  The password is the first line of --password-file, or the environment's YORE_PASSWORD; "
    "in the URL others may see it.  A user without one logs in with an empty password.  A "
    "directory whose name looks like a URL is written ./yore:...\n";

static const char *const exit_text =
    "0 done or found; 1 not found (a key, keyspace or file), "
    "nothing to show; 2 the command "
    "line is wrong; 102 erased; 103 there is no database; else the "
    "number of the status: 3 invalid argument, 4 too big, 5 out "
    "of memory, 6 input/output error, 7 no space "
    "left, 8 damaged data, 9 unknown format version, 10 in use by "
    "another process, 11 already exists, 12 "
    "conflict, 13 earlier than what is kept, 14 later than now, "
    "15 writes refused, 16 busy, 17 cancelled, 18 "
    "not supported, 19 too many open files.\n";

static const char *const output_text = "On a terminal rows are a table, elsewhere raw: bytes as "
                                       "they are, separated by tabs, without headings. "
                                       "--output chooses. Colours are for terminals and honour "
                                       "NO_COLOR; progress is shown on standard error "
                                       "when that is a terminal.\n";

static void print_overview(struct cli *cli)
{
    bool is_shell = cli->session != NULL;
    fprintf(cli->out, "%s\n\n",
            is_shell ? "Commands (help COMMAND tells more, with examples):"
                     : "yore COMMAND DIR|URL ...   a database in which every key is a timeline");
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &command_table[i];
        if (is_shown(cli, command)) {
            fprintf(cli->out, "  %s%-10s%s %s\n", bold(cli), command->name, plain(cli),
                    command->summary);
        }
    }
    fputc('\n', cli->out);
    print_wrapped(cli->out, time_text, 0, 0);
    if (is_shell) {
        fputs("Leave with ^D, exit or quit.\n", cli->out);
        return;
    }
    fputs("\nBegin:\n"
          "  yore put db host1 up                     # DIR db is made by the first write\n"
          "  yore get db host1 --at -1h               # absent: it was not so an hour ago\n"
          "  yore timeline db host1                   # all it ever was\n"
          "  yore shell db                            # look around\n"
          "  yore shell yore://localhost              # the same with a server's database\n\n"
          "yore help COMMAND tells more; man yore has it all.\n",
          cli->out);
}

/* ---- roff ------------------------------------------------------------------------------------ */

/* Text in roff: backslashes, hyphens and leading dots mean something there. */
static void roff_text(FILE *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bool is_line_begin = i == 0 || text[i - 1] == '\n';
        if (text[i] == '\\') {
            fputs("\\e", out);
        } else if (text[i] == '-') {
            fputs("\\-", out);
        } else if (is_line_begin && (text[i] == '.' || text[i] == '\'')) {
            fprintf(out, "\\&%c", text[i]);
        } else {
            fputc(text[i], out);
        }
    }
}

static void roff_string(FILE *out, const char *text)
{
    roff_text(out, text, strlen(text));
}

/* Sentences on lines of their own, as roff wants them; a newline in `text` begins a paragraph. */
static void roff_sentences(FILE *out, const char *text)
{
    const char *begin = text;
    for (const char *at = text; *at != '\0'; at++) {
        bool is_sentence = at[0] == '.' && at[1] == ' ';
        if (!is_sentence && *at != '\n') {
            continue;
        }
        roff_text(out, begin, (size_t)(at - begin) + (is_sentence ? 1 : 0));
        fputs(*at == '\n' && at[1] != '\0' ? "\n.PP\n" : "\n", out);
        begin = at + 1;
        while (is_sentence && *begin == ' ') {
            begin++;
            at++;
        }
    }
}

static void roff_option(FILE *out, const struct option_spec *spec)
{
    fputs(".TP\n", out);
    if (spec->letter != 0) {
        fprintf(out, "\\fB\\-%c\\fR, ", spec->letter);
    }
    fputs("\\fB\\-\\-", out);
    roff_string(out, spec->name);
    fputs("\\fR", out);
    if (spec->argument != NULL) {
        fprintf(out, " \\fI%s\\fR", spec->argument);
    }
    fputc('\n', out);
    roff_string(out, spec->help);
    fputc('\n', out);
}

static void roff_option_names(FILE *out, uint64_t options)
{
    bool is_first = true;
    for (size_t id = 0; id < OPT_COUNT_OF; id++) {
        if ((options >> id & 1) != 0) {
            fprintf(out, "%s\\fB\\-\\-", is_first ? "Options: " : ", ");
            roff_string(out, option_table[id].name);
            fputs("\\fR", out);
            is_first = false;
        }
    }
    if (!is_first) {
        fputs(".\n", out);
    }
}

static void roff_command(FILE *out, const struct command *command)
{
    bool is_only_shell = (command->flags & COMMAND_ONLY_SHELL) != 0;
    fprintf(out, ".SS %s%s%s%s", is_only_shell ? "" : "yore ", command->name,
            (command->flags & COMMAND_HAS_DIR) != 0 ? " DIR" : "",
            *command->operands != '\0' ? " " : "");
    roff_string(out, command->operands);
    fprintf(out, "\n%c", command->summary[0] - 'a' + 'A');
    roff_string(out, command->summary + 1);
    fputs(".\n", out);
    roff_sentences(out, command->description);
    roff_option_names(out, command->options);
    if (command->examples != NULL) {
        fputs(".PP\n.nf\n.RS 4\n", out);
        roff_string(out, command->examples);
        fputs(".RE\n.fi\n", out);
    }
}

static void roff_section(FILE *out, const char *name, const char *text)
{
    fprintf(out, ".SH %s\n", name);
    roff_sentences(out, text);
}

static void print_manual(FILE *out)
{
    fprintf(out, ".\\\" Made by: yore help --man\n.TH YORE 1 \"\" \"yore %s\" \"User Commands\"\n",
            yore_version());
    fputs(".SH NAME\nyore \\- a key\\-value database in which every key is a timeline\n"
          ".SH SYNOPSIS\n.B yore\n.I COMMAND DIR\n.RI [ OPERAND ...]\n.RI [ OPTIONS ]\n"
          ".SH DESCRIPTION\n"
          "A database is a directory, or behind a server.\n"
          "Every key holds what was written to it over time; every reading command can name the "
          "moment it is\n"
          "about, and the moment of the knowledge it goes by.\n"
          "Commands that write make the directory when it is missing; the others do not.\n",
          out);
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < command_count; i++) {
        if ((command_table[i].flags & COMMAND_ONLY_SHELL) == 0) {
            roff_command(out, &command_table[i]);
        }
    }
    fputs(".SH COMMANDS OF THE SHELL\n", out);
    for (size_t i = 0; i < command_count; i++) {
        if ((command_table[i].flags & COMMAND_ONLY_SHELL) != 0) {
            roff_command(out, &command_table[i]);
        }
    }
    fputs(".SH OPTIONS\nOptions may stand anywhere after the command; \\fB\\-\\-\\fR ends them.\n",
          out);
    for (size_t id = 0; id < OPT_COUNT_OF; id++) {
        roff_option(out, &option_table[id]);
    }
    roff_section(out, "TIMES", time_text);
    roff_section(out, "SERVERS", server_text);
    roff_section(out, "OUTPUT", output_text);
    roff_section(out, "EXIT STATUS", exit_text);
    fputs(".SH ENVIRONMENT\n.TP\n.B YORE_PASSWORD\nthe password for a server\n"
          ".SH FILES\n.TP\n.I ~/.yore_history\nwhat was typed at the shell\n"
          ".SH SEE ALSO\n.BR libyore (3),\n.BR yore\\-server (8)\n",
          out);
}

/* ---- commands -------------------------------------------------------------------------------- */

int command_help(struct cli *cli, const struct args *args)
{
    if (args_has(args, OPT_MAN)) {
        print_manual(cli->out);
        return EXIT_FOUND;
    }
    if (args_has(args, OPT_COMPLETION)) {
        const char *shell = args->values[OPT_COMPLETION];
        return completion_print(cli->out, shell)
                   ? EXIT_FOUND
                   : cli_usage(cli, "no shell '%.40s': bash, zsh or fish", shell);
    }
    if (args->word_count == 0) {
        print_overview(cli);
        return EXIT_FOUND;
    }
    const struct command *command = command_find(args->words[0]);
    if (command == NULL) {
        const char *near = command_nearest(args->words[0], cli->session != NULL);
        cli->command = NULL; /* the overview lists them */
        return cli_usage(cli, "no command '%.80s'%s%s%s", args->words[0],
                         near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                         near != NULL ? "?" : "");
    }
    print_command_help(cli, command);
    return EXIT_FOUND;
}

int command_version(struct cli *cli, const struct args *args)
{
    (void)args;
    fprintf(cli->out, "yore %s\n", yore_version());
    return EXIT_FOUND;
}
