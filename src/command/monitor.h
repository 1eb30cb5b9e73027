/* monitor.h -- telling requests to clients that MONITOR. */
#ifndef YORE_COMMAND_MONITOR_H
#define YORE_COMMAND_MONITOR_H

struct call;

/* A request that was run; secrets are left out. */
void monitor_tell(const struct call *call);

#endif
