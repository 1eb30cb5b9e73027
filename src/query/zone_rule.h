/* zone_rule.h -- the rule of a zone for all years to come: POSIX TZ, "CET-1CEST,M3.5.0,M10.5.0/3".
 */
#ifndef YORE_QUERY_ZONE_RULE_H
#define YORE_QUERY_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum zone_day_kind {
    ZONE_DAY_JULIAN = 1, /* Jn: 1..365, February 29 is never counted */
    ZONE_DAY_OF_YEAR,    /* n: 0..365 */
    ZONE_DAY_OF_WEEK     /* Mm.w.d: the w-th (5: last) weekday d (0: Sunday) of month m */
};

struct zone_switch {
    enum zone_day_kind kind;
    int day;
    int month;
    int week;
    int32_t seconds; /* of that day, local: -167 h .. 167 h */
};

struct zone_rule {
    int32_t standard_offset;
    bool has_summer;
    int32_t summer_offset;
    struct zone_switch begin; /* of summer time, in standard time */
    struct zone_switch end;   /* in summer time */
};

/* False: it is none. */
bool zone_rule_parse(struct yore_bytes text, struct zone_rule *rule_out);
int32_t zone_rule_offset(const struct zone_rule *rule, int64_t seconds);

#endif
