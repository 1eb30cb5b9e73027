/* acl_rules.c -- one set of rules: made, copied, changed by words, told as words. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/moment.h"
#include "command/acl.h"
#include "command/args.h"

/* ---- lists of patterns ---- */

static void patterns_release(struct acl_patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++) {
        mem_free(patterns->items[i].text);
    }
    mem_free(patterns->items);
    *patterns = (struct acl_patterns){0};
}

static bool patterns_add(struct acl_patterns *patterns, struct yore_bytes text, uint16_t access)
{
    for (size_t i = 0; i < patterns->count; i++) {
        struct acl_pattern *at = &patterns->items[i];
        if (bytes_equal(bytes_of(at->text, at->size), text)) {
            at->access |= access;
            return true;
        }
    }
    if (patterns->count == patterns->capacity) {
        size_t capacity = patterns->capacity == 0 ? 4 : 2 * patterns->capacity;
        struct acl_pattern *grown = mem_realloc(patterns->items, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        patterns->items = grown;
        patterns->capacity = capacity;
    }
    unsigned char *copy = mem_copy(text.data, text.size);
    if (copy != NULL) {
        patterns->items[patterns->count++] = (struct acl_pattern){copy, text.size, access};
    }
    return copy != NULL;
}

static bool patterns_copy(const struct acl_patterns *from, struct acl_patterns *to)
{
    bool is_whole = true;
    for (size_t i = 0; i < from->count && is_whole; i++) {
        const struct acl_pattern *at = &from->items[i];
        is_whole = patterns_add(to, bytes_of(at->text, at->size), at->access);
    }
    return is_whole;
}

/* ---- making ---- */

static void selector_free(struct acl_selector *selector)
{
    if (selector != NULL) {
        patterns_release(&selector->keys);
        patterns_release(&selector->channels);
        buffer_release(&selector->text);
        mem_free(selector);
    }
}

static struct acl_selector *selector_copy(const struct acl_selector *from)
{
    struct acl_selector *to = mem_zalloc(sizeof *to);
    if (to == NULL) {
        return NULL;
    }
    to->is_all_keys = from->is_all_keys;
    to->is_all_channels = from->is_all_channels;
    to->is_open = from->is_open;
    memcpy(to->commands, from->commands, sizeof to->commands);
    buffer_append_bytes(&to->text, buffer_bytes(&from->text));
    if (!patterns_copy(&from->keys, &to->keys) || !patterns_copy(&from->channels, &to->channels) ||
        to->text.is_nomem) {
        selector_free(to);
        return NULL;
    }
    return to;
}

enum yore_status acl_rules_new(bool allows_channels, struct acl_rules **rules_out)
{
    struct acl_rules *rules = mem_zalloc(sizeof *rules);
    *rules_out = rules;
    if (rules == NULL) {
        return YORE_NOMEM;
    }
    rules->selectors[0] = mem_zalloc(sizeof *rules->selectors[0]);
    if (rules->selectors[0] == NULL) {
        mem_free(rules);
        *rules_out = NULL;
        return YORE_NOMEM;
    }
    atomic_init(&rules->refs, 1);
    rules->selector_count = 1;
    rules->selectors[0]->is_all_channels = allows_channels;
    return YORE_OK;
}

void acl_rules_unref(struct acl_rules *rules)
{
    if (rules == NULL || atomic_fetch_sub(&rules->refs, 1) != 1) {
        return;
    }
    for (size_t i = 0; i < rules->selector_count; i++) {
        selector_free(rules->selectors[i]);
    }
    mem_free(rules);
}

enum yore_status acl_rules_copy(const struct acl_rules *rules, struct acl_rules **copy_out)
{
    struct acl_rules *copy = mem_zalloc(sizeof *copy);
    *copy_out = copy;
    if (copy == NULL) {
        return YORE_NOMEM;
    }
    atomic_init(&copy->refs, 1);
    copy->is_on = rules->is_on;
    copy->is_nopass = rules->is_nopass;
    copy->is_sanitizing = rules->is_sanitizing;
    copy->history = rules->history;
    copy->history_ns = rules->history_ns;
    memcpy(copy->secrets, rules->secrets, sizeof copy->secrets);
    copy->secret_count = rules->secret_count;
    for (size_t i = 0; i < rules->selector_count; i++) {
        copy->selectors[i] = selector_copy(rules->selectors[i]);
        if (copy->selectors[i] == NULL) {
            acl_rules_unref(copy);
            *copy_out = NULL;
            return YORE_NOMEM;
        }
        copy->selector_count++;
    }
    return YORE_OK;
}

/* ---- commands ---- */

static void set_bit(struct acl_selector *selector, const struct command *command, bool allows)
{
    size_t index = table_index(command);
    uint64_t bit = UINT64_C(1) << (index % 64);
    if (allows) {
        selector->commands[index / 64] |= bit;
    } else {
        selector->commands[index / 64] &= ~bit;
    }
}

static void set_commands(struct acl_selector *selector, const struct command *command,
                         uint32_t category, bool allows)
{
    size_t count;
    const struct command *rows = table_rows(&count);
    for (size_t i = 0; i < count; i++) {
        bool is_meant = command == NULL ? category == 0 || (table_categories(&rows[i]) & category)
                                        : &rows[i] == command || table_is_child(command, &rows[i]);
        if (is_meant) {
            set_bit(selector, &rows[i], allows);
        }
    }
}

/* Take the rules about `name` and its subcommands out of the text: what comes now replaces them. */
static void forget_rule(struct buffer *text, struct yore_bytes name)
{
    struct buffer kept = {0};
    const char *data = (const char *)text->data;
    for (size_t at = 0; at < text->size;) {
        size_t end = at;
        while (end < text->size && data[end] != ' ') {
            end++;
        }
        struct yore_bytes rule = bytes_of(data + at + 1, end - at - 1);
        bool is_same = bytes_starts_with(rule, name) &&
                       (rule.size == name.size || ((const char *)rule.data)[name.size] == '|');
        if (!is_same) {
            buffer_append(&kept, " ", kept.size > 0 ? 1 : 0);
            buffer_append(&kept, data + at, end - at);
        }
        at = end + 1;
    }
    if (!kept.is_nomem) {
        buffer_clear(text);
        buffer_append_bytes(text, buffer_bytes(&kept));
    }
    buffer_release(&kept);
}

static void note_rule(struct buffer *text, struct yore_bytes rule)
{
    char lower[80];
    size_t size = rule.size < sizeof lower ? rule.size : sizeof lower;
    for (size_t i = 0; i < size; i++) {
        char c = ((const char *)rule.data)[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    forget_rule(text, bytes_of(lower + 1, size - 1));
    buffer_append(text, " ", text->size > 0 ? 1 : 0);
    buffer_append(text, lower, size);
}

/* Rules at the begin that allow what +@all allows, or take what -@all has not, say nothing. */
static void drop_idle_rules(struct acl_selector *selector)
{
    struct buffer *text = &selector->text;
    char idle = selector->is_open ? '+' : '-';
    while (text->size > 0 && text->data[0] == (unsigned char)idle) {
        const unsigned char *blank = memchr(text->data, ' ', text->size);
        size_t gone = blank != NULL ? (size_t)(blank - text->data) + 1 : text->size;
        memmove(text->data, text->data + gone, text->size - gone);
        text->size -= gone;
    }
}

static void set_everything(struct acl_selector *selector, bool allows)
{
    set_commands(selector, NULL, 0, allows);
    selector->is_open = allows;
    buffer_clear(&selector->text);
}

static const char unknown_name[] = "Unknown command or category name in ACL";

/* "config|get|appendonly": a subcommand with something behind it. */
static bool is_subcommand_with_arg(struct yore_bytes name)
{
    const char *at = name.data;
    size_t bars = 0;
    size_t end = 0;
    while (end < name.size && bars < 2) {
        bars += at[end] == '|' ? 1 : 0;
        end++;
    }
    return bars == 2 && table_find(bytes_of(at, end - 1)) != NULL;
}

static enum yore_status apply_command(struct acl_selector *selector, struct yore_bytes rule,
                                      struct yore_error *error_out)
{
    const char *at = rule.data;
    bool allows = at[0] == '+';
    struct yore_bytes name = bytes_behind(rule, 1);
    if (name.size > 0 && at[1] == '@') {
        name = bytes_behind(name, 1);
        uint32_t category = table_category(name);
        if (args_is(name, "all")) {
            set_everything(selector, allows);
            return YORE_OK;
        }
        if (category == 0) {
            return error_set(error_out, YORE_INVALID, "%s", unknown_name);
        }
        set_commands(selector, NULL, category, allows);
    } else {
        const struct command *command = table_find(name);
        if (command == NULL && is_subcommand_with_arg(name)) {
            return error_set(error_out, YORE_INVALID,
                             "Allowing first-arg of a subcommand is not supported");
        }
        if (command == NULL && !table_is_foreign(name)) {
            return error_set(error_out, YORE_INVALID, "%s", unknown_name);
        }
        if (command != NULL) {
            set_commands(selector, command, 0, allows);
        }
    }
    note_rule(&selector->text, rule);
    drop_idle_rules(selector);
    return selector->text.is_nomem ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
}

/* ---- keys and channels ---- */

/* "~x", "%RW~x": the pattern and its access; false: something else. */
static bool take_key_pattern(struct yore_bytes rule, struct yore_bytes *pattern_out,
                             uint16_t *access_out)
{
    const char *at = rule.data;
    size_t i = 1;
    *access_out = KEY_BOTH;
    if (at[0] == '%') {
        *access_out = 0;
        for (; i < rule.size && at[i] != '~'; i++) {
            uint16_t access = at[i] == 'R' || at[i] == 'r'   ? KEY_READ
                              : at[i] == 'W' || at[i] == 'w' ? KEY_WRITE
                                                             : 0;
            if (access == 0 || (*access_out & access) != 0) {
                return false;
            }
            *access_out |= access;
        }
        if (*access_out == 0 || i == rule.size) {
            return false;
        }
        i++;
    }
    *pattern_out = bytes_behind(rule, i);
    for (size_t k = 0; k < pattern_out->size; k++) {
        unsigned char c = ((const unsigned char *)pattern_out->data)[k];
        if (c == ' ' || c == '\0' || (c >= '\t' && c <= '\r')) {
            return false;
        }
    }
    return true;
}

static enum yore_status refuse_after_all(const char *what, const char *flag, const char *reset,
                                         struct yore_error *error_out)
{
    return error_set(error_out, YORE_INVALID,
                     "Adding a pattern after the * pattern (or the '%s' flag) is not valid and "
                     "does not have any effect. Try '%s' to start with an empty list of %s",
                     flag, reset, what);
}

static enum yore_status apply_key(struct acl_selector *selector, struct yore_bytes rule,
                                  struct yore_error *error_out)
{
    struct yore_bytes pattern;
    uint16_t access;
    if (!take_key_pattern(rule, &pattern, &access)) {
        return error_set(error_out, YORE_INVALID, "Syntax error");
    }
    if (selector->is_all_keys) {
        return refuse_after_all("patterns", "allkeys", "resetkeys", error_out);
    }
    if (access == KEY_BOTH && bytes_equal(pattern, bytes_of("*", 1))) {
        selector->is_all_keys = true;
        patterns_release(&selector->keys);
        return YORE_OK;
    }
    return patterns_add(&selector->keys, pattern, access) ? YORE_OK
                                                          : error_plain(error_out, YORE_NOMEM);
}

static enum yore_status apply_channel(struct acl_selector *selector, struct yore_bytes rule,
                                      struct yore_error *error_out)
{
    struct yore_bytes pattern;
    uint16_t access;
    if (!take_key_pattern(rule, &pattern, &access)) {
        return error_set(error_out, YORE_INVALID, "Syntax error");
    }
    if (selector->is_all_channels) {
        return refuse_after_all("channels", "allchannels", "resetchannels", error_out);
    }
    if (bytes_equal(pattern, bytes_of("*", 1))) {
        selector->is_all_channels = true;
        patterns_release(&selector->channels);
        return YORE_OK;
    }
    return patterns_add(&selector->channels, pattern, KEY_BOTH)
               ? YORE_OK
               : error_plain(error_out, YORE_NOMEM);
}

static enum yore_status apply_to_selector(struct acl_selector *selector, struct yore_bytes rule,
                                          struct yore_error *error_out)
{
    char first = rule.size > 0 ? *(const char *)rule.data : '\0';
    if (args_is(rule, "allkeys") || args_is(rule, "~*")) {
        selector->is_all_keys = true;
        patterns_release(&selector->keys);
    } else if (args_is(rule, "resetkeys")) {
        selector->is_all_keys = false;
        patterns_release(&selector->keys);
    } else if (args_is(rule, "allchannels") || args_is(rule, "&*")) {
        selector->is_all_channels = true;
        patterns_release(&selector->channels);
    } else if (args_is(rule, "resetchannels")) {
        selector->is_all_channels = false;
        patterns_release(&selector->channels);
    } else if (args_is(rule, "allcommands")) {
        set_everything(selector, true);
    } else if (args_is(rule, "nocommands")) {
        set_everything(selector, false);
    } else if (first == '~' || first == '%') {
        return apply_key(selector, rule, error_out);
    } else if (first == '&') {
        return apply_channel(selector, rule, error_out);
    } else if ((first == '+' || first == '-') && rule.size < 64) {
        return apply_command(selector, rule, error_out);
    } else {
        return error_set(error_out, YORE_INVALID, "Syntax error");
    }
    return YORE_OK;
}

/* ---- selectors in parentheses ---- */

static enum yore_status apply_words(struct acl_selector *selector, struct yore_bytes words,
                                    struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    const char *data = words.data;
    for (size_t at = 0; at < words.size && st == YORE_OK;) {
        size_t end = at;
        while (end < words.size && data[end] != ' ') {
            end++;
        }
        if (end > at) {
            st = apply_to_selector(selector, bytes_of(data + at, end - at), error_out);
        }
        at = end + 1;
    }
    return st;
}

static enum yore_status add_selector(bool allows_channels, struct acl_rules *rules,
                                     struct yore_bytes rule, struct yore_error *error_out)
{
    if (rule.size < 2 || ((const char *)rule.data)[rule.size - 1] != ')') {
        return error_set(error_out, YORE_INVALID, "Syntax error");
    }
    if (rules->selector_count == ACL_SELECTORS_MAX) {
        return error_set(error_out, YORE_INVALID, "A user has at most %u selectors",
                         ACL_SELECTORS_MAX);
    }
    struct acl_selector *selector = mem_zalloc(sizeof *selector);
    if (selector == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    selector->is_all_channels = allows_channels;
    enum yore_status st =
        apply_words(selector, bytes_of((const char *)rule.data + 1, rule.size - 2), error_out);
    if (st != YORE_OK) {
        selector_free(selector);
        return st;
    }
    rules->selectors[rules->selector_count++] = selector;
    return YORE_OK;
}

bool acl_join_selector(const struct yore_bytes *args, size_t count, size_t *used_out,
                       struct buffer *joined)
{
    *used_out = 0;
    buffer_clear(joined);
    while (*used_out < count) {
        const struct yore_bytes *arg = &args[(*used_out)++];
        buffer_append(joined, " ", joined->size > 0 ? 1 : 0);
        buffer_append_bytes(joined, *arg);
        if (arg->size > 0 && ((const char *)arg->data)[arg->size - 1] == ')') {
            return !joined->is_nomem;
        }
    }
    return false;
}

/* ---- passwords ---- */

static bool is_digest(struct yore_bytes text)
{
    const char *at = text.data;
    for (size_t i = 0; i < text.size; i++) {
        if (!((at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f'))) {
            return false;
        }
    }
    return text.size == 64;
}

static enum yore_status add_secret(struct acl_rules *rules, const struct acl_secret *secret,
                                   struct yore_error *error_out)
{
    if (rules->secret_count == ACL_PASSWORDS_MAX) {
        return error_set(error_out, YORE_INVALID, "A user has at most %u passwords",
                         ACL_PASSWORDS_MAX);
    }
    rules->secrets[rules->secret_count++] = *secret;
    rules->is_nopass = false;
    return YORE_OK;
}

static bool fits(const struct acl_secret *secret, char kind, struct yore_bytes text)
{
    return kind == '>' || kind == '<' ? acl_secret_fits(secret, text)
                                      : bytes_equal(text, bytes_of(secret->id, 64)) ||
                                            acl_secret_fits_digest(secret, text);
}

static enum yore_status apply_password(struct command_server *server, struct acl_rules *rules,
                                       struct yore_bytes rule, struct yore_error *error_out)
{
    char kind = *(const char *)rule.data;
    struct yore_bytes text = bytes_behind(rule, 1);
    struct acl_secret secret;
    size_t i = 0;
    if (kind == '$') {
        enum yore_status st = acl_secret_decode(rule, &secret, error_out);
        return st == YORE_OK ? add_secret(rules, &secret, error_out) : st;
    }
    if ((kind == '#' || kind == '!') && !is_digest(text)) {
        return error_set(error_out, YORE_INVALID,
                         "The password hash must be exactly 64 characters and contain only "
                         "lowercase hexadecimal characters");
    }
    while (i < rules->secret_count && !fits(&rules->secrets[i], kind, text)) {
        i++;
    }
    if (kind == '<' || kind == '!') {
        if (i == rules->secret_count) {
            return error_set(error_out, YORE_INVALID,
                             "The password you are trying to remove from the user does not exist");
        }
        rules->secret_count--;
        memmove(&rules->secrets[i], &rules->secrets[i + 1],
                (rules->secret_count - i) * sizeof rules->secrets[0]);
        return YORE_OK;
    }
    rules->is_nopass = false;
    if (i < rules->secret_count) {
        return YORE_OK;
    }
    enum yore_status st = kind == '>'
                              ? acl_secret_make(server, rules, text, &secret, error_out)
                              : acl_secret_from_digest(server, rules, text, &secret, error_out);
    return st == YORE_OK ? add_secret(rules, &secret, error_out) : st;
}

/* ---- one rule ---- */

/* Back to the rules of a user just made. */
static void reset(struct acl_rules *rules, bool allows_channels)
{
    struct acl_selector *own = rules->selectors[0];
    while (rules->selector_count > 1) {
        selector_free(rules->selectors[--rules->selector_count]);
    }
    patterns_release(&own->keys);
    patterns_release(&own->channels);
    own->is_all_keys = false;
    own->is_all_channels = allows_channels;
    set_everything(own, false);
    rules->is_on = false;
    rules->is_nopass = false;
    rules->is_sanitizing = true;
    rules->secret_count = 0;
    rules->history = ACL_HISTORY_ALL;
}

static bool apply_switch(struct acl_rules *rules, struct yore_bytes rule, bool allows_channels)
{
    if (args_is(rule, "on") || args_is(rule, "off")) {
        rules->is_on = args_is(rule, "on");
    } else if (args_is(rule, "nopass")) {
        rules->is_nopass = true;
        rules->secret_count = 0;
    } else if (args_is(rule, "resetpass")) {
        rules->is_nopass = false;
        rules->secret_count = 0;
    } else if (args_is(rule, "sanitize-payload") || args_is(rule, "skip-sanitize-payload")) {
        rules->is_sanitizing = args_is(rule, "sanitize-payload");
    } else if (args_is(rule, "reset")) {
        reset(rules, allows_channels);
    } else if (args_is(rule, "clearselectors")) {
        while (rules->selector_count > 1) {
            selector_free(rules->selectors[--rules->selector_count]);
        }
    } else if (args_is(rule, "allhistory")) {
        rules->history = ACL_HISTORY_ALL;
    } else if (args_is(rule, "nohistory")) {
        rules->history = ACL_HISTORY_NONE;
    } else {
        return false;
    }
    return true;
}

static enum yore_status apply_history(struct acl_rules *rules, struct yore_bytes duration,
                                      struct yore_error *error_out)
{
    int64_t ns;
    enum yore_status st = duration_parse(duration, &ns, error_out);
    if (st == YORE_OK) {
        rules->history = ACL_HISTORY_LAST;
        rules->history_ns = ns;
    }
    return st;
}

enum yore_status acl_rules_apply(struct command_server *server, struct acl_rules *rules,
                                 struct yore_bytes rule, struct yore_error *error_out)
{
    static const char history[] = "history:";
    char first = rule.size > 0 ? *(const char *)rule.data : '\0';
    bool allows_channels = acl_allows_channels(server);
    if (apply_switch(rules, rule, allows_channels)) {
        return YORE_OK;
    }
    if (bytes_starts_with(rule, bytes_of(history, sizeof history - 1))) {
        return apply_history(rules, bytes_behind(rule, sizeof history - 1), error_out);
    }
    if (first == '(') {
        return add_selector(allows_channels, rules, rule, error_out);
    }
    if (first != '\0' && strchr("><#!$", first) != NULL) {
        return apply_password(server, rules, rule, error_out);
    }
    return apply_to_selector(rules->selectors[0], rule, error_out);
}
