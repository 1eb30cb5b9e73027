/* completion.c -- completion of the program's words in shells, read off the table of commands. */
#include "cli/completion.h"

#include <string.h>

#include "cli/commands.h"
#include "server/config.h"

static bool is_shown(const struct command *command)
{
    return (command->flags & COMMAND_ONLY_SHELL) == 0;
}

static bool has_option(const struct command *command, size_t id)
{
    return (command_options(command) >> id & 1) != 0;
}

/* Settings are flags of `yore server`. */
static bool is_server(const struct command *command)
{
    return strcmp(command->name, "server") == 0;
}

/* Inside of single quotes: one ends them, a quoted one follows, and they begin again. */
static void print_quoted(FILE *out, const char *text, const char *quote)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\'') {
            fputs(quote, out);
        } else {
            fputc(*at, out);
        }
    }
}

/* ---- bash -------------------------------------------------------------------------------------
 */

static void print_bash(FILE *out)
{
    fputs("# Made by: yore help --completion bash\n"
          "_yore() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} options= IFS=$' \\t\\n'\n"
          "    local commands='",
          out);
    for (size_t i = 0, told = 0; i < command_count; i++) {
        if (is_shown(&command_table[i])) {
            fprintf(out, "%s%s", told++ > 0 ? " " : "", command_table[i].name);
        }
    }
    fputs("'\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ] || { [ \"$COMP_CWORD\" -eq 2 ] && [ "
          "\"${COMP_WORDS[1]}\" = "
          "help ]; }; then\n"
          "        COMPREPLY=($(compgen -W \"$commands\" -- \"$word\"))\n"
          "        return\n"
          "    fi\n"
          "    case ${COMP_WORDS[1]} in\n",
          out);
    for (size_t i = 0; i < command_count; i++) {
        if (!is_shown(&command_table[i])) {
            continue;
        }
        fprintf(out, "    %s) options='", command_table[i].name);
        for (size_t id = 0, told = 0; id < OPT_COUNT_OF; id++) {
            if (has_option(&command_table[i], id)) {
                fprintf(out, "%s--%s", told++ > 0 ? " " : "", option_table[id].name);
            }
        }
        for (size_t k = 0; is_server(&command_table[i]) && k < config_count(); k++) {
            fprintf(out, " --%s", config_name(k));
        }
        fputs("' ;;\n", out);
    }
    fputs("    esac\n"
          "    case $word in\n"
          "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
          "    *) IFS=$'\\n'; COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
          "    esac\n"
          "}\n"
          "complete -o filenames -F _yore yore\n",
          out);
}

/* ---- zsh --------------------------------------------------------------------------------------
 */

static void print_zsh_option(FILE *out, const char *name, const char *help)
{
    fprintf(out, "        '--%s:", name);
    print_quoted(out, help, "'\\''");
    fputs("'\n", out);
}

static void print_zsh(FILE *out)
{
    fputs("#compdef yore\n"
          "# Made by: yore help --completion zsh\n"
          "local -a commands options\n"
          "commands=(\n",
          out);
    for (size_t i = 0; i < command_count; i++) {
        if (is_shown(&command_table[i])) {
            fprintf(out, "    '%s:", command_table[i].name);
            print_quoted(out, command_table[i].summary, "'\\''");
            fputs("'\n", out);
        }
    }
    fputs(")\n"
          "if (( CURRENT == 2 )) || [[ $CURRENT == 3 && $words[2] == help ]]; then\n"
          "    _describe -t commands 'command' commands\n"
          "    return\n"
          "fi\n"
          "case $words[2] in\n",
          out);
    for (size_t i = 0; i < command_count; i++) {
        if (!is_shown(&command_table[i])) {
            continue;
        }
        fprintf(out, "%s)\n    options=(\n", command_table[i].name);
        for (size_t id = 0; id < OPT_COUNT_OF; id++) {
            if (has_option(&command_table[i], id)) {
                print_zsh_option(out, option_table[id].name, option_table[id].help);
            }
        }
        for (size_t k = 0; is_server(&command_table[i]) && k < config_count(); k++) {
            print_zsh_option(out, config_name(k), config_help(k));
        }
        fputs("    )\n    ;;\n", out);
    }
    fputs("esac\n"
          "if [[ $words[CURRENT] == -* ]]; then\n"
          "    _describe -o -t options 'option' options\n"
          "else\n"
          "    _files\n"
          "fi\n",
          out);
}

/* ---- fish -------------------------------------------------------------------------------------
 */

static void print_fish_option(FILE *out, const char *command, const char *name, bool has_argument,
                              const char *help)
{
    fprintf(out, "complete -c yore -n '__fish_seen_subcommand_from %s' -l %s%s -d '", command, name,
            has_argument ? " -r" : "");
    print_quoted(out, help, "\\'");
    fputs("'\n", out);
}

static void print_fish(FILE *out)
{
    fputs("# Made by: yore help --completion fish\n", out);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &command_table[i];
        if (!is_shown(command)) {
            continue;
        }
        fprintf(out, "complete -c yore -n __fish_use_subcommand -f -a %s -d '", command->name);
        print_quoted(out, command->summary, "\\'");
        fputs("'\n", out);
        for (size_t id = 0; id < OPT_COUNT_OF; id++) {
            if (has_option(command, id)) {
                print_fish_option(out, command->name, option_table[id].name,
                                  option_table[id].argument != NULL, option_table[id].help);
            }
        }
        for (size_t k = 0; is_server(command) && k < config_count(); k++) {
            print_fish_option(out, command->name, config_name(k), true, config_help(k));
        }
    }
}

bool completion_print(FILE *out, const char *shell)
{
    static const struct {
        const char *name;
        void (*print)(FILE *out);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(shells[i].name, shell) == 0) {
            shells[i].print(out);
            return true;
        }
    }
    return false;
}
