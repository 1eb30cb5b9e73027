/* config_table.h -- the one table of the server's settings. */
#ifndef YORE_SERVER_CONFIG_TABLE_H
#define YORE_SERVER_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_kind {
    CONFIG_TEXT,
    CONFIG_SWITCH, /* yes or no */
    CONFIG_COUNT,  /* min..max */
    CONFIG_PORT,   /* 0: none; `any`: the system chooses */
    CONFIG_OCTAL,  /* permissions */
    CONFIG_SIZE,   /* octets, with units */
    CONFIG_SPAN,   /* a duration; a bare number is seconds, 0 is off where min is 0 */
    CONFIG_CHOICE
};

struct config_spec {
    const char *name;
    enum config_kind kind;
    size_t offset; /* in struct config */
    uint64_t min;
    uint64_t max;
    const char *const *choices; /* terminated by NULL */
    const char *fallback;       /* the default, as text */
    bool is_live;
    const char *help; /* one sentence */
};

extern const struct config_spec config_table[];
extern const size_t config_table_count;

#endif
