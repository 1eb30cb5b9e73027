/* limits.h -- every bound of the Bolt layer, by name. */
#ifndef YORE_BOLT_LIMITS_H
#define YORE_BOLT_LIMITS_H

#define BOLT_CHUNK_BYTES_MAX 65535u               /* of one chunk: its length has 16 bits */
#define BOLT_MESSAGE_BYTES_MAX (64u << 20)        /* a request, put together from its chunks */
#define BOLT_MESSAGE_LOGIN_BYTES_MAX (16u << 10)  /* the same before login */
#define BOLT_DECODED_BYTES_MAX (256u << 20)       /* what the values of a request take decoded */
#define BOLT_DECODED_LOGIN_BYTES_MAX (256u << 10) /* the same before login */
#define BOLT_VALUE_DEPTH_MAX 64u                  /* lists, maps and structures inside each other */
#define BOLT_MESSAGE_KEPT_BYTES (16u << 10)       /* memory for a request kept between requests */
#define BOLT_ARENA_KEPT_BYTES (16u << 10)         /* the same for its values */
#define BOLT_OUTPUT_SOFT_BYTES (256u << 10)       /* with this much to send a turn ends */
#define BOLT_RESULTS_MAX 1000u                    /* open results of one transaction */
#define BOLT_BOOKMARKS_MAX 1000u                  /* named by one request */
#define BOLT_DATABASE_BYTES_MAX 400u              /* the name of a graph with its moments */
#define BOLT_ADDRESS_BYTES_MAX 300u               /* "host:port" as a client knows the server */
#define BOLT_CONFLICT_ROUNDS_MAX 10u /* tries of a statement with a transaction of its own */
#define BOLT_ROUTE_TTL_SECONDS 300   /* how long a routing table may be kept */
#define BOLT_NOTIFICATIONS_MAX 20u   /* told of one statement */
#define BOLT_STATEMENT_NS_MAX (UINT64_C(86400) * 1000000000) /* more is asked for in vain */

#endif
