#include "cli/options.h"

#include <assert.h>
#include <string.h>

#include "base/moment.h"
#include "base/nearest.h"

const struct option_spec option_table[OPT_COUNT_OF] = {
#define OPTION_SPEC(id, name, letter, argument, help) {name, letter, argument, help},
    OPTION_LIST(OPTION_SPEC)
#undef OPTION_SPEC
};

static_assert(OPT_COUNT_OF <= 64, "sets of options are 64 bits");

/* ---- words to options ------------------------------------------------------------------------ */

struct parse {
    struct args *args;
    size_t count;
    char *const *argv;
    size_t at;
    uint64_t allowed;
    struct yore_error *error_out;
};

static const char *allowed_name(const void *arg, size_t index)
{
    const uint64_t *allowed = arg;
    return (*allowed >> index & 1) != 0 ? option_table[index].name : NULL;
}

static size_t find_long(const char *name, size_t size)
{
    size_t id = 0;
    while (id < OPT_COUNT_OF && (strlen(option_table[id].name) != size ||
                                 memcmp(option_table[id].name, name, size) != 0)) {
        id++;
    }
    return id;
}

static size_t find_short(char letter)
{
    size_t id = 0;
    while (id < OPT_COUNT_OF && option_table[id].letter != letter) {
        id++;
    }
    return id;
}

static enum yore_status refuse_unknown(const struct parse *p, const char *name, size_t size)
{
    char word[64];
    size_t kept = size < sizeof(word) - 1 ? size : sizeof(word) - 1;
    memcpy(word, name, kept);
    word[kept] = '\0';
    size_t id = find_long(name, size);
    const char *near = nearest_word(word, allowed_name, &p->allowed, OPT_COUNT_OF);
    const char *why = id < OPT_COUNT_OF ? "is not an option of this command" : "is not an option";
    if (near != NULL) {
        return error_set(p->error_out, YORE_INVALID, "--%s %s; did you mean --%s?", word, why,
                         near);
    }
    return error_set(p->error_out, YORE_INVALID, "--%s %s", word, why);
}

/* Store option `id`, whose value is `attached` or else the next word. */
static enum yore_status take_option(struct parse *p, size_t id, const char *attached)
{
    const struct option_spec *spec = &option_table[id];
    const char *value = attached;
    if (spec->argument == NULL) {
        if (attached != NULL) {
            return error_set(p->error_out, YORE_INVALID, "--%s takes no value", spec->name);
        }
        value = "";
    } else if (value == NULL) {
        if (p->at + 1 >= p->count) {
            return error_set(p->error_out, YORE_INVALID, "--%s needs a value: --%s %s", spec->name,
                             spec->name, spec->argument);
        }
        value = p->argv[++p->at];
    }
    if (id == OPT_PARAM) {
        if (p->args->parameter_count == ARGS_PARAMETERS_MAX) {
            return error_set(p->error_out, YORE_INVALID, "--param may be given %d times",
                             ARGS_PARAMETERS_MAX);
        }
        p->args->parameters[p->args->parameter_count++] = value;
    } else if (p->args->values[id] != NULL) {
        return error_set(p->error_out, YORE_INVALID, "--%s is given twice", spec->name);
    }
    p->args->values[id] = value;
    return YORE_OK;
}

static enum yore_status take_long(struct parse *p, const char *name)
{
    const char *equals = strchr(name, '=');
    size_t size = equals != NULL ? (size_t)(equals - name) : strlen(name);
    size_t id = find_long(name, size);
    if (id == OPT_COUNT_OF || (p->allowed >> id & 1) == 0) {
        return refuse_unknown(p, name, size);
    }
    return take_option(p, id, equals != NULL ? equals + 1 : NULL);
}

/* A cluster of letters: switches, and at the end perhaps one with a value, attached or not. */
static enum yore_status take_short(struct parse *p, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        size_t id = find_short(*letters);
        if (id == OPT_COUNT_OF || (p->allowed >> id & 1) == 0) {
            return error_set(
                p->error_out, YORE_INVALID,
                "-%c is not an option of this command (a key or value that begins with "
                "'-' goes after --)",
                *letters);
        }
        bool is_switch = option_table[id].argument == NULL;
        const char *attached = is_switch || letters[1] == '\0' ? NULL : letters + 1;
        enum yore_status st = take_option(p, id, attached);
        if (st != YORE_OK || !is_switch) {
            return st;
        }
    }
    return YORE_OK;
}

static bool is_option_word(const char *word)
{
    bool is_number = word[0] == '-' && word[1] >= '0' && word[1] <= '9' && strcmp(word, "-0") != 0;
    return word[0] == '-' && word[1] != '\0' && !is_number;
}

enum yore_status args_parse(struct args *args, size_t count, char *const *argv, uint64_t allowed,
                            struct yore_error *error_out)
{
    struct parse p = {args, count, argv, 0, allowed | OPTIONS_EVERYWHERE, error_out};
    bool is_over = false;
    enum yore_status st = YORE_OK;
    memset(args->values, 0, sizeof(args->values));
    args->parameter_count = 0;
    args->word_count = 0;
    for (; p.at < count && st == YORE_OK; p.at++) {
        const char *word = argv[p.at];
        if (is_over || !is_option_word(word)) {
            args->words[args->word_count++] = word;
        } else if (strcmp(word, "--") == 0) {
            is_over = true;
        } else if (word[1] == '-') {
            st = take_long(&p, word + 2);
        } else {
            st = take_short(&p, word + 1);
        }
    }
    return st;
}

/* ---- typed values ---------------------------------------------------------------------------- */

enum yore_status args_count(const struct args *args, enum option_id id, uint64_t max,
                            uint64_t *value_out, struct yore_error *error_out)
{
    const char *text = args->values[id];
    if (text == NULL) {
        return YORE_OK;
    }
    uint64_t value = 0;
    bool is_number = *text != '\0';
    for (const char *at = text; *at != '\0' && is_number; at++) {
        if (*at == ',' || *at == '_') {
            is_number = at != text;
            continue;
        }
        is_number = *at >= '0' && *at <= '9' && value <= (max - (uint64_t)(*at - '0')) / 10;
        value = value * 10 + (uint64_t)(*at - '0');
    }
    if (!is_number || value == 0) {
        return error_set(error_out, YORE_INVALID, "--%s takes a number from 1 to %llu, not '%s'",
                         option_table[id].name, (unsigned long long)max, text);
    }
    *value_out = value;
    return YORE_OK;
}

/* Put the option's name in front of what the parser of its value said. */
static enum yore_status blame_option(enum option_id id, const struct yore_error *cause,
                                     struct yore_error *error_out)
{
    return error_set(error_out, cause->status, "--%s: %.400s", option_table[id].name, cause->text);
}

enum yore_status args_moment(const struct args *args, enum option_id id, int64_t now,
                             int64_t *value_out, struct yore_error *error_out)
{
    const char *text = args->values[id];
    struct yore_error cause;
    if (text == NULL) {
        return YORE_OK;
    }
    struct yore_bytes moment = bytes_of(text, strlen(text));
    enum yore_status st = id == OPT_TO ? moment_parse_end(moment, now, value_out, &cause)
                                       : moment_parse(moment, now, value_out, &cause);
    return st == YORE_OK ? st : blame_option(id, &cause, error_out);
}

enum yore_status args_duration(const struct args *args, enum option_id id, int64_t *value_out,
                               struct yore_error *error_out)
{
    const char *text = args->values[id];
    struct yore_error cause;
    if (text != NULL &&
        duration_parse(bytes_of(text, strlen(text)), value_out, &cause) != YORE_OK) {
        return blame_option(id, &cause, error_out);
    }
    return YORE_OK;
}

static const char *choice_at(const void *arg, size_t index)
{
    return ((const char *const *)arg)[index];
}

enum yore_status args_choice(const struct args *args, enum option_id id, const char *const *choices,
                             size_t *index_out, struct yore_error *error_out)
{
    const char *text = args->values[id];
    if (text == NULL) {
        return YORE_OK;
    }
    char list[160] = "";
    size_t used = 0;
    size_t count = 0;
    for (; choices[count] != NULL; count++) {
        if (strcmp(text, choices[count]) == 0) {
            *index_out = count;
            return YORE_OK;
        }
        size_t size = strlen(choices[count]);
        if (used + size + 3 < sizeof(list)) {
            memcpy(list + used, count > 0 ? ", " : "", count > 0 ? 2 : 0);
            used += count > 0 ? 2 : 0;
            memcpy(list + used, choices[count], size + 1);
            used += size;
        }
    }
    const char *near = nearest_word(text, choice_at, choices, count);
    return error_set(error_out, YORE_INVALID, "--%s takes one of %s, not '%.80s'%s%s%s",
                     option_table[id].name, list, text, near != NULL ? "; did you mean " : "",
                     near != NULL ? near : "", near != NULL ? "?" : "");
}
