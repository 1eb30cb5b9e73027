/* term.h -- what the program needs to know of its terminal: is there one, how wide, was ^C pressed.
 * The process's own three streams only.  Any thread. */
#ifndef YORE_OS_TERM_H
#define YORE_OS_TERM_H

#include <stdbool.h>

enum os_stream { OS_STREAM_IN = 0, OS_STREAM_OUT = 1, OS_STREAM_ERR = 2 };

bool os_term_is_terminal(enum os_stream stream);

/* Columns of the terminal behind `stream`; 0 when it is none or will not say. */
unsigned os_term_columns(enum os_stream stream);

/* From now on ^C sets a flag instead of ending the process; the second one before the flag was
 * taken ends it.  `is_on` false restores what the process was started with. */
void os_interrupt_catch(bool is_on);

/* True once after a ^C that was caught. */
bool os_interrupt_take(void);

#endif
