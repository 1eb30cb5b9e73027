#include "bolt/place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/moment.h"

/* The part of `*rest` up to an @ that does not begin it; the @ is dropped. */
static struct yore_bytes next_part(struct yore_bytes *rest)
{
    const char *at = rest->data;
    size_t size = rest->size > 0 ? 1 : 0;
    while (size < rest->size && at[size] != '@') {
        size++;
    }
    struct yore_bytes part = bytes_of(at, size);
    *rest = bytes_behind(*rest, size < rest->size ? size + 1 : size);
    return part;
}

static enum yore_status parse_moments(struct yore_bytes rest, int64_t now, struct place *place,
                                      struct yore_error *error_out)
{
    enum yore_status st = moment_parse(next_part(&rest), now, &place->at.valid, error_out);
    if (st == YORE_OK && rest.size > 0) {
        st = moment_parse(next_part(&rest), now, &place->at.known, error_out);
    }
    if (st == YORE_OK && rest.size > 0) {
        st = error_set(error_out, YORE_INVALID,
                       "a graph's name has at most two moments behind it: name@moment@known");
    }
    place->is_past = place->at.valid != YORE_NOW || place->at.known != YORE_NOW;
    return st;
}

enum yore_status place_parse(struct yore_bytes text, int64_t now, struct place *place_out,
                             struct yore_error *error_out)
{
    *place_out = (struct place){.at = {YORE_NOW, YORE_NOW}};
    if (text.size > BOLT_DATABASE_BYTES_MAX) {
        return error_set(error_out, YORE_INVALID,
                         "the name of a database has at most %u characters",
                         BOLT_DATABASE_BYTES_MAX);
    }
    if (text.size > 0) {
        memcpy(place_out->text, text.data, text.size);
    }
    place_out->text_size = text.size;
    const char *mark = memchr(place_out->text, '@', text.size + 1);
    place_out->name_size = mark != NULL ? (size_t)(mark - place_out->text) : text.size;
    if (mark == NULL) {
        return YORE_OK;
    }
    struct yore_bytes rest = bytes_behind(place_text(place_out), place_out->name_size + 1);
    return parse_moments(rest, now, place_out, error_out);
}

static const char BOOKMARK_HEAD[] = "yore:";

char *bookmark_format(int64_t commit, char text[BOOKMARK_TEXT_BYTES])
{
    snprintf(text, BOOKMARK_TEXT_BYTES, "%s%" PRId64, BOOKMARK_HEAD, commit);
    return text;
}

bool bookmark_parse(struct yore_bytes text, int64_t *commit_out)
{
    size_t head = sizeof(BOOKMARK_HEAD) - 1;
    if (text.size <= head || memcmp(text.data, BOOKMARK_HEAD, head) != 0) {
        return false;
    }
    const char *at = text.data;
    int64_t commit = 0;
    for (size_t i = head; i < text.size; i++) {
        if (at[i] < '0' || at[i] > '9' || !checked_mul_i64(commit, 10, &commit) ||
            !checked_add_i64(commit, at[i] - '0', &commit)) {
            return false;
        }
    }
    *commit_out = commit;
    return true;
}
