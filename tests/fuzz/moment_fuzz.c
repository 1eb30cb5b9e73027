/* Any text is a moment or refused; what is accepted and written out reads back as the same moment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/moment.h"
#include "support/fuzz.h"

#define NOW INT64_C(1763719200123456789)

static void must(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "moment_fuzz: %s\n", what);
        abort();
    }
}

static void check_moment(struct yore_bytes text)
{
    char written[MOMENT_TEXT_BYTES];
    struct yore_error error;
    int64_t moment = 0;
    int64_t again = 0;
    if (moment_parse(text, NOW, &moment, &error) != YORE_OK) {
        must(error.status == YORE_INVALID && error.text[0] != '\0', "refused without a reason");
        return;
    }
    must(moment >= YORE_TIME_MIN, "out of range");
    moment_format(moment, written);
    must(strlen(written) < sizeof(written), "too long");
    must(moment_parse_end(bytes_of(written, strlen(written)), NOW, &again, &error) == YORE_OK,
         written);
    must(again == moment, "reads back as another moment");
}

static void check_duration(struct yore_bytes text)
{
    struct yore_error error;
    int64_t duration = 0;
    if (duration_parse(text, &duration, &error) == YORE_OK) {
        must(duration > 0, "a duration that is none");
    } else {
        must(error.status == YORE_INVALID && error.text[0] != '\0', "refused without a reason");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_moment(bytes_of(data, size));
    check_duration(bytes_of(data, size));
    return 0;
}
