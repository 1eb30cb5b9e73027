/* One flag is the only state: a signal handler has no argument to find anything else by. */
#include "os/term.h"

#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <unistd.h>

static volatile sig_atomic_t interrupt_is_pending;

bool os_term_is_terminal(enum os_stream stream)
{
    return isatty((int)stream) == 1;
}

unsigned os_term_columns(enum os_stream stream)
{
    struct winsize size = {0};
    if (ioctl((int)stream, TIOCGWINSZ, &size) != 0) {
        return 0;
    }
    return size.ws_col;
}

static void on_interrupt(int number)
{
    if (interrupt_is_pending) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    interrupt_is_pending = 1;
}

void os_interrupt_catch(bool is_on)
{
    struct sigaction action = {.sa_flags = SA_RESTART};
    action.sa_handler = is_on ? on_interrupt : SIG_DFL;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    interrupt_is_pending = 0;
}

bool os_interrupt_take(void)
{
    bool was_pending = interrupt_is_pending != 0;
    interrupt_is_pending = 0;
    return was_pending;
}
