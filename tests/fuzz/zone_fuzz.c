/* Any octets are a file of a time zone or refused; what is accepted tells offsets at every time. */
#include "base/arena.h"
#include "query/zone.h"
#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t times[] = {INT64_C(-31557014167219200), -1, 0, 1709209874,
                                    INT64_C(31556889864403199)};
    struct arena arena = {0};
    const struct zone *zone = NULL;
    if (zone_parse(bytes_of(data, size), &arena, &zone) == YORE_OK) {
        for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
            int64_t moment = 0;
            (void)zone_offset(zone, times[i]);
            (void)zone_local_offset(zone, times[i], &moment);
        }
    }
    arena_release(&arena);
    return 0;
}
