/* limits.h -- every bound of the client library, by name. */
#ifndef YORE_CLIENT_LIMITS_H
#define YORE_CLIENT_LIMITS_H

#define CLIENT_DEPTH_MAX 32u              /* arrays in arrays of one reply */
#define CLIENT_VALUES_MAX (1u << 26)      /* values of one reply */
#define CLIENT_LINE_BYTES_MAX (64u << 10) /* a number, a status, an error */
#define CLIENT_REPLY_BYTES_MAX (1u << 30) /* one reply */
#define CLIENT_READ_BYTES (64u << 10)
#define CLIENT_TIMEOUT_NS 30000000000
#define CLIENT_SLICE_NS 100000000 /* how long before somebody is asked whether to stop */

#endif
