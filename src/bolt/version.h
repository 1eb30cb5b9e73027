/* version.h -- the handshake: which version of Bolt both sides speak.
 *
 * A client sends 60 60 B0 17 and four proposals of four octets, the dearest first: 0, how many
 * minor versions below this one it speaks too, minor, major.  The answer is one version in that
 * form, or zeros where none suits, and then the end.
 */
#ifndef YORE_BOLT_VERSION_H
#define YORE_BOLT_VERSION_H

#include <stdbool.h>
#include <stdint.h>

struct bolt_version {
    uint8_t major; /* 0: none */
    uint8_t minor;
};

#define BOLT_HANDSHAKE_BYTES 20u
#define BOLT_VERSION_ANSWER_BYTES 4u

/* Is it how a handshake begins?  `size` octets of it have come, at most 4 are looked at. */
bool bolt_handshake_begins(const unsigned char *octets, unsigned size);
/* The version to speak with who sent this handshake; major 0: none. */
struct bolt_version bolt_version_choose(const unsigned char handshake[BOLT_HANDSHAKE_BYTES]);
void bolt_version_answer(struct bolt_version version,
                         unsigned char answer[BOLT_VERSION_ANSWER_BYTES]);

static inline bool bolt_version_is_since(struct bolt_version version, uint8_t major, uint8_t minor)
{
    return version.major > major || (version.major == major && version.minor >= minor);
}

#endif
