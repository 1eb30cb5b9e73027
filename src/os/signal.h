/* signal.h -- signals as messages: held back from every thread, and taken one by one by the thread
 * that asks for them.  For a server's main thread. */
#ifndef YORE_OS_SIGNAL_H
#define YORE_OS_SIGNAL_H

#include <stdint.h>

enum os_signal {
    OS_SIGNAL_NONE,   /* none came within the time */
    OS_SIGNAL_END,    /* SIGTERM, SIGINT */
    OS_SIGNAL_RELOAD, /* SIGHUP */
    OS_SIGNAL_WAKE    /* os_signal_wake() */
};

/* Before any other thread is started: they inherit it.  SIGPIPE is ignored from now on. */
void os_signals_hold(void);

/* A file that would grow past the limit of the process (ulimit -f) is an error of the write, EFBIG,
 * from now on; SIGXFSZ would end the program. */
void os_signal_ignore_file_size(void);

/* Wait for the next, at most `timeout_ns`. */
enum os_signal os_signal_next(int64_t timeout_ns);

/* From any thread: the waiting thread gets OS_SIGNAL_WAKE. */
void os_signal_wake(void);

uint32_t os_process_id(void);

/* Tell the service manager that started the process, if there is one: "READY=1", "STOPPING=1",
 * "RELOADING=1"; sd_notify(3).  Failures are nobody's concern. */
void os_service_tell(const char *state);

#endif
