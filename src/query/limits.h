/* limits.h -- the named bounds of the query layer (DESIGN promise 9). */
#ifndef YORE_QUERY_LIMITS_H
#define YORE_QUERY_LIMITS_H

#define QUERY_TEXT_BYTES_MAX (1u << 20) /* of one statement */
#define QUERY_DEPTH_MAX 200u            /* nesting of expressions, patterns, subqueries and lists */
#define QUERY_HEIGHT_MAX 1000u        /* of an expression's tree: a chain of + is as high as long */
#define QUERY_SLOTS_MAX 4096u         /* variables and temporaries of one statement */
#define QUERY_VALUE_DEPTH_MAX 64u     /* nesting of lists and maps in a value */
#define QUERY_PLAN_STEPS_MAX 2000u    /* steps of a plan: they call each other */
#define QUERY_PLAN_CHUNK_BYTES 4096u  /* first chunk of a plan's memory */
#define QUERY_RUN_CHUNK_BYTES 4096u   /* first chunks of a run's memory */
#define QUERY_STORE_CHUNK_BYTES 4096u /* first chunk of a step that holds rows back */
#define QUERY_SORT_SLACK 1024u        /* rows kept beyond twice those wanted before a cut */
#define QUERY_STEPS_PER_CHECK 1024u   /* between two looks at memory and time */
#define QUERY_TEXTS_CACHED_MAX 256u   /* prepared statements kept by text */
#define QUERY_TEXT_CACHED_BYTES_MAX 16384u /* of one of them */
#define QUERY_PLANS_KEPT_MAX 4u            /* plans kept with a prepared statement */
#define PLAN_TREE_DEPTH_MAX 200u           /* steps between the root and a leaf of a told plan */

#define QUERY_TIMELINE_BUCKETS_MAX 10000 /* of yore.timeline */

/* Budgets of a statement where its caller names none. */
#define QUERY_STEPS_DEFAULT UINT64_C(1000000000)
#define QUERY_MEMORY_BYTES_DEFAULT (UINT64_C(256) << 20)
#define QUERY_TIME_NS_DEFAULT UINT64_C(60000000000)

#endif
