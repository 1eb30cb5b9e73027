/* acl_describe.c -- rules told as words. */
#include <stdio.h>
#include <string.h>

#include "command/acl.h"

/* Nothing stands before the next word: the text is empty, or a blank or the parenthesis of a
 * selector ends it.  A pattern may end in a parenthesis too, and then a blank is wanted. */
static bool is_at_begin(const struct buffer *out)
{
    size_t size = out->size;
    return size == 0 || out->data[size - 1] == ' ' ||
           (out->data[size - 1] == '(' && (size == 1 || out->data[size - 2] == ' '));
}

static void word(struct buffer *out, const char *text)
{
    buffer_append(out, " ", is_at_begin(out) ? 0 : 1);
    buffer_append(out, text, strlen(text));
}

void acl_describe_commands(const struct acl_selector *selector, struct buffer *out)
{
    word(out, selector->is_open ? "+@all" : "-@all");
    if (selector->text.size > 0) {
        buffer_append(out, " ", 1);
        buffer_append_bytes(out, buffer_bytes(&selector->text));
    }
}

void acl_describe_keys(const struct acl_selector *selector, struct buffer *out)
{
    if (selector->is_all_keys) {
        word(out, "~*");
        return;
    }
    for (size_t i = 0; i < selector->keys.count; i++) {
        const struct acl_pattern *at = &selector->keys.items[i];
        word(out, at->access == KEY_BOTH ? "~" : at->access == KEY_READ ? "%R~" : "%W~");
        buffer_append(out, at->text, at->size);
    }
}

void acl_describe_channels(const struct acl_selector *selector, struct buffer *out)
{
    if (selector->is_all_channels) {
        word(out, "&*");
        return;
    }
    for (size_t i = 0; i < selector->channels.count; i++) {
        word(out, "&");
        buffer_append(out, selector->channels.items[i].text, selector->channels.items[i].size);
    }
}

static void describe_selector(const struct acl_selector *selector, struct buffer *out)
{
    acl_describe_keys(selector, out);
    if (!selector->is_all_channels) {
        word(out, "resetchannels");
    }
    acl_describe_channels(selector, out);
    acl_describe_commands(selector, out);
}

void acl_describe(const struct acl_user *user, const struct acl_rules *rules, bool with_secrets,
                  struct buffer *out)
{
    char text[64];
    word(out, "user ");
    buffer_append(out, user->name, user->name_size);
    word(out, rules->is_on ? "on" : "off");
    if (rules->is_nopass) {
        word(out, "nopass");
    }
    for (size_t i = 0; i < rules->secret_count; i++) {
        word(out, with_secrets ? "" : "#");
        const char *secret = with_secrets ? rules->secrets[i].encoded : rules->secrets[i].id;
        buffer_append(out, secret, strlen(secret));
    }
    if (rules->history == ACL_HISTORY_NONE) {
        word(out, "nohistory");
    } else if (rules->history == ACL_HISTORY_LAST) {
        snprintf(text, sizeof text, "history:%lldns", (long long)rules->history_ns);
        word(out, text);
    }
    describe_selector(rules->selectors[0], out);
    for (size_t i = 1; i < rules->selector_count; i++) {
        word(out, "(");
        describe_selector(rules->selectors[i], out);
        buffer_append(out, ")", 1);
    }
}
