/* limits.h -- every bound of the graph layer, by name. */
#ifndef YORE_TOPOLOGY_LIMITS_H
#define YORE_TOPOLOGY_LIMITS_H

#define GRAPH_NAME_BYTES_MAX 253u             /* of a graph: a keyspace's name without "g." */
#define GRAPH_TOKEN_BYTES_MAX 4096u           /* of a label, type or property name */
#define GRAPH_EXTERNAL_ID_BYTES_MAX 4096u     /* of one element */
#define GRAPH_TOKENS_MAX (1u << 20)           /* of one kind */
#define GRAPH_LABELS_MAX 1024u                /* of one node */
#define GRAPH_PROPERTIES_MAX 65536u           /* of one element */
#define GRAPH_VALUE_DEPTH_MAX 64u             /* lists and maps inside each other */
#define GRAPH_RECORD_BYTES_MAX (64u << 20)    /* one element with all its properties */
#define GRAPH_INDEX_VALUE_BYTES_MAX 8192u     /* a value in a property index */
#define GRAPH_IMPORT_CACHE_BYTES (512u << 20) /* of elements an import remembers */
#define GRAPH_BACKFILL_NODES 256u             /* of one commit while an index is made */
#define GRAPH_SCHEMA_NAME_BYTES_MAX 255u      /* of an index or a constraint */
#define GRAPH_RULES_MAX 1024u                 /* indexes and constraints of one graph */
#define GRAPH_ID_BLOCK_MIN 64u                /* ids a handle takes at once: doubling ... */
#define GRAPH_ID_BLOCK_MAX 65536u             /* ... up to here */
#define GRAPH_SMALL_COMMIT_ROUNDS_MAX 1000u   /* tries to take tokens or ids among other writers */
#define GRAPH_INGEST_ROUNDS_MAX 100u          /* tries of one transaction of a source */
#define GRAPH_INGEST_BYTES_MAX (256u << 20)   /* claims of one transaction of a snapshot */
#define GRAPH_CLAIMS_MAX 1024u                /* sources that claim one element */
#define GRAPH_POOL_IDLE_MAX 64u               /* open graphs a pool keeps that nobody uses */

#endif
