/* Any text is a temporal value or refused; what is accepted, written out, reads back as the same.
 * The same for durations, numbers and the rules of time zones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/duration.h"
#include "query/number.h"
#include "query/temporal.h"
#include "query/value.h"
#include "query/zone_rule.h"
#include "support/fuzz.h"

#define NOW INT64_C(1709209874645876123)

static void must(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "temporal_fuzz: %s\n", what);
        abort();
    }
}

static void check_kind(enum yore_graph_kind kind, struct yore_bytes text)
{
    struct arena arena = {0};
    struct zone_cache *cache = NULL;
    struct temporal_context context = {&arena, &cache, NOW};
    struct yore_graph_value value;
    struct yore_graph_value again;
    struct yore_error error;
    enum yore_status st = temporal_read(&context, kind, text, &value, &error);
    if (st == YORE_OK) {
        struct buffer written = {0};
        temporal_write(&written, &value);
        must(temporal_read(&context, kind, buffer_bytes(&written), &again, &error) == YORE_OK,
             "what was written is refused");
        must(value_is_same(&value, &again), "reads back as another value");
        buffer_release(&written);
    } else {
        must(st == YORE_INVALID && error.text[0] != '\0', "refused without a reason");
    }
    zone_cache_free(cache);
    arena_release(&arena);
}

static void check_duration(struct yore_bytes text)
{
    struct yore_graph_duration duration;
    struct yore_graph_duration again;
    if (!duration_read(text, &duration)) {
        return;
    }
    char written[DURATION_TEXT_BYTES];
    size_t size = duration_write(&duration, written);
    must(size < sizeof(written), "too long");
    must(duration_read(bytes_of(written, size), &again), written);
    must(duration_order(&duration, &again) == 0, "reads back as another duration");
}

static void check_number(struct yore_bytes text)
{
    double real = 0;
    double again = 0;
    if (float_read(text, &real)) {
        char written[FLOAT_TEXT_BYTES];
        size_t size = float_write(real, written);
        must(size < sizeof(written), "too long");
        must(float_read(bytes_of(written, size), &again), written);
        must(real == again || real != real, "reads back as another number");
    }
    int64_t integer = 0;
    (void)integer_read(text, &integer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yore_bytes text = bytes_of(data, size);
    struct zone_rule rule;
    for (int kind = YORE_GRAPH_DATE; kind <= YORE_GRAPH_DATETIME; kind++) {
        check_kind((enum yore_graph_kind)kind, text);
    }
    check_duration(text);
    check_number(text);
    if (zone_rule_parse(text, &rule)) {
        (void)zone_rule_offset(&rule, NOW / 1000000000);
        (void)zone_rule_offset(&rule, -NOW);
    }
    return 0;
}
