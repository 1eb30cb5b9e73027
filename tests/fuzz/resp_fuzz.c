/* Requests in RESP: given whole and cut in two, the same requests come out; words lie inside. */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "net/limits.h"
#include "net/resp.h"
#include "support/fuzz.h"

struct run {
    struct resp_parser parser;
    uint64_t sum; /* of all words of all requests */
    unsigned requests;
    enum resp_result last;
};

static void add(struct run *run, struct yore_bytes word)
{
    const unsigned char *at = word.data;
    run->sum = run->sum * 31 + word.size + 1;
    for (size_t i = 0; i < word.size; i++) {
        run->sum = run->sum * 31 + at[i];
    }
}

/* Parse what stands in [at, end); moves on by what is done with. */
static size_t parse(struct run *run, const uint8_t *data, size_t at, size_t end,
                    const struct resp_limits *limits)
{
    for (;;) {
        size_t consumed = 0;
        unsigned char *exact = mem_copy(data + at, end - at);
        run->last = resp_parse(&run->parser, bytes_of(exact, end - at), limits, &consumed);
        YORE_ASSERT(consumed <= end - at);
        for (size_t i = 0; run->last == RESP_REQUEST && i < run->parser.arg_count; i++) {
            add(run, run->parser.args[i]);
        }
        mem_free(exact);
        at += consumed;
        if (run->last != RESP_REQUEST) {
            return at;
        }
        YORE_ASSERT(run->parser.arg_count > 0 && run->parser.arg_count <= limits->args_max);
        run->requests++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct resp_limits limits = {(data[0] & 1) != 0, (data[0] & 1) != 0 ? 10 : RESP_ARGS_MAX,
                                 (data[0] & 1) != 0 ? 100 : RESP_ARG_BYTES_MAX};
    size_t cut = data[1] % (size - 1);
    data += 2;
    size -= 2;
    cut = cut < size ? cut : size;
    struct run whole = {.last = RESP_MORE};
    struct run parts = {.last = RESP_MORE};
    parse(&whole, data, 0, size, &limits);
    size_t at = parse(&parts, data, 0, cut, &limits);
    if (parts.last == RESP_MORE) {
        parse(&parts, data, at, size, &limits);
    }
    /* An inline request has no error before its line ends, or is too long: the same either way. */
    YORE_ASSERT(whole.requests == parts.requests && whole.sum == parts.sum &&
                whole.last == parts.last);
    resp_parser_release(&whole.parser);
    resp_parser_release(&parts.parser);
    return 0;
}
