#include "query/zone_rule.h"

#include "query/calendar.h"

#define DAY_SECONDS 86400
#define NAME_SIZE_MIN 3 /* of abbreviations, as POSIX has it */

struct scan {
    const char *at;
    const char *end;
};

static bool take(struct scan *scan, char wanted)
{
    if (scan->at == scan->end || *scan->at != wanted) {
        return false;
    }
    scan->at++;
    return true;
}

static bool take_number(struct scan *scan, int maximum, int *number_out)
{
    int number = 0;
    const char *begin = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') {
        number = number * 10 + (*scan->at++ - '0');
        if (number > maximum) {
            return false;
        }
    }
    *number_out = number;
    return scan->at > begin;
}

/* "CET", or "<+03>": letters only, or anything in angle brackets. */
static bool skip_name(struct scan *scan)
{
    const char *begin = scan->at;
    if (take(scan, '<')) {
        while (scan->at < scan->end && *scan->at != '>') {
            scan->at++;
        }
        return take(scan, '>');
    }
    while (scan->at < scan->end &&
           ((*scan->at >= 'A' && *scan->at <= 'Z') || (*scan->at >= 'a' && *scan->at <= 'z'))) {
        scan->at++;
    }
    return scan->at - begin >= NAME_SIZE_MIN;
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct scan *scan, int hours_max, int32_t *seconds_out)
{
    bool is_negative = take(scan, '-');
    if (!is_negative) {
        (void)take(scan, '+');
    }
    int hours = 0;
    int minutes = 0;
    int seconds = 0;
    if (!take_number(scan, hours_max, &hours) ||
        (take(scan, ':') && (!take_number(scan, 59, &minutes) ||
                             (take(scan, ':') && !take_number(scan, 59, &seconds))))) {
        return false;
    }
    int32_t total = hours * 3600 + minutes * 60 + seconds;
    *seconds_out = is_negative ? -total : total;
    return true;
}

static bool take_switch(struct scan *scan, struct zone_switch *switch_out)
{
    *switch_out = (struct zone_switch){.seconds = 2 * 3600};
    if (!take(scan, ',')) {
        return false;
    }
    bool is_ok;
    if (take(scan, 'M')) {
        switch_out->kind = ZONE_DAY_OF_WEEK;
        is_ok = take_number(scan, 12, &switch_out->month) && switch_out->month >= 1 &&
                take(scan, '.') && take_number(scan, 5, &switch_out->week) &&
                switch_out->week >= 1 && take(scan, '.') && take_number(scan, 6, &switch_out->day);
    } else if (take(scan, 'J')) {
        switch_out->kind = ZONE_DAY_JULIAN;
        is_ok = take_number(scan, 365, &switch_out->day) && switch_out->day >= 1;
    } else {
        switch_out->kind = ZONE_DAY_OF_YEAR;
        is_ok = take_number(scan, 365, &switch_out->day);
    }
    return is_ok && (!take(scan, '/') || take_time(scan, 167, &switch_out->seconds));
}

bool zone_rule_parse(struct yore_bytes text, struct zone_rule *rule_out)
{
    struct scan scan = {text.data, (const char *)text.data + text.size};
    struct zone_rule rule = {0};
    int32_t west = 0;
    if (text.size == 0 || !skip_name(&scan) || !take_time(&scan, 24, &west)) {
        return false;
    }
    rule.standard_offset = -west;
    if (scan.at < scan.end) {
        rule.has_summer = true;
        rule.summer_offset = rule.standard_offset + 3600;
        if (!skip_name(&scan)) {
            return false;
        }
        if (scan.at < scan.end && *scan.at != ',') {
            if (!take_time(&scan, 24, &west)) {
                return false;
            }
            rule.summer_offset = -west;
        }
        if (!take_switch(&scan, &rule.begin) || !take_switch(&scan, &rule.end)) {
            return false;
        }
    }
    *rule_out = rule;
    return scan.at == scan.end;
}

/* Seconds since 1970, local, of a switch in a year. */
static int64_t switch_seconds(const struct zone_switch *s, int64_t year)
{
    int64_t first = calendar_days((struct calendar_date){year, 1, 1});
    int64_t days = first + s->day;
    if (s->kind == ZONE_DAY_JULIAN) {
        days = first + s->day - 1 + (calendar_year_is_leap(year) && s->day >= 60);
    } else if (s->kind == ZONE_DAY_OF_WEEK) {
        int64_t month = calendar_days((struct calendar_date){year, s->month, 1});
        int weekday = calendar_week(month).weekday % 7; /* 0: Sunday */
        days = month + (s->day - weekday + 7) % 7 + (s->week - 1) * 7;
        if (days >= month + calendar_month_days(year, s->month)) {
            days -= 7;
        }
    }
    return days * DAY_SECONDS + s->seconds;
}

int32_t zone_rule_offset(const struct zone_rule *rule, int64_t seconds)
{
    if (!rule->has_summer) {
        return rule->standard_offset;
    }
    int64_t local = seconds + rule->standard_offset;
    int64_t days = local / DAY_SECONDS - (local % DAY_SECONDS < 0);
    int64_t year = calendar_date(days).year;
    int64_t begin = switch_seconds(&rule->begin, year) - rule->standard_offset;
    int64_t end = switch_seconds(&rule->end, year) - rule->summer_offset;
    bool is_summer = begin < end ? seconds >= begin && seconds < end
                                 : !(seconds >= end && seconds < begin); /* the south */
    return is_summer ? rule->summer_offset : rule->standard_offset;
}
