#include "cli/words.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "os/env.h"

#define READ_BYTES 65536u

enum yore_status word_bytes(const struct args *args, const char *what, const char *word,
                            struct buffer *store, struct yore_bytes *bytes_out,
                            struct yore_error *error_out)
{
    *bytes_out = bytes_of(word, strlen(word));
    if (!args_has(args, OPT_BASE64)) {
        return YORE_OK;
    }
    buffer_clear(store);
    if (!base64_decode(store, *bytes_out)) {
        return error_set(error_out, YORE_INVALID, "%s '%.80s' is not base64", what, word);
    }
    *bytes_out = buffer_bytes(store);
    return store->is_nomem ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
}

static enum yore_status range_word(const struct args *args, enum option_id id, struct buffer *store,
                                   struct yore_bytes *bytes_out, struct yore_error *error_out)
{
    char what[24];
    if (!args_has(args, id)) {
        return YORE_OK;
    }
    snprintf(what, sizeof(what), "--%s", option_table[id].name);
    return word_bytes(args, what, args->values[id], store, bytes_out, error_out);
}

enum yore_status word_range(const struct args *args, struct word_range *range_out,
                            struct yore_error *error_out)
{
    struct yore_range *range = &range_out->range;
    memset(range_out, 0, sizeof(*range_out));
    if (args_has(args, OPT_PREFIX) && (args_has(args, OPT_LOW) || args_has(args, OPT_HIGH))) {
        return error_set(error_out, YORE_INVALID, "--prefix does not go with --low and --high");
    }
    enum yore_status st =
        range_word(args, OPT_PREFIX, &range_out->prefix, &range->prefix, error_out);
    if (st == YORE_OK) {
        st = range_word(args, OPT_LOW, &range_out->low, &range->low, error_out);
    }
    if (st == YORE_OK) {
        st = range_word(args, OPT_HIGH, &range_out->high, &range->high, error_out);
    }
    if (st == YORE_OK && range->low.size > 0 && range->high.size > 0 &&
        bytes_compare(range->low, range->high) > 0) {
        return error_set(error_out, YORE_INVALID, "--high must come after --low, in byte order");
    }
    return st;
}

void word_range_release(struct word_range *range)
{
    buffer_release(&range->prefix);
    buffer_release(&range->low);
    buffer_release(&range->high);
}

enum yore_status open_stream(const char *name, FILE *standard, FILE **stream_out,
                             struct yore_error *error_out)
{
    bool is_standard = standard != NULL && strcmp(name, "-") == 0;
    *stream_out = is_standard ? standard : fopen(name, "rb");
    if (*stream_out != NULL) {
        return YORE_OK;
    }
    return errno == ENOENT
               ? error_set(error_out, YORE_NOT_FOUND, "%s: no such file", name)
               : error_set(error_out, YORE_IO, "cannot open %s: %s", name, strerror(errno));
}

enum yore_status check_file(struct os_env *env, const char *name, struct yore_error *error_out)
{
    uint64_t size = 0;
    bool is_dir = false;
    FILE *stream = NULL;
    if (strcmp(name, "-") == 0) {
        return YORE_OK;
    }
    enum yore_status st = os_path_stat(env, name, &size, &is_dir, error_out);
    if (st == YORE_NOT_FOUND) {
        return error_set(error_out, st, "%s: no such file", name);
    }
    if (st == YORE_OK && is_dir) {
        return error_set(error_out, YORE_INVALID, "%s is a directory", name);
    }
    if (st == YORE_OK && size > 0) { /* a pipe has none, and would miss who opens and goes */
        st = open_stream(name, NULL, &stream, error_out);
    }
    if (stream != NULL) {
        fclose(stream);
    }
    return st;
}

enum yore_status read_stream(FILE *stream, const char *name, size_t size_max, struct buffer *to,
                             struct yore_error *error_out)
{
    size_t got;
    do {
        unsigned char *room = buffer_extend(to, READ_BYTES);
        if (room == NULL) {
            return error_plain(error_out, YORE_NOMEM);
        }
        got = fread(room, 1, READ_BYTES, stream);
        to->size -= READ_BYTES - got;
        if (to->size > size_max) {
            return error_set(error_out, YORE_TOO_BIG, "%s holds more than %zu bytes", name,
                             size_max);
        }
    } while (got == READ_BYTES);
    if (ferror(stream)) {
        return error_set(error_out, YORE_IO, "cannot read %s: %s", name, strerror(errno));
    }
    return YORE_OK;
}
