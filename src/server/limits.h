/* limits.h -- every bound of the server, by name; most are defaults of settings (config_table.c).
 */
#ifndef YORE_SERVER_LIMITS_H
#define YORE_SERVER_LIMITS_H

#define CONFIG_FILE_BYTES_MAX (1u << 20)
#define CONFIG_LINE_BYTES_MAX 65536u
#define CONFIG_EXTRAS_MAX 10000u /* lines that belong to the command layer: users, its settings */
#define LOG_LINE_BYTES_MAX 4096u /* longer ones are cut */
#define LOG_FIELDS_MAX 16u
#define HTTP_HEAD_NS 5000000000       /* the head of a request must be whole by then */
#define HTTP_BODY_IDLE_NS 10000000000 /* a body of which nothing comes for so long is given up */
#define HTTP_IDLE_NS 75000000000      /* between requests */
#define HTTP_OPERATIONS_MAX 10000u    /* of one batch or transaction */
#define HTTP_ROWS_DEFAULT "1000"      /* rows of a list where none are asked for */
#define HTTP_IMPORT_ROWS 1000u        /* rows written at a time */
#define HTTP_IMPORT_LINE_MAX (64u << 20)
#define HTTP_IMPORT_EVENTS_BYTES (1u << 20) /* of whole transactions written at a time */
#define DESCRIPTORS_RESERVED 600u           /* beside those of clients: tables, journal, log */

#define AUDIT_KEYS_MAX 8u /* keys told of one request */
#define AUDIT_WORD_BYTES 32u
#define AUDIT_USER_BYTES 256u

#endif
