#include "bolt/version.h"

#include <string.h>

static const unsigned char BEGIN[4] = {0x60, 0x60, 0xB0, 0x17};

/* What is spoken: of each major version the minor ones from first to last. */
static const struct {
    uint8_t major;
    uint8_t first;
    uint8_t last;
} SPOKEN[] = {{5, 0, 4}, {4, 4, 4}};

bool bolt_handshake_begins(const unsigned char *octets, unsigned size)
{
    return size == 0 || memcmp(octets, BEGIN, size < sizeof(BEGIN) ? size : sizeof(BEGIN)) == 0;
}

/* The highest version that a proposal and SPOKEN have in common. */
static struct bolt_version match(const unsigned char proposal[4])
{
    uint8_t major = proposal[3];
    uint8_t minor = proposal[2];
    uint8_t least = proposal[1] < minor ? (uint8_t)(minor - proposal[1]) : 0;
    for (size_t i = 0; i < sizeof(SPOKEN) / sizeof(SPOKEN[0]); i++) {
        uint8_t highest = minor < SPOKEN[i].last ? minor : SPOKEN[i].last;
        uint8_t lowest = least > SPOKEN[i].first ? least : SPOKEN[i].first;
        if (major == SPOKEN[i].major && highest >= lowest) {
            return (struct bolt_version){major, highest};
        }
    }
    return (struct bolt_version){0, 0};
}

struct bolt_version bolt_version_choose(const unsigned char handshake[BOLT_HANDSHAKE_BYTES])
{
    struct bolt_version version = {0, 0};
    for (unsigned i = 1; i <= 4 && version.major == 0; i++) {
        version = match(handshake + (size_t)4 * i);
    }
    return version;
}

void bolt_version_answer(struct bolt_version version,
                         unsigned char answer[BOLT_VERSION_ANSWER_BYTES])
{
    answer[0] = 0;
    answer[1] = 0;
    answer[2] = version.minor;
    answer[3] = version.major;
}
