/* limits.h -- every bound of the command layer, named. */
#ifndef YORE_COMMAND_LIMITS_H
#define YORE_COMMAND_LIMITS_H

/* A request: what the parser of a connection lets through. */
#define REQUEST_ARGS_MAX (1024u * 1024u)    /* arguments of one request */
#define REQUEST_BULK_BYTES_MAX (512u << 20) /* one argument */
/* Before a client has logged in, where it must. */
#define REQUEST_UNTRUSTED_ARGS_MAX 10u
#define REQUEST_UNTRUSTED_BULK_BYTES_MAX 16384u

#define REPLY_PART_BYTES 65536u       /* a long reply leaves in parts of about this size */
#define REPLY_BYTES_MAX (1024u << 20) /* the reply of one request that cannot leave in parts */
#define ROWS_KEPT_BYTES (1u << 20)  /* built of one that can, before its number of rows is known */
#define ERROR_REPLY_BYTES_MAX 1024u /* the text of one error */
#define USAGE_BYTES_MAX 512u        /* of a command, as its errors tell it */
#define STRING_BYTES_MAX (256u << 20) /* a value: YORE_VALUE_BYTES_MAX */

#define DATABASES_DEFAULT 16u
#define DATABASES_MAX 256u

#define COMMANDS_MAX 512u            /* rows of the table, subcommands too: bits of a rule */
#define MULTI_BYTES_MAX (256u << 20) /* requests queued by one MULTI */
#define LEAVE_CHUNK 256u             /* watches or channels that are left under one lock */
#define SWAPS_MAX 16u                /* SWAPDBs of one transaction */
#define MULTI_RETRIES_MAX 16u        /* attempts of EXEC when something read in it expires */
#define SCAN_POSITIONS_BYTES_MAX (16u << 20) /* positions of SCAN kept, of all clients */
#define SCAN_STEPS_MAX 100000u         /* keys looked at by one SCAN at most, whatever COUNT says */
#define SCAN_PAGE_BYTES_MAX (1u << 20) /* a page of YORE.SCAN ends past it */
#define SERIES_CHUNK_BYTES 4096        /* what TS.INFO tells of a series that was told nothing */
#define SERIES_SAMPLE_BYTES 16         /* a sample as clients count memory */
#define SERIES_LABELS_BYTES_MAX 65536u /* labels of one series */
#define SERIES_FILTERS_MAX 32u         /* filters of one request */
#define SERIES_TIMES_MAX 128u          /* ... and one less timestamps of FILTER_BY_TS */
#define SERIES_FOUND_BYTES_MAX (64u << 20) /* names of the series that filters find */
#define SERIES_ROWS_MAX (1u << 28)         /* rows of one range, empty buckets too */
#define SERIES_GROUP_ROWS_MAX (1u << 20)   /* times of one group of series, kept in memory */
#define SERIES_RULES_MAX 64u               /* compaction rules of one series */
#define SERIES_DELETE_CHUNK 65536u         /* samples that TS.DEL deletes in one commit */
#define FINDINGS_TOLD_MAX 1000u            /* lines of YORE.CHECK */
#define FLUSH_CHUNK_KEYS 65536u            /* keys that FLUSHDB deletes in one commit */
#define RECOUNT_KEYS_MAX (1u << 20)  /* keys changed since counts were saved: more, count anew */
#define LCS_CELLS_MAX (16u << 20)    /* products of the two lengths LCS compares */
#define QUICK_VALUE_BYTES_MAX 16384u /* a loop answers with values up to this size itself */
#define QUICK_ARGS_MAX 64u           /* ... and requests of so many words */
#define SHORT_ARGS_MAX 65536u        /* of more words it is a long one */
#define PENDING_COUNT_MAX 512u /* writes of a job that wait for one commit: then they are made */
#define PENDING_BYTES_MAX (4u << 20)   /* ... and their octets */
#define PENDING_VALUE_BYTES_MAX 65536u /* a larger value is committed at once */
#define PENDING_NS_MAX 1000000         /* ... and how long they may hold up other writers */
#define WRITE_STRIPES 64u              /* locks that order writes of one key */

#define GRAPH_REPLY_BYTES_MAX (128u << 20) /* rows of GRAPH.QUERY that cannot leave in parts */
#define GRAPH_PLAN_DEPTH_MAX 256u          /* levels of a plan that GRAPH.EXPLAIN indents */
#define GRAPH_RUN_ATTEMPTS_MAX 8u          /* of a statement that meets other writers */
#define GRAPH_JSON_PARAMETERS_MAX 1000u    /* of one request */
#define GRAPH_JSON_DEPTH_MAX 60u           /* nesting of a parameter's value */
#define GRAPH_QUERY_TIME_MS_DEFAULT 60000
#define GRAPH_QUERY_TIME_MS_MAX 86400000
#define GRAPH_QUERY_MEMORY_BYTES_DEFAULT (INT64_C(256) << 20)
#define GRAPH_QUERY_MEMORY_BYTES_MAX (INT64_C(64) << 30)

#define BACKUP_NAME_SIZE_MAX 64u
#define SETTINGS_MAX 512u /* named settings */
#define SETTING_NAME_BYTES_MAX 64u
#define SLOWLOG_LENGTH_MAX 1000000 /* slow requests kept, at most */
#define SLOWLOG_ARGS_MAX 32u       /* arguments told of a slow request */
#define SLOWLOG_ARG_BYTES_MAX 128u /* bytes told of one */
#define LATENCY_EVENTS_MAX 16u     /* kinds of events, and samples kept of each */
#define LATENCY_SAMPLES 160u
#define CLIENT_TEXT_BYTES_MAX 512u /* a client's name, its library's name and version */
#define MONITOR_LINE_BYTES_MAX 65536u

#define ACL_FILE_BYTES_MAX (16u << 20)
#define ACL_USERS_MAX 10000u
#define ACL_SELECTORS_MAX 64u
#define ACL_PASSWORDS_MAX 16u
#define ACL_LOG_DEFAULT 128u
#define ACL_LOG_MAX 10000u
#define ACL_GENPASS_BITS_MAX 4096u
/* Wrong passwords of one network (backoff.h). */
#define BACKOFF_SETS 512u
#define BACKOFF_WAYS 8u
#define BACKOFF_FREE 20                         /* after so many it waits ... */
#define BACKOFF_FIRST_NS INT64_C(500000000)     /* ... so long, then twice that ... */
#define BACKOFF_DOUBLINGS 8                     /* ... and no more than 64 s */
#define BACKOFF_FORGIVE_NS INT64_C(10000000000) /* one of them is forgiven in so long */

#endif
