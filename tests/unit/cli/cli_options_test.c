#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "support/test.h"

#define WORDS_MAX 16

struct line {
    struct args args;
    const char *words[WORDS_MAX];
    struct yore_error error;
};

/* Parse words separated by single blanks. */
static enum yore_status parse(struct line *line, uint64_t allowed, const char *text)
{
    static char copy[256];
    static char *argv[WORDS_MAX];
    size_t count = 0;
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *at = copy; *at != '\0';) {
        argv[count++] = at;
        at += strcspn(at, " ");
        if (*at == ' ') {
            *at++ = '\0';
        }
    }
    line->args.words = line->words;
    return args_parse(&line->args, count, argv, allowed, &line->error);
}

TEST(options_stand_anywhere)
{
    struct line line;
    CHECK_OK(parse(&line, OPTION(AT) | OPTION(KEYS) | OPTION(LIMIT), "a --keys b --at -1h c -n5"));
    CHECK_EQ_UINT(line.args.word_count, 3);
    CHECK_EQ_STR(line.args.words[2], "c");
    CHECK_EQ_STR(line.args.values[OPT_AT], "-1h");
    CHECK_EQ_STR(line.args.values[OPT_LIMIT], "5");
    CHECK(args_has(&line.args, OPT_KEYS));
    CHECK(!args_has(&line.args, OPT_KNOWN));
}

TEST(values_attach_and_letters_cluster)
{
    struct line line;
    CHECK_OK(parse(&line, OPTION(AT) | OPTION(REVERSE) | OPTION(OUTPUT), "--at=2020=x -rojson"));
    CHECK_EQ_STR(line.args.values[OPT_AT], "2020=x");
    CHECK_EQ_STR(line.args.values[OPT_OUTPUT], "json");
    CHECK(args_has(&line.args, OPT_REVERSE));
    CHECK_OK(parse(&line, OPTION(OUTPUT), "-o=json"));
    CHECK_EQ_STR(line.args.values[OPT_OUTPUT], "=json");
}

TEST(two_dashes_end_options_and_numbers_are_none)
{
    struct line line;
    CHECK_OK(parse(&line, OPTION(AT), "-5 - -- --at -x"));
    CHECK_EQ_UINT(line.args.word_count, 4);
    CHECK_EQ_STR(line.args.words[0], "-5");
    CHECK_EQ_STR(line.args.words[1], "-");
    CHECK_EQ_STR(line.args.words[2], "--at");
}

TEST(wrong_options_name_the_right_one)
{
    static const char *const cases[][2] = {
        {"--att x", "--att is not an option; did you mean --at?"},
        {"--keys", "--keys is not an option of this command"},
        {"--at", "--at needs a value: --at TIME"},
        {"--at 1 --at 2", "--at is given twice"},
        {"--reverse=1", "--reverse takes no value"},
    };
    struct line line;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_STATUS(parse(&line, OPTION(AT) | OPTION(REVERSE), cases[i][0]), YORE_INVALID);
        CHECK_EQ_STR(line.error.text, cases[i][1]);
    }
}

TEST(counts_are_checked)
{
    static const struct {
        const char *text;
        uint64_t value; /* 0: refused */
    } cases[] = {{"1", 1},
                 {"1000", 1000},
                 {"1,000", 1000},
                 {"1_000", 1000},
                 {"0", 0},
                 {"", 0},
                 {"1001", 0},
                 {"-1", 0},
                 {"1k", 0},
                 {",1", 0},
                 {" 1", 0},
                 {"1e3", 0},
                 {"18446744073709551617", 0}};
    struct args args = {.word_count = 0};
    struct yore_error error;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t value = 0;
        args.values[OPT_LIMIT] = cases[i].text;
        enum yore_status st = args_count(&args, OPT_LIMIT, 1000, &value, &error);
        test_note("'%s'", cases[i].text);
        CHECK_STATUS(st, cases[i].value != 0 ? YORE_OK : YORE_INVALID);
        CHECK_EQ_UINT(value, cases[i].value);
    }
}

TEST(every_command_is_complete)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &command_table[i];
        test_note("%s", command->name);
        CHECK((command->run != NULL) != (command->verbs != NULL));
        for (const struct verb *verb = command->verbs; verb != NULL && verb->name != NULL; verb++) {
            CHECK(verb->run != NULL && verb->wants != NULL && verb->words_min <= verb->words_max);
        }
        CHECK(command->summary != NULL && command->operands != NULL);
        CHECK(command->description != NULL && command->words_min <= command->words_max);
        CHECK(command_find(command->name) == command);
        CHECK((command->flags & COMMAND_OPENS) == 0 || (command->flags & COMMAND_HAS_DIR) != 0);
        CHECK((command->flags & COMMAND_ONLY_SHELL) == 0 ||
              (command->flags & COMMAND_IN_SHELL) != 0);
    }
}

TEST(letters_of_options_are_distinct)
{
    for (size_t i = 0; i < OPT_COUNT_OF; i++) {
        for (size_t j = 0; j < i; j++) {
            CHECK(strcmp(option_table[i].name, option_table[j].name) != 0);
            CHECK(option_table[i].letter == 0 || option_table[i].letter != option_table[j].letter);
        }
    }
}

TEST_MAIN(options_stand_anywhere, values_attach_and_letters_cluster,
          two_dashes_end_options_and_numbers_are_none, wrong_options_name_the_right_one,
          counts_are_checked, every_command_is_complete, letters_of_options_are_distinct)
