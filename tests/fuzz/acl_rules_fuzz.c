/* Rules of users as text, one a line: whatever they are, a rule that is refused changes nothing,
 * and what a set of rules tells of itself makes the same set again.  Passwords are left out: each
 * costs tens of milliseconds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/acl.h"
#include "command/server.h"
#include "support/fuzz.h"

static void describe(const struct acl_rules *rules, struct buffer *out)
{
    struct acl_user user = {.name = (char[]){"u"}, .name_size = 1};
    buffer_clear(out);
    acl_describe(&user, rules, false, out);
}

static bool is_password(struct yore_bytes rule)
{
    return rule.size > 0 && strchr("><#!$", *(const char *)rule.data) != NULL;
}

static void apply(struct command_server *server, struct acl_rules *rules, struct yore_bytes rule,
                  struct buffer *before, struct buffer *after)
{
    struct yore_error error = {.text = ""};
    describe(rules, before);
    if (is_password(rule)) {
        return;
    }
    enum yore_status st = acl_rules_apply(server, rules, rule, &error);
    describe(rules, after);
    /* A selector in parentheses is taken whole or not at all. */
    if (st != YORE_OK &&
        (!bytes_equal(buffer_bytes(before), buffer_bytes(after)) || error.text[0] == '\0')) {
        abort();
    }
}

/* The words of `text` behind "user u", applied to fresh rules, tell the same text. */
static void check_round_trip(struct command_server *server, const struct buffer *text,
                             struct buffer *again)
{
    struct acl_rules *copy = NULL;
    const char *data = (const char *)text->data;
    if (acl_rules_new(false, &copy) != YORE_OK) {
        return;
    }
    for (size_t at = 7; at < text->size;) {
        size_t end = at;
        bool is_selector = data[at] == '(';
        while (end < text->size && data[end] != (is_selector ? ')' : ' ')) {
            end++;
        }
        end += is_selector && end < text->size ? 1 : 0;
        if (acl_rules_apply(server, copy, bytes_of(data + at, end - at), NULL) != YORE_OK) {
            abort();
        }
        at = end + 1;
    }
    describe(copy, again);
    if (!bytes_equal(buffer_bytes(text), buffer_bytes(again))) {
        abort();
    }
    acl_rules_unref(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct command_server *server = mem_zalloc(sizeof *server);
    struct acl_rules *rules = NULL;
    struct buffer before = {0};
    struct buffer after = {0};
    if (server == NULL || acl_rules_new(false, &rules) != YORE_OK) {
        mem_free(server);
        return 0;
    }
    server->env = os_env_posix();
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t length = end != NULL ? (size_t)(end - data) - at : size - at;
        apply(server, rules, bytes_of(data + at, length), &before, &after);
        at += length + 1;
    }
    describe(rules, &before);
    if (memchr(before.data, ')', before.size) == NULL) { /* patterns may hold parentheses too */
        check_round_trip(server, &before, &after);
    }
    acl_rules_unref(rules);
    buffer_release(&before);
    buffer_release(&after);
    mem_free(server);
    return 0;
}
