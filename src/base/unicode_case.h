/* unicode_case.h -- upper and lower case of a character: the simple mappings of Unicode, one
 * character for one, whatever the locale.  Any thread. */
#ifndef YORE_BASE_UNICODE_CASE_H
#define YORE_BASE_UNICODE_CASE_H

#include <stdint.h>

uint32_t unicode_upper(uint32_t point);
uint32_t unicode_lower(uint32_t point);

#endif
